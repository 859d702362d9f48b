//! `cargo xtask bench index`: the embedded index beside SQLite and a real OpenSearch, the complete Overview page, the bulk
//! writer beside a tight loop, and the embedded index with ten times as much.
//!
//! ```text
//! generator ──► normaliser ──► a file ──► every engine ──► equal? ──► rounds ──► tables, gates
//! ```

#[path = "../../../tests/opensearch/alike.rs"]
mod alike;
mod bulk;
mod day;
mod engines;
mod large;
mod opensearch;
mod overview;
mod panels;
mod report;
mod sqlite;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::{Context, Result, bail};
use portcullis::index::Index;

const HELP: &str = "\
portcullis-bench-index [--documents N] [--large N] [--rounds N] [--only PART]... [--short]
parts: engines, overview, bulk, large; what `cargo xtask bench index` runs";

/// Which parts there are.
const PARTS: &[&str] = &["engines", "overview", "bulk", "large"];

/// How much is measured.
struct Settings {
    documents: u64,
    large: u64,
    rounds: usize,
    pages: usize,
    bulk: usize,
    parts: Vec<&'static str>,
    short: bool,
}

/// What was measured.
#[derive(Default)]
struct Results {
    engines: Vec<engines::Engine>,
    asked: Vec<panels::Asked>,
    pages: Vec<(&'static str, overview::Page)>,
    bulk: Option<bulk::Bulk>,
    large: Option<large::Large>,
}

fn main() -> ExitCode {
    portcullis_benches::main(run)
}

/// Whether every gate holds.
fn run(words: &[&str]) -> Result<bool> {
    if let ["large", documents, rounds, folder] = words {
        return large::here(Path::new(folder), documents.parse()?, rounds.parse()?).map(|()| true);
    }
    let settings = settings(words)?;
    let folder = std::env::var_os("PORTCULLIS_BENCH_FOLDER").map(PathBuf::from);
    let folder = folder.context("PORTCULLIS_BENCH_FOLDER is not set")?.join("index");
    remove(&folder)?;
    let results = measure(&settings, &folder)?;
    let command = ["cargo xtask bench index", &words.join(" ")].join(" ");
    // A part of it must not take the place of the whole.
    let keeps = !settings.short && settings.parts == PARTS;
    let held = report::tell(&results, keeps, command.trim())? || settings.short;
    // The engines still have their files open.
    drop(results);
    remove(&folder)?;
    Ok(held)
}

fn measure(settings: &Settings, folder: &Path) -> Result<Results> {
    let wants = |part: &str| settings.parts.contains(&part);
    let mut results = Results::default();
    let demo = folder.join("day");
    fs::create_dir_all(&demo).with_context(|| format!("cannot make {}", demo.display()))?;
    let server = opensearch::Server::from_environment()?;
    let file = folder.join("documents");
    if wants("engines") || wants("overview") || wants("bulk") {
        let mut day = day::Day::begin(&demo, settings.documents)?;
        println!("{} documents made", day.save(&file)?);
        let responder = day.responder();
        if wants("engines") {
            results.engines = engines::load(folder, &file, server.as_ref())?;
            for engine in &results.engines {
                println!("{}: {:?}", engine.name, engine.written);
            }
            let first = results.engines.first().context("no engine")?;
            results.asked = panels::all(first)?;
            let same = panels::compare(&results.asked, &results.engines)?;
            println!("{same} panels answered alike");
            panels::time(&mut results.asked, &results.engines, settings.rounds)?;
        }
        if wants("overview") {
            let alone = match results.engines.is_empty() {
                true => vec![("Portcullis, embedded", alone(folder, &file)?)],
                false => Vec::new(),
            };
            let loaded = results
                .engines
                .iter()
                .map(|engine| (engine.name, Arc::clone(&engine.index)));
            for (number, (name, index)) in loaded.chain(alone).enumerate() {
                let times = if number == 0 {
                    settings.pages
                } else {
                    settings.pages.div_ceil(10)
                };
                results.pages.push((name, overview::ask(&index, &responder, times)?));
            }
        }
        if let Some(server) = server.as_ref().filter(|_| wants("bulk")) {
            results.bulk = Some(bulk::measure(server, &file, settings.bulk, settings.rounds)?);
        }
    }
    if wants("large") && settings.large > 0 {
        results.large = Some(large::apart(folder, settings.large, settings.rounds)?);
    }
    Ok(results)
}

/// The embedded index with the day in it.
fn alone(folder: &Path, file: &Path) -> Result<Arc<dyn Index>> {
    let index = day::open(&folder.join("embedded"))?;
    day::replay(file, engines::AT_ONCE, |batch| {
        for (name, mut lines) in batch.indices() {
            index.write(name, &mut lines)?;
        }
        Ok(index.refresh()?)
    })?;
    engines::rest();
    Ok(Arc::new(index))
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

fn settings(words: &[&str]) -> Result<Settings> {
    let short = words.contains(&"--short");
    let mut settings = Settings {
        documents: if short { 20_000 } else { 1_000_000 },
        large: if short { 0 } else { 10_000_000 },
        rounds: if short { 1 } else { 5 },
        pages: if short { 3 } else { 60 },
        bulk: if short { 2_000 } else { 40_000 },
        parts: Vec::new(),
        short,
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().with_context(|| format!("{word} needs a value\n\n{HELP}"));
        match *word {
            "--short" => {}
            "--documents" => settings.documents = value()?.parse()?,
            "--large" => settings.large = value()?.parse()?,
            "--rounds" => settings.rounds = value()?.parse()?,
            "--only" => {
                let name = value()?;
                let part = PARTS.iter().find(|part| *part == name);
                settings
                    .parts
                    .push(part.with_context(|| format!("there is no part {name}\n\n{HELP}"))?);
            }
            other => bail!("`{other}` is not understood\n\n{HELP}"),
        }
    }
    if settings.parts.is_empty() {
        settings.parts = PARTS.to_vec();
    }
    Ok(settings)
}
