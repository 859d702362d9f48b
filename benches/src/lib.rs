//! What the benches share: how one ends, its clock, the middle of its rounds, the machine that it ran on, the README's tables,
//! and a Runtime API for functions.

pub mod machine;
pub mod readme;
pub mod runtime_api;

use std::process::ExitCode;

use anyhow::Result;
use rustix::time::{ClockId, clock_gettime};

/// Runs a bench on the words of its command line. It fails when a gate does not hold, and says why when it cannot run.
pub fn main(run: impl FnOnce(&[&str]) -> Result<bool>) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// CPU time of this process.
#[must_use]
pub fn cpu_nanoseconds() -> i64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}

/// The middle one of some values.
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// What a gate is said to do in a table.
#[must_use]
pub fn verdict(held: bool) -> &'static str {
    if held { "holds" } else { "**does not hold**" }
}
