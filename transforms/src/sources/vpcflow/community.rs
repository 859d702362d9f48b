//! Community ID, version 1: one name for a flow that other network sensors give it too.
//!
//! <https://github.com/corelight/community-id-spec>

use std::net::IpAddr;

use sha1::{Digest as _, Sha1};

use super::{fields::column, row::Row};

const ICMP: u8 = 1;
const ICMPV6: u8 = 58;
const WITH_PORTS: [u8; 3] = [6, 17, 132];

/// The id of the row's flow. None without both addresses and a protocol, without the ports of TCP, UDP and SCTP, and for
/// ICMP: its id depends on type and code, which flow logs do not have.
pub(super) fn id(row: &Row<'_>) -> Option<String> {
    let protocol = row.protocol.filter(|protocol| ![ICMP, ICMPV6].contains(protocol))?;
    let source = address(row.get(const { column("srcaddr") })?)?;
    let destination = address(row.get(const { column("dstaddr") })?)?;
    let ports = if WITH_PORTS.contains(&protocol) {
        let source = port(row.get(const { column("srcport") })?)?;
        Some((source, port(row.get(const { column("dstport") })?)?))
    } else {
        None
    };
    (source.is_ipv4() == destination.is_ipv4()).then(|| hash(source, destination, protocol, ports))
}

fn address(text: &[u8]) -> Option<IpAddr> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn port(text: &[u8]) -> Option<u16> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// With the default seed of 0; the smaller end comes first, so that both directions have the same id.
fn hash(source: IpAddr, destination: IpAddr, protocol: u8, ports: Option<(u16, u16)>) -> String {
    let (from, to) = ports.unwrap_or_default();
    let (first, second) = if (source, from) <= (destination, to) {
        ((source, from), (destination, to))
    } else {
        ((destination, to), (source, from))
    };
    let mut hasher = Sha1::new_with_prefix([0, 0]);
    for (address, _) in [first, second] {
        match address {
            IpAddr::V4(address) => hasher.update(address.octets()),
            IpAddr::V6(address) => hasher.update(address.octets()),
        }
    }
    hasher.update([protocol, 0]);
    if ports.is_some() {
        hasher.update(first.1.to_be_bytes());
        hasher.update(second.1.to_be_bytes());
    }
    let mut id = String::from("1:");
    base64_turbo::STANDARD.encode_string(hasher.finalize(), &mut id);
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published with the specification: <https://github.com/corelight/community-id-spec/tree/master/baseline>.
    #[test]
    fn the_published_examples_come_out_in_both_directions() {
        let v6 = ("2001:470:e5bf:dead:4957:2174:e82c:4887", "2607:f8b0:400c:c03::1a");
        for ((a, b), protocol, ports, expected) in [
            (
                ("128.232.110.120", "66.35.250.204"),
                6,
                Some((34_855, 80)),
                "1:LQU9qZlK+B5F3KDmev6m5PMibrg=",
            ),
            (
                ("192.168.1.52", "8.8.8.8"),
                17,
                Some((54_585, 53)),
                "1:d/FP5EW3wiY1vCndhwleRRKHowQ=",
            ),
            (
                ("192.168.170.8", "192.168.170.56"),
                132,
                Some((7, 80)),
                "1:jQgCxbku+pNGw8WPbEc/TS/uTpQ=",
            ),
            (("10.1.24.4", "10.1.12.1"), 46, None, "1:/nQI4Rh/TtY3mf0R2gJFBkVlgS4="),
            (v6, 6, Some((63_943, 25)), "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4="),
        ] {
            let (a, b) = (a.parse().expect("an address"), b.parse().expect("an address"));
            assert_eq!(hash(a, b, protocol, ports), expected);
            assert_eq!(hash(b, a, protocol, ports.map(|(from, to)| (to, from))), expected);
        }
    }
}
