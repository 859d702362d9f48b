//! Addresses as text: those of the fourth version, which nearly every record has, without a loop over their characters.
//!
//! Where a number ends is no more predictable than the traffic, so a loop that asks every character stumbles at each dot.
//! Here the dots of an address are found at once, and the rest is arithmetic: a third of the time.

use std::net::{IpAddr, Ipv4Addr};

use wide::u8x16;

/// Reads an address of either version, as the standard library does.
pub(crate) fn parse(text: &str) -> Option<IpAddr> {
    match v4(text.as_bytes()) {
        Some(octets) => Some(Ipv4Addr::from(octets).into()),
        // Only those of the sixth version have colons, and the longest has 45 characters.
        None if text.len() <= 45 && text.as_bytes().contains(&b':') => text.parse().ok(),
        None => None,
    }
}

/// Four numbers of 0 to 255 without leading zeros, between dots.
#[inline]
pub(crate) fn v4(text: &[u8]) -> Option<[u8; 4]> {
    Padded::new(text)?.v4()
}

/// A text as long as an address of the fourth version can be, and zeros.
#[derive(Clone, Copy)]
pub(crate) struct Padded {
    bytes: [u8; 16],
    length: usize,
}

impl Padded {
    /// Its halves overlap, so that no length is copied for; put together as numbers, because what was just written in two
    /// pieces is slow to be read as one.
    #[inline]
    pub(crate) fn new(text: &[u8]) -> Option<Self> {
        let length = text.len();
        let both = |first: u128, last: u128, half: usize| first | last << ((length - half) * 8);
        let number = if let (8..=15, Some(first), Some(last)) = (length, text.first_chunk(), text.last_chunk()) {
            both(u64::from_le_bytes(*first).into(), u64::from_le_bytes(*last).into(), 8)
        } else if let (7, Some(first), Some(last)) = (length, text.first_chunk(), text.last_chunk()) {
            both(u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into(), 4)
        } else {
            return None;
        };
        Some(Self {
            bytes: number.to_le_bytes(),
            length,
        })
    }

    /// A number that no other text has, and that is not zero.
    #[inline]
    pub(crate) fn key(self) -> u128 {
        u128::from_le_bytes(self.bytes) | (self.length as u128) << 120
    }

    /// As [`v4`].
    #[inline]
    pub(crate) fn v4(self) -> Option<[u8; 4]> {
        let Self { bytes, length } = self;
        let chunk = u8x16::new(bytes);
        let dots = chunk.simd_eq(u8x16::splat(b'.')).to_bitmask();
        let digits = chunk
            .min(u8x16::splat(b'9'))
            .max(u8x16::splat(b'0'))
            .simd_eq(chunk)
            .to_bitmask();
        let all = (1 << length) - 1;
        let second = dots & dots.wrapping_sub(1);
        let third = second & second.wrapping_sub(1);
        if (dots | digits) & all != all || !third.is_power_of_two() {
            return None;
        }
        let ends = [
            dots.trailing_zeros() as usize,
            second.trailing_zeros() as usize,
            third.trailing_zeros() as usize,
            length,
        ];
        let mut octets = [0; 4];
        let mut from = 0;
        let mut good = true;
        for (octet, end) in octets.iter_mut().zip(ends) {
            let length = end.wrapping_sub(from);
            let digit = |back: usize| {
                u32::from(bytes[end.wrapping_sub(back) & 15].wrapping_sub(b'0')) * u32::from(length >= back)
            };
            let value = digit(1) + digit(2) * 10 + digit(3) * 100;
            let leading_zero = length > 1 && bytes[from & 15] == b'0';
            good &= (1..=3).contains(&length) & !leading_zero & (value <= 255);
            *octet = value as u8;
            from = end + 1;
        }
        good.then_some(octets)
    }
}

/// Appends an address as the standard library shows it, in a fifth of the time.
pub(crate) fn push_v4(address: Ipv4Addr, out: &mut Vec<u8>) {
    let mut text = [0; 16];
    let mut length = 0;
    let mut put = |byte| {
        text[length] = byte;
        length += 1;
    };
    for octet in address.octets() {
        if octet >= 100 {
            put(b'0' + octet / 100);
        }
        if octet >= 10 {
            put(b'0' + octet / 10 % 10);
        }
        put(b'0' + octet % 10);
        put(b'.');
    }
    out.extend_from_slice(&text[..length - 1]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn addresses_are_read_and_written_as_the_standard_library_does(
            text in prop_oneof![
                any::<Ipv4Addr>().prop_map(|address| address.to_string()),
                any::<IpAddr>().prop_map(|address| address.to_string()),
                "[0-9]{1,4}(\\.[0-9]{1,4}){2,4}",
                "(0|25[0-9]|[0-9]{1,2})(\\.(0|25[0-9]|[0-9]{1,2})){3}[./:0-9]?",
                "[0-9a-f:./]{0,20}",
            ],
        ) {
            let parsed = parse(&text);
            prop_assert_eq!(parsed, text.parse::<IpAddr>().ok());
            if let Some(IpAddr::V4(address)) = parsed {
                let mut out = Vec::new();
                push_v4(address, &mut out);
                prop_assert_eq!(String::from_utf8_lossy(&out), address.to_string());
            }
        }
    }
}
