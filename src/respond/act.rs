//! What to do about one entry, given what stands at its rule number. Pure: a table of (row, what stands) to a step.
//!
//! EC2 offers no compare-and-swap on content, so this is check-then-act: the network ACL is described right before each call.

use ipnet::IpNet;

use crate::ledger::{Row, State};
use crate::network_acl::{Direction, Entry};

/// The next call, or what needs none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Create, if the number is still free.
    Create(Entry),
    /// Swap the victim's entry for this one in one call: no gap, and never one entry more.
    Replace(Entry),
    /// Delete our entry.
    Delete(Direction, u16),
    /// It is as it should be: confirm.
    Confirm,
    /// It was never made and is not wanted any more: drop the plan.
    Cancel,
    /// Somebody else's content stands there: never overwrite it.
    Foreign,
}

/// The next step for a pending entry that holds a rule number.
#[must_use]
pub fn next_step(row: &Row, rule: u16, standing: Option<&Entry>) -> Step {
    let ours = Entry::deny(rule, row.direction, row.cidr);
    let is = |cidr: IpNet| standing == Some(&Entry::deny(rule, row.direction, cidr));
    match (row.state, standing) {
        (State::Expiring, None) => Step::Confirm,
        (State::Expiring, Some(_)) if is(row.cidr) => Step::Delete(row.direction, rule),
        (State::Expiring, Some(_)) => Step::Foreign,
        (_, Some(_)) if is(row.cidr) => Step::Confirm,
        (_, _) if row.removal.is_some() => Step::Cancel,
        (_, None) => Step::Create(ours),
        (_, Some(_)) if row.replaces.is_some_and(is) => Step::Replace(ours),
        (_, Some(_)) => Step::Foreign,
    }
}

/// The entry to work on next: deletions first, since they make room; then plans with a number; then those that wait for one.
#[must_use]
pub fn next_row(rows: &[Row]) -> Option<&Row> {
    rows.iter()
        .filter(|row| matches!(row.state, State::Planned | State::Expiring))
        .min_by_key(|row| (row.state != State::Expiring, row.rule.is_none(), row.seq))
}
