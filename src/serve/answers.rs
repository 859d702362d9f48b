//! The four answers at the top of the Overview: what attacks, what was done, what was not done and why, is the pipeline well.
//!
//! Each is a word or a number, a sentence and a link to the rest. They are drawn from what the page has read anyhow.

use maud::{Markup, html};

use super::{
    gate::Unavailable,
    layout::Context,
    params::SOURCES,
    text::{count, moment, plural, shown},
    told::meaning,
};
use crate::{
    dashboards::data::{ListRow, PanelData, PanelView},
    respond::report::{AuditReport, StatusReport},
};

/// Audit rows searched for the newest act and the newest refusal.
const ROWS: usize = 200;
/// Entries may be on their way for so long before the pipeline counts as late.
const LATE_SECONDS: u64 = 120;

/// Draws all four.
pub(super) fn draw(context: &Context<'_>, panels: &[PanelView]) -> Markup {
    let audit = context.state.gate.audit(ROWS, None);
    html! {
        section.answers.panel aria-label="At a glance" {
            (attacks(context, panels))
            (done(context, &audit))
            (not_done(context, &audit))
            (pipeline(context, panels))
        }
    }
}

fn answer(question: &str, word: &Markup, rest: &Markup) -> Markup {
    html! { div.answer { h2 { (question) } p.word { (word) } p.rest { (rest) } } }
}

/// The address that most findings of the range name.
fn attacks(context: &Context<'_>, panels: &[PanelView]) -> Markup {
    let first = |id: &str| -> Option<&ListRow> {
        panels
            .iter()
            .find(|panel| panel.id == id)
            .and_then(|panel| match &panel.data {
                PanelData::List { rows, .. } => rows.first(),
                _ => None,
            })
    };
    let links = context.links();
    let word = match first("attackers") {
        Some(row) => html! {
            @if let Ok(address) = row.value.parse() { a.mono href=(links.address(address)) { (shown(&row.value)) } }
            @else { (shown(&row.value)) }
        },
        None => html! { "Nothing" },
    };
    let rest = html! {
        @if let Some(row) = first("attackers") { "named most: " (count(row.number)) " findings and updates" } @else { "no finding names an address in this range" }
        @if let Some(row) = first("finding-types") { " · most frequent: " a href=(context.query.bare().href("/guardduty")) { (shown(&row.value)) } }
    };
    answer("What attacks", &word, &rest)
}

/// What EC2 confirmed last, and how much stands.
fn done(context: &Context<'_>, audit: &Result<Vec<AuditReport>, Unavailable>) -> Markup {
    let newest = audit.iter().flatten().find(|row| row.event == "applied");
    let word = match (&context.status, newest.and_then(|row| row.cidr)) {
        (Err(_), _) => html! { "Unknown" },
        (_, Some(cidr)) => html! { a.mono href=(context.links().address(cidr.addr())) { (cidr.addr()) } " denied" },
        (_, None) => html! { "Nothing yet" },
    };
    let rest = html! {
        @if let Some(row) = newest { (moment(context.now, row.at)) " · " }
        @match &context.status {
            Ok(status) => { a href="#gate" { (plural(status.applied, "entry stands", "entries stand")) } ", " (figure(status.evicted)) " evicted so far" },
            Err(_) => "the ledger cannot be read",
        }
    };
    answer("What was done", &word, &rest)
}

/// What was left alone last, and why.
fn not_done(context: &Context<'_>, audit: &Result<Vec<AuditReport>, Unavailable>) -> Markup {
    let is_refusal = |row: &&AuditReport| {
        matches!(&*row.event, "decided" | "refused")
            && !matches!(&*row.reason, "matched" | "manual" | "already_blocked")
    };
    let newest = audit.iter().flatten().find(is_refusal);
    let word = match (audit, newest) {
        (Err(_), _) => html! { "Unknown" },
        (_, Some(row)) => html! { a href="#not-done" { (shown(&row.reason)) } },
        (_, None) => html! { "Nothing" },
    };
    let rest = html! {
        @if let Some(row) = newest {
            @if let Some(cidr) = row.cidr { a.mono href=(context.links().address(cidr.addr())) { (cidr.addr()) } " " }
            (moment(context.now, row.at))
            @if let Some(meaning) = meaning(&row.reason) { " · " (meaning) }
        } @else { "nothing was left alone lately" }
    };
    answer("What was not, and why", &word, &rest)
}

/// Whether every source delivers and nothing is stuck.
fn pipeline(context: &Context<'_>, panels: &[PanelView]) -> Markup {
    let silent = silent(panels);
    let troubles = match &context.status {
        Ok(status) => troubles(status),
        Err(_) => vec!["the ledger cannot be read".to_owned()],
    };
    let word = html! { @if troubles.is_empty() && silent.is_empty() { "Healthy" } @else { "Look here" } };
    let rest = html! {
        @if silent.is_empty() { "every source delivered in this range" } @else { "no events in this range: " (silent.join(", ")) }
        @if troubles.is_empty() { " · nothing is stuck" } @else { " · " (troubles.join(" · ")) }
        @if let Ok(status) = &context.status { " · " (figure(status.unreadable)) " unreadable findings" }
    };
    answer("Is the pipeline well", &word, &rest)
}

fn figure(n: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a count on a page")]
    count(n as f64)
}

/// Sources without an event in the range; the responder's own documents are not a source.
fn silent(panels: &[PanelView]) -> Vec<&'static str> {
    let delivered: Vec<&str> = panels
        .iter()
        .find(|panel| panel.id == "events-by-source")
        .and_then(|panel| match &panel.data {
            PanelData::Timeline { series, .. } => Some(series),
            _ => None,
        })
        .into_iter()
        .flatten()
        .filter(|series| series.values.iter().any(|n| *n > 0.0))
        .filter_map(|series| series.name.strip_prefix("aws."))
        .collect();
    SOURCES
        .iter()
        .filter(|(name, _)| *name != "response" && !delivered.contains(name))
        .map(|(_, title)| *title)
        .collect()
}

fn troubles(status: &StatusReport) -> Vec<String> {
    let mut troubles = Vec::new();
    if let Some(why) = &status.paused {
        troubles.push(format!("paused: {}", super::text::visible(why)));
    }
    if status.pending > 0 && status.pending_age_seconds > LATE_SECONDS {
        troubles.push(plural(
            status.pending,
            "entry is not confirmed",
            "entries are not confirmed",
        ));
    }
    troubles
}
