//! The gate: each network ACL and direction as a strip of its slots, managed ones in the order in which they will be evicted.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::{
    chart,
    text::{absolute, moment, plural, relative, shown, visible},
    values::{Links, severity_of},
};
use crate::{
    network_acl::{Direction, Entry},
    respond::report::{AclReport, EntryReport, Mode, StatusReport},
};

/// Free slots and foreign entries drawn of one strip; EC2 allows 40 of both together.
const MOST_SPARE: usize = 40;
/// Strips drawn; a page of more is no help.
const MOST_STRIPS: usize = 200;

/// Slots that can still be taken: bound by the limit, and by the quota that foreign entries use as well.
pub(super) fn free(acl: &AclReport) -> usize {
    capacity(acl).saturating_sub(acl.managed.len())
}

/// How many managed entries can stand at all.
fn capacity(acl: &AclReport) -> usize {
    acl.limit.min(acl.quota.saturating_sub(acl.foreign.len()))
}

/// How much of each strip is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    /// One row of slots per strip, empty strips only counted.
    Rows,
    /// Every entry with all that is known of it, every strip.
    Whole,
}

/// All strips, the fullest first.
pub(super) fn gate(links: Links<'_>, now: DateTime<Utc>, status: &StatusReport, detail: Detail) -> Markup {
    let mut acls: Vec<&AclReport> = status.acls.iter().collect();
    acls.sort_by_key(|acl| (std::cmp::Reverse(acl.managed.len()), &acl.key, acl.direction));
    let standing: usize = acls.iter().map(|a| a.managed.len()).sum();
    html! {
        section.gate aria-labelledby="gate" {
            header.section {
                h2 #gate { "The gate" }
                p.question {
                    (plural(standing as u64, "deny entry", "deny entries")) " on " (plural(acls.len() as u64, "strip", "strips"))
                    " (network ACL and direction), in the order in which they go"
                }
            }
            @if acls.is_empty() {
                div.panel.empty { div.note { p { strong { "No network ACL is known yet." } } p.dim { "One appears here with the first finding on one of its subnets." } } }
            }
            @for acl in acls.iter().filter(|acl| !acl.managed.is_empty()).take(MOST_STRIPS) {
                @match detail {
                    Detail::Whole => (strip(links, now, acl, status.mode)),
                    Detail::Rows => (row(links, now, acl)),
                }
            }
            @let empty = acls.iter().filter(|acl| acl.managed.is_empty()).take(MOST_STRIPS).collect::<Vec<_>>();
            @if detail == Detail::Whole {
                @for acl in empty { (line(acl)) }
            } @else if !empty.is_empty() {
                p.more { (plural(empty.len() as u64, "strip stands", "strips stand")) " empty; every entry with its times is on the " a href=(links.query.bare().href("/response")) { "Response page" } }
            }
        }
    }
}

fn strip(links: Links<'_>, now: DateTime<Utc>, acl: &AclReport, mode: Mode) -> Markup {
    html! {
        section.panel.strip aria-label=(format!("{} {}", acl.key.acl, acl.direction)) {
            (heading(acl))
            @if !acl.managed.is_empty() {
                ol.slots aria-label="Managed entries, the next to go first" {
                    @for (place, entry) in acl.managed.iter().enumerate() { (managed(links, now, place, entry, mode)) }
                }
            }
            @if free(acl) + acl.foreign.len() > 0 {
                ul.spare aria-label="Free slots and entries that others made" {
                    @for _ in 0..free(acl).min(MOST_SPARE) { li.free { "free" } }
                    @for entry in acl.foreign.iter().take(MOST_SPARE) { (foreign(entry)) }
                }
            }
        }
    }
}

/// A strip as one row of its slots: rule number and address, the rest when pointed at.
fn row(links: Links<'_>, now: DateTime<Utc>, acl: &AclReport) -> Markup {
    let about = |entry: &EntryReport| {
        let place = [entry.country.as_deref(), entry.organisation.as_deref()];
        let place = place.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let since = format!("since {} UTC", absolute(now, entry.since));
        let words = [
            place,
            entry.finding_type.clone(),
            since,
            plural(entry.hits, "hit", "hits"),
        ];
        let words = words.iter().filter(|part| !part.is_empty()).map(|part| visible(part));
        words.collect::<Vec<_>>().join(" · ")
    };
    html! {
        section.panel.strip.brief.row aria-label=(format!("{} {}", acl.key.acl, acl.direction)) {
            (heading(acl))
            ol.cells aria-label="Managed entries, the next to go first" {
                @for (place, entry) in acl.managed.iter().enumerate() {
                    li.cell.next[place == 0].pending[entry.state != "applied"] {
                        a.mono href=(links.address(entry.cidr.addr())) title=(about(entry)) { (host(entry)) }
                        span.rule {
                            @if let Some(rule) = entry.rule { (rule) } @else { "–" }
                            @if entry.state != "applied" { " " (shown(&entry.state)) } @else if place == 0 { " · next to go" } @else { " · " (relative(now, entry.since)) }
                        }
                    }
                }
            }
        }
    }
}

/// A strip without anything in it.
fn line(acl: &AclReport) -> Markup {
    html! { section.panel.strip.brief aria-label=(format!("{} {}", acl.key.acl, acl.direction)) { (heading(acl)) } }
}

fn heading(acl: &AclReport) -> Markup {
    let (managed, capacity) = (acl.managed.len(), capacity(acl));
    let subnets = acl.subnets.join(", ");
    html! {
        header {
            h3 { span.mono { (shown(&acl.key.acl)) } " " span.tag { @if acl.direction == Direction::Ingress { "↓ ingress" } @else { "↑ egress" } } }
            p.fill {
                (meter(managed, capacity))
                b { (managed) " of " (capacity) }
                span.dim { @if managed >= capacity { " · full" } @else { " · " (free(acl)) " free" } @if !acl.foreign.is_empty() { " · " (acl.foreign.len()) " foreign" } }
            }
            p.where_ {
                @if let Some(vpc) = &acl.vpc { span.mono { (shown(vpc)) } " · " }
                span title=(visible(&subnets)) { (plural(acl.subnets.len() as u64, "subnet", "subnets")) }
                " · " (shown(&acl.key.account)) " · " (shown(&acl.key.region)) " · rules " (acl.range.0) "–" (acl.range.1)
                " · quota " (acl.quota)
            }
        }
    }
}

fn meter(managed: usize, capacity: usize) -> Markup {
    #[expect(clippy::cast_precision_loss, reason = "at most 40 slots")]
    let (managed, capacity) = (managed as f64, capacity as f64);
    html! { span.meter aria-hidden="true" { (chart::bar(managed, capacity)) } }
}

fn managed(links: Links<'_>, now: DateTime<Utc>, place: usize, entry: &EntryReport, mode: Mode) -> Markup {
    let (severity, class) = severity_of(entry.severity);
    let is_next = place == 0;
    let origin = [entry.country.as_deref(), entry.organisation.as_deref()]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" · ");
    html! {
        li.slot.managed.next[is_next] {
            div.head {
                span.rule title="Rule number" { @if let Some(rule) = entry.rule { (rule) } @else { "–" } }
                @if is_next { span.word { "next to go" } } @else { span.order title="Place in the order of eviction" { (place + 1) } }
                @if entry.state != "applied" { span.state { (shown(&entry.state)) } }
                @else if mode == Mode::Shadow { span.state { "shadow" } }
            }
            a.address.mono href=(links.address(entry.cidr.addr())) { (host(entry)) }
            p.origin title=(visible(&origin)) { @if origin.is_empty() { "origin not named" } @else { (shown(&origin)) } }
            p.type_ title=(visible(&entry.finding_type)) {
                @if entry.finding_type.is_empty() { "by hand" } @else {
                    span.sw.(class) {} (severity) " " b { (shown(short(&entry.finding_type))) }
                }
            }
            p.times { (moment(now, entry.since)) }
            p.times {
                (plural(entry.hits, "hit", "hits")) " · "
                @match entry.expires {
                    Some(at) => span title=(relative(now, at)) { "until " (absolute(now, at)) },
                    None => "until evicted",
                }
            }
        }
    }
}

/// The part of a finding type that tells two apart on little room: `SSHBruteForce`.
fn short(finding_type: &str) -> &str {
    finding_type.rsplit_once('/').map_or(finding_type, |(_, family)| family)
}

/// The address alone when the entry is of one address.
pub(super) fn host(entry: &EntryReport) -> String {
    let cidr = entry.cidr;
    if cidr.prefix_len() == cidr.max_prefix_len() {
        cidr.addr().to_string()
    } else {
        cidr.to_string()
    }
}

fn foreign(entry: &Entry) -> Markup {
    html! {
        li.foreign title="Made by others; never touched" {
            b { (entry.rule) } " " span.mono { (entry.cidr) } " "
            @if entry.allow { "allow" } @else { "deny" }
            @if entry.protocol != "-1" { " protocol " (shown(&entry.protocol)) }
            " · foreign"
        }
    }
}
