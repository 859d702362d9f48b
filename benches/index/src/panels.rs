//! Every panel's request: first whether all engines answer it alike, then what it takes each of them.

use std::time::Instant;

use anyhow::{Context, Result, bail};
use portcullis::dashboards::{self, Dashboard, Panel, Scope, definition::Metric, pages};
use rustix::time::{ClockId, clock_gettime};
use serde_json::Value;

use crate::{
    alike::{alike, near},
    day,
    engines::Engine,
};

/// A panel, what it asks for, and what that took.
pub(crate) struct Asked {
    pub(crate) page: &'static str,
    pub(crate) panel: &'static Panel,
    body: Value,
    scope: Scope,
    /// Of each engine the milliseconds of each round.
    pub(crate) wall: Vec<Vec<f64>>,
    /// The same in CPU time of the asking thread.
    pub(crate) cpu: Vec<Vec<f64>>,
}

/// Every panel over the day; the Address page is that of the address that most findings name.
pub(crate) fn all(first: &Engine) -> Result<Vec<Asked>> {
    let day = Scope::between(day::start(), day::END);
    let aggs = serde_json::json!({ "a": { "terms": { "field": "aws.guardduty.remote_ip", "size": 1 } } });
    let answer = first
        .index
        .search("guardduty", &serde_json::json!({ "size": 0, "aggs": aggs }))?;
    let address = answer["aggregations"]["a"]["buckets"][0]["key"].as_str();
    let address = address.context("no finding names an address")?.parse()?;
    let mut asked = Vec::new();
    for page in pages() {
        let mut scope = day.clone();
        if page.id == "address" {
            scope.address = Some(address);
        }
        for panel in &page.panels {
            asked.push(Asked {
                page: &page.id,
                panel,
                body: dashboards::request(panel, &scope),
                scope: scope.clone(),
                wall: Vec::new(),
                cpu: Vec::new(),
            });
        }
    }
    Ok(asked)
}

/// Holds the others' answers against the first one's, as panels show them.
pub(crate) fn compare(asked: &[Asked], engines: &[Engine]) -> Result<usize> {
    let Some((first, others)) = engines.split_first() else {
        return Ok(0);
    };
    let mut differing = Vec::new();
    for one in asked {
        let alone = Dashboard {
            id: one.page.to_owned(),
            panels: vec![one.panel.clone()],
            ..pages().first().context("no page")?.clone()
        };
        let ours = dashboards::run(&alone, &*first.index, &one.scope);
        for other in others {
            let theirs = dashboards::run(&alone, &*other.index, &one.scope);
            let percentile = matches!(one.panel.metric, Metric::Percentile(..));
            for (a, b) in ours.iter().zip(&theirs) {
                if !(alike(&a.data, &b.data) || percentile && near(&a.data, &b.data)) {
                    let short = |text: String| text.chars().take(600).collect::<String>();
                    let (a, b) = (short(format!("{:?}", a.data)), short(format!("{:?}", b.data)));
                    differing.push(format!(
                        "{}/{}:\n  {}: {a}\n  {}: {b}",
                        one.page, one.panel.id, first.name, other.name
                    ));
                }
            }
        }
    }
    match differing.len() {
        0 => Ok(asked.len()),
        count => bail!("{count} answers differ:\n{}", differing.join("\n")),
    }
}

/// Asks every engine for every panel; the order turns.
pub(crate) fn time(asked: &mut [Asked], engines: &[Engine], rounds: usize) -> Result<()> {
    for one in asked.iter_mut() {
        one.wall = vec![Vec::with_capacity(rounds); engines.len()];
        one.cpu = one.wall.clone();
    }
    for round in 0..rounds {
        for (place, one) in asked.iter_mut().enumerate() {
            for turn in 0..engines.len() {
                let number = (turn + round + place) % engines.len();
                let engine = &engines[number];
                let (start, cpu) = (Instant::now(), thread_nanoseconds());
                engine.index.search(&one.panel.index, &one.body)?;
                one.wall[number].push(start.elapsed().as_secs_f64() * 1e3);
                one.cpu[number].push((thread_nanoseconds() - cpu) as f64 / 1e6);
            }
        }
    }
    Ok(())
}

/// CPU time of this thread.
pub(crate) fn thread_nanoseconds() -> i64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}

/// The value that so many of a hundred are not above.
pub(crate) fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(place).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn a_percentile_is_a_value_that_was_measured() {
        let values: Vec<f64> = (1..=20).rev().map(f64::from).collect();
        assert_eq!(
            [50, 95, 100].map(|percent| percentile(&values, percent)),
            [10.0, 19.0, 20.0]
        );
        assert_eq!(percentile(&[7.0], 95), 7.0);
        assert_eq!(percentile(&[], 95), 0.0);
    }
}
