//! What people and pages read of the responder: plain, serialisable views of ledger, audit and outbox.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::network_acl::{AclKey, Direction};

/// Whether decisions touch anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Decide and tell, touch nothing.
    #[default]
    Shadow,
    /// Act on the accounts that the policy names.
    Enforce,
}

/// One ledger entry: one line of `portcullis list --json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EntryReport {
    /// Account of the network ACL.
    pub account: String,
    /// Region of the network ACL.
    pub region: String,
    /// `acl-...`
    pub nacl: String,
    /// Which way.
    pub direction: Direction,
    /// Rule number; `None` once removed.
    pub rule: Option<u16>,
    /// What is denied.
    pub cidr: IpNet,
    /// `planned`, `applied`, `evicting`, `expiring`, `removed`, `foreign` or `rejected`.
    pub state: String,
    /// First confirmed, or first planned while it is not.
    pub since: DateTime<Utc>,
    /// When it goes by itself.
    pub expires: Option<DateTime<Utc>>,
    /// Findings that named it, versions counted.
    pub hits: u64,
    /// Last activity.
    pub last_seen: DateTime<Utc>,
    /// Ids of the findings, the newest last, bounded.
    pub findings: Vec<String>,
    /// Type of the newest finding; empty for a manual block.
    pub finding_type: String,
    /// Highest severity seen; 0 for a manual block.
    pub severity: f64,
    /// Country of the address, when a finding named it.
    pub country: Option<String>,
    /// Organisation of the address, when a finding named it.
    pub organisation: Option<String>,
    /// Why it was removed, once it was.
    pub removed_because: Option<String>,
    /// Place in the order of eviction, 1 goes next; `None` unless it stands or is planned.
    pub eviction_order: Option<u32>,
}

/// One network ACL and direction: how full the gate is and who goes next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AclReport {
    /// Which network ACL.
    #[serde(flatten)]
    pub key: AclKey,
    /// VPC it belongs to, when known.
    pub vpc: Option<String>,
    /// Subnets it guards.
    pub subnets: Vec<String>,
    /// Which way.
    pub direction: Direction,
    /// First and last rule number that the responder may use.
    pub range: (u16, u16),
    /// How many managed entries it may hold.
    pub limit: usize,
    /// EC2's quota for entries of this direction.
    pub quota: usize,
    /// Managed entries, the next to be evicted first.
    pub managed: Vec<EntryReport>,
    /// Entries that others made, the default deny excluded.
    pub foreign: Vec<crate::network_acl::Entry>,
}

impl AclReport {
    /// Rule numbers that managed entries hold: one that waits for a number holds none, and one that takes another's place shares it.
    #[must_use]
    pub fn held(&self) -> usize {
        let rules = self.managed.iter().filter_map(|entry| entry.rule);
        rules.collect::<BTreeSet<u16>>().len()
    }
}

/// One transition, refusal or manual act. `number` is a total order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditReport {
    /// Total order over the ledger.
    pub number: u64,
    /// When.
    pub at: DateTime<Utc>,
    /// `planned`, `applied`, `evicted`, `removed`, `refused`, `unblocked`, `allowed`, ... documented in `respond::audit`.
    pub event: String,
    /// Which network ACL, when one is concerned.
    pub acl: Option<AclKey>,
    /// Which way, when an entry is concerned.
    pub direction: Option<Direction>,
    /// Rule number, when an entry is concerned.
    pub rule: Option<u16>,
    /// The address, when there is one.
    pub cidr: Option<IpNet>,
    /// A word of `docs/reasons.md`, or the person's words for a manual act.
    pub reason: String,
    /// Finding id, when there is one.
    pub finding: Option<String>,
    /// `responder`, or who did it by hand.
    pub who: String,
}

/// One message of the outbox, as it goes to Slack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessageReport {
    /// Total order over the outbox.
    pub number: u64,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// When it was delivered.
    pub sent: Option<DateTime<Utc>>,
    /// Attempts so far.
    pub attempts: u32,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// Addresses it tells of.
    pub addresses: Vec<IpNet>,
    /// The Block Kit payload: `{"text": .., "attachments"|"blocks": [..]}`.
    pub payload: serde_json::Value,
}

/// `portcullis status`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StatusReport {
    /// Shadow or enforce.
    pub mode: Mode,
    /// Whether a person paused blocking, who and why.
    pub paused: Option<String>,
    /// Entries that stand.
    pub applied: u64,
    /// Entries planned and not confirmed.
    pub pending: u64,
    /// Age of the oldest pending one, in seconds.
    pub pending_age_seconds: u64,
    /// Transitions to applied, ever.
    pub blocked: u64,
    /// Evictions, ever.
    pub evicted: u64,
    /// Expiries, ever.
    pub expired: u64,
    /// Decisions that blocked nothing, by reason.
    pub not_blocked: std::collections::BTreeMap<String, u64>,
    /// Findings read, versions counted.
    pub findings: u64,
    /// Records that could not be read as findings, repeats counted.
    pub unreadable: u64,
    /// Outbox rows.
    pub alerts: u64,
    /// Messages delivered.
    pub messages: u64,
    /// Messages waiting.
    pub messages_waiting: u64,
    /// One row per network ACL and direction.
    pub acls: Vec<AclReport>,
}
