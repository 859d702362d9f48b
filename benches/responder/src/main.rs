//! `cargo xtask bench responder`: how many findings are read and decided on, and whether a finding costs more when the ledger
//! holds more; and what the Lambda function is at its start, where `PORTCULLIS_BENCH_RESPOND` names it.
//!
//! With `--short` it takes few rounds, gates nothing and leaves the results alone: that it still runs.

mod decide;
mod function;
mod ledger;
mod report;

use std::process::ExitCode;

use anyhow::{Result, bail};

/// What was measured.
struct Results {
    rates: decide::Rates,
    /// By rows, fewest first.
    levels: Vec<ledger::Level>,
    function: Option<function::Function>,
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
    let binary = std::env::var_os("PORTCULLIS_BENCH_RESPOND").filter(|_| !short);
    let results = Results {
        function: binary.map(|path| function::measure(path.as_ref())).transpose()?,
        rates: decide::rates(short)?,
        levels: ledger::levels(short)?,
    };
    report::tell(&results, short)
}
