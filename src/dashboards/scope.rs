//! What a page is asked for: the time range, the filters in force, the search box, and, for the Address page, the address.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

/// What narrows every panel of a page. The range is half open: `from` belongs to it, `to` does not.
#[derive(Clone, Debug, PartialEq)]
pub struct Scope {
    /// Start of the range, included.
    pub from: DateTime<Utc>,
    /// End of the range, excluded.
    pub to: DateTime<Utc>,
    /// Filters added by clicking on values; all must hold.
    pub filters: Vec<Filter>,
    /// The text of the search box, in query-string syntax; empty for none.
    pub query: String,
    /// The address of the Address page.
    pub address: Option<IpAddr>,
}

/// One value that a field must have, or must not.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Filter {
    /// Dotted field name.
    pub field: String,
    /// The exact value.
    pub value: String,
    /// Whether documents with the value are left out instead.
    pub negated: bool,
}

impl Scope {
    /// A scope of a time range alone.
    #[must_use]
    pub fn between(from: DateTime<Utc>, to: DateTime<Utc>) -> Self {
        Self {
            from,
            to,
            filters: Vec::new(),
            query: String::new(),
            address: None,
        }
    }

    /// Length of the range; at least one second, so that it can be divided.
    #[must_use]
    pub fn length(&self) -> TimeDelta {
        (self.to - self.from).max(TimeDelta::seconds(1))
    }

    /// Whether anything besides the time range narrows it.
    #[must_use]
    pub fn is_narrowed(&self) -> bool {
        !self.filters.is_empty() || !self.query.trim().is_empty() || self.address.is_some()
    }

    /// The query of this scope with its range moved to start at `from`, and one more condition in query-string syntax.
    pub(crate) fn query_from(&self, from: DateTime<Utc>, condition: &str) -> Value {
        let to = self.from + self.length();
        let range = json!({ "range": { "@timestamp": { "gte": time(from), "lt": time(to) } } });
        self.query(vec![range], condition)
    }

    /// The query of this scope at any time.
    pub(crate) fn query_of_now(&self, condition: &str) -> Value {
        self.query(Vec::new(), condition)
    }

    fn query(&self, mut filter: Vec<Value>, condition: &str) -> Value {
        let mut must_not = Vec::new();
        for Filter { field, value, negated } in &self.filters {
            let clause = json!({ "term": { field.as_str(): value } });
            if *negated {
                must_not.push(clause);
            } else {
                filter.push(clause);
            }
        }
        for text in [self.query.trim(), condition.trim()] {
            if !text.is_empty() {
                filter.push(json!({ "query_string": { "query": text, "default_operator": "AND" } }));
            }
        }
        if let Some(address) = self.address {
            filter.push(json!({ "query_string": { "query": format!("\"{address}\"") } }));
        }
        json!({ "bool": { "filter": filter, "must_not": must_not } })
    }
}

/// RFC 3339 UTC with milliseconds.
pub(crate) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}
