//! The story goes on by the clock: a finding every few seconds, calm traffic around it, and denied attackers that keep trying.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use ipnet::IpNet;
use portcullis_transforms::Source;

use super::{
    Environment, Event, Exemption, Story, copy, feed,
    feed::Feed,
    finding::{Finding, Version},
    guardduty,
    plan::Attacker,
    random::Random,
    scenario,
    story::Scene,
};
use crate::network_acl::Direction;

/// Attackers that are remembered; who is denied goes on trying until others take his place.
const ATTACKERS: usize = 120;
/// After a pause longer than this (a suspended machine), what would have happened in it is left out.
const LONGEST_CATCH_UP: TimeDelta = TimeDelta::seconds(30);

/// What goes on after a [`Story`].
#[derive(Clone, Debug)]
pub struct Live {
    scene: Scene,
    random: Random,
    feed: Feed,
    /// The finding that comes next.
    coming: Option<(Finding, Version)>,
    /// When the next event of each source comes, in the order of [`PAUSES`].
    due: [DateTime<Utc>; PAUSES.len()],
}

/// Shortest and longest pause between two events of a source, in milliseconds.
const PAUSES: [(Source, i64, i64); 6] = [
    (Source::GuardDuty, 4_000, 9_000),
    (Source::SecurityHub, 12_000, 40_000),
    (Source::Waf, 150, 900),
    (Source::VpcFlow, 80, 400),
    (Source::Dns, 300, 1_500),
    (Source::CloudTrail, 500, 4_000),
];

impl Live {
    /// Goes on from a story at that time. What the story was told of denies still holds.
    #[must_use]
    pub fn new(story: Story, seed: u64, now: DateTime<Utc>) -> Self {
        let mut live = Self {
            scene: story.scene,
            random: Random::new(seed, 3),
            feed: Feed::default(),
            coming: None,
            due: [now; PAUSES.len()],
        };
        // The story's last attackers go on, with as much to them as there was.
        let known = live.scene.attackers.len().saturating_sub(ATTACKERS / 2);
        live.scene.attackers.drain(..known);
        for attacker in &mut live.scene.attackers {
            attacker.ends = now + TimeDelta::hours(2);
            live.feed.remember(attacker.finding.clone(), 200);
        }
        live.reschedule(now);
        live
    }

    /// What the organisation has.
    #[must_use]
    pub fn environment(&self) -> &Arc<Environment> {
        &self.scene.environment
    }

    /// As [`Story::denied`].
    pub fn denied(&mut self, cidr: IpNet, acl: &str, direction: Direction, from: DateTime<Utc>) {
        self.scene.denials.add(cidr, acl, direction, from);
    }

    /// As [`Story::undenied`].
    pub fn undenied(&mut self, cidr: IpNet, acl: &str, direction: Direction) {
        self.scene.denials.remove(cidr, acl, direction);
    }

    /// When something happens next; sleep until then.
    #[must_use]
    pub fn due(&self) -> DateTime<Utc> {
        self.due.iter().copied().min().unwrap_or_default()
    }

    /// What happened until `now`, in order, up to and including the first finding. Call it about once a second, each time
    /// until nothing comes: so what a finding leads to can be told with [`Live::denied`] before traffic goes on.
    pub fn next(&mut self, now: DateTime<Utc>) -> Vec<Event> {
        if now - self.due() > LONGEST_CATCH_UP {
            self.reschedule(now);
        }
        let mut events = Vec::new();
        while let Some(which) = (0..self.due.len()).min_by_key(|&which| self.due[which]) {
            let at = self.due[which];
            if at > now {
                break;
            }
            let (source, ..) = PAUSES[which];
            let mut line = Vec::new();
            self.write(source, at, &mut line);
            events.push(Event { at, source, line });
            self.schedule(which, at);
            if source == Source::GuardDuty {
                break;
            }
        }
        events
    }

    fn write(&mut self, source: Source, at: DateTime<Utc>, line: &mut Vec<u8>) {
        let Self { scene, random, .. } = self;
        match source {
            Source::GuardDuty => self.write_finding(at, line),
            Source::SecurityHub => {
                let found = if random.chance(40) {
                    self.feed.again(at, random)
                } else {
                    None
                };
                match found {
                    Some((finding, version)) => copy::write(&scene.environment, &finding, &version, line),
                    None => scene.write_other(source, at, random, line),
                }
            }
            Source::Waf => scene.write_request(at, 12, random, line),
            Source::VpcFlow => scene.write_flow(at, 40, random, line),
            Source::Dns | Source::CloudTrail => scene.write_other(source, at, random, line),
        }
    }

    fn write_finding(&mut self, at: DateTime<Utc>, line: &mut Vec<u8>) {
        let Self { scene, random, .. } = self;
        let (finding, version) = match self.coming.take() {
            Some(coming) => coming,
            None => self
                .feed
                .again(at, random)
                .unwrap_or_else(|| self.feed.next(&scene.environment, at, random)),
        };
        guardduty::write(&scene.environment, &finding, &version, line);
    }

    fn reschedule(&mut self, now: DateTime<Utc>) {
        for which in 0..self.due.len() {
            self.schedule(which, now);
        }
    }

    fn schedule(&mut self, which: usize, at: DateTime<Utc>) {
        let (source, shortest, longest) = PAUSES[which];
        self.due[which] = at + TimeDelta::milliseconds(self.random.between(shortest, longest));
        if source == Source::GuardDuty {
            self.prepare(at, self.due[which]);
        }
    }

    /// Decides what the next finding is, so that a new attacker shows up in the logs before it.
    fn prepare(&mut self, now: DateTime<Utc>, at: DateTime<Utc>) {
        let Self { scene, random, .. } = self;
        let environment = &scene.environment;
        self.coming = match random.weighted(&[60, 25, 15]) {
            0 => {
                let finding = feed::attacker(environment, at, random);
                let count = random.between(1, 12);
                let version = scenario::version(&finding, at, count, random);
                let attacker = Attacker::new(environment, finding.clone(), now, now + TimeDelta::hours(2), random);
                if scene.attackers.len() >= ATTACKERS {
                    scene.attackers.remove(0);
                }
                scene.attackers.push(attacker);
                self.feed.remember(finding.clone(), count);
                Some((finding, version))
            }
            1 => None,
            _ => {
                let starts = at - TimeDelta::seconds(random.between(300, 1_200));
                let finding = scenario::exempt(environment, *random.pick(Exemption::ALL), starts, random);
                let version = scenario::version(&finding, at, 1, random);
                Some((finding, version))
            }
        };
    }
}
