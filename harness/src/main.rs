//! `cargo xtask harness`: plays schedules, proves itself on planted mistakes, or plays one schedule again.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use portcullis::planted::{Bug, plant};
use portcullis_harness::gate::Fault;
use portcullis_harness::run::{play, play_on};
use portcullis_harness::schedule::Schedule;
use portcullis_harness::stage::Stage;
use portcullis_harness::{prove, shrink, turns};

const HELP: &str = "\
harness --schedules N [--seed S]      play N schedules from seed S on (without --seed a fresh one, which is printed)
harness --store sqlite|dynamodb ...   the same on a real store beside the one in memory; both have to say the same
harness --prove [--seed S]            plant every mistake in turn; each has to be found within 2,000 schedules
harness --replay WORD [--bug NAME]    play one schedule again and tell everything that happens";

/// Violations that are made smaller and printed; the rest are counted.
const MOST_SHOWN: usize = 3;

/// Lines that are told of what happened before a violation.
const TOLD: usize = 60;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("harness: {error:#}\n\n{HELP}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &[String]) -> Result<bool> {
    let mut values: BTreeMap<&str, &str> = BTreeMap::new();
    let mut rest = arguments.iter().map(String::as_str);
    while let Some(name) = rest.next() {
        let value = match name {
            "--prove" => "",
            "--schedules" | "--seed" | "--replay" | "--bug" | "--store" => {
                rest.next().with_context(|| format!("{name} needs a value"))?
            }
            other => bail!("`{other}` is not understood"),
        };
        values.insert(name, value);
    }
    let seed = match values.get("--seed") {
        Some(seed) => seed.parse().context("--seed is a number")?,
        None => fresh(),
    };
    if let Some(name) = values.get("--bug") {
        let bug = Bug::ALL.iter().find(|(_, word, _)| word == name);
        plant(Some(bug.with_context(|| format!("there is no mistake `{name}`"))?.0));
    }
    let stage = Stage::open(values.get("--store").unwrap_or(&"memory"))?;
    if let Some(word) = values.get("--replay") {
        let schedule = shrink::read(word).map_err(anyhow::Error::msg)?;
        return replay(&schedule, &stage);
    }
    if values.contains_key("--prove") {
        return Ok(proved(seed));
    }
    let schedules = values.get("--schedules").unwrap_or(&"2000");
    played(schedules.parse().context("--schedules is a number")?, seed, &stage)
}

fn fresh() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(1, |since| since.as_secs() % 1_000_000 * 1_000)
}

fn replay(schedule: &Schedule, stage: &Stage) -> Result<bool> {
    print!("{}", shrink::shown(schedule));
    let outcome = play_on(schedule, true, stage.beside()?);
    for line in &outcome.trace {
        println!("{line}");
    }
    for what in &outcome.broken {
        println!("violation {what}");
    }
    Ok(outcome.broken.is_empty())
}

fn played(schedules: u64, seed: u64, stage: &Stage) -> Result<bool> {
    println!("{schedules} schedules from seed {seed}");
    let start = Instant::now();
    let mut counts: BTreeMap<Fault, u64> = BTreeMap::new();
    let mut calls: BTreeMap<String, u64> = BTreeMap::new();
    let (mut violations, mut slipped) = (0, 0);
    let each = |schedule: &Schedule| Ok(play_on(schedule, false, stage.beside()?));
    turns::play(seed, schedules, stage.at_once(), each, |schedule, outcome| {
        slipped += outcome.slipped;
        for (word, count) in outcome.calls {
            *calls.entry(word).or_default() += count;
        }
        for (fault, count) in outcome.counts {
            *counts.entry(fault).or_default() += count;
        }
        if outcome.broken.is_empty() {
            return;
        }
        violations += 1;
        println!("\nseed {}: {}", schedule.seed, outcome.broken.join("\n  "));
        if violations <= MOST_SHOWN && stage.is_memory() {
            let small = shrink::shrink(schedule, &outcome.broken);
            let again = play(&small, true);
            print!("made smaller:\n{}", shrink::shown(&small));
            told(&again.trace);
            println!("again: cargo xtask harness --replay '{}'", shrink::word(&small));
        }
    })?;
    println!("\n{:<22} {:>10}", "fault", "injected");
    for (fault, word) in Fault::ALL {
        println!("{word:<22} {:>10}", counts.get(fault).copied().unwrap_or(0));
    }
    println!(
        "\n{slipped} entries of others were overwritten between looking and acting; {:.1} s, {:.0} schedules/s",
        start.elapsed().as_secs_f64(),
        schedules as f64 / start.elapsed().as_secs_f64()
    );
    if !stage.is_memory() {
        let by_word: Vec<String> = calls.iter().map(|(word, count)| format!("{word} {count}")).collect();
        println!(
            "{} calls of the real store, each compared with what the one in memory says: {}",
            calls.values().sum::<u64>(),
            by_word.join(", ")
        );
    }
    println!("{schedules} schedules, {violations} violations");
    Ok(violations == 0)
}

/// What happened up to the first thing that is wrong.
fn told(trace: &[String]) {
    let says = |line: &&String| !line.ends_with("commits [] ");
    let wrong = trace.iter().position(|line| line.contains(" WRONG "));
    let until: Vec<&String> = trace
        .iter()
        .take(wrong.map_or(trace.len(), |at| at + 1))
        .filter(says)
        .collect();
    for line in &until[until.len().saturating_sub(TOLD)..] {
        println!("{line}");
    }
}

fn proved(seed: u64) -> bool {
    println!("every planted mistake, from seed {seed}\n");
    let mut missed = 0;
    for (bug, word, meaning) in Bug::ALL {
        match prove::look(*bug, seed) {
            Some(found) => println!(
                "{word:<22} found after {:>4} (seed {}): {}",
                found.schedules, found.seed, found.what
            ),
            None => {
                missed += 1;
                println!("{word:<22} NOT FOUND within {}: {}", prove::WITHIN, meaning.trim());
            }
        }
    }
    println!("\n{} planted mistakes, {missed} not found", Bug::ALL.len());
    missed == 0
}
