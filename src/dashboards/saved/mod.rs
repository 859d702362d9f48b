//! Pages as saved objects of OpenSearch Dashboards: one NDJSON file per page, which a person or the API imports.
//!
//! [`files`] is a pure function of the pages, so that the committed files can be held against it; [`problems`] reads
//! such files with fresh eyes and knows only what OpenSearch Dashboards expects of them.

mod check;
mod controls;
mod layout;
mod patterns;
mod visual;

#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use super::definition::{Dashboard, Kind, Panel};

pub use check::{Problem, problems};

/// Version of OpenSearch Dashboards that the panels say they were made with.
const MADE_WITH: &str = "3.4.0";

/// One saved object, in the form of an export.
#[derive(Clone, Debug)]
struct Saved {
    kind: &'static str,
    id: String,
    attributes: Value,
    references: Vec<Reference>,
}

/// What a saved object needs.
#[derive(Clone, Debug)]
struct Reference {
    name: String,
    kind: &'static str,
    id: String,
}

impl Saved {
    fn line(&self) -> String {
        let version = match self.kind {
            "visualization" => "7.10.0",
            "index-pattern" => "7.6.0",
            _ => "7.9.3",
        };
        let references: Vec<Value> = self
            .references
            .iter()
            .map(|reference| json!({ "id": reference.id, "name": reference.name, "type": reference.kind }))
            .collect();
        let mut line = json!({
            "attributes": self.attributes,
            "id": self.id,
            "migrationVersion": { self.kind: version },
            "references": references,
            "type": self.kind,
        })
        .to_string();
        line.push('\n');
        line
    }
}

/// Every file by its name: one per page, and one with every index pattern.
#[must_use]
pub fn files(pages: &[Dashboard]) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = pages
        .iter()
        .map(|page| (format!("{}.ndjson", page.id), file(page, pages)))
        .collect();
    let patterns: String = patterns::all().iter().map(Saved::line).collect();
    files.push(("index-patterns.ndjson".to_owned(), patterns));
    files
}

/// One page with everything that it refers to, so that it can be imported alone.
fn file(page: &Dashboard, pages: &[Dashboard]) -> String {
    let mut indices: Vec<&str> = page.panels.iter().map(|panel| panel.index.as_str()).collect();
    indices.push(&page.index);
    indices.sort_unstable();
    indices.dedup();
    let mut objects: Vec<Saved> = indices.into_iter().map(patterns::of_events).collect();
    let mut drawn = vec![layout::Drawn::wide(menu(page, pages), 4)];
    if !page.controls.is_empty() {
        drawn.push(layout::Drawn::wide(controls::of(page), 7));
    }
    for panel in &page.panels {
        let saved = match &panel.kind {
            Kind::Events { columns } => search(page, panel, columns),
            _ => visual::of(page, panel),
        };
        drawn.push(layout::Drawn::of(panel, saved));
    }
    let dashboard = layout::dashboard(page, &drawn);
    objects.extend(drawn.into_iter().map(|drawn| drawn.saved));
    objects.push(dashboard);
    objects.iter().map(Saved::line).collect()
}

fn id(page: &Dashboard, panel: &str) -> String {
    format!("portcullis-{}-{panel}", page.id)
}

/// The name of a reference to an index pattern.
const INDEX: &str = "kibanaSavedObjectMeta.searchSourceJSON.index";

fn index_reference(panel: &Panel) -> Reference {
    Reference {
        name: INDEX.to_owned(),
        kind: "index-pattern",
        id: patterns::id(&panel.index),
    }
}

/// What is asked for, as a visualization and a saved search keep it. Panels are written in query-string syntax.
fn source(panel: &Panel) -> String {
    json!({
        "query": { "query": panel.query, "language": "lucene" },
        "filter": [],
        "indexRefName": INDEX,
    })
    .to_string()
}

fn search(page: &Dashboard, panel: &Panel, columns: &[String]) -> Saved {
    // The time has a column of its own.
    let columns: Vec<&String> = columns.iter().filter(|column| *column != "@timestamp").collect();
    Saved {
        kind: "search",
        id: id(page, &panel.id),
        attributes: json!({
            "columns": columns,
            "description": panel.question,
            "hits": 0,
            "kibanaSavedObjectMeta": { "searchSourceJSON": source(panel) },
            "sort": [["@timestamp", "desc"]],
            "title": title(page, &panel.title),
            "version": 1,
        }),
        references: vec![index_reference(panel)],
    }
}

/// Links to the other pages.
fn menu(page: &Dashboard, pages: &[Dashboard]) -> Saved {
    let links: Vec<String> = pages
        .iter()
        .map(|other| {
            if other.id == page.id {
                format!("**{}**", other.title)
            } else {
                format!("[{}](#/view/portcullis-{})", other.title, other.id)
            }
        })
        .collect();
    let text = format!("{}\n\n{}", links.join(" · "), page.question);
    let state = json!({
        "title": title(page, "Pages"),
        "type": "markdown",
        "params": { "fontSize": 12, "markdown": text, "openLinksInNewTab": false },
        "aggs": [],
    });
    Saved {
        kind: "visualization",
        id: id(page, "menu"),
        attributes: visual::attributes(
            &title(page, "Pages"),
            "Links to the other pages",
            &state,
            &json!({ "query": { "query": "", "language": "kuery" }, "filter": [] }).to_string(),
        ),
        references: Vec::new(),
    }
}

fn title(page: &Dashboard, panel: &str) -> String {
    format!("{}: {panel}", page.title)
}
