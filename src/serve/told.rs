//! What was done and what was told: audit rows, refusals by reason, Slack messages.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::{
    State, chart,
    gate::Unavailable,
    layout::Context,
    params::include,
    slack,
    strip::{self, Detail},
    text::{count, moment, plural, shown},
    values::Links,
};
use crate::respond::{
    Reason,
    report::{AuditReport, MessageReport, StatusReport},
};

/// A panel's frame around something that may not be readable just now.
pub(super) fn framed<T>(
    id: &str,
    title: &str,
    question: &str,
    width: u8,
    content: &Result<T, Unavailable>,
    draw: impl FnOnce(&T) -> Markup,
) -> Markup {
    html! {
        section.panel.{ "w" (width) } aria-labelledby=(id) {
            header { h2 id=(id) { (title) } p.question { (question) } }
            @match content {
                Ok(content) => (draw(content)),
                Err(error) => div.note role="status" { p { strong { "The ledger cannot be read." } } p { (shown(&error.0)) } },
            }
        }
    }
}

/// The gate with the newest alerts next to it.
pub(super) fn gate_and_alerts(context: &Context<'_>, detail: Detail, alerts: usize) -> Markup {
    let newest = context.state.gate.messages(alerts);
    html! {
        div.grid {
            div.w8 {
                @if let Ok(status) = &context.status { (strip::gate(context.links(), context.now, status, detail)) }
                @else { (framed("gate", "The gate", "", 12, &context.status, |_| html! {})) }
            }
            div.w4.beside { (framed("alerts", "Alerts", "As Slack shows them, the newest first", 12, &newest, |rows| messages(context.now, rows, Channel::of(context.state)))) }
        }
    }
}

/// What to write when there is nothing.
pub(super) fn nothing(why: &str, remedy: &str) -> Markup {
    html! { div.note { p { strong { (why) } } p.dim { (remedy) } } }
}

/// The newest audit rows as a table.
pub(super) fn audit(links: Links<'_>, now: DateTime<Utc>, rows: &[AuditReport], title: &str) -> Markup {
    if rows.is_empty() {
        return nothing(
            "Nothing has happened yet.",
            "Rows appear with the first finding that names a remote address.",
        );
    }
    html! {
        div.scroll tabindex="0" role="region" aria-label=(title) {
            table.rows.audit {
                thead { tr { th { "When" } th { "What" } th { "Address" } th { "Where" } th { "Why" } } }
                tbody {
                    @for row in rows {
                        tr {
                            td { (moment(now, row.at)) }
                            td { span.sw.(event_class(&row.event)) {} (shown(&row.event)) }
                            td { @if let Some(cidr) = row.cidr { a.mono href=(links.address(cidr.addr())) {
                                @if cidr.prefix_len() == cidr.max_prefix_len() { (cidr.addr()) } @else { (cidr) } } } @else { span.dim { "–" } } }
                            td.place {
                                @if let Some(acl) = &row.acl { span.mono { (shown(&acl.acl)) } }
                                @if let Some(direction) = row.direction { " " (direction) }
                                @if let Some(rule) = row.rule { " " b { (rule) } }
                                @if row.acl.is_none() && row.direction.is_none() { span.dim { "–" } }
                            }
                            td.why title=[meaning(&row.reason)] {
                                (shown(&row.reason))
                                @if row.who != "responder" { " " span.dim { "by " (shown(&row.who)) } }
                                @if let Some(finding) = &row.finding {
                                    " " a.sub href=(self::finding(links, finding)) title="Search for this finding" { "finding" }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The documents that name a finding: its versions, and what was done about it.
pub(super) fn finding(links: Links<'_>, id: &str) -> String {
    let bare = links.query.bare();
    let links = Links { query: &bare, ..links };
    links.search(&format!("\"{}\"", id.replace(['"', '\\'], " ")), None)
}

fn event_class(event: &str) -> &'static str {
    match event {
        "applied" => "ev-applied",
        "evicted" | "expired" | "removed" => "ev-gone",
        "refused" => "ev-refused",
        "unblocked" | "allowed" | "paused" | "resumed" => "ev-hand",
        _ => "ev-other",
    }
}

/// What a reason means, for people.
pub(super) fn meaning(word: &str) -> Option<&'static str> {
    Reason::ALL
        .iter()
        .find(|(_, w, _)| *w == word)
        .map(|(_, _, meaning)| meaning.trim())
}

/// Decisions that blocked nothing, by reason, with the meaning of each.
pub(super) fn refusals(links: Links<'_>, status: &StatusReport, most: usize) -> Markup {
    let mut rows: Vec<_> = status.not_blocked.iter().filter(|(_, n)| **n > 0).collect();
    rows.sort_by_key(|(reason, n)| (std::cmp::Reverse(**n), (*reason).clone()));
    if rows.is_empty() {
        return nothing(
            "Nothing was refused.",
            "Every address that a finding named was denied, or no finding came.",
        );
    }
    #[expect(clippy::cast_precision_loss, reason = "counts on a page")]
    let as_number = |n: u64| n as f64;
    let top = rows.first().map_or(0.0, |(_, n)| as_number(**n));
    html! {
        table.bars.reasons {
            thead { tr { th scope="col" { "reason" } th.n scope="col" { "decisions" } } }
            tbody {
                @for (reason, n) in rows.iter().take(most) {
                    tr {
                        td {
                            (chart::bar(as_number(**n), top))
                            span.value {
                                a.main href=(links.query.bare().with(include("portcullis.response.reason", reason)).href("/response")) { (shown(reason)) }
                                @if let Some(meaning) = meaning(reason) { span.dim.why { (meaning) } }
                            }
                        }
                        td.n { (count(as_number(**n))) }
                    }
                }
            }
        }
        @if rows.len() > most { p.more { a href=(links.query.bare().href("/response")) { "All " (rows.len()) " reasons on the Response page" } } }
    }
}

/// Where messages go beside the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channel {
    /// Nowhere, by design.
    Demo,
    /// Nowhere, because no webhook is configured.
    None,
    /// To the configured webhook.
    Slack,
}

impl Channel {
    /// A demo sends nothing, whatever is configured.
    pub(super) fn of(state: &State) -> Self {
        match (state.demo, state.slack) {
            (true, _) => Channel::Demo,
            (false, false) => Channel::None,
            (false, true) => Channel::Slack,
        }
    }
}

/// The newest messages as they appear in Slack, each with what became of it.
pub(super) fn messages(now: DateTime<Utc>, messages: &[MessageReport], channel: Channel) -> Markup {
    if messages.is_empty() {
        return nothing(
            "No message yet.",
            "The first block, eviction or refusal that a person should know writes one.",
        );
    }
    html! {
        ol.messages tabindex="0" {
            @for message in messages {
                li {
                    div.delivery { (moment(now, message.at)) " " (delivery(now, message, channel)) }
                    (slack::message(&message.payload))
                }
            }
        }
    }
}

fn delivery(now: DateTime<Utc>, message: &MessageReport, channel: Channel) -> Markup {
    html! {
        @if channel == Channel::Demo {
            span.state { "shown here; the demo sends nothing" }
        } @else if channel == Channel::None {
            span.state title="Name a Slack webhook in the configuration to send it" { "Slack not configured: shown here only" }
        } @else if let Some(sent) = message.sent {
            span.state.sent { "sent to Slack" } " " (moment(now, sent))
        } @else if let Some(error) = &message.last_error {
            span.state.failed { "failed " (plural(u64::from(message.attempts), "time", "times")) } " " span.dim { (shown(error)) }
        } @else {
            span.state { "waiting" }
        }
    }
}
