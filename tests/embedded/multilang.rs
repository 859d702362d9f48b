//! The real program as the child of the KCL MultiLangDaemon; the test plays the daemon.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use portcullis::ledger::Ledger;
use portcullis::respond::open_embedded;
use portcullis::respond::policy::Policy;
use serde_json::{Value, json};

use crate::harness::findings::inbound;

struct Daemon {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

impl Daemon {
    fn start(dir: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_portcullis"))
            .args(["consume", "--multilang", "--data", "data"])
            .current_dir(dir)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let to = child.stdin.take();
        let from = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, to, from }
    }

    fn tell(&mut self, what: &Value) {
        let to = self.to.as_mut().expect("still open");
        writeln!(to, "{what}").expect("the child reads");
    }

    fn hear(&mut self) -> Value {
        let mut line = String::new();
        self.from.read_line(&mut line).expect("a line");
        serde_json::from_str(&line).expect("one JSON object a line")
    }

    /// Tells, and expects nothing but the status.
    fn ask(&mut self, what: &Value) {
        self.tell(what);
        assert_eq!(self.hear(), json!({"action": "status", "responseFor": what["action"]}));
    }

    /// Closes the pipe; whether the child ended well.
    fn end(mut self) -> bool {
        drop(self.to.take());
        self.child.wait().expect("an end").success()
    }
}

fn record(number: &str, sub: u64, data: &[u8]) -> Value {
    json!({"action": "record", "data": base64_turbo::STANDARD.encode(data), "partitionKey": "p",
           "approximateArrivalTimestamp": 1_795_258_257_000_u64, "sequenceNumber": number, "subSequenceNumber": sub})
}

fn sample(n: u64) -> Vec<u8> {
    inbound(&format!("f{n}"), format!("185.220.100.{n}"))
}

#[test]
fn the_daemon_is_answered_in_its_protocol_and_what_was_processed_is_durable() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut daemon = Daemon::start(dir.path());
    daemon.ask(&json!({"action": "initialize", "shardId": "shardId-0", "sequenceNumber": "TRIM_HORIZON", "subSequenceNumber": 0}));
    let number = "49590338271490256608559692538361571095921575989136588898";
    let records = [
        record(number, 0, &sample(1)),
        record(number, 1, b"poison"),
        record(number, 2, &sample(2)),
    ];
    daemon.tell(&json!({"action": "processRecords", "records": records, "millisBehindLatest": 12}));
    let checkpoint = json!({"action": "checkpoint", "sequenceNumber": number, "subSequenceNumber": 2});
    assert_eq!(daemon.hear(), checkpoint);
    // Throttled: it asks again.
    let echo = |error: Value| json!({"action": "checkpoint", "sequenceNumber": number, "subSequenceNumber": 2, "error": error});
    daemon.tell(&echo("ThrottlingException".into()));
    assert_eq!(daemon.hear(), checkpoint);
    daemon.ask_echo(&echo(Value::Null), "processRecords");
    daemon.ask(&json!({"action": "processRecords", "records": [], "millisBehindLatest": 0}));
    // The lease is somebody else's by now: that is no fault of the child.
    daemon.tell(&json!({"action": "processRecords", "records": [record("49590338271490256608559692538361571095921575989136588899", 0, &sample(3))], "millisBehindLatest": null}));
    assert_eq!(daemon.hear()["action"], "checkpoint");
    daemon.ask_echo(&echo("ShutdownException".into()), "processRecords");
    daemon.ask(&json!({"action": "leaseLost"}));
    assert!(daemon.end());

    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let responder = open_embedded(&dir.path().join("data"), Policy::default(), true).expect("the ledger");
    let (counts, unreadable) = runtime.block_on(async {
        let ledger = responder.ledger();
        (
            ledger.counts().await.expect("counts"),
            ledger.unreadable(9).await.expect("rows"),
        )
    });
    assert_eq!((counts.findings, unreadable.len()), (3, 1));
}

#[test]
fn a_shard_ends_with_a_checkpoint_and_a_request_to_shut_down_without_one() {
    let dir = tempfile::tempdir().expect("a directory");
    for (action, checkpoints) in [
        (json!({"action": "shardEnded"}), true),
        (json!({"action": "shutdownRequested"}), false),
        (json!({"action": "shutdown", "reason": "TERMINATE"}), true),
        (json!({"action": "shutdown", "reason": "ZOMBIE"}), false),
    ] {
        let mut daemon = Daemon::start(dir.path());
        daemon.ask(&json!({"action": "initialize", "shardId": "shardId-0", "sequenceNumber": "LATEST"}));
        daemon.tell(&action);
        if checkpoints {
            let wanted = json!({"action": "checkpoint", "sequenceNumber": null, "subSequenceNumber": null});
            assert_eq!(daemon.hear(), wanted, "{action}");
            daemon.tell(&json!({"action": "checkpoint", "sequenceNumber": null, "error": null}));
        }
        assert_eq!(
            daemon.hear(),
            json!({"action": "status", "responseFor": action["action"]})
        );
        assert!(daemon.end(), "{action}");
    }
}

#[test]
fn what_is_not_in_the_protocol_ends_the_child() {
    let dir = tempfile::tempdir().expect("a directory");
    for said in [
        "{\"action\":\"dance\"}",
        "hello",
        "{\"action\":\"checkpoint\",\"error\":null}",
    ] {
        let mut daemon = Daemon::start(dir.path());
        writeln!(daemon.to.as_mut().expect("open"), "{said}").expect("the child reads");
        assert!(!daemon.end(), "{said}");
    }
}

impl Daemon {
    /// The echo of a checkpoint, after which the status is due.
    fn ask_echo(&mut self, echo: &Value, status: &str) {
        self.tell(echo);
        assert_eq!(self.hear(), json!({"action": "status", "responseFor": status}));
    }
}
