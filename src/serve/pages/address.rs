//! One address across all sources: where it stands on the gate, what was decided about it, what it did.

use std::net::IpAddr;

use maud::{Markup, html};

use super::{forms, search::hits};
use crate::respond::report::EntryReport;
use crate::serve::{
    access::Visitor,
    error::PageError,
    layout::{Context, Page},
    panel::{Easel, grid},
    text::{absolute, moment, plural, shown},
    told,
    values::severity,
};

const AUDIT_ROWS: usize = 30;
const DOCUMENTS: usize = 12;

/// Draws the page of one address.
pub(crate) fn page(context: &Context<'_>, address: IpAddr, visitor: &Visitor) -> Result<Page, PageError> {
    let links = context.links();
    let gate = &context.state.gate;
    let (entries, audit) = (gate.entries_of(address), gate.audit(AUDIT_ROWS, Some(address)));
    let scope = context.query.scope(context.now, Some(address));
    let panels = context.state.views.panels("address", &scope);
    let found = context.state.views.search(&scope, 0, DOCUMENTS)?;
    let spared = gate.allowances(address);
    let easel = Easel {
        links,
        now: context.now,
        page: "address",
    };
    let known = entries.as_deref().unwrap_or_default();
    Ok(Page {
        title: address.to_string(),
        lead: origin(known),
        ranged: true,
        body: html! {
            @if let Some(done) = context.done { (forms::done(done, known)) }
            div.grid {
                (told::framed("standing", "On the gate", "Entries it has or had", 8, &entries, |entries| entry_table(context, entries)))
                section.panel.w4 aria-labelledby="by-hand" {
                    @if context.state.acts {
                        header { h2 #by-hand { "By hand" } p.question { "Kept in the audit, with your reason" } }
                        (forms::draw(context, address, visitor, known, &spared))
                    } @else {
                        header { h2 #by-hand { "By hand" } p.question { "On the machine that runs Portcullis" } }
                        (forms::spared(context, &spared))
                        (commands(address))
                    }
                }
            }
            (grid(easel, &panels))
            div.grid {
                (told::framed("audit", "Decisions and transitions", "Newest first", 12, &audit, |rows| told::audit(links, context.now, rows, "Decisions")))
                section.panel.w12 aria-labelledby="events" {
                    header { h2 #events { "Events" } p.question { (plural(found.total, "document names", "documents name")) " it in this range" } }
                    (hits(context, &found.hits))
                }
            }
        },
    })
}

fn origin(entries: &[EntryReport]) -> Markup {
    let newest = entries.first();
    let parts: Vec<&str> = newest
        .into_iter()
        .flat_map(|e| [e.country.as_deref(), e.organisation.as_deref()])
        .flatten()
        .collect();
    let standing = entries.iter().filter(|e| e.state == "applied").count();
    html! {
        @if !parts.is_empty() { (shown(&parts.join(" · "))) " · " }
        @if standing > 0 { strong { "denied now" } " by " (plural(standing as u64, "entry", "entries")) } @else { "not denied now" }
    }
}

fn entry_table(context: &Context<'_>, entries: &[EntryReport]) -> Markup {
    if entries.is_empty() {
        return told::nothing(
            "It has never been on the gate.",
            "The decisions below, if any, say why.",
        );
    }
    html! {
        div.scroll tabindex="0" role="region" aria-label="Entries" {
            table.rows.audit {
                thead { tr { th { "State" } th { "Network ACL" } th.n { "Rule" } th { "Since" } th { "Until" } th.n { "Hits" } th { "Newest finding" } } }
                tbody {
                    @for entry in entries {
                        tr {
                            td {
                                b { (shown(&entry.state)) }
                                @if let Some(why) = &entry.removed_because { " " span.dim { (shown(why)) } }
                                @if let Some(order) = entry.eviction_order { " " span.dim { @if order == 1 { "next to go" } @else { "goes " (order) ". " } } }
                            }
                            td { span.mono { (shown(&entry.nacl)) } " " (entry.direction) }
                            td.n { @if let Some(rule) = entry.rule { (rule) } @else { "–" } }
                            td { (moment(context.now, entry.since)) }
                            td { @if let Some(at) = entry.expires { (absolute(context.now, at)) } @else { "evicted" } }
                            td.n { (entry.hits) }
                            td.why {
                                @if entry.finding_type.is_empty() { "by hand" } @else {
                                    (severity(entry.severity)) " " (context.links().value("aws.guardduty.type", &entry.finding_type))
                                    @if let Some(finding) = entry.findings.last() { " " a.sub href=(told::finding(context.links(), finding)) { "the finding" } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Where the pages only read, a person acts on the command line.
fn commands(address: IpAddr) -> Markup {
    html! {
        dl.commands {
            dt { "Deny it" } dd { code { "portcullis block " (address) " --reason …" } }
            dt { "Let it through again" } dd { code { "portcullis unblock " (address) " --reason …" } }
            dt { "Never deny it" } dd { code { "portcullis allow add " (address) " --reason …" } }
        }
    }
}
