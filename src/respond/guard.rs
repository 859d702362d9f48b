//! Addresses that are never blocked, whatever a finding or a person says.
//!
//! A guard tests overlap, not containment: a prefix that touches a guarded range is refused whole. IPv6 addresses that
//! carry an IPv4 address inside (mapped, NAT64, 6to4, Teredo) are judged as that address, too.
//!
//! ```
//! use chrono::Utc;
//! use portcullis::respond::{Reason, guard::{self, Knowledge}};
//!
//! let knowledge = Knowledge::default();
//! assert_eq!(guard::check("10.1.2.3/32".parse()?, &knowledge, Utc::now()), Some(Reason::Private));
//! assert_eq!(guard::check("185.220.101.4/32".parse()?, &knowledge, Utc::now()), None);
//! # Ok::<(), ipnet::AddrParseError>(())
//! ```
//!
//! The ranges follow the IANA special-purpose address registries for IPv4 and IPv6.

mod embedded;
mod nets;

use std::net::{Ipv4Addr, Ipv6Addr};

use chrono::{DateTime, Utc};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::policy::Policy;
use super::reason::Reason;
use embedded::embedded;
pub use nets::Nets;

/// What the guards know beside the fixed ranges: the policy's lists, the inventory and the ledger's allow-list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Knowledge {
    /// Our own public addresses.
    pub own_addresses: Nets,
    /// Our own and peered networks.
    pub own_networks: Nets,
    /// Addresses of AWS services other than EC2.
    pub aws_services: Nets,
    /// CDN, VPN, resolver and partner addresses.
    pub operator: Nets,
    /// The allow-list; an entry with a time holds until then, exclusively.
    pub allow: Vec<(IpNet, Option<DateTime<Utc>>)>,
    /// Shortest IPv4 prefix that may be denied; a shorter one is too wide.
    pub widest_prefix: u8,
    /// The same for IPv6.
    pub widest_prefix_v6: u8,
    /// Whether IPv6 addresses may be denied.
    pub ipv6: bool,
    /// Whether every list and inventory could be read and is fresh. When not, nothing is blocked.
    pub available: bool,
}

impl Default for Knowledge {
    fn default() -> Self {
        Self::of(&Policy::default())
    }
}

impl Knowledge {
    /// What the policy alone says. Add the inventory's and the ledger's rows to the fields.
    #[must_use]
    pub fn of(policy: &Policy) -> Self {
        let lists = &policy.lists;
        Self {
            own_addresses: lists.own_addresses.iter().copied().collect(),
            own_networks: lists.own_networks.iter().copied().collect(),
            aws_services: lists.aws_services.iter().copied().collect(),
            operator: lists.operator.iter().copied().collect(),
            allow: lists.allow.iter().map(|net| (*net, None)).collect(),
            widest_prefix: policy.limits.widest_prefix,
            widest_prefix_v6: policy.limits.widest_prefix_v6,
            ipv6: policy.ipv6,
            available: true,
        }
    }
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(high: u16, second: u16, third: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(high, second, third, 0, 0, 0, 0, 0), prefix)
}

/// IPv4 ranges that are never a remote party on the internet. The first that overlaps names the reason.
const V4: &[(Ipv4Net, Reason)] = &[
    (v4(0, 0, 0, 0, 8), Reason::Unspecified),
    (v4(127, 0, 0, 0, 8), Reason::Loopback),
    (v4(169, 254, 0, 0, 16), Reason::LinkLocal),
    (v4(10, 0, 0, 0, 8), Reason::Private),
    (v4(172, 16, 0, 0, 12), Reason::Private),
    (v4(192, 168, 0, 0, 16), Reason::Private),
    (v4(100, 64, 0, 0, 10), Reason::CarrierNat),
    (v4(224, 0, 0, 0, 4), Reason::Multicast),
    (v4(255, 255, 255, 255, 32), Reason::Multicast),
    (v4(192, 0, 2, 0, 24), Reason::Documentation),
    (v4(198, 51, 100, 0, 24), Reason::Documentation),
    (v4(203, 0, 113, 0, 24), Reason::Documentation),
    (v4(192, 0, 0, 0, 24), Reason::Reserved),
    (v4(192, 31, 196, 0, 24), Reason::Reserved),
    (v4(192, 52, 193, 0, 24), Reason::Reserved),
    (v4(192, 88, 99, 0, 24), Reason::Reserved),
    (v4(192, 175, 48, 0, 24), Reason::Reserved),
    (v4(198, 18, 0, 0, 15), Reason::Reserved),
    (v4(240, 0, 0, 0, 4), Reason::Reserved),
];

/// The same for IPv6, beside everything outside [`GLOBAL_V6`].
const V6: &[(Ipv6Net, Reason)] = &[
    (Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 128), Reason::Unspecified),
    (Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128), Reason::Loopback),
    (v6(0xfe80, 0, 0, 10), Reason::LinkLocal),
    (v6(0xfec0, 0, 0, 10), Reason::Private),
    (v6(0xfc00, 0, 0, 7), Reason::Private),
    (v6(0xff00, 0, 0, 8), Reason::Multicast),
    (v6(0x2001, 0x0db8, 0, 32), Reason::Documentation),
    (v6(0x3fff, 0, 0, 20), Reason::Documentation),
    (v6(0x2001, 0x0002, 0, 48), Reason::Reserved),
    (v6(0x2001, 0x0010, 0, 28), Reason::Reserved),
    (v6(0x2001, 0x0020, 0, 28), Reason::Reserved),
];

/// The only IPv6 space that is given out to networks.
const GLOBAL_V6: Ipv6Net = v6(0x2000, 0, 0, 3);

/// Why this prefix must not be denied, or `None` when nothing speaks against it.
///
/// In this order: too wide, the fixed ranges, own addresses and networks, AWS services, the operator's list, the
/// allow-list, lists that cannot be read, IPv6 where the policy does not block it. A wide IPv6 prefix is told last.
#[must_use]
pub fn check(net: IpNet, knowledge: &Knowledge, now: DateTime<Utc>) -> Option<Reason> {
    if planted!(GuardBypass) {
        return None;
    }
    let net = canonical(net);
    // Fixed ranges first for IPv6: that a prefix is private says more than that it is wide.
    let wide = match net {
        IpNet::V4(v4) => v4.prefix_len() < knowledge.widest_prefix,
        IpNet::V6(v6) => v6.prefix_len() < knowledge.widest_prefix_v6,
    };
    let too_wide = || wide.then_some(Reason::TooWide);
    let v6 = matches!(net, IpNet::V6(_));
    too_wide()
        .filter(|_| !v6)
        .or_else(|| fixed(net))
        .or_else(|| listed(net, knowledge, now))
        .or_else(|| (!knowledge.available).then_some(Reason::ListUnavailable))
        .or_else(|| (v6 && !knowledge.ipv6).then_some(Reason::Ipv6))
        .or_else(too_wide)
}

/// Host bits cleared, and an IPv4-mapped prefix as the IPv4 prefix that it is.
#[must_use]
pub fn canonical(net: IpNet) -> IpNet {
    match net.trunc() {
        IpNet::V6(v6) if v6.prefix_len() >= 96 => v6.addr().to_ipv4_mapped().map_or(IpNet::V6(v6), |v4| {
            Ipv4Net::new(v4, v6.prefix_len() - 96).map_or(IpNet::V6(v6), IpNet::V4)
        }),
        net => net,
    }
}

fn overlaps(a: &IpNet, b: &IpNet) -> bool {
    a.contains(b) || b.contains(a)
}

fn fixed(net: IpNet) -> Option<Reason> {
    match net {
        IpNet::V4(net) => V4
            .iter()
            .find(|(range, _)| range.contains(&net) || net.contains(range))
            .map(|(_, reason)| *reason),
        IpNet::V6(net) => V6
            .iter()
            .find(|(range, _)| range.contains(&net) || net.contains(range))
            .map(|(_, reason)| *reason)
            .or_else(|| embedded(net).find_map(|inner| fixed(IpNet::V4(inner))))
            .or_else(|| {
                let carries = embedded(net).next().is_some();
                (!carries && !GLOBAL_V6.contains(&net)).then_some(Reason::Reserved)
            }),
    }
}

fn listed(net: IpNet, knowledge: &Knowledge, now: DateTime<Utc>) -> Option<Reason> {
    // Itself, and the IPv4 addresses that it carries.
    let forms = || {
        let carrier = match net {
            IpNet::V4(_) => None,
            IpNet::V6(net) => Some(net),
        };
        std::iter::once(net).chain(carrier.into_iter().flat_map(embedded).map(IpNet::V4))
    };
    let lists = [
        (&knowledge.own_addresses, Reason::OwnAddress),
        (&knowledge.own_networks, Reason::OwnNetwork),
        (&knowledge.aws_services, Reason::AwsService),
        (&knowledge.operator, Reason::OperatorListed),
    ];
    if let Some((_, reason)) = lists
        .into_iter()
        .find(|(list, _)| forms().any(|form| list.overlap(form)))
    {
        return Some(reason);
    }
    let mut allowed = knowledge
        .allow
        .iter()
        .filter(|(_, until)| until.is_none_or(|until| now < until))
        .map(|(net, _)| canonical(*net));
    allowed
        .any(|allowed| forms().any(|form| overlaps(&form, &allowed)))
        .then_some(Reason::AllowListed)
}

#[cfg(test)]
mod tests;
