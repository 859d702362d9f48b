//! Aggregations: an allow-list of kinds and keys, rewritten to the engine's columns, and its answers put into
//! OpenSearch's shape. What is not on the list is refused by name, because the engine would ignore it silently.

use portcullis_transforms::Type;
use serde_json::{Map, Value, json};

use super::{
    dsl::{object, options_of, unsupported},
    layout::Layout,
    values,
};
use crate::index::{
    Error,
    fields::{Fields, Kind},
    limits,
};

/// What an aggregation does with its field.
#[derive(Clone, Copy, PartialEq)]
enum Takes {
    /// Any field with a column.
    Any,
    /// Numbers.
    Numbers,
    /// Numbers or dates.
    Ordered,
    /// Dates.
    Dates,
}

/// The kinds, their keys, and the fields that they take.
const KINDS: &[(&str, &[&str], Takes)] = &[
    ("terms", &["field", "size", "order", "min_doc_count"], Takes::Any),
    (
        "date_histogram",
        &[
            "field",
            "fixed_interval",
            "offset",
            "min_doc_count",
            "hard_bounds",
            "extended_bounds",
        ],
        Takes::Dates,
    ),
    (
        "histogram",
        &[
            "field",
            "interval",
            "offset",
            "min_doc_count",
            "hard_bounds",
            "extended_bounds",
        ],
        Takes::Numbers,
    ),
    ("range", &["field", "ranges"], Takes::Numbers),
    ("avg", &["field"], Takes::Numbers),
    ("sum", &["field"], Takes::Numbers),
    ("stats", &["field"], Takes::Numbers),
    ("min", &["field"], Takes::Ordered),
    ("max", &["field"], Takes::Ordered),
    ("percentiles", &["field", "percents"], Takes::Numbers),
    ("value_count", &["field"], Takes::Any),
    ("cardinality", &["field"], Takes::Any),
];

/// Appended to a cardinality's name for the terms that make it exact.
const EXACT: &str = "\u{1}exact";

/// Reads `aggs` and returns the engine's request.
pub(crate) fn rewrite(aggs: &Value, fields: &Fields) -> Result<Value, Error> {
    let mut left = limits::AGGREGATIONS;
    level(aggs, fields, limits::AGGREGATION_DEPTH, true, &mut left)
}

fn level(aggs: &Value, fields: &Fields, depth: usize, few: bool, left: &mut usize) -> Result<Value, Error> {
    if depth == 0 {
        return Err(Error::Query(format!(
            "aggs: nested deeper than {}",
            limits::AGGREGATION_DEPTH
        )));
    }
    let mut out = Map::new();
    for (name, definition) in object(aggs, "aggs")? {
        *left = left
            .checked_sub(1)
            .ok_or_else(|| Error::Query(format!("aggs: more than {} in one request", limits::AGGREGATIONS)))?;
        if name.contains('\u{1}') {
            return Err(Error::Query("aggs: a name has a control character".to_owned()));
        }
        let mut kinds = object(definition, name)?
            .iter()
            .filter(|(key, _)| !matches!(key.as_str(), "aggs" | "aggregations"));
        let (Some((kind, body)), None) = (kinds.next(), kinds.next()) else {
            return Err(Error::Query(format!(
                "aggs `{name}`: takes one kind and, below it, `aggs`"
            )));
        };
        let below = definition.get("aggs").or_else(|| definition.get("aggregations"));
        let mut rewritten = Map::new();
        rewritten.insert(kind.clone(), one(name, kind, object(body, name)?, fields)?);
        if let Some(below) = below {
            let few = few && !matches!(kind.as_str(), "terms" | "multi_terms");
            rewritten.insert("aggs".to_owned(), level(below, fields, depth - 1, few, left)?);
        }
        // Below many buckets the estimate is enough; elsewhere a page shows the number by itself.
        if kind == "cardinality" && few {
            let size = limits::EXACT_CARDINALITY + 1;
            let column = &rewritten[kind]["field"];
            out.insert(
                format!("{name}{EXACT}"),
                json!({ "terms": { "field": column, "size": size, "segment_size": size } }),
            );
        }
        out.insert(name.clone(), Value::Object(rewritten));
    }
    Ok(Value::Object(out))
}

fn one(name: &str, kind: &str, body: &Map<String, Value>, fields: &Fields) -> Result<Value, Error> {
    if kind == "multi_terms" {
        return multi_terms(name, body, fields);
    }
    let Some((_, keys, takes)) = KINDS.iter().find(|(known, ..)| *known == kind) else {
        let known: Vec<_> = KINDS.iter().map(|(known, ..)| *known).collect();
        return Err(unsupported(
            &format!("the aggregation `{kind}`"),
            &format!("use multi_terms, {}", known.join(", ")),
        ));
    };
    let mut body = options_of(body, kind, keys)?.clone();
    let field = body.get("field").and_then(Value::as_str).unwrap_or_default();
    let column = column(name, field, *takes, fields)?;
    body.insert("field".to_owned(), column.into());
    match kind {
        "terms" => size(name, &mut body)?,
        "date_histogram" => dated(name, &mut body)?,
        "range" => ranges(name, &body)?,
        _ => {}
    }
    // OpenSearch fills every gap unless told otherwise; one stray date would make millions of buckets.
    if kind.ends_with("histogram") && !body.contains_key("extended_bounds") {
        body.entry("min_doc_count").or_insert_with(|| 1.into());
    }
    Ok(Value::Object(body))
}

fn multi_terms(name: &str, body: &Map<String, Value>, fields: &Fields) -> Result<Value, Error> {
    let mut body = options_of(body, "multi_terms", &["terms", "size", "order", "min_doc_count"])?.clone();
    let terms = body
        .get("terms")
        .and_then(Value::as_array)
        .filter(|t| (2..=5).contains(&t.len()));
    let terms = terms.ok_or_else(|| Error::Query(format!("aggs `{name}`: multi_terms takes 2 to 5 terms")))?;
    let columns = terms
        .iter()
        .map(|term| {
            let term = options_of(object(term, name)?, "multi_terms.terms", &["field"])?;
            let field = term.get("field").and_then(Value::as_str).unwrap_or_default();
            Ok(json!({ "field": column(name, field, Takes::Any, fields)? }))
        })
        .collect::<Result<Vec<_>, Error>>()?;
    body.insert("terms".to_owned(), columns.into());
    size(name, &mut body)?;
    Ok(Value::Object(body))
}

/// Bounds `size`, and lets every segment report all its terms, so that counts are exact.
fn size(name: &str, body: &mut Map<String, Value>) -> Result<(), Error> {
    let size = body
        .get("size")
        .map_or(Some(10), Value::as_u64)
        .and_then(|n| usize::try_from(n).ok());
    match size {
        Some(size) if (1..=limits::BUCKETS).contains(&size) => {}
        _ => return Err(Error::Query(format!("aggs `{name}`: size is 1 to {}", limits::BUCKETS))),
    }
    if body
        .get("min_doc_count")
        .is_some_and(|n| n.as_u64().is_none_or(|n| n == 0))
    {
        return Err(unsupported(
            &format!("min_doc_count 0 in `{name}`"),
            "ask for at least 1",
        ));
    }
    body.insert("segment_size".to_owned(), u32::MAX.into());
    Ok(())
}

/// The engine refuses ranges that overlap; they would have to be several requests.
fn ranges(name: &str, body: &Map<String, Value>) -> Result<(), Error> {
    let ranges = body
        .get("ranges")
        .and_then(Value::as_array)
        .filter(|r| (1..=limits::AGGREGATIONS).contains(&r.len()));
    let ranges =
        ranges.ok_or_else(|| Error::Query(format!("aggs `{name}`: takes 1 to {} ranges", limits::AGGREGATIONS)))?;
    let mut ends = Vec::with_capacity(ranges.len());
    for range in ranges {
        let range = options_of(object(range, name)?, "range.ranges", &["key", "from", "to"])?;
        let end = |key: &str, open: f64| range.get(key).map_or(Some(open), Value::as_f64);
        match (end("from", f64::NEG_INFINITY), end("to", f64::INFINITY)) {
            (Some(from), Some(to)) => ends.push((from, to)),
            _ => return Err(Error::Query(format!("aggs `{name}`: from and to take numbers"))),
        }
    }
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    match ends
        .windows(2)
        .any(|pair| matches!(pair, [(_, to), (from, _)] if from < to))
    {
        true => Err(unsupported(
            &format!("the ranges of `{name}`, which overlap"),
            "ask for them separately",
        )),
        false => Ok(()),
    }
}

fn dated(name: &str, body: &mut Map<String, Value>) -> Result<(), Error> {
    let interval = body
        .get("fixed_interval")
        .and_then(Value::as_str)
        .and_then(milliseconds);
    let interval = interval.filter(|n| *n > 0).ok_or_else(|| {
        Error::Query(format!(
            "aggs `{name}`: fixed_interval takes a number and ms, s, m, h or d"
        ))
    })?;
    for key in ["hard_bounds", "extended_bounds"] {
        let Some(bounds) = body.get(key) else { continue };
        let bounds = options_of(object(bounds, key)?, key, &["min", "max"])?;
        let read = |end: &str| {
            let value = bounds.get(end)?;
            value
                .as_i64()
                .or_else(|| Some(values::time(value.as_str()?)?.timestamp_millis()))
        };
        let (Some(min), Some(max)) = (read("min"), read("max")) else {
            return Err(Error::Query(format!("aggs `{name}`: {key} takes min and max")));
        };
        if max.saturating_sub(min) / interval > i64::try_from(limits::BUCKETS).unwrap_or(i64::MAX) {
            return Err(Error::Query(format!(
                "aggs `{name}`: more than {} buckets; use a longer interval",
                limits::BUCKETS
            )));
        }
        body.insert(key.to_owned(), json!({ "min": min, "max": max }));
    }
    Ok(())
}

/// `90m` in milliseconds.
fn milliseconds(text: &str) -> Option<i64> {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number: i64 = text.strip_suffix(unit)?.parse().ok()?;
    let length = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(length)
}

fn column(name: &str, field: &str, takes: Takes, fields: &Fields) -> Result<String, Error> {
    if field.is_empty() {
        return Err(Error::Query(format!("aggs `{name}`: a `field` is missing")));
    }
    let kind = fields.kind(field);
    let refused = |what: &str| Err(Error::Query(format!("aggs `{name}`: `{field}` {what}")));
    match (takes, kind) {
        (_, Kind::Flat) => refused("is a leaf of a flat object, which cannot be aggregated; search it with a term"),
        (_, Kind::Known(ty)) if !ty.is_aggregatable() => {
            refused("is text, which cannot be aggregated; use a keyword field")
        }
        (_, Kind::Unknown) | (Takes::Any, _) => Ok(Layout::column(fields, field)),
        (Takes::Numbers, Kind::Known(Type::Long | Type::Float)) => Ok(Layout::column(fields, field)),
        (Takes::Ordered, Kind::Known(Type::Long | Type::Float | Type::Date)) => Ok(Layout::column(fields, field)),
        (Takes::Dates, Kind::Known(Type::Date)) => Ok(Layout::column(fields, field)),
        (Takes::Numbers, _) => refused("is not a number"),
        (Takes::Ordered, _) => refused("is neither a number nor a time"),
        (Takes::Dates, _) => refused("is not a time"),
    }
}

/// What the engine gives as a number where the field is of another type, as OpenSearch gives it: the least and greatest
/// times in milliseconds, truth values in keys of several terms.
pub(crate) fn typed(result: &mut Value, aggs: &Value, fields: &Fields) {
    let is_time = |body: &Value| {
        let field = body["field"].as_str().unwrap_or_default();
        fields.kind(field) == Kind::Known(Type::Date)
    };
    for (name, definition) in aggs.as_object().into_iter().flatten() {
        let Some(answer) = result.get_mut(name) else { continue };
        let end = definition.get("min").or_else(|| definition.get("max"));
        if end.is_some_and(is_time) {
            if let Some(nanoseconds) = answer["value"].as_f64() {
                answer["value"] = json!((nanoseconds / 1e6).round());
            }
            continue;
        }
        let below = definition.get("aggs").or_else(|| definition.get("aggregations"));
        let terms = definition["multi_terms"]["terms"].as_array();
        for bucket in answer
            .get_mut("buckets")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            truths(bucket, terms.into_iter().flatten(), fields);
            if let Some(below) = below {
                typed(bucket, below, fields);
            }
        }
    }
}

/// The parts of a bucket's key that stand for fields of truth values.
fn truths<'t>(bucket: &mut Value, terms: impl Iterator<Item = &'t Value>, fields: &Fields) {
    for (number, term) in terms.enumerate() {
        let field = term["field"].as_str().unwrap_or_default();
        if fields.kind(field) == Kind::Known(Type::Boolean)
            && let Some(part) = bucket["key"].get_mut(number)
            && let Some(truth) = part.as_i64()
        {
            *part = (truth != 0).into();
        }
    }
}

/// The engine's answer in OpenSearch's shape: whole keys as integers, exact cardinalities in place of estimates.
pub(crate) fn answer(result: &mut Value) {
    match result {
        Value::Object(object) => {
            let exact: Vec<String> = object.keys().filter(|key| key.ends_with(EXACT)).cloned().collect();
            for key in exact {
                let terms = object.shift_remove(&key).unwrap_or_default();
                let count = terms
                    .get("buckets")
                    .and_then(Value::as_array)
                    .map_or(usize::MAX, Vec::len);
                if count <= limits::EXACT_CARDINALITY
                    && let Some(value) = object.get_mut(key.trim_end_matches(EXACT))
                {
                    *value = json!({ "value": count });
                }
            }
            let dated = object.contains_key("key_as_string");
            if let Some(key) = object.get_mut("key")
                && let Some(number) = key.as_f64().map(|n| if dated { n.round() } else { n })
                && number.fract() == 0.0
                && number.abs() < 9.0e15
            {
                *key = (number as i64).into();
            }
            object.values_mut().for_each(answer);
        }
        Value::Array(values) => values.iter_mut().for_each(answer),
        _ => {}
    }
}
