//! The records that AWS's own pages show, and the samples: accepted, each of their values found again, each address in
//! `related.ip`.
//!
//! `samples/documented/<source>/pages.json` names for each `<case>.json` (one record), `.jsonl` or `.txt` (one a line)
//! the page whose structure it follows. Adding a source is adding a folder.

mod support;

use std::{
    collections::BTreeMap,
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
};

use portcullis_transforms::{Normalizer, Options, Outcome, Source, document::CUT_MARK, time};
use serde_json::Value;
use support::{schema_violation, values};

fn folder(source: Source) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../samples/documented")
        .join(source.name())
}

/// The documented records of a source: case, page, text.
fn documented(source: Source) -> Vec<(String, String, String)> {
    let Ok(pages) = fs::read_to_string(folder(source).join("pages.json")) else {
        return Vec::new();
    };
    let pages: BTreeMap<String, String> = serde_json::from_str(&pages).expect("a case and a page each");
    pages
        .into_iter()
        .map(|(case, page)| {
            let text = fs::read_to_string(folder(source).join(&case)).unwrap_or_else(|error| panic!("{case}: {error}"));
            (case, page, text)
        })
        .collect()
}

fn records<'t>(case: &str, text: &'t str) -> Vec<&'t str> {
    if case.ends_with(".json") {
        return vec![text];
    }
    text.lines().filter(|line| !line.trim().is_empty()).collect()
}

/// What a record says for itself: the envelope's own members are about its delivery.
fn bodies(record: &Value) -> Vec<&Value> {
    for envelope in ["/detail/findings", "/findings", "/Findings", "/Records"] {
        if let Some(Value::Array(bodies)) = record.pointer(envelope) {
            let detail = record.get("detail").and_then(Value::as_object);
            let beside = detail.into_iter().flatten().filter(|(key, _)| *key != "findings");
            return bodies.iter().chain(beside.map(|(_, value)| value)).collect();
        }
    }
    vec![record.get("detail").unwrap_or(record)]
}

/// Values that are to be found again. Nothing is said by `null`, also as a text, an empty text or a dash.
fn leaves(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Null => {}
        Value::Array(values) => values.iter().for_each(|value| leaves(value, found)),
        Value::Object(members) => members.values().for_each(|value| leaves(value, found)),
        Value::String(text) if matches!(text.as_str(), "" | "-" | "null") => {}
        Value::String(text) => found.push(text.clone()),
        other => found.push(other.to_string()),
    }
}

/// What stands in a document in words: TCP flags and paths of flow logs, and answers of a sign-in.
const DECODED: &[(&str, &str)] = &[
    ("1", "FIN"),
    ("2", "SYN"),
    ("3", "SYN"),
    ("18", "SYN-ACK"),
    ("19", "SYN-ACK"),
    ("1", "same_vpc"),
    ("8", "internet_gateway"),
    ("Yes", "true"),
    ("No", "false"),
];

/// Whether the document's `written` is what became of the record's `value`.
fn is_same(value: &str, written: &str) -> bool {
    let numbers = || Some(value.parse::<f64>().ok()? == written.parse::<f64>().ok()?);
    let addresses = || Some(value.parse::<IpAddr>().ok()? == written.parse::<IpAddr>().ok()?);
    let times = || Some(time::parse(value.as_bytes()).ok()? == time::parse(written.as_bytes()).ok()?);
    // A field has the number of `HTTP/1.1` and `TLSv1.3`, and a domain name without the root's dot.
    let bare = ["HTTP/", "TLSv"].iter().find_map(|word| value.strip_prefix(word));
    let bare = bare.unwrap_or(value).trim_end_matches('.');
    let cut = written
        .strip_suffix(CUT_MARK)
        .is_some_and(|start| value.starts_with(start));
    value.eq_ignore_ascii_case(written)
        || bare.eq_ignore_ascii_case(written)
        || cut
        || DECODED.contains(&(value, written))
        || numbers() == Some(true)
        || addresses() == Some(true)
        || times() == Some(true)
}

/// What the document of `record` lost of it: values that it does not have, addresses that `related.ip` does not have.
fn lost(source: Source, record: &str) -> Vec<String> {
    let mut out = Vec::new();
    // What is taken out by policy has tests of its own.
    let options = Options {
        redact: Vec::new(),
        ..Options::default()
    };
    let outcome = Normalizer::new(source, options)
        .expect("a normaliser")
        .record(record.as_bytes(), &mut out)
        .unwrap_or_else(|refusal| panic!("{source}: {refusal}\n{record}"));
    if outcome == Outcome::Dropped {
        return Vec::new();
    }
    let line = String::from_utf8(out).expect("UTF-8");
    assert_eq!(schema_violation(source, &line), None, "{record}");
    let document: Value = serde_json::from_str(&line).expect("JSON");
    let mut wanted = Vec::new();
    match serde_json::from_str::<Value>(record) {
        Ok(record) => bodies(&record).into_iter().for_each(|body| leaves(body, &mut wanted)),
        Err(_) => wanted.extend(record.split_whitespace().filter(|word| *word != "-").map(str::to_owned)),
    }
    let written = values(&document);
    let related = values(&document["related"]["ip"]);
    wanted.retain(|value| {
        let among = match value.parse::<IpAddr>() {
            // What headers of a request say is the client's word, and no address of the record.
            Ok(_) if source != Source::Waf => &related,
            _ => &written,
        };
        !among.iter().any(|written| is_same(value, written))
    });
    wanted
}

#[test]
fn every_value_of_a_documented_record_is_in_its_document() {
    let mut missing = Vec::new();
    for &source in Source::ALL {
        let mut cases = 0;
        for (case, _, text) in documented(source) {
            for record in records(&case, &text) {
                let lost = lost(source, record);
                if !lost.is_empty() {
                    missing.push(format!("samples/documented/{source}/{case}: {lost:?}"));
                }
                cases += 1;
            }
        }
        assert!(cases >= 13, "{source}: {cases} documented records");
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn every_value_of_a_finding_among_the_samples_is_in_its_document() {
    for source in [Source::GuardDuty, Source::SecurityHub] {
        for record in support::sample_records(source) {
            let text = String::from_utf8(record).expect("UTF-8");
            assert_eq!(lost(source, &text), [""; 0], "{text}");
        }
    }
}

#[test]
fn every_documented_record_names_its_page_and_every_file_is_listed() {
    for &source in Source::ALL {
        let documented = documented(source);
        for (case, page, _) in &documented {
            assert!(
                page.starts_with("https://docs.aws.amazon.com/"),
                "{source}/{case}: {page}"
            );
        }
        let files = fs::read_dir(folder(source)).into_iter().flatten().flatten();
        for file in files.map(|entry| entry.file_name().to_string_lossy().into_owned()) {
            let listed = file == "pages.json" || documented.iter().any(|(case, ..)| *case == file);
            assert!(listed, "samples/documented/{source}/{file} is not in pages.json");
        }
    }
}

#[test]
fn the_comparison_can_fail() {
    for (value, written, expected) in [
        ("TCP", "tcp", true),
        ("1795258260", "2026-11-21T10:51:00.000Z", true),
        ("2001:DB8:0::9", "2001:db8::9", true),
        ("5", "5.0", true),
        ("long text", "long…", true),
        ("long text", "text…", false),
        ("UDP", "tcp", false),
        ("198.51.100.1", "198.51.100.2", false),
        ("7", "8", false),
    ] {
        assert_eq!(is_same(value, written), expected, "{value} {written}");
    }
    let two = r#"{"findings":[{"a":1}],"detail":{"b":[2,null,""]}}"#;
    let two: Value = serde_json::from_str(two).expect("JSON");
    let mut found = Vec::new();
    bodies(&two).into_iter().for_each(|body| leaves(body, &mut found));
    assert_eq!(found, ["1", "2"]);
}
