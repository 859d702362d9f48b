//! What was decided about one address of one finding. Plain values, so that deciding is a pure function.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::reason::Reason;
use crate::network_acl::Direction;

/// The three things that can be decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Deny the address on the network ACLs of the subnets named.
    Block,
    /// Tell people; touch nothing.
    Alert,
    /// Neither: record the reason only.
    Ignore,
}

/// What the ledger, the alert and the response document keep of a finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FindingSummary {
    /// GuardDuty's finding id.
    pub id: String,
    /// Full type, such as `UnauthorizedAccess:EC2/SSHBruteForce`.
    pub finding_type: String,
    /// 1.0 to 10.0.
    pub severity: f64,
    /// Account that the finding is about.
    pub account: String,
    /// Region that the finding is about.
    pub region: String,
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: String,
    /// GuardDuty's title; attacker-influenced text.
    pub title: String,
    /// GuardDuty's description; attacker-influenced text.
    pub description: String,
    /// When this version was written.
    pub updated_at: DateTime<Utc>,
    /// Last activity.
    pub last_seen: DateTime<Utc>,
    /// How often the activity was seen.
    pub count: u64,
    /// The instance, function or other resource it is about, when named.
    pub resource: Option<String>,
}

/// Where the remote address is, as GuardDuty says; shown to people, never decided on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteOrigin {
    /// Country name.
    pub country: Option<String>,
    /// City name.
    pub city: Option<String>,
    /// Organisation or autonomous-system name.
    pub organisation: Option<String>,
    /// Autonomous-system number.
    pub asn: Option<u32>,
}

/// One decision: one address of one finding, or the finding as a whole when it names none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The finding it is about.
    pub finding: FindingSummary,
    /// The remote address, when there is one.
    pub address: Option<IpAddr>,
    /// Where that address is.
    pub origin: RemoteOrigin,
    /// What was decided.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// Directions to deny; empty unless the verdict is a block.
    pub directions: Vec<Direction>,
    /// Subnets whose network ACLs are meant.
    pub subnets: Vec<String>,
}
