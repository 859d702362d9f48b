//! One comparison, on the JSON of one value.

use std::{cmp::Ordering, net::IpAddr};

use super::super::network::Network;
use crate::engine::unescape;

/// What a value is compared with.
#[derive(Clone, Debug)]
pub(super) enum Test {
    Exists,
    Text {
        any_of: Vec<String>,
        equal: bool,
    },
    Like(String),
    Inside {
        networks: Vec<Network>,
        equal: bool,
    },
    Number {
        any_of: Vec<Number>,
        equal: bool,
    },
    NumberIs(Relation, Number),
    /// Dates are all written alike, so their texts compare as they do.
    DateIs(Relation, String),
    Boolean(bool),
}

/// A number as JSON writes it: whole ones keep all their digits.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    Whole(i64),
    Real(f64),
}

impl Number {
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Ok(whole) = text.parse() {
            return Some(Number::Whole(whole));
        }
        text.parse()
            .ok()
            .filter(|real: &f64| real.is_finite())
            .map(Number::Real)
    }

    fn compare(self, other: Self) -> Option<Ordering> {
        let real = |number| match number {
            Number::Whole(whole) => whole as f64,
            Number::Real(real) => real,
        };
        match (self, other) {
            (Number::Whole(a), Number::Whole(b)) => Some(a.cmp(&b)),
            (a, b) => real(a).partial_cmp(&real(b)),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Less,
    AtMost,
    More,
    AtLeast,
    Equal,
    Different,
}

impl Relation {
    fn accepts(self, order: Ordering) -> bool {
        match self {
            Relation::Less => order.is_lt(),
            Relation::AtMost => order.is_le(),
            Relation::More => order.is_gt(),
            Relation::AtLeast => order.is_ge(),
            Relation::Equal => order.is_eq(),
            Relation::Different => order.is_ne(),
        }
    }
}

impl Test {
    /// Whether the value satisfies it; one of another kind than the test's never does.
    pub(super) fn accepts(&self, raw: &[u8]) -> bool {
        let text = match raw {
            [b'"', inside @ .., b'"'] => unescape(inside),
            _ => std::str::from_utf8(raw).ok().map(Into::into),
        };
        let Some(text) = text else {
            return false;
        };
        match self {
            Test::Exists => true,
            Test::Text { any_of, equal } => any_of.iter().any(|known| *known == text) == *equal,
            Test::Like(pattern) => like(pattern.as_bytes(), text.as_bytes()),
            Test::Inside { networks, equal } => text.parse::<IpAddr>().is_ok_and(|address| {
                let address = address.to_canonical();
                networks.iter().any(|network| network.contains(address)) == *equal
            }),
            Test::Number { any_of, equal } => Number::parse(&text).is_some_and(|number| {
                any_of
                    .iter()
                    .any(|known| number.compare(*known) == Some(Ordering::Equal))
                    == *equal
            }),
            Test::NumberIs(relation, bound) => Number::parse(&text)
                .and_then(|number| number.compare(*bound))
                .is_some_and(|order| relation.accepts(order)),
            Test::DateIs(relation, bound) => relation.accepts((*text).cmp(bound.as_str())),
            Test::Boolean(wanted) => text == if *wanted { "true" } else { "false" },
        }
    }
}

/// Whether `*` and `?` of the pattern can stand for the text's remaining characters. Linear in both but for the last `*`.
fn like(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where the last `*` is, and the first byte of the text that it does not yet stand for.
    let mut star = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(b'?') => {
                p += 1;
                t += 1;
                // One character, which may be of several bytes.
                while text.get(t).is_some_and(|byte| byte & 0xc0 == 0x80) {
                    t += 1;
                }
            }
            Some(byte) if *byte == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_stands_for_the_texts_it_should() {
        for (pattern, text, expected) in [
            ("*.example.com", "a.example.com", true),
            ("*.example.com", "example.com", false),
            ("a*b*c", "axxbyybzc", true),
            ("a*b*c", "axxbyybz", false),
            ("?x", "üx", true),
            ("??x", "üx", false),
            ("", "", true),
            ("*", "", true),
            ("**a**", "a", true),
            ("a", "ab", false),
        ] {
            assert_eq!(like(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn whole_numbers_beyond_a_double_stay_apart() {
        let is = |a: &str, b: &str| Number::parse(a).and_then(|a| a.compare(Number::parse(b)?));
        assert_eq!(is("9007199254740993", "9007199254740992"), Some(Ordering::Greater));
        assert_eq!(is("2", "2.0"), Some(Ordering::Equal));
        assert_eq!(is("-1.5", "1"), Some(Ordering::Less));
    }
}
