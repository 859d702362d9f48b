//! Every sample record becomes exactly the document that stands beside it.
//!
//! `samples/<source>/<case>.in.json` (or `.in.jsonl`, one record a line; `.in.txt` for flow logs) goes with
//! `<case>.ecs.json` (indented; an array for several records) and `<case>.native.json` (one line each); a flow log's
//! format, if it has one of its own, stands in `<case>.format.txt`. `samples/<source>/forms` holds what may be wrapped around
//! a record; other tests take the samples for records, and leave it out. After a change that is meant, look at the printed
//! difference, then write one case with
//! `ACCEPT_SAMPLE=waf/blocked cargo test -p portcullis-transforms --test golden`.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use portcullis_transforms::{Normalizer, Options, Outcome, Schema, Source, document::NORMALIZER};
use serde_json::Value;

/// Stands for the normaliser's version, so that a release does not touch every sample.
const ANY_VERSION: &str = "portcullis-transforms/VERSION";

fn samples(source: Source) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../samples")
        .join(source.name())
}

/// Case names and input files of a source, in order.
fn cases(source: Source) -> Vec<(String, PathBuf)> {
    let mut cases = Vec::new();
    for folder in ["", "forms/"] {
        let files = fs::read_dir(samples(source).join(folder)).into_iter().flatten();
        cases.extend(files.filter_map(|entry| {
            let path = entry.ok()?.path();
            let (case, _) = path.file_name()?.to_str()?.split_once(".in.")?;
            Some((format!("{folder}{case}"), path.clone()))
        }));
    }
    cases.sort();
    cases
}

fn documents(source: Source, schema: Schema, path: &Path) -> Vec<String> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let case = name.split_once(".in.").map_or(name, |(case, _)| case);
    let format = fs::read_to_string(path.with_file_name(format!("{case}.format.txt"))).ok();
    let options = Options {
        schema,
        flow_format: format.map(|text| text.trim().to_owned()),
        ..Options::default()
    };
    let mut normalizer = Normalizer::new(source, options).expect("a normaliser");
    let input = fs::read(path).expect("the sample");
    let whole = path.extension().is_some_and(|extension| extension == "json");
    let records: Vec<&[u8]> = if whole {
        vec![&input]
    } else {
        input.split(|byte| *byte == b'\n').collect()
    };
    let mut documents = Vec::new();
    for record in records {
        let mut out = Vec::new();
        match normalizer.record(record, &mut out) {
            Ok(Outcome::Document) => documents.push(String::from_utf8(out).expect("UTF-8")),
            Ok(Outcome::Dropped) => {}
            Err(refusal) => panic!("{}: {refusal}", path.display()),
        }
    }
    documents
}

fn ecs_text(documents: &[String]) -> String {
    let values: Vec<Value> = documents
        .iter()
        .map(|line| serde_json::from_str(&line.replace(NORMALIZER, ANY_VERSION)).expect("valid JSON"))
        .collect();
    let pretty = match values.as_slice() {
        [one] => serde_json::to_string_pretty(one),
        many => serde_json::to_string_pretty(many),
    };
    pretty.expect("printable") + "\n"
}

/// Lines that are only in one of the texts, in order, with `-` and `+`.
fn difference(expected: &str, actual: &str) -> String {
    let expected: Vec<&str> = expected.lines().collect();
    let actual: Vec<&str> = actual.lines().collect();
    let mut longest = vec![vec![0_usize; actual.len() + 1]; expected.len() + 1];
    for i in (0..expected.len()).rev() {
        for j in (0..actual.len()).rev() {
            longest[i][j] = if expected[i] == actual[j] {
                longest[i + 1][j + 1] + 1
            } else {
                longest[i + 1][j].max(longest[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut text = String::new();
    while i < expected.len() || j < actual.len() {
        if i < expected.len() && j < actual.len() && expected[i] == actual[j] {
            (i, j) = (i + 1, j + 1);
        } else if j >= actual.len() || (i < expected.len() && longest[i + 1][j] >= longest[i][j + 1]) {
            writeln!(text, "- {}", expected[i]).expect("written");
            i += 1;
        } else {
            writeln!(text, "+ {}", actual[j]).expect("written");
            j += 1;
        }
    }
    text
}

#[test]
fn every_sample_becomes_the_document_beside_it() {
    let accepted = std::env::var("ACCEPT_SAMPLE").unwrap_or_default();
    let mut failures = String::new();
    for &source in Source::ALL {
        for (case, input) in cases(source) {
            let ecs = ecs_text(&documents(source, Schema::Ecs, &input));
            let native = documents(source, Schema::Native, &input).concat();
            for (kind, actual) in [("ecs", ecs), ("native", native)] {
                let path = samples(source).join(format!("{case}.{kind}.json"));
                if accepted == format!("{source}/{case}") {
                    fs::write(&path, &actual).expect("writable");
                }
                let expected = fs::read_to_string(&path).unwrap_or_default();
                if expected != actual {
                    let difference = difference(&expected, &actual);
                    writeln!(failures, "samples/{source}/{case}.{kind}.json:\n{difference}").expect("written");
                }
            }
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

#[test]
fn a_bare_finding_and_the_same_in_an_envelope_become_the_same_document() {
    let pairs = [
        (Source::GuardDuty, "port-probe", "port-probe-bare"),
        (Source::SecurityHub, "control-failed", "control-failed-bare"),
        (Source::CloudTrail, "root-login", "root-login-bare"),
    ];
    for (source, envelope, bare) in pairs {
        let read = |case: &str| documents(source, Schema::Ecs, &samples(source).join(format!("{case}.in.json")));
        assert_eq!(read(envelope), read(bare), "{source}");
    }
}
