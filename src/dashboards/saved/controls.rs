//! Menus above the panels: a value chosen there narrows the whole page.

use serde_json::{Value, json};

use super::{Reference, Saved, id, patterns, title, visual};
use crate::dashboards::definition::Dashboard;

/// Values that a menu offers before one types.
const OFFERED: usize = 20;

/// The menus of a page, one for each of its fields.
pub(super) fn of(page: &Dashboard) -> Saved {
    let controls: Vec<Value> = page
        .controls
        .iter()
        .enumerate()
        .map(|(place, field)| {
            json!({
                "id": format!("{}", place + 1),
                "fieldName": field,
                "label": field,
                "parent": "",
                "type": "list",
                "options": {
                    "dynamicOptions": true,
                    "multiselect": true,
                    "order": "desc",
                    "size": OFFERED,
                    "type": "terms",
                },
                "indexPatternRefName": reference(place),
            })
        })
        .collect();
    let title = title(page, "Controls");
    let state = json!({
        "title": title,
        "type": "input_control_vis",
        "params": { "controls": controls, "pinFilters": false, "updateFiltersOnChange": true, "useTimeFilter": true },
        "aggs": [],
    });
    Saved {
        kind: "visualization",
        id: id(page, "controls"),
        attributes: visual::attributes(
            &title,
            "Narrows every panel of the page",
            &state,
            &json!({ "query": { "query": "", "language": "kuery" }, "filter": [] }).to_string(),
        ),
        references: (0..page.controls.len())
            .map(|place| Reference {
                name: reference(place),
                kind: "index-pattern",
                id: patterns::id(&page.index),
            })
            .collect(),
    }
}

fn reference(place: usize) -> String {
    format!("control_{place}_index_pattern")
}
