//! What everybody who builds on the generator relies on.

#![allow(clippy::unwrap_used)]

mod story;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{TimeDelta, Timelike as _};
use serde_json::Value;

use super::*;

const SOURCES: &[Source] = Source::ALL;

fn day(source: Source, seed: u64, count: u64) -> Generator {
    Generator::new(source, seed, DEFAULT_UNTIL - TimeDelta::hours(24), DEFAULT_UNTIL, count)
}

fn small_story(seed: u64) -> Story {
    let volume = Volume {
        waf: 1_500,
        vpcflow: 4_000,
        checks: 100,
        dns: 300,
        cloudtrail: 200,
    };
    Story::with_volume(seed, DEFAULT_UNTIL, TimeDelta::hours(24), volume)
}

fn digest(events: impl Iterator<Item = Event>) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    for event in events {
        hasher.update(event.at.to_rfc3339().as_bytes());
        hasher.update(event.source.name().as_bytes());
        hasher.update(&event.line);
        hasher.update(b"\n");
    }
    hasher.finalize()
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    for &source in SOURCES {
        for hostile in [0, 30] {
            let hash = |seed| digest(day(source, seed, 300).hostile(hostile));
            assert_eq!(hash(7), hash(7), "{source}");
            assert_ne!(hash(7), hash(8), "{source}");
        }
    }
    assert_eq!(digest(small_story(3)), digest(small_story(3)));
    assert_ne!(digest(small_story(3)), digest(small_story(4)));
}

#[test]
fn arrivals_never_go_back() {
    for &source in SOURCES {
        assert!(day(source, 1, 2_000).map(|event| event.at).is_sorted(), "{source}");
    }
    assert!(small_story(1).map(|event| event.at).is_sorted());
}

/// Members that AWS's documentation of a format lists as always present.
fn required(source: Source) -> &'static [&'static str] {
    match source {
        Source::GuardDuty => &[
            "schemaVersion",
            "accountId",
            "region",
            "partition",
            "id",
            "arn",
            "type",
            "resource/resourceType",
            "service/serviceName",
            "service/detectorId",
            "service/action",
            "service/resourceRole",
            "service/eventFirstSeen",
            "service/eventLastSeen",
            "service/archived",
            "service/count",
            "severity",
            "createdAt",
            "updatedAt",
            "title",
            "description",
        ],
        Source::SecurityHub => &[
            "SchemaVersion",
            "Id",
            "ProductArn",
            "GeneratorId",
            "AwsAccountId",
            "Types/0",
            "CreatedAt",
            "UpdatedAt",
            "Severity/Label",
            "Title",
            "Description",
            "Resources/0/Type",
            "Resources/0/Id",
        ],
        Source::Waf => &[
            "timestamp",
            "formatVersion",
            "webaclId",
            "terminatingRuleId",
            "terminatingRuleType",
            "action",
            "httpSourceName",
            "httpSourceId",
            "ruleGroupList",
            "rateBasedRuleList",
            "nonTerminatingMatchingRules",
            "httpRequest/clientIp",
            "httpRequest/country",
            "httpRequest/headers/0/name",
            "httpRequest/uri",
            "httpRequest/args",
            "httpRequest/httpVersion",
            "httpRequest/httpMethod",
            "httpRequest/requestId",
            "labels",
        ],
        Source::VpcFlow => &[],
        Source::Dns => &[
            "version",
            "account_id",
            "region",
            "vpc_id",
            "query_timestamp",
            "query_name",
            "query_type",
            "query_class",
            "rcode",
            "answers",
            "srcaddr",
            "srcport",
            "transport",
            "srcids/instance",
        ],
        Source::CloudTrail => &[
            "eventVersion",
            "userIdentity/type",
            "eventTime",
            "eventSource",
            "eventName",
            "awsRegion",
            "sourceIPAddress",
            "userAgent",
            "requestParameters",
            "responseElements",
            "eventID",
            "eventType",
            "recipientAccountId",
            "eventCategory",
        ],
    }
}

/// The finding or record inside its envelope.
fn bare(mut value: Value) -> Value {
    match value.get_mut("detail").map(Value::take) {
        None => value,
        Some(mut detail) => match detail.pointer_mut("/findings/0").map(Value::take) {
            Some(finding) => finding,
            None => detail,
        },
    }
}

#[test]
fn every_json_record_has_what_aws_documents() {
    for &source in SOURCES.iter().filter(|&&source| source != Source::VpcFlow) {
        for event in day(source, 11, 1_500) {
            let text = std::str::from_utf8(&event.line).unwrap();
            let value: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
            if source == Source::SecurityHub {
                assert_eq!(value["detail"]["findings"].as_array().unwrap().len(), 1);
                assert_eq!(value["detail-type"], "Security Hub Findings - Imported");
            }
            let record = bare(value);
            for member in required(source) {
                assert!(
                    record.pointer(&format!("/{member}")).is_some(),
                    "{source} has no {member}: {text}"
                );
            }
        }
    }
}

#[test]
fn no_member_is_there_twice() {
    /// Reads any JSON and fails on an object with a repeated name.
    struct Unique;
    impl<'de> serde::Deserialize<'de> for Unique {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_any(Visitor)
        }
    }
    struct Visitor;
    impl<'de> serde::de::Visitor<'de> for Visitor {
        type Value = Unique;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("JSON")
        }
        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Unique, A::Error> {
            let mut names = BTreeSet::new();
            while let Some((name, _)) = map.next_entry::<String, Unique>()? {
                if let Some(name) = names.replace(name) {
                    return Err(serde::de::Error::custom(format!("`{name}` is there twice")));
                }
            }
            Ok(Unique)
        }
        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<Unique, A::Error> {
            while items.next_element::<Unique>()?.is_some() {}
            Ok(Unique)
        }
        fn visit_str<E>(self, _: &str) -> Result<Unique, E> {
            Ok(Unique)
        }
        fn visit_u64<E>(self, _: u64) -> Result<Unique, E> {
            Ok(Unique)
        }
        fn visit_i64<E>(self, _: i64) -> Result<Unique, E> {
            Ok(Unique)
        }
        fn visit_f64<E>(self, _: f64) -> Result<Unique, E> {
            Ok(Unique)
        }
        fn visit_bool<E>(self, _: bool) -> Result<Unique, E> {
            Ok(Unique)
        }
        fn visit_unit<E>(self) -> Result<Unique, E> {
            Ok(Unique)
        }
    }
    assert!(serde_json::from_str::<Unique>(r#"[{"a":1,"a":2}]"#).is_err());
    for event in small_story(2).filter(|event| event.source != Source::VpcFlow) {
        let text = String::from_utf8(event.line).unwrap();
        serde_json::from_str::<Unique>(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    }
}

/// A flow log line by column, in the default order.
fn columns(line: &[u8]) -> Vec<String> {
    std::str::from_utf8(line)
        .unwrap()
        .split(' ')
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_flow_log_line_has_fourteen_columns_and_ends_after_it_started() {
    let mut statuses = BTreeMap::<String, u32>::new();
    let mut actions = BTreeSet::new();
    for event in day(Source::VpcFlow, 5, 5_000) {
        let columns = columns(&event.line);
        assert_eq!(columns.len(), 14, "{columns:?}");
        let (start, end): (i64, i64) = (columns[10].parse().unwrap(), columns[11].parse().unwrap());
        assert!(start <= end && end <= event.at.timestamp(), "{columns:?}");
        assert_eq!(columns[13] == "OK", columns[3] != "-", "{columns:?}");
        *statuses.entry(columns[13].clone()).or_default() += 1;
        actions.insert(columns[12].clone());
    }
    assert!(statuses["NODATA"] > 0 && statuses["SKIPDATA"] > 0, "{statuses:?}");
    assert!(statuses["OK"] > 4_500, "{statuses:?}");
    assert!(actions.contains("ACCEPT") && actions.contains("REJECT"));
}

#[test]
fn afternoons_are_busier_than_nights() {
    for source in [Source::Waf, Source::VpcFlow, Source::Dns] {
        let between = |from, to| {
            day(source, 9, 4_000)
                .filter(|event| (from..to).contains(&event.at.hour()))
                .count()
        };
        assert!(between(13, 17) > 2 * between(0, 4), "{source}");
    }
}

#[test]
fn web_requests_show_everything_that_a_web_acl_does() {
    let (mut actions, mut kinds, mut clients, mut counted) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new(), 0);
    for event in day(Source::Waf, 4, 5_000) {
        let record: Value = serde_json::from_slice(&event.line).unwrap();
        let text = |path: &str| {
            record
                .pointer(path)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        actions.insert(text("/action"));
        kinds.insert(text("/terminatingRuleType"));
        counted += usize::from(record["nonTerminatingMatchingRules"] != serde_json::json!([]));
        let agent = record["httpRequest"]["headers"].to_string();
        let habits = (
            agent.replace(&text("/httpRequest/host"), ""),
            text("/httpRequest/country"),
            text("/ja3Fingerprint"),
        );
        let known = clients
            .entry(text("/httpRequest/clientIp"))
            .or_insert_with(|| habits.clone());
        assert_eq!(*known, habits, "a client keeps its user agent, country and fingerprint");
    }
    assert_eq!(Vec::from_iter(actions), ["ALLOW", "BLOCK", "CAPTCHA", "CHALLENGE"]);
    assert_eq!(Vec::from_iter(kinds), ["MANAGED_RULE_GROUP", "RATE_BASED", "REGULAR"]);
    assert!(counted > 0);
    assert!((200..400).contains(&clients.len()), "{}", clients.len());
}

#[test]
fn dns_queries_are_those_of_the_machines_and_show_everything_that_a_firewall_does() {
    let environment = Environment::new(4);
    let machines: BTreeMap<&str, String> = environment
        .vpcs
        .iter()
        .flat_map(|vpc| &vpc.instances)
        .map(|instance| (instance.id.as_str(), instance.private_address.to_string()))
        .collect();
    let (mut kinds, mut codes, mut verdicts, mut names) = Default::default();
    let count = |counts: &mut BTreeMap<String, u32>, word: &Value| {
        *counts.entry(word.as_str().unwrap_or_default().to_owned()).or_default() += 1;
    };
    for event in day(Source::Dns, 4, 5_000) {
        let record: Value = serde_json::from_slice(&event.line).unwrap();
        let asker = record.pointer("/srcids/instance").and_then(Value::as_str).unwrap();
        assert_eq!(record["srcaddr"], machines[asker]);
        assert!(record["query_name"].as_str().unwrap().ends_with('.'), "{record}");
        let sent = DateTime::parse_from_rfc3339(record["query_timestamp"].as_str().unwrap()).unwrap();
        assert!(sent < event.at, "{record}");
        let has_answers = record["answers"] != serde_json::json!([]);
        assert!(record["rcode"] == "NOERROR" || !has_answers, "{record}");
        count(&mut kinds, &record["query_type"]);
        count(&mut codes, &record["rcode"]);
        count(&mut verdicts, &record["firewall_rule_action"]);
        count(&mut names, &record["query_name"]);
    }
    assert_eq!(Vec::from_iter(kinds.keys()), ["A", "AAAA", "MX", "PTR", "TXT"]);
    assert_eq!(Vec::from_iter(codes.keys()), ["NOERROR", "NXDOMAIN", "SERVFAIL"]);
    assert!(codes["NOERROR"] > 4_000, "{codes:?}");
    assert_eq!(Vec::from_iter(verdicts.keys()), ["", "ALERT", "BLOCK"]);
    assert!(verdicts["ALERT"] + verdicts["BLOCK"] < 250, "{verdicts:?}");
    assert!(names.contains_key("pool.supportxmr.example."));
    assert!(names.len() > 300, "{}", names.len());
}

#[test]
fn calls_show_everybody_who_makes_them_and_a_key_in_the_wrong_hands() {
    let (mut identities, mut kinds, mut intruder) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let (mut denied, mut failed) = (0, 0);
    for event in day(Source::CloudTrail, 4, 4_000) {
        let record: Value = serde_json::from_slice(&event.line).unwrap();
        let text = |path: &str| {
            record
                .pointer(path)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        identities.insert(text("/userIdentity/type"));
        kinds.insert((text("/eventType"), text("/eventCategory")));
        denied += usize::from(text("/errorCode") == "AccessDenied");
        failed += usize::from(text("/responseElements/ConsoleLogin") == "Failure");
        if text("/userIdentity/userName") == "ci-deploy" {
            intruder.insert(text("/sourceIPAddress"));
        }
    }
    assert_eq!(
        Vec::from_iter(identities),
        ["AWSService", "AssumedRole", "IAMUser", "Root"]
    );
    assert_eq!(kinds.len(), 3, "{kinds:?}");
    assert!(denied > 50 && failed > 50, "{denied} {failed}");
    assert!((1..=3).contains(&intruder.len()), "{intruder:?}");
}

#[test]
fn hostile_events_stay_on_one_line_and_come_as_often_as_asked() {
    for &source in SOURCES {
        let honest: Vec<Vec<u8>> = day(source, 6, 600).map(|event| event.line).collect();
        let count = day(source, 6, 600).hostile(100).filter(|event| {
            assert!(!event.line.contains(&b'\n'), "{source}");
            !honest.contains(&event.line)
        });
        assert_eq!(count.count(), 600, "{source}");
        let broken = |percent| {
            day(source, 6, 600)
                .hostile(percent)
                .filter(|event| match source {
                    Source::VpcFlow => event.line.split(|&b| b == b' ').count() != 14,
                    _ => serde_json::from_slice::<Value>(&event.line).is_err(),
                })
                .count()
        };
        assert_eq!(broken(0), 0, "{source}");
        assert!(broken(50) > 30, "{source}");
    }
}

#[test]
fn memory_does_not_grow_with_the_count() {
    let mut line = Vec::new();
    for source in [Source::Waf, Source::VpcFlow, Source::Dns] {
        let mut generator = day(source, 1, u64::MAX);
        let mut largest = 0;
        for _ in 0..5_000 {
            line.clear();
            generator.write_next(&mut line).unwrap();
            largest = largest.max(line.len());
        }
        assert!(largest < 4_096, "{source}: {largest}");
        assert!(line.capacity() < 16_384, "{source}: the buffer is reused");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn any_seed_and_span_gives_readable_events_within_the_span(
        seed in proptest::prelude::any::<u64>(),
        which in 0..Source::ALL.len(),
        end in -62_000_000_000_i64..250_000_000_000,
        span in 0..900_000_i64,
        count in 0..40_u64,
    ) {
        let source = Source::ALL[which];
        let until = DateTime::from_timestamp(end, 0).unwrap();
        let since = until - TimeDelta::seconds(span);
        let events: Vec<Event> = Generator::new(source, seed, since, until, count).collect();
        proptest::prop_assert_eq!(events.len() as u64, count);
        for event in events {
            proptest::prop_assert!((since..=until).contains(&event.at), "{} {}", event.at, until);
            proptest::prop_assert!(!event.line.contains(&b'\n'));
            let readable = match source {
                Source::VpcFlow => columns(&event.line).len() == 14,
                _ => serde_json::from_slice::<Value>(&event.line).is_ok(),
            };
            proptest::prop_assert!(readable, "{}", String::from_utf8_lossy(&event.line));
        }
    }
}
