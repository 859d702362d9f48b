//! The real program on a real stream: split and merged under it, killed, and run twice by mistake.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use chrono::Utc;
use portcullis::ledger::{Filter, Ledger};
use portcullis::respond::policy::Policy;
use portcullis::respond::{Embedded, open_embedded, verify};

use crate::findings::{Kind, finding, inbound};
use crate::kinesis::Stream;
use crate::slack::Webhook;

const PATIENCE: Duration = Duration::from_secs(60);

/// A program that reads the stream; killed with -9 when it is dropped.
pub(crate) struct Consumer {
    process: Child,
    /// Of its metrics, or its pages; empty where nobody waited for it.
    address: String,
}

impl Drop for Consumer {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Consumer {
    fn start(dir: &Path, stream: &Stream, webhook: Option<&Webhook>) -> Self {
        let known = stream.environment();
        let mut environment: Vec<(&str, &str)> = known.iter().map(|(name, value)| (*name, value.as_str())).collect();
        if let Some(webhook) = webhook {
            environment.push(("PORTCULLIS_SLACK_WEBHOOK", &webhook.url));
        }
        Self::with(dir, &environment)
    }

    /// A consumer with these variables and no others.
    fn with(dir: &Path, environment: &[(&str, &str)]) -> Self {
        Self::run(
            dir,
            &["consume", "--metrics", "127.0.0.1:0"],
            "portcullis: metrics on ",
            environment,
        )
    }

    /// The same, without waiting for a word of it.
    pub(crate) fn begin(dir: &Path, environment: &[(&str, &str)]) -> Self {
        let mut command = Self::command(dir, &["consume"], environment);
        let process = command.stderr(Stdio::null()).spawn().expect("the program starts");
        Self {
            process,
            address: String::new(),
        }
    }

    fn command(dir: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        command
            .args(arguments)
            .args(["--stream", "findings", "--from", "TRIM_HORIZON"])
            .current_dir(dir)
            .env_clear()
            .envs(environment.iter().copied())
            .env("PORTCULLIS__POLICY__LIMITS__EVICTIONS_PER_HOUR", "3600")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command
    }

    /// A command that reads the stream and says on which address it listens.
    fn run(dir: &Path, arguments: &[&str], says: &str, environment: &[(&str, &str)]) -> Self {
        Self::listening(Self::command(dir, arguments, environment), says)
    }

    /// This command, once it has said on which address it listens.
    pub(crate) fn listening(mut command: Command, says: &str) -> Self {
        let mut process = command.stderr(Stdio::piped()).spawn().expect("the program starts");
        let mut log = BufReader::new(process.stderr.take().expect("piped"));
        let mut address = None;
        let mut told = String::new();
        while address.is_none() {
            let mut line = String::new();
            assert!(log.read_line(&mut line).expect("text") > 0, "it ended: {told}");
            let said = line.trim().strip_prefix(says);
            let said = said.and_then(|rest| rest.split(',').next());
            address = said.map(|address| address.trim_end_matches("/metrics").to_owned());
            told.push_str(&line);
        }
        // The rest is read, or the pipe would fill.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self {
            process,
            address: address.expect("an address"),
        }
    }

    async fn page(&self, path: &str) -> String {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let asked = client.get(format!("{}{path}", self.address)).send();
        asked.await.expect("an answer").text().await.expect("text")
    }

    pub(crate) async fn metric(&self, name: &str) -> u64 {
        let text = self.page("/metrics").await;
        let lines = text.lines().filter(|line| line.starts_with(name));
        lines
            .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
            .sum()
    }

    /// Asks it to stop as a service manager does; how long that took.
    pub(crate) fn stop(mut self) -> Duration {
        let began = Instant::now();
        let asked = Command::new("kill")
            .args(["-TERM", &self.process.id().to_string()])
            .status();
        assert!(asked.expect("kill").success());
        let status = self.process.wait().expect("an end");
        assert!(matches!(status.code(), Some(0 | 3)), "{status}");
        began.elapsed()
    }
}

fn ledger(dir: &Path) -> Embedded {
    open_embedded(&dir.join("portcullis-data"), Policy::default(), true).expect("the ledger")
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < deadline, "not within a minute: {what}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn findings(ledger: &Embedded) -> u64 {
    ledger.ledger().counts().await.expect("counts").findings
}

#[tokio::test]
async fn a_probe_of_three_addresses_becomes_three_entries_and_one_message_and_the_same_again_changes_nothing_but_hits()
{
    let dir = tempfile::tempdir().expect("a folder");
    let stream = Stream::start(1).await;
    let webhook = Webhook::start(3);
    let now = Utc::now();
    let addresses = ["185.220.101.4", "185.220.101.5", "185.220.101.6"].map(str::to_owned);
    let probe = finding("f1", Kind::Probe, &addresses, &["subnet-a".to_owned()], now, now);
    stream.put("key", &probe).await;
    let consumer = Consumer::start(dir.path(), &stream, Some(&webhook));
    let ledger = ledger(dir.path());
    until("three entries stand", async || {
        let entries = ledger.ledger().entries(Filter::Active).await.expect("entries");
        entries.len() == 3 && entries.iter().all(|row| row.state.name() == "applied")
    })
    .await;
    until("one message", async || webhook.messages().len() == 1).await;
    let text = webhook.messages()[0].to_string();
    assert!(addresses.iter().all(|address| text.contains(address)), "{text}");

    let again = finding(
        "f1",
        Kind::Probe,
        &addresses,
        &["subnet-a".to_owned()],
        now + chrono::TimeDelta::minutes(5),
        now,
    );
    stream.put("key", &probe).await;
    stream.put("key", &again).await;
    until("both were read", async || {
        consumer.metric("portcullis_stream_records_total").await == 3
    })
    .await;
    until("hits", async || {
        let entries = ledger.ledger().entries(Filter::All).await.expect("entries");
        assert_eq!(entries.len(), 3);
        entries.iter().all(|row| row.hits == 2)
    })
    .await;
    assert_eq!(webhook.messages().len(), 1);
    assert_eq!(consumer.metric("portcullis_up").await, 1);
    assert_eq!(consumer.metric("portcullis_stream_behind_milliseconds").await, 0);
    let took = consumer.stop();
    assert!(took < Duration::from_secs(5), "{took:?}");
    let problems = verify(ledger.ledger(), ledger.network_acls(), ledger.policy())
        .await
        .expect("a comparison");
    assert!(problems.is_empty(), "{problems:?}");
}

#[tokio::test]
async fn nothing_is_lost_nor_doubled_when_shards_split_and_merge_under_two_consumers_that_are_killed() {
    const EACH: u64 = 40;
    let dir = tempfile::tempdir().expect("a folder");
    let stream = Stream::start(2).await;
    let ledger = ledger(dir.path());
    let mut consumers = [
        Consumer::start(dir.path(), &stream, None),
        Consumer::start(dir.path(), &stream, None),
    ];
    let mut n = 0;
    for round in 0..6 {
        let records: Vec<Vec<u8>> = (0..EACH)
            .map(|_| {
                n += 1;
                inbound(&format!("f{n}"), format!("185.{}.{}.7", 100 + n / 250, n % 250))
            })
            .collect();
        stream.put_all(&records).await;
        match round {
            1 | 2 => stream.split().await,
            3 => stream.merge().await,
            _ => {}
        }
        tokio::time::sleep(Duration::from_millis(700)).await;
        let at = round % 2;
        // Dropping kills with -9.
        consumers[at] = Consumer::start(dir.path(), &stream, None);
    }
    let aggregated = include_str!("../../src/consume/kinesis/aggregated.hex").trim();
    let aggregated: Vec<u8> = (0..aggregated.len() / 2)
        .map(|at| u8::from_str_radix(&aggregated[2 * at..2 * at + 2], 16).expect("digits"))
        .collect();
    stream.put("key", &aggregated).await;
    until("everything was read", async || findings(&ledger).await == n).await;
    // `one` and `two`; the third holds nothing.
    until("what was put together was taken apart", async || {
        ledger.ledger().unreadable(10).await.expect("rows").len() == 2
    })
    .await;
    for consumer in consumers {
        let took = consumer.stop();
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
    assert_eq!(
        findings(&ledger).await,
        n,
        "each is processed once, however often it was read"
    );
    let problems = verify(ledger.ledger(), ledger.network_acls(), ledger.policy())
        .await
        .expect("a comparison");
    assert!(problems.is_empty(), "{problems:?}");
}

#[tokio::test]
async fn serve_takes_the_same_stream_and_shows_what_came_on_it_and_what_was_done() {
    let dir = tempfile::tempdir().expect("a folder");
    let stream = Stream::start(1).await;
    let now = Utc::now();
    let addresses = ["185.220.101.4".to_owned()];
    let probe = finding("f1", Kind::Probe, &addresses, &["subnet-a".to_owned()], now, now);
    stream.put("key", &probe).await;
    let known = stream.environment();
    let environment: Vec<(&str, &str)> = known.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    let serve = Consumer::run(dir.path(), &serve, "portcullis: pages on ", &environment);
    for path in ["/search?source=guardduty", "/search?source=response"] {
        until(path, async || serve.page(path).await.contains(&addresses[0])).await;
    }
    assert_eq!(serve.metric("portcullis_stream_records_total").await, 1);
    assert_eq!(serve.metric("portcullis_stream_received_total").await, 1);
    assert!(serve.stop() < Duration::from_secs(5));
}
