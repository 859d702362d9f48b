//! How much one request may ask for. Requests come from a search box and from links, so everything is bounded.

use std::time::Duration;

/// Documents in one answer.
pub const HITS: usize = 1_000;
/// `from` plus `size`: how deep one may page.
pub const WINDOW: usize = 10_000;
/// Buckets that one aggregation may ask for.
pub const BUCKETS: usize = 10_000;
/// Aggregations in one request, nested ones included.
pub const AGGREGATIONS: usize = 100;
/// Nesting of aggregations.
pub const AGGREGATION_DEPTH: usize = 5;
/// Memory of the aggregations of one request.
pub const AGGREGATION_BYTES: u64 = 256 << 20;
/// Bytes of a query string.
pub const QUERY_BYTES: usize = 4_096;
/// Conditions in one query.
pub const CLAUSES: usize = 1_024;
/// Nesting of conditions.
pub const DEPTH: usize = 24;
/// Different values that a wildcard may stand for.
pub const WILDCARD_VALUES: usize = 100_000;
/// Up to this many different values a `cardinality` is exact; above, it is an estimate with a standard error of 2.3 per cent.
pub const EXACT_CARDINALITY: usize = 3_000;
/// Time of one search; looked at between segments.
pub const TIME: Duration = Duration::from_secs(10);
