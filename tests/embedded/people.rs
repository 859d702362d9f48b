//! People in the loop: `block`, `unblock`, `allow`, with guards, audit and the way back.

use std::path::Path;

use crate::program::{Run, portcullis};
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
        ("2a02:c207::1", "ipv6"),
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
        (&["unblock", "--reason", "x"], "<IP>"),
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
