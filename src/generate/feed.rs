//! GuardDuty findings without end: new ones, old ones again with a higher count, and some that must not lead to a block.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    environment::Environment,
    finding::{FROM_INSIDE, FROM_OUTSIDE, Finding, Kind, Version},
    random::Random,
    scenario::{self, Exemption},
};

/// Findings that are remembered to be published again.
const REMEMBERED: usize = 64;

/// Where findings come from when no story tells them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Feed {
    open: Vec<(Finding, i64)>,
    oldest: usize,
}

impl Feed {
    /// The finding that arrives next.
    pub(crate) fn next(
        &mut self,
        environment: &Environment,
        at: DateTime<Utc>,
        random: &mut Random,
    ) -> (Finding, Version) {
        if random.chance(55)
            && let Some(again) = self.again(at, random)
        {
            return again;
        }
        if random.chance(20) {
            let finding = scenario::exempt(environment, *random.pick(Exemption::ALL), starts(at, random), random);
            let version = scenario::version(&finding, at, 1, random);
            return (finding, version);
        }
        let finding = attacker(environment, at, random);
        let count = random.between(1, 12);
        let version = scenario::version(&finding, at, count, random);
        self.remember(finding.clone(), count);
        (finding, version)
    }

    /// One that is remembered, with a higher count.
    pub(crate) fn again(&mut self, at: DateTime<Utc>, random: &mut Random) -> Option<(Finding, Version)> {
        let index = random.below(self.open.len());
        let (finding, count) = self.open.get_mut(index)?;
        *count += random.between(1, 40);
        let version = scenario::version(finding, at, *count, random);
        Some((finding.clone(), version))
    }

    /// Keeps a finding, so that it is published again.
    pub(crate) fn remember(&mut self, finding: Finding, count: i64) {
        if self.open.len() < REMEMBERED {
            self.open.push((finding, count));
        } else {
            self.open[self.oldest] = (finding, count);
            self.oldest = (self.oldest + 1) % REMEMBERED;
        }
    }
}

/// Any kind of attack, those from outside more often.
pub(crate) fn any_kind(random: &mut Random) -> &'static Kind {
    if random.chance(70) {
        &FROM_OUTSIDE[random.weighted(&[5, 2, 3, 3])]
    } else {
        random.pick(FROM_INSIDE)
    }
}

/// A new attacker of any kind, whose attack began shortly before.
pub(crate) fn attacker(environment: &Environment, at: DateTime<Utc>, random: &mut Random) -> Finding {
    let kind = any_kind(random);
    let local = scenario::target(environment, kind, None, random).unwrap_or(super::flow::Local { vpc: 0, instance: 0 });
    scenario::attack(kind, local, starts(at, random), random)
}

fn starts(at: DateTime<Utc>, random: &mut Random) -> DateTime<Utc> {
    at - TimeDelta::seconds(random.between(300, 1_500))
}
