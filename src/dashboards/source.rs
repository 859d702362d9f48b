//! Values out of a document by dotted name, whether it is nested or its keys have dots.

use serde_json::Value;

/// The values of a field of a hit, as text; `_index` and `_id` are read from the hit itself.
pub(crate) fn values(hit: &Value, field: &str) -> Vec<String> {
    let mut found = Vec::new();
    if field == "_index" || field == "_id" {
        add(&hit[field], &mut found);
    } else {
        find(&hit["_source"], field, &mut found);
    }
    found
}

fn find(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            if let Some(child) = object.get(path) {
                add(child, found);
            }
            for (at, _) in path.match_indices('.') {
                if let (Some(head), Some(tail)) = (path.get(..at), path.get(at + 1..))
                    && let Some(child) = object.get(head)
                {
                    find(child, tail, found);
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|v| find(v, path, found)),
        _ => {}
    }
}

fn add(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Null => {}
        Value::String(text) => found.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|v| add(v, found)),
        other => found.push(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::values;

    #[test]
    fn nested_and_dotted_names_are_the_same_field() {
        for source in [
            json!({ "a": { "b": { "c": 1 } } }),
            json!({ "a.b.c": 1 }),
            json!({ "a": { "b.c": [1] } }),
        ] {
            assert_eq!(values(&json!({ "_source": source }), "a.b.c"), ["1"]);
        }
        assert_eq!(values(&json!({ "_index": "waf", "_source": {} }), "_index"), ["waf"]);
        assert!(values(&json!({ "_source": { "a": null } }), "a").is_empty());
    }
}
