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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Event, Removal};
    use crate::network_acl::AclKey;

    fn net(text: &str) -> IpNet {
        text.parse().expect("a network")
    }

    fn row(state: State, replaces: Option<&str>, unwanted: bool) -> Row {
        let at = chrono::DateTime::UNIX_EPOCH;
        Row {
            acl: AclKey {
                account: "111122223333".into(),
                region: "eu-west-1".into(),
                acl: "acl-1".into(),
            },
            direction: Direction::Ingress,
            cidr: net("185.220.101.1/32"),
            state,
            rule: Some(71),
            replaces: replaces.map(net),
            seq: 1,
            since: at,
            planned_at: at,
            last_seen: at,
            hits: 1,
            expires: None,
            findings: Vec::new(),
            severity: 0.0,
            removal: unwanted.then(|| Removal {
                event: Event::Unblocked,
                who: "ada".into(),
                reason: "test".into(),
            }),
            gone_at: None,
            because: None,
            who: "responder".into(),
            about: serde_json::Value::Null,
        }
    }

    #[test]
    fn the_step_follows_from_the_row_and_what_stands() {
        use State::{Expiring, Planned};
        let deny = |cidr: &str| Entry::deny(71, Direction::Ingress, net(cidr));
        let (ours, victim, other) = ("185.220.101.1/32", "185.220.101.2/32", "185.220.101.3/32");
        let tcp_only = Entry {
            protocol: "6".into(),
            ..deny(ours)
        };
        let table = [
            (row(Planned, None, false), None, Step::Create(deny(ours))),
            (row(Planned, None, false), Some(deny(ours)), Step::Confirm),
            (row(Planned, None, false), Some(deny(other)), Step::Foreign),
            (row(Planned, None, false), Some(tcp_only.clone()), Step::Foreign),
            (
                row(Planned, Some(victim), false),
                Some(deny(victim)),
                Step::Replace(deny(ours)),
            ),
            (row(Planned, Some(victim), false), Some(deny(ours)), Step::Confirm),
            (row(Planned, Some(victim), false), Some(deny(other)), Step::Foreign),
            (row(Planned, Some(victim), false), None, Step::Create(deny(ours))),
            (row(Planned, None, true), None, Step::Cancel),
            (row(Planned, Some(victim), true), Some(deny(victim)), Step::Cancel),
            (row(Planned, None, true), Some(deny(ours)), Step::Confirm),
            (
                row(Expiring, None, true),
                Some(deny(ours)),
                Step::Delete(Direction::Ingress, 71),
            ),
            (row(Expiring, None, true), None, Step::Confirm),
            (row(Expiring, None, true), Some(deny(other)), Step::Foreign),
            (row(Expiring, None, true), Some(tcp_only), Step::Foreign),
        ];
        for (at, (row, standing, expected)) in table.into_iter().enumerate() {
            assert_eq!(next_step(&row, 71, standing.as_ref()), expected, "row {at}");
        }
    }
}
