//! Realistic and hostile events in AWS's own formats. Knows nothing of the transforms, so that it can test them.
//!
//! [`Generator`] writes any number of events of one source in constant memory. [`Story`] tells one day of a fictional
//! organisation ([`Environment`]) in all sources at once, in which attackers show up in the logs before GuardDuty finds
//! them and are rejected once they are denied; [`Live`] goes on from there by the clock.
//!
//! The same seed and times give the same bytes.
//!
//! ```
//! use chrono::TimeDelta;
//! use portcullis::generate::{DEFAULT_UNTIL, Generator};
//! use portcullis_transforms::Source;
//!
//! let since = DEFAULT_UNTIL - TimeDelta::hours(24);
//! let event = Generator::new(Source::VpcFlow, 7, since, DEFAULT_UNTIL, 1).next().expect("one event was asked for");
//! assert_eq!(event.line.split(|&byte| byte == b' ').count(), 14);
//! ```

mod asff;
mod client;
mod cloudtrail;
mod control;
mod copy;
mod denial;
mod dns;
mod environment;
mod feed;
mod finding;
mod flow;
mod guardduty;
mod hostile;
mod identity;
mod json;
mod layout;
mod live;
mod plan;
mod provider;
mod random;
mod request;
mod rhythm;
mod scenario;
mod securityhub;
mod story;
#[cfg(test)]
mod tests;
mod waf;

use chrono::{DateTime, Utc};
use portcullis_transforms::Source;

pub use environment::{
    Account, AllowListed, Environment, Instance, LoadBalancer, NetworkAcl, ServicePrefix, Subnet, Vpc,
};
pub use live::Live;
pub use scenario::Exemption;
pub use story::{Story, Volume};

use denial::Denials;
use random::Random;
use rhythm::Arrivals;

/// Where spans end unless told otherwise: fixed, so that a seed alone determines the bytes.
pub const DEFAULT_UNTIL: DateTime<Utc> = match DateTime::from_timestamp(1_793_491_200, 0) {
    Some(until) => until,
    None => DateTime::UNIX_EPOCH,
};

/// One event as it is delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When it arrives; times inside the record are a little earlier.
    pub at: DateTime<Utc>,
    /// Which source it is of.
    pub source: Source,
    /// The record, without a line break.
    pub line: Vec<u8>,
}

/// Events of one source, in order of arrival, busy by day and quiet at night. Its memory does not grow with their number.
#[derive(Clone, Debug)]
pub struct Generator {
    environment: Environment,
    arrivals: Arrivals,
    random: Random,
    kind: Kind,
    hostile: u8,
    scratch: Vec<u8>,
}

/// What writes the records of a source.
#[derive(Clone, Debug)]
enum Kind {
    GuardDuty(feed::Feed),
    SecurityHub(feed::Feed, securityhub::Checks),
    Waf(waf::Traffic),
    VpcFlow(flow::Traffic, Denials),
    Dns(dns::Queries),
    CloudTrail(cloudtrail::Activity),
}

impl Generator {
    /// `count` events of a source that arrive in `[since, until)`. The environment is [`Environment::new`] of the seed.
    #[must_use]
    pub fn new(source: Source, seed: u64, since: DateTime<Utc>, until: DateTime<Utc>, count: u64) -> Self {
        let environment = Environment::new(seed);
        let mut random = Random::new(seed, 10 + source as u64);
        let (rhythm, kind) = match source {
            Source::GuardDuty => (rhythm::AROUND_THE_CLOCK, Kind::GuardDuty(feed::Feed::default())),
            Source::SecurityHub => {
                let checks = securityhub::Checks::new(&environment, since, until, &mut random);
                (rhythm::MACHINES, Kind::SecurityHub(feed::Feed::default(), checks))
            }
            Source::Waf => (rhythm::OFFICE, Kind::Waf(waf::Traffic::new(&mut random))),
            Source::VpcFlow => {
                let traffic = flow::Traffic::new(&environment, &mut random);
                (rhythm::MACHINES, Kind::VpcFlow(traffic, Denials::default()))
            }
            Source::Dns => (
                rhythm::MACHINES,
                Kind::Dns(dns::Queries::new(&environment, &mut random)),
            ),
            Source::CloudTrail => {
                let activity = cloudtrail::Activity::new(&environment, &mut random);
                (rhythm::OFFICE, Kind::CloudTrail(activity))
            }
        };
        Self {
            environment,
            arrivals: Arrivals::new(rhythm, since, until, count),
            random,
            kind,
            hostile: 0,
            scratch: Vec::new(),
        }
    }

    /// Puts an attack on whoever reads the events in the place of `percent` of a hundred of them.
    #[must_use]
    pub fn hostile(mut self, percent: u8) -> Self {
        self.hostile = percent.min(100);
        self
    }

    /// Which source the events are of.
    #[must_use]
    pub fn source(&self) -> Source {
        match self.kind {
            Kind::GuardDuty(..) => Source::GuardDuty,
            Kind::SecurityHub(..) => Source::SecurityHub,
            Kind::Waf(..) => Source::Waf,
            Kind::VpcFlow(..) => Source::VpcFlow,
            Kind::Dns(..) => Source::Dns,
            Kind::CloudTrail(..) => Source::CloudTrail,
        }
    }

    /// Appends the next record, without a line break, and says when it arrives. Allocates nothing for logs once the
    /// buffer is large enough.
    pub fn write_next(&mut self, out: &mut Vec<u8>) -> Option<DateTime<Utc>> {
        let at = self.arrivals.next(&mut self.random)?;
        if self.hostile == 0 || !self.random.chance(usize::from(self.hostile)) {
            self.write(at, out);
        } else {
            let mut honest = std::mem::take(&mut self.scratch);
            honest.clear();
            self.write(at, &mut honest);
            hostile::write(self.source(), &honest, &mut self.random, out);
            self.scratch = honest;
        }
        Some(at)
    }

    fn write(&mut self, at: DateTime<Utc>, out: &mut Vec<u8>) {
        let (environment, random) = (&self.environment, &mut self.random);
        match &mut self.kind {
            Kind::Waf(traffic) => traffic.write(environment, at, random, out),
            Kind::Dns(queries) => queries.write(environment, at, random, out),
            Kind::CloudTrail(activity) => activity.write(environment, at, random, out),
            Kind::VpcFlow(traffic, denials) => traffic.write(environment, denials, at, random, out),
            Kind::GuardDuty(feed) => {
                let (finding, version) = feed.next(environment, at, random);
                guardduty::write(environment, &finding, &version, out);
            }
            Kind::SecurityHub(feed, checks) => {
                if random.chance(30) {
                    let (finding, version) = feed.next(environment, at, random);
                    copy::write(environment, &finding, &version, out);
                } else {
                    checks.write(environment, at, random, out);
                }
            }
        }
    }
}

impl Iterator for Generator {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        let mut line = Vec::new();
        let at = self.write_next(&mut line)?;
        let source = self.source();
        Some(Event { at, source, line })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.arrivals.left()).ok();
        (left.unwrap_or(usize::MAX), left)
    }
}
