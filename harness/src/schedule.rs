//! What happens, and when: drawn from a seed, so that a number is enough to see it again.

use chrono::TimeDelta;
use portcullis::network_acl::Direction;
use portcullis::respond::policy::{Evict, Policy};
use portcullis::respond::report::Mode;

use crate::executor::Millis;
use crate::findings::Kind;
use crate::gate::Fault;
use crate::random::Random;
use crate::slack::Mood;

/// Addresses that findings name: the first two are guarded, the last three are IPv6.
pub const ADDRESSES: usize = 15;

/// One address that findings name.
#[must_use]
pub fn address(number: usize) -> String {
    match number % ADDRESSES {
        0 => "10.0.0.5".to_owned(),
        1 => "52.16.10.20".to_owned(),
        at @ 2..12 => format!("185.220.101.{at}"),
        at => format!("2a02:c207::{at}"),
    }
}

/// Subnets and their network ACLs: two share one, one is alone, one is not known.
pub const SUBNETS: [(&str, Option<&str>); 4] = [
    ("subnet-a", Some("acl-1")),
    ("subnet-b", Some("acl-1")),
    ("subnet-c", Some("acl-2")),
    ("subnet-x", None),
];

/// One thing that happens. Numbers choose among what is there.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// A finding comes on a shard; it was written `age` seconds ago.
    Finding {
        /// Which shard.
        shard: usize,
        /// Which finding.
        id: u64,
        /// What happened.
        kind: Kind,
        /// Which addresses.
        addresses: Vec<usize>,
        /// Which subnets.
        subnets: Vec<usize>,
        /// Seconds since it was written.
        age: u64,
    },
    /// A record that came before comes again, maybe on another shard.
    Again(usize, usize),
    /// Bytes that are no finding.
    Garbage(usize, u64),
    /// Findings from so many new addresses at once.
    Flood(usize, u64),
    /// A process dies and comes back after so long.
    Kill(usize, Millis),
    /// A process stands still for so long.
    Stop(usize, Millis),
    /// The lease on a network ACL is taken away.
    Steal(usize),
    /// A person blocks an address, for so many minutes.
    Block(usize, Option<u64>),
    /// A person unblocks an address.
    Unblock(usize),
    /// A person unblocks everything.
    UnblockAll,
    /// A person allows an address, for so many minutes.
    Allow(usize, Option<u64>),
    /// A person ends that.
    Disallow(usize),
    /// A person pauses, for so many minutes.
    Pause(u64),
    /// A person resumes, everything or one network ACL.
    Resume(Option<usize>),
    /// A person pins an address, or unpins it.
    Pin(usize, bool),
    /// Somebody makes an entry by hand.
    Add(usize, Direction, u16),
    /// Somebody allows everything at a low number.
    AllowFirst(usize, Direction),
    /// Somebody changes an entry of ours.
    Edit(usize, usize),
    /// Somebody deletes an entry of ours.
    Delete(usize, usize),
    /// Somebody deletes an entry of theirs.
    DeleteTheirs(usize, usize),
    /// The quota changes.
    Quota(usize, usize),
    /// Somebody deletes a network ACL.
    Gone(usize),
    /// The channel changes its mood.
    Slack(Mood),
    /// The inventory cannot be read, or can again.
    Inventory(bool),
    /// An address becomes one of our own.
    Own(usize),
    /// Of a thousand calls, so many fail from now on.
    Faults(u64),
}

/// A whole schedule.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// Where it came from.
    pub seed: u64,
    /// Responders that run at once.
    pub processes: usize,
    /// How far their clocks are off.
    pub skews: Vec<TimeDelta>,
    /// Shards of the stream.
    pub shards: usize,
    /// The longest lag of a description.
    pub lag: Millis,
    /// How long processes wait between two rounds.
    pub round: Millis,
    /// Which faults are drawn.
    pub faults: Vec<Fault>,
    /// Of a thousand calls, so many fail at first.
    pub permille: u64,
    /// What the operator decided.
    pub policy: Policy,
    /// Whether the quota counts address families apart.
    pub per_family: bool,
    /// Whether the quota counts the default deny.
    pub default_counts: bool,
    /// Acts in the order of time; the number is the act's place in the whole schedule.
    pub acts: Vec<(usize, Millis, Act)>,
    /// When faults stop.
    pub end: Millis,
}

impl Schedule {
    /// Draws a schedule.
    #[must_use]
    pub fn draw(seed: u64) -> Self {
        let random = &mut Random::new(seed);
        let processes = usize::try_from(random.between(1, 4)).unwrap_or(1);
        let end = random.pick(&[60_000, 180_000, 180_000, 600_000, 3 * 3_600_000]);
        let count = random.between(4, 34);
        let mut acts: Vec<(Millis, Act)> = (0..count)
            .map(|_| {
                let at = Millis::try_from(random.below(u64::try_from(end).unwrap_or(1))).unwrap_or_default();
                (at, act(random))
            })
            .collect();
        acts.sort_by_key(|(at, _)| *at);
        let mut policy = Policy {
            mode: Mode::Enforce,
            put_back: random.chance(250),
            evict: random.pick(&[Evict::Oldest, Evict::Oldest, Evict::Severity]),
            ..Policy::default()
        };
        let limits = &mut policy.limits;
        limits.entries_per_direction = random.pick(&[2, 3, 3, 4]);
        limits.last_rule = 76;
        limits.evictions_per_hour = random.pick(&[3, 6, 30]);
        limits.hold_off_hours = random.pick(&[1, 24]);
        limits.flood_addresses = random.pick(&[6, 10, 50]);
        policy.expiry.low_hours = random.pick(&[0, 0, 1]);
        policy.expiry.high_hours = random.pick(&[0, 2]);
        policy.lists.own_networks = vec!["10.0.0.0/16".parse().expect("a network")];
        let skew = |random: &mut Random| TimeDelta::milliseconds(i64::try_from(random.below(4001)).unwrap_or(0) - 2000);
        Self {
            seed,
            processes,
            skews: (0..processes).map(|_| skew(random)).collect(),
            shards: usize::try_from(random.between(1, 2)).unwrap_or(1),
            lag: random.pick(&[0, 2_000, 10_000, 30_000]),
            round: if end > 600_000 {
                20_000
            } else {
                random.pick(&[500, 2_000, 7_000])
            },
            faults: Fault::DRAWN.to_vec(),
            permille: random.pick(&[0, 20, 60, 150]),
            policy,
            per_family: random.chance(500),
            default_counts: random.chance(500),
            acts: acts
                .into_iter()
                .enumerate()
                .map(|(n, (at, act))| (n, at, act))
                .collect(),
            end,
        }
    }
}

fn some(random: &mut Random, most: u64, below: u64) -> Vec<usize> {
    let count = random.between(1, most);
    (0..count)
        .map(|_| usize::try_from(random.below(below)).unwrap_or(0))
        .collect()
}

fn act(random: &mut Random) -> Act {
    let small = |random: &mut Random, below: u64| usize::try_from(random.below(below)).unwrap_or(0);
    let direction = |random: &mut Random| random.pick(&[Direction::Ingress, Direction::Ingress, Direction::Egress]);
    match random.below(100) {
        0..34 => Act::Finding {
            shard: small(random, 2),
            id: random.below(10),
            kind: random.pick(&[Kind::Inbound, Kind::Outbound, Kind::Probe, Kind::Probe]),
            addresses: some(random, 7, ADDRESSES as u64),
            subnets: some(random, 3, 4),
            age: random.pick(&[0, 1, 30, 600, 90_000]),
        },
        34..38 => Act::Again(small(random, 40), small(random, 2)),
        38..40 => Act::Garbage(small(random, 2), random.below(5)),
        40..42 => Act::Flood(small(random, 2), random.between(5, 15)),
        42..46 => Act::Kill(small(random, 4), random.pick(&[100, 3_000, 70_000])),
        46..50 => Act::Stop(small(random, 4), random.pick(&[1_000, 30_000, 90_000, 200_000])),
        50..51 => Act::Steal(small(random, 2)),
        51..54 => Act::Block(small(random, ADDRESSES as u64), random.pick(&[None, Some(1), Some(10)])),
        54..60 => Act::Unblock(small(random, ADDRESSES as u64)),
        60..61 => Act::UnblockAll,
        61..65 => Act::Allow(small(random, ADDRESSES as u64), random.pick(&[None, Some(1), Some(30)])),
        65..66 => Act::Disallow(small(random, ADDRESSES as u64)),
        66..68 => Act::Pause(random.pick(&[1, 5])),
        68..70 => Act::Resume(random.pick(&[None, Some(0), Some(1)])),
        70..73 => Act::Pin(small(random, ADDRESSES as u64), random.chance(700)),
        73..78 => Act::Add(
            small(random, 2),
            direction(random),
            u16::try_from(random.between(70, 78)).unwrap_or(70),
        ),
        78..79 => Act::AllowFirst(small(random, 2), direction(random)),
        79..82 => Act::Edit(small(random, 2), small(random, 6)),
        82..86 => Act::Delete(small(random, 2), small(random, 6)),
        86..87 => Act::DeleteTheirs(small(random, 2), small(random, 6)),
        87..90 => Act::Quota(small(random, 2), small(random, 8)),
        90..94 => Act::Slack(random.pick(&[
            Mood::Fine,
            Mood::Down,
            Mood::Slow,
            Mood::TooMany(30),
            Mood::Broken,
            Mood::Refuses,
        ])),
        94..96 => Act::Inventory(random.chance(500)),
        96..97 => Act::Own(small(random, ADDRESSES as u64)),
        97 if random.chance(300) => Act::Gone(1),
        _ => Act::Faults(random.pick(&[0, 30, 100, 300])),
    }
}
