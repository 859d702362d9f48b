//! How long the bars of a timeline are.

use chrono::TimeDelta;

use super::Scope;

/// Most bars in a timeline.
const MOST: i64 = 96;
/// Points of a sparkline.
const SPARKS: i64 = 24;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Lengths that a person can read off an axis, in milliseconds.
const LENGTHS: &[i64] = &[
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    20 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    4 * HOUR,
    6 * HOUR,
    8 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    4 * DAY,
    7 * DAY,
    14 * DAY,
    28 * DAY,
];

/// Buckets of equal length: each holds its start and not its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Buckets {
    /// Start of the first, epoch milliseconds.
    pub(crate) start: i64,
    /// Length of each, milliseconds.
    pub(crate) length: i64,
    /// How many.
    pub(crate) count: usize,
}

impl Buckets {
    /// Readable bars over the whole scope; the first and the last may reach beyond it.
    pub(crate) fn of_timeline(scope: &Scope) -> Self {
        let (from, to) = ends(scope);
        let span = to - from;
        let length = LENGTHS
            .iter()
            .copied()
            .find(|length| span <= length * MOST)
            .unwrap_or_else(|| (span / MOST / DAY + 1) * DAY);
        let start = from.div_euclid(length) * length;
        Self::covering(start, to, length)
    }

    /// The points of a sparkline, from the very start of the scope.
    pub(crate) fn of_sparkline(scope: &Scope) -> Self {
        let (from, to) = ends(scope);
        Self::covering(from, to, ((to - from) / SPARKS).max(1))
    }

    /// The period before the scope, and the scope.
    pub(crate) fn of_periods(scope: &Scope) -> Self {
        let (from, to) = ends(scope);
        let length = to - from;
        Self {
            start: from - length,
            length,
            count: 2,
        }
    }

    fn covering(start: i64, to: i64, length: i64) -> Self {
        let count = (to - start + length - 1) / length;
        Self {
            start,
            length,
            count: usize::try_from(count).unwrap_or_default(),
        }
    }

    /// How far the buckets are shifted from multiples of their length.
    pub(crate) fn offset(&self) -> i64 {
        self.start.rem_euclid(self.length)
    }

    /// The bucket with this start.
    pub(crate) fn position(&self, key: i64) -> Option<usize> {
        usize::try_from((key - self.start).div_euclid(self.length))
            .ok()
            .filter(|n| *n < self.count)
    }

    /// Start of each bucket.
    pub(crate) fn starts(&self) -> Vec<i64> {
        (0..self.count as i64).map(|n| self.start + n * self.length).collect()
    }
}

fn ends(scope: &Scope) -> (i64, i64) {
    let from = scope.from.timestamp_millis();
    (
        from,
        from + scope.length().max(TimeDelta::seconds(1)).num_milliseconds(),
    )
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;

    fn scope(from: i64, length: i64) -> Scope {
        let at = |ms| DateTime::from_timestamp_millis(ms).expect("in range");
        Scope::between(at(from), at(from + length))
    }

    #[test]
    fn common_ranges_get_bars_that_a_person_can_read() {
        for (range, bar) in [
            (HOUR, MINUTE),
            (DAY, 15 * MINUTE),
            (7 * DAY, 2 * HOUR),
            (30 * DAY, 8 * HOUR),
            (5 * MINUTE, 5 * SECOND),
        ] {
            assert_eq!(Buckets::of_timeline(&scope(0, range)).length, bar, "{range}");
        }
    }

    proptest! {
        #[test]
        fn buckets_cover_the_range_and_stay_few(from in 0i64..2_000_000_000_000, length in 1i64..(3_000 * DAY)) {
            let scope = scope(from, length);
            let (from, to) = ends(&scope);
            for buckets in [Buckets::of_timeline(&scope), Buckets::of_sparkline(&scope)] {
                prop_assert!(buckets.start <= from && buckets.start + buckets.length * buckets.count as i64 >= to);
                prop_assert!(buckets.count <= 98, "{}", buckets.count);
                prop_assert_eq!(buckets.position(from), Some(0));
                prop_assert!(buckets.position(to - 1).is_some());
            }
        }
    }
}
