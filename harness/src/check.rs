//! The invariants: at every effect, at every commit, and once everything is quiet.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use ipnet::IpNet;
use portcullis::ledger::{Event, Row, State as RowState, Transaction};
use portcullis::network_acl::{AclKey, CALL, Direction, Entry};
use portcullis::respond::audit::RESPONDER;
use portcullis::respond::confirm::CHANGED;
use portcullis::respond::policy::Evict;

use crate::ec2::{Author, Call, Standing};
use crate::executor::{Millis, time};
use crate::stores::{Stores, overlap};
use crate::world::{State, World, acls};

/// A responder that was shown the past, and acted right after, could not know what somebody did since: that much of a window
/// there is between looking and acting.
const WINDOW: Millis = 30_000;

/// An act of a person counts for whatever begins this much later; what was on its way may still end.
const SETTLED: Millis = 45_000;

/// Invariant 1: no call starts without a lease that outlasts it.
pub fn on_start(state: &mut State, who: &Stores, key: &AclKey, now: Millis) {
    if state.disturbed.contains(key) {
        return;
    }
    let lease = state.ledger.metas.get(key).and_then(|meta| meta.lease.clone());
    let sound = lease
        .as_ref()
        .is_some_and(|lease| lease.owner == who.owner && lease.until - time(now) >= CALL);
    if !sound {
        state.wrong(
            now,
            format!("1: {} calls without a lease that outlasts it: {lease:?}", who.owner),
        );
    }
}

/// Invariant 4, and the gap that an eviction must not leave.
pub fn before_effect(
    state: &mut State,
    world: &World,
    key: &AclKey,
    call: &Call,
    now: Millis,
    seen: Option<(Millis, Millis)>,
) {
    let (direction, rule) = call.place();
    let standing = state.ec2.at(key, (direction, rule)).cloned();
    if matches!(call, Call::Create(_)) {
        return;
    }
    if let Some(Standing {
        author: Author::Person,
        since,
        entry,
    }) = &standing
    {
        state.theirs.remove(&(key.clone(), direction, rule));
        // A call that came late was sent before anybody could know.
        let knew = seen.is_some_and(|(shown, asked)| shown >= *since || now - asked > WINDOW);
        if knew {
            state.wrong(
                now,
                format!("4: {call:?} overwrites {entry:?}, which stood since {since} and was shown"),
            );
        } else {
            state.slipped += 1;
        }
    }
    if let Call::Delete(..) = call {
        let evicting = state.ledger.rows.values().any(|row| {
            row.acl == *key && row.direction == direction && row.rule == Some(rule) && row.state == RowState::Evicting
        });
        if evicting && !state.disturbed.contains(key) {
            state.wrong(
                now,
                format!("6: eviction at {} {direction} {rule} leaves a gap", key.acl),
            );
        }
    }
    let _ = world;
}

/// Invariants 1, 3 and 8 at any instant, and that a pause holds.
pub fn after_effect(state: &mut State, world: &World, key: &AclKey, call: &Call, now: Millis) {
    let Some(acl) = state.ec2.acls.get(key) else { return };
    let (direction, _) = call.place();
    let ours: Vec<&Entry> = acl
        .entries
        .values()
        .filter(|standing| standing.author == Author::Responder && standing.entry.direction == direction)
        .map(|standing| &standing.entry)
        .collect();
    let mut wrong = Vec::new();
    let limit = world.policy.limits.entries_per_direction;
    if !state.disturbed.contains(key) {
        if ours.len() > limit {
            wrong.push(format!(
                "1: {} {direction} has {} managed entries: {ours:?}",
                key.acl,
                ours.len()
            ));
        }
        let addresses: BTreeSet<IpNet> = ours.iter().map(|entry| entry.cidr).collect();
        if addresses.len() < ours.len() {
            wrong.push(format!("3: {} {direction} has an address twice: {ours:?}", key.acl));
        }
    }
    if let Call::Create(entry) | Call::Replace(entry) = call {
        let guarded = ["10.0.0.0/8", "52.16.10.20/32"].map(|net| net.parse::<IpNet>().expect("a network"));
        if guarded.iter().any(|net| overlap(*net, entry.cidr)) {
            wrong.push(format!("8: {} is guarded and was denied", entry.cidr));
        }
        let since = time(now - SETTLED);
        let paused = state.ledger.lists.paused(since).is_some_and(|pause| pause.at <= since);
        // By some clock it may be over already.
        let still = state.ledger.lists.paused(time(now + 5_000)).is_some();
        let row = state.ledger.rows.get(&(key.clone(), entry.direction, entry.cidr));
        let planned = row.is_some_and(|row| row.who == RESPONDER && row.state == RowState::Planned);
        if paused && still && planned && !state.disturbed.contains(key) {
            wrong.push(format!("5: {} was denied during a pause", entry.cidr));
        }
    }
    for what in wrong {
        state.wrong(now, what);
    }
}

/// What was before a commit, as far as the checks need it.
pub struct Before {
    rows: Vec<Row>,
}

/// Looks before a commit.
#[must_use]
pub fn before_commit(state: &State, transaction: &Transaction) -> Before {
    let evicts = transaction.audit.iter().any(|row| row.event == Event::Evicting);
    let rows = if evicts {
        state.ledger.rows.values().cloned().collect()
    } else {
        Vec::new()
    };
    Before { rows }
}

/// Invariant 6 with pins and severities, hold-offs, and that an allowance takes denies away in the same transaction.
pub fn after_commit(state: &mut State, world: &World, transaction: &Transaction, before: &Before, now: Millis) {
    let mut wrong = Vec::new();
    let mut stood = before.rows.clone();
    // What the same transaction learnt of an entry counts for who goes.
    for row in &mut stood {
        let learnt = transaction
            .rows
            .iter()
            .filter(|new| new.cidr == row.cidr && new.acl == row.acl);
        for new in learnt.filter(|new| new.direction == row.direction && new.state != RowState::Planned) {
            (row.severity, row.pinned) = (new.severity, new.pinned);
        }
    }
    for audit in &transaction.audit {
        let (Some(acl), Some(direction), Some(cidr)) = (&audit.acl, audit.direction, audit.cidr) else {
            continue;
        };
        match audit.event {
            Event::Evicting => {
                let of_gate =
                    |row: &&Row| row.acl == *acl && row.direction == direction && row.state == RowState::Applied;
                let gate: Vec<Row> = stood
                    .iter()
                    .filter(of_gate)
                    .filter(|row| row.removal.is_none())
                    .cloned()
                    .collect();
                let victim = gate.iter().find(|row| row.cidr == cidr);
                if let Some(victim) = victim {
                    wrong.extend(wrong_victim(victim, &gate, world.policy.evict));
                }
                stood.retain(|row| !(row.acl == *acl && row.direction == direction && row.cidr == cidr));
            }
            Event::Foreign | Event::Removed | Event::Expiring => {
                stood.retain(|row| !(row.acl == *acl && row.direction == direction && row.cidr == cidr));
            }
            Event::Planned if audit.who == RESPONDER && audit.reason == "matched" => {
                let held = state.ledger.lists.holds.iter().any(|hold| {
                    hold.until > audit.at
                        && hold.acl.as_ref().is_none_or(|held| held == acl)
                        && overlap(hold.cidr, cidr)
                });
                if held {
                    wrong.push(format!("5: {cidr} was planned though a person's unblock holds"));
                }
                if state.ledger.lists.paused(audit.at).is_some() {
                    wrong.push(format!("5: {cidr} was planned during a pause"));
                }
            }
            _ => {}
        }
    }
    if transaction.audit.iter().any(|row| row.event == Event::Allowed) {
        let allowed: Vec<IpNet> = transaction
            .lists
            .iter()
            .flat_map(|lists| &lists.allow)
            .map(|entry| entry.cidr)
            .collect();
        let newest = allowed.last().copied();
        for row in state.ledger.rows.values() {
            let denies = matches!(row.state, RowState::Planned | RowState::Applied | RowState::Evicting)
                && row.removal.is_none();
            // On a network ACL that nobody knew of, what was planned in the same moment goes right after.
            let fresh = time(now) - row.planned_at < TimeDelta::seconds(30);
            if denies && !fresh && newest.is_some_and(|net| overlap(net, row.cidr)) {
                wrong.push(format!("8: {} is allowed and nobody takes its deny away", row.cidr));
            }
        }
    }
    for what in wrong {
        state.wrong(now, what);
    }
}

fn rank(row: &Row) -> u8 {
    match row.severity {
        _ if row.who != RESPONDER => 4,
        s if s >= 9.0 => 3,
        s if s >= 7.0 => 2,
        s if s >= 4.0 => 1,
        _ => 0,
    }
}

fn wrong_victim(victim: &Row, gate: &[Row], evict: Evict) -> Option<String> {
    if victim.pinned {
        return Some(format!("6: {} is pinned and was evicted", victim.cidr));
    }
    let order = |row: &Row| match evict {
        Evict::Oldest => (0, row.seq),
        Evict::Severity => (rank(row), row.seq),
    };
    let first = gate.iter().filter(|row| !row.pinned).min_by_key(|row| order(row))?;
    (first.cidr != victim.cidr).then(|| format!("6: {} was evicted, {} was to go first", victim.cidr, first.cidr))
}

/// A commit in a few words.
#[must_use]
pub fn in_words(transaction: &Transaction) -> String {
    let rows = transaction.rows.iter().map(|row| {
        let mut words = format!("{} {} {}", row.acl.acl, row.direction, row.cidr);
        words.push_str(&format!(" {}", row.state.name()));
        if let Some(rule) = row.rule {
            words.push_str(&format!("@{rule}"));
        }
        if let Some(doubt) = row.doubt {
            words.push_str(&format!(" doubt {}", doubt.format("%T")));
        }
        words
    });
    let events = transaction
        .audit
        .iter()
        .map(|row| format!("{}({})", row.event.word(), row.reason));
    format!(
        "[{}] {}",
        rows.collect::<Vec<_>>().join("; "),
        events.collect::<Vec<_>>().join(" ")
    )
}

/// What has to hold once faults stopped and everything had its time.
pub fn when_quiet(state: &mut State, world: &World) {
    let now = world.timers.now();
    let mut wrong = Vec::new();
    agreement(state, world, &mut wrong);
    for ((acl, direction, rule), entry) in &state.theirs {
        let stands = state.ec2.at(acl, (*direction, *rule)).map(|standing| &standing.entry);
        if stands != Some(entry) {
            wrong.push(format!(
                "4: {} {direction} {rule} was {entry:?} and is {stands:?}",
                acl.acl
            ));
        }
    }
    for cidr in &state.accepted {
        if !state.ledger.rows.values().any(|row| row.cidr == *cidr) {
            wrong.push(format!("5: {cidr} was accepted and is nowhere"));
        }
    }
    records(state, &mut wrong);
    messages(state, &mut wrong);
    unblocked(state, &mut wrong);
    for row in state.ledger.rows.values() {
        wrong.extend(row_wrong(state, world, row, now));
    }
    for what in wrong {
        state.wrong(now, what);
    }
}

/// Invariants 2 and 12: what responders made is what the ledger says, and an allow before a deny was told of.
fn agreement(state: &State, world: &World, wrong: &mut Vec<String>) {
    for key in acls() {
        let Some(acl) = state.ec2.acls.get(&key) else { continue };
        for standing in acl
            .entries
            .values()
            .filter(|standing| standing.author == Author::Responder)
        {
            let entry = &standing.entry;
            let says = state.ledger.of(&key).filter(|row| row.state == RowState::Applied);
            if says.filter(|row| row.entry().as_ref() == Some(entry)).count() != 1 {
                wrong.push(format!(
                    "2: {} has {entry:?}, which no entry of the ledger says",
                    key.acl
                ));
            }
        }
        for direction in [Direction::Ingress, Direction::Egress] {
            let ours = acl
                .entries
                .values()
                .filter(|standing| standing.author == Author::Responder);
            let count = ours.filter(|standing| standing.entry.direction == direction).count();
            if count > world.policy.limits.entries_per_direction {
                wrong.push(format!(
                    "1: {} {direction} has {count} managed entries when quiet",
                    key.acl
                ));
            }
        }
        for row in state.ledger.of(&key).filter(|row| row.state == RowState::Applied) {
            let before = acl.entries.values().find(|standing| {
                let entry = &standing.entry;
                entry.allow
                    && entry.direction == row.direction
                    && Some(entry.rule) < row.rule
                    && overlap(entry.cidr, row.cidr)
            });
            let told = |row: &Row| {
                state.ledger.alerts.iter().any(|(alert, _)| {
                    alert.address == Some(row.cidr) && alert.body.to_string().contains("allows this traffic first")
                })
            };
            if let (Some(before), false) = (before, told(row)) {
                wrong.push(format!(
                    "12: {} allows {} first and nobody was told",
                    before.entry.rule, row.cidr
                ));
            }
        }
    }
}

/// What a person unblocked is gone, unless it was planned anew.
fn unblocked(state: &State, wrong: &mut Vec<String>) {
    let said = state
        .ledger
        .audit
        .iter()
        .filter(|row| row.event == Event::HeldOff && row.who != "others");
    for (said, cidr) in said.filter_map(|row| Some((row, row.cidr?))) {
        for row in state
            .ledger
            .rows
            .values()
            .filter(|row| row.state == RowState::Applied && row.who == RESPONDER)
        {
            let meant = said.acl.as_ref().is_none_or(|acl| *acl == row.acl) && overlap(row.cidr, cidr);
            if meant && row.planned_at + TimeDelta::seconds(5) < said.at {
                wrong.push(format!(
                    "5: {} was unblocked at {} and is denied since {}",
                    row.cidr, said.at, row.planned_at
                ));
            }
        }
    }
}

/// Invariants 5 and 11: every record that came was decided on, or kept.
fn records(state: &State, wrong: &mut Vec<String>) {
    for (id, newest) in &state.newest {
        let row = state
            .ledger
            .findings
            .values()
            .find(|row| row.id.ends_with(&format!("/{id}")));
        if row.is_none_or(|row| row.updated_at < *newest) {
            wrong.push(format!("5: finding {id} of {newest} was never decided on"));
        }
    }
    for digest in &state.garbage {
        if !state.ledger.unreadable.contains_key(digest) {
            wrong.push("11: a record that cannot be read was not kept".to_owned());
        }
    }
    for (shard, records) in state.shards.iter().enumerate() {
        let position = state
            .ledger
            .positions
            .get(&format!("shard-{shard}"))
            .copied()
            .unwrap_or(0);
        if position < records.len() as u64 {
            wrong.push(format!("11: shard {shard} stands at {position} of {}", records.len()));
        }
    }
}

/// Invariant 9 to the end: what counts as sent was taken, and every blocked address is in a message.
fn messages(state: &State, wrong: &mut Vec<String>) {
    for (row, given_up) in &state.ledger.messages {
        if row.sent.is_some() && !state.slack.taken.contains(&row.payload) {
            wrong.push(format!("9: message {} counts as sent and was never taken", row.number));
        }
        if row.sent.is_none() && !given_up {
            wrong.push(format!("9: message {} was not sent when quiet", row.number));
        }
    }
    let waiting = state
        .ledger
        .alerts
        .iter()
        .filter(|(_, message)| message.is_none())
        .count();
    if waiting > 0 {
        wrong.push(format!("9: {waiting} alerts are in no message when quiet"));
    }
}

fn row_wrong(state: &State, world: &World, row: &Row, now: Millis) -> Vec<String> {
    let mut wrong = Vec::new();
    if row.state.is_pending() {
        wrong.push(format!(
            "10: {} {} {} is {} when quiet",
            row.acl.acl,
            row.direction,
            row.cidr,
            row.state.name()
        ));
    }
    let present = time(now - 10 * 60_000);
    if row.state == RowState::Applied {
        if row.expires.is_some_and(|end| end < present) && !row.pinned {
            wrong.push(format!("10: {} should have gone at {:?}", row.cidr, row.expires));
        }
        let allowed = state.ledger.lists.allow.iter();
        let allowed = allowed.filter(|entry| entry.at < present && entry.until.is_none_or(|until| until > time(now)));
        if allowed.map(|entry| entry.cidr).any(|net| overlap(net, row.cidr)) {
            wrong.push(format!("8: {} is allowed and denied", row.cidr));
        }
        if state
            .ec2
            .inventory
            .own_addresses
            .iter()
            .any(|net| overlap(*net, row.cidr))
        {
            wrong.push(format!("8: {} is our own and denied", row.cidr));
        }
    }
    if row.state == RowState::Rejected && matches!(row.because.as_deref(), Some("Unavailable" | "RequestLimitExceeded"))
    {
        wrong.push(format!(
            "5: {} was given up because of {:?}, which passes",
            row.cidr, row.because
        ));
    }
    let gone = state.ec2.acls.get(&row.acl).is_none_or(|acl| acl.gone);
    if row.because.as_deref() == Some(CHANGED) && !state.disturbed.contains(&row.acl) && !gone {
        let touched = row
            .held
            .iter()
            .any(|held| state.touched.contains(&(row.acl.clone(), row.direction, held.rule)));
        if !touched {
            wrong.push(format!(
                "5: nobody touched {} {} {}, and it counts as changed by others",
                row.acl.acl, row.direction, row.cidr
            ));
        }
    }
    let _ = world;
    wrong
}
