//! Domain names: their spelling, the addresses of reverse look-ups, and what of a name somebody registered.

use std::{
    borrow::Cow,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use psl::{List, Psl as _, Type};

/// Longest name that is taken apart; DNS itself has no longer one.
const LIMIT: usize = 255;

/// The name in lower case and without the dot of the root, unless it is the root.
pub(super) fn canonical(name: Cow<'_, str>) -> Cow<'_, str> {
    if !has_capitals(&name) {
        return match name {
            Cow::Borrowed(text) => Cow::Borrowed(without_root(text)),
            Cow::Owned(text) => Cow::Owned(without_root(&text).to_owned()),
        };
    }
    Cow::Owned(without_root(&name).to_ascii_lowercase())
}

/// Whether there are capital letters in a name. Looking at all of it, rather than up to the first one, is done many bytes
/// at once.
pub(super) fn has_capitals(name: &str) -> bool {
    name.bytes().fold(false, |any, byte| any | byte.is_ascii_uppercase())
}

/// The name without the dot that stands for the root.
pub(super) fn without_root(name: &str) -> &str {
    match name.strip_suffix('.') {
        Some(rest) if !rest.is_empty() && !rest.ends_with('\\') => rest,
        _ => name,
    }
}

/// A name in its parts, by the public suffix list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    /// `co.uk`
    pub(super) suffix: &'a str,
    /// `example.co.uk`; a public suffix has none.
    pub(super) registered: Option<&'a str>,
    /// `www.shop`, when something stands before it.
    pub(super) subdomain: Option<&'a str>,
}

/// Takes a canonical name apart. `None` for the root, for addresses and for text that is no name.
pub(super) fn parts(name: &str) -> Option<Parts<'_>> {
    if name.is_empty() || name.len() > LIMIT || name.starts_with('.') || name.ends_with('.') || has_empty_label(name) {
        return None;
    }
    let (from, kind) = suffix(name)?;
    let suffix_text = name.get(from..)?;
    let is_number = || suffix_text.bytes().all(|byte| byte.is_ascii_digit());
    if kind.is_none() && is_number() {
        return None;
    }
    if from == 0 && kind == Some(Type::Private) {
        // A service under whose name others have theirs, asked for itself: it belongs to whoever runs it.
        let parent = name.split_once('.').map(|(_, parent)| parent)?;
        let above = parts(parent)?;
        let registered = above.registered?;
        return Some(Parts {
            subdomain: before(name, registered),
            ..above
        });
    }
    let registered = match from {
        0 => None,
        _ => {
            let before_dot = name.get(..from - 1)?;
            name.get(before_dot.rfind('.').map_or(0, |dot| dot + 1)..)
        }
    };
    Some(Parts {
        suffix: suffix_text,
        registered,
        subdomain: registered.and_then(|registered| before(name, registered)),
    })
}

/// Whether two dots stand side by side.
fn has_empty_label(name: &str) -> bool {
    let bytes = name.as_bytes();
    let pairs = bytes.iter().zip(bytes.iter().skip(1));
    pairs.fold(false, |any, (a, b)| any | (*a == b'.' && *b == b'.'))
}

/// Where the public suffix begins, and which part of the list it is from; `None` when it only follows from the rule that
/// a last label is one.
fn suffix(name: &str) -> Option<(usize, Option<Type>)> {
    let suffix = List.suffix(name.as_bytes())?;
    Some((name.len().checked_sub(suffix.as_bytes().len())?, suffix.typ()))
}

fn before<'a>(name: &'a str, registered: &str) -> Option<&'a str> {
    name.strip_suffix(registered)?
        .strip_suffix('.')
        .filter(|text| !text.is_empty())
}

/// The address that a canonical name asks about: `7.2.0.192.in-addr.arpa`, 32 nibbles under `ip6.arpa`, or an address in
/// the place of a name.
pub(super) fn address(name: &str) -> Option<IpAddr> {
    if let Some(labels) = name.strip_suffix(".in-addr.arpa") {
        let mut octets = [0; 4];
        let mut labels = labels.split('.');
        for octet in octets.iter_mut().rev() {
            let label = labels.next().filter(|label| !label.starts_with('+'))?;
            *octet = label.parse().ok()?;
        }
        return labels.next().is_none().then(|| Ipv4Addr::from(octets).into());
    }
    if let Some(labels) = name.strip_suffix(".ip6.arpa") {
        let mut bits = 0_u128;
        let mut count = 0;
        for label in labels.rsplit('.') {
            let (1, Ok(nibble)) = (label.len(), u8::from_str_radix(label, 16)) else {
                return None;
            };
            bits = bits << 4 | u128::from(nibble);
            count += 1;
        }
        return (count == 32).then(|| Ipv6Addr::from(bits).into());
    }
    // No other name ends in a digit, and colons are in none.
    let could_be = name.ends_with(|last: char| last.is_ascii_digit()) || name.contains(':');
    could_be.then(|| name.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spelling_of_a_name_is_one() {
        let cases = [
            ("example.com.", "example.com"),
            ("WWW.Example.COM.", "www.example.com"),
            ("example.com", "example.com"),
            (".", "."),
            ("", ""),
            (r"odd\.", r"odd\."),
        ];
        for (name, expected) in cases {
            assert_eq!(canonical(Cow::Borrowed(name)), expected);
            assert_eq!(canonical(Cow::Owned(name.to_owned())), expected);
        }
    }

    #[test]
    fn a_name_is_taken_apart_at_its_public_suffix() {
        let cases = [
            ("example.com", "com", Some("example.com"), None),
            ("www.example.com", "com", Some("example.com"), Some("www")),
            ("a.b.example.co.uk", "co.uk", Some("example.co.uk"), Some("a.b")),
            ("co.uk", "co.uk", None, None),
            ("localhost", "localhost", None, None),
            (
                "ip-10-0-0-5.eu-west-1.compute.internal",
                "internal",
                Some("compute.internal"),
                Some("ip-10-0-0-5.eu-west-1"),
            ),
            (
                "logs.s3.eu-west-1.amazonaws.com",
                "s3.eu-west-1.amazonaws.com",
                Some("logs.s3.eu-west-1.amazonaws.com"),
                None,
            ),
            (
                "s3.eu-west-1.amazonaws.com",
                "com",
                Some("amazonaws.com"),
                Some("s3.eu-west-1"),
            ),
            ("a.xn--55qx5d.cn", "xn--55qx5d.cn", Some("a.xn--55qx5d.cn"), None),
            ("_ldap._tcp.example.org", "org", Some("example.org"), Some("_ldap._tcp")),
            (
                "www.city.kawasaki.jp",
                "kawasaki.jp",
                Some("city.kawasaki.jp"),
                Some("www"),
            ),
        ];
        for (name, suffix, registered, subdomain) in cases {
            let expected = Parts {
                suffix,
                registered,
                subdomain,
            };
            assert_eq!(parts(name), Some(expected), "{name}");
        }
    }

    #[test]
    fn what_is_no_name_has_no_parts() {
        let long = "a.".repeat(200) + "com";
        for name in ["", ".", "a..com", ".com", "com.", "10.0.0.5", &long] {
            assert_eq!(parts(name), None, "{name}");
        }
    }

    #[test]
    fn reverse_names_and_addresses_are_read() {
        let nibbles = |address: &str| {
            let address: Ipv6Addr = address.parse().expect("an address");
            let labels: Vec<String> = format!("{:032x}", u128::from(address))
                .chars()
                .rev()
                .map(String::from)
                .collect();
            labels.join(".") + ".ip6.arpa"
        };
        let cases = [
            ("15.3.4.32.in-addr.arpa".to_owned(), Some("32.4.3.15")),
            ("4.3.2.1.0.in-addr.arpa".to_owned(), None),
            ("2.0.192.in-addr.arpa".to_owned(), None),
            ("256.2.0.192.in-addr.arpa".to_owned(), None),
            ("in-addr.arpa".to_owned(), None),
            (nibbles("2001:db8::567:89ab"), Some("2001:db8::567:89ab")),
            ("8.b.d.0.1.0.0.2.ip6.arpa".to_owned(), None),
            (nibbles("::1").replace("1.0.", "10."), None),
            ("192.0.2.7".to_owned(), Some("192.0.2.7")),
            ("2001:db8::7".to_owned(), Some("2001:db8::7")),
            ("www.example.com".to_owned(), None),
            ("host7".to_owned(), None),
        ];
        for (name, expected) in cases {
            let expected = expected.map(|text| text.parse::<IpAddr>().expect("an address"));
            assert_eq!(address(&name), expected, "{name}");
        }
    }
}
