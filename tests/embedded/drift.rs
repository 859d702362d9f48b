//! What others do to entries, and what people say: comparing ledger and network ACLs, pausing, pinning.

use chrono::{DateTime, TimeDelta, Utc};
use ipnet::IpNet;
use portcullis::ledger::Ledger;
use portcullis::ledger::embedded::SqliteLedger;
use portcullis::network_acl::model::{Model, Vpc};
use portcullis::network_acl::{AclKey, Direction, Entry, NetworkAcls};
use portcullis::respond::policy::Policy;
use portcullis::respond::report::Mode;
use portcullis::respond::{Embedded, Responder, verify};

use crate::harness::findings::{ACCOUNT, Kind, REGION, finding};

fn at(minutes: i64) -> DateTime<Utc> {
    let noon: DateTime<Utc> = "2026-11-20T12:00:00Z".parse().expect("a time");
    noon + TimeDelta::minutes(minutes)
}

fn net(text: &str) -> IpNet {
    text.parse().expect("a network")
}

fn key() -> AclKey {
    AclKey {
        account: ACCOUNT.to_owned(),
        region: REGION.to_owned(),
        acl: "acl-1".to_owned(),
    }
}

fn responder(change: impl FnOnce(&mut Policy)) -> Embedded {
    let model = Model::in_memory().expect("a model");
    let vpc = Vpc::new(ACCOUNT, REGION, "vpc-1", "acl-1").with_subnet("subnet-a");
    model.define(&vpc).expect("defined");
    let mut policy = Policy {
        mode: Mode::Enforce,
        ..Policy::default()
    };
    policy.limits.entries_per_direction = 2;
    change(&mut policy);
    Responder::new(SqliteLedger::in_memory().expect("a ledger"), model, policy, "one")
}

/// A finding about an address, written now; what was decided.
async fn attack(responder: &Embedded, id: &str, address: &str, now: DateTime<Utc>) -> String {
    let subnets = ["subnet-a".to_owned()];
    let record = finding(id, Kind::Inbound, &[address.to_owned()], &subnets, now, now);
    let decisions = responder.accept(&record, now).await.expect("accepted");
    responder.sweep(now).await.expect("swept");
    decisions[0].reason.to_string()
}

/// What stands: numbers and addresses.
async fn stands(responder: &Embedded) -> Vec<(u16, String)> {
    let described = responder.network_acls().describe(&key()).await.expect("described");
    let entries = described.entries.iter();
    entries
        .map(|entry| (entry.rule, entry.cidr.addr().to_string()))
        .collect()
}

/// Compares twice, since the first look only doubts, and finishes what follows.
async fn compared(responder: &Embedded, now: DateTime<Utc>) -> Vec<String> {
    let mut found = Vec::new();
    for seconds in [0, 1] {
        let now = now + TimeDelta::seconds(seconds);
        let drifts = responder.reconcile(now, false).await.expect("compared");
        found.extend(drifts.into_iter().map(|drift| drift.drift));
        responder.sweep(now).await.expect("swept");
    }
    let wrong = verify(responder.ledger(), responder.network_acls(), responder.policy()).await;
    assert_eq!(wrong.expect("both stores"), Vec::<String>::new());
    found
}

async fn remove(responder: &Embedded, rule: u16) {
    let removed = responder.network_acls().delete(&key(), Direction::Ingress, rule).await;
    removed.expect("removed by hand");
}

#[tokio::test]
async fn what_somebody_else_removed_stays_away_for_the_hold_off() {
    let responder = responder(|_| ());
    attack(&responder, "f1", "185.220.101.1", at(0)).await;
    remove(&responder, 71).await;
    assert_eq!(compared(&responder, at(1)).await, ["doubt", "removed_by_others"]);
    assert_eq!(attack(&responder, "f2", "185.220.101.1", at(2)).await, "held_off");
    assert_eq!(stands(&responder).await, []);
    let told = responder.messages(1).await.expect("messages")[0].payload.to_string();
    assert!(told.contains("changed_by_others"), "{told}");
    assert_eq!(attack(&responder, "f3", "185.220.101.1", at(25 * 60)).await, "matched");
}

#[tokio::test]
async fn the_policy_can_have_removed_entries_put_back() {
    let responder = responder(|policy| policy.put_back = true);
    attack(&responder, "f1", "185.220.101.1", at(0)).await;
    remove(&responder, 71).await;
    compared(&responder, at(1)).await;
    assert_eq!(stands(&responder).await, [(71, "185.220.101.1".to_owned())]);
}

#[tokio::test]
async fn a_network_acl_where_others_keep_removing_is_left_alone_until_somebody_resumes() {
    let responder = responder(|policy| policy.put_back = true);
    for (id, address) in [("f1", "185.220.101.1"), ("f2", "185.220.101.2")] {
        attack(&responder, id, address, at(0)).await;
    }
    remove(&responder, 71).await;
    remove(&responder, 72).await;
    compared(&responder, at(1)).await;
    assert_eq!(
        attack(&responder, "f3", "185.220.101.3", at(2)).await,
        "managed_elsewhere"
    );
    let resumed = responder
        .resume(Some("acl-1"), "ada", "the other tool is off", at(3))
        .await;
    assert!(resumed.expect("resumed"));
    assert_eq!(attack(&responder, "f4", "185.220.101.4", at(4)).await, "matched");
}

#[tokio::test]
async fn somebody_elses_content_at_our_number_is_theirs_and_ours_goes_elsewhere() {
    let responder = responder(|_| ());
    attack(&responder, "f1", "185.220.101.1", at(0)).await;
    let theirs = Entry::deny(71, Direction::Ingress, net("45.83.64.0/24"));
    responder
        .network_acls()
        .replace(&key(), &theirs)
        .await
        .expect("replaced by hand");
    assert_eq!(compared(&responder, at(1)).await, ["doubt", "foreign"]);
    let expected = [(71, "45.83.64.0".to_owned()), (72, "185.220.101.1".to_owned())];
    assert_eq!(stands(&responder).await, expected);
}

#[tokio::test]
async fn what_a_late_call_of_ours_made_is_put_right() {
    let responder = responder(|_| ());
    attack(&responder, "f1", "185.220.101.1", at(0)).await;
    attack(&responder, "f2", "185.220.101.2", at(1)).await;
    attack(&responder, "f3", "185.220.101.3", at(2)).await;
    let both = [(71, "185.220.101.3".to_owned()), (72, "185.220.101.2".to_owned())];
    assert_eq!(stands(&responder).await, both, "the first was evicted");
    let late = Entry::deny(71, Direction::Ingress, net("185.220.101.1/32"));
    responder
        .network_acls()
        .replace(&key(), &late)
        .await
        .expect("a late call");
    assert_eq!(compared(&responder, at(3)).await, ["doubt", "repaired"]);
    assert_eq!(stands(&responder).await, both);
}

#[tokio::test]
async fn a_late_call_that_nobody_holds_is_taken_away() {
    let responder = responder(|policy| policy.expiry.low_hours = 1);
    attack(&responder, "f1", "185.220.101.1", at(0)).await;
    responder.sweep(at(61)).await.expect("expired");
    assert_eq!(stands(&responder).await, []);
    let late = Entry::deny(71, Direction::Ingress, net("185.220.101.1/32"));
    responder
        .network_acls()
        .create(&key(), &late)
        .await
        .expect("a late call");
    let found: Vec<String> = {
        let mut found = Vec::new();
        for minutes in [62, 63, 64] {
            let drifts = responder.reconcile(at(minutes), false).await.expect("compared");
            found.extend(drifts.into_iter().map(|drift| drift.drift));
        }
        found
    };
    assert_eq!(found, ["doubt", "stray"]);
    assert_eq!(stands(&responder).await, []);
}

#[tokio::test]
async fn a_dry_run_of_the_comparison_touches_nothing() {
    let responder = responder(|_| ());
    attack(&responder, "f1", "185.220.101.1", at(0)).await;
    remove(&responder, 71).await;
    let before = responder.ledger().audit(0, 100).await.expect("an audit");
    for minutes in 1..4 {
        let found = responder.reconcile(at(minutes), true).await.expect("compared");
        assert_eq!(found[0].drift, "doubt", "a doubt that is not written down stays one");
    }
    assert_eq!(responder.ledger().audit(0, 100).await.expect("an audit"), before);
}

#[tokio::test]
async fn what_anybody_compared_lately_is_not_compared_again() {
    let responder = responder(|_| ());
    attack(&responder, "f1", "185.220.101.1", at(0)).await;
    responder.reconcile(at(1), false).await.expect("compared");
    remove(&responder, 71).await;
    let every = TimeDelta::minutes(2);
    for (minutes, expected) in [
        (1, None),
        (2, None),
        (3, Some("doubt")),
        (4, None),
        (5, Some("removed_by_others")),
    ] {
        let found = responder.reconcile_every(every, at(minutes)).await.expect("compared");
        let found = found.first().map(|found| found.drift.as_str());
        assert_eq!(found, expected, "after {minutes} minutes");
    }
}

#[tokio::test]
async fn a_pause_drops_what_is_not_made_yet_and_ends() {
    let responder = responder(|_| ());
    let subnets = ["subnet-a".to_owned()];
    let record = finding(
        "f1",
        Kind::Inbound,
        &["185.220.101.1".to_owned()],
        &subnets,
        at(0),
        at(0),
    );
    responder.accept(&record, at(0)).await.expect("planned");
    let until = Some(at(10));
    responder.pause(until, "ada", "an outage", at(1)).await.expect("paused");
    responder.sweep(at(1)).await.expect("swept");
    assert_eq!(stands(&responder).await, []);
    assert_eq!(attack(&responder, "f2", "185.220.101.2", at(2)).await, "paused");
    let status = responder.status(at(2)).await.expect("a status");
    assert_eq!(status.paused.as_deref(), Some("by ada: an outage"));
    assert_eq!(attack(&responder, "f3", "185.220.101.3", at(10)).await, "matched");
    assert_eq!(stands(&responder).await.len(), 1);
}

#[tokio::test]
async fn a_pinned_entry_outlives_older_and_newer_ones() {
    let responder = responder(|policy| policy.expiry.low_hours = 1);
    attack(&responder, "f1", "185.220.101.1", at(0)).await;
    let pinned = responder
        .pin(net("185.220.101.1/32"), true, "ada", "the worst of all", at(1))
        .await;
    assert_eq!(pinned.expect("pinned"), 1);
    for (id, address) in [("f2", "185.220.101.2"), ("f3", "185.220.101.3")] {
        attack(&responder, id, address, at(2)).await;
    }
    let both = [(71, "185.220.101.1".to_owned()), (72, "185.220.101.3".to_owned())];
    assert_eq!(stands(&responder).await, both);
    responder.sweep(at(120)).await.expect("swept");
    assert_eq!(stands(&responder).await, both[..1]);
    responder
        .pin(net("185.220.101.1/32"), false, "ada", "over", at(121))
        .await
        .expect("unpinned");
    responder.sweep(at(121)).await.expect("swept");
    assert_eq!(stands(&responder).await, []);
}
