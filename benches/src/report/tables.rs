//! The tables in Markdown, each with its gates.

use std::fmt::Write as _;

use portcullis_benches::median;

use super::{Measured, Results, figures::Ratio};
use crate::{
    drive::PEERS,
    gates,
    growth::Growth,
    lambda::{Lambda, WINDOW},
};

/// Tables one after another, and whether every gate held so far.
struct Page {
    text: String,
    passed: bool,
}

impl Page {
    fn line(&mut self, text: &str) {
        // Writing to a String cannot fail.
        let written = writeln!(self.text, "{text}");
        debug_assert!(written.is_ok());
    }

    fn head(&mut self, cells: &str) {
        if !self.text.is_empty() {
            self.line("");
        }
        self.line(&format!("| {cells} |"));
        self.line(&format!("|{}", "---|".repeat(cells.split(" | ").count())));
    }

    fn gate(&mut self, holds: bool) -> &'static str {
        self.passed &= holds;
        if holds { "gate holds" } else { "**gate fails**" }
    }
}

/// Every table; whether every gate held.
pub(super) fn all(results: &Results) -> (String, bool) {
    let mut page = Page {
        text: times(&results.measured),
        passed: true,
    };
    ratios(&mut page, &results.measured);
    memory(&mut page, &results.measured);
    growth(&mut page, &results.growth);
    if !results.lambdas.is_empty() {
        lambdas(&mut page, &results.lambdas);
        residents(&mut page, &results.lambdas);
    }
    (page.text, page.passed)
}

/// Milliseconds of every peer in every case.
pub(super) fn times(measured: &[Measured]) -> String {
    let mut page = Page {
        text: String::new(),
        passed: true,
    };
    let heads: Vec<String> = measured
        .iter()
        .map(|of| format!("{} {:.1} MB", of.case.title, of.event as f64 / 1e6))
        .collect();
    page.head(&format!("ms of CPU per event | {}", heads.join(" | ")));
    for peer in PEERS {
        if measured.iter().all(|of| of.rounds(peer.name).is_none()) {
            continue;
        }
        let cell = |of: &Measured| {
            let rounds = of.rounds(peer.name);
            rounds.map_or_else(String::new, |rounds| format!("{:.1}", median(rounds) / 1e6))
        };
        let cells: Vec<String> = measured.iter().map(cell).collect();
        page.line(&format!("| {} | {} |", peer.title, cells.join(" | ")));
    }
    page.text
}

fn ratios(page: &mut Page, measured: &[Measured]) {
    page.head("`ecs` compared with | case | measured (lowest to highest round) | gate | goal | ");
    for bar in gates::ALL {
        let of = measured.iter().find(|of| of.case.name == bar.case);
        let ratio = of.and_then(|of| Some((of, Ratio::of(of.rounds(bar.peer)?, of.rounds("product")?)?)));
        let Some((of, ratio)) = ratio else { continue };
        let verdict = match page.gate(ratio.median >= bar.gate) {
            _ if ratio.median >= bar.goal => "goal reached",
            verdict => verdict,
        };
        let [median, lowest, highest, gate, goal] = [ratio.median, ratio.lowest, ratio.highest, bar.gate, bar.goal]
            .map(|value| match bar.peer {
                "floor" => format!("{:.0} %", value * 100.0),
                _ => format!("{value:.1}x"),
            });
        let title = of.case.title;
        page.line(&format!(
            "| {} | {title} | {median} ({lowest} to {highest}) | {gate} | {goal} | {verdict} |",
            bar.peer
        ));
    }
    for of in measured {
        let rounds = of.rounds("product").zip(of.rounds("native"));
        let Some(ratio) = rounds.and_then(|(ecs, native)| Ratio::of(ecs, native)) else {
            continue;
        };
        let (title, times) = (of.case.title, ratio.median);
        let verdict = page.gate(times >= gates::NATIVE);
        page.line(&format!(
            "| `native` | {title} | {times:.2}x as fast | {}x | | {verdict} |",
            gates::NATIVE
        ));
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{:.2} MB", bytes as f64 / 1e6)
}

fn memory(page: &mut Page, measured: &[Measured]) {
    page.head("memory of one invocation | event and response | taken at the peak | bar | ");
    for of in measured {
        let verdict = page.gate(of.memory.taken <= of.memory.bar);
        let [bytes, taken, bar] = [of.memory.bytes, of.memory.taken, of.memory.bar].map(megabytes);
        page.line(&format!(
            "| {} | {bytes} | {taken} | {bar} | {verdict} |",
            of.case.title
        ));
    }
}

fn growth(page: &mut Page, growths: &[Growth]) {
    page.head("growth | ns each in small events | in the largest | ratio | gate | ");
    for of in growths {
        let Some(ratio) = Ratio::of(&of.large, &of.small) else {
            continue;
        };
        let verdict = page.gate(gates::GROWTH.contains(&ratio.median) || ratio.median < 1.0 && of.per == "byte");
        let digits = if of.per == "byte" { 2 } else { 0 };
        page.line(&format!(
            "| {}: one {} | {:.digits$} | {:.digits$} | {:.2} | {} to {} | {verdict} |",
            of.what,
            of.per,
            median(&of.small),
            median(&of.large),
            ratio.median,
            gates::GROWTH.start(),
            gates::GROWTH.end(),
        ));
    }
}

fn lambdas(page: &mut Page, lambdas: &[Lambda]) {
    page.head(
        "Lambda function, ms of CPU per invocation | Portcullis | workshop's handler, awslambdaric | ratio | gate | ",
    );
    for of in lambdas {
        let Some(ratio) = Ratio::of(&of.workshop, &of.product) else {
            continue;
        };
        let gate = gates::LAMBDA.iter().find(|(case, _)| *case == of.case.name);
        let (shown, verdict) = match gate {
            Some((_, gate)) => (format!("{gate}x"), page.gate(ratio.median >= *gate)),
            None => (String::new(), ""),
        };
        page.line(&format!(
            "| {} {:.1} MB | {:.1} | {:.1} | {:.1}x | {shown} | {verdict} |",
            of.case.title,
            of.event as f64 / 1e6,
            median(&of.product) / 1e6,
            median(&of.workshop) / 1e6,
            ratio.median,
        ));
    }
}

fn residents(page: &mut Page, lambdas: &[Lambda]) {
    page.head("Lambda function | measured | bar | ");
    for of in lambdas {
        let title = of.case.title;
        let cold = median(&of.cold_starts);
        let verdict = page.gate(cold <= gates::COLD_START);
        page.line(&format!(
            "| {title}: cold start, start to first question | {cold:.1} ms (Python: {:.0} ms) | {} ms | {verdict} |",
            of.workshop_cold_start,
            gates::COLD_START
        ));
        let bar = gates::memory_in_lambda(of.event as u64, of.response as u64);
        let verdict = page.gate(of.taken <= bar);
        page.line(&format!(
            "| {title}: memory of an invocation, beyond what was resident | {} | {} | {verdict} |",
            megabytes(of.taken),
            megabytes(bar)
        ));
        if let Some(flat) = &of.flat {
            let grown = flat.last.resident as f64 / flat.first.resident as f64 - 1.0;
            let verdict = page.gate(grown <= gates::FLAT);
            page.line(&format!(
                "| {title}: most resident between events of {}, first and last {WINDOW} of {} | {} and {} (peak {} and {}) | {:.0} % more | {verdict} |",
                megabytes(flat.event as u64),
                flat.invocations,
                megabytes(flat.first.resident),
                megabytes(flat.last.resident),
                megabytes(flat.first.peak),
                megabytes(flat.last.peak),
                gates::FLAT * 100.0,
            ));
        }
        let sizes = [("", Some(of.binary)), (" with put-back", of.with_put_back)];
        for ((with, size), bar) in sizes.into_iter().zip(gates::BINARY) {
            let Some(size) = size else { continue };
            let verdict = page.gate(size <= bar);
            let [size, bar] = [size, bar].map(|bytes| format!("{:.2} MiB", bytes as f64 / 1_048_576.0));
            page.line(&format!(
                "| {title}: binary{with}, stripped | {size} | {bar} | {verdict} |"
            ));
        }
    }
}
