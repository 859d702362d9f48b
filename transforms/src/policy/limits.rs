//! Between which bounds a deployment may choose how much one record holds: [`Limits`](crate::forms::Limits).

use std::ops::RangeInclusive;

/// Bytes that one record may unpack to.
pub const UNPACKED: RangeInclusive<usize> = 1024 * 1024..=1024 * 1024 * 1024;

/// How many times its size a record may unpack to; deflate cannot reach more than 1032.
pub const RATIO: RangeInclusive<usize> = 1..=1032;

/// Entries of one record.
pub const ENTRIES: RangeInclusive<usize> = 1..=10_000_000;
