//! Checks that ledger and network ACLs agree: the invariants that hold at any instant, and those that hold when quiet.
//!
//! The tests call this after every fault, and the demo on itself. Each finding starts with the invariant's number:
//!
//! | | |
//! |---|---|
//! | 1 | never more than the limit of managed entries per network ACL and direction, and all numbers within the range |
//! | 2 | when quiet, each managed deny is exactly one applied entry of the ledger, with the same address |
//! | 3 | no address twice per direction |
//! | 5 | every planned address is applied, pending, or gone with a reason |
//! | 6 | whoever was evicted was the oldest that was not pinned, where the policy says so |
//! | 8 | no guarded address |
//! | 9 | each transition has one audit row; each blocked address stands in an alert |

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::error::Error;
use super::guard;
use super::known::Known;
use super::policy::{Evict, Policy};
use crate::ledger::{Ask, AuditRow, Event, Filter, Ledger, Row, State};
use crate::network_acl::{Acl, AclKey, Code, Direction, Entry, NetworkAcls};

/// Rows that are read of audit and outbox at once.
const PAGE: usize = 1000;

/// Everything that is wrong, in words; empty when nothing is. When work is pending, what holds only when quiet is left out.
///
/// # Errors
/// When the ledger or the network ACLs cannot be read.
pub async fn verify<L: Ledger, N: NetworkAcls>(ledger: &L, acls: &N, policy: &Policy) -> Result<Vec<String>, Error> {
    let rows = ledger.entries(Filter::All).await?;
    let mut audit = Vec::new();
    loop {
        let after = audit.last().map_or(0, |row: &AuditRow| row.number);
        let page = ledger.audit(after, PAGE).await?;
        if page.is_empty() {
            break;
        }
        audit.extend(page);
    }
    let mut wrong = Vec::new();
    for key in ledger.acls().await? {
        let acl = match acls.describe(&key).await {
            Err(error) if error.code == Code::AclNotFound => Acl::default(),
            described => described?,
        };
        let rows: Vec<&Row> = rows.iter().filter(|row| row.acl == key).collect();
        for direction in [Direction::Ingress, Direction::Egress] {
            let rows: Vec<&Row> = rows.iter().filter(|row| row.direction == direction).copied().collect();
            standing(&mut wrong, policy, &key, &acl, direction, &rows);
        }
    }
    let lists = ledger.read(Ask::default()).await?.lists;
    let knowledge = Known::of(policy).now(acls, &lists).await;
    // The present of a ledger is the time of what it did last.
    let now = audit.last().map(|row| row.at).unwrap_or_default();
    for row in rows
        .iter()
        .filter(|row| row.state == State::Applied && row.removal.is_none())
    {
        if let Some(reason) = guard::check(row.cidr, &knowledge, now) {
            wrong.push(format!("8: {} is denied though it is guarded: {reason}", row.cidr));
        }
    }
    history(&mut wrong, policy, &rows, &audit);
    alerts(&mut wrong, ledger, &audit).await?;
    Ok(wrong)
}

/// Invariants 1, 2, 3 and 5 on one network ACL and direction.
fn standing(wrong: &mut Vec<String>, policy: &Policy, key: &AclKey, acl: &Acl, direction: Direction, rows: &[&Row]) {
    let place = format!("{} {direction}", key.acl);
    let limits = &policy.limits;
    let range = limits.first_rule..=limits.last_rule;
    let held: BTreeSet<u16> = rows
        .iter()
        .filter(|row| row.state.is_live())
        .filter_map(|row| row.rule)
        .collect();
    if held.len() > limits.entries_per_direction {
        wrong.push(format!(
            "1: {place} holds {} rule numbers, the limit is {}",
            held.len(),
            limits.entries_per_direction
        ));
    }
    let is_ours = |entry: &&Entry| {
        entry.direction == direction
            && rows
                .iter()
                .any(|row| row.state.is_live() && row.entry().as_ref() == Some(*entry))
    };
    let ours: Vec<&Entry> = acl.entries.iter().filter(is_ours).collect();
    if ours.len() > limits.entries_per_direction {
        wrong.push(format!(
            "1: {place} has {} managed entries, the limit is {}",
            ours.len(),
            limits.entries_per_direction
        ));
    }
    for entry in ours.iter().filter(|entry| !range.contains(&entry.rule)) {
        wrong.push(format!("1: {place} rule {} is outside the range", entry.rule));
    }
    let mut seen = BTreeSet::new();
    for row in rows.iter().filter(|row| row.state.is_live()) {
        if !seen.insert(row.cidr) {
            wrong.push(format!("3: {place} has {} twice", row.cidr));
        }
    }
    for row in rows {
        let gone = matches!(row.state, State::Removed | State::Foreign | State::Rejected);
        if gone && (row.because.is_none() || row.gone_at.is_none() || row.rule.is_some()) {
            wrong.push(format!(
                "5: {place} {} is {} without a reason",
                row.cidr,
                row.state.name()
            ));
        }
    }
    if rows.iter().any(|row| row.state.is_pending()) {
        return;
    }
    for row in rows.iter().filter(|row| row.state == State::Applied) {
        if !acl.entries.iter().any(|entry| row.entry().as_ref() == Some(entry)) {
            wrong.push(format!(
                "2: {place} {} is applied at {:?} and does not stand there",
                row.cidr, row.rule
            ));
        }
    }
    for entry in &acl.entries {
        let planned_once = rows.iter().any(|row| row.cidr == entry.cidr);
        let stray = entry.direction == direction && !entry.allow && range.contains(&entry.rule) && planned_once;
        if stray && !is_ours(&entry) {
            wrong.push(format!(
                "2: {place} rule {} denies {}, which no entry of the ledger says",
                entry.rule, entry.cidr
            ));
        }
    }
}

/// Invariants 6 and 9 over the audit: the transitions, replayed, lead to the states that the ledger has. Severities are not in
/// the audit, so that the oldest went first is checked where the policy says so.
fn history(wrong: &mut Vec<String>, policy: &Policy, rows: &[Row], audit: &[AuditRow]) {
    type Key<'a> = (&'a AclKey, Direction, IpNet);
    let mut states: BTreeMap<Key<'_>, (State, u64)> = BTreeMap::new();
    let mut pinned: BTreeSet<Key<'_>> = BTreeSet::new();
    for row in audit {
        let (Some(acl), Some(direction), Some(cidr)) = (&row.acl, row.direction, row.cidr) else {
            continue;
        };
        let key = (acl, direction, cidr);
        match row.event {
            Event::Pinned => drop(pinned.insert(key)),
            Event::Unpinned | Event::Planned | Event::Adopted => drop(pinned.remove(&key)),
            _ => {}
        }
        let Some(to) = leads_to(row.event) else { continue };
        let from = states.get(&key).map(|(state, _)| *state);
        if !crate::ledger::state::is_legal(from, to, row.event) {
            wrong.push(format!(
                "9: audit {}: {} of {cidr} from {from:?}",
                row.number,
                row.event.word()
            ));
        }
        if row.event == Event::Evicting {
            let age = states.get(&key).map(|(_, planned)| *planned);
            let older = states.iter().find(|((a, d, c), (state, planned))| {
                let same_gate = *a == acl && *d == direction;
                let may_go = *state == State::Applied && !pinned.contains(&(*a, *d, *c));
                same_gate && may_go && Some(*planned) < age
            });
            let older = older.filter(|_| policy.evict == Evict::Oldest);
            if let Some(((_, _, older), _)) = older {
                wrong.push(format!(
                    "6: audit {}: {cidr} was evicted though {older} is older",
                    row.number
                ));
            }
        }
        let planned = match (row.event, states.get(&key)) {
            (Event::Planned | Event::Adopted, _) | (_, None) => row.number,
            (_, Some((_, planned))) => *planned,
        };
        states.insert(key, (to, planned));
    }
    for row in rows {
        let replayed = states
            .get(&(&row.acl, row.direction, row.cidr))
            .map(|(state, _)| *state);
        if replayed != Some(row.state) {
            wrong.push(format!(
                "9: {} is {} and the audit leads to {replayed:?}",
                row.cidr,
                row.state.name()
            ));
        }
    }
    if states.len() != rows.len() {
        wrong.push(format!(
            "5: the audit names {} entries, the ledger has {}",
            states.len(),
            rows.len()
        ));
    }
}

fn leads_to(event: Event) -> Option<State> {
    Some(match event {
        Event::Planned => State::Planned,
        Event::Applied | Event::Adopted | Event::Kept => State::Applied,
        Event::Evicting => State::Evicting,
        Event::Expiring => State::Expiring,
        Event::Evicted | Event::Expired | Event::Unblocked | Event::Removed => State::Removed,
        Event::Rejected => State::Rejected,
        Event::Foreign => State::Foreign,
        _ => return None,
    })
}

/// Invariant 9: each blocked address stands in at least one message, or in an alert that becomes one.
async fn alerts<L: Ledger>(wrong: &mut Vec<String>, ledger: &L, audit: &[AuditRow]) -> Result<(), Error> {
    let mut told: BTreeSet<IpNet> = BTreeSet::new();
    let messages = ledger.messages(usize::MAX).await?;
    told.extend(messages.iter().flat_map(|message| message.addresses.iter().copied()));
    let waiting = ledger.alerts_waiting(usize::MAX).await?;
    told.extend(waiting.iter().filter_map(|alert| alert.address));
    let blocked = audit.iter().filter(|row| row.event == Event::Applied);
    for cidr in blocked.filter_map(|row| row.cidr).collect::<BTreeSet<_>>() {
        if !told.contains(&cidr) {
            wrong.push(format!("9: {cidr} was blocked and nobody was told"));
        }
    }
    Ok(())
}
