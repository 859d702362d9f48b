//! One document: all its fields, grouped, each with its meaning from the source's table.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};

use super::search::title;
use crate::serve::{
    document::Flat,
    error::PageError,
    layout::{Context, Page},
    params::{Query, Range, include},
    text::{moment, plural, shown},
    values::Links,
};

/// Minutes before and after, on the link to what happened around it.
const AROUND: i64 = 5;

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
    let mut groups: BTreeMap<String, Vec<(&str, &[String])>> = BTreeMap::new();
    for (name, values) in flat.iter() {
        groups.entry(group(name)).or_default().push((name, values));
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
            div.groups {
                @for (name, fields) in &groups {
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
        @if let Some(rule) = flat.first("rule.id") { li { a href=(bare.with(include("rule.id", rule)).href("/search")) { "The same rule" } } }
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
            th scope="row" { span.mono { (shown(name)) } @if let Some(meaning) = meaning { span.dim { (meaning) } } }
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
