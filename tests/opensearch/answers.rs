//! What panels are answered: by the cluster alone, and by the cluster beside the embedded index over the same documents.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use portcullis::{
    dashboards::{
        self, Dashboard, Panel, PanelData, Scope,
        data::{ListRow, Series},
        definition::Metric,
        pages,
    },
    index::Index,
    opensearch::remote::Remote,
};
use serde_json::{Value, json};

use super::{cluster::Cluster, documents::Demo, told::Told};

/// Hits and buckets that are not empty.
pub(crate) fn asked(index: &Remote, panel: &Panel, scope: &Scope) -> Result<String, String> {
    let answer = index
        .search(&panel.index, &dashboards::request(panel, scope))
        .map_err(|error| error.to_string())?;
    let hits = answer["hits"]["total"]["value"].as_u64().ok_or("no total")?;
    let buckets = filled(&answer["aggregations"]);
    Ok(format!("{hits:>8} hits {buckets:>6} buckets"))
}

/// Buckets with documents, at every depth.
fn filled(value: &Value) -> usize {
    match value {
        Value::Object(object) => {
            let own = usize::from(
                object
                    .get("doc_count")
                    .and_then(Value::as_u64)
                    .is_some_and(|count| count > 0),
            );
            own + object.values().map(filled).sum::<usize>()
        }
        Value::Array(values) => values.iter().map(filled).sum(),
        _ => 0,
    }
}

/// The demo's day, whole and narrowed in the ways in which the pages narrow it.
fn scopes() -> Result<Vec<(&'static str, Scope)>, String> {
    let at = |text: &str| text.parse::<DateTime<Utc>>().map_err(|error| error.to_string());
    let until = portcullis::generate::DEFAULT_UNTIL;
    let day = Scope::between(until - chrono::TimeDelta::hours(24), until);
    let query = |text: &str| Scope {
        query: text.to_owned(),
        ..day.clone()
    };
    let narrowed = |field: &str, value: &str, negated: bool| Scope {
        filters: vec![dashboards::Filter {
            field: field.to_owned(),
            value: value.to_owned(),
            negated,
        }],
        ..day.clone()
    };
    Ok(vec![
        ("an hour", Scope::between(until - chrono::TimeDelta::hours(1), until)),
        (
            "everything",
            Scope::between(at("2000-01-01T00:00:00Z")?, until + chrono::TimeDelta::days(1)),
        ),
        ("a word", query("event.outcome:failure")),
        ("an exclusion", query("NOT event.action:accept")),
        ("a network", query("source.ip:\"10.0.0.0/8\"")),
        ("a range", query("destination.port:[1 TO 1023]")),
        ("a wildcard", query("rule.name:*SQL*")),
        ("a list", query("event.action:(block OR reject OR applied)")),
        ("what is there", query("_exists_:source.geo.country_iso_code")),
        ("a value", narrowed("event.action", "block", false)),
        ("not a value", narrowed("event.action", "accept", true)),
        ("a country", narrowed("source.geo.country_iso_code", "US", false)),
        ("the day", day),
    ])
}

/// Every panel under every scope on both; what differs is told with both answers.
pub(crate) fn compare(cluster: &Cluster, demo: &Demo, told: &mut Told) -> Result<(), String> {
    let server = cluster.index("analyst")?;
    let mut compared = 0;
    for (name, scope) in scopes()? {
        let mut differing: Vec<String> = Vec::new();
        for page in pages() {
            compared += page.panels.len();
            differing.extend(differences(page, &scope, demo, &server));
        }
        told.line(
            &format!("both indices, {name}"),
            match differing.as_slice() {
                [] => Ok("the same".to_owned()),
                several => Err(format!("{} panels differ: {}", several.len(), several.join("\n"))),
            },
        );
    }
    told.line("requests compared", Ok(compared.to_string()));
    Ok(())
}

fn differences(page: &Dashboard, scope: &Scope, demo: &Demo, server: &Remote) -> Vec<String> {
    let ours = dashboards::run(page, demo.index.as_ref(), scope);
    let theirs = dashboards::run(page, server, scope);
    let mut differing = Vec::new();
    for (a, b) in ours.iter().zip(&theirs) {
        let percentile = page
            .panels
            .iter()
            .any(|p| p.id == a.id && matches!(p.metric, Metric::Percentile(..)));
        let same = alike(&a.data, &b.data) || (percentile && near(&a.data, &b.data));
        if !same {
            let (a_data, b_data) = (short(&a.data), short(&b.data));
            differing.push(format!(
                "{}/{}:\n  embedded {a_data}\n  server   {b_data}",
                page.id, a.id
            ));
        }
    }
    differing
}

fn short(data: &PanelData) -> String {
    format!("{data:?}").chars().take(900).collect()
}

/// The same data, with numbers within what percentiles and cardinalities may be off by. Where several values have the same
/// number and not all of them find a place, either choice is right: then only the numbers have to be the same.
fn alike(a: &PanelData, b: &PanelData) -> bool {
    match (a, b) {
        (PanelData::Failed { .. }, _) | (_, PanelData::Failed { .. }) => false,
        (PanelData::List { rows: x, others: m, .. }, PanelData::List { rows: y, others: n, .. }) => {
            let numbers = |rows: &[ListRow]| rows.iter().map(|row| row.number).collect::<Vec<_>>();
            let sure = |rows: &[ListRow]| {
                let least = rows.last().map_or(0.0, |row| row.number);
                let sure = rows.iter().filter(|row| row.number > least * 1.02);
                sure.map(|row| row.value.clone()).collect::<BTreeSet<_>>()
            };
            close(&json!(numbers(x)), &json!(numbers(y))) && sure(x) == sure(y) && close(&json!(m), &json!(n))
        }
        // Documents of the same millisecond have no order.
        (
            PanelData::Table {
                total: Some(m),
                rows: x,
                ..
            },
            PanelData::Table {
                total: Some(n),
                rows: y,
                ..
            },
        ) => m == n && x.len() == y.len(),
        (PanelData::Table { rows: x, .. }, PanelData::Table { rows: y, .. }) => {
            let numbers = |rows: &[Vec<Vec<String>>]| rows.iter().map(|row| row.last().cloned()).collect::<Vec<_>>();
            let sure = |rows: &[Vec<Vec<String>>]| {
                let least = rows.last().and_then(|row| row.last().cloned());
                let sure = rows.iter().filter(|row| row.last().cloned() != least);
                sure.cloned().collect::<BTreeSet<_>>()
            };
            numbers(x) == numbers(y) && sure(x) == sure(y)
        }
        (
            PanelData::Heatmap {
                rows: r,
                columns: c,
                cells: x,
                ..
            },
            PanelData::Heatmap {
                rows: s,
                columns: d,
                cells: y,
                ..
            },
        ) if r.iter().collect::<BTreeSet<_>>() != s.iter().collect::<BTreeSet<_>>()
            || c.iter().collect::<BTreeSet<_>>() != d.iter().collect::<BTreeSet<_>>() =>
        {
            let sums = |cells: &[Vec<f64>]| {
                let mut sums: Vec<f64> = cells.iter().map(|row| row.iter().sum()).collect();
                sums.sort_by(f64::total_cmp);
                sums
            };
            r.len() == s.len() && c.len() == d.len() && close(&json!(sums(x)), &json!(sums(y)))
        }
        (
            PanelData::Heatmap {
                rows: r,
                columns: c,
                cells: x,
                ..
            },
            PanelData::Heatmap {
                rows: s,
                columns: d,
                cells: y,
                ..
            },
        ) => close(&cells(r, c, x), &cells(s, d, y)),
        (PanelData::Timeline { series: x, .. }, PanelData::Timeline { series: y, .. })
            if x.iter().map(|one| &one.name).collect::<BTreeSet<_>>()
                != y.iter().map(|one| &one.name).collect::<BTreeSet<_>>() =>
        {
            let sum = |series: &[Series]| series.iter().flat_map(|one| &one.values).sum::<f64>();
            x.len() == y.len() && close(&json!(sum(x)), &json!(sum(y)))
        }
        _ => close(&json!(a), &json!(b)),
    }
}

/// Percentiles of a few documents: one engine takes the value of a document, the other one between two.
fn near(a: &PanelData, b: &PanelData) -> bool {
    match (a, b) {
        (PanelData::Tile { value: a, .. }, PanelData::Tile { value: b, .. }) => (a - b).abs() <= 0.25 * a.max(*b),
        _ => false,
    }
}

/// The cells of a heat map by their names: rows with the same number have no order.
fn cells(rows: &[String], columns: &[String], cells: &[Vec<f64>]) -> Value {
    let mut named = serde_json::Map::new();
    for (row, values) in rows.iter().zip(cells) {
        for (column, value) in columns.iter().zip(values) {
            named.insert(format!("{row}\n{column}"), json!(value));
        }
    }
    Value::Object(named)
}

fn close(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => (a - b).abs() <= 0.02 * a.abs().max(b.abs()) + 1e-6,
            _ => false,
        },
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| close(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, value)| b.get(key).is_some_and(|other| close(value, other)))
        }
        _ => a == b,
    }
}
