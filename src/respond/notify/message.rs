//! The Slack message: what was blocked, why, and how to undo it, readable in ten seconds.

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::finding::{FindingSummary, RemoteOrigin};
use crate::network_acl::{AclKey, Direction};
use crate::respond::reason::Reason;

/// What happened, from a person's point of view. One alert tells of one transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// A deny entry was confirmed.
    Blocked,
    /// Shadow mode or a dry run: the entry would have been made.
    WouldBlock,
    /// Decided against, or not possible; the reason says why.
    NotBlocked,
    /// A person took the entry away.
    Unblocked,
    /// The entry went by itself, at the end of its time or because an allow-list entry covers it.
    Removed,
    /// `portcullis notify test`.
    Test,
}

/// Where an entry stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// Which network ACL.
    pub acl: AclKey,
    /// Which way.
    pub direction: Direction,
    /// Rule number, when one is or was taken.
    pub rule: Option<u16>,
}

/// One transition that a person should know of: one row of the outbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// When it happened.
    pub at: DateTime<Utc>,
    /// What happened.
    pub kind: AlertKind,
    /// Why.
    pub reason: Reason,
    /// The address or prefix, when there is one.
    pub address: Option<IpNet>,
    /// Where it is.
    pub origin: RemoteOrigin,
    /// The finding; `None` for what a person did.
    pub finding: Option<FindingSummary>,
    /// The entry, when one is concerned.
    pub place: Option<Place>,
    /// The prefix whose entry had to go for this one.
    pub evicted: Option<IpNet>,
    /// Who did it by hand.
    pub who: Option<String>,
    /// The person's words, or what went wrong.
    pub note: Option<String>,
}

/// One Slack payload that tells of all the alerts, oldest first.
#[must_use]
pub fn message(alerts: &[Alert]) -> Value {
    serde_json::json!({"text": format!("{} alerts", alerts.len())})
}
