//! Every kind of alert, alone and in bursts, with text that an attacker would choose, against Slack's limits.

#![allow(clippy::unwrap_used)]

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::*;

const HOSTILE: &str =
    "*Blocked* <!channel> <https://evil.example|Console> `x` _i_ ~s~ :tada: & \u{202e}gpj\u{200b}\u{1b}[1m\n🦀";

fn finding(text: &str) -> FindingSummary {
    FindingSummary {
        id: "60baffd3f9042e38640f2300d5c5a631".into(),
        finding_type: "UnauthorizedAccess:EC2/SSHBruteForce".into(),
        severity: 2.0,
        account: "111122223333".into(),
        region: "eu-west-1".into(),
        partition: "aws".into(),
        title: text.into(),
        description: text.into(),
        updated_at: "2026-11-20T11:55:00Z".parse().unwrap(),
        last_seen: "2026-11-20T11:50:00Z".parse().unwrap(),
        count: 3,
        resource: Some("i-0abc".into()),
    }
}

fn alert(kind: AlertKind, reason: Reason) -> Alert {
    Alert {
        at: "2026-11-20T12:00:00Z".parse().unwrap(),
        kind,
        reason,
        address: Some("185.220.101.4/32".parse().unwrap()),
        origin: RemoteOrigin {
            country: Some("Netherlands".into()),
            city: Some("Utrecht".into()),
            organisation: Some("Example Org".into()),
            asn: Some(64500),
        },
        finding: Some(finding(
            "185.220.101.4 is performing SSH brute force attacks against i-0abc.",
        )),
        place: Some(Place {
            acl: AclKey {
                account: "111122223333".into(),
                region: "eu-west-1".into(),
                acl: "acl-0123456789abcdef0".into(),
            },
            direction: Direction::Ingress,
            rule: Some(71),
        }),
        evicted: Some("45.155.205.1/32".parse().unwrap()),
        who: None,
        note: None,
    }
}

/// The same alert with every text hostile and as long as a finding allows.
fn hostile(kind: AlertKind, reason: Reason, length: usize) -> Alert {
    let text: String = HOSTILE.chars().cycle().take(length).collect();
    let mut alert = alert(kind, reason);
    let mut summary = finding(&text);
    for field in [
        &mut summary.finding_type,
        &mut summary.id,
        &mut summary.region,
        &mut summary.account,
    ] {
        field.clone_from(&text);
    }
    summary.resource = Some(text.clone());
    summary.severity = 9.9;
    summary.count = u64::MAX;
    alert.finding = Some(summary);
    alert.address = Some("ffff:ffff:ffff:ffff:ffff:ffff:ffff:0/112".parse().unwrap());
    alert.origin.country = Some(text.clone());
    alert.origin.organisation = Some(text.clone());
    alert.place.as_mut().unwrap().acl.acl.clone_from(&text);
    alert.who = Some(text.clone());
    alert.note = Some(text);
    alert
}

const KINDS: [AlertKind; 7] = [
    AlertKind::Blocked,
    AlertKind::WouldBlock,
    AlertKind::NotBlocked,
    AlertKind::Unblocked,
    AlertKind::Removed,
    AlertKind::Attention,
    AlertKind::Test,
];

/// Every message that is checked: all kinds by all reasons, plain, hostile, bare and in bursts.
fn messages() -> Vec<Value> {
    let mut messages = vec![message(&[])];
    for kind in KINDS {
        for (reason, _, _) in Reason::ALL {
            messages.push(message(&[alert(kind, *reason)]));
            messages.push(message(&[hostile(kind, *reason, 5000)]));
        }
        let bare = Alert {
            address: None,
            origin: RemoteOrigin::default(),
            finding: None,
            place: None,
            evicted: None,
            ..alert(kind, Reason::Manual)
        };
        messages.push(message(&[bare]));
    }
    for burst in [2, 7, 100, 500] {
        messages.push(message(&many(burst, |_| alert(AlertKind::Blocked, Reason::Matched))));
        messages.push(message(&many(burst, |_| {
            hostile(AlertKind::NotBlocked, Reason::Private, 300)
        })));
    }
    messages
}

fn many(count: u32, make: impl Fn(u32) -> Alert) -> Vec<Alert> {
    (0..count)
        .map(|at| Alert {
            address: Some(std::net::IpAddr::from(std::net::Ipv4Addr::from_bits(0xb9dc_0000 + at)).into()),
            ..make(at)
        })
        .collect()
}

/// Slack's limits, from "Reference: blocks", "Reference: composition objects" and "chat.postMessage".
fn over_the_limits(message: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut within = |what: &str, value: usize, low: usize, high: usize| {
        if value < low || value > high {
            wrong.push(format!("{what}: {value} is not {low} to {high}"));
        }
    };
    let len = |value: &Value| text::length(value["text"].as_str().unwrap());
    within("text", len(message), 1, 4000);
    let attachments = message["attachments"].as_array().unwrap();
    within("attachments", attachments.len(), 0, 20);
    let blocks: Vec<&Value> = attachments
        .iter()
        .flat_map(|a| a["blocks"].as_array().unwrap())
        .collect();
    within("blocks", blocks.len(), 0, 50);
    within("payload", message.to_string().len(), 1, 90_000);
    for block in blocks {
        match block["type"].as_str().unwrap() {
            "header" => {
                within("header", len(&block["text"]), 1, 150);
                within("plain header", usize::from(block["text"]["type"] == "plain_text"), 1, 1);
            }
            "section" => {
                let fields = block["fields"].as_array().map(Vec::as_slice).unwrap_or_default();
                within("content", usize::from(!block["text"].is_null()) + fields.len(), 1, 10);
                if !block["text"].is_null() {
                    within("section", len(&block["text"]), 1, 3000);
                }
                for field in fields {
                    within("field", len(field), 1, 2000);
                }
            }
            "context" => {
                let elements = block["elements"].as_array().unwrap();
                within("elements", elements.len(), 1, 10);
                for element in elements {
                    within("element", len(element), 1, 2000);
                }
            }
            other => within(other, 0, 1, 1),
        }
    }
    wrong
}

#[test]
fn every_message_stays_within_slacks_limits() {
    for message in messages() {
        let wrong = over_the_limits(&message);
        assert!(wrong.is_empty(), "{wrong:?} in {message:#}");
    }
}

#[test]
fn the_limit_checker_sees_what_is_over() {
    let mut message = message(&[alert(AlertKind::Blocked, Reason::Matched)]);
    message["attachments"][0]["blocks"][0]["text"]["text"] = json!("x".repeat(151));
    assert_eq!(over_the_limits(&message), ["header: 151 is not 1 to 150"]);
}

/// Every text object of a message.
fn texts(value: &Value, found: &mut Vec<Value>) {
    match value {
        Value::Object(object) => {
            if object
                .get("type")
                .is_some_and(|kind| kind == "mrkdwn" || kind == "plain_text")
            {
                found.push(value.clone());
            }
            object.values().for_each(|value| texts(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| texts(value, found)),
        _ => {}
    }
}

#[test]
fn nothing_that_a_finding_says_becomes_formatting_a_link_or_a_mention() {
    for message in messages() {
        let mut found = vec![json!({"type": "mrkdwn", "verbatim": true, "text": message["text"]})];
        texts(&message, &mut found);
        for object in found {
            let text = object["text"].as_str().unwrap();
            for forged in ["<!", "<https://evil", "\u{202e}", "\u{200b}", "\u{1b}"] {
                assert!(!text.contains(forged), "{forged:?} in {text}");
            }
            if object["type"] == "plain_text" {
                assert_eq!(object["emoji"], false);
                continue;
            }
            assert_eq!(object["verbatim"], true);
            let outside_code: String = text.split('`').step_by(2).collect();
            for forged in ["*Blocked*", "_i_", "~s~", ":tada:"] {
                assert!(!outside_code.contains(forged), "{forged} in {text}");
            }
        }
    }
}

#[test]
fn every_address_of_a_burst_stands_in_its_one_message() {
    let alerts = many(100, |_| hostile(AlertKind::Blocked, Reason::Matched, 300));
    let shown = message(&alerts).to_string();
    for alert in alerts {
        let address = story::shown(alert.address.unwrap());
        assert!(
            shown.contains(&format!("{address}`")) || shown.contains(&format!("{address} ")),
            "{address}"
        );
    }
}

#[test]
fn entries_of_the_same_address_and_finding_are_told_together() {
    let ingress = alert(AlertKind::Blocked, Reason::Matched);
    let mut egress = ingress.clone();
    egress.place.as_mut().unwrap().direction = Direction::Egress;
    egress.evicted = None;
    let message = message(&[ingress, egress]);
    assert_eq!(message["attachments"].as_array().unwrap().len(), 1);
    let shown = message.to_string();
    assert!(
        shown.contains("ingress, rule 71") && shown.contains("egress, rule 71"),
        "{message:#}"
    );
}

#[test]
fn a_block_reads_as_written_here() {
    let expected = json!({
        "text": "Blocked `185.220.101.4`: `UnauthorizedAccess:EC2/SSHBruteForce` (Low 2.0)",
        "attachments": [{"color": "#2f6fb3", "blocks": [
            {"type": "header", "text": {"type": "plain_text", "emoji": false,
                "text": "Blocked 185.220.101.4 · Netherlands · Example Org"}},
            {"type": "section", "text": {"type": "mrkdwn", "verbatim": true,
                "text": "`UnauthorizedAccess:EC2/SSHBruteForce`\n*Low* (2.0) · seen 3 times, last 11:50:00 UTC"}},
            {"type": "section", "fields": [
                {"type": "mrkdwn", "verbatim": true, "text": "*Account*\n`111122223333`"},
                {"type": "mrkdwn", "verbatim": true, "text": "*Region*\n`eu-west-1`"},
                {"type": "mrkdwn", "verbatim": true, "text": "*Network ACL*\n`acl-0123456789abcdef0` ingress, rule 71"},
                {"type": "mrkdwn", "verbatim": true, "text": "*Evicted for it, the oldest*\n`45.155.205.1`"},
                {"type": "mrkdwn", "verbatim": true, "text": "*Resource*\n`i-0abc`"},
                {"type": "mrkdwn", "verbatim": true, "text": "*Network*\nAS64500"}]},
            {"type": "section", "text": {"type": "plain_text", "emoji": false,
                "text": "185.220.101.4 is performing SSH brute force attacks against i-0abc."}},
            {"type": "section", "text": {"type": "mrkdwn", "verbatim": true,
                "text": "*Undo*\n```portcullis unblock 185.220.101.4 --reason \"...\"```"}},
            {"type": "context", "elements": [{"type": "mrkdwn", "verbatim": true,
                "text": "2026-11-20 12:00:00 UTC · <https://eu-west-1.console.aws.amazon.com/guardduty/home?region=eu-west-1#/findings?macros=current&amp;fId=60baffd3f9042e38640f2300d5c5a631|Finding in the console>"}]}
        ]}]
    });
    assert_eq!(message(&[alert(AlertKind::Blocked, Reason::Matched)]), expected);
}

#[test]
fn the_link_goes_to_the_console_of_the_partition_and_only_for_ids_that_aws_writes() {
    let link = |partition: &str, region: &str, id: &str| {
        let finding = FindingSummary {
            partition: partition.into(),
            region: region.into(),
            id: id.into(),
            ..finding("")
        };
        link::console(&finding).map(|url| url.split("/guardduty").next().unwrap().to_owned())
    };
    assert_eq!(
        link("aws-cn", "cn-north-1", "f").as_deref(),
        Some("https://cn-north-1.console.amazonaws.cn")
    );
    let gov = Some("https://us-gov-west-1.console.amazonaws-us-gov.com");
    assert_eq!(link("aws-us-gov", "us-gov-west-1", "f").as_deref(), gov);
    assert_eq!(link("aws-iso", "us-iso-east-1", "f"), None);
    assert_eq!(link("aws", "evil.example/#", "f"), None);
    assert_eq!(link("aws", "eu-west-1", "f|Click>"), None);
}

/// Slack's own Python SDK reads every message and checks it again.
#[test]
fn slacks_own_sdk_accepts_every_message() {
    let Some(python) = std::env::var_os("PORTCULLIS_TEST_PYTHON") else {
        panic!(
            "set PORTCULLIS_TEST_PYTHON to a Python that has slack_sdk, as `cargo xtask test` does: \
             python3 -m venv target/slack && target/slack/bin/pip install slack_sdk==3.47.0 && \
             export PORTCULLIS_TEST_PYTHON=$PWD/target/slack/bin/python"
        );
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/slack/validate.py");
    let mut child = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let lines: String = messages().iter().map(|message| format!("{message}\n")).collect();
    input.write_all(lines.as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
