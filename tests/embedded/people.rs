//! People in the loop: `block`, `unblock`, `allow`, with guards, audit and the way back.

use std::io::{Read, Write};
use std::path::Path;

use crate::program::{Run, portcullis, portcullis_with};
use crate::respond::{NOW, finding};

/// A data directory in which one network ACL is known and 185.220.101.4 is denied on it.
fn with_one_block() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let input = format!("{}\n", finding("f1", "185.220.101.4"));
    portcullis(
        dir.path(),
        &["respond", "--now", NOW, "--apply", "--data", "data"],
        input.as_bytes(),
    )
    .ended(0);
    dir
}

fn run(dir: &Path, arguments: &[&str]) -> Run {
    portcullis(dir, &[arguments, &["--data", "data"]].concat(), b"")
}

fn denied(dir: &Path) -> Vec<String> {
    let lines = run(dir, &["list", "--json"]).ended(0).lines();
    lines
        .iter()
        .map(|line| line["cidr"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn a_person_blocks_and_unblocks_and_both_are_audited() {
    let dir = with_one_block();
    let dir = dir.path();
    let blocked = run(
        dir,
        &["block", "45.83.64.9", "--reason", "ticket 4711", "--until", "24h"],
    )
    .ended(0);
    assert!(blocked.out.contains("denied 45.83.64.9 on acl-"), "{}", blocked.out);
    assert!(
        blocked.err.contains("portcullis unblock 45.83.64.9 --reason"),
        "{}",
        blocked.err
    );
    assert_eq!(denied(dir), ["185.220.101.4/32", "45.83.64.9/32"]);
    let again = run(dir, &["block", "45.83.64.9", "--reason", "twice"]).ended(0);
    assert!(again.out.contains("already_blocked"), "{}", again.out);

    let unblocked = run(
        dir,
        &["unblock", "45.83.64.9", "--reason", "a mistake", "--who", "grace"],
    )
    .ended(0);
    assert!(
        unblocked.out.contains("unblocked 45.83.64.9 on acl-"),
        "{}",
        unblocked.out
    );
    assert!(
        unblocked.err.contains("portcullis block 45.83.64.9 --reason"),
        "{}",
        unblocked.err
    );
    assert_eq!(denied(dir), ["185.220.101.4/32"]);

    let audit = run(dir, &["list", "--audit", "--json"]).ended(0).lines();
    let by = |who: &str, reason: &str| audit.iter().any(|row| row["who"] == who && row["reason"] == reason);
    assert!(by("ada@desk", "ticket 4711"), "{audit:#?}");
    assert!(by("grace", "a mistake"), "{audit:#?}");
}

#[test]
fn the_guards_bind_a_person_too() {
    let dir = with_one_block();
    for (network, word) in [
        ("10.0.0.1", "private"),
        ("0.0.0.0/0", "too_wide"),
        ("203.0.113.9", "documentation"),
        ("fe80::1", "link_local"),
    ] {
        let refused = run(dir.path(), &["block", network, "--reason", "test"]).ended(1);
        assert!(refused.err.contains(word), "{network}: {}", refused.err);
    }
    assert_eq!(denied(dir.path()), ["185.220.101.4/32"]);
}

#[test]
fn a_dry_run_touches_nothing() {
    let dir = with_one_block();
    let dir = dir.path();
    let audit = |dir| run(dir, &["list", "--audit", "--json"]).ended(0).out;
    let before = audit(dir);
    for arguments in [
        ["block", "45.83.64.9", "--reason", "x", "--dry-run"].as_slice(),
        &["unblock", "185.220.101.4", "--reason", "x", "--dry-run"],
        &["unblock", "--all", "--reason", "x", "--dry-run"],
        &["allow", "add", "185.220.101.4", "--reason", "x", "--dry-run"],
    ] {
        let dry = run(dir, arguments).ended(0);
        assert!(dry.out.contains("would "), "{arguments:?}: {}", dry.out);
    }
    assert_eq!(audit(dir), before);
    assert_eq!(denied(dir), ["185.220.101.4/32"]);
}

#[test]
fn an_unblocked_address_is_held_off_and_unblock_all_takes_everything() {
    let dir = with_one_block();
    let dir = dir.path();
    run(dir, &["unblock", "--all", "--reason", "too many"]).ended(0);
    assert!(denied(dir).is_empty());
    // The same attacker in a newer finding: a person's word holds.
    let newer = format!("{}\n", finding("f9", "185.220.101.4"));
    portcullis(
        dir,
        &["respond", "--now", NOW, "--apply", "--data", "data"],
        newer.as_bytes(),
    )
    .ended(0);
    assert!(denied(dir).is_empty());
}

#[test]
fn an_allowed_address_is_freed_and_never_blocked_until_removed() {
    let dir = with_one_block();
    let dir = dir.path();
    let added = run(
        dir,
        &[
            "allow",
            "add",
            "185.220.101.0/24",
            "--until",
            "7d",
            "--reason",
            "our scanner",
        ],
    )
    .ended(0);
    assert!(added.out.contains("unblocked 185.220.101.4 on acl-"), "{}", added.out);
    assert!(denied(dir).is_empty());
    let refused = run(dir, &["block", "185.220.101.9", "--reason", "x"]).ended(1);
    assert!(refused.err.contains("allow_listed"), "{}", refused.err);
    let list = run(dir, &["allow", "list", "--json"]).ended(0).lines();
    assert_eq!(list[0]["cidr"], "185.220.101.0/24");
    assert_eq!(list[0]["active"], true);
    assert_eq!(list[0]["reason"], "our scanner");
    let human = run(dir, &["allow", "list"]).ended(0);
    assert!(human.out.contains("our scanner"), "{}", human.out);
    run(dir, &["allow", "remove", "185.220.101.0/24", "--reason", "over"]).ended(0);
    run(dir, &["allow", "remove", "185.220.101.0/24", "--reason", "over"]).ended(1);
    run(dir, &["block", "185.220.101.9", "--reason", "x"]).ended(0);
}

#[test]
fn wrong_usage_is_told_with_its_remedy() {
    let dir = tempfile::tempdir().expect("a directory");
    for (arguments, remedy) in [
        (["block", "45.83.64.9"].as_slice(), "--reason"),
        (&["block", "45.83.64.9/24", "--reason", "x"], "45.83.64.0/24"),
        (&["block", "example.org", "--reason", "x"], "write an address"),
        (&["block", "45.83.64.9", "--reason", " "], "a few words"),
        (
            &[
                "block",
                "45.83.64.9",
                "--reason",
                "x",
                "--until",
                "2020-01-01T00:00:00Z",
            ],
            "has passed",
        ),
        (&["unblock", "--reason", "x"], "<IP|--all>"),
        (&["unblock", "45.83.64.9", "--all", "--reason", "x"], "--all"),
        (&["allow", "add", "0.0.0.0/0", "--reason", "x"], "shadow"),
        (&["list"], "--data"),
        (&["status"], "--data"),
        (&["list", "--all", "--audit"], "--audit"),
    ] {
        let wrong = run(dir.path(), arguments).ended(2);
        assert!(wrong.err.contains(remedy), "{arguments:?}: {}", wrong.err);
    }
}

/// Takes one request whose body is a message, and says ok.
fn one_message(listener: &std::net::TcpListener) -> String {
    let (mut stream, _) = listener.accept().expect("a connection");
    let mut asked = Vec::new();
    let mut buffer = [0; 4096];
    while !asked.ends_with(b"]}]}") {
        let read = stream.read(&mut buffer).expect("a request");
        assert_ne!(read, 0, "{}", String::from_utf8_lossy(&asked));
        asked.extend_from_slice(&buffer[..read]);
    }
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
    stream.write_all(answer).expect("an answer");
    String::from_utf8_lossy(&asked).into_owned()
}

#[test]
fn what_a_person_does_is_told_on_slack_and_the_webhook_never_shown() {
    let dir = with_one_block();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let webhook = format!("http://{}/services/hush", listener.local_addr().expect("an address"));
    let server = std::thread::spawn(move || {
        let mut messages = vec![one_message(&listener)];
        while !messages.iter().any(|asked| asked.contains("Unblocked")) {
            messages.push(one_message(&listener));
        }
        messages
    });
    let environment = [("PORTCULLIS_SLACK_WEBHOOK", webhook.as_str())];
    let arguments = [
        "-vv",
        "unblock",
        "185.220.101.4",
        "--reason",
        "our own scanner",
        "--data",
        "data",
    ];
    let run = portcullis_with(dir.path(), &arguments, b"", &environment).ended(0);
    let messages = server.join().expect("the server ends");
    assert!(messages[0].starts_with("POST /services/hush "), "{}", messages[0]);
    assert!(messages[0].contains("Blocked 185.220.101.4"), "{}", messages[0]);
    let last = &messages[messages.len() - 1];
    assert!(
        last.contains("Unblocked 185.220.101.4") && last.contains("our own scanner"),
        "{last}"
    );
    assert!(!run.err.contains("hush") && !run.out.contains("hush"), "{}", run.err);
}

#[test]
fn a_webhook_that_cannot_be_used_is_a_usage_error_without_its_text() {
    let dir = with_one_block();
    let environment = [("PORTCULLIS_SLACK_WEBHOOK", "http://hooks.example/hush")];
    let arguments = ["unblock", "185.220.101.4", "--reason", "x", "--data", "data"];
    let run = portcullis_with(dir.path(), &arguments, b"", &environment).ended(2);
    assert_eq!(
        denied(dir.path()),
        ["185.220.101.4/32"],
        "nothing is done before the usage is right"
    );
    assert!(
        run.err.contains("PORTCULLIS_SLACK_WEBHOOK") && run.err.contains("https://"),
        "{}",
        run.err
    );
    assert!(!run.err.contains("hush"), "{}", run.err);
}
