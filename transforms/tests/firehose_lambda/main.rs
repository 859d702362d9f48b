//! The real function binaries against a Runtime API on loopback: one invocation each, as Lambda would send it.
#![cfg(feature = "lambda")]

#[cfg(feature = "put-back")]
mod aws;
#[cfg(feature = "put-back")]
mod put_back;
mod runtime_api;

use std::net::TcpListener;

use aws_lambda_events::firehose::KinesisFirehoseResponse;

use runtime_api::{event, serve, start};

#[test]
fn the_flow_log_function_answers_events_logs_refusals_and_survives_what_is_no_event() {
    let line = "1795258257 203.0.113.77 REJECT";
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let mut function = start(
        env!("CARGO_BIN_EXE_portcullis-transform-vpcflow"),
        &address,
        &[
            ("PORTCULLIS_FLOW_FORMAT", "${end} ${srcaddr} ${action}"),
            ("PORTCULLIS_SCHEMA", "ecs"),
        ],
    );
    let events = [event(&[line, "x y z"]), b"{\"no\":\"event\"}".to_vec(), event(&[line])];
    let answers = serve(&listener, &events);
    assert_eq!(
        answers[0].0,
        "POST /2018-06-01/runtime/invocation/request-0/response HTTP/1.1"
    );
    let response: KinesisFirehoseResponse = serde_json::from_slice(&answers[0].1).expect("the contract's response");
    let results: Vec<_> = response.records.iter().filter_map(|r| r.result.as_deref()).collect();
    assert_eq!(results, ["Ok", "ProcessingFailed"]);
    let document: serde_json::Value = serde_json::from_slice(&response.records[0].data).expect("a document");
    assert_eq!(document["source"]["ip"], "203.0.113.77");
    assert_eq!(response.records[1].data.0, b"x y z");
    assert_eq!(
        answers[1].0,
        "POST /2018-06-01/runtime/invocation/request-1/error HTTP/1.1"
    );
    assert!(String::from_utf8_lossy(&answers[1].1).contains("not a Firehose transformation event"));
    assert!(answers[2].0.ends_with("request-2/response HTTP/1.1"));
    function.0.kill().expect("still running");
    let log = function.log();
    let first = log.lines().next().expect("a log line");
    let first: serde_json::Value = serde_json::from_str(first).expect("JSON");
    assert_eq!(
        (
            &first["level"],
            &first["source"],
            &first["request_id"],
            &first["reason"],
            &first["record_id"]
        ),
        (
            &"WARN".into(),
            &"vpcflow".into(),
            &"request-0".into(),
            &"time".into(),
            &"1".into()
        )
    );
}

#[test]
fn every_function_answers_a_record_that_is_not_its_own() {
    for binary in [
        env!("CARGO_BIN_EXE_portcullis-transform-guardduty"),
        env!("CARGO_BIN_EXE_portcullis-transform-securityhub"),
        env!("CARGO_BIN_EXE_portcullis-transform-waf"),
        env!("CARGO_BIN_EXE_portcullis-transform-vpcflow"),
        env!("CARGO_BIN_EXE_portcullis-transform-dns"),
        env!("CARGO_BIN_EXE_portcullis-transform-cloudtrail"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let _function = start(binary, &listener.local_addr().expect("an address").to_string(), &[]);
        let answers = serve(&listener, &[event(&["{\"nobody\":\"knows\"}"])]);
        let response: KinesisFirehoseResponse = serde_json::from_slice(&answers[0].1).expect("the contract's response");
        assert_eq!(
            response.records[0].result.as_deref(),
            Some("ProcessingFailed"),
            "{binary}"
        );
    }
}

#[test]
fn a_wrong_setting_ends_the_function_with_the_name_of_the_variable() {
    for (variable, value) in [
        ("PORTCULLIS_SCHEMA", "elastic"),
        ("PORTCULLIS_FLOW_FORMAT", "${srcadr}"),
        ("PORTCULLIS_ID_KEY", "secret"),
    ] {
        let binary = env!("CARGO_BIN_EXE_portcullis-transform-vpcflow");
        let mut function = start(binary, "127.0.0.1:1", &[(variable, value)]);
        let log = function.log();
        assert!(!function.0.wait().expect("an end").success());
        let line: serde_json::Value = serde_json::from_str(log.trim()).expect("one JSON line");
        assert!(
            line["message"].as_str().is_some_and(|m| m.starts_with(variable)),
            "{line}"
        );
        assert!(!log.contains("secret"), "a key is never logged");
    }
}
