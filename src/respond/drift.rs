//! What to do where ledger and network ACL disagree. Pure: a table of (applied entry, what stands) to a remedy.
//!
//! | ledger | stands | remedy |
//! |---|---|---|
//! | applied | the same | none |
//! | applied | nothing | somebody removed it: counts as an unblock with hold-off, or is put back where the policy says so |
//! | applied | what this number once held (a late call) | ours: put right |
//! | applied | anything else | theirs: never overwritten; ours takes another number |
//! | no entry at this number | what this number once held | ours: deleted |
//! | no entry at this number | anything else | theirs |
//!
//! Nothing follows from one description: what disagrees is written down as a doubt, and has to disagree again, later than
//! descriptions lag.

use chrono::{DateTime, TimeDelta, Utc};

use crate::ledger::{Row, Stray};
use crate::network_acl::{Direction, Entry};

/// For how long a call of a responder that was stopped in the middle may still arrive.
pub const LATE: TimeDelta = TimeDelta::hours(1);

/// What an applied entry calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Ledger and network ACL agree.
    Agrees,
    /// They seem to disagree; look again later.
    Doubt,
    /// Somebody else removed it.
    Removed,
    /// A late call of ours overwrote it.
    PutRight,
    /// Somebody else's content stands there.
    Foreign,
}

/// The remedy for an applied entry that holds a number. `settled` says that the last call on it is longer ago than any
/// description lags, `sure` that it was in doubt as long before; `once` that what stands was ours at this number before.
#[must_use]
pub fn remedy(row: &Row, standing: Option<&Entry>, settled: bool, sure: bool, once: bool) -> Remedy {
    if standing.is_some() && standing == row.entry().as_ref() {
        return Remedy::Agrees;
    }
    let sure = planted!(MissingAtOnce) || (settled && sure);
    match standing {
        _ if !sure => Remedy::Doubt,
        None => Remedy::Removed,
        Some(_) if once => Remedy::PutRight,
        Some(_) => Remedy::Foreign,
    }
}

/// Whether an entry that stands is one that the ledger once planned there, late.
#[must_use]
pub fn was_ours(rows: &[Row], entry: &Entry, now: DateTime<Utc>) -> bool {
    rows.iter()
        .filter(|row| Entry::deny(entry.rule, row.direction, row.cidr) == *entry)
        .any(|row| row.left(entry.rule).is_some_and(|left| now - left <= LATE))
}

/// Entries that stand where no entry of the ledger is, and that the ledger once planned there: as doubts, the older kept.
#[must_use]
pub fn strays(rows: &[Row], entries: &[Entry], known: &[Stray], now: DateTime<Utc>) -> Vec<Stray> {
    let held = |direction: Direction, rule: u16| {
        rows.iter()
            .any(|row| row.direction == direction && row.state.is_live() && row.rule == Some(rule))
    };
    entries
        .iter()
        .filter(|entry| !held(entry.direction, entry.rule) && was_ours(rows, entry, now))
        .map(|entry| {
            let since = known
                .iter()
                .find(|stray| stray.entry == *entry)
                .map(|stray| stray.since);
            Stray {
                entry: entry.clone(),
                since: since.unwrap_or(now),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests;
