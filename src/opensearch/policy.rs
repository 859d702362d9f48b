//! When rotated indices are deleted: an Index State Management policy by the age of the index.
//!
//! <https://docs.opensearch.org/latest/im-plugin/ism/policies/>. No public package has the plugin, so this is held against
//! the documented shape and not against a server; a cluster without it is told so and keeps its indices.

use portcullis_transforms::{Schema, Source};
use serde_json::json;

use super::{
    names,
    object::{Kind, Object},
};

/// The policy's name.
const NAME: &str = "portcullis-retention";
/// Above policies that a cluster may have for everything.
const PRIORITY: u64 = 100;

/// Deletes an index when it is as old as documents are kept; nothing else is ever deleted. An index of one document per
/// finding is not rotated, so it is not matched.
#[must_use]
pub fn retention(days: u32) -> Object {
    let mut patterns: Vec<String> = Vec::new();
    for schema in [Schema::Ecs, Schema::Native] {
        patterns.extend(
            Source::ALL
                .iter()
                .map(|source| format!("{}-*", names::stream(*source, schema))),
        );
    }
    patterns.push(names::pattern(names::RESPONSE));
    let retry = json!({ "count": 3, "backoff": "exponential", "delay": "1m" });
    Object::new(
        Kind::Policy,
        NAME,
        json!({ "policy": {
            "default_state": "kept",
            "states": [
                {
                    "name": "kept",
                    "actions": [],
                    "transitions": [{ "state_name": "deleted", "conditions": { "min_index_age": format!("{days}d") } }],
                },
                { "name": "deleted", "actions": [{ "retry": retry, "delete": {} }], "transitions": [] },
            ],
            "ism_template": [{ "index_patterns": patterns, "priority": PRIORITY }],
        } }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rotated_indices_are_deleted_and_only_by_age() {
        let policy = retention(90).body;
        let patterns = policy["policy"]["ism_template"][0]["index_patterns"]
            .as_array()
            .expect("a list");
        assert_eq!(patterns.len(), 2 * Source::ALL.len() + 1);
        for pattern in patterns {
            let pattern = pattern.as_str().expect("text");
            assert!(pattern.starts_with("siem-") && pattern.ends_with("-*"), "{pattern}");
        }
        let states = policy["policy"]["states"].as_array().expect("a list");
        assert_eq!(states[0]["transitions"][0]["conditions"]["min_index_age"], "90d");
        let names: Vec<_> = states.iter().map(|state| &state["name"]).collect();
        assert_eq!(names, ["kept", "deleted"]);
        assert_eq!(policy["policy"]["default_state"], "kept");
    }
}
