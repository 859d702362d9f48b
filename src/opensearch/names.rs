//! How indices, templates and roles are called. One prefix for what Firehose may write, another for what only Portcullis writes.

use chrono::{DateTime, Utc};
use portcullis_transforms::{Schema, Source};

use crate::index::latest as newest;

/// What every index of events begins with; the Firehose role may write these and no others.
pub const EVENTS: &str = "siem";
/// The index of the responder's own documents, as panels call it.
pub const RESPONSE: &str = "response";
/// What begins the indices with one document per finding; no delivery stream writes them.
const LATEST: &str = "portcullis-latest";
/// What [`LATEST`] has in front of the name that panels use.
const OWN: &str = "portcullis-";

pub use crate::index::latest::VERSIONED;

/// The name for a delivery stream's *Index name*; Firehose appends the rotation. Also the alias of all its indices.
#[must_use]
pub fn stream(source: Source, schema: Schema) -> String {
    match schema {
        Schema::Ecs => events(source.name()),
        Schema::Native => format!("{EVENTS}-native-{source}"),
    }
}

/// The same for the index of a panel: `waf` or `response`.
#[must_use]
pub fn events(index: &str) -> String {
    format!("{EVENTS}-{index}")
}

/// All indices of one panel's index; `*` is every source and the response.
#[must_use]
pub fn pattern(index: &str) -> String {
    if let Some(source) = newest::source(index) {
        return latest(source);
    }
    if index != "*" {
        return format!("{}-*", events(index));
    }
    let sources = Source::ALL.iter().map(|source| source.name());
    let all: Vec<String> = sources.chain([RESPONSE]).map(pattern).collect();
    all.join(",")
}

/// The index of one day, as Firehose names it with daily rotation.
#[must_use]
pub fn daily(index: &str, day: DateTime<Utc>) -> String {
    format!("{}-{}", events(index), day.format("%Y-%m-%d"))
}

/// The index with one document per finding.
#[must_use]
pub fn latest(source: Source) -> String {
    format!("{LATEST}-{source}")
}

/// Every index with one document per finding.
#[must_use]
pub fn latest_pattern() -> String {
    format!("{LATEST}-*")
}

/// The panel's index that an index belongs to: `waf` of `siem-waf-2026-11-21`.
#[must_use]
pub fn panel_index(index: &str) -> Option<&str> {
    if let Some(name) = index.strip_prefix(OWN).filter(|name| newest::source(name).is_some()) {
        return Some(name);
    }
    let rest = index.strip_prefix(EVENTS)?.strip_prefix('-')?;
    let (name, _) = rest.split_once('-')?;
    (name == RESPONSE || name.parse::<Source>().is_ok()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_of_one_pattern_only() {
        let sources = Source::ALL.iter().map(|source| source.name());
        let covers = |pattern: &str, index: &str| index.starts_with(pattern.trim_end_matches('*'));
        let mut names: Vec<String> = sources.chain([RESPONSE]).map(events).collect();
        names.extend(Source::ALL.iter().map(|source| stream(*source, Schema::Native)));
        for name in &names {
            let index = format!("{name}-2026-11-21");
            let of: Vec<&String> = names
                .iter()
                .filter(|name| covers(&format!("{name}-*"), &index))
                .collect();
            assert_eq!(of, [name]);
        }
        assert!(
            !latest_pattern().starts_with(EVENTS),
            "the Firehose role may write what begins so"
        );
    }

    #[test]
    fn an_index_is_told_by_its_name() {
        for (index, name) in [
            ("siem-waf-2026-11-21", Some("waf")),
            ("siem-response-2026-11-21", Some("response")),
            ("siem-native-waf-2026-11-21", None),
            ("siem-waf", None),
            ("portcullis-latest-guardduty", Some("latest-guardduty")),
            ("portcullis-latest-waf", None),
            ("other", None),
        ] {
            assert_eq!(panel_index(index), name, "{index}");
        }
        assert!(pattern("*").contains("siem-response-*") && !pattern("*").contains("native"));
    }
}
