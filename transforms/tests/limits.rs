//! The limits of an index, over every sample of every source: the closed schema, and 40 KB of text in every place in turn.

mod support;

use portcullis_transforms::{Field, Normalizer, Options, Outcome, RefusalKind, Source, Type, document::KEYWORD_LIMIT};
use serde_json::Value;
use support::{Sample, samples, schema_violation};

/// Longer than any term that an index takes.
const LONG: usize = 40 * 1024;

fn normalizer(source: Source, sample: &Sample) -> Normalizer {
    let options = Options {
        flow_format: sample.flow_format.clone(),
        community_id: true,
        trusted_proxies: Some("10.0.0.0/8".parse().expect("a network")),
        ..Options::default()
    };
    Normalizer::new(source, options).expect("a normaliser")
}

#[test]
fn every_sample_of_every_source_keeps_to_the_closed_schema() {
    for &source in Source::ALL {
        for sample in samples(source) {
            let mut normalizer = normalizer(source, &sample);
            for record in &sample.records {
                let mut out = Vec::new();
                if normalizer.record(record, &mut out) == Ok(Outcome::Document) {
                    let line = String::from_utf8(out).expect("UTF-8");
                    assert_eq!(schema_violation(source, &line), None, "{}", sample.name);
                }
            }
        }
    }
}

#[test]
fn forty_kilobytes_in_any_place_are_cut_and_counted_or_refused_by_name() {
    let long = "long ".repeat(LONG / 5);
    for &source in Source::ALL {
        for sample in samples(source) {
            let mut normalizer = normalizer(source, &sample);
            for record in &sample.records {
                // Once as it is: a header line says what the lines after it are.
                if normalizer.record(record, &mut Vec::new()) != Ok(Outcome::Document) {
                    continue;
                }
                for (place, changed) in with_long_text(record, &long) {
                    check(source, &format!("{} {place}", sample.name), &mut normalizer, &changed);
                }
            }
        }
    }
}

fn check(source: Source, name: &str, normalizer: &mut Normalizer, record: &[u8]) {
    let mut out = Vec::new();
    match normalizer.record(record, &mut out) {
        Ok(Outcome::Document) => {
            let line = String::from_utf8(out).expect("UTF-8");
            assert_eq!(schema_violation(source, &line), None, "{name}");
            let document: Value = serde_json::from_str(&line).expect("JSON");
            let is_counted = ["cut", "redacted"]
                .iter()
                .any(|count| document["portcullis"][*count].as_u64() > Some(0));
            let in_text = source.fields().iter().any(|field| is_long_text(field, &document));
            assert!(is_counted || in_text, "{name}: neither cut nor kept: {line}");
        }
        Ok(Outcome::Dropped) => panic!("{name}: dropped"),
        Err(refusal) => {
            let is_known = matches!(
                refusal.kind,
                RefusalKind::Time
                    | RefusalKind::MissingField
                    | RefusalKind::WrongSource
                    | RefusalKind::Syntax
                    | RefusalKind::Size
            );
            assert!(is_known, "{name}: {refusal}");
            assert!(refusal.to_string().len() < 600, "{name}: {refusal}");
            assert!(out.is_empty());
        }
    }
}

/// Whether a field of analysed text, which may be of any length, holds more than a keyword could.
fn is_long_text(field: &Field, document: &Value) -> bool {
    let pointer = format!("/{}", field.name.replace('.', "/"));
    let length = |value: &Value| value.as_str().map_or(0, str::len);
    field.ty == Type::Text
        && document
            .pointer(&pointer)
            .is_some_and(|value| length(value) > KEYWORD_LIMIT)
}

/// The record with each of its values in turn replaced by `long`, and which one it was.
fn with_long_text(record: &[u8], long: &str) -> Vec<(String, Vec<u8>)> {
    match serde_json::from_slice::<Value>(record) {
        Ok(value) if value.is_object() => {
            // Around the record, an envelope says nothing that a document would repeat.
            let wrappers = [
                "/detail",
                "/message",
                "/Records",
                "/findings",
                "/Findings",
                "/logEvents",
            ];
            let inside = wrappers.into_iter().find(|wrapper| value.pointer(wrapper).is_some());
            let inside = inside.unwrap_or_default();
            let count = value.pointer(inside).map_or(0, leaves);
            (0..count)
                .map(|number| {
                    let mut changed = value.clone();
                    let place = changed
                        .pointer_mut(inside)
                        .and_then(|record| replace(record, &mut { number }, long));
                    (place.unwrap_or_default(), changed.to_string().into_bytes())
                })
                .collect()
        }
        _ => {
            let line = String::from_utf8_lossy(record);
            let words: Vec<&str> = line.split_ascii_whitespace().collect();
            let word = long.replace(' ', "_");
            (0..words.len())
                .map(|number| {
                    let mut words = words.clone();
                    words[number] = &word;
                    (number.to_string(), words.join(" ").into_bytes())
                })
                .collect()
        }
    }
}

fn leaves(value: &Value) -> usize {
    match value {
        Value::Array(values) => values.iter().map(leaves).sum(),
        Value::Object(members) => members.values().map(leaves).sum(),
        _ => 1,
    }
}

/// Replaces the leaf of that number, if it is inside; the answer is its path.
fn replace(value: &mut Value, number: &mut usize, long: &str) -> Option<String> {
    match value {
        Value::Array(values) => values.iter_mut().find_map(|value| replace(value, number, long)),
        Value::Object(members) => members
            .iter_mut()
            .find_map(|(key, value)| Some(format!("{key}.{}", replace(value, number, long)?))),
        leaf if *number == 0 => {
            *leaf = long.into();
            Some(String::new())
        }
        _ => {
            *number -= 1;
            None
        }
    }
}
