//! What holds in every transaction: who is evicted, hold-offs, pauses, that an allowance takes denies away, and that no entry
//! forgets its history.

use chrono::TimeDelta;
use ipnet::IpNet;
use portcullis::ledger::{Event, Row, State as RowState, Transaction};
use portcullis::respond::audit::RESPONDER;
use portcullis::respond::policy::Evict;

use crate::executor::{Millis, time};
use crate::stores::overlap;
use crate::world::{State, World};

/// What was before a commit, as far as the checks need it.
pub struct Before {
    rows: Vec<Row>,
    /// Entries that would forget what they were hit by.
    forgetful: Vec<String>,
}

/// Looks before a commit.
#[must_use]
pub fn before(state: &State, transaction: &Transaction) -> Before {
    let evicts = transaction.audit.iter().any(|row| row.event == Event::Evicting);
    let rows = if evicts {
        state.ledger.rows.values().cloned().collect()
    } else {
        Vec::new()
    };
    let forgets = |row: &&Row| {
        let known = state.ledger.rows.get(&(row.acl.clone(), row.direction, row.cidr));
        known.is_some_and(|known| row.hits < known.hits)
    };
    let forgetful = transaction.rows.iter().filter(forgets);
    Before {
        rows,
        forgetful: forgetful
            .map(|row| format!("5: {} {} forgets what it was hit by", row.acl.acl, row.cidr))
            .collect(),
    }
}

/// Invariant 6 with pins and severities, hold-offs, and that an allowance takes denies away in the same transaction.
pub fn after(state: &mut State, world: &World, transaction: &Transaction, before: &Before, now: Millis) {
    let mut wrong = before.forgetful.clone();
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
