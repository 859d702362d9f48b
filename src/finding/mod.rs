//! A finding as the responder reads it, from every casing. Knows nothing of policy.
//!
//! One record holds one finding, in any of these forms, told apart by shape:
//!
//! - the EventBridge envelope, with the finding under `detail`;
//! - the bare finding in camelCase, as GuardDuty exports it to S3;
//! - the PascalCase of the API, `GetFindings`, as long as `Findings` holds one;
//! - Security Hub's copy of a GuardDuty finding (AWS Security Finding Format).
//!
//! ```
//! use portcullis::finding::Finding;
//!
//! let record = br#"{"detail-type":"GuardDuty Finding","detail":{
//!     "id":"a1","type":"Recon:EC2/PortProbeUnprotectedPort","severity":2,"accountId":"111122223333",
//!     "region":"eu-west-1","updatedAt":"2026-11-20T10:00:00Z","service":{"action":{}}}}"#;
//! let finding = Finding::parse(record)?;
//! assert_eq!(finding.severity_label(), "Low");
//! # Ok::<(), portcullis::finding::Error>(())
//! ```
//!
//! The fields follow "`GuardDuty` finding format" in the user guide and `Finding` in the API reference.

mod action;
mod asff;
mod error;
mod node;
mod read;

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use error::Error;

/// The largest record that is read, in bytes. `EventBridge` carries 256 KiB, a Kinesis record a little over 1 MB.
pub const MAX_BYTES: usize = 1 << 20;

/// The deepest nesting that is read. Real findings stay below 20.
pub const MAX_DEPTH: usize = 64;

/// The most remote addresses that are read of one finding; `GuardDuty` itself stops far below.
pub const MAX_REMOTES: usize = 100;

/// A `GuardDuty` finding, reduced to what deciding and telling need.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// `GuardDuty`'s finding id.
    pub id: String,
    /// Full type, such as `UnauthorizedAccess:EC2/SSHBruteForce`.
    pub finding_type: String,
    /// 0.0 to 10.0.
    pub severity: f64,
    /// Account that the finding is about.
    pub account: String,
    /// Region that the finding is about.
    pub region: String,
    /// `aws`, `aws-cn`, `aws-us-gov`, ...
    pub partition: String,
    /// `GuardDuty`'s title; attacker-influenced text.
    pub title: String,
    /// `GuardDuty`'s description; attacker-influenced text.
    pub description: String,
    /// When this version was written.
    pub updated_at: DateTime<Utc>,
    /// Last activity; `updated_at` where the finding does not say.
    pub last_seen: DateTime<Utc>,
    /// How often the activity was seen.
    pub count: u64,
    /// Whether a person archived it.
    pub archived: bool,
    /// Whether it was generated as a sample.
    pub sample: bool,
    /// What it is about.
    pub resource: Resource,
    /// What happened.
    pub action: Action,
}

/// The kind of resource, as far as network ACLs care.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ResourceKind {
    /// Something with a network interface in a subnet, or anything else that is no function.
    #[default]
    Instance,
    /// A Lambda function.
    Function,
}

/// The part that the resource played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Role {
    /// It was attacked.
    Target,
    /// It acted.
    Actor,
    /// The finding does not say, or says something else.
    #[default]
    Unknown,
}

/// The resource that a finding is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resource {
    /// Instance or function.
    pub kind: ResourceKind,
    /// Instance id, function name or the like.
    pub name: Option<String>,
    /// Actor or target.
    pub role: Role,
    /// Subnets of every network interface, without repeats, in the finding's order.
    pub subnets: Vec<String>,
    /// Identifier of the RDS instance, whose subnets a finding does not name.
    pub database: Option<String>,
}

/// Who opened the connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Flow {
    /// The remote party did.
    Inbound,
    /// The resource did.
    Outbound,
    /// The finding does not say, or says `UNKNOWN`.
    #[default]
    Unknown,
}

/// A remote party.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remote {
    /// Its address, IPv4-mapped forms reduced to IPv4; `None` when the finding holds none, or text that is no address.
    pub address: Option<IpAddr>,
    /// Where it is.
    pub origin: RemoteOrigin,
    /// Whether the traffic was already refused when `GuardDuty` saw it.
    pub blocked: bool,
}

/// What happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Action {
    /// `NETWORK_CONNECTION`
    NetworkConnection {
        /// Who opened it.
        flow: Flow,
        /// Transport protocol in upper case; empty when the finding does not say.
        protocol: String,
        /// The other side; usually one.
        remotes: Vec<Remote>,
    },
    /// `PORT_PROBE`: every address that probed.
    PortProbe(Vec<Remote>),
    /// `AWS_API_CALL`
    AwsApiCall(Vec<Remote>),
    /// `KUBERNETES_API_CALL`
    KubernetesApiCall(Vec<Remote>),
    /// `RDS_LOGIN_ATTEMPT`
    RdsLogin(Vec<Remote>),
    /// `DNS_REQUEST`; no address, on purpose.
    DnsRequest,
    /// Runtime, attack sequence, malware or unknown: the addresses it names, if any.
    Other(Vec<Remote>),
    /// The finding has no action.
    #[default]
    None,
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

impl Finding {
    /// Reads one record that holds one finding.
    ///
    /// # Errors
    ///
    /// Says which field is wrong and what to do: too large, too deep, no JSON, a key given twice, no finding, several
    /// findings, a finding of another product, or a field missing that nothing can be decided without.
    pub fn parse(record: &[u8]) -> Result<Self, Error> {
        read::finding(record)
    }

    /// What the ledger, the alert and the response document keep.
    #[must_use]
    pub fn summary(&self) -> FindingSummary {
        FindingSummary {
            id: self.id.clone(),
            finding_type: self.finding_type.clone(),
            severity: self.severity,
            account: self.account.clone(),
            region: self.region.clone(),
            partition: self.partition.clone(),
            title: self.title.clone(),
            description: self.description.clone(),
            updated_at: self.updated_at,
            last_seen: self.last_seen,
            count: self.count,
            resource: self.resource.name.clone(),
        }
    }

    /// `Low`, `Medium`, `High` or `Critical`.
    #[must_use]
    pub fn severity_label(&self) -> &'static str {
        severity_label(self.severity)
    }
}

/// `Low` (below 4), `Medium` (below 7), `High` (below 9) or `Critical`.
#[must_use]
pub fn severity_label(severity: f64) -> &'static str {
    match severity {
        s if s >= 9.0 => "Critical",
        s if s >= 7.0 => "High",
        s if s >= 4.0 => "Medium",
        _ => "Low",
    }
}

#[cfg(test)]
mod tests;
