//! What holds at any instant: the limit, leases, others' entries, guarded addresses.

use std::collections::BTreeSet;

use ipnet::IpNet;
use portcullis::ledger::State as RowState;
use portcullis::network_acl::{AclKey, CALL, Entry};
use portcullis::respond::audit::RESPONDER;

use crate::ec2::{Author, Call, Standing};
use crate::executor::{Millis, time};
use crate::stores::{Stores, overlap};
use crate::world::{State, World};

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
pub fn before_effect(state: &mut State, key: &AclKey, call: &Call, now: Millis, seen: Option<(Millis, Millis)>) {
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
