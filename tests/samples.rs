//! `portcullis normalize --firehose` makes of every sample what stands beside it, in both schemas.
//!
//! The library is compared with them in `transforms/tests/golden.rs`, which also says how a case is accepted.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use base64_turbo::STANDARD;
use portcullis_transforms::{Source, document::NORMALIZER};
use serde_json::{Value, json};

/// A sample: its name, its records, the format of its columns if it has one.
struct Case {
    name: String,
    records: Vec<Vec<u8>>,
    format: Option<String>,
}

fn folder(source: Source) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("samples")
        .join(source.name())
}

fn cases(source: Source) -> Vec<Case> {
    let mut cases = Vec::new();
    // The records, and what may be wrapped around one.
    for place in ["", "forms/"] {
        let files = fs::read_dir(folder(source).join(place)).expect("a folder of samples");
        cases.extend(files.filter_map(|file| {
            let path = file.expect("a file").path();
            let (name, kind) = path.file_name()?.to_str()?.split_once(".in.")?;
            let text = fs::read(&path).expect("a sample");
            let records = match kind {
                "json" => vec![text],
                _ => text
                    .split(|byte| *byte == b'\n')
                    .filter(|line| !line.is_empty())
                    .map(<[u8]>::to_vec)
                    .collect(),
            };
            let format = fs::read_to_string(path.with_file_name(format!("{name}.format.txt"))).ok();
            Some(Case {
                name: format!("{place}{name}"),
                records,
                format: format.map(|text| text.trim().to_owned()),
            })
        }));
    }
    cases.sort_by(|a: &Case, b| a.name.cmp(&b.name));
    cases
}

/// What the program answers to one event with these records: each record's document, without those that are dropped.
fn answers(source: Source, schema: &str, format: Option<&str>, records: &[&[u8]]) -> Vec<Option<String>> {
    let records: Vec<Value> = records
        .iter()
        .enumerate()
        .map(|(id, record)| json!({ "recordId": id.to_string(), "data": STANDARD.encode(record) }))
        .collect();
    let event = json!({ "invocationId": "1", "records": records }).to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PORTCULLIS_") {
            command.env_remove(name);
        }
    }
    command.args(["normalize", "--firehose", "--source", source.name(), "--schema", schema]);
    if let Some(format) = format {
        command.args(["--flow-format", format]);
    }
    let mut child = command
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("piped");
    let writer = thread::spawn(move || stdin.write_all(event.as_bytes()));
    let output = child.wait_with_output().expect("the program ends");
    writer.join().expect("the writer ends").expect("all of it is read");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{source} {schema}: {told}");
    let response: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    let answers = response["records"].as_array().expect("answers");
    assert_eq!(answers.len(), records.len());
    let document = |answer: &Value| {
        let data = STANDARD.decode(answer["data"].as_str()?).expect("base64");
        (answer["result"] == "Ok").then(|| String::from_utf8(data).expect("UTF-8"))
    };
    answers.iter().map(document).collect()
}

/// Checks a case's documents against its files.
fn check(source: Source, schema: &str, case: &Case, documents: &[String]) {
    let file = folder(source).join(format!("{}.{schema}.json", case.name));
    let expected = fs::read_to_string(&file).expect("a file beside the sample");
    if schema == "native" {
        assert_eq!(documents.concat(), expected, "{}", file.display());
        return;
    }
    let parse = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
    let expected = match parse(&expected.replace("portcullis-transforms/VERSION", NORMALIZER)) {
        Value::Array(several) => several,
        one => vec![one],
    };
    let documents: Vec<Value> = documents.iter().map(|line| parse(line)).collect();
    assert_eq!(documents, expected, "{}", file.display());
}

#[test]
fn every_sample_becomes_the_documents_beside_it() {
    for &source in Source::ALL {
        let cases = cases(source);
        let records = cases.iter().filter(|case| !case.name.starts_with("forms/")).count();
        assert!(records >= 15, "{source}: {records} samples");
        for schema in ["ecs", "native"] {
            // A header line speaks of the lines after it, so flow logs come case by case, the others all at once.
            let at_once = if source == Source::VpcFlow { 1 } else { cases.len() };
            for cases in cases.chunks(at_once) {
                let records: Vec<&[u8]> = cases.iter().flat_map(|case| &case.records).map(Vec::as_slice).collect();
                let mut answers = answers(source, schema, cases[0].format.as_deref(), &records).into_iter();
                for case in cases {
                    let documents: Vec<String> = answers.by_ref().take(case.records.len()).flatten().collect();
                    check(source, schema, case, &documents);
                }
            }
        }
    }
}
