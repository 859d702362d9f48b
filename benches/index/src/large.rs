//! The embedded index alone with far more documents, in a process of its own so that its memory is what is measured.

use std::{
    fs,
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use portcullis::index::Index;
use portcullis_benches::cpu_nanoseconds;
use serde_json::{Value, json};

use crate::{
    day::{self, Batch, Day},
    engines::{self, AT_ONCE, Engine, Written},
    overview,
    panels::{self, percentile, thread_nanoseconds},
};

/// Requests of the Overview.
const PAGES: usize = 20;

/// What the process told.
pub(crate) struct Large {
    pub(crate) written: Written,
    /// Milliseconds of every panel's request: median and 95th percentile of all.
    pub(crate) panels: [f64; 2],
    /// The same in CPU time.
    pub(crate) panels_cpu: [f64; 2],
    /// Of the Overview.
    pub(crate) page: [f64; 2],
    /// Most memory while writing, and in all, in bytes.
    pub(crate) memory: [f64; 2],
}

/// Runs it in another process.
pub(crate) fn apart(folder: &Path, documents: u64, rounds: usize) -> Result<Large> {
    let output = Command::new(std::env::current_exe()?)
        .args(["large", &documents.to_string(), &rounds.to_string()])
        .arg(folder)
        .stderr(std::process::Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "the large index: {}", output.status);
    let told: Value = serde_json::from_slice(&output.stdout).context("the large index told nothing")?;
    let number = |key: &str| told[key].as_f64().with_context(|| format!("no {key}"));
    let pair = |key: &str| {
        Ok::<_, anyhow::Error>([
            told[key][0].as_f64().context("no number")?,
            told[key][1].as_f64().context("no number")?,
        ])
    };
    Ok(Large {
        written: Written {
            documents: number("documents")? as u64,
            seconds: number("seconds")?,
            cpu: number("cpu")?,
            bytes: number("bytes")? as u64,
        },
        panels: pair("panels")?,
        panels_cpu: pair("panels_cpu")?,
        page: pair("page")?,
        memory: pair("memory")?,
    })
}

/// What that process does: the documents are made while they are written, and what making them costs is taken off.
pub(crate) fn here(folder: &Path, documents: u64, rounds: usize) -> Result<()> {
    let demo = folder.join("large-day");
    let place = folder.join("large");
    fs::create_dir_all(&demo)?;
    let mut told = Day::begin(&demo, documents)?;
    let index = Arc::new(day::open(&place)?);
    let started = cpu_nanoseconds();
    let (mut batch, mut spent, mut making, mut count) = (Batch::default(), Duration::ZERO, 0, 0);
    loop {
        let before = thread_nanoseconds();
        let mut ended = true;
        while let Some((name, document)) = told.next()? {
            batch.add(name, document);
            if batch.documents >= AT_ONCE {
                ended = false;
                break;
            }
        }
        making += thread_nanoseconds() - before;
        let start = Instant::now();
        for (name, mut lines) in batch.indices() {
            index.write(name, &mut lines)?;
        }
        index.refresh()?;
        spent += start.elapsed();
        count += batch.documents;
        batch.clear();
        if count % 1_000_000 < AT_ONCE {
            eprintln!("{count} documents in {:.0} s", spent.as_secs_f64());
        }
        if ended {
            break;
        }
    }
    engines::rest();
    let written = Written {
        documents: count,
        seconds: spent.as_secs_f64(),
        cpu: (cpu_nanoseconds() - started - making) as f64 / 1e9,
        bytes: 0,
    };
    index.refresh()?;
    let writing = memory();
    let engines = [Engine {
        name: "Portcullis, embedded",
        index: Arc::clone(&index) as Arc<dyn Index>,
        is_here: true,
        written,
    }];
    let mut asked = panels::all(&engines[0])?;
    panels::time(&mut asked, &engines, rounds)?;
    let page = overview::ask(&engines[0].index, &told.responder(), PAGES)?;
    let both = |values: &[f64]| json!([percentile(values, 50), percentile(values, 95)]);
    let wall: Vec<f64> = asked.iter().flat_map(|one| one.wall[0].iter().copied()).collect();
    let cpu: Vec<f64> = asked.iter().flat_map(|one| one.cpu[0].iter().copied()).collect();
    let Written {
        documents,
        seconds,
        cpu: spent,
        ..
    } = &engines[0].written;
    let told = json!({
        "documents": documents, "seconds": seconds, "cpu": spent, "bytes": engines::size(&place)?,
        "panels": both(&wall), "panels_cpu": both(&cpu), "page": both(&page.wall), "memory": [writing, memory()],
    });
    println!("{told}");
    Ok(())
}

/// The most memory that this process had resident so far, in bytes.
fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes: Option<u64> = line.and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse().ok());
    kilobytes.unwrap_or_default() * 1024
}
