//! What holds for every record: the samples, and thousands of records made from them by mutation.

mod support;

use portcullis_transforms::{Normalizer, Options, Outcome, Schema, Source, schema};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{JSON_SOURCES, sample_records, schema_violation};

/// Values that do not belong where they are put.
fn odd_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        prop::sample::select(vec![
            "198.51.100.9",
            "2001:db8::9",
            "fe80::1%eth0",
            "AWS Internal",
            "-",
            "1795170000",
            "1e400",
            "NaN",
            "inf",
            "true",
            "OUTBOUND"
        ])
        .prop_map(Value::from),
        Just(json!({})),
        Just(json!([])),
        Just(json!({"lat": 91, "lon": 0})),
        Just(json!({"a": {"b": [1, "x", null]}})),
        Just(json!([["x"], [{"y": 1}], null])),
        Just(Value::from("ü".repeat(9000))),
    ]
}

/// What to change: which of the record's places (modulo their number), and to what.
type Mutation = (usize, Change);

#[derive(Clone, Debug)]
enum Change {
    Replace(Value),
    Remove,
    Add(String, Value),
    Wrap,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => odd_value().prop_map(Change::Replace),
        1 => Just(Change::Remove),
        2 => ("[ -~]{0,12}|.{0,6}", odd_value()).prop_map(|(key, value)| Change::Add(key, value)),
        1 => Just(Change::Wrap),
    ]
}

fn places(value: &Value) -> usize {
    1 + match value {
        Value::Array(values) => values.iter().map(places).sum(),
        Value::Object(members) => members.values().map(places).sum(),
        _ => 0,
    }
}

fn apply(value: &mut Value, at: &mut usize, change: &Change) -> bool {
    if *at == 0 {
        match (change, value) {
            (Change::Replace(other), value) => *value = other.clone(),
            (Change::Remove, value) => *value = Value::Null,
            (Change::Add(key, other), Value::Object(members)) => {
                members.insert(key.clone(), other.clone());
            }
            (Change::Add(_, other), Value::Array(values)) => values.push(other.clone()),
            (Change::Add(..), _) => {}
            (Change::Wrap, value) => *value = json!([value.take()]),
        }
        return true;
    }
    *at -= 1;
    match value {
        Value::Array(values) => values.iter_mut().any(|value| apply(value, at, change)),
        Value::Object(members) => members.iter_mut().any(|(_, value)| apply(value, at, change)),
        _ => false,
    }
}

fn mutated(source: Source, sample: usize, mutations: &[Mutation], pretty: bool) -> Vec<u8> {
    let samples = sample_records(source);
    let text = &samples[sample % samples.len()];
    let mut value: Value = serde_json::from_slice(text).expect("a sample");
    for (at, change) in mutations {
        let mut at = at % places(&value);
        apply(&mut value, &mut at, change);
    }
    if pretty {
        serde_json::to_vec_pretty(&value)
    } else {
        serde_json::to_vec(&value)
    }
    .expect("JSON")
}

fn source() -> impl Strategy<Value = Source> {
    prop::sample::select(JSON_SOURCES.to_vec())
}

fn normalizer(source: Source, schema: Schema) -> Normalizer {
    let options = Options {
        schema,
        keep_original: true,
        // What is taken out by policy has tests of its own.
        redact: Vec::new(),
        ..Options::default()
    };
    Normalizer::new(source, options).expect("a normaliser")
}

/// Lists of nothing stand for nothing.
fn holds_anything(value: &Value) -> bool {
    value.as_array().is_none_or(|list| list.iter().any(holds_anything))
}

/// A list of one record, bare or under its name, is that record.
fn without_lists(mut before: Value, after: &Value) -> Value {
    loop {
        let named = ["Records", "findings", "Findings"]
            .into_iter()
            .find(|name| before.get(name).is_some() && after.get(name).is_none());
        before = match (named, before) {
            (_, Value::Array(list)) => list.into_iter().rfind(holds_anything).expect("one record"),
            (Some(name), mut object) => object[name].take(),
            (None, other) => return other,
        };
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_mutated_record_is_refused_or_keeps_to_the_closed_schema(
        source in source(),
        sample in 0_usize..16,
        mutations in prop::collection::vec((any::<usize>(), change()), 0..8),
        pretty in any::<bool>(),
    ) {
        let record = mutated(source, sample, &mutations, pretty);
        let mut out = b"before\n".to_vec();
        match normalizer(source, Schema::Ecs).record(&record, &mut out) {
            Ok(Outcome::Document) => {
                let line = std::str::from_utf8(&out[7..]).expect("UTF-8");
                prop_assert_eq!(schema_violation(source, line), None);
            }
            _ => prop_assert_eq!(out, b"before\n"),
        }
    }

    #[test]
    fn native_changes_nothing_but_timestamps(
        source in source(),
        sample in 0_usize..16,
        mutations in prop::collection::vec((any::<usize>(), change()), 0..8),
        pretty in any::<bool>(),
    ) {
        let record = mutated(source, sample, &mutations, pretty);
        let mut out = Vec::new();
        if let Ok(Outcome::Document) = normalizer(source, Schema::Native).record(&record, &mut out) {
            prop_assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 1);
            let mut before: Value = serde_json::from_slice(&record).expect("JSON");
            let mut after: Value = serde_json::from_slice(&out).expect("JSON");
            before = without_lists(before, &after);
            forget_times(&mut before);
            forget_times(&mut after);
            prop_assert_eq!(before, after);
        }
    }

    #[test]
    fn bytes_of_any_kind_never_panic(source in source(), schema in prop::sample::select(vec![Schema::Ecs, Schema::Native]), record in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut out = Vec::new();
        let result = normalizer(source, schema).record(&record, &mut out);
        prop_assert!(matches!(result, Ok(Outcome::Document)) || out.is_empty());
    }

    #[test]
    fn damaged_records_never_panic(source in source(), sample in 0_usize..16, at in any::<usize>(), byte in any::<u8>(), end in any::<usize>()) {
        let samples = sample_records(source);
        let mut record = samples[sample % samples.len()].clone();
        let length = record.len();
        record[at % length] = byte;
        for record in [&record[..], &record[..end % length]] {
            let mut out = Vec::new();
            if let Ok(Outcome::Document) = normalizer(source, Schema::Ecs).record(record, &mut out) {
                let line = std::str::from_utf8(&out).expect("UTF-8");
                prop_assert_eq!(schema_violation(source, line), None);
            } else {
                prop_assert!(out.is_empty());
            }
        }
    }

    #[test]
    fn neighbours_never_change_a_document(
        source in source(),
        records in prop::collection::vec((0_usize..16, prop::collection::vec((any::<usize>(), change()), 0..4), any::<bool>()), 2..6),
    ) {
        let mut shared = normalizer(source, Schema::Ecs);
        for (sample, mutations, pretty) in records {
            let record = mutated(source, sample, &mutations, pretty);
            let (mut together, mut alone) = (Vec::new(), Vec::new());
            let first = shared.record(&record, &mut together);
            let second = normalizer(source, Schema::Ecs).record(&record, &mut alone);
            prop_assert_eq!(first, second);
            prop_assert_eq!(together, alone);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn records_of_the_same_shape_never_change_a_document(
        source in source(),
        sample in 0_usize..64,
        variants in prop::collection::vec((prop::collection::vec((any::<usize>(), change()), 0..4), any::<bool>()), 1..6),
        redacts in any::<bool>(),
    ) {
        let fresh = || {
            let redact = if redacts { Options::default().redact } else { Vec::new() };
            Normalizer::new(source, Options { redact, ..Options::default() }).expect("a normaliser")
        };
        let plain = mutated(source, sample, &[], false);
        let mut shared = fresh();
        // What is worked out for a shape is used from the fourth record on.
        for _ in 0..4 {
            shared.record(&plain, &mut Vec::new()).ok();
        }
        for (mutations, is_twice) in variants {
            let mut value: Value = serde_json::from_slice(&plain).expect("a sample");
            for (at, change) in &mutations {
                let mut at = at % places(&value);
                apply(&mut value, &mut at, change);
            }
            let record = respelled(&serde_json::to_vec(&value).expect("JSON"), &mutations);
            for _ in 0..if is_twice { 4 } else { 1 } {
                let (mut together, mut alone) = (Vec::new(), Vec::new());
                let first = shared.record(&record, &mut together);
                let second = fresh().record(&record, &mut alone);
                prop_assert_eq!(first, second);
                prop_assert_eq!(String::from_utf8(together), String::from_utf8(alone));
            }
        }
    }
}

/// The record with other texts in some places, whatever they mean there.
fn respelled(record: &[u8], places: &[Mutation]) -> Vec<u8> {
    const TEXTS: [&str; 9] = [
        "",
        "-",
        "null",
        "0",
        "7",
        "198.51.100.7",
        "2001:DB8::7",
        "a\\\"b",
        "2026-11-21T10:00:00Z",
    ];
    let text = String::from_utf8(record.to_vec()).expect("UTF-8");
    let starts: Vec<usize> = text.match_indices(":\"").map(|(at, _)| at + 2).collect();
    let mut text = text.clone();
    for (place, _) in places {
        let Some(&start) = starts
            .get(place % starts.len().max(1))
            .filter(|start| **start <= text.len())
        else {
            continue;
        };
        if let Some(end) = text.get(start..).and_then(|rest| rest.find('"')) {
            text.replace_range(start..start + end, TEXTS[place / 64 % TEXTS.len()]);
        }
    }
    text.into_bytes()
}

/// Sets the timestamps that `native` rewrites to null, wherever they stand.
fn forget_times(value: &mut Value) {
    const TIMES: [&str; 24] = [
        "timestamp",
        "eventTime",
        "creationDate",
        "createdAt",
        "updatedAt",
        "eventFirstSeen",
        "eventLastSeen",
        "CreatedAt",
        "UpdatedAt",
        "FirstObservedAt",
        "LastObservedAt",
        "ProcessedAt",
        "query_timestamp",
        "last-observed-at",
        "time",
        "time_dt",
        "created_time",
        "created_time_dt",
        "modified_time",
        "modified_time_dt",
        "first_seen_time",
        "first_seen_time_dt",
        "last_seen_time",
        "last_seen_time_dt",
    ];
    match value {
        Value::Array(values) => values.iter_mut().for_each(forget_times),
        Value::Object(members) => {
            for (key, value) in members.iter_mut() {
                let api = key.starts_with(|c: char| c.is_uppercase())
                    && TIMES.iter().any(|time| time.eq_ignore_ascii_case(key));
                if TIMES.contains(&key.as_str()) || api {
                    *value = Value::Null;
                } else {
                    forget_times(value);
                }
            }
        }
        _ => {}
    }
}

#[test]
fn every_sample_keeps_to_the_closed_schema() {
    for source in JSON_SOURCES {
        for record in sample_records(source) {
            let mut out = Vec::new();
            normalizer(source, Schema::Ecs)
                .record(&record, &mut out)
                .expect("a document");
            assert_eq!(
                schema_violation(source, std::str::from_utf8(&out).expect("UTF-8")),
                None
            );
        }
    }
}

#[test]
fn the_check_of_the_schema_can_fail() {
    for (document, wrong) in [
        ("{\"surprise\":1}\n", "surprise"),
        ("{\"aws\":{\"waf\":{\"rest\":{\"a\":1,\"a\":2}}}}\n", "twice"),
        ("{\"source\":{\"ip\":\"AWS Internal\"}}\n", "source.ip"),
        ("{\"source\":{\"port\":1.5}}\n", "source.port"),
        ("{\"@timestamp\":1795170000}\n", "@timestamp"),
        ("{\"event\":{\"kind\":\"event\"},\n\"message\":\"x\"}\n", "one line"),
    ] {
        let found = schema_violation(Source::Waf, document).expect("a violation");
        assert!(found.contains(wrong), "{found}");
    }
}

#[test]
fn every_field_of_a_table_is_in_its_mapping_once() {
    for &source in Source::ALL {
        let mapping = schema::mapping(source);
        let mut names: Vec<&str> = source.fields().iter().map(|field| field.name).collect();
        for field in source.fields() {
            let pointer = format!("/properties/{}", field.name.replace('.', "/properties/"));
            let definition = mapping.pointer(&pointer).unwrap_or_else(|| panic!("{}", field.name));
            assert_eq!(definition["type"], field.ty.name(), "{source} {}", field.name);
            assert!(!field.meaning.is_empty(), "{}", field.name);
        }
        names.sort_unstable();
        assert!(
            names.windows(2).all(|pair| pair[0] != pair[1]),
            "{source}: a field twice"
        );
    }
}

#[test]
fn all_sources_agree_on_the_type_of_a_field() {
    let mut types = std::collections::HashMap::new();
    for &source in Source::ALL {
        for field in source.fields() {
            let known = *types.entry(field.name).or_insert(field.ty);
            assert_eq!(known, field.ty, "{source} {}", field.name);
        }
    }
}
