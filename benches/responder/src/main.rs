//! `cargo xtask bench responder`: how many findings are read and decided on, and whether a finding costs more when the ledger
//! holds more; and what the Lambda function is at its start, where `PORTCULLIS_BENCH_RESPOND` names it.
//!
//! With `--short` it takes few rounds, gates nothing and leaves the results alone: that it still runs.

mod decide;
mod function;
mod ledger;
#[path = "../../src/report/machine.rs"]
mod machine;
mod report;

use std::process::ExitCode;

use anyhow::{Result, bail};
use rustix::time::{ClockId, clock_gettime};

/// What was measured.
struct Results {
    rates: decide::Rates,
    /// By rows, fewest first.
    levels: Vec<ledger::Level>,
    function: Option<function::Function>,
}

fn main() -> ExitCode {
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

/// CPU time of this process.
fn cpu_nanoseconds() -> i64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}
