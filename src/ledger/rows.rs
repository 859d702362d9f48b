//! What the ledger keeps, as plain values. A store may cut them into items or columns as it likes.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::state::{Event, State};
use crate::network_acl::{AclKey, Direction, Entry};

/// One entry: one address in one direction of one network ACL, over all its lives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Which network ACL.
    pub acl: AclKey,
    /// Which way.
    pub direction: Direction,
    /// What is denied.
    pub cidr: IpNet,
    /// Where it stands.
    pub state: State,
    /// Its rule number while it holds one.
    pub rule: Option<u16>,
    /// The address whose entry it replaces at that number, while it is planned.
    pub replaces: Option<IpNet>,
    /// Place in the order of planning: the lowest is evicted first.
    pub seq: u64,
    /// First confirmed, or planned while it is not.
    pub since: DateTime<Utc>,
    /// When the present life began: planned at.
    pub planned_at: DateTime<Utc>,
    /// Last activity that a finding told of.
    pub last_seen: DateTime<Utc>,
    /// Findings that named it, versions counted.
    pub hits: u64,
    /// When it goes by itself.
    pub expires: Option<DateTime<Utc>>,
    /// Finding ids, the newest last, bounded.
    pub findings: Vec<String>,
    /// Highest severity seen; 0 for a manual block.
    pub severity: f64,
    /// Why it is to go, once it is to go: by whom, in whose words.
    pub removal: Option<Removal>,
    /// When it went.
    pub gone_at: Option<DateTime<Utc>>,
    /// Why it went: `evicted`, `unblocked`, ... or EC2's code.
    pub because: Option<String>,
    /// Who asked for it: `responder` or a person.
    pub who: String,
    /// What alerts and lists say about it; the ledger does not look inside.
    pub about: Value,
}

impl Row {
    /// The entry that this row stands for, once it has a rule number.
    #[must_use]
    pub fn entry(&self) -> Option<Entry> {
        self.rule.map(|rule| Entry::deny(rule, self.direction, self.cidr))
    }
}

/// A removal that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// The event that will tell of it: `unblocked`, `expired` or `removed`.
    pub event: Event,
    /// Who asked.
    pub who: String,
    /// Why, a word or a person's words.
    pub reason: String,
}

/// Who may act on a network ACL, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Names the process.
    pub owner: String,
    /// It ends by itself then.
    pub until: DateTime<Utc>,
}

/// What was last seen of a network ACL that limits planning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// When it was described.
    pub at: DateTime<Utc>,
    /// VPC.
    pub vpc: Option<String>,
    /// Whether it is its VPC's default network ACL.
    pub is_default: bool,
    /// Subnets that share it.
    pub subnets: Vec<String>,
    /// Entries allowed per direction.
    pub quota: usize,
    /// Every entry that is not the ledger's.
    pub foreign: Vec<Entry>,
}

/// What holds for a network ACL as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// Which network ACL.
    pub acl: AclKey,
    /// Grows by one with every change; 0 is a network ACL that was never written to.
    pub version: u64,
    /// The next place in the order of planning.
    pub next_seq: u64,
    /// Who acts.
    pub lease: Option<Lease>,
    /// What was last seen of it.
    pub facts: Option<Facts>,
    /// When evictions were planned within the last hour.
    pub evictions: Vec<DateTime<Utc>>,
}

impl Meta {
    /// A network ACL that was never written to.
    #[must_use]
    pub fn new(acl: AclKey) -> Self {
        Self {
            acl,
            version: 0,
            next_seq: 1,
            lease: None,
            facts: None,
            evictions: Vec::new(),
        }
    }
}

/// What is remembered of a finding: its newest version and what it used up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingRow {
    /// GuardDuty's finding id, with account and region in front, since ids are unique per detector only.
    pub id: String,
    /// Condition of the next write.
    pub version: u64,
    /// The newest version that was processed.
    pub updated_at: DateTime<Utc>,
    /// New slots taken over all versions.
    pub slots: usize,
    /// Versions processed.
    pub versions: u64,
    /// What people were told already, `<reason> <address>`, bounded.
    pub told: Vec<String>,
}

/// One network of the allow-list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowance {
    /// Never blocked, nor anything that overlaps it.
    pub cidr: IpNet,
    /// Until then; `None` for good.
    pub until: Option<DateTime<Utc>>,
    /// Who put it there.
    pub who: String,
    /// Why, in that person's words.
    pub reason: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// A person's unblock that still holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldOff {
    /// Not blocked by findings, nor anything that overlaps it.
    pub cidr: IpNet,
    /// Only there; `None` everywhere.
    pub acl: Option<AclKey>,
    /// Until then.
    pub until: DateTime<Utc>,
    /// Who unblocked.
    pub who: String,
    /// Why, in that person's words.
    pub reason: String,
}

/// What people decided for every network ACL at once, behind a version of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lists {
    /// Grows with every change.
    pub version: u64,
    /// The allow-list, with ends.
    pub allow: Vec<Allowance>,
    /// Unblocks that still hold.
    pub holds: Vec<HoldOff>,
}

/// One network ACL as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct AclView {
    /// The whole's.
    pub meta: Meta,
    /// Every live entry, and those of the addresses asked for in any state.
    pub rows: Vec<Row>,
}

/// One consistent read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// One per network ACL asked for, in that order.
    pub acls: Vec<AclView>,
    /// Those of the findings asked for that are known.
    pub findings: Vec<FindingRow>,
    /// Allow-list and hold-offs.
    pub lists: Lists,
}

/// One transition, refusal or manual act.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditRow {
    /// Total order, given by the store on commit; 0 before.
    #[serde(skip)]
    pub number: u64,
    /// When.
    pub at: DateTime<Utc>,
    /// What happened.
    pub event: Event,
    /// Which network ACL.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub acl: Option<AclKey>,
    /// Which way.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub direction: Option<Direction>,
    /// Rule number.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rule: Option<u16>,
    /// The address.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cidr: Option<IpNet>,
    /// A word, or a person's words.
    pub reason: String,
    /// Finding id.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub finding: Option<String>,
    /// `responder` or a person.
    pub who: String,
    /// What response documents say beside; the ledger does not look inside.
    #[serde(skip_serializing_if = "Value::is_null", default)]
    pub about: Value,
}

/// One thing that people should know of; a burst of them becomes one message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlertRow {
    /// Total order, given by the store on commit; 0 before.
    #[serde(skip)]
    pub number: u64,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// The address it tells of.
    pub address: Option<IpNet>,
    /// What it tells; the ledger does not look inside.
    pub body: Value,
}

/// One message to people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessageRow {
    /// Total order, given by the store; 0 before.
    pub number: u64,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// Addresses it tells of.
    pub addresses: Vec<IpNet>,
    /// What is sent.
    pub payload: Value,
    /// When it was delivered.
    pub sent: Option<DateTime<Utc>>,
    /// Attempts so far.
    pub attempts: u32,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
}

/// A record that is no finding that can be read: kept, so that it neither blocks anything nor is lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreadable {
    /// blake3 of the whole record, in hexadecimal.
    pub digest: String,
    /// When it came first.
    pub at: DateTime<Utc>,
    /// How often it came.
    pub times: u64,
    /// Why it cannot be read.
    pub reason: String,
    /// Its length in bytes.
    pub length: usize,
    /// Its first bytes, bounded.
    pub bytes: Vec<u8>,
}

/// Numbers for `status`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Audit rows by event.
    pub events: BTreeMap<String, u64>,
    /// Decisions by reason.
    pub decided: BTreeMap<String, u64>,
    /// Findings, versions counted.
    pub findings: u64,
    /// Alerts.
    pub alerts: u64,
    /// Messages delivered.
    pub sent: u64,
    /// Messages that wait.
    pub waiting: u64,
}
