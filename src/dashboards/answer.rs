//! A search answer into what a panel draws.

use serde_json::Value;

use super::{
    Scope,
    data::{Column, ListRow, PanelData, Series},
    definition::{Kind, Metric, Panel},
    interval::Buckets,
    source,
};

/// What the panel shows, or `None` when there is nothing to show.
pub(crate) fn data(panel: &Panel, scope: &Scope, answer: &Value) -> Option<PanelData> {
    let aggs = &answer["aggregations"];
    let total = answer["hits"]["total"]["value"].as_u64().unwrap_or_default();
    if total == 0 && panel.kind != Kind::Tile {
        return None;
    }
    match &panel.kind {
        Kind::Tile if panel.is_of_now() => now(panel, aggs, total),
        Kind::Tile => tile(panel, scope, aggs),
        Kind::List { field } => list(panel, field, aggs, total),
        Kind::Timeline { field } => timeline(panel, scope, field.as_deref(), aggs),
        Kind::Heatmap { row, column, share } => heatmap(panel, row, column, *share, aggs),
        Kind::Table { fields } => table(panel, fields, aggs),
        Kind::Events { columns } => Some(events(columns, answer, total)),
    }
}

fn tile(panel: &Panel, scope: &Scope, aggs: &Value) -> Option<PanelData> {
    let periods = spread(&aggs["periods"], &Buckets::of_periods(scope), &panel.metric);
    let spark = spread(&aggs["spark"], &Buckets::of_sparkline(scope), &panel.metric);
    let empty = panel.metric.is_zero_when_empty().then_some(0.0);
    let (previous, value) = (periods.first()?.or(empty), periods.get(1)?.or(empty)?);
    Some(PanelData::Tile {
        value,
        previous,
        spark: spark.into_iter().map(Option::unwrap_or_default).collect(),
        unit: panel.unit,
        query: panel.query.clone(),
    })
}

/// What is now has no period before, and no course.
fn now(panel: &Panel, aggs: &Value, total: u64) -> Option<PanelData> {
    let value = match panel.metric {
        Metric::Count => Some(total as f64),
        _ if total == 0 && panel.metric.is_zero_when_empty() => Some(0.0),
        _ => value_of(&aggs["n"], &panel.metric),
    };
    Some(PanelData::Tile {
        value: value?,
        previous: None,
        spark: Vec::new(),
        unit: panel.unit,
        query: panel.query.clone(),
    })
}

fn list(panel: &Panel, field: &str, aggs: &Value, total: u64) -> Option<PanelData> {
    let mut rows: Vec<_> = buckets(&aggs["rows"])
        .iter()
        .map(|bucket| ListRow {
            value: key(bucket),
            number: number(bucket, &panel.metric).unwrap_or_default(),
        })
        .collect();
    rows.sort_by(|a, b| b.number.total_cmp(&a.number).then_with(|| a.value.cmp(&b.value)));
    let shown: f64 = rows.iter().map(|row| row.number).sum();
    let others = match &panel.metric {
        Metric::Count => aggs["rows"]["sum_other_doc_count"].as_f64().unwrap_or_default(),
        Metric::Sum(_) => (value_of(&aggs["whole"], &panel.metric).unwrap_or(total as f64) - shown).max(0.0),
        _ => 0.0,
    };
    (!rows.is_empty()).then(|| PanelData::List {
        field: field.to_owned(),
        metric: panel.counts.clone(),
        unit: panel.unit,
        rows,
        others,
    })
}

fn timeline(panel: &Panel, scope: &Scope, field: Option<&str>, aggs: &Value) -> Option<PanelData> {
    let axis = Buckets::of_timeline(scope);
    let whole: Vec<f64> = filled(spread(&aggs["all"], &axis, &panel.metric));
    let mut series: Vec<Series> = Vec::new();
    if field.is_none() {
        series.push(Series {
            name: panel.counts.clone(),
            values: whole,
        });
    } else {
        for bucket in buckets(&aggs["series"]) {
            series.push(Series {
                name: key(bucket),
                values: filled(spread(&bucket["time"], &axis, &panel.metric)),
            });
        }
        let rank = |name: &str| {
            SEVERITIES
                .iter()
                .position(|s| s.eq_ignore_ascii_case(name))
                .unwrap_or(usize::MAX)
        };
        series.sort_by_key(|one| rank(&one.name));
        if panel.metric.adds_up() {
            let rest: Vec<f64> = whole
                .iter()
                .enumerate()
                .map(|(n, all)| (all - series.iter().filter_map(|s| s.values.get(n)).sum::<f64>()).max(0.0))
                .collect();
            if rest.iter().any(|n| *n > 0.0) {
                series.push(Series {
                    name: "others".to_owned(),
                    values: rest,
                });
            }
        }
    }
    (!series.is_empty()).then(|| PanelData::Timeline {
        buckets: axis.starts(),
        interval: axis.length,
        field: field.map(str::to_owned),
        unit: panel.unit,
        series,
    })
}

/// Words of severity in the order in which they are stacked; other series keep the order of their size.
const SEVERITIES: &[&str] = &["critical", "high", "medium", "low", "informational"];

fn heatmap(panel: &Panel, row: &str, column: &str, share: bool, aggs: &Value) -> Option<PanelData> {
    let columns: Vec<String> = buckets(&aggs["columns"]).iter().map(key).collect();
    let (mut rows, mut cells) = (Vec::new(), Vec::new());
    for bucket in buckets(&aggs["rows"]) {
        let mut line = vec![0.0; columns.len()];
        let all = buckets(&bucket["columns"]);
        let whole: f64 = all.iter().filter_map(|cell| number(cell, &panel.metric)).sum();
        let scale = match share {
            true if whole > 0.0 => 100.0 / whole,
            _ => 1.0,
        };
        for cell in all {
            if let Some(slot) = columns
                .iter()
                .position(|name| *name == key(cell))
                .and_then(|n| line.get_mut(n))
            {
                *slot = scale * number(cell, &panel.metric).unwrap_or_default();
            }
        }
        rows.push(key(bucket));
        cells.push(line);
    }
    (!rows.is_empty() && !columns.is_empty()).then(|| PanelData::Heatmap {
        row_field: row.to_owned(),
        column_field: column.to_owned(),
        rows,
        columns,
        cells,
        unit: panel.unit,
    })
}

fn table(panel: &Panel, fields: &[String], aggs: &Value) -> Option<PanelData> {
    let mut columns: Vec<_> = fields.iter().map(|field| column(field)).collect();
    columns.push(Column {
        title: panel.counts.clone(),
        field: None,
        unit: Some(panel.unit),
    });
    let rows: Vec<Vec<Vec<String>>> = buckets(&aggs["rows"])
        .iter()
        .map(|bucket| {
            let mut cells: Vec<Vec<String>> = match &bucket["key"] {
                Value::Array(parts) => parts.iter().map(|part| vec![plain(part)]).collect(),
                _ => vec![vec![key(bucket)]],
            };
            cells.push(vec![number(bucket, &panel.metric).unwrap_or_default().to_string()]);
            cells
        })
        .collect();
    (!rows.is_empty()).then_some(PanelData::Table {
        columns,
        rows,
        total: None,
    })
}

fn events(fields: &[String], answer: &Value, total: u64) -> PanelData {
    let hits = answer["hits"]["hits"].as_array().map(Vec::as_slice).unwrap_or_default();
    let row = |hit: &Value| fields.iter().map(|field| source::values(hit, field)).collect();
    PanelData::Table {
        columns: fields.iter().map(|field| column(field)).collect(),
        rows: hits.iter().map(row).collect(),
        total: Some(total),
    }
}

fn column(field: &str) -> Column {
    Column {
        title: field.to_owned(),
        field: Some(field.to_owned()),
        unit: None,
    }
}

fn buckets(agg: &Value) -> &[Value] {
    agg["buckets"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn key(bucket: &Value) -> String {
    bucket.get("key_as_string").map_or_else(|| plain(&bucket["key"]), plain)
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn number(bucket: &Value, metric: &Metric) -> Option<f64> {
    match metric {
        Metric::Count => bucket["doc_count"].as_f64(),
        other => value_of(&bucket["n"], other),
    }
}

fn value_of(agg: &Value, metric: &Metric) -> Option<f64> {
    match metric {
        Metric::Percentile(..) => agg["values"].as_object()?.values().next()?.as_f64(),
        _ => agg["value"].as_f64(),
    }
}

/// The metric in each bucket of the axis; `None` where there is no document, or no value.
fn spread(histogram: &Value, axis: &Buckets, metric: &Metric) -> Vec<Option<f64>> {
    let mut values = vec![None; axis.count];
    for bucket in buckets(histogram) {
        let slot = bucket["key"]
            .as_i64()
            .and_then(|key| axis.position(key))
            .and_then(|n| values.get_mut(n));
        if let Some(slot) = slot {
            *slot = number(bucket, metric);
        }
    }
    values
}

fn filled(values: Vec<Option<f64>>) -> Vec<f64> {
    values.into_iter().map(Option::unwrap_or_default).collect()
}
