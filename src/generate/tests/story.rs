//! What the demo relies on: one coherent day, and how it goes on.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use ipnet::IpNet;
use portcullis_transforms::Source;
use serde_json::Value;

use super::{bare, columns, small_story};
use crate::{
    generate::{DEFAULT_UNTIL, Environment, Exemption, Live, Story},
    network_acl::Direction,
};

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
                            early += 1;
                        } else {
                            late.push(remote);
                        }
                    }
                }
            }
            Source::SecurityHub | Source::Dns | Source::CloudTrail => {}
        }
    }
    assert!(early > 60 && late.len() * 10 <= early, "{early} before, {late:?} not");
    assert!(web > 5, "{web}");
}

#[test]
fn a_denied_address_is_never_accepted_again_until_the_deny_is_gone() {
    let mut story = small_story(6);
    let environment = story.environment().clone();
    let acl = environment.busiest_acl().id.clone();
    let guarded: BTreeSet<String> = environment.vpcs[0]
        .instances
        .iter()
        .filter(|instance| environment.vpcs[0].subnet_of(instance).acl == acl)
        .map(|instance| instance.interface.clone())
        .collect();
    // By column: sources are denied in, destinations out.
    let mut denied: [BTreeMap<String, DateTime<Utc>>; 2] = Default::default();
    let (mut rejected, mut stopped) = ([0, 0], BTreeSet::new());
    while let Some(event) = story.next() {
        if event.source == Source::GuardDuty {
            let finding = bare(serde_json::from_slice(&event.line).unwrap());
            let is_actor = finding["service"]["resourceRole"] == "ACTOR";
            for remote in remotes(&finding) {
                let cidr: IpNet = format!("{remote}/32").parse().unwrap();
                story.denied(cidr, &acl, Direction::Ingress, event.at);
                denied[0].entry(remote.clone()).or_insert(event.at);
                if is_actor {
                    story.denied(cidr, &acl, Direction::Egress, event.at);
                    denied[1].entry(remote).or_insert(event.at);
                }
            }
        }
        if event.source != Source::VpcFlow {
            continue;
        }
        let line = columns(&event.line);
        for (side, since) in denied.iter().enumerate() {
            if let Some(since) = since.get(&line[3 + side]).filter(|_| guarded.contains(&line[2])) {
                assert_eq!(line[12], "REJECT", "{line:?}");
                assert!(line[10].parse::<i64>().unwrap() >= since.timestamp(), "{line:?}");
                rejected[side] += 1;
                stopped.insert(line[3 + side].clone());
            }
        }
    }
    assert!(rejected[0] > 50 && rejected[1] > 20, "{rejected:?}");
    assert!(stopped.len() > 20, "{}", stopped.len());
}

#[test]
fn an_address_is_accepted_again_once_the_deny_is_gone() {
    let mut story = small_story(6);
    let environment = story.environment().clone();
    let (acl, everything): (_, IpNet) = (environment.busiest_acl().id.clone(), "0.0.0.0/0".parse().unwrap());
    let accepted_into = |story: &mut Story| {
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
