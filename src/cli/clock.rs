//! The wall clock of the commands: to the millisecond, as every time is written.

use chrono::{DateTime, SubsecRound, Utc};

/// Now. A time with more digits would not read back as the one that was written.
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_no_digits_beyond_the_millisecond() {
        assert_eq!(now().timestamp_subsec_nanos() % 1_000_000, 0);
    }
}
