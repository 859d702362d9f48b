//! `cargo xtask bench responder`: how many findings are read and decided on, and whether a finding costs more when the ledger
//! holds more.
//!
//! With `--short` it takes few rounds, gates nothing and leaves the results alone: that it still runs.

mod decide;
mod ledger;
mod report;

use std::process::ExitCode;

use anyhow::{Result, bail};

/// What was measured.
struct Results {
    rates: decide::Rates,
    /// By rows, fewest first.
    levels: Vec<ledger::Level>,
}

fn main() -> ExitCode {
    portcullis_benches::main(run)
}

/// Whether every gate holds.
fn run(words: &[&str]) -> Result<bool> {
    let short = match words {
        [] => false,
        ["--short"] => true,
        _ => bail!("not understood; it takes --short or nothing"),
    };
    let results = Results {
        rates: decide::rates(short)?,
        levels: ledger::levels(short)?,
    };
    report::tell(&results, short)
}
