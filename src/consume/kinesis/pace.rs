//! When the next call on a shard may begin. Five calls and 2 MB a second are what a shard gives, to all its readers.

use std::time::Duration;

use tokio::time::Instant;

/// Between two calls while there is more to read.
const BUSY: Duration = Duration::from_millis(250);

/// Between two calls when there is nothing: with the latency of a stream of findings, a second is nobody's loss, and it
/// leaves the shard to its other readers.
const IDLE: Duration = Duration::from_secs(1);

/// Bytes that a shard gives in a second.
const BYTES: u64 = 2 * 1024 * 1024;

/// The first wait after a fault, and the longest.
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(20);

/// The waits of one reader.
#[derive(Debug)]
pub(super) struct Pace {
    /// Spreads readers that fail at the same time.
    spread: u32,
    faults: u32,
}

impl Pace {
    /// For the reader of this shard.
    pub(super) fn new(shard: &str) -> Self {
        let spread = shard
            .bytes()
            .fold(0_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
        Self { spread, faults: 0 }
    }

    /// When to call again, after a call that began at `began` and brought that many bytes.
    pub(super) fn after(&mut self, began: Instant, bytes: u64, more: bool) -> Instant {
        self.faults = 0;
        let paid = Duration::from_millis(bytes.saturating_mul(1000) / BYTES);
        began + paid.max(if more { BUSY } else { IDLE })
    }

    /// How long to wait after a fault: twice as long each time, a little different for each shard.
    pub(super) fn after_fault(&mut self) -> Duration {
        let doubled = (FIRST * (1 << self.faults.min(8))).min(LONGEST);
        self.faults = self.faults.saturating_add(1);
        let thousandths = self.spread.wrapping_mul(2_654_435_761).wrapping_add(self.faults * 97) % 300;
        doubled + doubled * thousandths / 1000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_calls_and_two_megabytes_a_second_are_never_exceeded() {
        let mut pace = Pace::new("shardId-000000000000");
        let began = Instant::now();
        for (bytes, more, least) in [
            (0, false, Duration::from_secs(1)),
            (1, true, Duration::from_millis(200)),
            (10 * 1024 * 1024, true, Duration::from_secs(5)),
        ] {
            assert!(pace.after(began, bytes, more) >= began + least, "{bytes}");
        }
    }

    #[test]
    fn waits_after_faults_double_to_a_limit_and_a_success_ends_them() {
        let mut pace = Pace::new("shardId-000000000001");
        let waits: Vec<Duration> = (0..40).map(|_| pace.after_fault()).collect();
        assert!(waits[0] >= FIRST && waits[0] < 2 * FIRST);
        assert!(waits.windows(2).take(5).all(|two| two[0] < two[1]), "{waits:?}");
        assert!(waits.iter().all(|wait| *wait <= LONGEST * 13 / 10));
        pace.after(Instant::now(), 0, true);
        assert!(pace.after_fault() < 2 * FIRST);
    }
}
