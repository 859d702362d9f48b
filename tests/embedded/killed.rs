//! The real program, killed with -9 at random moments and started again on the same data.
//!
//! Afterwards ledger and network ACLs agree, nothing is blocked twice, and nothing that was acknowledged on standard
//! output is lost. The seed is printed; `PORTCULLIS_SEED=n` repeats it (the moments still depend on the machine).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use portcullis::config::Config;
use portcullis::ledger::{Filter, Ledger};
use portcullis::respond::{open_embedded, verify};
use serde_json::Value;

use crate::harness::findings::{Kind, finding};

/// Times the program is killed.
const KILLS: usize = 100;

/// Findings that each life is given beside those that the lives before did not acknowledge.
const EACH: usize = 6;

/// The lives together take at most this long; half a minute is usual.
const AT_MOST: Duration = Duration::from_secs(600);

const SETTINGS: &str = "[policy]\nmode = \"enforce\"\n\n[policy.limits]\nevictions_per_hour = 100\n";

/// Small and good enough to choose moments.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }
}

/// What is still to be acknowledged, and what was.
#[derive(Default)]
struct Feed {
    waiting: VecDeque<(String, Vec<u8>)>,
    acknowledged: BTreeMap<String, Vec<Value>>,
    made: usize,
}

impl Feed {
    fn add(&mut self, now: DateTime<Utc>) {
        for _ in 0..EACH {
            let id = format!("f{}", self.made);
            // 120 attackers, so that addresses come back after their eviction.
            let address = format!("185.220.{}.{}", 100 + self.made % 4, 1 + (self.made / 4) % 30);
            let at = now - TimeDelta::seconds(5);
            let kind = if self.made.is_multiple_of(3) {
                Kind::Outbound
            } else {
                Kind::Inbound
            };
            let record = finding(&id, kind, &[address], &["subnet-a".to_owned()], at, at);
            self.waiting.push_back((id, record));
            self.made += 1;
        }
    }

    /// Whole lines only: a line that was cut by the kill acknowledges nothing.
    fn acknowledge(&mut self, lines: Vec<String>) {
        for line in lines {
            let Ok(value) = serde_json::from_str::<Value>(&line) else {
                continue;
            };
            let id = value["finding"].as_str().unwrap_or_default().to_owned();
            self.waiting.retain(|(waiting, _)| *waiting != id);
            self.acknowledged.entry(id).or_default().push(value);
        }
    }
}

fn start(dir: &Path, now: DateTime<Utc>) -> Child {
    Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(["respond", "--apply", "--json", "--data", "data", "--now"])
        .arg(now.to_rfc3339_opts(SecondsFormat::Secs, true))
        .current_dir(dir)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts")
}

/// One life: fed everything that waits, killed after `patience` unless that is `None`; returns what it printed.
fn live(dir: &Path, feed: &Feed, now: DateTime<Utc>, patience: Option<Duration>) -> (Vec<String>, bool) {
    let mut child = start(dir, now);
    let mut stdin = child.stdin.take().expect("piped");
    let stdout = child.stdout.take().expect("piped");
    let mut input = Vec::new();
    for (_, record) in &feed.waiting {
        input.extend_from_slice(record);
        input.push(b'\n');
    }
    // The killed program closes the pipe before it has read everything.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let reader = std::thread::spawn(move || BufReader::new(stdout).lines().map_while(Result::ok).collect::<Vec<_>>());
    if let Some(patience) = patience {
        std::thread::sleep(patience);
        // It may be done already: then this life ends well.
        drop(child.kill());
    }
    let status = child.wait().expect("the program ends");
    writer.join().expect("the writer ends");
    (reader.join().expect("the reader ends"), status.success())
}

#[test]
fn nothing_is_lost_nor_doubled_when_the_program_is_killed_a_hundred_times() {
    let seed = std::env::var("PORTCULLIS_SEED").ok().and_then(|seed| seed.parse().ok());
    let clock = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock after 1970");
    let seed: u64 = seed.unwrap_or(u64::from(clock.subsec_nanos()));
    println!("PORTCULLIS_SEED={seed}");
    let mut random = SplitMix(seed);
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("portcullis.toml"), SETTINGS).expect("settings");
    let mut now: DateTime<Utc> = "2026-11-20T12:00:00Z".parse().expect("a time");
    let mut feed = Feed::default();

    feed.add(now);
    let began = Instant::now();
    let (lines, well) = live(dir.path(), &feed, now, None);
    assert!(well, "the program works when left alone");
    feed.acknowledge(lines);
    let mut whole = began.elapsed();

    let mut kills = 0;
    while kills < KILLS && began.elapsed() < AT_MOST {
        now += TimeDelta::minutes(7);
        feed.add(now);
        let patience = Duration::from_micros(random.below(whole.as_micros() as u64 * 5 / 4));
        let started = Instant::now();
        let (lines, well) = live(dir.path(), &feed, now, Some(patience));
        feed.acknowledge(lines);
        if well {
            whole = (whole + started.elapsed()) / 2;
        } else {
            kills += 1;
        }
    }
    assert_eq!(
        kills, KILLS,
        "the program was not killed often enough within {AT_MOST:?}"
    );
    now += TimeDelta::minutes(7);
    let (lines, well) = live(dir.path(), &feed, now, None);
    assert!(well, "the program works after {kills} kills");
    feed.acknowledge(lines);
    assert!(
        feed.waiting.is_empty(),
        "{} findings were never acknowledged",
        feed.waiting.len()
    );
    check(dir.path(), &feed, now);
}

fn check(dir: &Path, feed: &Feed, now: DateTime<Utc>) {
    let config: Config = toml::from_str(SETTINGS).expect("settings");
    let responder = open_embedded(&dir.join("data"), config.policy, true).expect("the data opens");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let ledger = responder.ledger();
        assert_eq!(ledger.pending(now).await.expect("a ledger"), [], "nothing is pending");
        let wrong = verify(ledger, responder.network_acls(), responder.policy()).await;
        assert_eq!(wrong.expect("both stores"), Vec::<String>::new());

        let audit = ledger.audit(0, usize::MAX).await.expect("an audit");
        let mut decided: BTreeMap<&str, usize> = BTreeMap::new();
        for row in audit
            .iter()
            .filter(|row| row.event.word() == "decided" && row.reason != "duplicate")
        {
            *decided.entry(row.finding.as_deref().unwrap_or_default()).or_default() += 1;
        }
        for (id, count) in &decided {
            assert_eq!(*count, 1, "{id} was decided on {count} times");
        }
        let rows = ledger.entries(Filter::All).await.expect("entries");
        let known: BTreeSet<String> = rows.iter().map(|row| row.cidr.addr().to_string()).collect();
        for (id, lines) in &feed.acknowledged {
            assert!(decided.contains_key(id.as_str()), "{id} was acknowledged and is lost");
            for line in lines.iter().filter(|line| line["decision"] == "block") {
                assert!(
                    known.contains(line["address"].as_str().unwrap_or_default()),
                    "{line} is lost"
                );
            }
        }
        let status = responder.status(now).await.expect("a status");
        assert!(
            status.blocked > 20 && status.evicted > 10,
            "{} blocked, {} evicted",
            status.blocked,
            status.evicted
        );
        println!(
            "{} findings, {} blocked, {} evicted",
            feed.made, status.blocked, status.evicted
        );
    });
}
