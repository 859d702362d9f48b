//! What all processes share: the stores, the stream, the channel, and what is known to be wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use portcullis::network_acl::{AclKey, Direction, Entry};
use portcullis::respond::policy::Policy;

use crate::beside::Beside;
use crate::ec2::{Author, Ec2, NetworkAcl, Standing};
use crate::executor::{Millis, Spawner, Timers};
use crate::findings::{ACCOUNT, REGION};
use crate::gate::Fault;
use crate::ledger::Memory;
use crate::random::Random;
use crate::schedule::{SUBNETS, Schedule};
use crate::slack::Slack;

/// The key of one of the network ACLs.
#[must_use]
pub fn acl(id: &str) -> AclKey {
    AclKey {
        account: ACCOUNT.to_owned(),
        region: REGION.to_owned(),
        acl: id.to_owned(),
    }
}

/// The two network ACLs.
#[must_use]
pub fn acls() -> [AclKey; 2] {
    [acl("acl-1"), acl("acl-2")]
}

/// An entry's place: network ACL, direction, rule number.
pub type Place = (AclKey, Direction, u16);

/// Everything behind one lock; nobody waits while holding it.
pub struct State {
    /// The ledger.
    pub ledger: Memory,
    /// A real one that has to say the same.
    pub beside: Option<Beside>,
    /// EC2.
    pub ec2: Ec2,
    /// The channel.
    pub slack: Slack,
    /// Records by shard.
    pub shards: Vec<Vec<Vec<u8>>>,
    /// The newest version of each finding that was put on a shard.
    pub newest: BTreeMap<String, DateTime<Utc>>,
    /// Digests of records that are no findings.
    pub garbage: BTreeSet<String>,
    /// Addresses that a decision to block was returned for.
    pub accepted: BTreeSet<IpNet>,
    /// Draws latencies and faults.
    pub random: Random,
    /// Of a thousand calls, so many fail.
    pub permille: u64,
    /// Which faults are drawn.
    pub drawn: Vec<Fault>,
    /// The longest lag of a description.
    pub lag: Millis,
    /// Whether the inventory cannot be read.
    pub inventory_down: bool,
    /// How often each fault happened.
    pub counts: BTreeMap<Fault, u64>,
    /// Lives of processes that ended and are not taken away yet.
    pub dead: Vec<(usize, u64)>,
    /// The life that each process is in, and when it comes back while it is dead.
    pub lives: BTreeMap<usize, u64>,
    /// What is wrong.
    pub broken: Vec<String>,
    /// What happened, when somebody wants to read it.
    pub trace: Option<Vec<String>>,
    /// Network ACLs on which a call came later than any lease allows for: their invariants hold again once quiet.
    pub disturbed: BTreeSet<AclKey>,
    /// Places that people touched.
    pub touched: BTreeSet<Place>,
    /// What each process was last shown of each network ACL: the moment shown, and when it asked.
    pub shown: BTreeMap<(usize, AclKey), (Millis, Millis)>,
    /// What people made and nobody else may change.
    pub theirs: BTreeMap<Place, Entry>,
    /// Entries of people that were overwritten before anybody could know.
    pub slipped: u64,
}

/// What all processes share.
pub struct World {
    /// The virtual clock.
    pub timers: Arc<Timers>,
    /// Adds tasks.
    pub spawner: Spawner,
    /// What the operator decided.
    pub policy: Policy,
    /// What is played.
    pub schedule: Schedule,
    state: Mutex<State>,
}

impl World {
    /// A world at the beginning of a schedule.
    #[must_use]
    pub fn new(schedule: Schedule, timers: Arc<Timers>, spawner: Spawner, trace: bool) -> Self {
        let mut state = State {
            ledger: Memory::default(),
            beside: None,
            ec2: Ec2::default(),
            slack: Slack::default(),
            shards: vec![Vec::new(); schedule.shards],
            newest: BTreeMap::new(),
            garbage: BTreeSet::new(),
            accepted: BTreeSet::new(),
            random: Random::new(schedule.seed ^ 0x5bd1_e995),
            permille: schedule.permille,
            drawn: schedule.faults.clone(),
            lag: schedule.lag,
            inventory_down: false,
            counts: BTreeMap::new(),
            dead: Vec::new(),
            lives: BTreeMap::new(),
            broken: Vec::new(),
            trace: trace.then(Vec::new),
            disturbed: BTreeSet::new(),
            touched: BTreeSet::new(),
            shown: BTreeMap::new(),
            theirs: BTreeMap::new(),
            slipped: 0,
        };
        state.ec2.inventory.own_addresses = vec!["52.16.10.20/32".parse().expect("an address")];
        for (key, quota) in acls().into_iter().zip([20, 6]) {
            let mut made = NetworkAcl {
                quota,
                per_family: schedule.per_family,
                default_counts: schedule.default_counts,
                ..NetworkAcl::default()
            };
            let here = SUBNETS.iter().filter(|(_, acl)| *acl == Some(key.acl.as_str()));
            made.subnets.extend(here.map(|(subnet, _)| (*subnet).to_owned()));
            for direction in [Direction::Ingress, Direction::Egress] {
                let entry = Entry {
                    allow: true,
                    ..Entry::deny(100, direction, "0.0.0.0/0".parse().expect("a network"))
                };
                let place = (key.clone(), direction, 100);
                state.theirs.insert(place, entry.clone());
                let standing = Standing {
                    entry,
                    author: Author::Person,
                    since: 0,
                };
                made.entries.insert((direction, 100), standing);
            }
            state.ec2.acls.insert(key, made);
        }
        Self {
            timers,
            spawner,
            policy: schedule.policy.clone(),
            schedule,
            state: Mutex::new(state),
        }
    }

    /// Everything, for as long as nobody waits.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Counts a fault.
    pub fn count(&mut self, fault: Fault) {
        *self.counts.entry(fault).or_default() += 1;
    }

    /// Writes down what happened, when somebody wants to read it.
    pub fn note(&mut self, now: Millis, what: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>9.3} {}", now as f64 / 1000.0, what()));
        }
    }

    /// Writes down what is wrong.
    pub fn wrong(&mut self, now: Millis, what: String) {
        self.note(now, || format!("WRONG {what}"));
        self.broken.push(what);
    }
}
