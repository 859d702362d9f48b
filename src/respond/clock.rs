//! The present, as one process sees it. Deciding and planning take a time as an argument; acting takes a clock, since a call
//! must not begin when the lease has nearly run out.

use chrono::{DateTime, SubsecRound, Utc};

/// Tells the time. Clocks of different processes may differ by a few seconds, never by more than the responder allows for.
pub trait Clock: Send + Sync {
    /// The present.
    fn now(&self) -> DateTime<Utc>;
}

/// The wall clock, to the millisecond: a time with more digits would not read back as the one that was written.
#[derive(Clone, Copy, Debug, Default)]
pub struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(3)
    }
}

/// A clock that stands still: for replaying what happened, and for tests.
impl Clock for DateTime<Utc> {
    fn now(&self) -> DateTime<Utc> {
        *self
    }
}

impl<C: Clock> Clock for &C {
    fn now(&self) -> DateTime<Utc> {
        (*self).now()
    }
}
