//! Index patterns: which indices, and which field is their time.

use portcullis_transforms::{Schema, Source, schema};
use serde_json::json;

use super::Saved;
use crate::{index::latest, opensearch::names};

/// The id of a panel's index; `*` is all of them.
pub(super) fn id(index: &str) -> String {
    if let Some(source) = latest::source(index) {
        return names::latest(source);
    }
    match index {
        "*" => format!("portcullis-{}-all", names::EVENTS),
        name => format!("portcullis-{}", names::events(name)),
    }
}

/// The pattern of a panel's index.
pub(super) fn of_events(index: &str) -> Saved {
    match latest::source(index) {
        Some(source) => of_now(&names::latest(source)),
        None => pattern(id(index), &names::pattern(index), "@timestamp"),
    }
}

/// Without a time field: a finding that was updated last week is open now, whatever range the dashboard shows.
fn of_now(name: &str) -> Saved {
    Saved {
        attributes: json!({ "title": name }),
        ..pattern(name.to_owned(), name, "")
    }
}

/// Every pattern: sources, the response, all of these, the `native` ones and the newest version of each finding.
pub(super) fn all() -> Vec<Saved> {
    let mut all: Vec<Saved> = Source::ALL.iter().map(|source| of_events(source.name())).collect();
    all.extend([of_events(names::RESPONSE), of_events("*")]);
    for &source in Source::ALL {
        let name = names::stream(source, Schema::Native);
        let times = schema::native_times(source);
        // Findings come to a delivery stream from EventBridge.
        let time = if names::VERSIONED.contains(&source) {
            "time"
        } else {
            main_time(&times)
        };
        all.push(pattern(format!("portcullis-{name}"), &format!("{name}-*"), time));
    }
    for &source in names::VERSIONED {
        all.push(of_now(&names::latest(source)));
    }
    all
}

/// Of a record's times the one that says when it was written, as `@timestamp` does of an `ecs` document.
fn main_time(times: &[String]) -> &str {
    let end = times.iter().find(|time| *time == "end");
    end.or(times.first()).map_or("@timestamp", String::as_str)
}

fn pattern(id: String, title: &str, time: &str) -> Saved {
    Saved {
        kind: "index-pattern",
        id,
        // Without a list of fields it is loaded live, and so never stale.
        attributes: json!({ "title": title, "timeFieldName": time }),
        references: Vec::new(),
    }
}
