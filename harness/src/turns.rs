//! Many schedules, one after another or several at once, told in the order of their seeds either way.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;

use anyhow::Result;

use crate::run::Outcome;
use crate::schedule::Schedule;

/// Plays `schedules` of them from `seed` on, `at_once` at a time, and tells of each.
///
/// # Errors
/// The first that could not be played.
pub fn play(
    seed: u64,
    schedules: u64,
    at_once: usize,
    each: impl Fn(&Schedule) -> Result<Outcome> + Sync,
    mut tell: impl FnMut(&Schedule, Outcome),
) -> Result<()> {
    let draw = |at: u64| Schedule::draw(seed.wrapping_add(at));
    if at_once <= 1 {
        for at in 0..schedules {
            let schedule = draw(at);
            tell(&schedule, each(&schedule)?);
        }
        return Ok(());
    }
    let next = AtomicU64::new(0);
    let (send, ended) = mpsc::channel();
    thread::scope(|threads| {
        for _ in 0..at_once {
            let (send, next, each, draw) = (send.clone(), &next, &each, &draw);
            threads.spawn(move || {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= schedules {
                        return;
                    }
                    let schedule = draw(at);
                    let outcome = each(&schedule);
                    if send.send((at, schedule, outcome)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        // Those that came before an earlier one did.
        let mut waiting = BTreeMap::new();
        let mut told = 0;
        for (at, schedule, outcome) in ended {
            waiting.insert(at, (schedule, outcome?));
            while let Some((schedule, outcome)) = waiting.remove(&told) {
                tell(&schedule, outcome);
                told += 1;
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn however_many_are_played_at_once_all_are_told_in_order() {
        for at_once in [1, 4] {
            let mut told = Vec::new();
            let each = |schedule: &Schedule| {
                thread::sleep(Duration::from_millis(schedule.seed % 3));
                Ok(Outcome {
                    slipped: schedule.seed,
                    ..Outcome::default()
                })
            };
            play(7, 20, at_once, each, |schedule, outcome| {
                told.push((schedule.seed, outcome.slipped));
            })
            .expect("played");
            assert_eq!(
                told,
                (7..27).map(|seed| (seed, seed)).collect::<Vec<_>>(),
                "{at_once} at once"
            );
        }
    }

    #[test]
    fn one_that_cannot_be_played_ends_it() {
        for at_once in [1, 4] {
            let each = |schedule: &Schedule| match schedule.seed {
                9 => Err(anyhow::anyhow!("no table")),
                _ => Ok(Outcome::default()),
            };
            assert!(play(7, 20, at_once, each, |_, _| {}).is_err());
        }
    }
}
