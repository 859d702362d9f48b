//! A token bucket for the calls of one account and region, which learns from EC2's own refusals.
//!
//! EC2 refills a bucket of its own per account and region; other programs drink from it too, so its level cannot be known.
//! See [API request throttling](https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Tokens at most, and tokens a second at best.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    full: f64,
    fastest: f64,
}

/// EC2's own pace for calls that describe.
pub(super) const READS: Pace = Pace {
    full: 100.0,
    fastest: 20.0,
};

/// And for those that write.
pub(super) const WRITES: Pace = Pace {
    full: 50.0,
    fastest: 5.0,
};

/// Tokens a second at worst.
const SLOWEST: f64 = 0.2;

/// How much of the speed comes back with each call that was let through.
const RECOVERY: f64 = 1.05;

#[derive(Debug)]
struct Level {
    tokens: f64,
    a_second: f64,
    at: Instant,
}

/// The bucket.
#[derive(Debug)]
pub(super) struct Bucket {
    pace: Pace,
    level: Mutex<Level>,
}

impl Bucket {
    /// A full one.
    pub(super) fn new(pace: Pace) -> Self {
        let level = Level {
            tokens: pace.full,
            a_second: pace.fastest,
            at: Instant::now(),
        };
        Self {
            pace,
            level: Mutex::new(level),
        }
    }

    /// Takes a token and says how long to wait before it may be used; `None`, and nothing is taken, when that is longer than
    /// `patience`.
    pub(super) fn take(&self, now: Instant, patience: Duration) -> Option<Duration> {
        self.with(now, |level| {
            let missing = (1.0 - level.tokens).max(0.0);
            let wait = Duration::from_secs_f64(missing / level.a_second);
            (wait <= patience).then(|| {
                level.tokens -= 1.0;
                wait
            })
        })
    }

    /// EC2 let a call through.
    pub(super) fn passed(&self, now: Instant) {
        self.with(now, |level| {
            level.a_second = (level.a_second * RECOVERY).min(self.pace.fastest);
        });
    }

    /// EC2 refused a call: nothing is left, and it comes back more slowly.
    pub(super) fn refused(&self, now: Instant) {
        self.with(now, |level| {
            level.tokens = level.tokens.min(0.0);
            level.a_second = (level.a_second / 2.0).max(SLOWEST);
        });
    }

    fn with<T>(&self, now: Instant, change: impl FnOnce(&mut Level) -> T) -> T {
        let mut level = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        level.tokens =
            (level.tokens + now.saturating_duration_since(level.at).as_secs_f64() * level.a_second).min(self.pace.full);
        level.at = level.at.max(now);
        change(&mut level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_empties_the_bucket_and_slows_it_until_calls_pass_again() {
        let (bucket, now) = (Bucket::new(WRITES), Instant::now());
        assert_eq!(bucket.take(now, Duration::ZERO), Some(Duration::ZERO));
        bucket.refused(now);
        assert_eq!(bucket.take(now, Duration::from_millis(100)), None, "no patience");
        let wait = bucket.take(now, Duration::from_secs(9)).expect("patience");
        assert_eq!(wait, Duration::from_millis(400), "half of five a second");
        let next = bucket.take(now, Duration::from_secs(9)).expect("patience");
        assert_eq!(next, Duration::from_millis(800), "each waits behind the one before");
        for _ in 0..100 {
            bucket.refused(now);
        }
        let longest = bucket.take(now, Duration::from_secs(600));
        assert!(longest.is_some(), "it never stands still");
        for _ in 0..200 {
            bucket.passed(now);
        }
        let later = now + Duration::from_secs(60);
        for _ in 0..50 {
            assert_eq!(
                bucket.take(later, Duration::ZERO),
                Some(Duration::ZERO),
                "it is full again"
            );
        }
    }
}
