//! Whether two responses say the same: the same records in the same order, each with the same document.

use anyhow::{Context, Result, bail};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

/// How much of the product's document a peer promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promise {
    /// All of it.
    Whole,
    /// All of it, with an `event.id` of its own: a keyed hash that its language does not have.
    OwnId,
    /// A document of its own: only ids and results are compared.
    OwnDocument,
}

/// Fails at the first difference.
pub(crate) fn check(ours: &[u8], theirs: &[u8], promise: Promise) -> Result<usize> {
    let ours = records(ours).context("the product's response")?;
    let theirs = records(theirs)?;
    if ours.len() != theirs.len() {
        bail!("{} records are answered instead of {}", theirs.len(), ours.len());
    }
    for (number, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
        for key in ["recordId", "result"] {
            if ours[key] != theirs[key] {
                bail!("record {number}: {key} is {} instead of {}", theirs[key], ours[key]);
            }
        }
        let theirs = document(theirs).with_context(|| format!("record {number}"))?;
        if promise == Promise::OwnDocument {
            continue;
        }
        let mut ours = document(ours)?;
        if promise == Promise::OwnId {
            let id = theirs.pointer("/event/id").and_then(Value::as_str).unwrap_or_default();
            if id.len() != 32 {
                bail!("record {number}: event.id is `{id}`, not 32 digits");
            }
            ours["event"]["id"] = id.into();
        }
        if let Some(place) = difference(&ours, &theirs, "") {
            bail!("record {number} differs at {place}\nours:   {ours}\ntheirs: {theirs}");
        }
    }
    Ok(ours.len())
}

fn records(response: &[u8]) -> Result<Vec<Value>> {
    let mut response: Value = serde_json::from_slice(response)?;
    match response["records"].take() {
        Value::Array(records) => Ok(records),
        _ => bail!("it has no records"),
    }
}

fn document(record: &Value) -> Result<Value> {
    let data = record["data"].as_str().context("it has no data")?;
    Ok(serde_json::from_slice(&STANDARD.decode(data)?)?)
}

/// Where two documents differ first. Numbers are compared by value: 2 is 2.0.
fn difference(ours: &Value, theirs: &Value, place: &str) -> Option<String> {
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b)) => {
            let missing = b.keys().find(|key| !a.contains_key(*key));
            a.iter()
                .find_map(|(key, value)| {
                    let place = format!("{place}.{key}");
                    match b.get(key) {
                        Some(other) => difference(value, other, &place),
                        None => Some(place),
                    }
                })
                .or_else(|| missing.map(|key| format!("{place}.{key}")))
        }
        // Sets: not every language sorts addresses as numbers.
        (Value::Array(a), Value::Array(b)) if place.starts_with(".related.") && a.len() == b.len() => {
            a.iter().any(|value| !b.contains(value)).then(|| place.to_owned())
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .find_map(|(at, (a, b))| difference(a, b, &format!("{place}[{at}]"))),
        (Value::Number(a), Value::Number(b)) if a.as_f64() == b.as_f64() => None,
        (a, b) if a == b => None,
        _ => Some(place.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(document: &str) -> Vec<u8> {
        let data = STANDARD.encode(document);
        format!(r#"{{"records":[{{"recordId":"1","result":"Ok","data":"{data}"}}]}}"#).into_bytes()
    }

    #[test]
    fn a_difference_anywhere_is_noticed() {
        let ours = response(r#"{"a":{"b":[1,"x"]},"event":{"id":"0"}}"#);
        let same = response(r#"{"event":{"id":"0"},"a":{"b":[1.0,"x"]}}"#);
        assert!(check(&ours, &same, Promise::Whole).is_ok());
        for theirs in [
            r#"{"a":{"b":[1,"y"]},"event":{"id":"0"}}"#,
            r#"{"a":{"b":[1]},"event":{"id":"0"}}"#,
            r#"{"a":{"b":[1,"x"],"c":1},"event":{"id":"0"}}"#,
            r#"{"event":{"id":"0"}}"#,
            r#"{"a":{"b":[1,"x"]},"event":{"id":"1"}}"#,
        ] {
            let theirs = response(theirs);
            assert!(check(&ours, &theirs, Promise::Whole).is_err());
            assert!(check(&ours, &theirs, Promise::OwnDocument).is_ok());
        }
    }
}
