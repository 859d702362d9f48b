//! What everybody who builds on the generator relies on.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use chrono::{TimeDelta, Timelike as _};
use ipnet::IpNet;
use serde_json::Value;

use super::*;
use crate::network_acl::Direction;

const SOURCES: &[Source] = Source::ALL;

fn day(source: Source, seed: u64, count: u64) -> Generator {
    Generator::new(source, seed, DEFAULT_UNTIL - TimeDelta::hours(24), DEFAULT_UNTIL, count)
}

fn small_story(seed: u64) -> Story {
    let volume = Volume {
        waf: 1_500,
        vpcflow: 4_000,
        checks: 100,
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
    for source in [Source::Waf, Source::VpcFlow] {
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

/// How a story's GuardDuty finding reads: the parts that decide.
fn findings(story: Story) -> Vec<(DateTime<Utc>, Value)> {
    story
        .filter(|event| event.source == Source::GuardDuty)
        .map(|event| (event.at, bare(serde_json::from_slice(&event.line).unwrap())))
        .collect()
}

/// The remote addresses that a finding names in a network action.
fn remotes(finding: &Value) -> Vec<String> {
    let action = &finding["service"]["action"];
    let one = action.pointer("/networkConnectionAction/remoteIpDetails");
    let many = action
        .pointer("/portProbeAction/portProbeDetails")
        .and_then(Value::as_array);
    one.into_iter()
        .chain(many.into_iter().flatten().map(|detail| &detail["remoteIpDetails"]))
        .filter_map(|details| details["ipAddressV4"].as_str().map(str::to_owned))
        .collect()
}

/// Which reasons not to block a finding shows, read from the finding and the environment alone.
fn exemptions(environment: &Environment, at: DateTime<Utc>, finding: &Value) -> Vec<Exemption> {
    let text = |path: &str| finding.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let action = "/service/action/networkConnectionAction";
    let connection = |name: &str| text(&format!("{action}/{name}")).to_owned();
    let parsed: Vec<std::net::Ipv4Addr> = remotes(finding).iter().map(|remote| remote.parse().unwrap()).collect();
    let any = |test: &dyn Fn(std::net::Ipv4Addr) -> bool| parsed.iter().any(|&address| test(address));
    let seen: DateTime<Utc> = text("/service/eventLastSeen").parse().unwrap();
    let subnet = text("/resource/instanceDetails/networkInterfaces/0/subnetId");
    let is_default = environment.vpcs.iter().any(|vpc| {
        let acl = vpc
            .subnets
            .iter()
            .find(|candidate| candidate.id == subnet)
            .map(|subnet| &subnet.acl);
        vpc.network_acls
            .iter()
            .any(|candidate| candidate.is_default && Some(&candidate.id) == acl)
    });
    let kind = text("/service/action/actionType");
    let checks = [
        (
            Exemption::Sample,
            finding["service"]["additionalInfo"]["sample"] == true,
        ),
        (Exemption::Unspecified, any(&|address| address.is_unspecified())),
        (
            Exemption::OwnAddress,
            any(&|address| environment.elastic_addresses().any(|own| own == address)),
        ),
        (
            Exemption::AllowListed,
            any(&|address| {
                environment
                    .allow_list
                    .iter()
                    .any(|listed| listed.cidr.contains(&std::net::IpAddr::V4(address)))
            }),
        ),
        (
            Exemption::AwsService,
            any(&|address| {
                environment
                    .service_prefixes
                    .iter()
                    .any(|prefix| prefix.cidr.contains(&std::net::IpAddr::V4(address)))
            }),
        ),
        (Exemption::Stale, at - seen > TimeDelta::hours(24)),
        (Exemption::ApiCall, kind == "AWS_API_CALL"),
        (Exemption::DnsRequest, kind == "DNS_REQUEST"),
        (Exemption::KubernetesCall, kind == "KUBERNETES_API_CALL"),
        (Exemption::RdsLogin, kind == "RDS_LOGIN_ATTEMPT"),
        (Exemption::Private, any(&|address| address.is_private())),
        (Exemption::Archived, finding["service"]["archived"] == true),
        (
            Exemption::NotTcp,
            connection("protocol") == "UDP" && connection("connectionDirection") == "INBOUND",
        ),
        (Exemption::DirectionRole, connection("connectionDirection") == "UNKNOWN"),
        (
            Exemption::TrafficBlocked,
            finding["service"]["action"]["portProbeAction"]["blocked"] == true,
        ),
        (Exemption::TypeNotInPolicy, text("/type").starts_with("Behavior:")),
        (
            Exemption::NoNetworkAction,
            finding["service"]["action"] == serde_json::json!({}),
        ),
        (Exemption::DefaultAcl, is_default),
    ];
    checks
        .into_iter()
        .filter(|check| check.1)
        .map(|check| check.0)
        .collect()
}

#[test]
fn every_reason_not_to_block_stands_alone_in_every_story() {
    for seed in 0..8 {
        let story = small_story(seed);
        let environment = story.environment().clone();
        let mut alone = BTreeSet::new();
        for (at, finding) in findings(story) {
            if let [only] = exemptions(&environment, at, &finding)[..] {
                alone.insert(only);
            }
        }
        let missing: Vec<_> = Exemption::ALL
            .iter()
            .filter(|exemption| !alone.contains(exemption))
            .collect();
        assert!(missing.is_empty(), "seed {seed}: {missing:?}");
    }
}

#[test]
fn the_busiest_network_acl_meets_enough_attackers_but_not_too_many_in_an_hour() {
    for seed in 0..8 {
        let story = small_story(seed);
        let environment = story.environment().clone();
        let acl = environment.busiest_acl().id.clone();
        let subnets: BTreeSet<&str> = environment.vpcs[0]
            .subnets_of(&acl)
            .map(|subnet| subnet.id.as_str())
            .collect();
        let (mut ingress, mut egress) = (BTreeMap::new(), BTreeMap::new());
        for (at, finding) in findings(story) {
            let subnet = &finding["resource"]["instanceDetails"]["networkInterfaces"][0]["subnetId"];
            if !subnet.as_str().is_some_and(|subnet| subnets.contains(subnet))
                || !exemptions(&environment, at, &finding).is_empty()
            {
                continue;
            }
            for remote in remotes(&finding) {
                if finding["service"]["resourceRole"] == "ACTOR" {
                    egress.entry(remote.clone()).or_insert(at);
                }
                ingress.entry(remote).or_insert(at);
            }
        }
        assert!(ingress.len() >= 25, "seed {seed}: {}", ingress.len());
        assert!(egress.len() > 10, "seed {seed}: {}", egress.len());
        let mut times: Vec<_> = ingress.values().chain(egress.values()).collect();
        times.sort();
        for window in times.windows(21) {
            assert!(
                *window[20] - *window[0] > TimeDelta::hours(1),
                "seed {seed}: more than 20 in an hour"
            );
        }
    }
}

#[test]
fn findings_come_again_with_a_higher_count_and_a_later_time() {
    let mut versions = BTreeMap::<String, Vec<(i64, String)>>::new();
    let all = findings(small_story(1));
    assert!((300..=500).contains(&all.len()), "{}", all.len());
    for (_, finding) in all {
        let id = finding["id"].as_str().unwrap().to_owned();
        let version = (
            finding["service"]["count"].as_i64().unwrap(),
            finding["updatedAt"].as_str().unwrap().to_owned(),
        );
        versions.entry(id).or_default().push(version);
    }
    assert!(versions.values().filter(|versions| versions.len() > 1).count() > 50);
    for (id, versions) in versions {
        assert!(
            versions
                .windows(2)
                .all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1),
            "{id}: {versions:?}"
        );
    }
}

#[test]
fn an_attacker_shows_up_in_the_logs_before_guardduty_finds_it() {
    let story = Story::new(5, DEFAULT_UNTIL, TimeDelta::hours(24));
    let environment = story.environment().clone();
    let (mut seen, mut early, mut late, mut web) = (BTreeSet::new(), 0, Vec::new(), 0);
    let mut known = BTreeSet::new();
    for event in story {
        match event.source {
            Source::VpcFlow => seen.extend(columns(&event.line)[3..5].iter().cloned()),
            Source::Waf => {
                let record: Value = serde_json::from_slice(&event.line).unwrap();
                seen.insert(format!("web {}", record["httpRequest"]["clientIp"].as_str().unwrap()));
            }
            Source::GuardDuty => {
                let finding = bare(serde_json::from_slice(&event.line).unwrap());
                if exemptions(&environment, event.at, &finding).is_empty() {
                    for remote in remotes(&finding)
                        .into_iter()
                        .filter(|remote| known.insert(remote.clone()))
                    {
                        web += u32::from(seen.contains(&format!("web {remote}")));
                        if seen.contains(&remote) {
                            early += 1
                        } else {
                            late.push(remote)
                        }
                    }
                }
            }
            Source::SecurityHub => {}
        }
    }
    assert!(early > 60 && late.len() * 10 <= early, "{early} before, {late:?} not");
    assert!(web > 5, "{web}");
}

/// Flow records between an address and the subnets of a network ACL, by action.
fn actions_of(environment: &Environment, acl: &str, address: &str, line: &[u8]) -> Option<String> {
    let columns = columns(line);
    let guarded = environment.vpcs.iter().any(|vpc| {
        vpc.instances
            .iter()
            .any(|instance| instance.interface == columns[2] && vpc.subnet_of(instance).acl == acl)
    });
    (guarded && columns[3] == address).then(|| columns[12].clone())
}

#[test]
fn a_denied_address_is_never_accepted_again_until_the_deny_is_gone() {
    let mut story = small_story(6);
    let environment = story.environment().clone();
    let acl = environment.busiest_acl().id.clone();
    let mut denied = BTreeMap::<String, DateTime<Utc>>::new();
    let (mut rejected, mut stopped) = (0, BTreeSet::new());
    while let Some(event) = story.next() {
        match event.source {
            Source::GuardDuty => {
                let finding = bare(serde_json::from_slice(&event.line).unwrap());
                for remote in remotes(&finding) {
                    let cidr: IpNet = format!("{remote}/32").parse().unwrap();
                    story.denied(cidr, &acl, Direction::Ingress, event.at);
                    denied.entry(remote).or_insert(event.at);
                }
            }
            Source::VpcFlow => {
                let line = columns(&event.line);
                if denied.contains_key(&line[3])
                    && let Some(action) = actions_of(&environment, &acl, &line[3], &event.line)
                {
                    assert_eq!(action, "REJECT", "{line:?}");
                    let start: i64 = line[10].parse().unwrap();
                    assert!(start >= denied[&line[3]].timestamp(), "{line:?}");
                    rejected += 1;
                    stopped.insert(line[3].clone());
                }
            }
            _ => {}
        }
    }
    assert!(rejected > 50 && stopped.len() > 20, "{rejected} of {}", stopped.len());
}

#[test]
fn an_address_is_accepted_again_once_the_deny_is_gone() {
    let mut story = small_story(6);
    let environment = story.environment().clone();
    let (acl, everything): (_, IpNet) = (environment.busiest_acl().id.clone(), "0.0.0.0/0".parse().unwrap());
    let mut accepted_into = |story: &mut Story| {
        let lines: Vec<_> = story
            .by_ref()
            .filter(|event| event.source == Source::VpcFlow)
            .take(1_000)
            .collect();
        lines
            .iter()
            .map(|event| columns(&event.line))
            .filter(|columns| {
                columns[12] == "ACCEPT"
                    && columns[3]
                        .parse()
                        .is_ok_and(|source: std::net::Ipv4Addr| !source.is_private())
            })
            .filter(|columns| {
                environment.vpcs[0].instances.iter().any(|instance| {
                    instance.interface == columns[2] && environment.vpcs[0].subnet_of(instance).acl == acl
                })
            })
            .count()
    };
    story.denied(
        everything,
        &acl,
        Direction::Ingress,
        DEFAULT_UNTIL - TimeDelta::hours(24),
    );
    assert_eq!(accepted_into(&mut story), 0);
    story.undenied(everything, &acl, Direction::Ingress);
    assert!(accepted_into(&mut story) > 0);
}

#[test]
fn a_story_has_about_as_many_events_as_it_says() {
    let mut counts = BTreeMap::<&str, u64>::new();
    let story = Story::new(1, DEFAULT_UNTIL, TimeDelta::hours(24));
    let left = story.left();
    for event in story {
        *counts.entry(event.source.name()).or_default() += 1;
    }
    assert_eq!(counts.values().sum::<u64>(), left);
    assert_eq!((counts["waf"], counts["vpcflow"]), (15_000, 30_000));
    assert!((500..800).contains(&counts["securityhub"]), "{counts:?}");
}

#[test]
fn live_goes_on_with_new_attackers_whose_records_are_rejected_once_denied() {
    let mut live = Live::new(small_story(2), 2, DEFAULT_UNTIL);
    let environment = live.environment().clone();
    let mut now = DEFAULT_UNTIL;
    let (mut denied, mut rejected) = (BTreeSet::new(), BTreeSet::new());
    let mut last = now;
    for _ in 0..600 {
        now += TimeDelta::seconds(1);
        loop {
            let happened = live.next(now);
            if happened.is_empty() {
                break;
            }
            for event in happened {
                assert!(last <= event.at && event.at <= now);
                last = event.at;
                if event.source == Source::VpcFlow {
                    let columns = columns(&event.line);
                    if denied.contains(&columns[3]) {
                        assert_eq!(columns[12], "REJECT", "{columns:?}");
                        rejected.insert(columns[3].clone());
                    }
                }
                if event.source != Source::GuardDuty {
                    continue;
                }
                let finding = bare(serde_json::from_slice(&event.line).unwrap());
                if !exemptions(&environment, event.at, &finding).is_empty() {
                    continue;
                }
                for remote in remotes(&finding) {
                    let cidr: IpNet = format!("{remote}/32").parse().unwrap();
                    for acl in environment.vpcs.iter().flat_map(|vpc| &vpc.network_acls) {
                        live.denied(cidr, &acl.id, Direction::Ingress, event.at);
                    }
                    denied.insert(remote);
                }
            }
        }
    }
    assert!((40..120).contains(&denied.len()), "{}", denied.len());
    assert!(rejected.len() > 30, "{}", rejected.len());
    let jump = live.next(now + TimeDelta::days(2));
    assert!(
        jump.len() < 100,
        "a suspended machine does not catch up: {}",
        jump.len()
    );
}

#[test]
fn memory_does_not_grow_with_the_count() {
    let mut line = Vec::new();
    for source in [Source::Waf, Source::VpcFlow] {
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
