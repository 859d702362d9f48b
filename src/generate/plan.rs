//! What will happen in a story: who attacks when, what GuardDuty publishes of it and how often.
//!
//! The whole plan is made before the first event. It is small: some hundred deliveries.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    client::{Client, Habit},
    environment::Environment,
    finding::{FROM_INSIDE, FROM_OUTSIDE, Finding, Kind, Version},
    flow::Local,
    random::Random,
    scenario::{self, Exemption},
};

/// Attackers from outside on the busiest network ACL, by kind of attack.
const BUSIEST_OUTSIDE: [usize; 4] = [14, 5, 6, 7];
/// Calls from taken-over machines behind the busiest network ACL, by kind.
const BUSIEST_INSIDE: [usize; 4] = [4, 4, 4, 2];
/// Attackers of any kind elsewhere.
const ELSEWHERE: usize = 24;
/// Findings beside one of each exemption that lead to no block, by exemption.
const ALERTS: [(Exemption, usize); 5] = [
    (Exemption::ApiCall, 9),
    (Exemption::DnsRequest, 7),
    (Exemption::KubernetesCall, 4),
    (Exemption::TypeNotInPolicy, 5),
    (Exemption::AllowListed, 2),
];

/// One who attacks, or whom a taken-over machine calls, and when.
#[derive(Clone, Debug)]
pub(crate) struct Attacker {
    pub(crate) finding: Finding,
    pub(crate) starts: DateTime<Utc>,
    pub(crate) ends: DateTime<Utc>,
    /// How its requests look, when it attacks a web server.
    pub(crate) client: Option<Client>,
    /// Records that were written of it.
    pub(crate) flows: u32,
    pub(crate) requests: u32,
}

impl Attacker {
    /// The one behind a finding.
    pub(crate) fn new(
        environment: &Environment,
        finding: Finding,
        starts: DateTime<Utc>,
        ends: DateTime<Utc>,
        random: &mut Random,
    ) -> Self {
        let is_web = finding.local_port(environment) == 443 && finding.kind.role == "TARGET";
        let client = finding
            .remotes
            .first()
            .filter(|_| is_web)
            .map(|remote| Client::at(remote.address, remote.provider.code, Habit::Scanner, random));
        Self {
            finding,
            starts,
            ends,
            client,
            flows: 0,
            requests: 0,
        }
    }

    pub(crate) fn is_active(&self, at: DateTime<Utc>) -> bool {
        self.starts <= at && at < self.ends
    }
}

/// One version of a finding on its way.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) at: DateTime<Utc>,
    /// Index into [`Plan::findings`].
    pub(crate) finding: usize,
    pub(crate) version: Version,
    /// Whether Security Hub delivers it instead of GuardDuty.
    pub(crate) copy: bool,
}

/// The plan. Deliveries are in order of arrival.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    /// Taken by the story, which counts what it wrote of each.
    pub(crate) attackers: Vec<Attacker>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) deliveries: Vec<Delivery>,
}

impl Plan {
    pub(crate) fn new(
        environment: &Environment,
        since: DateTime<Utc>,
        until: DateTime<Utc>,
        random: &mut Random,
    ) -> Self {
        let mut plan = Self::default();
        let mut attacks = busiest(environment, random);
        for _ in 0..ELSEWHERE {
            let kind = super::feed::any_kind(random);
            let local = elsewhere(environment, kind, random);
            attacks.push((kind, local));
        }
        shuffle(&mut attacks, random);
        let count = attacks.len();
        for (index, (kind, local)) in attacks.into_iter().enumerate() {
            let at = slice(since, until, index, count, random);
            let starts = at - TimeDelta::seconds(random.between(300, 1_500));
            let finding = scenario::attack(kind, local, starts, random);
            let last = plan.deliver_attack(finding.clone(), index, at, until, random);
            let ends = last + TimeDelta::minutes(random.between(30, 240));
            plan.attackers
                .push(Attacker::new(environment, finding, starts, ends, random));
        }
        plan.add_exemptions(environment, since, until, random);
        plan.deliveries.sort_by_key(|delivery| delivery.at);
        plan
    }

    /// The versions of an attack's finding; says when the last one arrives. Some attackers keep at it for hours.
    fn deliver_attack(
        &mut self,
        finding: Finding,
        index: usize,
        at: DateTime<Utc>,
        until: DateTime<Utc>,
        random: &mut Random,
    ) -> DateTime<Utc> {
        let (versions, gap) = match index % 8 {
            0 => (8, 60),
            _ => (random.between(2, 4), 15),
        };
        self.deliver(finding, at, until, versions, gap, random)
    }

    fn deliver(
        &mut self,
        finding: Finding,
        first: DateTime<Utc>,
        until: DateTime<Utc>,
        versions: i64,
        gap_minutes: i64,
        random: &mut Random,
    ) -> DateTime<Utc> {
        let mut count = random.between(1, 30);
        let mut last = first;
        for number in 0..versions {
            let at = first + TimeDelta::minutes(number * gap_minutes) + TimeDelta::seconds(random.between(0, 50));
            if at >= until {
                break;
            }
            let version = scenario::version(&finding, at, count, random);
            let delivery = Delivery {
                at,
                finding: self.findings.len(),
                version,
                copy: false,
            };
            let later = at + TimeDelta::seconds(random.between(60, 400));
            if number % 2 == 0 && later < until {
                self.deliveries.push(Delivery {
                    at: later,
                    copy: true,
                    ..delivery.clone()
                });
            }
            self.deliveries.push(delivery);
            count += random.between(3, 120);
            last = at;
        }
        self.findings.push(finding);
        last
    }

    fn add_exemptions(
        &mut self,
        environment: &Environment,
        since: DateTime<Utc>,
        until: DateTime<Utc>,
        random: &mut Random,
    ) {
        let mut exemptions: Vec<Exemption> = Exemption::ALL.to_vec();
        for (exemption, more) in ALERTS {
            exemptions.extend(std::iter::repeat_n(exemption, more));
        }
        shuffle(&mut exemptions, random);
        let count = exemptions.len();
        for (index, exemption) in exemptions.into_iter().enumerate() {
            let at = slice(since, until, index, count, random);
            let starts = at - TimeDelta::seconds(random.between(300, 1_200));
            let finding = scenario::exempt(environment, exemption, starts, random);
            let versions = random.between(1, 3);
            self.deliver(finding, at, until, versions, 15, random);
        }
    }
}

/// The attacks on the busiest network ACL.
fn busiest(environment: &Environment, random: &mut Random) -> Vec<(&'static Kind, Local)> {
    let acl = environment.busiest_acl().id.clone();
    let kinds = FROM_OUTSIDE
        .iter()
        .zip(BUSIEST_OUTSIDE)
        .chain(FROM_INSIDE.iter().zip(BUSIEST_INSIDE));
    let mut attacks = Vec::new();
    for (kind, count) in kinds {
        for _ in 0..count {
            let local = scenario::target(environment, kind, Some(&acl), random);
            attacks.push((kind, local.unwrap_or(Local { vpc: 0, instance: 0 })));
        }
    }
    attacks
}

fn elsewhere(environment: &Environment, kind: &Kind, random: &mut Random) -> Local {
    let busiest = &environment.busiest_acl().id;
    (0..50)
        .filter_map(|_| scenario::target(environment, kind, None, random))
        .find(|local| local.acl(environment) != busiest)
        .unwrap_or(Local { vpc: 1, instance: 0 })
}

/// A time in the part of the span that belongs to the `index`th of `count`: spread evenly, but not regularly.
fn slice(since: DateTime<Utc>, until: DateTime<Utc>, index: usize, count: usize, random: &mut Random) -> DateTime<Utc> {
    let span = (until - since).num_milliseconds() as f64;
    let part = (index as f64 + random.fraction() * 0.9) / count as f64;
    since + TimeDelta::milliseconds((span * (0.01 + part * 0.985)) as i64)
}

fn shuffle<T>(items: &mut [T], random: &mut Random) {
    for last in (1..items.len()).rev() {
        items.swap(last, random.below(last + 1));
    }
}
