//! A harness that finds nothing proves nothing: every planted mistake has to be found.

use portcullis::planted::{Bug, plant};

use crate::run::play;
use crate::schedule::Schedule;

/// Schedules within which every mistake has to be found.
pub const WITHIN: u64 = 2_000;

/// How a mistake was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Schedules played, the one that found it included.
    pub schedules: u64,
    /// The seed of that one.
    pub seed: u64,
    /// What was wrong first.
    pub what: String,
}

/// Looks for one mistake, from a seed on.
#[must_use]
pub fn look(bug: Bug, seed: u64) -> Option<Found> {
    (0..WITHIN).find_map(|at| {
        let schedule = Schedule::draw(seed + at);
        plant(Some(bug));
        let broken = play(&schedule, false).broken;
        plant(None);
        let what = broken.into_iter().next()?;
        // What is wrong without the mistake, too, says nothing about it.
        play(&schedule, false).broken.is_empty().then_some(Found {
            schedules: at + 1,
            seed: seed + at,
            what,
        })
    })
}
