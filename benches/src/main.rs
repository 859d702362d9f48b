//! `cargo xtask bench transforms`: the transforms beside what people would otherwise run, in one go.
//!
//! ```text
//! portcullis generate ──► events ──► every peer answers once ──► equal? ──► rounds ──► ratios ──► gates, tables
//! ```
//!
//! Every peer is a process of its own that speaks the same few lines ([`worker`]), so that a Python program is asked
//! exactly as this one is. What counts is its own process's CPU time, and of that only ratios within one round.

mod case;
mod drive;
mod events;
mod gates;
mod growth;
mod lambda;
mod peers;
mod processor;
mod report;
mod same;
mod tables;
mod worker;

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result, bail};

const HELP: &str = "\
portcullis-benches drive [--short] [--only CASE]   what `cargo xtask bench transforms` runs
portcullis-benches work PEER CASE                  one peer, asked on standard input";

fn main() -> ExitCode {
    portcullis_benches::main(run)
}

fn run(words: &[&str]) -> Result<bool> {
    match words {
        ["work", peer, case] => worker::serve(peer, case::find(case)?).map(|()| true),
        ["drive", options @ ..] => drive::drive(&settings(options)?),
        _ => bail!("not understood\n\n{HELP}"),
    }
}

fn settings(options: &[&str]) -> Result<drive::Settings> {
    let variable = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .with_context(|| format!("{name} is not set"))
    };
    let mut settings = drive::Settings {
        portcullis: variable("PORTCULLIS_BIN")?,
        python: variable("PORTCULLIS_BENCH_PYTHON")?,
        vrl: std::env::var_os("PORTCULLIS_BENCH_VRL").map(PathBuf::from),
        functions: std::env::var_os("PORTCULLIS_BENCH_FUNCTIONS").map(PathBuf::from),
        put_back: std::env::var_os("PORTCULLIS_BENCH_PUT_BACK").map(PathBuf::from),
        folder: variable("PORTCULLIS_BENCH_FOLDER")?,
        short: false,
        cases: Vec::new(),
    };
    let mut options = options.iter();
    while let Some(option) = options.next() {
        match *option {
            "--short" => settings.short = true,
            "--only" => settings
                .cases
                .push(case::find(options.next().context("--only needs a case")?)?),
            other => bail!("`{other}` is not understood\n\n{HELP}"),
        }
    }
    if settings.cases.is_empty() {
        settings.cases = case::ALL.iter().collect();
    }
    Ok(settings)
}
