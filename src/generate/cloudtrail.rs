//! API calls.

use std::io::Write as _;

use chrono::{DateTime, SecondsFormat, Utc};

use super::random::Random;

/// Appends one record.
pub(crate) fn write(at: DateTime<Utc>, _random: &mut Random, out: &mut Vec<u8>) {
    let at = at.to_rfc3339_opts(SecondsFormat::Secs, true);
    // Writing into a vector cannot fail.
    let _ = write!(
        out,
        "{{\"eventVersion\":\"1.11\",\"eventTime\":\"{}\",\"eventName\":\"ListBuckets\"}}",
        at
    );
}
