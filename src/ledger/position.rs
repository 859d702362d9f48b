//! How far a reader is, along anything that counts up: the audit, or a shard of a stream.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// The longest that a sequence number of Kinesis may be, in
/// [digits](https://docs.aws.amazon.com/kinesis/latest/APIReference/API_Record.html).
const DIGITS: usize = 129;

/// A place in an order: a whole number of any size up to 129 digits, far more than any integer holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Position(String);

/// A text that is no position.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no position: it must be a whole number of at most 129 digits, such as a sequence number of Kinesis")]
pub struct NotAPosition(String);

impl Position {
    /// As an integer; the greatest one where it does not fit.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.0.parse().unwrap_or(u64::MAX)
    }

    /// Behind everything: where the reader of a shard is that was read to its end.
    #[must_use]
    pub fn end() -> Self {
        Self("9".repeat(DIGITS))
    }

    /// As a text of one length, which sorts as the number does.
    #[must_use]
    pub fn padded(&self) -> String {
        format!("{:0>DIGITS$}", self.0)
    }
}

impl Default for Position {
    /// The beginning.
    fn default() -> Self {
        Self::from(0)
    }
}

impl From<u64> for Position {
    fn from(number: u64) -> Self {
        Self(number.to_string())
    }
}

impl FromStr for Position {
    type Err = NotAPosition;

    fn from_str(text: &str) -> Result<Self, NotAPosition> {
        if text.is_empty() || text.len() > DIGITS || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NotAPosition(text.chars().take(2 * DIGITS).collect()));
        }
        let digits = text.trim_start_matches('0');
        Ok(Self(if digits.is_empty() { "0" } else { digits }.to_owned()))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Ord for Position {
    fn cmp(&self, other: &Self) -> Ordering {
        // No leading zeros, so the longer one is greater.
        (self.0.len(), &self.0).cmp(&(other.0.len(), &other.0))
    }
}

impl PartialOrd for Position {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn positions_compare_as_numbers_do_in_either_form(one: u128, other: u128) {
            let positions = [one, other].map(|number| number.to_string().parse::<Position>().expect("digits"));
            prop_assert_eq!(positions[0].cmp(&positions[1]), one.cmp(&other));
            prop_assert_eq!(positions[0].padded().cmp(&positions[1].padded()), one.cmp(&other));
            prop_assert_eq!(positions[0].padded().parse(), Ok(positions[0].clone()));
        }
    }

    #[test]
    fn what_is_no_number_is_no_position() {
        for text in ["", "-1", "1e3", "TRIM_HORIZON", "٣", &"9".repeat(130)] {
            assert!(text.parse::<Position>().is_err(), "{text}");
        }
        assert!("9".repeat(129).parse::<Position>().is_ok());
    }
}
