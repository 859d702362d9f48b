//! The remedy as a table, and which entries count as late calls of ours.

use super::*;
use crate::ledger::{Held, State};
use crate::respond::act::tests::row as pending;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

fn deny(rule: u16, cidr: &str) -> Entry {
    Entry::deny(rule, Direction::Ingress, cidr.parse().expect("a network"))
}

#[test]
fn the_remedy_follows_from_what_stands_and_how_sure_that_is() {
    let (ours, other) = (deny(71, "185.220.101.1/32"), deny(71, "185.220.101.3/32"));
    let tcp_only = Entry {
        protocol: "6".into(),
        ..ours.clone()
    };
    // What stands, whether the view is settled, whether it was in doubt before, whether it was once ours, the remedy.
    let table = [
        (Some(&ours), true, false, false, Remedy::Agrees),
        (Some(&ours), true, true, false, Remedy::Agrees),
        (Some(&ours), false, false, false, Remedy::Agrees),
        (None, true, false, false, Remedy::Doubt),
        (None, false, true, false, Remedy::Doubt),
        (None, true, true, false, Remedy::Removed),
        (Some(&other), true, false, false, Remedy::Doubt),
        (Some(&other), true, true, false, Remedy::Foreign),
        (Some(&other), true, true, true, Remedy::PutRight),
        (Some(&other), false, true, true, Remedy::Doubt),
        (Some(&tcp_only), true, true, false, Remedy::Foreign),
    ];
    let row = pending(State::Applied, None, false);
    for (number, (standing, settled, sure, once, expected)) in table.into_iter().enumerate() {
        assert_eq!(remedy(&row, standing, settled, sure, once), expected, "row {number}");
    }
}

#[test]
fn what_a_number_held_within_the_hour_is_a_late_call_of_ours() {
    let row = Row {
        rule: None,
        held: vec![Held { rule: 72, until: at(0) }],
        ..pending(State::Removed, None, false)
    };
    let rows = [row];
    for (entry, seconds, expected) in [
        (deny(72, "185.220.101.1/32"), 3600, true),
        (deny(72, "185.220.101.1/32"), 3601, false),
        (deny(73, "185.220.101.1/32"), 10, false),
        (deny(72, "185.220.101.2/32"), 10, false),
    ] {
        assert_eq!(was_ours(&rows, &entry, at(seconds)), expected, "{entry:?} at {seconds}");
        assert_eq!(strays(&rows, &[entry], &[], at(seconds)).len(), usize::from(expected));
    }
}

#[test]
fn a_number_that_an_entry_holds_has_no_stray() {
    let holder = pending(State::Applied, None, false);
    let gone = Row {
        rule: None,
        held: vec![Held { rule: 71, until: at(0) }],
        cidr: "185.220.101.3/32".parse().expect("a network"),
        ..pending(State::Removed, None, false)
    };
    let late = deny(71, "185.220.101.3/32");
    assert!(strays(&[holder, gone], &[late], &[], at(1)).is_empty());
}
