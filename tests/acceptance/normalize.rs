//! What becomes of records: each by itself, whole or refused with its place, under limits that are set.

use std::{fs, io::Read, process::Output};

use serde_json::Value;

use super::{ask, folder, lines, portcullis};

const FLOW: &str = "2 123456789010 eni-1 198.51.100.7 10.0.0.1 443 80 6 1 40 1418530010 1418530070 ACCEPT OK\n";

/// Bytes that look random and are always the same.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        })
        .collect()
}

#[test]
fn noise_is_refused_in_a_few_lines_that_a_person_understands() {
    let folder = folder();
    for source in ["vpcflow", "guardduty", "auto"] {
        let output = ask(folder.path(), &["normalize", "--source", source], &noise(1_000_000));
        let told = String::from_utf8(output.stderr).expect("messages are text");
        assert_eq!(output.status.code(), Some(3), "{told}");
        assert!(output.stdout.is_empty());
        assert!(told.lines().count() <= 40, "{told}");
        assert!(
            told.contains("not text") && told.contains("is it another kind of file"),
            "{told}"
        );
        assert!(
            told.chars().all(|c| c == '\n' || !c.is_control()),
            "nothing of the input reaches the terminal"
        );
    }
}

#[test]
fn a_broken_record_is_refused_alone_with_its_file_and_line() {
    let folder = folder();
    let long = "x".repeat(10 * 1024 * 1024);
    let deep = "[".repeat(10_000);
    for (name, broken, part) in [
        ("a 10 MB line", long.as_str(), "10 485 760 bytes"),
        ("too few columns", "2 123456789010 eni-1", "columns.log:2"),
        ("deep JSON", deep.as_str(), "columns.log:2"),
        ("a lone surrogate", r#"{"message":"\ud800"}"#, "columns.log:2"),
        ("a terminal's escape", "2 \u{1b}[2J", "columns.log:2"),
    ] {
        fs::write(folder.path().join("columns.log"), format!("{FLOW}{broken}\n{FLOW}")).expect("writable");
        let output = ask(folder.path(), &["normalize", "--source", "vpcflow", "columns.log"], b"");
        let told = String::from_utf8(output.stderr).expect("messages are text");
        assert_eq!(output.status.code(), Some(3), "{name}: {told}");
        assert_eq!(output.stdout.iter().filter(|byte| **byte == b'\n').count(), 2, "{name}");
        assert!(told.contains(part) && !told.contains('\u{1b}'), "{name}: {told}");
    }
}

#[test]
fn a_broken_entry_is_refused_alone_with_its_file_line_and_number() {
    let folder = folder();
    let event = |id: u32| {
        format!(
            r#"{{"eventVersion":"1.11","eventTime":"2026-11-21T10:51:00Z","eventSource":"ec2.amazonaws.com","eventName":"RunInstances","awsRegion":"eu-central-1","eventID":"{id}"}}"#
        )
    };
    let broken =
        r#"{"eventVersion":"1.11","eventTime":"never","eventSource":"ec2.amazonaws.com","eventName":"RunInstances"}"#;
    let object = format!("{{\"Records\":[{},{broken},{}]}}\n", event(1), event(3));
    let large = format!("{{\"Records\":[{}]}}", vec![event(7); 40_000].join(","));
    assert!(large.len() > 6 << 20, "longer than any record");
    fs::write(folder.path().join("trail.json"), format!("{object}{large}")).expect("writable");
    for source in ["cloudtrail", "auto"] {
        let output = ask(folder.path(), &["normalize", "--source", source, "trail.json"], b"");
        let told = String::from_utf8(output.stderr).expect("messages are text");
        assert_eq!(output.status.code(), Some(3), "{told}");
        assert_eq!(
            output.stdout.iter().filter(|byte| **byte == b'\n').count(),
            40_002,
            "{told}"
        );
        assert!(told.contains("trail.json:1: entry 2: refused"), "{told}");
    }
    let output = ask(folder.path(), &["normalize", "--json", "trail.json"], b"");
    let told: Value =
        serde_json::from_slice(output.stderr.split(|byte| *byte == b'\n').next().unwrap_or_default()).expect("JSON");
    assert_eq!(
        (&told["refused"]["line"], &told["refused"]["entry"]),
        (&1.into(), &2.into()),
        "{told}"
    );
}

#[test]
fn what_documents_hold_is_configured_and_an_option_says_otherwise() {
    let folder = folder();
    let record = |action: &str| {
        format!(
            r#"{{"timestamp":1789000000000,"formatVersion":1,"webaclId":"arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/a/b","action":"{action}","httpRequest":{{"clientIp":"203.0.113.9","headers":[{{"name":"x-session","value":"a-secret"}}],"uri":"/"}}}}"#
        )
    };
    let (allowed, blocked) = (record("ALLOW"), record("BLOCK"));
    fs::write(
        folder.path().join("waf.json"),
        format!("{allowed}\n{blocked}\n[{blocked},{blocked}]\n"),
    )
    .expect("writable");
    let settings = "[normalize]\nredact = [\"x-session\"]\ndrop = [\"event.action == allow\"]\nentries_limit = 1\n";
    fs::write(folder.path().join("some.toml"), settings).expect("writable");
    // Arguments; then documents, secrets kept, and refusals.
    let cases = [
        (&[][..], (4, 4, 0)),
        (&["--config", "some.toml"], (1, 0, 1)),
        (&["--config", "some.toml", "--redact", "none"], (1, 1, 1)),
        (&["--config", "some.toml", "--drop", "event.action == block"], (1, 0, 1)),
        (&["--config", "some.toml", "--entries-limit", "2"], (3, 0, 0)),
    ];
    let count = |output: &Output| {
        let documents = String::from_utf8_lossy(&output.stdout).into_owned();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let secrets = documents.lines().filter(|line| line.contains("a-secret"));
        (
            documents.lines().count(),
            secrets.count(),
            told.matches(": refused: ").count(),
        )
    };
    for (arguments, wanted) in cases {
        let arguments = [&["normalize", "--source", "waf", "waf.json"], arguments].concat();
        let output = ask(folder.path(), &arguments, b"");
        assert_eq!(count(&output), wanted, "{arguments:?}: {output:?}");
    }

    // The file that is read when none is named, and a variable over it.
    fs::rename(folder.path().join("some.toml"), folder.path().join("portcullis.toml")).expect("writable");
    for (variable, wanted) in [
        (("PORTCULLIS__NORMALIZE__DROP", "[]"), (2, 0, 1)),
        (("PORTCULLIS_REDACT", "none"), (1, 1, 1)),
    ] {
        let output = portcullis(folder.path(), &["normalize", "--source", "waf", "waf.json"])
            .env(variable.0, variable.1)
            .output()
            .expect("normalize ends");
        assert_eq!(count(&output), wanted, "{variable:?}: {output:?}");
    }
}

#[test]
fn gzip_is_told_by_its_content_and_a_bomb_is_refused() {
    use flate2::{Compression, write::GzEncoder};
    let folder = folder();
    let pack = |content: &mut dyn Read| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        std::io::copy(content, &mut encoder).expect("memory");
        encoder.finish().expect("memory")
    };
    fs::write(folder.path().join("flow.log"), pack(&mut FLOW.as_bytes())).expect("writable");
    let output = ask(folder.path(), &["normalize", "flow.log"], b"");
    assert_eq!(lines(&output).len(), 1);

    // Members one after the other are one file, so a small one repeated is a large bomb.
    let bomb = pack(&mut std::io::repeat(b' ').take(1 << 20)).repeat(80);
    let output = ask(folder.path(), &["normalize", "--source", "waf"], &bomb);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(told.contains("more than 200 times its size"), "{told}");
}

#[test]
fn the_firehose_contract_answers_on_standard_output() {
    let folder = folder();
    let event = br#"{"invocationId":"1","records":[{"recordId":"a","data":"bm8gZmxvdyBsb2c="}]}"#;
    let output = ask(
        folder.path(),
        &["normalize", "--source", "vpcflow", "--firehose"],
        event,
    );
    assert_eq!(output.status.code(), Some(3));
    let answer: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    assert_eq!(answer["records"][0]["result"], "ProcessingFailed");
    assert_eq!(answer["records"][0]["data"], "bm8gZmxvdyBsb2c=");

    // Two flow-log lines in one record.
    let one = "MiAxMjM0NTY3ODkwMTAgZW5pLTEgMTk4LjUxLjEwMC43IDEwLjAuMC4xIDQ0MyA4MCA2IDEgNDAgMTQxODUzMDAxMCAxNDE4NTMwMDcwIEFDQ0VQVCBPSw==";
    let both = "MiAxMjM0NTY3ODkwMTAgZW5pLTEgMTk4LjUxLjEwMC43IDEwLjAuMC4xIDQ0MyA4MCA2IDEgNDAgMTQxODUzMDAxMCAxNDE4NTMwMDcwIEFDQ0VQVCBPSwoyIDEyMzQ1Njc4OTAxMCBlbmktMSAxOTguNTEuMTAwLjcgMTAuMC4wLjEgNDQzIDgwIDYgMSA0MCAxNDE4NTMwMDEwIDE0MTg1MzAwNzAgQUNDRVBUIE9L";
    let event = format!(r#"{{"invocationId":"1","records":[{{"recordId":"a","data":"{both}"}}]}}"#);
    for (arguments, code, result) in [
        (&["--put-back", "back.ndjson"][..], 0, "Dropped"),
        (&[][..], 3, "ProcessingFailed"),
    ] {
        let arguments = [&["normalize", "--source", "vpcflow", "--firehose"], arguments].concat();
        let output = ask(folder.path(), &arguments, event.as_bytes());
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{told}");
        let answer: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
        assert_eq!(answer["records"][0]["result"], result, "{told}");
        assert_eq!(told.contains("--put-back FILE"), code == 3, "{told}");
    }
    let back = fs::read_to_string(folder.path().join("back.ndjson")).expect("written");
    let back: Vec<Value> = back
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(back.len(), 2);
    assert!(
        back.iter()
            .all(|entry| entry["record_id"] == "a" && entry["data"] == one),
        "{back:?}"
    );

    let output = ask(
        folder.path(),
        &["normalize", "--source", "vpcflow", "--firehose"],
        b"not an event",
    );
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
}
