//! The real function binaries against a Runtime API on loopback: one invocation each, as Lambda would send it.
#![cfg(feature = "lambda")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use aws_lambda_events::firehose::KinesisFirehoseResponse;
use base64::{Engine as _, prelude::BASE64_STANDARD};

const PATIENCE: Duration = Duration::from_secs(30);

/// Ends the function when the test does, however it does.
struct Function(Child);

impl Drop for Function {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn start(binary: &str, runtime_api: &str, settings: &[(&str, &str)]) -> Function {
    let child = Command::new(binary)
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", runtime_api)
        .env("AWS_LAMBDA_FUNCTION_NAME", "transform")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "stream")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", "group")
        .envs(settings.iter().copied())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    Function(child)
}

struct Request {
    line: String,
    body: Vec<u8>,
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    if reader.read_line(&mut line).ok()? == 0 {
        return None;
    }
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        if header.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = header.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request {
        line: line.trim().to_owned(),
        body,
    })
}

/// Hands the events to the function one after the other, and returns what it answered to each: path and body.
fn serve(listener: &TcpListener, events: &[Vec<u8>]) -> Vec<(String, Vec<u8>)> {
    listener.set_nonblocking(true).expect("non-blocking");
    let deadline = Instant::now() + PATIENCE;
    let mut answers = Vec::new();
    while answers.len() < events.len() {
        assert!(Instant::now() < deadline, "the function did not answer in time");
        let Ok((stream, _)) = listener.accept() else {
            std::thread::sleep(Duration::from_millis(5));
            continue;
        };
        stream.set_nonblocking(false).expect("blocking");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        let mut reader = BufReader::new(stream);
        while let Some(request) = read_request(&mut reader) {
            if request.line.starts_with("GET /2018-06-01/runtime/invocation/next") {
                let body = &events[answers.len()];
                let head = format!(
                    "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: request-{}\r\nLambda-Runtime-Deadline-Ms: 4102444800000\r\n\
                     Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-central-1:111122223333:function:transform\r\n\
                     Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                    answers.len(),
                    body.len()
                );
                reader.get_mut().write_all(head.as_bytes()).expect("head");
                reader.get_mut().write_all(body).expect("body");
            } else {
                answers.push((request.line, request.body));
                let head = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";
                reader.get_mut().write_all(head).expect("accepted");
                if answers.len() == events.len() {
                    break;
                }
            }
        }
    }
    answers
}

fn event(data: &[&str]) -> Vec<u8> {
    let records: Vec<_> = data
        .iter()
        .enumerate()
        .map(|(id, data)| serde_json::json!({ "recordId": id.to_string(), "data": BASE64_STANDARD.encode(data) }))
        .collect();
    serde_json::json!({ "invocationId": "i", "records": records })
        .to_string()
        .into_bytes()
}

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
    let mut log = String::new();
    function
        .0
        .stderr
        .take()
        .expect("piped")
        .read_to_string(&mut log)
        .expect("text");
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
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let _function = start(binary, &listener.local_addr().expect("an address").to_string(), &[]);
        let answers = serve(&listener, &[event(&["{\"query_name\":\"example.com.\"}"])]);
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
        let mut log = String::new();
        function
            .0
            .stderr
            .take()
            .expect("piped")
            .read_to_string(&mut log)
            .expect("text");
        assert!(!function.0.wait().expect("an end").success());
        let line: serde_json::Value = serde_json::from_str(log.trim()).expect("one JSON line");
        assert!(
            line["message"].as_str().is_some_and(|m| m.starts_with(variable)),
            "{line}"
        );
        assert!(!log.contains("secret"), "a key is never logged");
    }
}
