//! `respond`: deciding touches nothing, applying is durable, bad records are refused alone.

use serde_json::{Value, json};

use crate::program::{Run, portcullis};

/// The moment that the findings below are of.
pub(crate) const NOW: &str = "2026-11-20T12:00:00Z";

/// An SSH brute force from this address, as `EventBridge` delivers it.
pub(crate) fn finding(id: &str, address: &str) -> Value {
    json!({"version": "0", "detail-type": "GuardDuty Finding", "source": "aws.guardduty", "account": "111122223333",
        "region": "eu-west-1", "time": "2026-11-20T11:55:00Z", "detail": {
        "schemaVersion": "2.0", "accountId": "111122223333", "region": "eu-west-1", "partition": "aws", "id": id,
        "arn": format!("arn:aws:guardduty:eu-west-1:111122223333:detector/d/finding/{id}"),
        "type": "UnauthorizedAccess:EC2/SSHBruteForce", "severity": 2, "title": "Brute force", "description": "Someone tries.",
        "createdAt": "2026-11-20T11:00:00Z", "updatedAt": "2026-11-20T11:55:00Z",
        "resource": {"resourceType": "Instance", "instanceDetails": {"instanceId": "i-1",
            "networkInterfaces": [{"subnetId": "subnet-a", "vpcId": "vpc-1"}]}},
        "service": {"resourceRole": "TARGET", "archived": false, "count": 3, "eventLastSeen": "2026-11-20T11:50:00Z",
            "action": {"actionType": "NETWORK_CONNECTION", "networkConnectionAction": {"connectionDirection": "INBOUND",
                "protocol": "TCP", "blocked": false, "remoteIpDetails": {"ipAddressV4": address,
                "organization": {"asn": "64500", "asnOrg": "Example"}, "country": {"countryName": "Netherlands"}}}}}}})
}

fn ndjson(findings: &[Value]) -> Vec<u8> {
    findings
        .iter()
        .map(|finding| format!("{finding}\n"))
        .collect::<String>()
        .into_bytes()
}

fn respond(dir: &std::path::Path, more: &[&str], input: &[u8]) -> Run {
    portcullis(dir, &[&["respond", "--now", NOW], more].concat(), input)
}

#[test]
fn deciding_prints_one_line_per_address_and_touches_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let input = ndjson(&[finding("f1", "185.220.101.4"), finding("f2", "10.0.0.9")]);
    let run = respond(dir.path(), &["--json"], &input).ended(0);
    let expected = json!({"finding": "f1", "type": "UnauthorizedAccess:EC2/SSHBruteForce", "address": "185.220.101.4",
        "decision": "block", "reason": "matched", "direction": ["ingress"], "subnets": ["subnet-a"]});
    assert_eq!(run.lines()[0], expected);
    assert_eq!(run.lines()[1]["reason"], "private");
    assert_eq!(run.lines()[1]["direction"], json!([]));
    assert!(run.err.is_empty(), "{}", run.err);
    let left = std::fs::read_dir(dir.path()).expect("the directory").count();
    assert_eq!(left, 0, "deciding made files");
}

#[test]
fn a_bad_record_is_refused_alone_with_file_line_and_remedy() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut input = ndjson(&[finding("f1", "185.220.101.4")]);
    input.extend_from_slice(b"\xff\xfe binary\n{\"a\":1}\n");
    input.extend_from_slice("[".repeat(10_000).as_bytes());
    input.push(b'\n');
    input.extend_from_slice("x".repeat(10 << 20).as_bytes());
    input.push(b'\n');
    input.extend_from_slice(&ndjson(&[finding("f2", "185.220.101.5")]));
    let path = dir.path().join("findings.jsonl");
    std::fs::write(&path, &input).expect("a file");
    let run = respond(dir.path(), &["--json", "findings.jsonl"], b"").ended(3);
    let ids: Vec<Value> = run.lines().iter().map(|line| line["finding"].clone()).collect();
    assert_eq!(ids, ["f1", "f2"]);
    let refused: Vec<Value> = run
        .err
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let told: Vec<(&str, u64, &str)> = refused
        .iter()
        .map(|line| &line["refused"])
        .map(|line| {
            let text = |key: &str| line[key].as_str().unwrap_or_default();
            assert!(!text("remedy").is_empty(), "{line}");
            (text("file"), line["line"].as_u64().unwrap_or_default(), text("reason"))
        })
        .collect();
    let file = "findings.jsonl";
    assert_eq!(
        told,
        [
            (file, 2, "syntax"),
            (file, 3, "wrong_source"),
            (file, 4, "depth"),
            (file, 5, "size")
        ]
    );
    let human = respond(dir.path(), &["findings.jsonl"], b"").ended(3);
    assert!(human.err.contains("findings.jsonl:2: refused: "), "{}", human.err);
    assert!(
        human.out.lines().all(|line| line.chars().count() <= 80),
        "{}",
        human.out
    );
}

#[test]
fn garbage_alone_is_refused_in_bounded_words() {
    let dir = tempfile::tempdir().expect("a directory");
    let garbage: Vec<u8> = (0..200_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let run = respond(dir.path(), &[], &garbage).ended(3);
    assert!(run.out.is_empty(), "{}", run.out);
    assert!(run.err.len() < 20_000, "{} bytes of refusals", run.err.len());
}

#[test]
fn a_policy_that_cannot_work_is_a_usage_error_that_names_the_key() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("portcullis.toml"), "[policy.limits]\nlast_rule = 75\n").expect("a file");
    let run = respond(dir.path(), &[], b"").ended(2);
    assert!(run.err.contains("policy.limits.last_rule"), "{}", run.err);
}

#[test]
fn applying_is_listed_and_applying_again_changes_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let input = ndjson(&[finding("f1", "185.220.101.4"), finding("f2", "10.0.0.9")]);
    let run = respond(dir.path(), &["--apply", "--data", "data", "--json"], &input).ended(0);
    assert_eq!(run.lines()[0]["decision"], "block");
    let list =
        |more: &[&str]| portcullis(dir.path(), &[&["list", "--data", "data", "--json"], more].concat(), b"").ended(0);
    let entries = list(&[]).lines();
    assert_eq!(entries.len(), 1, "{entries:?}");
    assert_eq!(entries[0]["cidr"], "185.220.101.4/32");
    assert_eq!(entries[0]["state"], "applied");
    assert_eq!(entries[0]["rule"], 71);
    assert_eq!(entries[0]["direction"], "ingress");
    assert_eq!(entries[0]["findings"], json!(["f1"]));
    assert_eq!(entries[0]["account"], "111122223333");
    respond(dir.path(), &["--apply", "--data", "data"], &input).ended(0);
    assert_eq!(list(&[]).lines(), entries);
    let audit = list(&["--audit"]).out;
    assert!(!audit.is_empty());
    // Without --apply the ledger is asked and left alone.
    let again = [
        finding("f1", "185.220.101.4"),
        finding("f3", "185.220.101.4"),
        finding("f4", "45.83.64.9"),
    ];
    let preview = respond(dir.path(), &["--data", "data", "--json"], &ndjson(&again))
        .ended(0)
        .lines();
    let reasons: Vec<&str> = preview.iter().filter_map(|line| line["reason"].as_str()).collect();
    assert_eq!(reasons, ["duplicate", "already_blocked", "matched"]);
    assert_eq!(list(&["--audit"]).out, audit);
}

#[test]
fn the_eleventh_address_evicts_the_first() {
    let dir = tempfile::tempdir().expect("a directory");
    let findings: Vec<Value> = (1..=11)
        .map(|n| finding(&format!("f{n}"), &format!("185.220.101.{n}")))
        .collect();
    respond(dir.path(), &["--apply", "--data", "data"], &ndjson(&findings)).ended(0);
    let entries = portcullis(dir.path(), &["list", "--data", "data", "--json"], b"")
        .ended(0)
        .lines();
    let cidrs: Vec<&str> = entries.iter().filter_map(|entry| entry["cidr"].as_str()).collect();
    assert_eq!(cidrs.len(), 10, "{cidrs:?}");
    assert!(!cidrs.contains(&"185.220.101.1/32"), "{cidrs:?}");
    let eleventh = entries
        .iter()
        .find(|entry| entry["cidr"] == "185.220.101.11/32")
        .expect("the eleventh");
    assert_eq!(eleventh["rule"], 71, "the victim's number is taken over");
    let status = portcullis(dir.path(), &["status", "--data", "data", "--json"], b"")
        .ended(0)
        .lines();
    assert_eq!(status[0]["blocked"], 11);
    assert_eq!(status[0]["evicted"], 1);
    let human = portcullis(dir.path(), &["status", "--data", "data"], b"").ended(0);
    assert!(
        human.out.lines().all(|line| line.chars().count() <= 80),
        "{}",
        human.out
    );
}

#[test]
fn shadow_mode_in_the_configuration_holds_even_with_apply() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("portcullis.toml"), "[policy]\nmode = \"shadow\"\n").expect("a file");
    let input = ndjson(&[finding("f1", "185.220.101.4")]);
    respond(dir.path(), &["--apply", "--data", "data"], &input).ended(0);
    let list = portcullis(dir.path(), &["list", "--data", "data", "--json"], b"").ended(0);
    assert!(list.lines().is_empty(), "{}", list.out);
}
