//! One document: all its fields, grouped, each with its meaning from the source's table.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};

use super::search::{hits, title};
use crate::serve::{
    document::Flat,
    error::PageError,
    layout::{Context, Page},
    params::{Query, Range, include},
    text::{moment, plural, shown},
    told::nothing,
    values::{Links, as_address},
};

/// Minutes before and after, on the link to what happened around it.
const AROUND: i64 = 5;

/// The finding's id in its own documents, and in those of what was done about it.
const FINDING: &str = "aws.guardduty.finding_id";
const DONE_FOR: &str = "portcullis.response.finding_id";
/// A field's name and its values.
type Named<'f> = (&'f str, &'f [String]);
/// Documents shown of the other side.
const FOLLOWED: usize = 8;

/// Draws the document with this id.
pub(crate) fn page(context: &Context<'_>, id: &str) -> Result<Page, PageError> {
    let hit = context.state.views.document(id)?;
    let hit = hit.ok_or_else(|| PageError::NotFound("document of that id".to_owned()))?;
    let index = hit["_index"].as_str().unwrap_or_default().to_owned();
    let flat = Flat::of(&hit["_source"]);
    let at: Option<DateTime<Utc>> = flat.first("@timestamp").and_then(|at| at.parse().ok());
    let meanings: HashMap<&str, &str> = context
        .state
        .views
        .fields(&index)
        .into_iter()
        .map(|f| (f.name, f.meaning))
        .collect();
    let mut groups: BTreeMap<(usize, String), Vec<Named<'_>>> = BTreeMap::new();
    for (name, values) in flat.iter() {
        let group = group(name);
        groups.entry((place(&group), group)).or_default().push((name, values));
    }
    let bare = context.query.bare();
    let links = Links {
        path: "/search",
        query: &bare,
    };
    Ok(Page {
        title: flat.summary().chars().take(160).collect(),
        lead: html! { (title(&index)) @if let Some(at) = at { " · " (moment(context.now, at)) } " · " (plural(flat.len() as u64, "field", "fields")) },
        ranged: false,
        body: html! {
            nav.tabs aria-label="Around this document" { ul { (around(&bare, &flat, at)) } }
            (response(context, &bare, &flat, at)?)
            div.groups {
                @for ((_, name), fields) in &groups {
                    @let heading = format!("group-{}", name.replace(|c: char| !c.is_ascii_alphanumeric(), "-"));
                    section.panel aria-labelledby=(heading) {
                        header { h2 id=(heading) { (shown(name)) } }
                        table.fields {
                            tbody { @for (name, values) in fields { (row(links, context.now, name, values, meanings.get(name).copied())) } }
                        }
                    }
                }
            }
        },
    })
}

/// Of a finding what was done about it; of what was done, the finding.
fn response(context: &Context<'_>, bare: &Query, flat: &Flat, at: Option<DateTime<Utc>>) -> Result<Markup, PageError> {
    let led_to = flat
        .first(FINDING)
        .map(|id| ("What was done about this finding", "response", DONE_FOR, id));
    let led_by = flat
        .first(DONE_FOR)
        .map(|id| ("The finding that led to this", "guardduty", FINDING, id));
    let (Some((heading, source, field, id)), Some(at)) = (led_to.or(led_by), at) else {
        return Ok(html! {});
    };
    // What is done comes after the finding, and a finding goes on for days.
    let range = if source == "response" {
        Range::Between(
            at - TimeDelta::minutes(AROUND),
            context.now.max(at + TimeDelta::minutes(AROUND)),
        )
    } else {
        Range::Between(at - TimeDelta::days(7), at + TimeDelta::minutes(AROUND))
    };
    let query = Query {
        source: Some(source),
        ..bare.over(range).with(include(field, id))
    };
    let found = context
        .state
        .views
        .search(&query.scope(context.now, None), 0, FOLLOWED)?;
    Ok(html! {
        section.panel.followed aria-labelledby="followed" {
            header { h2 #followed { (heading) } p.question { a href=(query.href("/search")) { (plural(found.total, "document", "documents")) } } }
            @if found.hits.is_empty() {
                (nothing("No document of it here.", "It may be older than what is kept, or nothing was decided yet."))
            } @else {
                (hits(context, &found.hits))
            }
        }
    })
}

fn around(bare: &Query, flat: &Flat, at: Option<DateTime<Utc>>) -> Markup {
    let near = at.map(|at| {
        bare.over(Range::Between(
            at - TimeDelta::minutes(AROUND),
            at + TimeDelta::minutes(AROUND),
        ))
    });
    html! {
        @if let Some(near) = &near {
            li { a href=(near.href("/search")) { "Everything within " (AROUND) " minutes" } }
            @if let Some(address) = flat.first("source.ip") {
                li { a href=(near.with(include("source.ip", address)).href("/search")) { "The same address within " (AROUND) " minutes" } }
            }
        }
        @if let Some(address) = flat.first("aws.guardduty.remote_ip").or(flat.first("source.ip")).and_then(as_address) {
            li { a href=(Links { path: "/", query: bare }.address(address)) { "All about " (address) } }
        }
        @if let Some(rule) = flat.first("rule.id") { li { a href=(bare.with(include("rule.id", rule)).href("/search")) { "The same rule" } } }
    }
}

/// What a person reads first stands first; what the program says of itself, last.
fn place(group: &str) -> usize {
    const FIRST: &[&str] = &["document", "event", "rule", "source", "destination", "user"];
    const LAST: &[&str] = &["related", "portcullis", "ecs"];
    let among = |names: &[&str]| names.iter().position(|name| *name == group);
    match (among(FIRST), among(LAST)) {
        (Some(place), _) => place,
        (None, None) => FIRST.len(),
        (None, Some(place)) => FIRST.len() + 1 + place,
    }
}

/// The first part of a name; two of them below `aws` and `portcullis`.
fn group(name: &str) -> String {
    let mut parts = name.split('.');
    let first = parts.next().unwrap_or_default();
    match (first, parts.next(), parts.next()) {
        ("aws" | "portcullis", Some(second), Some(_)) => format!("{first}.{second}"),
        (_, None, _) => "document".to_owned(),
        _ => first.to_owned(),
    }
}

/// A name that may break after its dots and underscores, and nowhere else while it has some.
fn parts(name: &str) -> Markup {
    html! { @for part in name.split_inclusive(['.', '_']) { (shown(part)) wbr; } }
}

fn row(links: Links<'_>, now: DateTime<Utc>, name: &str, values: &[String], meaning: Option<&str>) -> Markup {
    let is_time = |value: &str| {
        DateTime::parse_from_rfc3339(value)
            .ok()
            .filter(|_| value.len() >= 20)
            .map(|at| at.to_utc())
    };
    let is_prose = matches!(name, "event.original" | "message" | "rule.description") || name.contains(".rest");
    html! {
        tr {
            th scope="row" { span.mono { (parts(name)) } @if let Some(meaning) = meaning { span.dim { (meaning) } } }
            td {
                @for value in values.iter().take(200) {
                    div {
                        @if is_prose { span.prose { (shown(value)) } }
                        @else if let Some(at) = is_time(value) { span.mono { (shown(value)) } " " span.dim { (super::super::text::relative(now, at)) } }
                        @else { (links.value(name, value)) }
                    }
                }
            }
        }
    }
}
