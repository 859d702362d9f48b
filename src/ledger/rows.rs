//! What the ledger keeps, as plain values. A store may cut them into items or columns as it likes.

use std::collections::BTreeMap;

use std::sync::Arc;

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
    /// Whether a person wants it never to be evicted nor to expire.
    #[serde(default)]
    pub pinned: bool,
    /// Numbers that it held before, the newest last, bounded: what a late call may still bring back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<Held>,
    /// Since when a description says otherwise than the ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<DateTime<Utc>>,
    /// When what stands was last made to agree with it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repaired: Option<DateTime<Utc>>,
    /// Somebody else's allow that people were told of, because it matches before this entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_at: Option<u16>,
    /// What alerts and lists say about it; the ledger does not look inside. Shared, since planning works on copies of entries.
    pub about: Arc<Value>,
}

/// A rule number that an entry gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The number.
    pub rule: u16,
    /// When it was given up.
    pub until: DateTime<Utc>,
}

/// Numbers that an entry remembers to have held.
const MOST_HELD: usize = 8;

impl Row {
    /// Gives the rule number up, and remembers it.
    pub fn leave_number(&mut self, now: DateTime<Utc>) {
        if let Some(rule) = self.rule.take() {
            self.held.retain(|held| held.rule != rule);
            self.held.push(Held { rule, until: now });
            let surplus = self.held.len().saturating_sub(MOST_HELD);
            self.held.drain(..surplus);
        }
        self.replaces = None;
    }

    /// When its entry was last known to be called for: `since`, or the last repair.
    #[must_use]
    pub fn confirmed_at(&self) -> DateTime<Utc> {
        self.repaired.map_or(self.since, |at| at.max(self.since))
    }

    /// When it gave up a number that it held.
    #[must_use]
    pub fn left(&self, rule: u16) -> Option<DateTime<Utc>> {
        self.held.iter().find(|held| held.rule == rule).map(|held| held.until)
    }

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
    /// Who else manages it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed_by: Option<String>,
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
    /// When it was last unknown what a call came to: its answer was lost, or whoever held the lease did not give it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsure: Option<DateTime<Utc>>,
    /// When findings wanted new entries lately, bounded; to notice a flood.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wanted: Vec<DateTime<Utc>>,
    /// When people were last told of a flood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarmed: Option<DateTime<Utc>>,
    /// When somebody else removed entries within the last hour.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removals: Vec<DateTime<Utc>>,
    /// Entries that stand where no entry of the ledger is, and that it once planned there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub strays: Vec<Stray>,
    /// Since when nothing new is made here, because somebody else keeps removing entries. A person's `resume` ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<DateTime<Utc>>,
}

/// An entry that a late call of ours made, as far as can be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stray {
    /// What stands.
    pub entry: Entry,
    /// When it was first seen.
    pub since: DateTime<Utc>,
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
            unsure: None,
            wanted: Vec::new(),
            alarmed: None,
            removals: Vec::new(),
            strays: Vec::new(),
            stopped: None,
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
    /// Nothing new is made while it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<Pause>,
}

/// A person's word that nothing new is to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Who paused.
    pub who: String,
    /// Why, in that person's words.
    pub reason: String,
    /// When.
    pub at: DateTime<Utc>,
    /// It ends by itself then; `None` until somebody resumes.
    pub until: Option<DateTime<Utc>>,
}

impl Lists {
    /// The pause that holds now.
    #[must_use]
    pub fn paused(&self, now: DateTime<Utc>) -> Option<&Pause> {
        self.pause
            .as_ref()
            .filter(|pause| pause.until.is_none_or(|until| now < until))
    }
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
    /// What was asked for and is taken for new, because nobody remembers it; of a read, nothing.
    pub supposed_new: SupposedNew,
}

/// What nothing is remembered of. It may be there all the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SupposedNew {
    /// Entries that never were, in no state.
    pub entries: Vec<(AclKey, Direction, IpNet)>,
    /// Findings that were never processed.
    pub findings: Vec<String>,
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

impl AuditRow {
    /// What `who` did or noticed, with nothing said yet of a network ACL, an entry or a finding.
    #[must_use]
    pub fn new(event: Event, who: &str, reason: &str, at: DateTime<Utc>) -> Self {
        Self {
            number: 0,
            at,
            event,
            acl: None,
            direction: None,
            rule: None,
            cidr: None,
            reason: reason.to_owned(),
            finding: None,
            who: who.to_owned(),
            about: Value::Null,
        }
    }
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
    /// Not to be tried before.
    pub next: DateTime<Utc>,
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
    /// Messages that were given up.
    pub dead: u64,
}
