//! Values of narrow types as AWS writes them, which are copied as soon as it is seen that they are such.

use super::{Writer, value::is_short_decimal};
use crate::{schema::Type, time};

impl Writer<'_> {
    /// Writes a value if it is written as the document has it; `false` leaves it to [`Writer::hit`], which may take it all the
    /// same.
    #[inline]
    pub(super) fn usual(&mut self, ty: Type, raw: &[u8]) -> bool {
        match (ty, raw) {
            (Type::Long, [b'"', inside @ .., b'"']) if is_short_whole(inside) => self.out.extend_from_slice(inside),
            _ if self.stands(ty, raw) => self.out.extend_from_slice(raw),
            _ => return false,
        }
        true
    }

    /// Whether a value is written as the document has it. An address is noted then, as if it had been written.
    pub(super) fn stands(&mut self, ty: Type, raw: &[u8]) -> bool {
        match (ty, raw) {
            (Type::Date, [b'"', inside @ .., b'"']) => time::is_as_written(inside),
            (Type::Long, number) => is_short_whole(number),
            (Type::Float, number) => is_short_decimal(number),
            (Type::Boolean, b"true" | b"false") => true,
            (Type::Ip, [b'"', inside @ .., b'"']) => match self.scratch.asked.v4(inside) {
                Some(address) => {
                    self.scratch.note(address.into());
                    true
                }
                None => false,
            },
            (Type::GeoPoint, place) => is_usual_place(place),
            _ => false,
        }
    }

    /// Whether a value is an address of the fourth version.
    pub(super) fn is_v4(&mut self, raw: &[u8]) -> bool {
        match raw {
            [b'"', inside @ .., b'"'] => self.scratch.asked.v4(inside).is_some(),
            _ => false,
        }
    }
}

/// A whole number without a sign, of so few digits that every reader holds it.
#[inline]
fn is_short_whole(number: &[u8]) -> bool {
    match number {
        [b'0'] => true,
        [b'1'..=b'9', rest @ ..] => rest.len() < 15 && rest.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// `{"lat":19.0748,"lon":72.8856}`, with degrees that there are and as they would be shown.
fn is_usual_place(place: &[u8]) -> bool {
    let degrees = |number: &[u8], limit: u32| {
        let whole = number
            .strip_prefix(b"-")
            .unwrap_or(number)
            .split(|byte| *byte == b'.')
            .next();
        let whole = whole.filter(|digits| digits.len() <= 3).unwrap_or(b"999");
        let degrees = whole
            .iter()
            .fold(0, |sum, digit| sum * 10 + u32::from(digit.wrapping_sub(b'0')));
        degrees < limit && is_short_decimal(number)
    };
    let inside = place
        .strip_prefix(b"{\"lat\":")
        .and_then(|rest| rest.strip_suffix(b"}"));
    let Some((lat, lon)) = inside.and_then(|inside| Some(inside.split_at(memchr::memchr(b',', inside)?))) else {
        return false;
    };
    let lon = lon.strip_prefix(b",\"lon\":").unwrap_or_default();
    degrees(lat, 90) && degrees(lon, 180)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_short_whole_number_is_shown_as_it_is_written(text in "-?[0-9]{0,18}[.e]?") {
            if is_short_whole(text.as_bytes()) {
                prop_assert_eq!(text.parse::<i64>().expect("a number").to_string(), text);
            }
        }

        #[test]
        fn a_usual_place_is_one_that_there_is_and_is_shown_as_it_is_written(
            lat in "-?[0-9]{1,3}(\\.[0-9]{0,4})?", lon in "-?[0-9]{1,3}(\\.[0-9]{0,4})?", end in "[},]?",
        ) {
            let place = format!("{{\"lat\":{lat},\"lon\":{lon}}}{end}");
            if is_usual_place(place.as_bytes()) {
                let value: serde_json::Value = serde_json::from_str(&place).expect("JSON");
                let degrees = |name: &str| value[name].as_f64().expect("a number");
                prop_assert!(degrees("lat").abs() <= 90.0 && degrees("lon").abs() <= 180.0);
                let shown = format!("{{\"lat\":{},\"lon\":{}}}", degrees("lat"), degrees("lon"));
                prop_assert_eq!(shown, place);
            }
        }
    }

    #[test]
    fn most_places_are_usual() {
        for place in [
            "{\"lat\":19.0748,\"lon\":-172.8856}",
            "{\"lat\":-0.5,\"lon\":0}",
            "{\"lat\":89,\"lon\":179.9}",
        ] {
            assert!(is_usual_place(place.as_bytes()), "{place}");
        }
    }
}
