//! Whether two indices answer a panel alike. Also what the bench of the index holds its peers against.

use std::collections::BTreeSet;

use portcullis::dashboards::{
    PanelData,
    data::{ListRow, Series},
};
use serde_json::{Value, json};

/// The same data, with numbers within what percentiles and cardinalities may be off by. Where several values have the same
/// number and not all of them find a place, either choice is right: then only the numbers have to be the same.
pub(crate) fn alike(a: &PanelData, b: &PanelData) -> bool {
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
        ) => {
            let same = |a: &[String], b: &[String]| a.iter().collect::<BTreeSet<_>>() == b.iter().collect();
            if same(r, s) && same(c, d) {
                return close(&cells(r, c, x), &cells(s, d, y));
            }
            let sums = |cells: &[Vec<f64>]| {
                let mut sums: Vec<f64> = cells.iter().map(|row| row.iter().sum()).collect();
                sums.sort_by(f64::total_cmp);
                sums
            };
            r.len() == s.len() && c.len() == d.len() && close(&json!(sums(x)), &json!(sums(y)))
        }
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
pub(crate) fn near(a: &PanelData, b: &PanelData) -> bool {
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
