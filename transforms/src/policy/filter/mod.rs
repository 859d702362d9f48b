//! Drop filters: documents that an expression describes are not kept.
//!
//! ```text
//! event.action == "accept" and source.ip in 10.0.0.0/8 and destination.ip in 10.0.0.0/8
//! ```
//!
//! | part | means |
//! |---|---|
//! | `FIELD == VALUE`, `!=` | equal, different; texts with their case |
//! | `FIELD < NUMBER`, `<=`, `>`, `>=` | of numbers, and of dates such as `"2026-11-21T00:00:00Z"` |
//! | `FIELD in VALUE`, `FIELD in [A, B]` | one of these; of addresses: inside one of these networks, or `private` |
//! | `FIELD like "*.example.com"` | a pattern: `*` stands for any text, `?` for one character |
//! | `FIELD exists` | has any value |
//! | `not`, `and`, `or`, `( )` | as usual, in this order of strength |
//!
//! The fields are those of the source's `ecs` documents, also where `native` ones are written. **A comparison holds when
//! the field has a value and every one of its values satisfies it**: who adds a value to a record cannot have it dropped
//! for that, and a field that is absent satisfies nothing (`!=` neither). Texts need quotes unless they are one word.

mod parse;
mod test;

use super::view::{Value, Wanted};
use crate::{normalize::Refusal, normalize::RefusalKind, source::Source};
use test::Test;

/// A filter cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (at character {at} of the drop filter)")]
pub struct FilterError {
    /// Where in the expression, counted from 1.
    pub at: usize,
    /// What is wrong, and what to write instead.
    pub message: String,
}

/// A condition on a document.
#[derive(Clone, Debug)]
enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    /// Of a field, by its number in what is wanted.
    Is(usize, Test),
}

/// The filters of one source, compiled.
#[derive(Clone, Debug)]
pub(super) struct Filters {
    wanted: Wanted,
    conditions: Vec<Condition>,
    values: Vec<Value>,
    /// Whether any looks at what enrichment adds.
    pub(super) after_enrichment: bool,
}

impl Filters {
    /// Compiles the entries that are for `source`: those without a source before a colon, and those with this one.
    /// All others are checked too. Nothing when there are none.
    pub(super) fn new(source: Source, entries: &[String]) -> Result<Option<Self>, Refusal> {
        let mut filters = Self {
            wanted: Wanted::new(),
            conditions: Vec::new(),
            values: Vec::new(),
            after_enrichment: false,
        };
        for entry in entries.iter().filter(|entry| !entry.trim().is_empty()) {
            let (of, expression) = addressed(entry);
            let of_this = of.unwrap_or(source) == source;
            let mut parsed = parse::parse(of.unwrap_or(source), expression, |name| match of_this {
                true => filters.wanted.add(name),
                false => 0,
            })
            .map_err(|error| Refusal::new(RefusalKind::Option, "drop", error.to_string()))?;
            if of_this {
                filters.after_enrichment |= parsed.fields.iter().any(|name| is_enriched(name));
                filters.conditions.append(&mut parsed.conditions);
            }
        }
        Ok((!filters.conditions.is_empty()).then_some(filters))
    }

    /// Whether a document is to be dropped: any of the filters describes it.
    pub(super) fn drops(&mut self, document: &[u8]) -> bool {
        self.wanted.read(document, &mut self.values);
        let values = &self.values;
        self.conditions
            .iter()
            .any(|condition| condition.holds(document, values))
    }
}

/// `vpcflow: event.action == "accept"` as its source and its expression.
fn addressed(entry: &str) -> (Option<Source>, &str) {
    match entry.split_once(':') {
        Some((name, expression)) => match name.trim().parse() {
            Ok(source) => (Some(source), expression),
            Err(_) => (None, entry),
        },
        None => (None, entry),
    }
}

fn is_enriched(name: &str) -> bool {
    name.starts_with("threat.") || name.contains(".geo.") || name.contains(".as.")
}

impl Condition {
    fn holds(&self, document: &[u8], values: &[Value]) -> bool {
        match self {
            Condition::All(parts) => parts.iter().all(|part| part.holds(document, values)),
            Condition::Any(parts) => parts.iter().any(|part| part.holds(document, values)),
            Condition::Not(part) => !part.holds(document, values),
            Condition::Is(field, test) => {
                let mut own = values.iter().filter(|value| value.field == *field).peekable();
                own.peek().is_some()
                    && own.all(|value| test.accepts(document.get(value.start..value.end).unwrap_or_default()))
            }
        }
    }
}
