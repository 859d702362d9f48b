//! A ledger, a model, responders that come and go, and the acts that happen to them.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use ipnet::IpNet;
use portcullis::ledger::embedded::SqliteLedger;
use portcullis::ledger::{Filter, Ledger};
use portcullis::network_acl::model::{Model, Vpc};
use portcullis::network_acl::{AclKey, Direction, Entry, Inventory, NetworkAcls};
use portcullis::respond::policy::Policy;
use portcullis::respond::report::Mode;
use portcullis::respond::{Block, Responder, Unblock, Verdict, verify};

use super::faults::{Bug, Fault, Faults, Faulty};
use super::findings::{ACCOUNT, Kind, REGION, finding};

/// Subnets and their network ACLs: two share one, one is alone, one is not known.
const SUBNETS: [(&str, Option<&str>); 4] = [
    ("subnet-a", Some("acl-1")),
    ("subnet-b", Some("acl-1")),
    ("subnet-c", Some("acl-2")),
    ("subnet-x", None),
];

/// One thing that happens.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    /// A finding arrives; `old` minutes before now it was written, and seen.
    Finding {
        id: u8,
        kind: Kind,
        addresses: Vec<u8>,
        subnets: Vec<usize>,
        old: u8,
    },
    /// A record that came before comes again.
    Again(usize),
    /// Bytes that are no finding.
    Garbage(u8),
    /// Pending work is done.
    Sweep,
    /// Two processes sweep while a finding arrives and somebody else makes an entry.
    Together(u8, u8),
    /// A person blocks, on every network ACL.
    Block { address: u8, minutes: Option<u8> },
    /// A person unblocks.
    Unblock(u8),
    /// A person unblocks everything.
    UnblockAll,
    /// A person puts an address on the allow-list, for minutes.
    Allow(u8, u8),
    /// A person takes it off again.
    Disallow(u8),
    /// Somebody else makes an entry, if the number is free and the quota allows.
    Foreign { acl: bool, egress: bool, rule: u8 },
    /// Time passes.
    Minutes(u8),
    /// Faults at the next calls.
    Faults(Vec<Fault>),
}

/// The stores, and the process that is alive.
pub(crate) struct World {
    pub(crate) ledger: Faulty<SqliteLedger>,
    pub(crate) model: Faulty<Model>,
    policy: Policy,
    now: DateTime<Utc>,
    responder: Responder<Faulty<SqliteLedger>, Faulty<Model>>,
    lives: u32,
    records: Vec<Vec<u8>>,
    accepted: BTreeSet<IpNet>,
}

fn address(number: u8) -> String {
    format!("185.220.101.{number}")
}

fn net(number: u8) -> IpNet {
    format!("{}/32", address(number)).parse().expect("an address")
}

fn acl(id: &str) -> AclKey {
    AclKey {
        account: ACCOUNT.to_owned(),
        region: REGION.to_owned(),
        acl: id.to_owned(),
    }
}

impl World {
    pub(crate) async fn new(bug: Bug) -> Self {
        let model = Model::in_memory().expect("a model");
        let mut one = Vpc::new(ACCOUNT, REGION, "vpc-1", "acl-1").with_allow_all();
        let mut two = Vpc::new(ACCOUNT, REGION, "vpc-1", "acl-2").with_allow_all();
        two.quota = 5;
        for (subnet, acl) in SUBNETS {
            match acl {
                Some("acl-1") => one = one.with_subnet(subnet),
                Some(_) => two = two.with_subnet(subnet),
                None => {}
            }
        }
        model.define(&one).expect("defined");
        model.define(&two).expect("defined");
        let own = Inventory {
            own_addresses: vec![net(1)],
            ..Inventory::default()
        };
        model.define_inventory(&own).expect("defined");
        let mut foreign = Vec::new();
        for key in [acl("acl-1"), acl("acl-2")] {
            for entry in model.describe(&key).await.expect("described").entries {
                foreign.push((key.clone(), entry));
            }
        }
        let mut policy = Policy {
            mode: Mode::Enforce,
            ..Policy::default()
        };
        policy.limits.entries_per_direction = 3;
        policy.limits.last_rule = 76;
        policy.limits.evictions_per_hour = 6;
        let faults = Arc::new(Faults {
            bug,
            limit: policy.limits.entries_per_direction,
            foreign: std::sync::Mutex::new(foreign),
            ..Faults::default()
        });
        let ledger = Faulty {
            inner: Arc::new(SqliteLedger::in_memory().expect("a ledger")),
            faults: Arc::clone(&faults),
        };
        let model = Faulty {
            inner: Arc::new(model),
            faults,
        };
        Self {
            responder: Responder::new(ledger.clone(), model.clone(), policy.clone(), "life-0"),
            ledger,
            model,
            policy,
            now: "2026-11-20T12:00:00Z".parse().expect("a time"),
            lives: 0,
            records: Vec::new(),
            accepted: BTreeSet::new(),
        }
    }

    fn other(&self, owner: &str) -> Responder<Faulty<SqliteLedger>, Faulty<Model>> {
        Responder::new(self.ledger.clone(), self.model.clone(), self.policy.clone(), owner)
    }

    fn broken(&self) -> Vec<String> {
        std::mem::take(&mut *self.ledger.faults.seen.lock().expect("seen"))
    }

    /// Lets one thing happen, and says which invariants are broken now.
    pub(crate) async fn run(&mut self, op: &Op) -> Vec<String> {
        self.happen(op).await;
        if self.ledger.faults.crashed() {
            // The process is dead; another one starts, and waits for the dead one's lease.
            self.ledger.faults.restart();
            self.lives += 1;
            self.now += TimeDelta::seconds(61);
            self.responder = self.other(&format!("life-{}", self.lives));
        }
        let mut broken = self.broken();
        broken.extend(self.verify().await);
        broken
    }

    async fn verify(&self) -> Vec<String> {
        verify(&*self.ledger.inner, &*self.model.inner, &self.policy)
            .await
            .expect("stores without faults")
    }

    /// A record that a fault kept out is delivered again when the world settles, as a stream does.
    async fn accept(&mut self, record: Vec<u8>) {
        self.deliver(&record).await;
        self.records.push(record);
    }

    async fn deliver(&mut self, record: &[u8]) -> bool {
        let Ok(decisions) = self.responder.accept(record, self.now).await else {
            return false;
        };
        let blocked = decisions.iter().filter(|decision| decision.verdict == Verdict::Block);
        self.accepted
            .extend(blocked.filter_map(|decision| decision.address.map(IpNet::from)));
        true
    }

    /// Somebody else makes an entry, if the number is free and the quota allows.
    async fn meddle(&self, key: AclKey, direction: Direction, rule: u8) {
        let entry = Entry::deny(u16::from(rule), direction, "45.83.64.0/24".parse().expect("a network"));
        if self.model.inner.create(&key, &entry).await.is_ok() {
            self.model.faults.foreign.lock().expect("foreign").push((key, entry));
        }
    }

    async fn happen(&mut self, op: &Op) {
        let (responder, now) = (&self.responder, self.now);
        match op {
            Op::Finding {
                id,
                kind,
                addresses,
                subnets,
                old,
            } => {
                let addresses: Vec<String> = addresses.iter().map(|number| address(*number)).collect();
                let subnets: Vec<String> = subnets.iter().map(|at| SUBNETS[*at].0.to_owned()).collect();
                let at = now - TimeDelta::minutes(i64::from(*old));
                let record = finding(&format!("f{id}"), *kind, &addresses, &subnets, at, at);
                self.accept(record).await;
            }
            Op::Again(at) => {
                if !self.records.is_empty() {
                    let record = self.records[at % self.records.len()].clone();
                    self.accept(record).await;
                }
            }
            Op::Garbage(byte) => self.accept(vec![*byte; 3]).await,
            Op::Sweep => drop(responder.sweep(now).await),
            Op::Together(number, rule) => {
                let other = self.other("other");
                let record = finding(
                    &format!("t{number}"),
                    Kind::Inbound,
                    &[address(*number)],
                    &["subnet-a".to_owned()],
                    now,
                    now,
                );
                let third = self.other("third");
                let neighbour = Unblock::Address(net(number.wrapping_add(1)));
                let meddle = async {
                    for _ in 0..*number {
                        tokio::task::yield_now().await;
                    }
                    self.meddle(acl("acl-1"), Direction::Ingress, *rule).await;
                };
                drop(tokio::join!(
                    responder.sweep(now),
                    other.accept(&record, now),
                    third.sweep(now),
                    third.unblock(neighbour, None, "ada", "test", false, now),
                    meddle
                ));
                self.records.push(record);
            }
            Op::Block { address, minutes } => {
                let block = Block {
                    cidr: net(*address),
                    acl: None,
                    directions: vec![Direction::Ingress, Direction::Egress],
                    until: minutes.map(|minutes| now + TimeDelta::minutes(i64::from(minutes))),
                    who: "ada".to_owned(),
                    reason: "seen in the logs".to_owned(),
                    dry_run: false,
                };
                drop(responder.block(&block, now).await);
            }
            Op::Unblock(number) => drop(
                responder
                    .unblock(Unblock::Address(net(*number)), None, "ada", "a customer", false, now)
                    .await,
            ),
            Op::UnblockAll => drop(responder.unblock(Unblock::All, None, "ada", "test", false, now).await),
            Op::Allow(number, minutes) => {
                let until = now + TimeDelta::minutes(i64::from(*minutes));
                drop(
                    responder
                        .allow_add(net(*number), Some(until), "ada", "partner", now)
                        .await,
                );
            }
            Op::Disallow(number) => drop(responder.allow_remove(net(*number), "ada", "left", now).await),
            Op::Foreign {
                acl: first,
                egress,
                rule,
            } => {
                let key = acl(if *first { "acl-1" } else { "acl-2" });
                let direction = if *egress { Direction::Egress } else { Direction::Ingress };
                self.meddle(key, direction, *rule).await;
            }
            Op::Minutes(minutes) => self.now += TimeDelta::minutes(i64::from(*minutes)),
            Op::Faults(faults) => self.ledger.faults.plan(faults),
        }
    }

    /// Faults stop, every record is delivered once more, and pending work is done: says what is broken then.
    pub(crate) async fn settle(&mut self) -> Vec<String> {
        self.ledger.faults.stop();
        self.now += TimeDelta::seconds(61);
        let mut broken = Vec::new();
        for record in self.records.clone() {
            if !self.deliver(&record).await {
                broken.push("11: a record was refused without a fault".to_owned());
            }
        }
        let swept = self.responder.sweep(self.now).await.expect("no faults");
        if swept.postponed > 0 || !self.ledger.pending(self.now).await.expect("no faults").is_empty() {
            broken.push(format!("10: work is pending when quiet: {swept:?}"));
        }
        broken.extend(self.broken());
        broken.extend(self.verify().await);
        let rows = self.ledger.entries(Filter::All).await.expect("no faults");
        for cidr in &self.accepted {
            if !rows.iter().any(|row| row.cidr == *cidr) {
                broken.push(format!("5: {cidr} was accepted and is nowhere"));
            }
        }
        let before = self.entries().await;
        for record in self.records.clone() {
            self.deliver(&record).await;
        }
        self.responder.sweep(self.now).await.expect("no faults");
        if before != self.entries().await {
            broken.push("7: delivering again changed entries".to_owned());
        }
        broken
    }

    async fn entries(&self) -> Vec<(AclKey, Vec<Entry>)> {
        let mut all = Vec::new();
        for key in self.model.inner.list().await.expect("no faults") {
            let entries = self.model.inner.describe(&key).await.expect("no faults").entries;
            all.push((key, entries));
        }
        all
    }
}
