//! `portcullis-index` against a Runtime API and a cluster on loopback: what it sends, what it says, and when Lambda should
//! repeat the invocation. `tests/opensearch` runs it against a real cluster.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::Stdio,
    sync::{Arc, Mutex},
    thread,
};

use flate2::read::GzDecoder;
use serde_json::{Value, json};

use crate::{
    runtime_api::{serve, started},
    subscription::{control, delivery, trail},
};

/// Status and body for the number of a request, from 1, and its documents.
type Decide = fn(usize, &[Value]) -> (u16, Value);

/// One request: its head in lower case, and its documents with their actions.
#[derive(Clone)]
struct Seen {
    head: String,
    actions: Vec<Value>,
    documents: Vec<Value>,
}

/// A cluster that decides as it is told.
struct Played {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Played {
    fn start(decide: Decide) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                thread::spawn(move || while answer(&stream, decide, &shared).is_some() {});
            }
        });
        Self { url, seen }
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no thread panicked").clone()
    }
}

fn answer(mut stream: &TcpStream, decide: Decide, seen: &Mutex<Vec<Seen>>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().ok()?;
        }
        head.push_str(&line);
        head.push('\n');
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let mut text = String::new();
    GzDecoder::new(&body[..]).read_to_string(&mut text).expect("gzip");
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let (actions, documents): (Vec<Value>, Vec<Value>) =
        lines.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).unzip();
    let number = {
        let mut seen = seen.lock().expect("no thread panicked");
        seen.push(Seen {
            head,
            actions,
            documents: documents.clone(),
        });
        seen.len()
    };
    let (status, answer) = decide(number, &documents);
    let answer = answer.to_string();
    let head = format!("HTTP/1.1 {status} Played\r\nContent-Length: {}\r\n\r\n", answer.len());
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(answer.as_bytes()).ok()
}

/// Every document is new, but for those with an id that begins with `sick-`.
fn well(_: usize, documents: &[Value]) -> (u16, Value) {
    let one = |document: &Value| {
        let sick = document.to_string().contains("\"sick-");
        let error = json!({ "type": "mapper_parsing_exception", "reason": "failed to parse field [event]" });
        match sick {
            true => json!({ "index": { "status": 400, "error": error } }),
            false => json!({ "index": { "status": 201 } }),
        }
    };
    let items: Vec<Value> = documents.iter().map(one).collect();
    (200, json!({ "errors": false, "items": items }))
}

/// What the function answered to each event, its metrics, and its log.
struct Told {
    answers: Vec<(bool, String)>,
    metrics: Vec<Value>,
    log: Vec<Value>,
}

impl Told {
    fn metric(&self, name: &str) -> f64 {
        self.metrics.iter().filter_map(|line| line[name].as_f64()).sum()
    }

    fn lines(&self, message: &str) -> Vec<&Value> {
        self.log
            .iter()
            .filter(|line| line["message"].as_str().is_some_and(|text| text.contains(message)))
            .collect()
    }
}

fn invoke(cluster: &Played, settings: &[(&str, &str)], events: &[Vec<u8>]) -> Told {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut all = vec![
        ("PORTCULLIS__OPENSEARCH__ENDPOINT", cluster.url.as_str()),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secret-key"),
        ("AWS_SESSION_TOKEN", "session-token"),
    ];
    all.extend(settings);
    let mut function = started(
        env!("CARGO_BIN_EXE_portcullis-index"),
        &listener.local_addr().expect("an address").to_string(),
        &all,
        Stdio::piped(),
    );
    let answers = serve(&listener, events);
    function.0.kill().expect("still running");
    let mut out = String::new();
    let mut stdout = function.0.stdout.take().expect("piped");
    stdout.read_to_string(&mut out).expect("text");
    let log = function.log();
    assert!(!log.contains("secret-key") && !out.contains("session-token"), "{log}");
    let parsed = |text: &str| -> Vec<Value> {
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
            .collect()
    };
    let told = answers.iter().map(|(line, body)| {
        (
            line.ends_with("/response HTTP/1.1"),
            String::from_utf8_lossy(body).into_owned(),
        )
    });
    Told {
        answers: told.collect(),
        metrics: parsed(&out),
        log: parsed(&log),
    }
}

#[test]
fn log_events_of_any_source_become_documents_in_requests_signed_as_the_functions_role() {
    let cluster = Played::start(well);
    let flow = "2 111122223333 eni-0a1b2c3d 10.0.1.5 198.51.100.7 443 49152 6 10 840 1795258200 1795258257 ACCEPT OK";
    let told = invoke(
        &cluster,
        &[],
        &[
            control(),
            delivery("trail", &[trail("e-1", "2026-11-20"), trail("e-2", "2026-11-21")]),
            delivery("flow", &[flow.to_owned()]),
        ],
    );
    assert_eq!(told.answers, vec![(true, "null".to_owned()); 3]);
    let seen = cluster.seen();
    assert_eq!(seen.len(), 2, "a control message writes nothing");
    let sent = seen
        .iter()
        .flat_map(|request| request.actions.iter().zip(&request.documents));
    let indices: Vec<&str> = sent
        .map(|(action, document)| {
            assert_eq!(
                action["index"]["_id"], document["event"]["id"],
                "written again, it is the same"
            );
            action["index"]["_index"].as_str().expect("text")
        })
        .collect();
    let days = [
        "siem-cloudtrail-2026-11-20",
        "siem-cloudtrail-2026-11-21",
        "siem-vpcflow-2026-11-21",
    ];
    assert_eq!(indices, days);
    for request in &seen {
        for part in [
            "credential=akidexample/",
            "/eu-central-1/es/aws4_request",
            "x-amz-security-token: session-token",
            "x-amz-content-sha256: ",
            "content-encoding: gzip",
        ] {
            assert!(request.head.contains(part), "{part} in {}", request.head);
        }
    }
    assert_eq!(
        (told.metric("Received"), told.metric("Indexed"), told.metric("Empty")),
        (3.0, 3.0, 1.0)
    );
    let line = told.lines("indexed")[0];
    assert_eq!((&line["log_group"], &line["indexed"]), (&json!("trail"), &json!(2)));
    assert_eq!(line["span"]["request_id"], "request-1");
}

#[test]
fn a_sick_record_costs_the_others_nothing_and_the_log_says_where_it_stands() {
    let cluster = Played::start(well);
    let messages = [
        trail("e-1", "2026-11-21"),
        "{\"not\":\"of AWS\"}".to_owned(),
        trail("sick-2", "2026-11-21"),
        trail("e-3", "2026-11-21"),
    ];
    let told = invoke(&cluster, &[], &[delivery("trail", &messages)]);
    assert_eq!(told.answers, [(true, "null".to_owned())]);
    assert_eq!(
        (told.metric("Indexed"), told.metric("Refused"), told.metric("Rejected")),
        (2.0, 1.0, 1.0)
    );
    let out = told.lines("left out");
    let places: Vec<_> = out
        .iter()
        .map(|line| (&line["log_group"], &line["log_event"], &line["at"]))
        .collect();
    let (group, at) = (json!("trail"), json!(1_795_258_257_000_i64));
    assert_eq!(places, [(&group, &json!("log-1"), &at), (&group, &json!("log-2"), &at)]);
    assert!(
        out[0]["reason"]
            .as_str()
            .is_some_and(|reason| reason.contains("tells no source")),
        "{}",
        out[0]
    );
    assert!(
        out[1]["reason"]
            .as_str()
            .is_some_and(|reason| reason.contains("failed to parse field")),
        "{}",
        out[1]
    );
    assert_eq!(out[1]["index"], "siem-cloudtrail-2026-11-21");
}

#[test]
fn what_the_cluster_is_too_busy_for_is_sent_again_within_the_invocation() {
    let cluster = Played::start(|number, documents| match number {
        1 => (429, json!({ "error": { "reason": "rejected execution" } })),
        2 => {
            let busy = json!({ "index": { "status": 429, "error": { "reason": "rejected execution" } } });
            (200, json!({ "items": [busy, { "index": { "status": 201 } }] }))
        }
        _ => well(number, documents),
    });
    let told = invoke(
        &cluster,
        &[],
        &[delivery(
            "trail",
            &[trail("e-1", "2026-11-21"), trail("e-2", "2026-11-21")],
        )],
    );
    assert_eq!(told.answers, [(true, "null".to_owned())]);
    let sent: Vec<usize> = cluster.seen().iter().map(|request| request.documents.len()).collect();
    assert_eq!(sent, [2, 2, 1]);
    assert_eq!(told.metric("Indexed"), 2.0);
}

#[test]
fn an_invocation_fails_when_lambda_should_repeat_it_and_says_what_is_missing() {
    let forbidden: Decide = |_, _| {
        (
            403,
            json!({ "error": { "reason": "no permissions for [indices:data/write/bulk]" } }),
        )
    };
    let unknown: Decide = |_, _| (401, json!("Unauthorized"));
    let one = || delivery("trail", &[trail("e-1", "2026-11-21")]);
    let foreign = br#"{"Records":[{"eventSource":"aws:sqs","body":"{}"}]}"#.to_vec();
    for (decide, event, said) in [
        (forbidden, one(), "no permissions for [indices:data/write/bulk]"),
        (unknown, one(), "does not know us (401)"),
        (
            well as Decide,
            delivery("trail", &[trail("sick-1", "2026-11-21")]),
            "none of 1 records became a document",
        ),
        (
            well,
            delivery("trail", &["hello".to_owned()]),
            "none of 1 records became a document",
        ),
        (well, foreign, "of no subscription"),
    ] {
        let settings = [("PORTCULLIS_SOURCE", "cloudtrail")];
        let told = invoke(&Played::start(decide), &settings, &[event]);
        let (succeeded, answer) = &told.answers[0];
        assert!(!succeeded && answer.contains(said), "{said} in {answer}");
        assert_eq!(told.lines("the invocation failed").len(), 1, "{:?}", told.log);
    }
}

#[test]
fn settings_that_cannot_work_end_the_function_before_it_takes_an_event() {
    for (name, value, said) in [
        (
            "PORTCULLIS__OPENSEARCH__ENDPOINT",
            "http://search.example.com",
            "clear text",
        ),
        ("PORTCULLIS_SCHEMA", "native", "PORTCULLIS_SCHEMA"),
        ("PORTCULLIS_SOURCE", "syslog", "PORTCULLIS_SOURCE"),
        ("PORTCULLIS__NORMALIZE__REDACT", "[\"x-key\"]", "PORTCULLIS_REDACT"),
        ("AWS_SECRET_ACCESS_KEY", "", "AWS_SECRET_ACCESS_KEY"),
    ] {
        let settings = [
            ("PORTCULLIS__OPENSEARCH__ENDPOINT", "https://search.example.com"),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "secret-key"),
            (name, value),
        ];
        let mut function = started(
            env!("CARGO_BIN_EXE_portcullis-index"),
            "127.0.0.1:1",
            &settings,
            Stdio::null(),
        );
        let log = function.log();
        assert!(log.contains("cannot start") && log.contains(said), "{said} in {log}");
    }
}
