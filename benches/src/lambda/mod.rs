//! The Lambda functions from end to end: the release binaries, asked by a Runtime API on loopback, beside the workshop's
//! handler under AWS's own runtime for Python.
//!
//! Measured is the process of the function: its CPU time per invocation, what it holds in memory, the time from its start
//! to its first question for an event, and the size of its binary.

mod function;

use std::{fs, path::Path, process::Command, sync::Arc};

use anyhow::{Context, Result, bail};

use self::function::Function;
use crate::{
    case::Case,
    drive::Settings,
    events,
    processor::Processors,
    same::{self, Promise},
};

/// Bytes of the events over which memory has to stay flat: as large as Lambda takes them.
const LARGEST: usize = 6_000_000;

/// What was measured of one source's function.
pub(crate) struct Lambda {
    pub(crate) case: &'static Case,
    pub(crate) event: usize,
    pub(crate) response: usize,
    /// CPU nanoseconds per invocation, round by round.
    pub(crate) product: Vec<f64>,
    /// The same of the workshop's handler.
    pub(crate) workshop: Vec<f64>,
    /// Milliseconds to the first question, of several starts.
    pub(crate) cold_starts: Vec<f64>,
    pub(crate) workshop_cold_start: f64,
    /// Bytes at the peak of the first invocation beyond what was resident before.
    pub(crate) taken: u64,
    /// Bytes of the binary.
    pub(crate) binary: u64,
    /// The same with the feature `put-back`, if it was built.
    pub(crate) with_put_back: Option<u64>,
    pub(crate) flat: Option<Flat>,
}

/// Memory from one invocation to the next. What an allocator keeps between two of them goes up and down, so the most of
/// some invocations is looked at.
pub(crate) struct Flat {
    pub(crate) event: usize,
    pub(crate) invocations: u32,
    /// Over the first [`WINDOW`] invocations.
    pub(crate) first: Most,
    /// Over the last ones, and the peak of all.
    pub(crate) last: Most,
}

/// Bytes.
#[derive(Clone, Copy, Default)]
pub(crate) struct Most {
    /// Resident between two invocations.
    pub(crate) resident: u64,
    /// Resident at any time since the start.
    pub(crate) peak: u64,
}

/// How many invocations are looked at, at the start and at the end.
pub(crate) const WINDOW: u32 = 20;

/// Measures a source's function.
pub(crate) fn measure(settings: &Settings, functions: &Path, case: &'static Case) -> Result<Lambda> {
    let name = format!("portcullis-transform-{}", case.source);
    let binary = functions.join(&name);
    let records = events::records(&settings.portcullis, case, LARGEST)?;
    let event = Arc::new(events::event(case, &records, case.bytes)?);
    let starts = if settings.short { 3 } else { 21 };
    let mut cold_starts = Vec::new();
    for _ in 0..starts {
        cold_starts.push(Function::start(&mut Command::new(&binary))?.cold_start.as_secs_f64() * 1e3);
    }

    let product = Function::start(&mut Command::new(&binary))?;
    let before = product.resident()?.now;
    product.reset_peak()?;
    let response = product.invoke(&event)?;
    let taken = product.resident()?.peak.saturating_sub(before);
    same::check(
        &crate::peers::answer("product", case, &event)?,
        &response,
        Promise::Whole,
    )
    .with_context(|| format!("{name} does not say what the library says"))?;

    let workshop = Function::start(&mut workshop(settings, case))?;
    same::check(&response, &workshop.invoke(&event)?, Promise::OwnDocument)
        .with_context(|| format!("{name}: the workshop's handler answers other records"))?;
    let [ours, theirs] = time(settings.short, &product, &workshop, &event)?;
    let flat = match settings.short {
        true => None,
        false => Some(flat(&Function::start(&mut Command::new(&binary))?, case, &records)?),
    };
    let with_put_back = settings.put_back.as_ref().map(|folder| folder.join(&name));
    let with_put_back = with_put_back.filter(|binary| binary.exists());
    Ok(Lambda {
        case,
        event: event.len(),
        response: response.len(),
        product: ours,
        workshop: theirs,
        cold_starts,
        workshop_cold_start: workshop.cold_start.as_secs_f64() * 1e3,
        taken,
        binary: size(&binary)?,
        with_put_back: with_put_back.as_deref().map(size).transpose()?,
        flat,
    })
}

/// The workshop's handler under `awslambdaric`, which Lambda's own Python images run.
fn workshop(settings: &Settings, case: &Case) -> Command {
    let code = Path::new(env!("CARGO_MANIFEST_DIR")).join("python");
    let mut command = Command::new("/usr/bin/env");
    command
        .arg(format!("PORTCULLIS_BENCH_CASE={}", case.name))
        .args(["PYTHONDONTWRITEBYTECODE=1"])
        .arg(format!("LAMBDA_TASK_ROOT={}", code.display()))
        .arg(&settings.python)
        .args(["-m", "awslambdaric", "function.handler"])
        .current_dir(code);
    command
}

/// CPU nanoseconds per invocation in rounds that take turns.
fn time(short: bool, product: &Function, workshop: &Function, event: &Arc<Vec<u8>>) -> Result<[Vec<f64>; 2]> {
    let (rounds, ours, theirs) = if short { (3, 4, 1) } else { (61, 8, 1) };
    let processors = Processors::allowed()?;
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..rounds {
        for turn in 0..2 {
            let at = (round + turn) % 2;
            let (function, invocations) = [(product, ours), (workshop, theirs)][at];
            function.run_on(processors.of(round))?;
            let before = function.cpu()?;
            for _ in 0..invocations {
                function.invoke(event)?;
            }
            times[at].push((function.cpu()? - before) / f64::from(invocations));
        }
    }
    Ok(times)
}

/// Whether memory stays flat over many of the largest events.
fn flat(product: &Function, case: &Case, records: &[Vec<u8>]) -> Result<Flat> {
    const INVOCATIONS: u32 = 1_000;
    let event = Arc::new(events::whole(&records[..events::holding(records, LARGEST)]));
    let (mut first, mut last) = (Most::default(), Most::default());
    for invocation in 0..INVOCATIONS {
        if product.invoke(&event)?.len() > portcullis_transforms::firehose::RESPONSE_LIMIT {
            bail!("{}: a response is over Lambda's limit", case.name);
        }
        let most = match invocation {
            0..WINDOW => &mut first,
            _ if invocation + WINDOW >= INVOCATIONS => &mut last,
            _ => continue,
        };
        let resident = product.resident()?;
        most.resident = most.resident.max(resident.now);
        most.peak = resident.peak;
    }
    Ok(Flat {
        event: event.len(),
        invocations: INVOCATIONS,
        first,
        last,
    })
}

fn size(binary: &Path) -> Result<u64> {
    let about = fs::metadata(binary).with_context(|| format!("cannot find {}", binary.display()))?;
    Ok(about.len())
}
