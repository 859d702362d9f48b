//! What is put on the stream, and what has to come of it: pure, the same for the same number of events.
//!
//! Findings are told of again and again, as GuardDuty does: [`ACTIVE`] of them at a time, each in [`VERSIONS`] versions, then the next
//! ones. Five findings share an address, so most repeat one that is known. Every twentieth finding is one of [`SHARES`]. Some records
//! come twice, some again after a newer version, and some are none that could ever be read.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use portcullis::network_acl::Direction;
use serde_json::{Value, json};

use super::odd::{HOSTILE, REFUSED};
use crate::account::{ACCOUNT, REGION};
use crate::findings::{self, Kind, finding};

/// Findings that are told of at a time, and how often each is.
const ACTIVE: usize = 40;
const VERSIONS: usize = 25;

/// Findings of one address.
const REPEATS: usize = 5;

/// Slots that one finding may take.
const SLOTS: usize = 5;

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// SSH brute force by one address.
    Attack,
    /// The same, on an instance in two subnets.
    Twice,
    /// Port probes by three addresses.
    Probe,
    /// Port probes by thirty: five are blocked, people are told of the rest.
    Crowd,
    /// A call home: no traffic either way.
    Home,
    /// One of [`REFUSED`]: nothing is blocked.
    Refused,
    /// One of [`HOSTILE`].
    Hostile,
}

/// Of twenty findings, in turn.
const SHARES: &[(usize, What)] = &[
    (8, What::Attack),
    (1, What::Twice),
    (4, What::Probe),
    (2, What::Home),
    (3, What::Refused),
    (2, What::Hostile),
];

/// Of the hostile findings one in so many is a crowd.
const CROWDS: usize = 10;

/// A network ACL, and the subnet that it guards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gate {
    pub(crate) acl: String,
    pub(crate) subnet: String,
}

/// An entry: network ACL, direction, address.
pub(crate) type Entry = (String, Direction, String);

/// The events.
pub(super) struct Events {
    pub(super) count: usize,
    pub(super) began: DateTime<Utc>,
    pub(super) gates: Vec<Gate>,
}

/// What has to come of them.
#[derive(Default)]
pub(crate) struct Expected {
    /// Findings, each with its newest version and how many there are.
    pub(crate) findings: BTreeMap<String, (DateTime<Utc>, u64)>,
    /// Every entry that was ever planned, and no other.
    pub(crate) entries: BTreeSet<Entry>,
    /// Digests of the records that cannot be read.
    pub(crate) unreadable: BTreeSet<String>,
}

impl Events {
    /// Which finding an event tells of, and in which version.
    fn of(n: usize) -> (usize, usize) {
        let within = n % (ACTIVE * VERSIONS);
        (n / (ACTIVE * VERSIONS) * ACTIVE + n % ACTIVE, within / ACTIVE)
    }

    fn id(finding: usize) -> String {
        format!("f{finding}")
    }

    fn updated(&self, version: usize) -> DateTime<Utc> {
        let version = i64::try_from(version).expect("a small number");
        self.began - TimeDelta::hours(1) + TimeDelta::seconds(version)
    }

    fn what(finding: usize) -> What {
        let mut turn = finding % 20;
        for (share, what) in SHARES {
            if turn < *share {
                let crowd = *what == What::Hostile && (finding / 20).is_multiple_of(CROWDS);
                return if crowd { What::Crowd } else { *what };
            }
            turn -= share;
        }
        unreachable!("the shares are twenty")
    }

    /// Findings of one kind that stand side by side share an address.
    fn addresses(finding: usize) -> Vec<String> {
        let what = Self::what(finding);
        // Twenty apart are of one kind.
        let (group, kind) = (finding / 20 / REPEATS, finding % 20);
        let attacker = match what {
            What::Crowd => finding / 20 * 20 + kind,
            _ => group * 20 + kind,
        };
        let (high, low) = (100 + attacker / 250, attacker % 250);
        let many = match what {
            What::Probe => 3,
            What::Crowd => 30,
            _ => 1,
        };
        let first = 1 + 40 * usize::from(what == What::Crowd);
        assert!(high < 256, "there are no addresses for so many events");
        (first..first + many)
            .map(|last| format!("185.{high}.{low}.{last}"))
            .collect()
    }

    fn gates_of(&self, finding: usize) -> Vec<&Gate> {
        let count = self.gates.len();
        let group = finding / 20 / REPEATS * 20 + finding % 20;
        let at = |next: usize| &self.gates[(group + next) % count];
        let many = if Self::what(finding) == What::Twice { 2 } else { 1 };
        (0..many.min(count)).map(at).collect()
    }

    /// The finding of an event, as GuardDuty writes it.
    fn finding(&self, finding_number: usize, version: usize) -> Vec<u8> {
        let what = Self::what(finding_number);
        let kind = match what {
            What::Probe | What::Crowd => Kind::Probe,
            What::Home => Kind::Outbound,
            _ => Kind::Inbound,
        };
        let addresses = Self::addresses(finding_number);
        let subnets: Vec<String> = self
            .gates_of(finding_number)
            .iter()
            .map(|gate| gate.subnet.clone())
            .collect();
        let updated = self.updated(version);
        let record = finding(&Self::id(finding_number), kind, &addresses, &subnets, updated, updated);
        let record = of_account(&record);
        if !matches!(what, What::Refused | What::Hostile) {
            return record;
        }
        let mut record: Value = serde_json::from_slice(&record).expect("JSON");
        let turn = finding_number / 20 + finding_number % 20;
        if what == What::Refused {
            (REFUSED[turn % REFUSED.len()].change)(&mut record);
        } else {
            (HOSTILE[turn % HOSTILE.len()].change)(&mut record);
        }
        record.to_string().into_bytes()
    }

    /// The records of an event: it, and what else is put beside it, all under one key.
    pub(super) fn records(&self, n: usize) -> Vec<(String, Vec<u8>)> {
        let (finding, version) = Self::of(n);
        let record = self.finding(finding, version);
        let mut records = vec![wrapped(n, &record)];
        if n % 20 == 3 {
            records.push(record);
        }
        if n % 30 == 11 && version > 0 {
            records.push(self.finding(finding, version - 1));
        }
        if n % 50 == 7 {
            records.push(poison(n));
        }
        let key = Self::id(finding);
        records.into_iter().map(|record| (key.clone(), record)).collect()
    }

    /// What has to come of all of them.
    pub(super) fn expected(&self) -> Expected {
        let mut expected = Expected::default();
        for n in 0..self.count {
            let (finding, version) = Self::of(n);
            let id = format!("{ACCOUNT}/{REGION}/{}", Self::id(finding));
            let newest = expected.findings.entry(id).or_default();
            *newest = (newest.0.max(self.updated(version)), newest.1 + 1);
            if n % 50 == 7 {
                let digest = blake3::hash(&poison(n)).to_hex().to_string();
                expected.unreadable.insert(digest);
            }
            if version == 0 {
                expected.entries.extend(self.entries(finding));
            }
        }
        expected
    }

    fn entries(&self, finding: usize) -> Vec<Entry> {
        let what = Self::what(finding);
        let ways: &[Direction] = match what {
            What::Refused => &[],
            What::Hostile if !HOSTILE[(finding / 20 + finding % 20) % HOSTILE.len()].blocks => &[],
            What::Home => &[Direction::Ingress, Direction::Egress],
            _ => &[Direction::Ingress],
        };
        let mut entries = Vec::new();
        for gate in self.gates_of(finding) {
            for way in ways {
                let addresses = Self::addresses(finding).into_iter().take(SLOTS);
                entries.extend(addresses.map(|address| (gate.acl.clone(), *way, format!("{address}/32"))));
            }
        }
        entries
    }
}

/// A finding, moved to the emulator's account and region.
pub(crate) fn of_account(record: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(record);
    let text = text.replace(findings::ACCOUNT, ACCOUNT);
    text.replace(findings::REGION, REGION).into_bytes()
}

/// A record that is none.
fn poison(n: usize) -> Vec<u8> {
    match n % 3 {
        0 => format!("poison {n}").into_bytes(),
        1 => format!("{{\"type\":\"no:finding\",\"n\":{n}").into_bytes(),
        _ => [&[0x1f, 0x8b, 0xff][..], n.to_string().as_bytes()].concat(),
    }
}

/// A record, in one form after the other.
fn wrapped(n: usize, finding: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(finding).into_owned();
    match n % 10 {
        0 => format!("{{\"detail-type\":\"GuardDuty Finding\",\"detail\":{text}}}").into_bytes(),
        1 => {
            let subscription = json!({"messageType": "DATA_MESSAGE", "owner": ACCOUNT, "logGroup": "g", "logStream": "s",
                "subscriptionFilters": ["f"], "logEvents": [{"id": "1", "timestamp": 1, "message": text}]});
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(subscription.to_string().as_bytes()).expect("memory");
            gzip.finish().expect("memory")
        }
        _ => finding.to_vec(),
    }
}
