//! The Response page: the whole gate, the alerts as they appear in Slack, the audit, the refusals, the panels.

use maud::{Markup, html};

use crate::serve::{
    error::PageError,
    layout::{Context, Page},
    panel::{Easel, grid},
    strip::Detail,
    text::{count, number},
    told::{self, Channel},
};
use crate::{dashboards::data::Unit, respond::report::StatusReport};

/// The parts of the page, for the links at its top.
const PARTS: &[(&str, &str)] = &[
    ("gate", "The gate"),
    ("alerts", "Alerts"),
    ("audit", "Audit"),
    ("refusals", "Not blocked"),
    ("panels", "Panels"),
];
const MESSAGES: usize = 20;
const AUDIT_ROWS: usize = 40;

/// Draws the page.
pub(crate) fn page(context: &Context<'_>) -> Result<Page, PageError> {
    let links = context.links();
    let audit = context.state.gate.audit(AUDIT_ROWS, None);
    let panels = context
        .state
        .views
        .panels("response", &context.query.scope(context.now, None));
    let easel = Easel {
        links,
        now: context.now,
        page: "response",
    };
    Ok(Page {
        title: "Response".to_owned(),
        lead: html! { "What stands on the network ACLs, what goes next, what was told" },
        ranged: true,
        body: html! {
            @if let Ok(status) = &context.status { (figures(status, Channel::of(context.state))) }
            nav.tabs aria-label="On this page" {
                ul { @for (id, title) in PARTS { li { a href={ "#" (id) } { (title) } } } }
            }
            (told::gate_and_alerts(context, Detail::Whole, MESSAGES))
            div.grid {
                (told::framed("audit", "Audit", "Every transition, refusal and manual act, newest first", 8, &audit, |rows| {
                    told::audit(links, context.now, rows, "Audit")
                }))
                (told::framed("refusals", "Not blocked, and why", "Decisions since the ledger began", 4, &context.status, |status| {
                    told::refusals(links, status, usize::MAX)
                }))
            }
            div #panels { (grid(easel, &panels)) }
        },
    })
}

/// The ledger's own totals in one line.
fn figures(status: &StatusReport, channel: Channel) -> Markup {
    #[expect(clippy::cast_precision_loss, reason = "counts on a page")]
    let figure = |name: &str, n: u64| html! { div { dt { (name) } dd { (count(n as f64)) } } };
    #[expect(clippy::cast_precision_loss, reason = "an age on a page")]
    let age = number(status.pending_age_seconds as f64, Unit::Seconds);
    html! {
        dl.figures aria-label="Totals since the ledger began" {
            (figure("standing", status.applied))
            (figure("pending", status.pending))
            @if status.pending > 0 { div { dt { "oldest pending" } dd { (age) } } }
            (figure("blocked", status.blocked))
            (figure("evicted", status.evicted))
            (figure("expired", status.expired))
            (figure("findings read", status.findings))
            (figure("unreadable", status.unreadable))
            (figure("alerts", status.alerts))
            @if channel == Channel::Slack {
                (figure("messages sent", status.messages))
                (figure("waiting", status.messages_waiting))
            }
        }
    }
}
