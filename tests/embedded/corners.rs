//! Corners that the random search meets too rarely, each as a short story.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use ipnet::IpNet;
use portcullis::consume::shard::{Record, take};
use portcullis::ledger::embedded::SqliteLedger;
use portcullis::ledger::{Event, Filter, Ledger, Position};
use portcullis::network_acl::model::{Model, Vpc};
use portcullis::network_acl::{AclKey, Direction, Entry, NetworkAcls};
use portcullis::respond::policy::Policy;
use portcullis::respond::report::Mode;
use portcullis::respond::{Block, Embedded, Responder, Unblock, open_embedded, verify};

use crate::harness::Bug;
use crate::harness::faults::{Faults, Faulty};
use crate::harness::findings::{ACCOUNT, Kind, REGION, finding};

type Shared = Responder<Faulty<SqliteLedger>, Faulty<Model>>;

fn now() -> DateTime<Utc> {
    "2026-11-20T12:00:00Z".parse().expect("a time")
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

fn policy(most: usize) -> Policy {
    let mut policy = Policy {
        mode: Mode::Enforce,
        ..Policy::default()
    };
    policy.limits.entries_per_direction = most;
    policy
}

/// An SSH brute force against `subnet-a`, seen now.
fn attack(id: &str, address: &str) -> Vec<u8> {
    let subnets = ["subnet-a".to_owned()];
    finding(id, Kind::Inbound, &[address.to_owned()], &subnets, now(), now())
}

/// A responder on one network ACL with this quota, and the same stores for another.
fn world(most: usize, quota: usize, bug: Bug) -> Shared {
    let model = Model::in_memory().expect("a model");
    let mut vpc = Vpc::new(ACCOUNT, REGION, "vpc-1", "acl-1").with_subnet("subnet-a");
    vpc.quota = quota;
    model.define(&vpc).expect("defined");
    let faults = Arc::new(Faults {
        bug,
        limit: most,
        ..Faults::default()
    });
    let ledger = Faulty {
        inner: Arc::new(SqliteLedger::in_memory().expect("a ledger")),
        faults: Arc::clone(&faults),
    };
    let model = Faulty {
        inner: Arc::new(model),
        faults,
    };
    Responder::new(ledger, model, policy(most), "one")
}

async fn denied<L: Ledger, N: NetworkAcls>(responder: &Responder<L, N>) -> Vec<String> {
    let mut all = Vec::new();
    for key in responder.network_acls().list().await.expect("listed") {
        let acl = responder.network_acls().describe(&key).await.expect("described");
        all.extend(acl.entries.into_iter().filter(|entry| !entry.allow));
    }
    all.iter().map(|entry| entry.cidr.to_string()).collect()
}

async fn accept<L: Ledger, N: NetworkAcls>(responder: &Responder<L, N>, id: &str, address: &str) -> String {
    let decisions = responder.accept(&attack(id, address), now()).await.expect("accepted");
    decisions[0].reason.to_string()
}

async fn quiet<L: Ledger, N: NetworkAcls>(responder: &Responder<L, N>) {
    let swept = responder.sweep(now()).await.expect("swept");
    assert_eq!(swept.postponed, 0, "{swept:?}");
    assert_eq!(responder.ledger().pending(now()).await.expect("a ledger"), []);
    let wrong = verify(responder.ledger(), responder.network_acls(), responder.policy()).await;
    assert_eq!(wrong.expect("both stores"), Vec::<String>::new());
}

fn embedded(dir: &Path, policy: Policy) -> Embedded {
    open_embedded(dir, policy, true).expect("the data opens")
}

#[tokio::test]
async fn the_audit_tells_a_decision_before_what_follows_from_it() {
    let responder = world(1, 20, Bug::None);
    for (id, address) in [("f1", "185.220.101.1"), ("f2", "185.220.101.2")] {
        accept(&responder, id, address).await;
        quiet(&responder).await;
    }
    let audit = responder.ledger().audit(0, 100).await.expect("the audit");
    let told: Vec<_> = audit.iter().map(|row| row.event).collect();
    assert_eq!(
        told,
        [
            Event::Decided,
            Event::Planned,
            Event::Applied,
            Event::Decided,
            Event::Evicting,
            Event::Planned,
            Event::Evicted,
            Event::Applied,
        ]
    );
}

#[tokio::test]
async fn what_is_too_much_for_one_transaction_is_taken_by_halves_and_in_order() {
    let responder = world(10, 40, Bug::TakesFew);
    let bytes: Vec<Vec<u8>> = (1..=20)
        .map(|n| attack(&format!("f{n}"), &format!("185.220.101.{n}")))
        .collect();
    let records: Vec<Record<'_>> = (1..)
        .zip(&bytes)
        .map(|(number, bytes)| Record {
            number: Position::from(number),
            bytes,
        })
        .collect();
    let taken = take(&responder, &records, now()).await;
    assert_eq!(taken.failed.map(|(number, _)| number), None);
    let addresses: Vec<_> = taken.decisions.iter().filter_map(|decision| decision.address).collect();
    let expected: Vec<IpAddr> = (1..=20).map(|n| [185, 220, 101, n].into()).collect();
    assert_eq!(addresses, expected);
    let tried = responder.ledger().faults.tried.lock().expect("tried").clone();
    assert_eq!(tried, [20, 10, 5, 10, 5, 10, 5, 5]);
}

#[tokio::test]
async fn unblocking_takes_away_what_was_about_to_be_replaced() {
    for target in [Unblock::All, Unblock::Address(net("185.220.101.0/24"))] {
        let responder = world(1, 20, Bug::None);
        accept(&responder, "f1", "185.220.101.1").await;
        quiet(&responder).await;
        accept(&responder, "f2", "185.220.101.2").await;
        let unblocked = responder.unblock(target, None, "ada", "a mistake", false, now()).await;
        assert_eq!(unblocked.expect("unblocked").len(), 2);
        quiet(&responder).await;
        assert_eq!(denied(&responder).await, Vec::<String>::new(), "{target:?}");
    }
}

#[tokio::test]
async fn nothing_is_made_once_the_policy_says_shadow_or_names_other_accounts() {
    let shadow = Policy {
        mode: Mode::Shadow,
        ..policy(1)
    };
    let elsewhere = Policy {
        accounts: vec!["444455556666".to_owned()],
        ..policy(1)
    };
    for (word, changed) in [("shadow", shadow), ("account_not_enforced", elsewhere)] {
        let dir = tempfile::tempdir().expect("a directory");
        let before = embedded(dir.path(), policy(1));
        accept(&before, "f1", "185.220.101.1").await;
        quiet(&before).await;
        accept(&before, "f2", "185.220.101.2").await;
        drop(before);
        let after = embedded(dir.path(), changed);
        quiet(&after).await;
        assert_eq!(denied(&after).await, ["185.220.101.1/32"], "{word}");
        let rows = after.ledger().audit(0, usize::MAX).await.expect("an audit");
        assert!(
            rows.iter()
                .any(|row| row.event.word() == "removed" && row.reason == word)
        );
    }
}

#[tokio::test]
async fn shadow_mode_makes_no_network_acl() {
    let dir = tempfile::tempdir().expect("a directory");
    let responder = embedded(dir.path(), Policy::default());
    assert_eq!(accept(&responder, "f1", "185.220.101.1").await, "shadow");
    assert_eq!(responder.network_acls().list().await.expect("listed"), []);
}

#[tokio::test]
async fn a_victim_that_others_removed_does_not_stay_pending_when_the_quota_is_used_up() {
    let responder = world(2, 3, Bug::None);
    let model = responder.network_acls().clone();
    accept(&responder, "f1", "185.220.101.1").await;
    accept(&responder, "f2", "185.220.101.2").await;
    quiet(&responder).await;
    accept(&responder, "f3", "185.220.101.3").await;
    model.delete(&key(), Direction::Ingress, 71).await.expect("deleted");
    for rule in [10, 11] {
        let entry = Entry::deny(rule, Direction::Ingress, net("45.83.64.0/24"));
        model.create(&key(), &entry).await.expect("created");
    }
    quiet(&responder).await;
    let denied = denied(&responder).await;
    assert!(denied.contains(&"185.220.101.3/32".to_owned()), "{denied:?}");
}

#[tokio::test]
async fn an_entry_that_may_not_be_deleted_is_not_called_gone() {
    let responder = world(2, 20, Bug::MayNotDelete);
    accept(&responder, "f1", "185.220.101.1").await;
    quiet(&responder).await;
    let unblocked = responder.unblock(Unblock::All, None, "ada", "a mistake", false, now());
    unblocked.await.expect("unblocked");
    let swept = responder.sweep(now()).await.expect("swept");
    assert_eq!((swept.removed, swept.postponed), (0, 1), "{swept:?}");
    assert_eq!(
        responder.entries(Filter::Active).await.expect("entries")[0].state,
        "expiring"
    );
}

#[tokio::test]
async fn a_person_who_blocks_inside_a_wider_entry_does_not_shorten_it() {
    let responder = world(5, 20, Bug::None);
    let block = |cidr: &str, until: Option<i64>| Block {
        cidr: net(cidr),
        acl: None,
        directions: vec![Direction::Ingress],
        until: until.map(|hours| now() + TimeDelta::hours(hours)),
        who: "ada".to_owned(),
        reason: "seen in the logs".to_owned(),
        dry_run: false,
    };
    for (cidr, until, outcome) in [
        ("185.220.101.0/24", Some(8), "planned"),
        // Covered for as long as was asked.
        ("185.220.101.1/32", Some(1), "refused"),
        // Not covered long enough.
        ("185.220.101.2/32", None, "planned"),
        // The same once more changes its end.
        ("185.220.101.2/32", Some(2), "refused"),
    ] {
        let reports = responder.block(&block(cidr, until), now()).await.expect("planned");
        assert_eq!(reports[0].outcome, outcome, "{cidr} {until:?}");
    }
    quiet(&responder).await;
    let entries = responder.entries(Filter::Active).await.expect("entries");
    let ends: Vec<_> = entries
        .iter()
        .map(|entry| (entry.cidr.to_string(), entry.expires))
        .collect();
    let end = |hours| Some(now() + TimeDelta::hours(hours));
    assert_eq!(
        ends,
        [
            ("185.220.101.0/24".to_owned(), end(8)),
            ("185.220.101.2/32".to_owned(), end(2))
        ]
    );
}

#[tokio::test]
async fn what_was_last_seen_is_what_status_says_once_somebody_looked() {
    let responder = world(2, 20, Bug::None);
    for n in 1..4 {
        let record = attack(&format!("f{n}"), &format!("185.220.101.{n}"));
        responder.accept(&record, now()).await.expect("accepted");
        responder.sweep(now()).await.expect("swept");
    }
    let theirs = Entry::deny(20, Direction::Egress, net("45.83.64.9/32"));
    responder.network_acls().create(&key(), &theirs).await.expect("created");
    let status = responder.status(now()).await.expect("a status");
    let before = responder.status_last_seen(now()).await.expect("a status");
    assert_ne!(before, status, "nobody looked since a person added an entry");
    responder.reconcile(now(), false).await.expect("compared");
    let after = responder.status_last_seen(now()).await.expect("a status");
    assert_eq!(after, status);
    assert_eq!((status.applied, status.evicted), (2, 1));
    assert!(status.acls.iter().any(|acl| acl.foreign == [theirs.clone()]));
}

#[tokio::test]
async fn unreadable_records_are_kept_in_bounded_number_and_all_counted() {
    let responder = world(1, 20, Bug::None);
    let garbage: Vec<Vec<u8>> = (0..1100).map(|n| format!("garbage {n}").into_bytes()).collect();
    for (at, chunk) in (0..).zip(garbage.chunks(100)) {
        let at = now() + TimeDelta::seconds(at);
        let records: Vec<_> = chunk.iter().map(|record| (record.as_slice(), at)).collect();
        responder.accept_many(&records).await.expect("kept");
    }
    let kept = responder.unreadable(usize::MAX).await.expect("a ledger");
    assert_eq!(kept.len(), 1000);
    assert!(
        kept.iter().any(|record| record.bytes == b"garbage 1099"),
        "the newest is kept"
    );
    assert!(
        !kept.iter().any(|record| record.bytes == b"garbage 0"),
        "the oldest went"
    );
    assert_eq!(responder.status(now()).await.expect("a status").unreadable, 1100);
}

#[tokio::test]
async fn an_alert_never_says_that_a_person_asked_for_what_nobody_asked() {
    let responder = world(2, 20, Bug::None);
    let until = Some(now() + TimeDelta::hours(1));
    let block = Block {
        cidr: net("185.220.101.9/32"),
        acl: None,
        directions: vec![Direction::Ingress],
        until,
        who: "ada".to_owned(),
        reason: "seen in the logs".to_owned(),
        dry_run: false,
    };
    responder.block(&block, now()).await.expect("planned");
    responder.sweep(now()).await.expect("swept");
    responder.sweep(now() + TimeDelta::hours(2)).await.expect("swept");
    let told = responder.messages(1).await.expect("messages")[0].payload.to_string();
    assert!(told.contains("No longer blocked"), "{told}");
    assert!(!told.contains("A person asked"), "{told}");
}

#[tokio::test]
async fn a_deny_behind_an_allow_is_told() {
    let responder = world(2, 20, Bug::None);
    let allow = Entry {
        allow: true,
        ..Entry::deny(50, Direction::Ingress, net("0.0.0.0/0"))
    };
    responder.network_acls().create(&key(), &allow).await.expect("created");
    accept(&responder, "f1", "185.220.101.1").await;
    responder.sweep(now()).await.expect("swept");
    let told = responder.messages(1).await.expect("messages")[0].payload.to_string();
    assert!(told.contains("rule 50"), "{told}");
}
