//! The condition of a panel's request as SQL.

use portcullis::index::Error;
use serde_json::Value;

use super::{Known, failed};

/// A text in a statement.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The value of a field of a document.
pub(super) fn value(field: &str) -> String {
    match field {
        "@timestamp" => "t.at".to_owned(),
        field => format!("json_extract(t.doc, {})", path(field)),
    }
}

pub(super) fn path(field: &str) -> String {
    let plain = |part: &&str| part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let parts = field.split('.').map(|part| match plain(&part) {
        true => part.to_owned(),
        false => format!("\"{part}\""),
    });
    quoted(&format!("$.{}", parts.collect::<Vec<_>>().join(".")))
}

/// A number or a text as it stands in JSON.
fn literal(text: &str, is_truth: bool) -> String {
    match text {
        "true" if is_truth => "1".to_owned(),
        "false" if is_truth => "0".to_owned(),
        text => quoted(text),
    }
}

/// ` AND ...` for each condition of a request; only the kinds that panels have.
pub(super) fn of(query: &Value, fields: &Known<'_>) -> Result<String, Error> {
    let mut out = String::new();
    for clause in query["bool"]["filter"].as_array().into_iter().flatten() {
        if let Some(range) = clause["range"].get("@timestamp") {
            for (key, sign) in [("gte", ">="), ("lt", "<")] {
                if let Some(text) = range[key].as_str() {
                    let at: chrono::DateTime<chrono::Utc> = text.parse().map_err(failed)?;
                    out += &format!(" AND at {sign} {}", at.timestamp_millis());
                }
            }
        } else if let Some(text) = clause["query_string"]["query"].as_str() {
            for part in text.split(" AND ") {
                let (negated, part) = match part.strip_prefix("NOT ") {
                    Some(rest) => (true, rest),
                    None => (false, part),
                };
                let one = condition(part, fields)?;
                // What is not there is not the value: NULL has to count as false.
                out += &if negated {
                    format!(" AND NOT coalesce({one}, false)")
                } else {
                    format!(" AND {one}")
                };
            }
        } else {
            return Err(failed(format!("no statement for {clause}")));
        }
    }
    Ok(out)
}

fn condition(part: &str, fields: &Known<'_>) -> Result<String, Error> {
    if let Some(address) = part.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        // Every address of a document stands in related.ip.
        return Ok(any_of("related.ip", &format!("= {}", quoted(address)), fields));
    }
    let (field, wanted) = part
        .split_once(':')
        .ok_or_else(|| failed(format!("no statement for {part}")))?;
    if field == "_exists_" {
        return Ok(format!("{} IS NOT NULL", value(wanted)));
    }
    let is_truth = fields.is_truth(field);
    let test = if let Some(number) = wanted.strip_prefix('>') {
        format!("> {number}")
    } else if let Some(list) = wanted.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        let each: Vec<String> = list.split(" OR ").map(|one| literal(one, is_truth)).collect();
        format!("IN ({})", each.join(", "))
    } else {
        format!("= {}", literal(wanted, is_truth))
    };
    Ok(any_of(field, &test, fields))
}

fn any_of(field: &str, test: &str, fields: &Known<'_>) -> String {
    if fields.is_list(field) {
        format!(
            "EXISTS (SELECT 1 FROM json_each(t.doc, {}) AS v WHERE v.atom {test})",
            path(field)
        )
    } else {
        format!("{} {test}", value(field))
    }
}
