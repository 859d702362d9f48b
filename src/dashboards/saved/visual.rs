//! A panel as a visualization: its type, its aggregations, and its settings written whole, because nested ones are merged
//! shallowly.

use serde_json::{Value, json};

use super::{Saved, id, index_reference, source, title};
use crate::dashboards::definition::{Dashboard, Kind, Metric, Panel};

/// Rows of an inner level of a table: a level multiplies what stands before it.
const INNER: usize = 5;

/// The visualization of a panel.
pub(super) fn of(page: &Dashboard, panel: &Panel) -> Saved {
    let mut aggs = vec![metric(panel)];
    let (kind, params) = match &panel.kind {
        Kind::Tile | Kind::Events { .. } => ("metric", tile()),
        Kind::List { field } => {
            aggs.push(terms("2", "segment", field, panel.size, panel));
            ("horizontal_bar", bars("left", "bottom", "normal", false, panel))
        }
        Kind::Timeline { field } => {
            aggs.push(json!({
                "id": "2",
                "enabled": true,
                "type": "date_histogram",
                "params": {
                    "drop_partials": false,
                    "extended_bounds": {},
                    "field": "@timestamp",
                    "interval": "auto",
                    "min_doc_count": 1,
                    "scaleMetricValues": false,
                    "useNormalizedOpenSearchInterval": true,
                },
                "schema": "segment",
            }));
            if let Some(field) = field {
                aggs.push(terms("3", "group", field, panel.size, panel));
            }
            ("histogram", bars("bottom", "left", "stacked", field.is_some(), panel))
        }
        // A heat map there knows no parts of a row; bars that are all of the same length do.
        Kind::Heatmap {
            row,
            column,
            share: true,
        } => {
            aggs.push(terms("2", "segment", row, panel.size, panel));
            aggs.push(terms("3", "group", column, panel.size, panel));
            let mut params = bars("left", "bottom", "stacked", true, panel);
            params["valueAxes"][0]["scale"]["mode"] = json!("percentage");
            ("horizontal_bar", params)
        }
        Kind::Heatmap { row, column, .. } => {
            aggs.push(terms("2", "group", row, panel.size, panel));
            aggs.push(terms("3", "segment", column, panel.size, panel));
            ("heatmap", heatmap())
        }
        Kind::Table { fields } => {
            for (level, field) in fields.iter().enumerate() {
                let size = if level == 0 { panel.size } else { panel.size.min(INNER) };
                aggs.push(terms(&(level + 2).to_string(), "bucket", field, size, panel));
            }
            ("table", table())
        }
    };
    let title = title(page, &panel.title);
    let state = json!({ "title": title, "type": kind, "params": params, "aggs": aggs });
    Saved {
        kind: "visualization",
        id: id(page, &panel.id),
        attributes: attributes(&title, &panel.question, &state, &source(panel)),
        references: vec![index_reference(panel)],
    }
}

/// The attributes of a visualization, and no others: unknown ones are refused.
pub(super) fn attributes(title: &str, description: &str, state: &Value, source: &str) -> Value {
    json!({
        "description": description,
        "kibanaSavedObjectMeta": { "searchSourceJSON": source },
        "title": title,
        "uiStateJSON": "{}",
        "version": 1,
        "visState": state.to_string(),
    })
}

fn metric(panel: &Panel) -> Value {
    let label = &panel.counts;
    let of = |kind: &str, field: &str| (kind.to_owned(), json!({ "field": field, "customLabel": label }));
    let (kind, params) = match &panel.metric {
        Metric::Count => ("count".to_owned(), json!({ "customLabel": label })),
        Metric::Distinct(field) => of("cardinality", field),
        Metric::Sum(field) => of("sum", field),
        Metric::Average(field) => of("avg", field),
        Metric::Maximum(field) => of("max", field),
        Metric::Percentile(percent, field) => (
            "percentiles".to_owned(),
            json!({ "field": field, "percents": [percent], "customLabel": label }),
        ),
    };
    json!({ "id": "1", "enabled": true, "type": kind, "params": params, "schema": "metric" })
}

fn terms(id: &str, schema: &str, field: &str, size: usize, panel: &Panel) -> Value {
    // Percentiles cannot order terms.
    let by = if matches!(panel.metric, Metric::Percentile(..)) {
        "_key"
    } else {
        "1"
    };
    json!({
        "id": id,
        "enabled": true,
        "type": "terms",
        "params": {
            "customLabel": field,
            "field": field,
            "missingBucket": false,
            "missingBucketLabel": "Missing",
            "order": "desc",
            "orderBy": by,
            "otherBucket": false,
            "otherBucketLabel": "Other",
            "size": size,
        },
        "schema": schema,
    })
}

fn tile() -> Value {
    json!({
        "addLegend": false,
        "addTooltip": true,
        "metric": {
            "colorSchema": "Blues",
            "colorsRange": [{ "from": 0, "to": 10000 }],
            "invertColors": false,
            "labels": { "show": true },
            "metricColorMode": "None",
            "percentageMode": false,
            "style": { "bgColor": false, "bgFill": "#000", "fontSize": 36, "labelColor": false, "subText": "" },
            "useRanges": false,
        },
        "type": "metric",
    })
}

fn bars(category: &str, value: &str, mode: &str, legend: bool, panel: &Panel) -> Value {
    json!({
        "addLegend": legend,
        "addTimeMarker": false,
        "addTooltip": true,
        "categoryAxes": [{
            "id": "CategoryAxis-1",
            "labels": { "filter": category == "bottom", "rotate": 0, "show": true, "truncate": 200 },
            "position": category,
            "scale": { "type": "linear" },
            "show": true,
            "style": {},
            "title": {},
            "type": "category",
        }],
        "grid": { "categoryLines": false },
        "labels": { "show": false },
        "legendPosition": "right",
        "seriesParams": [{
            "data": { "id": "1", "label": panel.counts },
            "drawLinesBetweenPoints": true,
            "lineWidth": 2,
            "mode": mode,
            "show": true,
            "showCircles": true,
            "type": "histogram",
            "valueAxis": "ValueAxis-1",
        }],
        "thresholdLine": { "color": "#E7664C", "show": false, "style": "full", "value": 10, "width": 1 },
        "times": [],
        "type": "histogram",
        "valueAxes": [{
            "id": "ValueAxis-1",
            "labels": { "filter": value == "bottom", "rotate": 0, "show": true, "truncate": 100 },
            "name": "LeftAxis-1",
            "position": value,
            "scale": { "mode": "normal", "type": "linear" },
            "show": true,
            "style": {},
            "title": { "text": panel.counts },
            "type": "value",
        }],
    })
}

fn heatmap() -> Value {
    json!({
        "addLegend": true,
        "addTooltip": true,
        "colorSchema": "Blues",
        "colorsNumber": 5,
        "colorsRange": [],
        "enableHover": false,
        "invertColors": false,
        "legendPosition": "right",
        "percentageMode": false,
        "setColorRange": false,
        "times": [],
        "type": "heatmap",
        "valueAxes": [{
            "id": "ValueAxis-1",
            "labels": { "color": "black", "overwriteColor": false, "rotate": 0, "show": true },
            "scale": { "defaultYExtents": false, "type": "linear" },
            "show": false,
            "type": "value",
        }],
    })
}

fn table() -> Value {
    json!({
        "percentageCol": "",
        "perPage": 15,
        "showMetricsAtAllLevels": false,
        "showPartialRows": false,
        "showTotal": false,
        "sort": { "columnIndex": null, "direction": null },
        "totalFunc": "sum",
    })
}
