//! A document as a list of fields: dotted names, each with its values, sorted.

use std::collections::BTreeMap;

use serde_json::Value;

/// Leaves read of one document; a closed schema has a few hundred.
const MOST_LEAVES: usize = 5_000;
const DEEPEST: usize = 32;

/// The fields of a document by dotted name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Flat(BTreeMap<String, Vec<String>>);

impl Flat {
    /// Reads a document, nested or with dotted names alike.
    pub(super) fn of(document: &Value) -> Self {
        let mut flat = Self::default();
        let mut left = MOST_LEAVES;
        flat.add(&mut String::new(), document, 0, &mut left);
        flat
    }

    fn add(&mut self, name: &mut String, value: &Value, depth: usize, left: &mut usize) {
        if *left == 0 {
            return;
        }
        match value {
            Value::Object(map) if depth < DEEPEST && !map.is_empty() => {
                for (key, value) in map {
                    let length = name.len();
                    if length > 0 {
                        name.push('.');
                    }
                    name.push_str(key);
                    self.add(name, value, depth + 1, left);
                    name.truncate(length);
                }
            }
            Value::Array(items) if depth < DEEPEST => {
                for item in items {
                    self.add(name, item, depth + 1, left);
                }
            }
            Value::Null => {}
            leaf => {
                *left -= 1;
                let text = leaf.as_str().map_or_else(|| leaf.to_string(), str::to_owned);
                self.0.entry(name.clone()).or_default().push(text);
            }
        }
    }

    /// The first value of a field.
    pub(super) fn first(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(|values| values.first()).map(String::as_str)
    }

    /// Fields by name.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0.iter().map(|(name, values)| (name.as_str(), values.as_slice()))
    }

    /// How many fields there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The line that says in a few words what happened.
    pub(super) fn summary(&self) -> String {
        if let Some(method) = self.first("http.request.method") {
            let action = self.first("event.action").unwrap_or_default();
            let host = self.first("url.domain").unwrap_or_default();
            return format!("{action} {method} {host}{}", self.first("url.path").unwrap_or_default());
        }
        if self.first("event.dataset") == Some("aws.vpcflow") {
            let port = |name| self.first(name).map(|p| format!(":{p}")).unwrap_or_default();
            return format!(
                "{} {}{} → {}{} {}",
                self.first("event.action")
                    .or_else(|| self.first("aws.vpcflow.log_status"))
                    .unwrap_or_default(),
                self.first("source.ip").unwrap_or("–"),
                port("source.port"),
                self.first("destination.ip").unwrap_or("–"),
                port("destination.port"),
                self.first("network.transport").unwrap_or_default(),
            );
        }
        if self.first("event.dataset") == Some("portcullis.response") {
            let part = |name| self.first(name).map(|p| format!(" {p}")).unwrap_or_default();
            return format!(
                "{}{}{}{}",
                self.first("event.action").unwrap_or_default(),
                part("portcullis.response.cidr"),
                part("portcullis.response.nacl"),
                part("portcullis.response.reason"),
            );
        }
        let words = |names: &[&str]| -> String {
            let found: Vec<&str> = names.iter().filter_map(|name| self.first(name)).collect();
            found.join(" ")
        };
        if self.first("event.dataset") == Some("aws.dns") {
            return words(&[
                "event.action",
                "dns.question.type",
                "dns.question.name",
                "dns.response_code",
            ]);
        }
        if self.first("event.dataset") == Some("aws.cloudtrail") && self.first("event.action").is_some() {
            let by = self
                .first("user.name")
                .map(|name| format!(" by {name}"))
                .unwrap_or_default();
            return format!("{}{by}", words(&["event.action", "event.provider", "error.code"]));
        }
        let name = ["rule.name", "rule.id", "message", "event.action"]
            .iter()
            .find_map(|name| self.first(name));
        name.unwrap_or("(no summary)").to_owned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nested_and_dotted_documents_read_alike() {
        let nested =
            Flat::of(&json!({"source": {"ip": "1.2.3.4"}, "event": {"category": ["a", "b"]}, "n": 3, "gone": null}));
        let dotted = Flat::of(&json!({"source.ip": "1.2.3.4", "event.category": ["a", "b"], "n": 3}));
        assert_eq!(nested, dotted);
        assert_eq!(nested.first("event.category"), Some("a"));
    }

    #[test]
    fn a_document_of_any_depth_and_size_is_bounded() {
        let deep = (0..100).fold(json!(1), |inner, _| json!({ "a": inner }));
        assert!(Flat::of(&deep).len() <= 1);
        let wide = Flat::of(&json!(
            (0..20_000)
                .map(|i| (format!("k{i}"), json!(i)))
                .collect::<serde_json::Map<_, _>>()
        ));
        assert_eq!(wide.len(), MOST_LEAVES);
    }
}
