//! The habits of this repository: `cargo xtask test` runs everything that must hold, `cargo xtask screenshots` takes
//! pictures of the pages. `cargo xtask --help` lists them.

mod bench;
mod demo;
mod fields;
mod fuzz;
mod opensearch;
mod shell;
mod steps;
mod tools;

use std::{path::PathBuf, process::ExitCode, time::Instant};

use anyhow::{Result, bail};

const HELP: &str = "\
cargo xtask test [--only STEP]...   install what tests need, then run every step; stops at the first that fails
cargo xtask steps                   list the steps
cargo xtask tools                   install what tests need, and nothing else
cargo xtask fields                  write the field reference, docs/fields, from the tables of the sources
cargo xtask fuzz [--seconds N] [--target T]... [--keep]
                                    every fuzz target, N seconds each (60), with a nightly compiler; --keep renews the
                                    committed inputs
cargo xtask bench transforms [--short] [--only CASE]...
                                    the transforms beside their peers, with gates on the ratios (--short: without, in a minute)
cargo xtask bench responder [--short]
                                    decisions a second, and what a finding costs in ledgers of up to a million rows
cargo xtask bench index [--documents N] [--large N] [--rounds N] [--only PART]... [--short]
                                    the embedded index beside SQLite and OpenSearch over N documents (1,000,000), the Overview page,
                                    the bulk writer, and the embedded index alone over N (10,000,000); --short: without OpenSearch or gates
cargo xtask harness [--schedules N] [--seed S]
                                    play N schedules of faults against the responder (without --seed a fresh one)
cargo xtask harness --store sqlite|dynamodb [--schedules N] [--seed S]
                                    the same, with that store beside the one in memory: both have to say the same
cargo xtask harness --prove [--seed S]
                                    plant mistakes in the responder: the harness has to find every one
cargo xtask harness --replay WORD   play one schedule again and tell everything that happens
cargo xtask e2e responder [--events N] [--network-acls N]
                                    the responder on real streams and tables under kills and faults (10,000 events on 10)
cargo xtask e2e opensearch [--documents N] [--requests N] [--mutations N]
                                    prove templates, roles, writer and every panel on a real OpenSearch, which it starts and ends,
                                    over N documents of a day (9,000), with N generated requests (60) and mutations (2,000) per source
cargo xtask e2e browser             every page of a demo in a real Chromium: drawn, worked with, read by axe-core, pictured
cargo xtask stack                   start a stream, tables, EC2 and a Slack to try the responder on, until Enter is pressed
cargo xtask opensearch              start such an OpenSearch to try things on, until Enter is pressed
cargo xtask screenshots [DIR]       every page, at 1280 and 390 pixels, light and dark (default: target/screenshots),
                                    and the pictures of the README into docs/images";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<()> {
    match words {
        ["test", options @ ..] => test(&chosen(options)?),
        ["steps"] => {
            for step in steps::ALL {
                println!("{:<12} {}", step.name, step.what);
            }
            Ok(())
        }
        ["harness", options @ ..] => steps::harness(options),
        ["tools"] => tools::install().map(drop),
        ["fields"] => fields::write(),
        ["fuzz", options @ ..] => fuzz::fuzz(&fuzz::Wish::read(options)?),
        ["bench", words @ ..] => bench::bench(words),
        ["e2e", "responder", options @ ..] => steps::e2e(options),
        ["e2e", "opensearch", options @ ..] => opensearch::prove_with(&opensearch::Wish::read(options)?),
        ["e2e", "browser"] => demo::prove(),
        ["stack"] => steps::stack(),
        ["opensearch"] => opensearch::serve(),
        ["screenshots"] => demo::screenshots(&PathBuf::from("target/screenshots")),
        ["screenshots", folder] => demo::screenshots(&PathBuf::from(folder)),
        [] | ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            Ok(())
        }
        [other, ..] => bail!("there is no `{other}`\n\n{HELP}"),
    }
}

/// The steps that `--only` names, or all of them.
fn chosen(options: &[&str]) -> Result<Vec<&'static steps::Step>> {
    if options.is_empty() {
        return Ok(steps::ALL.iter().collect());
    }
    let mut named = Vec::new();
    for option in options.chunks(2) {
        let ["--only", name] = option else {
            bail!("`{}` is not understood\n\n{HELP}", option.join(" "));
        };
        match steps::ALL.iter().find(|step| step.name == *name) {
            Some(step) => named.push(step),
            None => bail!("there is no step `{name}`; `cargo xtask steps` lists them"),
        }
    }
    Ok(named)
}

/// Runs the steps, stops at the first that fails, and closes with what passed and what did not.
fn test(chosen: &[&steps::Step]) -> Result<()> {
    let mut done = Vec::new();
    let mut failure = None;
    for (place, step) in chosen.iter().enumerate() {
        println!("\n━━ {}/{} {}: {}", place + 1, chosen.len(), step.name, step.what);
        let start = Instant::now();
        let outcome = (step.run)();
        done.push((step.name, start.elapsed(), outcome.is_ok()));
        if let Err(error) = outcome {
            println!(
                "\nFAILED {}: {error:#}\nTo run it alone: cargo xtask test --only {}",
                step.name, step.name
            );
            failure = Some(step.name);
            break;
        }
    }
    println!();
    for (name, took, passed) in &done {
        let verdict = if *passed { "passed" } else { "FAILED" };
        println!("{name:<12} {verdict} {:>7.1} s", took.as_secs_f64());
    }
    let failed = usize::from(failure.is_some());
    let left = chosen.len() - done.len();
    if left > 0 {
        println!("{left} steps were not run");
    }
    println!("\n{} passed, {failed} failed", done.len() - failed);
    match failure {
        None => Ok(()),
        Some(name) => bail!("step `{name}` failed"),
    }
}
