//! `portcullis serve` on files and standard input: what was read is searchable and decided on, and a crash costs nothing.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};

use crate::harness::findings::{Kind, finding};
use crate::program::portcullis;

/// Longer than any step takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// `serve` running in a directory, killed when dropped.
struct Served {
    child: Child,
    address: String,
}

impl Served {
    fn start(dir: &Path, stdin: Stdio) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_portcullis"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .current_dir(dir)
            .env_clear()
            .stdin(stdin)
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut told = BufReader::new(child.stderr.take().expect("standard error is piped")).lines();
        let address = told
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| Some(line.split_once("http://")?.1.split(',').next()?.to_owned()))
            .expect("it says where the pages are");
        // Whatever else it says must not fill the pipe.
        thread::spawn(move || told.count());
        Self { child, address }
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("the pages are there");
        let host = &self.address;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        )
        .expect("it listens");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers in UTF-8");
        answer
    }

    /// Waits until a search for `query` finds exactly so many documents.
    fn finds(&self, query: &str, wanted: usize) {
        let began = Instant::now();
        loop {
            let page = self.get(&format!("/search?q={query}&range=7d"));
            let found = page.matches("href=\"/document/").count();
            if found == wanted {
                return;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "{found} instead of {wanted} for {query}: {page}"
            );
            thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.child
            .kill()
            .and_then(|()| self.child.wait())
            .expect("it can be killed");
    }
}

fn ssh_brute_force(id: &str, address: &str) -> Vec<u8> {
    let now = Utc::now();
    let subnets = ["subnet-0a1b2c3d4e5f60718".to_owned()];
    let mut line = finding(
        id,
        Kind::Inbound,
        &[address.to_owned()],
        &subnets,
        now,
        now - TimeDelta::minutes(2),
    );
    line.push(b'\n');
    line
}

fn flow(source: &str) -> String {
    let now = Utc::now().timestamp();
    format!(
        "2 111122223333 eni-0123456789abcdef0 {source} 10.0.0.5 40000 22 6 3 180 {} {now} ACCEPT OK\n",
        now - 60
    )
}

fn set_up(mode: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let settings = format!(
        "data = \"data\"\n[policy]\nmode = \"{mode}\"\n\
         [[sources]]\npath = \"findings.ndjson\"\nsource = \"guardduty\"\nfollow = true\n\
         [[sources]]\npath = \"flows/*.log\"\nsource = \"auto\"\nfollow = true\n"
    );
    fs::write(dir.path().join("portcullis.toml"), settings).expect("settings");
    fs::create_dir(dir.path().join("flows")).expect("a folder");
    dir
}

fn entries(dir: &Path) -> usize {
    portcullis(dir, &["list", "--json", "--data", "data"], b"")
        .ended(0)
        .lines()
        .len()
}

#[test]
fn files_are_followed_and_a_crash_neither_loses_nor_doubles_a_record() {
    let dir = set_up("enforce");
    let mut findings = File::create(dir.path().join("findings.ndjson")).expect("a file");
    let mut flows = File::create(dir.path().join("flows/first.log")).expect("a file");
    findings.write_all(&ssh_brute_force("a", "45.83.64.11")).expect("room");
    flows.write_all(flow("45.83.64.11").as_bytes()).expect("room");

    let served = Served::start(dir.path(), Stdio::null());
    served.finds("event.dataset:aws.guardduty", 1);
    served.finds("event.dataset:aws.vpcflow", 1);
    assert_eq!(entries(dir.path()), 1, "the address is denied");
    findings.write_all(b"not a finding\n").expect("room");
    findings.write_all(&ssh_brute_force("b", "45.83.64.12")).expect("room");
    served.finds("event.dataset:aws.guardduty", 2);
    drop(served);

    flows.write_all(flow("45.83.64.12").as_bytes()).expect("room");
    fs::write(dir.path().join("flows/second.log"), flow("45.83.64.13")).expect("room");
    fs::remove_file(dir.path().join("data/positions.json")).expect("positions were saved");
    let served = Served::start(dir.path(), Stdio::null());
    served.finds("event.dataset:aws.vpcflow", 3);
    served.finds("event.dataset:aws.guardduty", 2);
    assert_eq!(entries(dir.path()), 2, "reading everything again denies nothing twice");
    let status = portcullis(dir.path(), &["status", "--json", "--data", "data"], b"").ended(0);
    assert_eq!(status.lines()[0]["blocked"], 2, "{}", status.out);
}

#[test]
fn standard_input_is_read_in_shadow_mode_and_nothing_is_touched() {
    let dir = set_up("shadow");
    fs::write(dir.path().join("portcullis.toml"), "data = \"data\"\n").expect("settings");
    let mut served = Served::start(dir.path(), Stdio::piped());
    let mut stdin = served.child.stdin.take().expect("standard input is piped");
    stdin.write_all(&ssh_brute_force("a", "45.83.64.11")).expect("it reads");
    stdin.flush().expect("it reads");
    served.finds("event.dataset:aws.guardduty", 1);
    let page = served.get("/response");
    assert!(page.contains("SHADOW"), "the mode stands on the page");
    assert_eq!(entries(dir.path()), 0, "shadow mode denies nothing");
    let decided = portcullis(dir.path(), &["list", "--audit", "--json", "--data", "data"], b"").ended(0);
    assert!(decided.out.contains("\"shadow\""), "{}", decided.out);
}

#[test]
#[cfg(unix)]
fn asked_to_stop_it_ends_cleanly_within_seconds() {
    let dir = set_up("shadow");
    let mut served = Served::start(dir.path(), Stdio::null());
    let asked = Command::new("kill")
        .arg(served.child.id().to_string())
        .status()
        .expect("kill runs");
    assert!(asked.success());
    let began = Instant::now();
    while served.child.try_wait().expect("it can be asked").is_none() {
        assert!(began.elapsed() < PATIENCE, "it goes on");
        thread::sleep(Duration::from_millis(50));
    }
    let status = served.child.wait().expect("it ended");
    assert_eq!(status.code(), Some(0));
}
