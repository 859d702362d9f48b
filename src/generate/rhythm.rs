//! When events arrive: in order, busy by day and quiet at night, without keeping any of them in memory.

use chrono::{DateTime, TimeDelta, Timelike as _, Utc};

use super::random::Random;

/// How busy each hour of the day (UTC) is, relative to the others.
pub(crate) type Rhythm = [u8; 24];

/// People at work in Europe, some of them in America.
pub(crate) const OFFICE: Rhythm = [
    2, 2, 1, 1, 2, 3, 6, 10, 14, 16, 16, 15, 14, 15, 16, 17, 16, 13, 11, 10, 8, 7, 5, 3,
];

/// Machines: the same, over a base load that never sleeps.
pub(crate) const MACHINES: Rhythm = [
    7, 7, 6, 6, 6, 7, 9, 11, 13, 14, 14, 13, 13, 13, 14, 14, 14, 12, 11, 10, 10, 9, 8, 7,
];

/// Attackers and scanners work around the clock.
pub(crate) const AROUND_THE_CLOCK: Rhythm = [1; 24];

/// `count` arrival times in `[since, until)`, never decreasing.
///
/// The span is cut into `count` parts of equal load and one time is drawn from each, so order costs no sorting.
#[derive(Clone, Debug)]
pub(crate) struct Arrivals {
    rhythm: Rhythm,
    until: DateTime<Utc>,
    /// Load of the whole span; one unit is one millisecond of an hour with weight one.
    total: f64,
    count: u64,
    index: u64,
    /// Start of the stretch of constant load that the last time fell into, and the load before it.
    stretch: DateTime<Utc>,
    before: f64,
}

impl Arrivals {
    pub(crate) fn new(rhythm: Rhythm, since: DateTime<Utc>, until: DateTime<Utc>, count: u64) -> Self {
        let mut arrivals = Self {
            rhythm,
            until: until.max(since),
            total: 0.0,
            count,
            index: 0,
            stretch: since,
            before: 0.0,
        };
        let mut at = since;
        while at < arrivals.until {
            let end = arrivals.end_of_stretch(at);
            arrivals.total += arrivals.load(at, end);
            at = end;
        }
        arrivals
    }

    /// Events that are still to come.
    pub(crate) fn left(&self) -> u64 {
        self.count - self.index
    }

    pub(crate) fn next(&mut self, random: &mut Random) -> Option<DateTime<Utc>> {
        if self.index == self.count {
            return None;
        }
        let wanted = self.total * (self.index as f64 + random.fraction()) / self.count as f64;
        self.index += 1;
        while self.stretch < self.until {
            let end = self.end_of_stretch(self.stretch);
            let load = self.load(self.stretch, end);
            if wanted < self.before + load {
                let into = (wanted - self.before).max(0.0) / f64::from(self.weight(self.stretch));
                return Some(self.stretch + TimeDelta::milliseconds(into as i64));
            }
            self.before += load;
            self.stretch = end;
        }
        Some(self.until)
    }

    fn weight(&self, at: DateTime<Utc>) -> u8 {
        self.rhythm[at.hour() as usize].max(1)
    }

    fn load(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> f64 {
        f64::from(self.weight(from)) * (to - from).num_milliseconds() as f64
    }

    /// The end of the hour, or of the span. A time that cannot be moved forward ends the span.
    fn end_of_stretch(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        let into = TimeDelta::milliseconds(at.timestamp_millis().rem_euclid(3_600_000));
        at.checked_add_signed(TimeDelta::hours(1) - into)
            .map_or(self.until, |end| end.min(self.until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day() -> (DateTime<Utc>, DateTime<Utc>) {
        let until = crate::generate::DEFAULT_UNTIL;
        (until - TimeDelta::hours(24), until)
    }

    #[test]
    fn times_never_decrease_and_stay_in_the_span() {
        let (since, until) = day();
        for count in [1, 2, 999, 5_000] {
            let (mut random, mut last, mut seen) = (Random::new(1, 0), since, 0);
            let mut arrivals = Arrivals::new(OFFICE, since, until, count);
            while let Some(at) = arrivals.next(&mut random) {
                assert!(last <= at && at <= until, "{last} {at}");
                (last, seen) = (at, seen + 1);
            }
            assert_eq!(seen, count);
        }
    }

    #[test]
    fn an_hour_gets_its_share() {
        let (since, until) = day();
        let mut random = Random::new(2, 0);
        let mut arrivals = Arrivals::new(OFFICE, since, until, 100_000);
        let mut hours = [0_u32; 24];
        while let Some(at) = arrivals.next(&mut random) {
            hours[at.hour() as usize % 24] += 1;
        }
        let load: u32 = OFFICE.iter().map(|&w| u32::from(w)).sum();
        for (hour, &count) in hours.iter().enumerate() {
            let expected = 100_000 * u32::from(OFFICE[hour]) / load;
            assert!(
                count.abs_diff(expected) <= 3,
                "hour {hour}: {count}, expected {expected}"
            );
        }
    }

    #[test]
    fn an_empty_span_gives_all_events_at_its_end() {
        let (_, until) = day();
        let mut random = Random::new(3, 0);
        let mut arrivals = Arrivals::new(OFFICE, until, until, 2);
        assert_eq!(arrivals.next(&mut random), Some(until));
        assert_eq!(arrivals.next(&mut random), Some(until));
        assert_eq!(arrivals.next(&mut random), None);
    }
}
