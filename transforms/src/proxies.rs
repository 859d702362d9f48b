//! Which proxies are believed about who stands behind them.
//!
//! Each proxy appends to `X-Forwarded-For` the address that connected to it, so the header's end was written by the
//! proxies nearest to the web ACL and its start by whoever sent the request. Reading goes from the end, and stops at the
//! first address that no trusted proxy could have invented.

use std::{fmt, net::IpAddr, str::FromStr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// The proxies in front of a web ACL: their networks, or how many every request passes.
///
/// ```
/// use portcullis_transforms::TrustedProxies;
///
/// let proxies: TrustedProxies = "10.0.0.0/8, 2001:db8::/32".parse().expect("two networks");
/// let peer = "10.0.0.7".parse().expect("an address");
/// let client = proxies.client(peer, ["192.0.2.1, 203.0.113.9", "10.0.3.4"].into_iter());
/// assert_eq!(client, "203.0.113.9".parse().ok());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TrustedProxies(Trust);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Trust {
    Networks(Vec<IpNet>),
    /// How many proxies every request passes, the one that AWS sees included.
    Count(usize),
}

/// The most proxies in a row, and the most networks that are looked through for every record.
const MOST: usize = 64;

impl TrustedProxies {
    /// Who stands behind the proxies, when `peer` connected and sent these `X-Forwarded-For` headers, in order.
    ///
    /// With networks it is the last address that is in none of them, or the first of all if every one is trusted; with a
    /// count, the address at that place from the end. Nothing where `peer` is no trusted proxy, the header is too short, or
    /// text that is no address stands in the way: then `peer` is all that is known.
    #[must_use]
    pub fn client<'a>(&self, peer: IpAddr, headers: impl DoubleEndedIterator<Item = &'a str>) -> Option<IpAddr> {
        let mut hops = headers.rev().flat_map(|header| header.rsplit(',')).map(address);
        match &self.0 {
            Trust::Count(count) => hops.nth(count - 1)?,
            Trust::Networks(networks) => {
                let is_trusted = |address: IpAddr| {
                    let address = address.to_canonical();
                    networks.iter().any(|network| network.contains(&address))
                };
                if !is_trusted(peer) {
                    return None;
                }
                let mut last = None;
                for hop in hops {
                    last = Some(hop?);
                    if last.is_some_and(|hop| !is_trusted(hop)) {
                        break;
                    }
                }
                last
            }
        }
    }
}

/// One hop: an address, in brackets or with a port as some proxies write it.
fn address(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let address = match hop.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None => match hop.split_once(':') {
            Some((address, port)) if !port.contains(':') => address,
            _ => hop,
        },
    };
    address.parse().ok()
}

/// The text does not say which proxies are trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxiesError {
    /// Neither a number nor a list of networks.
    #[error(
        "`{0}` is neither an address nor a network; write networks such as 10.0.0.0/8, or how many proxies there are"
    )]
    Unreadable(String),
    /// A count of none, or of more than 64; or more than 64 networks.
    #[error("1 to 64 proxies or networks can be trusted")]
    Number,
    /// Everyone is a trusted proxy.
    #[error("`{0}` trusts everyone, and so whatever a client writes; name the proxies' own networks")]
    Everyone(IpNet),
}

impl FromStr for TrustedProxies {
    type Err = ProxiesError;

    /// `2` for two proxies in a row, or networks and addresses between commas or spaces.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return match text.parse() {
                Ok(count @ 1..=MOST) => Ok(Self(Trust::Count(count))),
                _ => Err(ProxiesError::Number),
            };
        }
        let mut networks = Vec::new();
        for word in text.split([',', ' ', '\t']).filter(|word| !word.is_empty()) {
            let network = match word.parse::<IpNet>() {
                Ok(network) => network,
                Err(_) => match word.parse::<IpAddr>() {
                    Ok(address) => address.into(),
                    Err(_) => return Err(ProxiesError::Unreadable(crate::normalize::excerpt(word.as_bytes()))),
                },
            };
            if network.prefix_len() == 0 {
                return Err(ProxiesError::Everyone(network));
            }
            networks.push(network);
        }
        if networks.is_empty() || networks.len() > MOST {
            return Err(ProxiesError::Number);
        }
        Ok(Self(Trust::Networks(networks)))
    }
}

impl fmt::Display for TrustedProxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Trust::Count(count) => count.fmt(f),
            Trust::Networks(networks) => {
                for (number, network) in networks.iter().enumerate() {
                    write!(f, "{}{network}", if number == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
        }
    }
}

impl TryFrom<String> for TrustedProxies {
    type Error = ProxiesError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<TrustedProxies> for String {
    fn from(proxies: TrustedProxies) -> Self {
        proxies.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_is_the_last_hop_that_is_no_trusted_proxy() {
        let cases: [(&str, &str, &[&str], Option<&str>); 16] = [
            ("10.0.0.0/8", "10.0.0.7", &["203.0.113.9"], Some("203.0.113.9")),
            (
                "10.0.0.0/8",
                "10.0.0.7",
                &["192.0.2.1, 203.0.113.9, 10.1.1.1"],
                Some("203.0.113.9"),
            ),
            (
                "10.0.0.0/8",
                "10.0.0.7",
                &["192.0.2.1", "203.0.113.9"],
                Some("203.0.113.9"),
            ),
            ("10.0.0.0/8", "198.51.100.1", &["203.0.113.9"], None),
            ("10.0.0.0/8", "10.0.0.7", &[], None),
            ("10.0.0.0/8", "10.0.0.7", &["10.3.3.3,10.2.2.2"], Some("10.3.3.3")),
            ("10.0.0.0/8", "10.0.0.7", &["203.0.113.9, unknown"], None),
            ("10.0.0.0/8", "10.0.0.7", &["203.0.113.9, unknown, 10.1.1.1"], None),
            (
                "10.0.0.0/8",
                "10.0.0.7",
                &["<script>, 203.0.113.9:4711"],
                Some("203.0.113.9"),
            ),
            (
                "10.0.0.7 2001:db8::/32",
                "2001:db8::1",
                &["[2001:db9::2]:80"],
                Some("2001:db9::2"),
            ),
            ("10.0.0.0/8", "::ffff:10.0.0.7", &["2001:db9::2"], Some("2001:db9::2")),
            ("10.0.0.0/8", "10.0.0.7", &["203.0.113.9,"], None),
            ("1", "198.51.100.1", &["192.0.2.1, 203.0.113.9"], Some("203.0.113.9")),
            ("2", "198.51.100.1", &["192.0.2.1", "203.0.113.9"], Some("192.0.2.1")),
            ("3", "198.51.100.1", &["192.0.2.1, 203.0.113.9"], None),
            ("1", "198.51.100.1", &["203.0.113.9, nobody"], None),
        ];
        for (trusted, peer, headers, expected) in cases {
            let proxies: TrustedProxies = trusted.parse().expect("trusted proxies");
            assert_eq!(proxies.to_string().parse(), Ok(proxies.clone()), "{trusted}");
            let client = proxies.client(peer.parse().expect("an address"), headers.iter().copied());
            assert_eq!(
                client.map(|client| client.to_string()).as_deref(),
                expected,
                "{trusted} {peer} {headers:?}"
            );
        }
    }

    #[test]
    fn what_names_no_proxies_or_everyone_is_refused() {
        for (text, words) in [
            ("", "1 to 64"),
            ("0", "1 to 64"),
            ("65", "1 to 64"),
            (" , ", "1 to 64"),
            ("99999999999999999999", "1 to 64"),
            ("proxies", "`proxies` is neither"),
            ("10.0.0.0/33", "neither"),
            ("-1", "neither"),
            ("0.0.0.0/0", "trusts everyone"),
            ("10.0.0.0/8 ::/0", "trusts everyone"),
        ] {
            let told = text.parse::<TrustedProxies>().expect_err(text).to_string();
            assert!(told.contains(words), "{text}: {told}");
        }
        let many = "10.0.0.1 ".repeat(65);
        assert_eq!(many.parse::<TrustedProxies>(), Err(ProxiesError::Number));
    }
}
