//! What was decided about one address of one finding. Plain values, so that deciding is a pure function.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

pub use crate::finding::{FindingSummary, RemoteOrigin};

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

impl Verdict {
    /// `block`, `alert` or `ignore`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Block => "block",
            Verdict::Alert => "alert",
            Verdict::Ignore => "ignore",
        }
    }
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
