//! IPv4 prefixes that an IPv6 prefix carries inside.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// One way to put an IPv4 address into an IPv6 one.
struct Form {
    /// Prefix that marks the form.
    mark: Ipv6Net,
    /// Bit at which the IPv4 address begins.
    at: u8,
    /// Whether its bits are inverted.
    inverted: bool,
}

const fn form(segments: [u16; 3], prefix: u8, at: u8, inverted: bool) -> Form {
    let [a, b, c] = segments;
    let mark = Ipv6Net::new_assert(Ipv6Addr::new(a, b, 0, 0, 0, c, 0, 0), prefix);
    Form { mark, at, inverted }
}

/// RFC 4291 (compatible, mapped), RFC 6052 (NAT64), RFC 8215 (local NAT64, last 32 bits), RFC 3056 (6to4), RFC 4380
/// (Teredo: the relay server, and the client inverted).
const FORMS: &[Form] = &[
    form([0, 0, 0], 96, 96, false),
    form([0, 0, 0xffff], 96, 96, false),
    form([0x0064, 0xff9b, 0], 96, 96, false),
    Form {
        mark: Ipv6Net::new_assert(Ipv6Addr::new(0x0064, 0xff9b, 1, 0, 0, 0, 0, 0), 48),
        at: 96,
        inverted: false,
    },
    form([0x2002, 0, 0], 16, 16, false),
    form([0x2001, 0, 0], 32, 32, false),
    form([0x2001, 0, 0], 32, 96, true),
];

/// Every IPv4 prefix that addresses of this IPv6 prefix may stand for.
pub(super) fn embedded(net: Ipv6Net) -> impl Iterator<Item = Ipv4Net> {
    FORMS
        .iter()
        .filter(move |form| form.mark.contains(&net) || net.contains(&form.mark))
        .filter_map(move |form| {
            let known = net.prefix_len().saturating_sub(form.at).min(32);
            if !form.mark.contains(&net) {
                return Ipv4Net::new(Ipv4Addr::UNSPECIFIED, 0).ok();
            }
            let bits = net.addr().to_bits() << form.at >> 96;
            let bits = u32::try_from(bits).ok()?;
            let bits = if form.inverted { !bits } else { bits };
            Ipv4Net::new(Ipv4Addr::from_bits(bits), known)
                .ok()
                .map(|net| net.trunc())
        })
}
