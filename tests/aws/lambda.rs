//! The real function against a Runtime API on loopback, with its ledger on DynamoDB Local.

use std::net::TcpListener;
use std::process::Stdio;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

use crate::findings::{Kind, finding, inbound};
use crate::program::portcullis_with;
use crate::runtime_api::{serve, serve_and_tell, start, started};
use crate::slack::Webhook;

fn record(number: u64, data: &[u8]) -> Value {
    json!({"eventSource": "aws:kinesis", "eventVersion": "1.0", "eventName": "aws:kinesis:record", "awsRegion": "eu-central-1",
        "eventID": format!("shardId-000000000000:{number}"),
        "eventSourceARN": "arn:aws:kinesis:eu-central-1:111122223333:stream/findings",
        "kinesis": {"kinesisSchemaVersion": "1.0", "partitionKey": "p", "sequenceNumber": number.to_string(),
            "data": base64_turbo::STANDARD.encode(data), "approximateArrivalTimestamp": Utc::now().timestamp() - 2}})
}

fn batch(records: &[Value]) -> Vec<u8> {
    json!({ "Records": records }).to_string().into_bytes()
}

fn about(id: &str, address: &str) -> Vec<u8> {
    inbound(id, address.to_owned())
}

/// The ledger at `url`, and network ACLs of this machine.
fn on_the_model(url: &str) -> [(&str, &str); 5] {
    [
        ("AWS_ENDPOINT_URL_DYNAMODB", url),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("PORTCULLIS__NETWORK_ACLS__STORE", "model"),
    ]
}

pub(crate) fn schedule() -> Vec<u8> {
    json!({"version": "0", "id": "1", "detail-type": "Scheduled Event", "source": "aws.events", "account": "111122223333",
        "time": "2026-11-21T12:00:00Z", "region": "eu-central-1", "resources": [], "detail": {}})
    .to_string()
    .into_bytes()
}

#[test]
fn the_function_answers_streams_events_and_schedules_and_acknowledges_what_cannot_be_read() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("data");
    let server = portcullis_servers::dynamodb_local();
    let webhook = Webhook::start(0);
    let url = server.url();
    let aws = on_the_model(&url);
    portcullis_with(dir.path(), &["setup", "ledger"], b"", &aws).ended(0);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let data = data.to_string_lossy().into_owned();
    let mut settings = aws.to_vec();
    settings.extend([
        ("PORTCULLIS__DATA", data.as_str()),
        ("PORTCULLIS__POLICY__MODE", "enforce"),
        ("PORTCULLIS_SLACK_WEBHOOK", webhook.url.as_str()),
    ]);
    let mut function = start(
        env!("CARGO_BIN_EXE_portcullis-respond"),
        &listener.local_addr().expect("an address").to_string(),
        &settings,
    );
    let first = record(1, &about("f1", "185.220.101.4"));
    let envelope = json!({"detail-type": "GuardDuty Finding", "source": "aws.guardduty",
        "detail": serde_json::from_slice::<Value>(&about("f2", "185.220.101.5")).expect("JSON")});
    let answers = serve(
        &listener,
        &[
            batch(&[
                first.clone(),
                record(2, b"poison \"webhook\""),
                record(3, &about("f3", "185.220.101.6")),
            ]),
            envelope.to_string().into_bytes(),
            batch(&[first]),
            schedule(),
            json!({"Records": [{"eventSource": "aws:sqs", "body": "{}"}]})
                .to_string()
                .into_bytes(),
        ],
    );
    let texts: Vec<String> = answers
        .iter()
        .map(|(_, body)| String::from_utf8_lossy(body).into_owned())
        .collect();
    assert_eq!(texts[0], r#"{"batchItemFailures":[]}"#);
    assert_eq!(texts[1], "null");
    assert_eq!(texts[2], r#"{"batchItemFailures":[]}"#);
    assert_eq!(texts[3], "null");
    assert!(
        answers[4].0.ends_with("/error HTTP/1.1") && texts[4].contains("aws:sqs"),
        "{answers:?}"
    );

    function.0.kill().expect("still running");
    let log = function.log();
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect();
    let decided: Vec<&Value> = lines.iter().filter(|line| line["message"] == "decided").collect();
    assert_eq!(decided.len(), 5, "{log}");
    assert_eq!(decided[0]["address"], "185.220.101.4");
    assert_eq!(
        (&decided[0]["decision"], &decided[0]["reason"]),
        (&json!("block"), &json!("matched"))
    );
    assert_eq!(decided[0]["span"]["request_id"], "request-0");
    assert_eq!(
        (&decided[1]["decision"], &decided[1]["reason"]),
        (&json!("ignore"), &json!("unreadable"))
    );
    assert_eq!(decided[4]["reason"], "duplicate");
    assert!(!log.contains("/services/T0"), "no secret is logged");

    let environment: Vec<(&str, &str)> = aws
        .iter()
        .copied()
        .chain([("PORTCULLIS__LEDGER__STORE", "dynamodb")])
        .collect();
    let list = portcullis_with(dir.path(), &["list", "--json", "--data", &data], b"", &environment).ended(0);
    let states: Vec<Value> = list.lines().iter().map(|line| line["state"].clone()).collect();
    assert_eq!(states, ["applied", "applied", "applied"], "{}", list.out);
    let told: String = webhook.messages().iter().map(ToString::to_string).collect();
    assert!(
        ["185.220.101.4", "185.220.101.5", "185.220.101.6"]
            .iter()
            .all(|address| told.contains(address)),
        "{told}"
    );
}

#[test]
fn a_ledger_that_cannot_be_reached_makes_the_first_record_come_again_and_no_later_one() {
    let dir = tempfile::tempdir().expect("a folder");
    let server = portcullis_servers::dynamodb_local();
    let url = server.url();
    let aws = on_the_model(&url);
    portcullis_with(dir.path(), &["setup", "ledger"], b"", &aws).ended(0);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let data = dir.path().join("data").to_string_lossy().into_owned();
    let mut settings = aws.to_vec();
    settings.push(("PORTCULLIS__DATA", data.as_str()));
    let _function = start(
        env!("CARGO_BIN_EXE_portcullis-respond"),
        &listener.local_addr().expect("an address").to_string(),
        &settings,
    );
    let events = [
        batch(&[record(1, &about("f1", "185.220.101.4"))]),
        batch(&[record(2, &about("f2", "185.220.101.5")), record(3, b"poison")]),
        about("f4", "185.220.101.9"),
    ];
    let server = Mutex::new(Some(server));
    let began = Instant::now();
    let answers = serve_and_tell(&listener, &events, &|answers| {
        if answers == 1 {
            drop(server.lock().expect("no thread panicked").take());
        }
    });
    assert_eq!(String::from_utf8_lossy(&answers[0].1), r#"{"batchItemFailures":[]}"#);
    assert_eq!(
        String::from_utf8_lossy(&answers[1].1),
        r#"{"batchItemFailures":[{"itemIdentifier":"2"}]}"#
    );
    assert!(
        answers[2].0.ends_with("/error HTTP/1.1"),
        "Lambda repeats the event: {answers:?}"
    );
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[test]
fn metrics_are_lines_of_the_embedded_format() {
    let dir = tempfile::tempdir().expect("a folder");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let data = dir.path().join("data").to_string_lossy().into_owned();
    let settings = [
        ("AWS_REGION", "eu-central-1"),
        ("PORTCULLIS__LEDGER__STORE", "embedded"),
        ("PORTCULLIS__NETWORK_ACLS__STORE", "model"),
        ("PORTCULLIS__POLICY__MODE", "enforce"),
        ("PORTCULLIS__DATA", data.as_str()),
    ];
    let mut function = started(
        env!("CARGO_BIN_EXE_portcullis-respond"),
        &listener.local_addr().expect("an address").to_string(),
        &settings,
        Stdio::piped(),
    );
    let old = finding(
        "f2",
        Kind::Inbound,
        &["185.220.101.5".to_owned()],
        &["subnet-a".to_owned()],
        Utc::now() - TimeDelta::days(9),
        Utc::now() - TimeDelta::days(9),
    );
    serve(
        &listener,
        &[
            batch(&[record(1, &about("f1", "185.220.101.4")), record(2, &old)]),
            schedule(),
        ],
    );
    function.0.kill().expect("still running");
    let mut out = String::new();
    std::io::Read::read_to_string(&mut function.0.stdout.take().expect("piped"), &mut out).expect("text");
    let lines: Vec<Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let value = |name: &str| lines.iter().filter_map(|line| line[name].as_f64()).next();
    assert_eq!(value("Received"), Some(2.0), "{out}");
    assert!(
        value("IteratorAge").is_some_and(|age| (1000.0..60_000.0).contains(&age)),
        "{out}"
    );
    for (name, expected) in [
        ("Planned", 1.0),
        ("Applied", 1.0),
        ("Pending", 0.0),
        ("PendingAge", 0.0),
        ("MessagesWaiting", 1.0),
    ] {
        assert_eq!(value(name), Some(expected), "{name}: {out}");
    }
    let reasons: Vec<&str> = lines.iter().filter_map(|line| line["Reason"].as_str()).collect();
    assert_eq!(reasons, ["matched", "stale"], "{out}");
}
