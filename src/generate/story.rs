//! One day of the organisation in all sources at once.

use std::{net::Ipv4Addr, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use ipnet::IpNet;
use portcullis_transforms::Source;

use super::{
    Event, cloudtrail, copy,
    denial::Denials,
    dns,
    environment::Environment,
    finding::Action,
    flow::{self, Flow, Local},
    guardduty,
    plan::{Attacker, Plan},
    random::Random,
    rhythm::{AROUND_THE_CLOCK, Arrivals, MACHINES, OFFICE},
    securityhub, waf,
};
use crate::network_acl::Direction;

/// How many events of the sources whose number does not follow from what happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Requests that the web ACLs logged.
    pub waf: u64,
    /// Flow log records.
    pub vpcflow: u64,
    /// Results of controls and scans; copies of GuardDuty's findings come on top.
    pub checks: u64,
    /// DNS queries.
    pub dns: u64,
    /// Calls that CloudTrail recorded.
    pub cloudtrail: u64,
}

impl Volume {
    /// So many log records, in the shares that the demo has, about.
    #[must_use]
    pub fn of(logs: u64) -> Self {
        Self {
            checks: logs / 40,
            waf: logs / 4,
            vpcflow: logs / 2,
            dns: logs / 8,
            cloudtrail: logs / 10,
        }
    }
}

impl Default for Volume {
    fn default() -> Self {
        Self {
            waf: 15_000,
            vpcflow: 30_000,
            checks: 350,
            dns: 8_000,
            cloudtrail: 3_000,
        }
    }
}

/// Events of all sources in order of arrival, which speak of the same attackers.
///
/// An attacker shows up in flow logs (and, when it attacks a web server, in WAF logs) before GuardDuty's finding arrives. Tell
/// [`Story::denied`] what was denied: from then on its flow records are REJECT, its web requests no longer arrive.
#[derive(Clone, Debug)]
pub struct Story {
    pub(super) scene: Scene,
    plan: Plan,
    delivered: usize,
    logs: [Log; 5],
}

/// A stream of events that is planned only by its rhythm.
#[derive(Clone, Debug)]
struct Log {
    source: Source,
    arrivals: Arrivals,
    random: Random,
    next: Option<DateTime<Utc>>,
}

impl Story {
    /// The story of that seed, of the `span` before `until` (24 hours make it what it is meant to be).
    #[must_use]
    pub fn new(seed: u64, until: DateTime<Utc>, span: TimeDelta) -> Self {
        Self::with_volume(seed, until, span, Volume::default())
    }

    /// The same with another number of log records.
    #[must_use]
    pub fn with_volume(seed: u64, until: DateTime<Utc>, span: TimeDelta, volume: Volume) -> Self {
        let environment = Arc::new(Environment::new(seed));
        let since = until - span;
        let mut random = Random::new(seed, 2);
        let mut plan = Plan::new(&environment, since, until, &mut random);
        let logs = [
            (Source::SecurityHub, AROUND_THE_CLOCK, volume.checks),
            (Source::Waf, OFFICE, volume.waf),
            (Source::VpcFlow, MACHINES, volume.vpcflow),
            (Source::Dns, MACHINES, volume.dns),
            (Source::CloudTrail, OFFICE, volume.cloudtrail),
        ];
        Self {
            scene: Scene {
                waf: waf::Traffic::new(&mut random),
                flows: flow::Traffic::new(&environment, &mut random),
                checks: securityhub::Checks::new(&environment, since, until, &mut random),
                queries: dns::Queries::new(&environment, &mut random),
                calls: cloudtrail::Activity::new(&environment, &mut random),
                attackers: std::mem::take(&mut plan.attackers),
                denials: Denials::default(),
                environment,
            },
            plan,
            delivered: 0,
            logs: logs.map(|(source, rhythm, count)| {
                let mut random = Random::new(seed, 20 + source as u64);
                let mut arrivals = Arrivals::new(rhythm, since, until, count);
                let next = arrivals.next(&mut random);
                Log {
                    source,
                    arrivals,
                    random,
                    next,
                }
            }),
        }
    }

    /// What the organisation has.
    #[must_use]
    pub fn environment(&self) -> &Arc<Environment> {
        &self.scene.environment
    }

    /// How many events are still to come.
    #[must_use]
    pub fn left(&self) -> u64 {
        let logs: u64 = self
            .logs
            .iter()
            .map(|log| log.arrivals.left() + u64::from(log.next.is_some()))
            .sum();
        logs + (self.plan.deliveries.len() - self.delivered) as u64
    }

    /// A network ACL denies these addresses in that direction from then on.
    pub fn denied(&mut self, cidr: IpNet, acl: &str, direction: Direction, from: DateTime<Utc>) {
        self.scene.denials.add(cidr, acl, direction, from);
    }

    /// It no longer does: evicted, expired or unblocked.
    pub fn undenied(&mut self, cidr: IpNet, acl: &str, direction: Direction) {
        self.scene.denials.remove(cidr, acl, direction);
    }
}

impl Iterator for Story {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        let log = self
            .logs
            .iter_mut()
            .filter(|log| log.next.is_some())
            .min_by_key(|log| log.next);
        let log_at = log.as_ref().and_then(|log| log.next);
        let delivery = self.plan.deliveries.get(self.delivered);
        let mut line = Vec::new();
        match (delivery, log, log_at) {
            (Some(delivery), _, log_at) if log_at.is_none_or(|at| delivery.at <= at) => {
                self.delivered += 1;
                let finding = &self.plan.findings[delivery.finding];
                let environment = &self.scene.environment;
                let source = if delivery.copy {
                    copy::write(environment, finding, &delivery.version, &mut line);
                    Source::SecurityHub
                } else {
                    guardduty::write(environment, finding, &delivery.version, &mut line);
                    Source::GuardDuty
                };
                let at = delivery.at;
                Some(Event { at, source, line })
            }
            (_, Some(log), Some(at)) => {
                log.next = log.arrivals.next(&mut log.random);
                let source = log.source;
                match source {
                    Source::Waf => self.scene.write_request(at, 8, &mut log.random, &mut line),
                    Source::VpcFlow => self.scene.write_flow(at, 14, &mut log.random, &mut line),
                    other => self.scene.write_other(other, at, &mut log.random, &mut line),
                }
                Some(Event { at, source, line })
            }
            _ => None,
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.left()).ok();
        (left.unwrap_or(usize::MAX), left)
    }
}

/// What there is at any time of a story: everyday traffic, attackers, denies.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    pub(super) environment: Arc<Environment>,
    waf: waf::Traffic,
    flows: flow::Traffic,
    checks: securityhub::Checks,
    queries: dns::Queries,
    calls: cloudtrail::Activity,
    pub(super) attackers: Vec<Attacker>,
    pub(super) denials: Denials,
}

impl Scene {
    /// A web request; of an attacker in so many cases of a hundred, as long as there is one that gets through.
    pub(super) fn write_request(
        &mut self,
        at: DateTime<Utc>,
        attack_percent: usize,
        random: &mut Random,
        out: &mut Vec<u8>,
    ) {
        if random.chance(attack_percent) {
            let (environment, denials) = (&self.environment, &self.denials);
            let gets_through = |attacker: &Attacker| match &attacker.client {
                None => false,
                Some(client) => {
                    let vpc = attacker.finding.local.vpc(environment);
                    let acl = &vpc.network_acls[0].id;
                    denials.since(client.address, acl, Direction::Ingress, at).is_none()
                }
            };
            let chosen = choose(&self.attackers, at, |attacker| attacker.requests, gets_through, random);
            if let Some(attacker) = chosen.and_then(|index| self.attackers.get_mut(index)) {
                attacker.requests += 1;
                if let Some(client) = &attacker.client {
                    return waf::write(environment, attacker.finding.local.vpc, client, at, random, out);
                }
            }
        }
        self.waf.write(&self.environment, at, random, out);
    }

    /// A record of a source in which the plan's attackers do not show: a DNS query, a call, or else a check's result.
    pub(super) fn write_other(&mut self, source: Source, at: DateTime<Utc>, random: &mut Random, out: &mut Vec<u8>) {
        match source {
            Source::Dns => self.queries.write(&self.environment, at, random, out),
            Source::CloudTrail => self.calls.write(&self.environment, at, random, out),
            _ => self.checks.write(&self.environment, at, random, out),
        }
    }

    /// A flow log record; of an attacker in so many cases of a hundred, as long as there is one.
    pub(super) fn write_flow(
        &mut self,
        at: DateTime<Utc>,
        attack_percent: usize,
        random: &mut Random,
        out: &mut Vec<u8>,
    ) {
        if random.chance(attack_percent) {
            let chosen = choose(&self.attackers, at, |attacker| attacker.flows, |_| true, random);
            if let Some(attacker) = chosen.and_then(|index| self.attackers.get_mut(index)) {
                attacker.flows += 1;
                if let Some(flow) = attack_flow(&self.environment, &self.denials, attacker, at, random) {
                    return flow.write(&self.environment, &self.denials, at, random, out);
                }
            }
        }
        self.flows.write(&self.environment, &self.denials, at, random, out);
    }
}

/// An active attacker: one that no record was written of yet, or any, the newest most likely.
fn choose(
    attackers: &[Attacker],
    at: DateTime<Utc>,
    written: impl Fn(&Attacker) -> u32,
    fits: impl Fn(&Attacker) -> bool,
    random: &mut Random,
) -> Option<usize> {
    let mut active = Vec::new();
    for (index, attacker) in attackers.iter().enumerate() {
        if attacker.is_active(at) && fits(attacker) {
            if written(attacker) == 0 {
                return Some(index);
            }
            active.push(index);
        }
    }
    let newest = (0..3).map(|_| random.below(active.len())).max()?;
    active.get(newest).copied()
}

/// One half of what an attacker and a machine say to each other, as far as the denies let it happen.
fn attack_flow(
    environment: &Environment,
    denials: &Denials,
    attacker: &Attacker,
    at: DateTime<Utc>,
    random: &mut Random,
) -> Option<Flow> {
    let finding = &attacker.finding;
    // Every address of a port probe is seen at least once, then any.
    let turn = attacker.flows as usize - 1;
    let remote = finding.remotes.get(turn).or_else(|| {
        let index = random.below(finding.remotes.len());
        finding.remotes.get(index)
    })?;
    let outbound = matches!(finding.kind.action, Action::Outbound(_));
    let opens = if outbound {
        Direction::Egress
    } else {
        Direction::Ingress
    };
    let answers = if outbound {
        Direction::Ingress
    } else {
        Direction::Egress
    };
    let is_stopped = denied(environment, denials, remote.address, finding.local, opens, at);
    // Nobody answers what never arrived.
    let direction = if is_stopped || turn < finding.remotes.len() || random.chance(60) {
        opens
    } else {
        answers
    };
    let packets = random.between(8, 60);
    Some(Flow {
        local: finding.local,
        remote: remote.address,
        local_port: if outbound {
            flow::ephemeral(random)
        } else {
            finding.local_port(environment)
        },
        remote_port: if outbound {
            finding.remote_port()
        } else {
            flow::ephemeral(random)
        },
        protocol: 6,
        direction,
        packets,
        bytes: packets * random.between(60, 260),
        allowed: true,
    })
}

fn denied(
    environment: &Environment,
    denials: &Denials,
    remote: Ipv4Addr,
    local: Local,
    direction: Direction,
    at: DateTime<Utc>,
) -> bool {
    denials.since(remote, local.acl(environment), direction, at).is_some()
}
