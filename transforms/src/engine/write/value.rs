//! One value, as its row's type has it.

use std::{
    io::Write as _,
    net::{IpAddr, Ipv4Addr},
};

use serde_json::value::RawValue;

use super::{Fit, Hit, Row, Writer};
use crate::{
    address::{self, Padded},
    document::{KEYWORD_LIMIT, push_integer, push_json_string, push_keyword},
    engine::{flat, value::plain},
    schema::Type,
    time,
};

impl Writer<'_> {
    /// A value of the record.
    #[inline]
    pub(super) fn hit(&mut self, row: &Row, hit: &Hit) -> Fit {
        let raw = hit.raw(self.text);
        match raw.as_bytes() {
            // The case that most values are: a text that can be copied.
            [b'"', inside @ .., b'"']
                if row.ty == Type::Keyword && !row.not_ip && !inside.is_empty() && inside.len() <= KEYWORD_LIMIT =>
            {
                self.out.extend_from_slice(raw.as_bytes());
                Fit::Written
            }
            bytes if self.usual(row.ty, bytes) => Fit::Written,
            _ if self.table.trie.is_whole(hit.slot) => self.whole(row, hit),
            _ => self.raw(row, hit),
        }
    }

    /// A value that is kept in one piece: an object or array as JSON text. One that holds nothing says nothing.
    fn whole(&mut self, row: &Row, hit: &Hit) -> Fit {
        let raw = hit.raw(self.text);
        match raw.as_bytes() {
            _ if hit.leaves == 0 => Fit::Empty,
            [b'{' | b'[', ..] => self.plain(row, raw),
            _ => self.raw(row, hit),
        }
    }

    /// A JSON value of the record.
    fn raw(&mut self, row: &Row, hit: &Hit) -> Fit {
        let raw = hit.raw(self.text);
        match (row.ty, raw.as_bytes()) {
            (_, b"\"\"") => Fit::Empty,
            (Type::GeoPoint, raw @ [b'{', ..]) => self.place(raw),
            (Type::Keyword, [b'"', inside @ .., b'"']) if !row.not_ip => {
                self.cut += u64::from(flat::push_cut(inside, self.out));
                Fit::Written
            }
            (Type::Text, raw @ [b'"', ..]) => {
                self.out.extend_from_slice(raw);
                Fit::Written
            }
            _ => match plain(raw, hit.escaped) {
                Some(text) => self.plain(row, &text),
                None => Fit::Refused,
            },
        }
    }

    /// A value as plain text.
    pub(super) fn plain(&mut self, row: &Row, text: &str) -> Fit {
        match row.ty {
            _ if text.is_empty() => return Fit::Empty,
            Type::Keyword if row.not_ip && self.scratch.asked.address(text).is_some() => return Fit::Refused,
            Type::Keyword => self.cut += u64::from(push_keyword(self.out, text)),
            Type::Text => push_json_string(self.out, text),
            Type::Ip => {
                let Some(address) = self.scratch.asked.address(text) else {
                    return Fit::Refused;
                };
                self.scratch.note(address);
                match address {
                    // There is only one way to write it.
                    IpAddr::V4(_) => {
                        self.out.push(b'"');
                        self.out.extend_from_slice(text.as_bytes());
                        self.out.push(b'"');
                    }
                    IpAddr::V6(_) => self.address(address),
                }
            }
            Type::Long => match whole(text) {
                Some(number) => push_integer(self.out, number),
                None => return Fit::Refused,
            },
            // Such a number is shown as it is written.
            Type::Float if is_short_decimal(text.as_bytes()) => self.out.extend_from_slice(text.as_bytes()),
            Type::Float => match text.parse::<f64>() {
                Ok(number) if number.abs() <= f64::from(f32::MAX) => self.display(number),
                _ => return Fit::Refused,
            },
            Type::Boolean => match text {
                "true" | "false" => self.out.extend_from_slice(text.as_bytes()),
                _ => return Fit::Refused,
            },
            Type::Date => match time::parse(text.as_bytes()) {
                Ok(millis) => self.date(millis),
                Err(_) => return Fit::Refused,
            },
            Type::GeoPoint | Type::FlatObject => return Fit::Refused,
        }
        Fit::Written
    }

    pub(super) fn address(&mut self, address: IpAddr) {
        self.out.push(b'"');
        match address {
            // Through `Display` it takes five times as long.
            IpAddr::V4(address) => address::push_v4(address, self.out),
            IpAddr::V6(_) => self.display(address),
        }
        self.out.push(b'"');
    }

    fn display(&mut self, value: impl std::fmt::Display) {
        // Writing to a Vec cannot fail.
        let written = write!(self.out, "{value}");
        debug_assert!(written.is_ok());
    }

    /// `{"lat":..,"lon":..}`; with anything else in it, the object is no place but goes to the rest whole.
    fn place(&mut self, raw: &[u8]) -> Fit {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Place<'a> {
            #[serde(alias = "Lat", borrow)]
            lat: &'a RawValue,
            #[serde(alias = "Lon", borrow)]
            lon: &'a RawValue,
        }
        // To the nearest double, which `serde_json` does not always read of many digits.
        let degrees = |text: &RawValue, limit: f64| {
            let degrees = text.get().parse::<f64>().ok()?;
            (degrees.abs() <= limit).then_some(degrees)
        };
        let place = serde_json::from_slice::<Place<'_>>(raw).ok();
        let Some((lat, lon)) = place.and_then(|place| degrees(place.lat, 90.0).zip(degrees(place.lon, 180.0))) else {
            return Fit::Refused;
        };
        self.display(format_args!("{{\"lat\":{lat},\"lon\":{lon}}}"));
        Fit::Written
    }
}

/// A whole number, written as such or as text, with or without a fraction of zeros.
fn whole(text: &str) -> Option<i64> {
    if let Ok(number) = text.parse::<i64>() {
        return Some(number);
    }
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let number = text.parse::<f64>().ok()?;
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}

/// The last addresses of the fourth version, with their texts: the same ones stand in two or three places of most documents.
#[derive(Debug, Default)]
pub(super) struct Asked {
    known: [(u128, Option<Ipv4Addr>); ASKED],
    oldest: usize,
}

const ASKED: usize = 4;

impl Asked {
    /// As [`address::parse`].
    pub(super) fn address(&mut self, text: &str) -> Option<IpAddr> {
        match self.v4(text.as_bytes()) {
            Some(address) => Some(address.into()),
            None => address::parse(text),
        }
    }

    /// As [`address::v4`].
    #[inline]
    pub(super) fn v4(&mut self, text: &[u8]) -> Option<Ipv4Addr> {
        let text = Padded::new(text)?;
        match self.known.iter().find(|(known, _)| *known == text.key()) {
            Some((_, address)) => *address,
            None => self.ask(text),
        }
    }

    fn ask(&mut self, text: Padded) -> Option<Ipv4Addr> {
        let address = text.v4().map(Ipv4Addr::from);
        self.known[self.oldest % ASKED] = (text.key(), address);
        self.oldest += 1;
        address
    }
}

/// Whether a number is written as the standard library would show it: no exponent, no zeros to spare, and few enough
/// digits that a double holds them all.
pub(super) fn is_short_decimal(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let (whole, fraction) = match digits.iter().position(|byte| *byte == b'.') {
        Some(at) => (&digits[..at], &digits[at + 1..]),
        None => (digits, &b"1"[..]),
    };
    let are_digits = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
    digits.len() <= 15
        && matches!(whole, [b'0'] | [b'1'..=b'9', ..])
        && matches!(fraction, [.., b'1'..=b'9'])
        && are_digits(whole)
        && are_digits(fraction)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_asked_before_changes_no_answer(texts in proptest::collection::vec(prop_oneof![
            "(9|10)\\.0\\.0\\.[0-9]{1,3}", "[0-9a-f:.]{0,20}", any::<IpAddr>().prop_map(|address| address.to_string()),
        ], 0..8)) {
            let mut asked = Asked::default();
            for text in texts.iter().flat_map(|text| [text, text]) {
                prop_assert_eq!(asked.address(text), text.parse::<IpAddr>().ok());
            }
        }

        #[test]
        fn a_short_decimal_is_shown_as_it_is_written(text in "-?[0-9]{1,16}(\\.[0-9]{0,9})?(e[0-9])?") {
            if is_short_decimal(text.as_bytes()) {
                prop_assert_eq!(text.parse::<f64>().expect("a number").to_string(), text);
            }
        }

        #[test]
        fn most_numbers_are_short_decimals(whole in 0_u32..1_000_000, fraction in "[0-9]{0,3}[1-9]") {
            prop_assert!(is_short_decimal(whole.to_string().as_bytes()));
            let text = format!("-{whole}.{fraction}");
            prop_assert!(is_short_decimal(text.as_bytes()));
        }
    }
}
