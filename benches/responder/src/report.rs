//! The table, the gates, and the file that keeps both.

use std::{fs, path::Path};

use anyhow::Result;
use portcullis_benches::{
    machine::{machine, now},
    median, verdict,
};

use crate::{Results, function::Function};

/// Findings a second and core: deciding, and with reading.
const DECIDED: f64 = 200_000.0;
const READ: f64 = 50_000.0;

/// How much more a finding may cost in any ledger than in the smallest: a B-tree is deeper by a level or two.
const GROWTH: f64 = 1.25;

/// Prints the tables; writes them, and says whether the gates hold, unless it was short.
pub(super) fn tell(results: &Results, short: bool) -> Result<bool> {
    let (text, held) = tables(results);
    println!("{text}");
    if short {
        return Ok(true);
    }
    let command = "cargo xtask bench responder";
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results");
    fs::create_dir_all(&folder)?;
    let text = format!(
        "# The responder\n\n`{command}` on {}: {}. CPU time of one process on one core; the middle of its rounds.\n\n{text}",
        now(),
        machine()
    );
    fs::write(folder.join("responder.md"), text)?;
    Ok(held)
}

fn tables(results: &Results) -> (String, bool) {
    let rates = &results.rates;
    let mut held = true;
    let mut text = format!(
        "| {} findings | a second | gate | |\n|---|---|---|---|\n",
        rates.findings
    );
    for (what, measured, gate) in [
        ("decided on", median(&rates.decided), DECIDED),
        ("read and decided on", median(&rates.read), READ),
    ] {
        held &= measured >= gate;
        text += &format!(
            "| {what} | {measured:.0} | {gate:.0} | {} |\n",
            verdict(measured >= gate)
        );
    }
    text.push_str("\n| rows of the audit | µs per new finding, from its record to its entry | beside the smallest |\n|---|---|---|\n");
    let smallest = results.levels.first().map_or(0.0, |level| median(&level.nanoseconds));
    let mut most = 0.0_f64;
    for level in &results.levels {
        let took = median(&level.nanoseconds);
        let growth = took / smallest;
        most = most.max(growth);
        text += &format!("| {} | {:.0} | {growth:.2} |\n", level.rows, took / 1e3);
    }
    held &= most <= GROWTH;
    text += &format!(
        "\nAt most {GROWTH} times as much, whatever the ledger holds: {}.\n",
        verdict(most <= GROWTH)
    );
    if let Some(function) = &results.function {
        text += &told(function);
    }
    (text, held)
}

/// The function as it is deployed.
fn told(function: &Function) -> String {
    let most = function.milliseconds.iter().copied().fold(0.0, f64::max);
    format!(
        "\n| the Lambda function `portcullis-respond`, as deployed | |\n|---|---|\n| bootstrap | {:.1} MiB |\n\
         | cold start, from its start to its first question, while AWS answers at once: the middle of {} | {:.0} ms |\n\
         | the slowest | {most:.0} ms |\n",
        function.bytes as f64 / f64::from(1 << 20),
        function.milliseconds.len(),
        median(&function.milliseconds)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{decide::Rates, ledger::Level};

    #[test]
    fn a_gate_that_does_not_hold_is_told_in_its_row() {
        let results = |read: f64, middle: f64| Results {
            rates: Rates {
                findings: 3,
                decided: vec![1.0, 300_000.0, 400_000.0],
                read: vec![read],
            },
            levels: vec![
                Level {
                    rows: 100,
                    nanoseconds: vec![1_000.0],
                },
                Level {
                    rows: 1_000,
                    nanoseconds: vec![middle],
                },
                Level {
                    rows: 10_000,
                    nanoseconds: vec![1_100.0],
                },
            ],
            function: Some(Function {
                bytes: 3 << 19,
                milliseconds: vec![20.0, 10.0, 30.0],
            }),
        };
        let (text, held) = tables(&results(60_000.0, 1_200.0));
        assert!(
            held && text.contains("| decided on | 300000 | 200000 | holds |"),
            "{text}"
        );
        assert!(text.contains("| 1000 | 1 | 1.20 |"), "{text}");
        for row in [
            "| bootstrap | 1.5 MiB |",
            "the middle of 3 | 20 ms |",
            "| the slowest | 30 ms |",
        ] {
            assert!(text.contains(row), "{text}");
        }
        for (results, row) in [
            (
                results(49_999.0, 1_200.0),
                "| read and decided on | 49999 | 50000 | **does not hold** |",
            ),
            (
                results(60_000.0, 1_300.0),
                "At most 1.25 times as much, whatever the ledger holds: **does not hold**",
            ),
        ] {
            let (text, held) = tables(&results);
            assert!(!held && text.contains(row), "{text}");
        }
    }
}
