//! Where panels stand: OpenSearch Dashboards has 48 columns where a page has twelve.

use serde_json::{Value, json};

use super::{MADE_WITH, Reference, Saved};
use crate::dashboards::definition::{Dashboard, Kind, Panel};

/// Columns of a dashboard.
const COLUMNS: u64 = 48;
/// Columns of a dashboard for one of a page.
const FACTOR: u64 = 4;

/// A panel with its object and its size.
pub(super) struct Drawn {
    pub(super) saved: Saved,
    title: Option<String>,
    width: u64,
    height: u64,
}

impl Drawn {
    /// A panel over the whole width, without a title.
    pub(super) fn wide(saved: Saved, height: u64) -> Self {
        Self {
            saved,
            title: None,
            width: COLUMNS,
            height,
        }
    }

    /// A panel of a page.
    pub(super) fn of(panel: &Panel, saved: Saved) -> Self {
        Self {
            saved,
            title: Some(panel.title.clone()),
            width: u64::from(panel.width) * FACTOR,
            height: match panel.kind {
                Kind::Tile => 8,
                Kind::Timeline { .. } => 13,
                Kind::List { .. } => 15,
                Kind::Heatmap { .. } | Kind::Table { .. } => 17,
                Kind::Events { .. } => 20,
            },
        }
    }
}

/// The dashboard of a page over its panels, row by row.
pub(super) fn dashboard(page: &Dashboard, panels: &[Drawn]) -> Saved {
    let (mut x, mut y, mut tallest) = (0, 0, 0);
    let mut placed: Vec<Value> = Vec::with_capacity(panels.len());
    let mut references = Vec::with_capacity(panels.len());
    for (place, panel) in panels.iter().enumerate() {
        if x + panel.width > COLUMNS {
            y += tallest;
            (x, tallest) = (0, 0);
        }
        let index = (place + 1).to_string();
        let name = format!("panel_{place}");
        let mut entry = json!({
            "version": MADE_WITH,
            "gridData": { "x": x, "y": y, "w": panel.width, "h": panel.height, "i": index },
            "panelIndex": index,
            "embeddableConfig": {},
            "panelRefName": name,
        });
        match &panel.title {
            Some(title) => entry["title"] = json!(title),
            None => entry["embeddableConfig"] = json!({ "hidePanelTitles": true }),
        }
        placed.push(entry);
        references.push(Reference {
            name,
            kind: panel.saved.kind,
            id: panel.saved.id.clone(),
        });
        x += panel.width;
        tallest = tallest.max(panel.height);
    }
    let source = json!({ "query": { "query": "", "language": "kuery" }, "filter": [] });
    Saved {
        kind: "dashboard",
        id: format!("portcullis-{}", page.id),
        attributes: json!({
            "description": page.question,
            "hits": 0,
            "kibanaSavedObjectMeta": { "searchSourceJSON": source.to_string() },
            "optionsJSON": json!({ "hidePanelTitles": false, "useMargins": true }).to_string(),
            "panelsJSON": Value::Array(placed).to_string(),
            "refreshInterval": { "pause": true, "value": 0 },
            "timeFrom": "now-24h",
            "timeRestore": true,
            "timeTo": "now",
            "title": format!("Portcullis: {}", page.title),
            "version": 1,
        }),
        references,
    }
}
