//! The part of OpenSearch's query DSL that the embedded index answers; everything else is refused by name.

use serde_json::{Map, Value};

use super::{
    clause::{Clause, End, Scalar},
    query_string,
};
use crate::index::{Error, limits};

type Object = Map<String, Value>;

/// Reads the `query` of a search body.
pub(crate) fn parse(query: &Value) -> Result<Clause, Error> {
    let mut left = limits::CLAUSES;
    clause(query, limits::DEPTH, &mut left)
}

fn clause(query: &Value, depth: usize, left: &mut usize) -> Result<Clause, Error> {
    if depth == 0 {
        return Err(Error::Query(format!(
            "query: nested deeper than {}; flatten it",
            limits::DEPTH
        )));
    }
    *left = left
        .checked_sub(1)
        .ok_or_else(|| Error::Query(format!("query: more than {} conditions; use `terms`", limits::CLAUSES)))?;
    let (kind, body) = only(object(query, "query")?, "query")?;
    match kind {
        "match_all" => Ok(Clause::All),
        "match_none" => Ok(Clause::None),
        "bool" => boolean(object(body, "bool")?, depth, left),
        "term" => {
            let (field, value) = only(object(body, "term")?, "term")?;
            let value = match value {
                Value::Object(options) => options_of(options, "term", &["value"])?
                    .get("value")
                    .unwrap_or(&Value::Null),
                plain => plain,
            };
            Ok(Clause::Terms {
                field: field.to_owned(),
                values: vec![scalar(value, field)?],
            })
        }
        "terms" => {
            let (field, values) = only(object(body, "terms")?, "terms")?;
            let values = values
                .as_array()
                .ok_or_else(|| Error::Query(format!("terms `{field}`: takes an array")))?;
            *left = left
                .checked_sub(values.len())
                .ok_or_else(|| Error::Query(format!("terms `{field}`: more than {} values", limits::CLAUSES)))?;
            let values = values.iter().map(|v| scalar(v, field)).collect::<Result<_, _>>()?;
            Ok(Clause::Terms {
                field: field.to_owned(),
                values,
            })
        }
        "range" => range(body),
        "exists" => {
            let options = options_of(object(body, "exists")?, "exists", &["field"])?;
            Ok(Clause::Exists {
                field: text(options.get("field"), "exists", "field")?,
            })
        }
        "prefix" | "wildcard" => {
            let (field, value) = only(object(body, kind)?, kind)?;
            let value = match value {
                Value::Object(options) => options_of(options, kind, &["value"])?.get("value"),
                plain => Some(plain),
            };
            let text = text(value, kind, field)?;
            let pattern = if kind == "prefix" {
                format!("{}*", escape_glob(&text))
            } else {
                text
            };
            Ok(Clause::Glob {
                field: Some(field.to_owned()),
                pattern,
            })
        }
        "query_string" => {
            let options = options_of(object(body, kind)?, kind, &["query", "default_operator"])?;
            let all = match options.get("default_operator").and_then(Value::as_str) {
                Some(word) if word.eq_ignore_ascii_case("and") => true,
                None => false,
                Some(word) if word.eq_ignore_ascii_case("or") => false,
                Some(word) => {
                    return Err(Error::Query(format!(
                        "query_string: default_operator `{word}`; write AND or OR"
                    )));
                }
            };
            query_string::parse(&text(options.get("query"), kind, "query")?, all)
        }
        other => Err(unsupported(
            &format!("the query `{other}`"),
            "use bool, term, terms, range, exists, prefix, wildcard, query_string or match_all",
        )),
    }
}

fn boolean(body: &Object, depth: usize, left: &mut usize) -> Result<Clause, Error> {
    let body = options_of(
        body,
        "bool",
        &["must", "filter", "should", "must_not", "minimum_should_match"],
    )?;
    let mut list = |key: &str| -> Result<Vec<Clause>, Error> {
        match body.get(key) {
            None => Ok(Vec::new()),
            Some(Value::Array(clauses)) => clauses.iter().map(|c| clause(c, depth - 1, left)).collect(),
            Some(single) => Ok(vec![clause(single, depth - 1, left)?]),
        }
    };
    let mut must = list("must")?;
    must.extend(list("filter")?);
    let (should, must_not) = (list("should")?, list("must_not")?);
    let minimum = match body.get("minimum_should_match") {
        None => usize::from(must.is_empty() && !should.is_empty()),
        Some(value) => value
            .as_u64()
            .and_then(|n| usize::try_from(n).ok())
            .ok_or_else(|| unsupported(&format!("minimum_should_match {value}"), "write a whole number from 0"))?,
    };
    Ok(Clause::Bool {
        must,
        should,
        must_not,
        minimum,
    })
}

fn range(body: &Value) -> Result<Clause, Error> {
    let (field, ends) = only(object(body, "range")?, "range")?;
    let ends = options_of(object(ends, "range")?, "range", &["gte", "gt", "lte", "lt", "format"])?;
    if let Some(format) = ends.get("format").and_then(Value::as_str)
        && !matches!(
            format,
            "strict_date_optional_time" | "epoch_millis" | "strict_date_optional_time||epoch_millis"
        )
    {
        return Err(unsupported(
            &format!("the date format `{format}`"),
            "write RFC 3339, or epoch milliseconds",
        ));
    }
    let end = |included: &str, excluded: &str| -> Result<End, Error> {
        match (
            ends.get(included).filter(|v| !v.is_null()),
            ends.get(excluded).filter(|v| !v.is_null()),
        ) {
            (None, None) => Ok(End::Open),
            (Some(value), None) => Ok(End::Included(scalar(value, field)?)),
            (None, Some(value)) => Ok(End::Excluded(scalar(value, field)?)),
            (Some(_), Some(_)) => Err(Error::Query(format!(
                "range `{field}`: has both {included} and {excluded}"
            ))),
        }
    };
    Ok(Clause::Range {
        field: field.to_owned(),
        low: end("gte", "gt")?,
        high: end("lte", "lt")?,
    })
}

/// The pattern that matches exactly this text.
pub(crate) fn escape_glob(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '*' | '?' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn scalar(value: &Value, field: &str) -> Result<Scalar, Error> {
    match value {
        Value::String(text) => Ok(Scalar::Text(text.clone())),
        Value::Bool(truth) => Ok(Scalar::Boolean(*truth)),
        Value::Number(number) => Ok(number
            .as_i64()
            .map_or_else(|| Scalar::Float(number.as_f64().unwrap_or(f64::NAN)), Scalar::Integer)),
        _ => Err(Error::Query(format!(
            "`{field}`: takes a text, a number or a truth value"
        ))),
    }
}

/// The request asks for what this index does not do.
pub(crate) fn unsupported(what: &str, remedy: &str) -> Error {
    Error::Unsupported {
        what: what.to_owned(),
        remedy: remedy.to_owned(),
    }
}

/// The value as an object.
pub(crate) fn object<'v>(value: &'v Value, what: &str) -> Result<&'v Object, Error> {
    value
        .as_object()
        .ok_or_else(|| Error::Query(format!("{what}: takes an object")))
}

/// Refuses every key that is not in the list.
pub(crate) fn options_of<'v>(options: &'v Object, what: &str, known: &[&str]) -> Result<&'v Object, Error> {
    match options.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(unsupported(
            &format!("`{key}` in `{what}`"),
            &format!("known there: {}", known.join(", ")),
        )),
        None => Ok(options),
    }
}

/// The one key of an object, and its value.
pub(crate) fn only<'v>(options: &'v Object, what: &str) -> Result<(&'v str, &'v Value), Error> {
    let mut entries = options.iter();
    match (entries.next(), entries.next()) {
        (Some((key, value)), None) => Ok((key, value)),
        _ => Err(Error::Query(format!(
            "{what}: takes exactly one key, here are {}",
            options.len()
        ))),
    }
}

fn text(value: Option<&Value>, what: &str, key: &str) -> Result<String, Error> {
    value
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| Error::Query(format!("{what}: `{key}` takes a text")))
}
