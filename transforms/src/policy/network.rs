//! Networks: an address, or an address with a prefix length.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// Addresses of one family from the first to the last, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network {
    pub(super) first: IpAddr,
    pub(super) last: IpAddr,
    pub(super) prefix: u8,
}

impl Network {
    /// Reads `198.51.100.7`, `198.51.100.0/24` or `2001:db8::/32`; the error says what to write instead.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address
            .parse()
            .map_err(|_| "is no address; write it as 198.51.100.7, 198.51.100.0/24 or 2001:db8::/32".to_owned())?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => bits,
            Some(prefix) => prefix
                .parse()
                .ok()
                .filter(|prefix| *prefix <= bits)
                .ok_or_else(|| format!("has no prefix length from 0 to {bits} after the `/`"))?,
        };
        let network = Self::around(address, prefix);
        if network.first != address {
            return Err(format!(
                "has bits set after its prefix; write {network}, or {address}/{bits}"
            ));
        }
        Ok(network)
    }

    /// The network of this prefix length that holds the address.
    pub(super) fn around(address: IpAddr, prefix: u8) -> Self {
        let (first, last) = match address {
            IpAddr::V4(address) => {
                let hosts = u32::MAX.checked_shr(u32::from(prefix)).unwrap_or_default();
                let first = address.to_bits() & !hosts;
                (
                    Ipv4Addr::from_bits(first).into(),
                    Ipv4Addr::from_bits(first | hosts).into(),
                )
            }
            IpAddr::V6(address) => {
                let hosts = u128::MAX.checked_shr(u32::from(prefix)).unwrap_or_default();
                let first = address.to_bits() & !hosts;
                (
                    Ipv6Addr::from_bits(first).into(),
                    Ipv6Addr::from_bits(first | hosts).into(),
                )
            }
        };
        Self { first, last, prefix }
    }

    pub(super) fn contains(&self, address: IpAddr) -> bool {
        match (self.first, self.last, address) {
            (IpAddr::V4(first), IpAddr::V4(last), IpAddr::V4(address)) => first <= address && address <= last,
            (IpAddr::V6(first), IpAddr::V6(last), IpAddr::V6(address)) => first <= address && address <= last,
            _ => false,
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first)?;
        match (self.first, self.prefix) {
            (IpAddr::V4(_), 32) | (IpAddr::V6(_), 128) => Ok(()),
            (_, prefix) => write!(f, "/{prefix}"),
        }
    }
}

/// Networks that are nobody's on the internet, with the page that reserves them: no database places them, and a filter
/// may call them `private`.
#[rustfmt::skip]
pub(super) const PRIVATE: &[&str] = &[
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", // RFC 1918
    "100.64.0.0/10",                                 // RFC 6598
    "127.0.0.0/8", "169.254.0.0/16",                 // RFC 1122, RFC 3927
    "fc00::/7", "fe80::/10", "::1/128",              // RFC 4193, RFC 4291
];

/// Whether no database or list can say anything about an address: [`PRIVATE`], multicast, unspecified, future use.
pub(crate) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [a, b, ..] = address.octets();
            address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || a == 0
                || a >= 224
                || (a == 100 && b & 0xc0 == 64)
        }
        // Addresses outside 2000::/3 are given to nobody.
        IpAddr::V6(address) => address.segments()[0] & 0xe000 != 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_read_and_written_or_refused_with_the_remedy() {
        for text in [
            "198.51.100.7",
            "0.0.0.0/0",
            "10.0.0.0/8",
            "2001:db8::/32",
            "::/0",
            "::1",
        ] {
            assert_eq!(Network::parse(text).expect(text).to_string(), text);
        }
        for (text, said) in [
            ("10.0.0.1/8", "write 10.0.0.0/8, or 10.0.0.1/32"),
            ("10.0.0.0/33", "0 to 32"),
            ("::/129", "0 to 128"),
            ("10.0.0.0/-1", "0 to 32"),
            ("10.0.0", "no address"),
            ("", "no address"),
        ] {
            let problem = Network::parse(text).expect_err(text);
            assert!(problem.contains(said), "{text}: {problem}");
        }
    }

    #[test]
    fn a_network_holds_its_first_and_its_last_address_and_none_beside_them() {
        let network = Network::parse("10.1.0.0/16").expect("a network");
        for (address, inside) in [
            ("10.0.255.255", false),
            ("10.1.0.0", true),
            ("10.1.255.255", true),
            ("10.2.0.0", false),
            ("::ffff", false),
        ] {
            assert_eq!(
                network.contains(address.parse().expect("an address")),
                inside,
                "{address}"
            );
        }
    }

    #[test]
    #[cfg(feature = "enrich")]
    fn what_is_private_is_told_from_what_is_public() {
        for text in PRIVATE {
            let network = Network::parse(text).expect(text);
            assert!(is_private(network.first) && is_private(network.last), "{text}");
        }
        for public in ["198.51.100.7", "100.128.0.1", "2001:db8::1", "172.32.0.1"] {
            assert!(!is_private(public.parse().expect("an address")), "{public}");
        }
    }
}
