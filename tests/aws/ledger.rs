//! Every command does the same on a ledger in DynamoDB as on one in the data directory.

use std::path::Path;

use crate::program::{Run, portcullis, portcullis_with};

/// A moment within the story that `generate` tells by default.
const NOW: &str = "2026-11-01T00:00:00Z";

fn on_dynamodb(url: &str) -> Vec<(&str, &str)> {
    vec![
        ("AWS_ENDPOINT_URL_DYNAMODB", url),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("PORTCULLIS__LEDGER__STORE", "dynamodb"),
    ]
}

/// A day at the command line, of which every line that names no moment of today is kept.
fn a_day(dir: &Path, environment: &[(&str, &str)]) -> Vec<Run> {
    let run = |arguments: &[&str], input: &[u8]| portcullis_with(dir, arguments, input, environment);
    let generate = ["generate", "--source", "guardduty", "--count", "60", "--seed", "7"];
    let findings = portcullis(dir, &generate, b"").ended(0);
    let respond = ["respond", "--apply", "--json", "--now", NOW];
    let mut told = vec![run(&respond, findings.out.as_bytes()).ended(0)];
    let first = run(&["list", "--json"], b"").ended(0);
    let denied = first.lines()[0]["cidr"].as_str().expect("a network").to_owned();
    let address = denied.trim_end_matches("/32");
    told.push(first);
    told.push(run(&respond, findings.out.as_bytes()).ended(0));
    told.push(run(&["unblock", address, "--reason", "a test", "--json"], b"").ended(0));
    told.push(run(&["block", address, "--reason", "held off", "--json"], b""));
    told.push(run(&["pause", "--reason", "a test"], b"").ended(0));
    told.push(run(&["resume", "--reason", "a test"], b"").ended(0));
    let spared = ["allow", "add", "100.43.85.0/24", "--reason", "a partner"];
    told.push(run(&spared, b"").ended(0));
    told.push(run(&["reconcile"], b"").ended(0));
    told.push(run(&["unblock", "--all", "--reason", "a test"], b"").ended(0));
    told.push(run(&["list", "--json"], b"").ended(0));
    told.push(run(&["status"], b"").ended(0));
    told
}

#[test]
fn every_command_says_the_same_on_a_ledger_in_dynamodb_as_on_one_of_this_machine() {
    let server = portcullis_servers::dynamodb_local();
    let url = server.url();
    let environment = on_dynamodb(&url);
    let (here, there) = (
        tempfile::tempdir().expect("a folder"),
        tempfile::tempdir().expect("a folder"),
    );
    portcullis_with(there.path(), &["setup", "ledger"], b"", &environment).ended(0);
    let expected = a_day(here.path(), &[]);
    let found = a_day(there.path(), &environment);
    assert!(expected[1].lines().len() > 10, "{}", expected[1].out);
    for (expected, found) in expected.iter().zip(&found) {
        assert_eq!(found.code, expected.code, "{}\n{}", found.err, expected.err);
        assert_eq!(found.out, expected.out);
    }
    assert!(
        !there.path().join("portcullis-data/ledger.sqlite").exists(),
        "the ledger is not in the data directory, too"
    );
}

#[test]
fn a_command_on_a_table_that_is_not_there_says_how_to_make_it_and_makes_none() {
    let server = portcullis_servers::dynamodb_local();
    let url = server.url();
    let environment = on_dynamodb(&url);
    let dir = tempfile::tempdir().expect("a folder");
    for _ in 0..2 {
        let run = portcullis_with(dir.path(), &["list"], b"", &environment).ended(1);
        for part in [
            "portcullis-ledger",
            "eu-central-1",
            "ResourceNotFoundException",
            "portcullis setup ledger",
        ] {
            assert!(run.err.contains(part), "{part}: {}", run.err);
        }
        assert_eq!(run.err.matches("ResourceNotFoundException").count(), 1, "{}", run.err);
    }
}
