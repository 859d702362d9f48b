//! The tables, the gates, and the files that keep them.

use std::{fs, path::Path};

use anyhow::Result;
use portcullis_benches::{
    machine::{machine, now},
    median, readme, verdict,
};

use crate::{
    Results,
    bulk::Bulk,
    engines::Engine,
    overview::Page,
    panels::{Asked, percentile},
};

/// Milliseconds within which 95 of 100 Overviews are complete.
const PAGE: f64 = 300.0;
/// Of what the tight loop writes.
const BULK: f64 = 0.9;

/// What the README says above the table.
const INTRODUCTION: &str =
    "The index, over a day of all sources; every panel's answer is the same in all of them before it is timed.
[All figures](benches/results/index.md).

";

/// Prints the tables, keeps them when asked to, and says whether the gates hold.
pub(crate) fn tell(results: &Results, keeps: bool, command: &str) -> Result<bool> {
    let (shown, rest, held) = tables(results);
    println!("{shown}\n{rest}");
    if !keeps {
        return Ok(held);
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = format!(
        "# The index\n\n`{command}` on {}: {}. {HOW}\n\n{shown}\n{rest}\n{}",
        now(),
        machine(),
        by_panel(results)
    );
    fs::write(root.join("benches/results/index.md"), text)?;
    readme::show(
        &root.join("README.md"),
        "benches/results/index.md",
        &format!("{INTRODUCTION}{shown}"),
    )?;
    println!("written to benches/results and the README");
    Ok(held)
}

const HOW: &str = "Each engine is written to alone, then panels are asked for in rounds that take turns. CPU is that of the process that \
does the work, of OpenSearch client and server; where the machine is shared, times on the clock are longer, and CPU tells more. \
What is compared and how: [benches/README.md](../README.md).";

/// The table that the README shows, the others, and whether all gates hold.
fn tables(results: &Results) -> (String, String, bool) {
    let (mut shown, mut rest, mut held) = (String::new(), String::new(), true);
    if !results.engines.is_empty() {
        shown += &engines(&results.engines, &results.asked);
    }
    if !results.pages.is_empty() {
        let (text, page) = pages(&results.pages);
        held &= page;
        rest += &text;
    }
    if let Some(bulk) = &results.bulk {
        let (text, fast) = bulk_writer(bulk);
        held &= fast;
        rest += &text;
    }
    if let Some(large) = &results.large {
        let written = &large.written;
        rest += &format!(
            "\n## {} documents, the embedded index alone\n\n\
             | documents a second | CPU µs a document | bytes a document | panel p50, p95 ms | CPU ms | Overview p50, p95 ms | most memory, writing and in all, MB |\n\
             |---|---|---|---|---|---|---|\n| {:.0} | {:.0} | {:.0} | {:.1}, {:.1} | {:.1}, {:.1} | {:.0}, {:.0} | {:.0}, {:.0} |\n",
            written.documents,
            written.documents as f64 / written.seconds,
            written.cpu * 1e6 / written.documents as f64,
            written.bytes as f64 / written.documents as f64,
            large.panels[0],
            large.panels[1],
            large.panels_cpu[0],
            large.panels_cpu[1],
            large.page[0],
            large.page[1],
            large.memory[0] / 1e6,
            large.memory[1] / 1e6,
        );
    }
    (shown, rest, held)
}

fn engines(engines: &[Engine], asked: &[Asked]) -> String {
    let documents = engines.first().map_or(0, |engine| engine.written.documents);
    let mut text = format!(
        "| {documents} documents, {} panels | written a second | CPU µs a document | MB on disk | panel p50 ms | p95 ms | CPU p50 ms | p95 ms |\n\
         |---|---|---|---|---|---|---|---|\n",
        asked.len()
    );
    for (number, engine) in engines.iter().enumerate() {
        let written = &engine.written;
        let of = |one: fn(&Asked) -> &Vec<Vec<f64>>| -> Vec<f64> {
            asked
                .iter()
                .filter_map(|asked| one(asked).get(number))
                .flatten()
                .copied()
                .collect()
        };
        let (wall, cpu) = (of(|asked| &asked.wall), of(|asked| &asked.cpu));
        let cpu = match engine.is_here {
            true => format!("{:.1} | {:.1}", percentile(&cpu, 50), percentile(&cpu, 95)),
            false => " | ".to_owned(),
        };
        text += &format!(
            "| {} | {:.0} | {:.0} | {:.0} | {:.1} | {:.1} | {cpu} |\n",
            engine.name,
            written.documents as f64 / written.seconds,
            written.cpu * 1e6 / written.documents as f64,
            written.bytes as f64 / 1e6,
            percentile(&wall, 50),
            percentile(&wall, 95),
        );
    }
    text
}

fn pages(pages: &[(&'static str, Page)]) -> (String, bool) {
    let mut text = "\n## The Overview, complete and uncached, over HTTP\n\n| over | requests | p50 ms | p95 ms | CPU ms | KB | gate |\n|---|---|---|---|---|---|---|\n".to_owned();
    let mut held = true;
    for (number, (name, page)) in pages.iter().enumerate() {
        let p95 = percentile(&page.wall, 95);
        // The gate is on the product's own index.
        let gate = if number == 0 {
            held = p95 <= PAGE;
            format!("p95 {PAGE:.0}: {}", verdict(held))
        } else {
            String::new()
        };
        text += &format!(
            "| {name} | {} | {:.0} | {p95:.0} | {:.0} | {:.0} | {gate} |\n",
            page.wall.len(),
            percentile(&page.wall, 50),
            page.cpu,
            page.bytes as f64 / 1e3,
        );
    }
    (text, held)
}

fn bulk_writer(bulk: &Bulk) -> (String, bool) {
    let of = |pairs: &[(f64, f64)]| -> [f64; 3] {
        let ratios: Vec<f64> = pairs.iter().map(|(peer, ours)| ours / peer).collect();
        let (peer, ours): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        [median(&peer), median(&ours), median(&ratios)]
    };
    let (rates, cpu) = (of(&bulk.rounds), of(&bulk.cpu));
    let held = rates[2] >= BULK;
    let text = format!(
        "\n## Writing in bulk\n\n{} documents in each of {} rounds; the loop sends bodies of {} bytes, {} at once, made and compressed beforehand.\n\n\
         | | a tight `_bulk` loop | Portcullis' writer | ratio | gate |\n|---|---|---|---|---|\n\
         | documents a second | {:.0} | {:.0} | {:.2} | {BULK}: {} |\n| CPU µs a document, client and server | {:.0} | {:.0} | {:.2} | |\n",
        bulk.documents,
        bulk.rounds.len(),
        bulk.best.0,
        bulk.best.1,
        rates[0],
        rates[1],
        rates[2],
        verdict(held),
        cpu[0],
        cpu[1],
        cpu[2],
    );
    (text, held)
}

/// Every panel's request, the median and the 95th percentile of its rounds.
fn by_panel(results: &Results) -> String {
    let names: Vec<&str> = results.engines.iter().map(|engine| engine.name).collect();
    if names.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "## By panel\n\nMilliseconds, p50 and p95.\n\n| panel | {} |\n|---|{}\n",
        names.join(" | "),
        "---|".repeat(names.len())
    );
    for asked in &results.asked {
        let cells: Vec<String> = asked
            .wall
            .iter()
            .map(|wall| format!("{:.1} {:.1}", percentile(wall, 50), percentile(wall, 95)))
            .collect();
        text += &format!("| {}/{} | {} |\n", asked.page, asked.panel.id, cells.join(" | "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_that_does_not_hold_is_told_in_its_row() {
        let page = |last: f64| {
            let wall = vec![last; 20];
            pages(&[(
                "the index",
                Page {
                    wall,
                    cpu: 1.0,
                    bytes: 1,
                },
            )])
        };
        assert!(page(300.0).1);
        let (text, held) = page(301.0);
        assert!(!held && text.contains("**does not hold**"), "{text}");
        let bulk = |ours: f64| {
            let rounds = vec![(100.0, ours); 3];
            bulk_writer(&Bulk {
                documents: 1,
                best: (1, 1),
                cpu: rounds.clone(),
                rounds,
            })
        };
        assert!(bulk(90.0).1);
        let (text, held) = bulk(89.0);
        assert!(!held && text.contains("0.89 | 0.9: **does not hold**"), "{text}");
    }
}
