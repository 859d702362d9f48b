//! What OpenSearch Dashboards expects of saved objects, looked for in the files themselves. It refuses a whole file for one
//! mistake, or imports it and then breaks; so every mistake is told here, with object and place.
//!
//! Read from its public source: attributes are strict, references are by name, `visState` and `searchSourceJSON` are JSON in
//! text, and each visualization type says which aggregations it takes, and how many.

use std::{collections::BTreeMap, fmt};

use portcullis_transforms::{Field, Source};
use serde_json::Value;

use crate::{index::latest, opensearch::names, respond};

/// A mistake in a file of saved objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Name of the file.
    pub file: String,
    /// `type:id` of the object, or the line.
    pub object: String,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}: {}", self.file, self.object, self.message)
    }
}

/// Every type with the newest migration version that is taken, and its attributes.
const TYPES: &[(&str, &str, &[&str])] = &[
    (
        "visualization",
        "7.10.0",
        &[
            "description",
            "kibanaSavedObjectMeta",
            "savedSearchRefName",
            "title",
            "uiStateJSON",
            "version",
            "visState",
        ],
    ),
    (
        "dashboard",
        "7.9.3",
        &[
            "description",
            "hits",
            "kibanaSavedObjectMeta",
            "optionsJSON",
            "panelsJSON",
            "refreshInterval",
            "timeFrom",
            "timeRestore",
            "timeTo",
            "title",
            "version",
        ],
    ),
    (
        "search",
        "7.9.3",
        &[
            "columns",
            "description",
            "hits",
            "kibanaSavedObjectMeta",
            "sort",
            "title",
            "version",
        ],
    ),
    ("index-pattern", "7.6.0", &["title", "timeFieldName"]),
];

/// How many aggregations of each schema a visualization type takes: at least, at most.
type Schemas = &'static [(&'static str, usize, usize)];

const SCHEMAS: &[(&str, Schemas)] = &[
    ("metric", &[("metric", 1, usize::MAX), ("group", 0, 1)]),
    (
        "histogram",
        &[
            ("metric", 1, usize::MAX),
            ("radius", 0, 1),
            ("segment", 0, 1),
            ("group", 0, 3),
            ("split", 0, 1),
        ],
    ),
    (
        "horizontal_bar",
        &[
            ("metric", 1, usize::MAX),
            ("radius", 0, 1),
            ("segment", 0, 1),
            ("group", 0, 3),
            ("split", 0, 1),
        ],
    ),
    (
        "heatmap",
        &[("metric", 1, 1), ("segment", 0, 1), ("group", 0, 1), ("split", 0, 1)],
    ),
    (
        "table",
        &[("metric", 1, usize::MAX), ("bucket", 0, usize::MAX), ("split", 0, 1)],
    ),
    ("markdown", &[]),
    ("input_control_vis", &[]),
];

/// Columns of a dashboard.
const COLUMNS: u64 = 48;

/// Every mistake in one file; none when OpenSearch Dashboards takes it.
#[must_use]
pub fn problems(file: &str, text: &str) -> Vec<Problem> {
    let mut check = Check {
        file,
        object: String::new(),
        problems: Vec::new(),
    };
    let mut objects: BTreeMap<String, Value> = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        check.object = format!("line {}", number + 1);
        match serde_json::from_str::<Value>(line) {
            Ok(object) if object["type"].is_string() && object["id"].is_string() => {
                let name = name(&object);
                if objects.insert(name.clone(), object).is_some() {
                    check.must(false, format!("`{name}` stands twice in this file"));
                }
            }
            _ => check.must(false, "is no saved object: one JSON object with type and id"),
        }
    }
    for (name, object) in &objects {
        check.object.clone_from(name);
        check.object(object, &objects);
    }
    check.problems
}

fn name(object: &Value) -> String {
    format!(
        "{}:{}",
        object["type"].as_str().unwrap_or_default(),
        object["id"].as_str().unwrap_or_default()
    )
}

struct Check<'f> {
    file: &'f str,
    object: String,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn must(&mut self, holds: bool, message: impl Into<String>) {
        if !holds {
            self.problems.push(Problem {
                file: self.file.to_owned(),
                object: self.object.clone(),
                message: message.into(),
            });
        }
    }

    fn object(&mut self, object: &Value, all: &BTreeMap<String, Value>) {
        let kind = object["type"].as_str().unwrap_or_default();
        let Some((_, version, attributes)) = TYPES.iter().find(|(name, _, _)| *name == kind) else {
            return self.must(false, format!("is of the unknown type `{kind}`"));
        };
        self.must(
            object["migrationVersion"][kind] == *version,
            format!("migrationVersion has to be {version}"),
        );
        for key in object["attributes"]
            .as_object()
            .into_iter()
            .flat_map(|object| object.keys())
        {
            self.must(
                attributes.contains(&key.as_str()),
                format!("the attribute `{key}` is refused"),
            );
        }
        self.must(
            object["attributes"]["title"]
                .as_str()
                .is_some_and(|title| !title.is_empty()),
            "has no title",
        );
        let references = self.references(object, all);
        match kind {
            "visualization" => self.visualization(object, &references, all),
            "dashboard" => self.dashboard(object, &references),
            "search" => self.search(object, &references, all),
            _ => self.must(
                object["references"] == serde_json::json!([]),
                "references of an index pattern have to be []",
            ),
        }
    }

    /// The references by name, as `type:id`; each is in the file.
    fn references(&mut self, object: &Value, all: &BTreeMap<String, Value>) -> BTreeMap<String, String> {
        let mut names = BTreeMap::new();
        let references = object["references"].as_array();
        self.must(references.is_some(), "has no references; write []");
        for reference in references.into_iter().flatten() {
            let (target, own) = (
                name(reference),
                reference["name"].as_str().unwrap_or_default().to_owned(),
            );
            self.must(
                all.contains_key(&target),
                format!("refers to `{target}`, which is not in this file"),
            );
            self.must(
                names.insert(own.clone(), target).is_none(),
                format!("two references are called `{own}`"),
            );
        }
        names
    }

    /// Text that has to be JSON.
    fn parsed(&mut self, attribute: &Value, name: &str) -> Value {
        let parsed = attribute.as_str().and_then(|text| serde_json::from_str(text).ok());
        self.must(parsed.is_some(), format!("`{name}` has to be JSON in text"));
        parsed.unwrap_or_default()
    }

    /// The index pattern of a searchSourceJSON, by its title.
    fn source(
        &mut self,
        object: &Value,
        references: &BTreeMap<String, String>,
        all: &BTreeMap<String, Value>,
    ) -> String {
        let source = self.parsed(
            &object["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"],
            "searchSourceJSON",
        );
        self.must(
            source["query"]["query"].is_string()
                && matches!(source["query"]["language"].as_str(), Some("lucene" | "kuery")),
            "the query has to be text in lucene or kuery",
        );
        self.must(source["filter"].is_array(), "the filter has to be a list");
        let Some(name) = source["indexRefName"].as_str() else {
            return String::new();
        };
        self.must(
            name == super::INDEX,
            format!("the reference to the index has to be called {}", super::INDEX),
        );
        self.title_of(name, references, all)
    }

    /// The title of the index pattern that a reference name leads to.
    fn title_of(&mut self, name: &str, references: &BTreeMap<String, String>, all: &BTreeMap<String, Value>) -> String {
        let target = references.get(name);
        self.must(target.is_some(), format!("`{name}` names no reference"));
        let target = target.map(String::as_str).unwrap_or_default();
        self.must(
            target.starts_with("index-pattern:"),
            format!("`{name}` is no index pattern"),
        );
        let title = all
            .get(target)
            .and_then(|pattern| pattern["attributes"]["title"].as_str());
        title.unwrap_or_default().to_owned()
    }

    fn field(&mut self, pattern: &str, field: &Value, aggregated: bool) {
        let Some(field) = field.as_str() else {
            return self.must(false, "an aggregation has no field");
        };
        match known(pattern, field) {
            None if field.starts_with('_') && !aggregated => {}
            None => self.must(false, format!("`{field}` is in no mapping of {pattern}")),
            Some(known) => self.must(
                !aggregated || known.ty.is_aggregatable(),
                format!("`{field}` is {}, which cannot be aggregated", known.ty.name()),
            ),
        }
    }

    fn visualization(&mut self, object: &Value, references: &BTreeMap<String, String>, all: &BTreeMap<String, Value>) {
        let state = self.parsed(&object["attributes"]["visState"], "visState");
        self.parsed(&object["attributes"]["uiStateJSON"], "uiStateJSON");
        let pattern = self.source(object, references, all);
        let kind = state["type"].as_str().unwrap_or_default();
        let Some((_, schemas)) = SCHEMAS.iter().find(|(name, _)| *name == kind) else {
            return self.must(false, format!("visualizations of type `{kind}` are not known here"));
        };
        self.must(state["params"].is_object(), "visState has no params");
        let none = Vec::new();
        let aggs = state["aggs"].as_array().unwrap_or(&none);
        self.must(state["aggs"].is_array(), "visState has no aggs; write []");
        self.must(
            aggs.is_empty() || !pattern.is_empty(),
            "aggregates without an index pattern",
        );
        for (schema, least, most) in *schemas {
            let count = aggs.iter().filter(|agg| agg["schema"] == *schema).count();
            self.must(
                (*least..=*most).contains(&count),
                format!("{kind} takes {least} to {most} aggregations as {schema}, not {count}"),
            );
        }
        let mut ids = Vec::new();
        for agg in aggs {
            let schema = agg["schema"].as_str().unwrap_or_default();
            self.must(
                schemas.iter().any(|(name, _, _)| *name == schema),
                format!("{kind} takes no aggregation as `{schema}`"),
            );
            let id = agg["id"].as_str().unwrap_or_default();
            // Ids are matched by prefix, so `1` and `10` would be taken for each other.
            self.must(
                id.len() == 1 && !ids.contains(&id),
                format!("the aggregation id `{id}` is not one single character"),
            );
            ids.push(id);
            self.aggregation(agg, aggs, &pattern);
        }
        for control in state["params"]["controls"].as_array().into_iter().flatten() {
            let name = control["indexPatternRefName"].as_str().unwrap_or_default();
            let pattern = self.title_of(name, references, all);
            self.field(&pattern, &control["fieldName"], true);
            self.must(
                control["parent"] == "" && matches!(control["type"].as_str(), Some("list" | "range")),
                "a control has a parent \"\" and is a list or a range",
            );
        }
    }

    fn aggregation(&mut self, agg: &Value, all: &[Value], pattern: &str) {
        let params = &agg["params"];
        match agg["type"].as_str().unwrap_or_default() {
            "count" => {}
            "cardinality" => self.field(pattern, &params["field"], true),
            kind @ ("sum" | "avg" | "max" | "percentiles") => {
                self.field(pattern, &params["field"], true);
                let number = params["field"].as_str().and_then(|field| known(pattern, field));
                self.must(
                    number.is_none_or(|field| {
                        matches!(field.ty.name(), "long" | "float") || (kind == "max" && field.ty.name() == "date")
                    }),
                    format!("{kind} takes a number"),
                );
            }
            "date_histogram" => {
                self.field(pattern, &params["field"], true);
                let date = params["field"].as_str().and_then(|field| known(pattern, field));
                self.must(
                    date.is_none_or(|field| field.ty.name() == "date"),
                    "date_histogram takes a date",
                );
            }
            "terms" => {
                self.field(pattern, &params["field"], true);
                let by = params["orderBy"].as_str().unwrap_or_default();
                let orders = all.iter().any(|other| {
                    other["id"] == by
                        && other["schema"] == "metric"
                        && other["type"] != "percentiles"
                        && other["enabled"] == true
                });
                self.must(
                    matches!(by, "_key" | "_count") || orders,
                    format!("terms cannot be ordered by `{by}`"),
                );
            }
            other => self.must(false, format!("aggregations of type `{other}` are not known here")),
        }
    }

    fn search(&mut self, object: &Value, references: &BTreeMap<String, String>, all: &BTreeMap<String, Value>) {
        let pattern = self.source(object, references, all);
        self.must(!pattern.is_empty(), "has no index pattern");
        self.must(
            object["attributes"]["sort"] == serde_json::json!([["@timestamp", "desc"]]),
            "sorts as [[\"@timestamp\",\"desc\"]]",
        );
        for column in object["attributes"]["columns"].as_array().into_iter().flatten() {
            self.field(&pattern, column, false);
        }
    }

    fn dashboard(&mut self, object: &Value, references: &BTreeMap<String, String>) {
        let attributes = &object["attributes"];
        self.parsed(
            &attributes["kibanaSavedObjectMeta"]["searchSourceJSON"],
            "searchSourceJSON",
        );
        self.parsed(&attributes["optionsJSON"], "optionsJSON");
        let panels = self.parsed(&attributes["panelsJSON"], "panelsJSON");
        let panels = panels.as_array().cloned().unwrap_or_default();
        self.must(!panels.is_empty(), "has no panels");
        let mut indices = Vec::new();
        let mut taken: Vec<[u64; 4]> = Vec::new();
        for panel in &panels {
            let index = panel["panelIndex"].as_str().unwrap_or_default().to_owned();
            self.must(
                !index.is_empty() && panel["gridData"]["i"] == index.as_str() && !indices.contains(&index),
                format!("panelIndex `{index}` has to be text, unique, and the same as gridData.i"),
            );
            self.must(
                panel["version"].is_string() && panel["embeddableConfig"].is_object(),
                format!("panel {index} has no version or no embeddableConfig"),
            );
            let name = panel["panelRefName"].as_str().unwrap_or_default();
            self.must(
                references.contains_key(name),
                format!("panel {index}: `{name}` names no reference"),
            );
            let side = |side: &str| panel["gridData"][side].as_u64().unwrap_or(u64::MAX / 4);
            let place @ [x, y, w, h] = ["x", "y", "w", "h"].map(side);
            self.must(
                w > 0 && h > 0 && x + w <= COLUMNS,
                format!("panel {index} does not fit {COLUMNS} columns"),
            );
            self.must(
                !taken
                    .iter()
                    .any(|[a, b, c, d]| x < a + c && *a < x + w && y < b + d && *b < y + h),
                format!("panel {index} lies on another"),
            );
            taken.push(place);
            indices.push(index);
        }
        self.must(references.len() == panels.len(), "has references that no panel uses");
    }
}

/// A field of the indices of a pattern; of several, one that any of them has.
fn known(pattern: &str, name: &str) -> Option<Field> {
    let of = |index: &str| -> Vec<Field> {
        match latest::base(index).parse::<Source>() {
            Ok(source) => source.fields().into_iter().copied().collect(),
            Err(_) if index == names::RESPONSE => respond::document::fields().copied().collect(),
            Err(_) => Vec::new(),
        }
    };
    pattern
        .split(',')
        .filter_map(|part| names::panel_index(part.trim_end_matches('*')))
        .flat_map(of)
        .find(|field| field.name == name)
}
