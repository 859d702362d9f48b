//! Planning as a table: what stands and what the policy says, the entry that is wanted, and what comes of it.

use super::*;
use crate::finding::FindingSummary;
use crate::ledger::{AclView, HoldOff, Lists, Meta, Pause, Removal, View};
use crate::respond::act::tests::row as pending;
use crate::respond::audit;

fn at(minutes: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes)
}

fn net(text: &str) -> IpNet {
    text.parse().expect("a network")
}

fn key() -> AclKey {
    pending(State::Applied, None, false).acl
}

/// An entry that stands; its place in the order is its number.
fn stands(cidr: &str, rule: u16, severity: f64) -> Row {
    Row {
        cidr: net(cidr),
        rule: Some(rule),
        seq: rule.into(),
        severity,
        ..pending(State::Applied, None, false)
    }
}

fn person(row: Row) -> Row {
    Row {
        who: "ada".to_owned(),
        ..row
    }
}

fn pinned(row: Row) -> Row {
    Row { pinned: true, ..row }
}

fn foreign(rule: u16, cidr: &str) -> Entry {
    Entry::deny(rule, Direction::Ingress, net(cidr))
}

/// Everything that planning looks at.
#[derive(Clone)]
struct Gate {
    policy: Policy,
    meta: Meta,
    rows: Vec<Row>,
    lists: Lists,
}

/// Two places, two entries of Low findings, nothing else.
fn gate() -> Gate {
    let mut policy = Policy {
        mode: Mode::Enforce,
        ..Policy::default()
    };
    policy.limits.entries_per_direction = 2;
    let facts = Facts {
        at: at(0),
        vpc: None,
        is_default: false,
        subnets: vec!["subnet-a".to_owned()],
        quota: 20,
        managed_by: None,
        foreign: Vec::new(),
    };
    Gate {
        policy,
        meta: Meta {
            facts: Some(facts),
            next_seq: 100,
            ..Meta::new(key())
        },
        rows: vec![stands("185.220.101.2/32", 71, 2.0), stands("185.220.101.3/32", 72, 2.0)],
        lists: Lists::default(),
    }
}

fn with(change: impl FnOnce(&mut Gate)) -> Gate {
    let mut gate = gate();
    change(&mut gate);
    gate
}

fn facts(gate: &mut Gate) -> &mut Facts {
    gate.meta.facts.as_mut().expect("facts")
}

fn about(severity: f64) -> About {
    About {
        finding: Some(FindingSummary {
            id: "f1".to_owned(),
            finding_type: "Recon:EC2/PortProbe".to_owned(),
            severity,
            account: key().account,
            region: key().region,
            partition: "aws".to_owned(),
            title: String::new(),
            description: String::new(),
            updated_at: at(60),
            last_seen: at(60),
            count: 1,
            resource: None,
        }),
        ..About::default()
    }
}

/// Who wants the entry.
#[derive(Clone, Copy)]
enum By {
    Finding(f64),
    Person,
}

fn planned(gate: &Gate, cidr: &str, by: By) -> (Outcome, Draft) {
    let view = View {
        acls: vec![AclView {
            meta: gate.meta.clone(),
            rows: gate.rows.clone(),
        }],
        findings: Vec::new(),
        lists: gate.lists.clone(),
        ..View::default()
    };
    let mut draft = Draft::new(view);
    let (about, slots_left, who) = match by {
        By::Finding(severity) => (about(severity), Some(5), audit::RESPONDER),
        By::Person => (About::default(), None, "ada"),
    };
    let wanted = Wanted {
        acl: &key(),
        direction: Direction::Ingress,
        cidr: net(cidr),
        about: &about,
        reason: "matched",
        who,
        expires: None,
        slots_left,
        now: at(60),
    };
    let outcome = plan(&mut draft, &gate.policy, &wanted).expect("a legal draft");
    (outcome, draft)
}

fn shown(outcome: Outcome) -> String {
    match outcome {
        Outcome::Planned { rule, evicts } => {
            let rule = rule.map_or("waits".to_owned(), |rule| rule.to_string());
            evicts.map_or(rule.clone(), |cidr| format!("{rule} for {}", cidr.addr()))
        }
        Outcome::Refused(reason) => reason.word().to_owned(),
    }
}

fn hold(until: i64, acl: Option<AclKey>) -> HoldOff {
    HoldOff {
        cidr: net("185.220.101.0/24"),
        acl,
        until: at(until),
        who: "ada".to_owned(),
        reason: "a customer".to_owned(),
    }
}

fn pause(until: Option<i64>) -> Option<Pause> {
    Some(Pause {
        who: "ada".to_owned(),
        reason: "an outage".to_owned(),
        at: at(0),
        until: until.map(at),
    })
}

/// An entry that was evicted then.
fn evicted(minutes: i64) -> Row {
    Row {
        state: State::Removed,
        rule: None,
        because: Some(EVICTED.to_owned()),
        gone_at: Some(at(minutes)),
        ..stands("185.220.101.9/32", 90, 2.0)
    }
}

fn going(row: Row) -> Row {
    Row {
        removal: Some(Removal {
            event: Event::Unblocked,
            who: "ada".to_owned(),
            reason: "a mistake".to_owned(),
        }),
        ..row
    }
}

#[test]
fn every_row_of_the_table_plans_as_written() {
    use By::{Finding, Person};
    let low = Finding(2.0);
    let empty = |gate: &mut Gate| gate.rows.clear();
    let by_severity = |gate: &mut Gate| gate.policy.evict = Evict::Severity;
    let table: Vec<(&str, Gate, By, &str)> = vec![
        ("nothing stands", with(empty), low, "71"),
        ("one place is left", with(|gate| drop(gate.rows.pop())), low, "72"),
        (
            "others hold the first number",
            with(|gate| {
                empty(gate);
                facts(gate).foreign = vec![foreign(71, "45.83.64.0/24")];
            }),
            low,
            "72",
        ),
        ("the oldest goes", gate(), low, "71 for 185.220.101.2"),
        (
            "a pinned one stays",
            with(|gate| gate.rows[0].pinned = true),
            low,
            "72 for 185.220.101.3",
        ),
        (
            "all are pinned",
            with(|gate| gate.rows = gate.rows.drain(..).map(pinned).collect()),
            low,
            "acl_full",
        ),
        (
            "the oldest goes already",
            with(|gate| gate.rows[0] = going(gate.rows[0].clone())),
            low,
            "72 for 185.220.101.3",
        ),
        (
            "all go already",
            with(|gate| gate.rows = gate.rows.drain(..).map(going).collect()),
            low,
            "waits",
        ),
        (
            "the quota is used up by others",
            with(|gate| {
                empty(gate);
                facts(gate).quota = 1;
                facts(gate).foreign = vec![foreign(10, "45.83.64.0/24")];
            }),
            low,
            "acl_full",
        ),
        (
            "the quota is used up by the other family",
            with(|gate| {
                empty(gate);
                facts(gate).quota = 1;
                facts(gate).foreign = vec![foreign(10, "2a02::/32")];
            }),
            low,
            "71",
        ),
        (
            "severity: the lowest goes, though not the oldest",
            with(|gate| {
                by_severity(gate);
                gate.rows[0].severity = 8.0;
            }),
            low,
            "72 for 185.220.101.3",
        ),
        (
            "severity: within one, the oldest goes",
            with(by_severity),
            Finding(8.0),
            "71 for 185.220.101.2",
        ),
        (
            "severity: never a higher for a lower",
            with(|gate| {
                by_severity(gate);
                gate.rows.iter_mut().for_each(|row| row.severity = 8.0);
            }),
            Finding(5.0),
            "outranked",
        ),
        (
            "severity: a person's word ranks highest",
            with(|gate| {
                by_severity(gate);
                gate.rows = gate.rows.drain(..).map(person).collect();
            }),
            Finding(9.5),
            "outranked",
        ),
        (
            "severity: a person evicts a finding's",
            with(|gate| {
                by_severity(gate);
                gate.rows.iter_mut().for_each(|row| row.severity = 9.5);
            }),
            Person,
            "71 for 185.220.101.2",
        ),
        ("paused", with(|gate| gate.lists.pause = pause(None)), low, "paused"),
        (
            "paused: not for people",
            with(|gate| gate.lists.pause = pause(None)),
            Person,
            "71 for 185.220.101.2",
        ),
        (
            "the pause is over",
            with(|gate| gate.lists.pause = pause(Some(60))),
            low,
            "71 for 185.220.101.2",
        ),
        (
            "held off",
            with(|gate| gate.lists.holds = vec![hold(61, None)]),
            low,
            "held_off",
        ),
        (
            "held off here",
            with(|gate| gate.lists.holds = vec![hold(61, Some(key()))]),
            low,
            "held_off",
        ),
        (
            "the hold-off is over",
            with(|gate| gate.lists.holds = vec![hold(60, None)]),
            low,
            "71 for 185.220.101.2",
        ),
        (
            "held off: not for people",
            with(|gate| gate.lists.holds = vec![hold(61, None)]),
            Person,
            "71 for 185.220.101.2",
        ),
        (
            "others keep removing",
            with(|gate| gate.meta.stopped = Some(at(1))),
            low,
            "managed_elsewhere",
        ),
        (
            "others keep removing: for people, too",
            with(|gate| gate.meta.stopped = Some(at(1))),
            Person,
            "managed_elsewhere",
        ),
        (
            "another tool's tag",
            with(|gate| facts(gate).managed_by = Some("fms".into())),
            low,
            "managed_elsewhere",
        ),
        (
            "a default network ACL",
            with(|gate| facts(gate).is_default = true),
            low,
            "default_acl",
        ),
        (
            "too many subnets",
            with(|gate| gate.policy.limits.shared_subnets = 0),
            low,
            "shared_acl",
        ),
        (
            "too many evictions",
            with(|gate| gate.policy.limits.evictions_per_hour = 0),
            low,
            "eviction_rate",
        ),
        (
            "too many evictions: not for people",
            with(|gate| gate.policy.limits.evictions_per_hour = 0),
            Person,
            "71 for 185.220.101.2",
        ),
        ("shadow", with(|gate| gate.policy.mode = Mode::Shadow), low, "shadow"),
        (
            "evicted before, no activity since",
            with(|gate| gate.rows.push(evicted(60))),
            low,
            "evicted_before",
        ),
        (
            "evicted before, activity since",
            with(|gate| gate.rows.push(evicted(59))),
            low,
            "71 for 185.220.101.2",
        ),
        (
            "denied already",
            with(|gate| gate.rows[0].cidr = net("185.220.101.9/32")),
            low,
            "already_blocked",
        ),
        (
            "denied by a wider entry",
            with(|gate| gate.rows[0].cidr = net("185.220.101.0/24")),
            low,
            "already_blocked",
        ),
        (
            "denied, and on its way out",
            with(|gate| {
                gate.rows[0] = going(stands("185.220.101.9/32", 71, 2.0));
            }),
            low,
            "held_off",
        ),
    ];
    let failed: Vec<String> = table
        .into_iter()
        .map(|(name, gate, by, expected)| (name, shown(planned(&gate, "185.220.101.9/32", by).0), expected))
        .filter(|(_, got, expected)| got != expected)
        .map(|(name, got, expected)| format!("{name}: got {got}, expected {expected}"))
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn an_entry_stands_for_as_long_as_its_severity_says_and_each_hit_begins_anew() {
    let expiring = |renew: bool| {
        with(|gate| {
            gate.policy.expiry.low_hours = 1;
            gate.policy.expiry.high_hours = 24;
            gate.policy.expiry.renew = renew;
            gate.rows[0].expires = Some(at(70));
        })
    };
    let end = |gate: &Gate, cidr: &str, by: By| {
        let (_, draft) = planned(gate, cidr, by);
        draft
            .row(&key(), Direction::Ingress, net(cidr))
            .expect("an entry")
            .expires
    };
    let (new, old) = ("185.220.101.9/32", "185.220.101.2/32");
    for (name, got, expected) in [
        ("low", end(&expiring(true), new, By::Finding(2.0)), Some(at(120))),
        ("medium has no end", end(&expiring(true), new, By::Finding(5.0)), None),
        (
            "high",
            end(&expiring(true), new, By::Finding(8.0)),
            Some(at(60 + 24 * 60)),
        ),
        ("a person's has none", end(&expiring(true), new, By::Person), None),
        (
            "a hit renews",
            end(&expiring(true), old, By::Finding(2.0)),
            Some(at(120)),
        ),
        (
            "a hit of no end changes nothing",
            end(&expiring(true), old, By::Finding(5.0)),
            Some(at(70)),
        ),
        (
            "a hit does not renew",
            end(&expiring(false), old, By::Finding(2.0)),
            Some(at(70)),
        ),
    ] {
        assert_eq!(got, expected, "{name}");
    }
    let mut persons = expiring(true);
    persons.rows[0] = person(persons.rows[0].clone());
    assert_eq!(
        end(&persons, old, By::Finding(2.0)),
        Some(at(70)),
        "a person's end stays"
    );
}

#[test]
fn a_flood_is_told_once_and_again_when_its_time_is_over() {
    let mut gate = with(|gate| {
        gate.policy.limits.flood_addresses = 2;
        gate.meta.wanted = vec![at(51), at(59)];
    });
    let (_, draft) = planned(&gate, "185.220.101.9/32", By::Finding(2.0));
    assert_eq!(draft.alerts().len(), 1);
    let told = draft.meta(&key()).expect("a network ACL").clone();
    assert_eq!((told.alarmed, told.wanted.len()), (Some(at(60)), 0));
    gate.meta = told;
    assert_eq!(planned(&gate, "185.220.101.9/32", By::Finding(2.0)).1.alerts().len(), 0);
    // Ten minutes is the time over which a flood is counted.
    gate.meta.alarmed = Some(at(50));
    gate.meta.wanted = vec![at(50), at(59)];
    let over = planned(&gate, "185.220.101.9/32", By::Finding(2.0)).1;
    assert_eq!(over.alerts().len(), 0, "one is too old to count");
    gate.meta.wanted = vec![at(51), at(59)];
    assert_eq!(planned(&gate, "185.220.101.9/32", By::Finding(2.0)).1.alerts().len(), 1);
    assert_eq!(
        planned(&gate, "185.220.101.9/32", By::Person).1.alerts().len(),
        0,
        "people are no flood"
    );
}
