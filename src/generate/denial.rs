//! Which addresses the network ACLs deny, as the responder reported it back to the story.

use std::net::Ipv4Addr;

use chrono::{DateTime, Utc};
use ipnet::IpNet;

use crate::network_acl::Direction;

/// One deny that stands.
#[derive(Clone, Debug)]
struct Denial {
    cidr: IpNet,
    acl: String,
    direction: Direction,
    from: DateTime<Utc>,
}

/// The denies that stand. There are few: network ACLs hold a handful of entries.
#[derive(Clone, Debug, Default)]
pub(crate) struct Denials(Vec<Denial>);

impl Denials {
    /// A deny stands from then on. Told twice, the earlier time holds.
    pub(crate) fn add(&mut self, cidr: IpNet, acl: &str, direction: Direction, from: DateTime<Utc>) {
        let cidr = cidr.trunc();
        match self.0.iter_mut().find(|denial| denial.is(cidr, acl, direction)) {
            Some(denial) => denial.from = denial.from.min(from),
            None => self.0.push(Denial {
                cidr,
                acl: acl.to_owned(),
                direction,
                from,
            }),
        }
    }

    /// A deny is gone.
    pub(crate) fn remove(&mut self, cidr: IpNet, acl: &str, direction: Direction) {
        let cidr = cidr.trunc();
        self.0.retain(|denial| !denial.is(cidr, acl, direction));
    }

    /// Since when traffic between that address and the subnets of that network ACL is denied, if it is at that time.
    pub(crate) fn since(
        &self,
        address: Ipv4Addr,
        acl: &str,
        direction: Direction,
        at: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        self.0
            .iter()
            .filter(|denial| denial.acl == acl && denial.direction == direction && denial.from <= at)
            .find(|denial| denial.cidr.contains(&std::net::IpAddr::V4(address)))
            .map(|denial| denial.from)
    }
}

impl Denial {
    fn is(&self, cidr: IpNet, acl: &str, direction: Direction) -> bool {
        self.cidr == cidr && self.acl == acl && self.direction == direction
    }
}
