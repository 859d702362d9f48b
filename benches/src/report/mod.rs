//! What a run found: the figures, the tables that people read, and the same as JSON.

mod figures;
mod files;
mod tables;

use crate::{case::Case, drive::Peer, growth::Growth, lambda::Lambda};

pub(crate) use self::files::write;

/// What was measured.
#[derive(Default)]
pub(crate) struct Results {
    pub(crate) measured: Vec<Measured>,
    pub(crate) growth: Vec<Growth>,
    pub(crate) lambdas: Vec<Lambda>,
}

/// What was measured of one case.
pub(crate) struct Measured {
    pub(crate) case: &'static Case,
    pub(crate) records: usize,
    pub(crate) event: usize,
    pub(crate) response: usize,
    pub(crate) timings: Vec<Timing>,
    pub(crate) memory: Memory,
}

/// CPU nanoseconds per invocation of one peer, round by round.
pub(crate) struct Timing {
    pub(crate) peer: &'static Peer,
    pub(crate) rounds: Vec<f64>,
}

/// Bytes that an invocation took beyond what was resident.
pub(crate) struct Memory {
    pub(crate) taken: u64,
    /// Event and response.
    pub(crate) bytes: u64,
    pub(crate) bar: u64,
}

impl Measured {
    fn rounds(&self, peer: &str) -> Option<&[f64]> {
        let timing = self.timings.iter().find(|timing| timing.peer.name == peer)?;
        Some(&timing.rounds)
    }
}

/// Prints the tables; the answer is whether every gate held.
pub(crate) fn show(results: &Results, short: bool) -> bool {
    let (tables, passed) = tables::all(results);
    println!("\n{tables}");
    match (short, passed) {
        (true, _) => println!("a short run: the figures are rough, and nothing is gated on them"),
        (false, true) => println!("every gate held"),
        (false, false) => println!("a gate did NOT hold: see the tables"),
    }
    passed
}
