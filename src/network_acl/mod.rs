//! Network ACL entries: the trait that the responder acts through, and what stands behind it.

use std::fmt;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// Which way the traffic goes that an entry judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Traffic into the subnet.
    Ingress,
    /// Traffic out of the subnet.
    Egress,
}

impl Direction {
    /// `ingress` or `egress`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Direction::Ingress => "ingress",
            Direction::Egress => "egress",
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Names one network ACL: everything the responder does, it does within one of these.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AclKey {
    /// Twelve-digit account id.
    pub account: String,
    /// Region, such as `eu-west-1`.
    pub region: String,
    /// `acl-...`
    pub acl: String,
}

/// One entry of a network ACL, as EC2 describes it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Entry {
    /// 1 to 32766; the lowest matching number wins.
    pub rule: u16,
    /// Which way.
    pub direction: Direction,
    /// Canonical CIDR (host bits are zero).
    pub cidr: IpNet,
    /// Protocol number as text; `-1` is every protocol.
    pub protocol: String,
    /// Whether the entry allows; the responder only ever writes denies.
    pub allow: bool,
}
