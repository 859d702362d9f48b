//! A panel under a scope into one search body.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::{
    Scope,
    definition::{Kind, Metric, Panel},
    interval::Buckets,
};

/// Values of the columns that a row of a heat map reports, so that none of the columns drawn is missing from it.
const CELLS: usize = 1_000;

/// The search body of a panel.
pub(crate) fn body(panel: &Panel, scope: &Scope) -> Value {
    let mut from = scope.from;
    let aggs = match &panel.kind {
        Kind::Tile if panel.is_of_now() => metric(&panel.metric),
        Kind::Tile => {
            from -= scope.length();
            let (periods, spark) = (Buckets::of_periods(scope), Buckets::of_sparkline(scope));
            json!({ "periods": over(&periods, &panel.metric), "spark": over(&spark, &panel.metric) })
        }
        Kind::List { field } => {
            let rows = terms(field, panel.size, &panel.metric);
            with_whole(json!({ "rows": rows }), &panel.metric)
        }
        Kind::Timeline { field } => {
            let buckets = Buckets::of_timeline(scope);
            let mut aggs = json!({ "all": over(&buckets, &panel.metric) });
            if let Some(field) = field {
                let mut series = json!({ "terms": { "field": field, "size": panel.size } });
                series["aggs"] = json!({ "time": over(&buckets, &panel.metric) });
                aggs["series"] = series;
            }
            aggs
        }
        Kind::Heatmap { row, column, .. } => {
            let mut rows = terms(row, panel.size, &panel.metric);
            rows["aggs"]["columns"] = terms(column, CELLS, &panel.metric);
            json!({ "rows": rows, "columns": terms(column, panel.size, &panel.metric) })
        }
        Kind::Table { fields } => json!({ "rows": combinations(fields, panel) }),
        Kind::Events { .. } => {
            return json!({
                "query": query(panel, scope, from),
                "size": panel.size,
                "sort": [{ "@timestamp": "desc" }],
                "track_total_hits": true,
            });
        }
    };
    let mut body = json!({ "query": query(panel, scope, from), "size": 0, "track_total_hits": true });
    if aggs.as_object().is_some_and(|aggs| !aggs.is_empty()) {
        body["aggs"] = aggs;
    }
    body
}

fn query(panel: &Panel, scope: &Scope, from: DateTime<Utc>) -> Value {
    if panel.is_of_now() {
        scope.query_of_now(&panel.query)
    } else {
        scope.query_from(from, &panel.query)
    }
}

fn combinations(fields: &[String], panel: &Panel) -> Value {
    if let [field] = fields {
        return terms(field, panel.size, &panel.metric);
    }
    let several: Vec<_> = fields.iter().map(|field| json!({ "field": field })).collect();
    let rows = json!({ "multi_terms": { "terms": several, "size": panel.size } });
    measured(rows, "multi_terms", &panel.metric)
}

/// Adds the number of the whole, so that a list can say what its rows leave out.
fn with_whole(mut aggs: Value, of: &Metric) -> Value {
    if let Some(whole) = metric(of).get("n") {
        aggs["whole"] = whole.clone();
    }
    aggs
}

/// Buckets over time, each with the metric.
fn over(buckets: &Buckets, of: &Metric) -> Value {
    json!({
        "date_histogram": {
            "field": "@timestamp",
            "fixed_interval": format!("{}ms", buckets.length),
            "offset": format!("{}ms", buckets.offset()),
            "min_doc_count": 1,
        },
        "aggs": metric(of),
    })
}

/// The values of a field with the metric, largest first.
fn terms(field: &str, size: usize, of: &Metric) -> Value {
    measured(json!({ "terms": { "field": field, "size": size } }), "terms", of)
}

fn measured(mut buckets: Value, kind: &str, of: &Metric) -> Value {
    if *of != Metric::Count {
        buckets[kind]["order"] = json!({ "n": "desc" });
    }
    buckets["aggs"] = metric(of);
    buckets
}

/// The metric as the aggregation `n`; a count needs none.
fn metric(of: &Metric) -> Value {
    let mut aggs = Map::new();
    let one = match of {
        Metric::Count => return Value::Object(aggs),
        Metric::Distinct(field) => json!({ "cardinality": { "field": field } }),
        Metric::Sum(field) => json!({ "sum": { "field": field } }),
        Metric::Average(field) => json!({ "avg": { "field": field } }),
        Metric::Maximum(field) => json!({ "max": { "field": field } }),
        Metric::Percentile(percent, field) => json!({ "percentiles": { "field": field, "percents": [percent] } }),
    };
    aggs.insert("n".to_owned(), one);
    Value::Object(aggs)
}
