//! Planning one entry: which rule number, in whose place, or why not. Works on a [`Draft`] and touches nothing else.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use ipnet::IpNet;

use super::audit::{About, Detail, MAX_FINDINGS, RESPONDER, carried};
use super::flood;
use super::policy::{Evict, Policy};
use super::reason::Reason;
use super::report::Mode;
use crate::ledger::draft::Note;
use crate::ledger::{Draft, Error, Event, Facts, Row, State};
use crate::network_acl::{Acl, AclKey, Direction, Entry};

/// Why an entry went: it was the oldest when a newer one needed its place.
pub const EVICTED: &str = "evicted";

/// An entry that somebody wants.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// Where.
    pub acl: &'a AclKey,
    /// Which way.
    pub direction: Direction,
    /// What to deny, canonical.
    pub cidr: IpNet,
    /// The finding or the person's words.
    pub about: &'a About,
    /// `matched` or a person's words.
    pub reason: &'a str,
    /// `responder` or a person.
    pub who: &'a str,
    /// Until then.
    pub expires: Option<DateTime<Utc>>,
    /// New slots that the finding may still take; `None` for a person.
    pub slots_left: Option<usize>,
    /// The present.
    pub now: DateTime<Utc>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is planned; without a number it waits for one.
    Planned {
        /// Rule number.
        rule: Option<u16>,
        /// The address whose entry has to go.
        evicts: Option<IpNet>,
    },
    /// It is not.
    Refused(Reason),
}

/// Where a new entry can stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spot {
    /// At a free number.
    Free(u16),
    /// In the place of the oldest.
    Evict(u16, IpNet),
    /// Nowhere yet: everything that could go is still under way.
    Wait,
    /// Nowhere: everything that stands is of a higher severity, and the policy evicts by severity.
    Outranked,
    /// Nowhere.
    Full,
}

/// Plans one entry, or says why not.
///
/// # Errors
/// [`Error::Illegal`] when the draft does not hold what it should.
pub fn plan(draft: &mut Draft, policy: &Policy, wanted: &Wanted<'_>) -> Result<Outcome, Error> {
    if let Some(reason) = known(draft, policy, wanted)? {
        return Ok(Outcome::Refused(reason));
    }
    flood::count(draft, policy, wanted)?;
    if let Some(reason) = refusal(draft, policy, wanted) {
        return Ok(Outcome::Refused(reason));
    }
    let waiting = draft
        .rows(wanted.acl)
        .iter()
        .any(|row| row.direction == wanted.direction && row.state == State::Planned && row.rule.is_none());
    let newcomer = Newcomer {
        direction: wanted.direction,
        v6: is_v6(wanted.cidr),
        rank: wanted
            .about
            .finding
            .as_ref()
            .map_or(4, |finding| class(finding.severity)),
    };
    let spot = match spot(draft, wanted.acl, &newcomer, policy) {
        Spot::Full => return Ok(Outcome::Refused(Reason::AclFull)),
        Spot::Outranked => return Ok(Outcome::Refused(Reason::Outranked)),
        _ if waiting => Spot::Wait,
        spot => spot,
    };
    let evicts = matches!(spot, Spot::Evict(..) | Spot::Wait);
    if evicts && wanted.slots_left.is_some() && evictions(draft, wanted) >= policy.limits.evictions_per_hour as usize {
        return Ok(Outcome::Refused(Reason::EvictionRate));
    }
    if policy.mode == Mode::Shadow {
        return Ok(Outcome::Refused(Reason::Shadow));
    }
    enter(draft, policy, wanted, spot, evicts)
}

/// What matters of an entry that looks for a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Newcomer {
    /// Which way.
    pub direction: Direction,
    /// Whether it is an IPv6 prefix: the quota may be counted per address family.
    pub v6: bool,
    /// Its rank: 0 (Low) to 3 (Critical), and 4 for a person's.
    pub rank: u8,
}

impl Newcomer {
    /// That of an entry.
    #[must_use]
    pub fn of(row: &Row) -> Self {
        Self {
            direction: row.direction,
            v6: is_v6(row.cidr),
            rank: rank(row),
        }
    }
}

fn is_v6(net: IpNet) -> bool {
    matches!(net, IpNet::V6(_))
}

/// 0 (Low) to 3 (Critical) by severity; a person's word outranks every finding.
fn rank(row: &Row) -> u8 {
    if row.who == RESPONDER { class(row.severity) } else { 4 }
}

fn class(severity: f64) -> u8 {
    match severity {
        s if s >= 9.0 => 3,
        s if s >= 7.0 => 2,
        s if s >= 4.0 => 1,
        _ => 0,
    }
}

/// The lowest free number within the limits, else the place of the one that the policy lets go.
#[must_use]
pub fn spot(draft: &Draft, acl: &AclKey, newcomer: &Newcomer, policy: &Policy) -> Spot {
    let (direction, limits) = (newcomer.direction, &policy.limits);
    let live = || {
        draft
            .rows(acl)
            .iter()
            .filter(|row| row.direction == direction && row.state.is_live())
    };
    let facts = draft.meta(acl).and_then(|meta| meta.facts.as_ref());
    let foreign: Vec<&Entry> = facts.map_or_else(Vec::new, |facts| {
        let entries = facts.foreign.iter().filter(|entry| entry.direction == direction);
        entries.collect()
    });
    let quota = facts.map_or(usize::MAX, |facts| facts.quota);
    let theirs = foreign.iter().filter(|entry| is_v6(entry.cidr) == newcomer.v6).count();
    let numbers = |of: &dyn Fn(&Row) -> bool| {
        let held: BTreeSet<u16> = live().filter(|row| of(row)).filter_map(|row| row.rule).collect();
        held
    };
    let held = numbers(&|_| true);
    let of_family = numbers(&|row| is_v6(row.cidr) == newcomer.v6).len();
    if held.len() < limits.entries_per_direction && of_family + theirs < quota {
        let taken = |rule: &u16| held.contains(rule) || foreign.iter().any(|entry| entry.rule == *rule);
        if let Some(rule) = (limits.first_rule..=limits.last_rule).find(|rule| !taken(rule)) {
            return Spot::Free(rule);
        }
    }
    let standing = || live().filter(|row| row.state == State::Applied && row.removal.is_none());
    let may_go = || standing().filter(|row| !row.pinned || planted!(EvictPinned));
    let goes = match policy.evict {
        Evict::Oldest if planted!(EvictNewest) => may_go().max_by_key(|row| row.seq),
        Evict::Oldest => may_go().min_by_key(|row| row.seq),
        Evict::Severity => may_go()
            .filter(|row| rank(row) <= newcomer.rank)
            .min_by_key(|row| (rank(row), row.seq)),
    };
    match goes {
        Some(Row {
            rule: Some(rule), cidr, ..
        }) => Spot::Evict(*rule, *cidr),
        // What is under way may yet leave a place, or become one that may go.
        _ if live().any(|row| row.rule.is_some() && (row.state != State::Applied || row.removal.is_some())) => {
            Spot::Wait
        }
        _ if may_go().next().is_some() => Spot::Outranked,
        _ => Spot::Full,
    }
}

/// Gives a planned entry its place: the victim, if there is one, begins to go.
///
/// # Errors
/// [`Error::Illegal`] when the victim is not what it should be.
pub fn take(draft: &mut Draft, row: &mut Row, spot: Spot, now: DateTime<Utc>) -> Result<(), Error> {
    match spot {
        Spot::Free(rule) => {
            row.rule = Some(rule);
            row.replaces = None;
        }
        Spot::Evict(rule, cidr) => {
            if let Some(mut victim) = draft.row(&row.acl, row.direction, cidr).cloned() {
                victim.state = State::Evicting;
                let about = About::of_row(&victim);
                let note = Note {
                    at: now,
                    reason: EVICTED,
                    finding: about.finding_id(),
                    who: RESPONDER,
                    about: carried(&about.detail()),
                };
                draft.transition(victim, Event::Evicting, note)?;
            }
            row.rule = Some(rule);
            row.replaces = Some(cidr);
        }
        Spot::Wait | Spot::Full | Spot::Outranked => {
            row.rule = None;
            row.replaces = None;
        }
    }
    Ok(())
}

/// What limits planning, out of a description: everything that is not the ledger's is foreign.
#[must_use]
pub fn facts(acl: &Acl, rows: &[Row], now: DateTime<Utc>) -> Facts {
    let ours = |entry: &Entry| {
        rows.iter()
            .any(|row| row.state.is_live() && row.entry().as_ref() == Some(entry))
    };
    Facts {
        at: now,
        vpc: acl.vpc.clone(),
        is_default: acl.is_default,
        subnets: acl.subnets.clone(),
        quota: acl.quota,
        managed_by: acl.managed_by.clone(),
        foreign: acl.entries.iter().filter(|entry| !ours(entry)).cloned().collect(),
    }
}

/// As [`facts`], but a quota that EC2 itself taught us is not forgotten so soon.
pub(super) fn learned(draft: &Draft, acl: &AclKey, described: &Acl, at: DateTime<Utc>) -> Facts {
    let mut facts = facts(described, draft.rows(acl), at);
    if let Some(known) = draft.meta(acl).and_then(|meta| meta.facts.as_ref()) {
        facts.quota = facts.quota.min(known.quota);
    }
    facts
}

/// An address that has an entry, or had one, and what that says about a new one.
fn known(draft: &mut Draft, policy: &Policy, wanted: &Wanted<'_>) -> Result<Option<Reason>, Error> {
    let covering = draft
        .rows(wanted.acl)
        .iter()
        .filter(|row| row.direction == wanted.direction && covers(row, wanted))
        .max_by_key(|row| row.cidr.prefix_len());
    if let Some(row) = covering.cloned() {
        if row.removal.is_some() {
            return Ok(Some(Reason::HeldOff));
        }
        // A person who asks for less than what stands does not change it.
        if wanted.slots_left.is_some() || row.cidr == wanted.cidr {
            draft.edit(seen_again(row, policy, wanted))?;
        }
        return Ok(Some(Reason::AlreadyBlocked));
    }
    let Some(row) = draft.row(wanted.acl, wanted.direction, wanted.cidr) else {
        return Ok(None);
    };
    let seen = wanted.about.finding.as_ref().map(|finding| finding.last_seen);
    Ok(match row.state {
        State::Evicting => Some(Reason::EvictedBefore),
        State::Expiring => Some(Reason::HeldOff),
        State::Removed if row.because.as_deref() == Some(EVICTED) => row
            .gone_at
            .zip(seen)
            .filter(|(gone, seen)| seen <= gone)
            .map(|_| Reason::EvictedBefore),
        _ => None,
    })
}

/// Whether an entry denies all that is wanted: for a person, as long as that person wants it.
fn covers(row: &Row, wanted: &Wanted<'_>) -> bool {
    let long_enough = || match (row.expires, wanted.expires) {
        (None, _) => true,
        (Some(end), Some(asked)) => end >= asked,
        (Some(_), None) => false,
    };
    matches!(row.state, State::Planned | State::Applied)
        && row.cidr.contains(&wanted.cidr)
        && (wanted.slots_left.is_some() || row.cidr == wanted.cidr || long_enough())
}

fn refusal(draft: &Draft, policy: &Policy, wanted: &Wanted<'_>) -> Option<Reason> {
    let by_finding = wanted.slots_left.is_some();
    if by_finding && draft.lists().paused(wanted.now).is_some() {
        return Some(Reason::Paused);
    }
    let held = draft.lists().holds.iter().any(|hold| {
        hold.until > wanted.now
            && hold.acl.as_ref().is_none_or(|acl| acl == wanted.acl)
            && (hold.cidr.contains(&wanted.cidr) || wanted.cidr.contains(&hold.cidr))
    });
    if by_finding && held && !planted!(NoHoldOff) {
        return Some(Reason::HeldOff);
    }
    if !policy.accounts.is_empty() && !policy.accounts.contains(&wanted.acl.account) {
        return Some(Reason::AccountNotEnforced);
    }
    let meta = draft.meta(wanted.acl);
    let facts = meta.and_then(|meta| meta.facts.as_ref());
    let stopped = meta.is_some_and(|meta| meta.stopped.is_some());
    if stopped || facts.is_some_and(|facts| facts.managed_by.is_some()) {
        return Some(Reason::ManagedElsewhere);
    }
    if facts.is_some_and(|facts| facts.is_default) && !policy.limits.default_acl {
        return Some(Reason::DefaultAcl);
    }
    if facts.is_some_and(|facts| facts.subnets.len() > policy.limits.shared_subnets) {
        return Some(Reason::SharedAcl);
    }
    (wanted.slots_left == Some(0)).then_some(Reason::FindingSlots)
}

fn evictions(draft: &Draft, wanted: &Wanted<'_>) -> usize {
    let since = wanted.now - TimeDelta::hours(1);
    draft
        .meta(wanted.acl)
        .map_or(0, |meta| meta.evictions.iter().filter(|at| **at > since).count())
}

fn enter(draft: &mut Draft, policy: &Policy, wanted: &Wanted<'_>, spot: Spot, evicts: bool) -> Result<Outcome, Error> {
    let seq = draft.next_seq(wanted.acl)?;
    let fresh = Row {
        acl: wanted.acl.clone(),
        direction: wanted.direction,
        cidr: wanted.cidr,
        state: State::Planned,
        rule: None,
        replaces: None,
        seq,
        since: wanted.now,
        planned_at: wanted.now,
        last_seen: DateTime::<Utc>::MIN_UTC,
        hits: 0,
        expires: None,
        findings: Vec::new(),
        severity: 0.0,
        removal: None,
        gone_at: None,
        because: None,
        who: wanted.who.to_owned(),
        pinned: false,
        held: Vec::new(),
        doubt: None,
        repaired: None,
        allowed_at: None,
        about: carried(wanted.about).into(),
    };
    let former = draft.row(wanted.acl, wanted.direction, wanted.cidr);
    let severity = wanted.about.finding.as_ref().map_or(0.0, |finding| finding.severity);
    let mut row = seen_again(
        Row {
            hits: former.map_or(0, |row| row.hits),
            findings: former.map_or_else(Vec::new, |row| row.findings.clone()),
            severity: former.map_or(0.0, |row| row.severity),
            last_seen: former.map_or(fresh.last_seen, |row| row.last_seen),
            held: former.map_or_else(Vec::new, |row| row.held.clone()),
            expires: policy.expiry.of(severity, wanted.now),
            ..fresh
        },
        policy,
        wanted,
    );
    take(draft, &mut row, spot, wanted.now)?;
    if evicts {
        let since = wanted.now - TimeDelta::hours(1);
        draft.edit_meta(wanted.acl, |meta| {
            meta.evictions.retain(|at| *at > since);
            meta.evictions.push(wanted.now);
        })?;
    }
    let outcome = Outcome::Planned {
        rule: row.rule,
        evicts: row.replaces,
    };
    let note = Note {
        at: wanted.now,
        reason: wanted.reason,
        finding: wanted.about.finding_id(),
        who: wanted.who,
        about: carried(&Detail {
            evicted: row.replaces,
            ..wanted.about.detail()
        }),
    };
    draft.transition(row, Event::Planned, note)?;
    Ok(outcome)
}

/// One more hit; nothing that an entry remembers moves back in time.
fn seen_again(mut row: Row, policy: &Policy, wanted: &Wanted<'_>) -> Row {
    match &wanted.about.finding {
        Some(finding) => {
            row.hits += 1;
            if finding.last_seen >= row.last_seen {
                row.last_seen = finding.last_seen;
                row.about = carried(wanted.about).into();
            }
            row.severity = row.severity.max(finding.severity);
            row.findings.retain(|id| *id != finding.id);
            row.findings.push(finding.id.clone());
            let surplus = row.findings.len().saturating_sub(MAX_FINDINGS);
            row.findings.drain(..surplus);
            // What a person set, and what has no end, stays as it is.
            if policy.expiry.renew && row.who == RESPONDER {
                let renewed = policy.expiry.of(finding.severity, wanted.now);
                row.expires = row.expires.map(|end| renewed.map_or(end, |renewed| end.max(renewed)));
            }
        }
        // A person's word stands until the person's time, whoever blocked first.
        None => {
            row.expires = wanted.expires;
            row.last_seen = row.last_seen.max(wanted.now);
        }
    }
    row
}

#[cfg(test)]
mod tests;
