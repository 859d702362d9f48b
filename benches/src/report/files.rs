//! The result files, and the table that the README shows of them.

use std::{fs, path::Path, process::Command};

use anyhow::Result;
use portcullis_benches::{
    machine::{machine, now},
    readme,
};
use serde_json::{Value, json};

use super::{Results, tables};
use crate::{drive::Settings, growth::Growth, lambda::Lambda};

/// The results of which the README shows the first table, once there are any.
const RESULTS: &str = "benches/results/transforms.md";

/// What the README says above the table.
const INTRODUCTION: &str = "### How fast

One Firehose event in, one response out, on one core; every peer but the workshop's handler writes the same document, which is
checked before it is timed. [All figures](benches/results/transforms.md), [how they are made](benches/README.md).

";

/// Writes `benches/results/transforms.md` and `.json`, and the README's table.
pub(crate) fn write(results: &Results, settings: &Settings) -> Result<()> {
    let (tables, passed) = tables::all(results);
    let now = now();
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
    let versions = json!({ "python": version(&settings.python), "rustc": version(Path::new("rustc")) });
    let result = json!({
        "command": command, "at": now, "machine": machine, "versions": versions, "gates_held": passed,
        "cases": cases(results), "growth": results.growth.iter().map(growth).collect::<Vec<_>>(),
        "lambda": results.lambdas.iter().map(lambda).collect::<Vec<_>>(),
    });
    fs::write(folder.join("transforms.json"), format!("{result:#}\n"))?;
    let readme = folder.join("../../README.md");
    let shown = shown(&fs::read_to_string(&readme)?, &tables::times(&results.measured))?;
    fs::write(readme, shown)?;
    println!("written to benches/results and the README");
    Ok(())
}

/// The README with this table in its place.
fn shown(readme: &str, table: &str) -> Result<String> {
    let introduction = if table.is_empty() { "" } else { INTRODUCTION };
    readme::shown(readme, RESULTS, &format!("{introduction}{table}"))
}

fn cases(results: &Results) -> Vec<Value> {
    let case = |of: &super::Measured| {
        let peers = of.timings.iter().map(|timing| {
            let times = json!({ "ns_per_invocation": timing.rounds });
            (timing.peer.name.to_owned(), times)
        });
        json!({
            "case": of.case.name, "records": of.records, "event_bytes": of.event, "response_bytes": of.response,
            "peers": peers.collect::<serde_json::Map<_, _>>(), "peak_bytes": of.memory.taken,
        })
    };
    results.measured.iter().map(case).collect()
}

fn growth(of: &Growth) -> Value {
    json!({ "what": of.what, "per": of.per, "ns_in_small_events": of.small, "ns_in_the_largest": of.large })
}

fn lambda(of: &Lambda) -> Value {
    let flat = of.flat.as_ref().map(|flat| {
        json!({
            "event_bytes": flat.event, "invocations": flat.invocations,
            "first": { "resident": flat.first.resident, "peak": flat.first.peak },
            "last": { "resident": flat.last.resident, "peak": flat.last.peak },
        })
    });
    json!({
        "case": of.case.name, "event_bytes": of.event, "response_bytes": of.response,
        "ns_per_invocation": of.product, "workshop_ns_per_invocation": of.workshop, "cold_start_ms": of.cold_starts,
        "workshop_cold_start_ms": of.workshop_cold_start, "peak_bytes": of.taken, "flat": flat,
        "binary_bytes": of.binary, "binary_bytes_with_put_back": of.with_put_back,
    })
}

fn version(program: &Path) -> String {
    let output = Command::new(program).arg("--version").output();
    output.map_or_else(
        |_| String::new(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_shows_the_committed_table() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        // Without results there is nothing to show, and the README must not show anything.
        let results = fs::read_to_string(folder.join("results/transforms.md")).unwrap_or_default();
        let table = results.find("| ms of CPU per event").map_or("", |from| {
            let length = results[from..].find("\n\n").expect("an end of the table");
            &results[from..=from + length]
        });
        let readme = fs::read_to_string(folder.join("../README.md")).expect("a README");
        let expected = shown(&readme, table).expect("a place for the table");
        assert!(
            readme == expected,
            "the table is stale: `cargo xtask bench transforms` writes it"
        );
    }

    #[test]
    fn a_table_takes_the_place_of_the_one_before() {
        let [from, to] = readme::around(RESULTS);
        let readme = format!("above\n{from}| old |\n{to}\nbelow\n");
        let expected = format!("above\n{from}{INTRODUCTION}| new |\n{to}\nbelow\n");
        assert_eq!(shown(&readme, "| new |\n").expect("a place"), expected);
        let without = format!("above\n{from}{to}\nbelow\n");
        assert_eq!(shown(&expected, "").expect("a place"), without);
        assert!(shown("nothing", "").is_err());
    }
}
