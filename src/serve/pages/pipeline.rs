//! The Pipeline page: what this program read and refused, how late it came, and what the documents say of themselves.

use std::sync::PoisonError;

use maud::{Markup, html};
use portcullis_transforms::RefusalKind;

use crate::{
    consume::{
        Tally,
        pipeline::{Arrivals, LATE, ON_TIME},
    },
    dashboards::data::Unit,
    respond::report::StatusReport,
    serve::{
        error::PageError,
        layout::{Context, Page},
        panel::{Easel, grid},
        params::{Query, SOURCES},
        text::{count, moment, number, plural},
        told::{self, Channel, nothing},
    },
};

/// Draws the page.
pub(crate) fn page(context: &Context<'_>) -> Result<Page, PageError> {
    let tally = context
        .state
        .tally
        .as_ref()
        .map(|tally| tally.lock().unwrap_or_else(PoisonError::into_inner).clone());
    let panels = context
        .state
        .views
        .panels("pipeline", &context.query.scope(context.now, None));
    let easel = Easel {
        links: context.links(),
        now: context.now,
        page: "pipeline",
    };
    Ok(Page {
        title: "Pipeline".to_owned(),
        lead: html! { "What arrives, what is understood, what is late" },
        ranged: true,
        body: html! {
            @if let Some(tally) = &tally { (figures(context, tally)) }
            div.grid {
                section.panel.w12 aria-labelledby="read" {
                    header { h2 #read { "Read since this program started" } p.question { "How far behind is each source?" } }
                    @match &tally { Some(tally) => (sources(context, tally)), None => (nothing("This program reads no events itself.", "Delivery streams or another process write them; the panels below are drawn from what they wrote.")) }
                }
                section.panel.w6 aria-labelledby="refused" {
                    header { h2 #refused { "Refused records" } p.question { "What could not be read, and why?" } }
                    @if let Some(tally) = &tally { (refused(tally)) } @else { (nothing("Not known here.", "Each delivery stream keeps what failed in its own bucket, with the reason.")) }
                }
                (told::framed("out", "On the way out", "What waits to be done or told?", 6, &context.status, |status| outgoing(context, status)))
            }
            (grid(easel, &panels))
        },
    })
}

#[expect(clippy::cast_precision_loss, reason = "counts on a page")]
fn figures(context: &Context<'_>, tally: &Tally) -> Markup {
    let sum = |map: &std::collections::BTreeMap<&str, u64>| count(map.values().sum::<u64>() as f64);
    html! {
        dl.figures aria-label="Since this program started" {
            div { dt { "documents" } dd { (sum(&tally.indexed)) } }
            div { dt { "refused" } dd { (sum(&tally.refused)) } }
            div { dt { "left out by design" } dd { (count(tally.dropped as f64)) } }
            div { dt { "last record came" } dd { @match tally.last { Some(at) => (super::super::text::relative(context.now, at)), None => "never" } } }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts on a page")]
fn sources(context: &Context<'_>, tally: &Tally) -> Markup {
    let seconds = |late: chrono::TimeDelta| number(late.as_seconds_f64().max(0.0), Unit::Seconds);
    let minutes = |limit: chrono::TimeDelta| number(limit.as_seconds_f64(), Unit::Seconds);
    html! {
        div.scroll tabindex="0" role="region" aria-label="Sources" {
            table.rows {
                thead { tr {
                    th scope="col" { "Source" } th.n scope="col" { "Documents" } th scope="col" { "Newest came" } th scope="col" { "Newest tells of" }
                    th.n scope="col" { "Within " (minutes(ON_TIME)) } th.n scope="col" { "Within " (minutes(LATE)) } th.n scope="col" { "Later" } th.n scope="col" { "Latest by" }
                } }
                tbody {
                    @for (name, title) in SOURCES.iter().filter(|(name, _)| *name != "response") {
                        @let arrivals = tally.arrivals.get(name).cloned().unwrap_or_else(Arrivals::default);
                        @let only = Query { source: Some(name), ..context.query.bare() };
                        tr {
                            th scope="row" { a href=(only.href("/search")) { (title) } }
                            td.n { (count(tally.indexed.get(name).copied().unwrap_or_default() as f64)) }
                            td { @match arrivals.came { Some(at) => (moment(context.now, at)), None => span.dim { "nothing yet" } } }
                            td { @match arrivals.newest { Some(at) => (moment(context.now, at)), None => span.dim { "–" } } }
                            @for late in arrivals.spread { td.n { (count(late as f64)) } }
                            td.n { @if arrivals.came.is_some() { (seconds(arrivals.worst)) } @else { span.dim { "–" } } }
                        }
                    }
                }
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts on a page")]
fn refused(tally: &Tally) -> Markup {
    if tally.refused.is_empty() {
        return nothing(
            "Every record was read.",
            "What cannot be read is listed here by its reason, and told in the log with its line.",
        );
    }
    html! {
        table.bars.reasons {
            thead { tr { th scope="col" { "reason" } th.n scope="col" { "records" } } }
            tbody {
                @for (reason, records) in &tally.refused {
                    @let kind = RefusalKind::ALL.iter().find(|kind| kind.word() == *reason);
                    tr {
                        td { (reason) @if let Some(kind) = kind { span.dim.why { (kind.remedy()) } } }
                        td.n { (count(*records as f64)) }
                    }
                }
            }
        }
        p.more { "The log names input and line of each." }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts and ages on a page")]
fn outgoing(context: &Context<'_>, status: &StatusReport) -> Markup {
    let age = number(status.pending_age_seconds as f64, Unit::Seconds);
    html! {
        dl.figures {
            div { dt { "entries waiting for EC2" } dd { (count(status.pending as f64)) } }
            @if status.pending > 0 { div { dt { "the oldest for" } dd { (age) } } }
            div { dt { "unreadable findings" } dd { (count(status.unreadable as f64)) } }
            @if Channel::of(context.state) == Channel::Slack {
                div { dt { "messages sent" } dd { (count(status.messages as f64)) } }
                div { dt { "messages waiting" } dd { (count(status.messages_waiting as f64)) } }
            }
        }
        @if status.unreadable > 0 { p.more { a href=(context.query.bare().href("/response")) { (plural(status.unreadable, "finding", "findings")) " could not be read; the audit says which" } } }
    }
}
