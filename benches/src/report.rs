//! The tables: what people read, and the same as JSON.

use std::{fmt::Write as _, fs, path::Path, process::Command};

use anyhow::{Context, Result};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::json;

use crate::{
    case::Case,
    drive::{PEERS, Peer, Settings},
    gates,
};

/// What was measured of one case.
pub(crate) struct Measured {
    pub(crate) case: &'static Case,
    pub(crate) records: usize,
    pub(crate) event: usize,
    pub(crate) response: usize,
    pub(crate) timings: Vec<Timing>,
    pub(crate) memory: Memory,
}

/// CPU nanoseconds per invocation of one peer, round by round.
pub(crate) struct Timing {
    pub(crate) peer: &'static Peer,
    pub(crate) rounds: Vec<f64>,
}

/// Bytes that an invocation took beyond what was resident.
pub(crate) struct Memory {
    pub(crate) taken: u64,
    /// Event and response.
    pub(crate) bytes: u64,
    pub(crate) bar: u64,
}

/// The middle of per-round ratios, and their ends.
#[derive(Clone, Copy)]
struct Ratio {
    median: f64,
    lowest: f64,
    highest: f64,
}

impl Measured {
    fn rounds(&self, peer: &str) -> Option<&[f64]> {
        let timing = self.timings.iter().find(|timing| timing.peer.name == peer)?;
        Some(&timing.rounds)
    }

    /// How many times the product's CPU time the peer took.
    fn ratio(&self, peer: &str) -> Option<Ratio> {
        let mut ratios: Vec<f64> = self
            .rounds(peer)?
            .iter()
            .zip(self.rounds("product")?)
            .map(|(theirs, ours)| theirs / ours)
            .collect();
        ratios.sort_by(f64::total_cmp);
        Some(Ratio {
            median: *ratios.get(ratios.len() / 2)?,
            lowest: *ratios.first()?,
            highest: *ratios.last()?,
        })
    }
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Prints the tables; the answer is whether every gate held.
pub(crate) fn show(measured: &[Measured], short: bool) -> bool {
    let (table, passed) = tables(measured);
    println!("\n{table}");
    match (short, passed) {
        (true, _) => println!("a short run: the figures are rough, and nothing is gated on them"),
        (false, true) => println!("every gate held"),
        (false, false) => println!("a gate did NOT hold: see the table"),
    }
    passed
}

fn tables(measured: &[Measured]) -> (String, bool) {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let mut line = |text: String| {
        let written = writeln!(out, "{text}");
        debug_assert!(written.is_ok());
    };
    let heads: Vec<String> = measured
        .iter()
        .map(|of| format!("{} {:.1} MB", of.case.title, of.event as f64 / 1e6))
        .collect();
    line(format!("| ms of CPU per invocation | {} |", heads.join(" | ")));
    line(format!("|---|{}", "---|".repeat(measured.len())));
    for peer in PEERS {
        if measured.iter().all(|of| of.rounds(peer.name).is_none()) {
            continue;
        }
        let cells: Vec<String> = measured
            .iter()
            .map(|of| {
                of.rounds(peer.name)
                    .map_or_else(String::new, |rounds| format!("{:.2}", median(rounds) / 1e6))
            })
            .collect();
        line(format!("| {} | {} |", peer.title, cells.join(" | ")));
    }
    line(String::new());
    line("| `ecs` compared with | case | measured (lowest to highest round) | gate | goal | |".to_owned());
    line("|---|---|---|---|---|---|".to_owned());
    let mut passed = true;
    for bar in gates::ALL {
        let Some(of) = measured.iter().find(|of| of.case.name == bar.case) else {
            continue;
        };
        let Some(ratio) = of.ratio(bar.peer) else { continue };
        let holds = ratio.median >= bar.gate;
        passed &= holds;
        let verdict = match () {
            () if ratio.median >= bar.goal => "goal reached",
            () if holds => "gate holds",
            () => "**below the gate**",
        };
        line(format!(
            "| {} | {} | {} ({} to {}) | {} | {} | {verdict} |",
            bar.peer,
            of.case.title,
            shown(bar.peer, ratio.median),
            shown(bar.peer, ratio.lowest),
            shown(bar.peer, ratio.highest),
            shown(bar.peer, bar.gate),
            shown(bar.peer, bar.goal),
        ));
    }
    for of in measured {
        let Some(native) = of.ratio("native") else { continue };
        let times = 1.0 / native.median;
        let holds = times >= 1.3;
        passed &= holds;
        let verdict = if holds { "gate holds" } else { "**below the gate**" };
        line(format!(
            "| `native` over `ecs` | {} | {times:.2}x | 1.3x | | {verdict} |",
            of.case.title
        ));
    }
    line(String::new());
    line("| memory of one invocation | event and response | taken at the peak | bar | |".to_owned());
    line("|---|---|---|---|---|".to_owned());
    for of in measured {
        let holds = of.memory.taken <= of.memory.bar;
        passed &= holds;
        let megabytes = |bytes: u64| format!("{:.2} MB", bytes as f64 / 1e6);
        line(format!(
            "| {} | {} | {} | {} | {} |",
            of.case.title,
            megabytes(of.memory.bytes),
            megabytes(of.memory.taken),
            megabytes(of.memory.bar),
            if holds { "gate holds" } else { "**above the bar**" }
        ));
    }
    (out, passed)
}

fn shown(peer: &str, ratio: f64) -> String {
    match peer {
        "floor" => format!("{:.0} %", ratio * 100.0),
        _ => format!("{ratio:.1}x"),
    }
}

/// Writes `benches/results/transforms.md` and `.json`.
pub(crate) fn write(measured: &[Measured], settings: &Settings) -> Result<()> {
    let (tables, passed) = tables(measured);
    let now = DateTime::<Utc>::from(std::time::SystemTime::now()).to_rfc3339_opts(SecondsFormat::Secs, true);
    let machine = machine();
    let command = "cargo xtask bench transforms";
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
    fs::create_dir_all(&folder)?;
    let text = format!(
        "# The transforms beside their peers\n\n\
         `{command}` on {now}: {machine}.\n\n\
         CPU time of each peer's own process, in rounds that take turns; ratios are made within a round, and the middle one \
         counts. Before anything was timed, every peer's documents were compared with the product's. What a gate and a goal \
         are: [benches/README.md](../README.md).\n\n{tables}"
    );
    fs::write(folder.join("transforms.md"), text)?;
    let cases: Vec<_> = measured
        .iter()
        .map(|of| {
            let peers: serde_json::Map<_, _> = of
                .timings
                .iter()
                .map(|timing| {
                    (
                        timing.peer.name.to_owned(),
                        json!({ "ns_per_invocation": timing.rounds }),
                    )
                })
                .collect();
            json!({
                "case": of.case.name, "records": of.records, "event_bytes": of.event, "response_bytes": of.response,
                "peers": peers, "peak_bytes": of.memory.taken,
            })
        })
        .collect();
    let versions = json!({ "python": version(&settings.python), "rustc": version(Path::new("rustc")) });
    let result = json!({
        "command": command, "at": now, "machine": machine, "versions": versions, "gates_held": passed, "cases": cases,
    });
    fs::write(folder.join("transforms.json"), format!("{result:#}\n"))?;
    println!("written to benches/results");
    Ok(())
}

fn version(program: &Path) -> String {
    let output = Command::new(program).arg("--version").output();
    output.map_or_else(
        |_| String::new(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

/// Model of the CPU, how many of them, and the system.
fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let value = |key: &str| {
        let line = info.lines().find(|line| line.starts_with(key))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let cores = info.lines().filter(|line| line.starts_with("processor")).count();
    let model = value("model name").unwrap_or_else(|| "unknown CPU".to_owned());
    let family = value("cpu family")
        .zip(value("model\t"))
        .map(|(family, model)| format!(" (family {family}, model {model})"));
    let system = fs::read_to_string("/proc/sys/kernel/osrelease")
        .context("no release")
        .unwrap_or_default();
    format!(
        "{model}{}, {cores} cores, Linux {}",
        family.unwrap_or_default(),
        system.trim()
    )
}
