//! What to do about one entry, given what stands at its rule number. Pure: a table of (row, what stands) to a step.
//!
//! EC2 offers no compare-and-swap on content, so this is check-then-act: the network ACL is described right before each call.

use std::collections::BTreeSet;

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
    /// What is seen may be old: look again later.
    Wait,
}

/// What a description shows at an entry's rule number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sees {
    Nothing,
    Ours,
    Victim,
    Other,
}

/// The next step for a pending entry that holds a rule number.
///
/// Descriptions lag behind calls. `settled` says that the last call that may have changed this number is longer ago than
/// any description lags; until then what is seen may be old, and only calls tell the truth: create fails on what is there,
/// delete on what is not, and to replace an entry by itself does no harm.
#[must_use]
pub fn next_step(row: &Row, rule: u16, standing: Option<&Entry>, settled: bool) -> Step {
    use Sees::{Nothing, Other, Ours, Victim};
    use State::Expiring;
    let settled = settled || planted!(TrustDescribe);
    let ours = Entry::deny(rule, row.direction, row.cidr);
    let is = |cidr: IpNet| standing == Some(&Entry::deny(rule, row.direction, cidr));
    let sees = match standing {
        None => Nothing,
        Some(_) if is(row.cidr) => Ours,
        Some(_) if row.replaces.is_some_and(is) => Victim,
        Some(_) if planted!(OverwriteForeign) => Victim,
        Some(_) => Other,
    };
    let unwanted = row.removal.is_some();
    match (row.state, sees) {
        (Expiring, Ours) => Step::Delete(row.direction, rule),
        (Expiring, Nothing) if settled => Step::Confirm,
        (Expiring, Other | Victim) if settled => Step::Foreign,
        (Expiring, _) => Step::Wait,
        (_, Ours) if settled => Step::Confirm,
        (_, _) if unwanted && settled => Step::Cancel,
        (_, _) if unwanted => Step::Wait,
        (_, Ours) if row.replaces.is_some() => Step::Replace(ours),
        (_, Victim) => Step::Replace(ours),
        (_, Nothing | Ours) => Step::Create(ours),
        (_, Other) if settled => Step::Foreign,
        (_, Other) => Step::Wait,
    }
}

/// The entry to work on next, without those to skip: deletions first, since they make room; then plans with a number; then
/// those that wait for one.
#[must_use]
pub fn next_row<'a>(rows: &'a [Row], skip: &BTreeSet<(Direction, IpNet)>) -> Option<&'a Row> {
    rows.iter()
        .filter(|row| matches!(row.state, State::Planned | State::Expiring))
        .filter(|row| !skip.contains(&(row.direction, row.cidr)))
        .min_by_key(|row| (row.state != State::Expiring, row.rule.is_none(), row.seq))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::ledger::{Event, Removal};
    use crate::network_acl::AclKey;

    fn net(text: &str) -> IpNet {
        text.parse().expect("a network")
    }

    pub(in crate::respond) fn row(state: State, replaces: Option<&str>, unwanted: bool) -> Row {
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
            pinned: false,
            held: Vec::new(),
            doubt: None,
            repaired: None,
            allowed_at: None,
            about: std::sync::Arc::default(),
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
        // The row, what stands, the step once the view is settled, and before.
        let wait = || Step::Wait;
        let create = || Step::Create(deny(ours));
        let replace = || Step::Replace(deny(ours));
        let delete = || Step::Delete(Direction::Ingress, 71);
        let table = [
            (row(Planned, None, false), None, create(), create()),
            (row(Planned, None, false), Some(deny(ours)), Step::Confirm, create()),
            (row(Planned, None, false), Some(deny(other)), Step::Foreign, wait()),
            (row(Planned, None, false), Some(tcp_only.clone()), Step::Foreign, wait()),
            (
                row(Planned, Some(victim), false),
                Some(deny(victim)),
                replace(),
                replace(),
            ),
            (
                row(Planned, Some(victim), false),
                Some(deny(ours)),
                Step::Confirm,
                replace(),
            ),
            (
                row(Planned, Some(victim), false),
                Some(deny(other)),
                Step::Foreign,
                wait(),
            ),
            (row(Planned, Some(victim), false), None, create(), create()),
            (row(Planned, None, true), None, Step::Cancel, wait()),
            (
                row(Planned, Some(victim), true),
                Some(deny(victim)),
                Step::Cancel,
                wait(),
            ),
            (row(Planned, None, true), Some(deny(ours)), Step::Confirm, wait()),
            (row(Expiring, None, true), Some(deny(ours)), delete(), delete()),
            (row(Expiring, None, true), None, Step::Confirm, wait()),
            (row(Expiring, None, true), Some(deny(other)), Step::Foreign, wait()),
            (row(Expiring, None, true), Some(tcp_only), Step::Foreign, wait()),
        ];
        for (at, (row, standing, settled, before)) in table.into_iter().enumerate() {
            assert_eq!(next_step(&row, 71, standing.as_ref(), true), settled, "row {at}");
            assert_eq!(
                next_step(&row, 71, standing.as_ref(), false),
                before,
                "row {at}, unsettled"
            );
        }
    }
}
