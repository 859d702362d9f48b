//! What holds once faults stopped and everything had its time.

use chrono::TimeDelta;
use portcullis::ledger::{Event, Row, State as RowState};
use portcullis::network_acl::Direction;
use portcullis::respond::audit::RESPONDER;
use portcullis::respond::confirm::CHANGED;

use crate::ec2::Author;
use crate::executor::{Millis, time};
use crate::stores::overlap;
use crate::world::{State, World, acls};

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
        wrong.extend(row_wrong(state, row, now));
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
            .map_or(0, portcullis::ledger::Position::number);
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

fn row_wrong(state: &State, row: &Row, now: Millis) -> Vec<String> {
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
    wrong
}
