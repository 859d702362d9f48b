//! The responder's stores in one process: every call passes the gate, and the checks look at every effect.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use portcullis::ledger::{
    self, AlertRow, Ask, AuditRow, Counts, Delivery, Filter, Ledger, MessageRow, Position, Row, Transaction,
    Unreadable, View, Written,
};
use portcullis::network_acl::{self, Acl, AclKey, CALL, Code, Direction, Entry, Inventory, NetworkAcls, Place};
use portcullis::respond::notify::{SendError, Sender, slack::Sending};
use serde_json::Value;

use crate::beside::{in_order, sorted, written_down};
use crate::check::{commit, instant};
use crate::ec2::{Author, Call};
use crate::executor::{Millis, Sleep};
use crate::gate::{Fault, Passage, draw};
use crate::schedule::SUBNETS;
use crate::slack::Mood;
use crate::world::{State, World, acl};

/// A process's way to the stores. Cloning it is another connection.
#[derive(Clone)]
pub struct Stores {
    /// What all share.
    pub world: Arc<World>,
    /// Which process.
    pub process: usize,
    /// Which of its lives.
    pub life: u64,
    /// Its name in leases.
    pub owner: String,
}

/// How a call ends for the caller.
enum End<T> {
    Answer(T),
    /// The effect may or may not have happened.
    Unknown,
    Throttled,
    Conflict,
}

impl Stores {
    fn now(&self) -> Millis {
        self.world.timers.now()
    }

    fn draw(&self) -> Passage {
        let state = &mut *self.world.state();
        draw(&mut state.random, &state.drawn, state.permille)
    }

    async fn on_the_wire(&self, millis: Millis) {
        Sleep::new(&self.world.timers, millis, None).await;
    }

    async fn answer(&self, millis: Millis) {
        Sleep::new(&self.world.timers, millis, Some(self.process)).await;
    }

    /// The process dies here: its tasks are taken away before this returns.
    async fn die(&self, fault: Fault) {
        {
            let mut state = self.world.state();
            state.count(fault);
            let now = self.world.timers.now();
            state.note(now, || format!("{} dies: {}", self.owner, fault.word()));
            state.dead.push((self.process, self.life));
        }
        std::future::pending::<()>().await;
    }

    fn noted(&self, what: impl FnOnce() -> String) {
        let now = self.world.timers.now();
        self.world.state().note(now, || format!("{} {}", self.owner, what()));
    }

    /// Runs a call whose effect is `effect`, with what the gate drew.
    async fn pass<T>(&self, passage: Passage, writes: bool, effect: impl FnOnce(&mut State) -> T) -> End<T> {
        self.on_the_wire(passage.there).await;
        let fault = passage.fault;
        match fault {
            Some(Fault::CrashBefore) => self.die(Fault::CrashBefore).await,
            Some(Fault::Throttled | Fault::Unsent) => {
                let refused = fault == Some(Fault::Throttled);
                self.world
                    .state()
                    .count(if refused { Fault::Throttled } else { Fault::Unsent });
                self.answer(passage.back).await;
                return if refused { End::Throttled } else { End::Unknown };
            }
            Some(Fault::Conflict) if writes => {
                self.world.state().count(Fault::Conflict);
                self.answer(passage.back).await;
                return End::Conflict;
            }
            _ => {}
        }
        let done = effect(&mut self.world.state());
        match fault {
            Some(Fault::CrashAfter) => self.die(Fault::CrashAfter).await,
            Some(Fault::Lost) => {
                self.world.state().count(Fault::Lost);
                self.answer(passage.back).await;
                return End::Unknown;
            }
            Some(Fault::Slow) => self.world.state().count(Fault::Slow),
            _ => {}
        }
        self.answer(passage.back).await;
        End::Answer(done)
    }

    async fn ledger<T>(
        &self,
        writes: bool,
        effect: impl FnOnce(&mut State) -> Result<T, ledger::Error>,
    ) -> Result<T, ledger::Error> {
        let lost = |what: &str| ledger::Error::Store {
            message: what.to_owned(),
            source: None,
        };
        match self.pass(self.draw(), writes, effect).await {
            End::Answer(answer) => answer,
            End::Unknown => Err(lost("the answer was lost")),
            End::Throttled => Err(lost("too many requests")),
            End::Conflict => Err(ledger::Error::Conflict),
        }
    }

    async fn reads<T>(&self, effect: impl FnOnce(&mut State) -> T) -> Result<T, network_acl::Error> {
        match self.pass(self.draw(), false, effect).await {
            End::Answer(answer) => Ok(answer),
            End::Unknown => Err(unknown()),
            End::Throttled | End::Conflict => Err(throttled()),
        }
    }

    /// A call that changes entries. What is on the wire goes on while the process stands still.
    async fn writes(&self, key: &AclKey, call: Call) -> Result<(), network_acl::Error> {
        let passage = self.draw();
        let started = self.world.timers.now();
        self.noted(|| format!("calls {call:?} on {}", key.acl));
        instant::on_start(&mut self.world.state(), self, key, started);
        if passage.fault == Some(Fault::Late) {
            self.late(key, call);
            self.answer(CALL.num_milliseconds()).await;
            return Err(unknown());
        }
        let name = format!("{call:?}");
        let effect = |state: &mut State| {
            let now = self.world.timers.now();
            let seen = state.shown.get(&(self.process, key.clone())).copied();
            carry_out(state, &self.world, key, &call, now, seen)
        };
        let ended = match self.pass(passage, false, effect).await {
            End::Answer(answer) => answer,
            End::Unknown => Err(unknown()),
            End::Throttled | End::Conflict => Err(throttled()),
        };
        self.noted(|| format!("{name}: {ended:?}"));
        ended
    }

    /// The effect comes long after the caller gave up.
    fn late(&self, key: &AclKey, call: Call) {
        let world = Arc::clone(&self.world);
        let delay = {
            let mut state = world.state();
            state.count(Fault::Late);
            state.disturbed.insert(key.clone());
            Millis::try_from(state.random.between(15_000, 120_000)).unwrap_or(15_000)
        };
        let key = key.clone();
        self.world.spawner.spawn(None, 0, async move {
            Sleep::new(&world.timers, delay, None).await;
            let now = world.timers.now();
            let mut state = world.state();
            let done = carry_out(&mut state, &world, &key, &call, now, None);
            state.note(now, || format!("late: {call:?} on {}: {done:?}", key.acl));
        });
    }
}

fn carry_out(
    state: &mut State,
    world: &World,
    key: &AclKey,
    call: &Call,
    now: Millis,
    seen: Option<(Millis, Millis)>,
) -> Result<(), network_acl::Error> {
    instant::before_effect(state, key, call, now, seen);
    state.ec2.call(key, call, Author::Responder, now)?;
    instant::after_effect(state, world, key, call, now);
    Ok(())
}

fn unknown() -> network_acl::Error {
    network_acl::Error::new(Code::Unavailable, "the answer was lost")
}

fn throttled() -> network_acl::Error {
    network_acl::Error::new(Code::RequestLimitExceeded, "too many requests")
}

impl Ledger for Stores {
    async fn read(&self, ask: Ask<'_>) -> Result<View, ledger::Error> {
        let now = self.now();
        self.ledger(false, |state| {
            let known = in_order(state.ledger.read(&ask));
            state.read(now, &format!("read {ask:?}"), known, |real| {
                real.read(ask).map(in_order)
            })
        })
        .await
    }

    async fn commit(&self, transaction: &Transaction) -> Result<Written, ledger::Error> {
        self.ledger(true, |state| {
            let before = commit::before(state, transaction);
            let now = self.now();
            let done = state.ledger.commit(transaction);
            let done = state.written(now, "commit", done, |real| real.commit(transaction));
            match &done {
                Ok(_) => {
                    state.note(now, || {
                        format!("{} commits {}", self.owner, commit::in_words(transaction))
                    });
                    commit::after(state, &self.world, transaction, &before, now);
                }
                Err(ledger::Error::Illegal { what }) => state.wrong(now, format!("3: the ledger would hold {what}")),
                Err(_) => {}
            }
            done
        })
        .await
    }

    async fn pending(&self, now: DateTime<Utc>) -> Result<Vec<AclKey>, ledger::Error> {
        self.ledger(false, |state| {
            let acls = state.ledger.pending(now);
            state.read(self.now(), "pending", acls, |real| real.pending(now))
        })
        .await
    }

    async fn lease(
        &self,
        acl: &AclKey,
        owner: &str,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<bool, ledger::Error> {
        self.ledger(true, |state| {
            let taken = Ok(state.ledger.lease(acl, owner, now, until));
            state.written(self.now(), "lease", taken, |real| real.lease(acl, owner, now, until))
        })
        .await
    }

    async fn renew(&self, acl: &AclKey, owner: &str, until: DateTime<Utc>) -> Result<bool, ledger::Error> {
        self.ledger(true, |state| {
            let kept = Ok(state.ledger.renew(acl, owner, until));
            state.written(self.now(), "renew", kept, |real| real.renew(acl, owner, until))
        })
        .await
    }

    async fn release(&self, acl: &AclKey, owner: &str) -> Result<(), ledger::Error> {
        self.ledger(true, |state| {
            state.ledger.release(acl, owner);
            state.written(self.now(), "release", Ok(()), |real| real.release(acl, owner))
        })
        .await
    }

    async fn acls(&self) -> Result<Vec<AclKey>, ledger::Error> {
        self.ledger(false, |state| {
            let acls = state.ledger.metas.keys().cloned().collect();
            state.read(self.now(), "acls", acls, |real| real.acls())
        })
        .await
    }

    async fn entries(&self, filter: Filter) -> Result<Vec<Row>, ledger::Error> {
        self.ledger(false, |state| {
            let rows = sorted(state.ledger.entries(filter));
            let what = format!("entries {filter:?}");
            state.read(self.now(), &what, rows, |real| real.entries(filter).map(sorted))
        })
        .await
    }

    async fn audit(&self, after: u64, limit: usize) -> Result<Vec<AuditRow>, ledger::Error> {
        self.ledger(false, |state| {
            let rows = written_down(state.ledger.audit(after, limit));
            let what = format!("audit {after} {limit}");
            state.read(self.now(), &what, rows, |real| real.audit(after, limit))
        })
        .await
    }

    async fn audit_newest(&self, limit: usize) -> Result<Vec<AuditRow>, ledger::Error> {
        self.ledger(false, |state| {
            let rows = written_down(state.ledger.audit.iter().rev().take(limit).cloned().collect());
            let what = format!("newest audit {limit}");
            state.read(self.now(), &what, rows, |real| real.audit_newest(limit))
        })
        .await
    }

    async fn alerts_waiting(&self, limit: usize) -> Result<Vec<AlertRow>, ledger::Error> {
        self.ledger(false, |state| {
            let rows = state.ledger.alerts_waiting(limit);
            let what = format!("alerts {limit}");
            state.read(self.now(), &what, rows, |real| real.alerts_waiting(limit))
        })
        .await
    }

    async fn put_message(
        &self,
        alerts: &[u64],
        message: &MessageRow,
        first: Option<&Delivery>,
    ) -> Result<u64, ledger::Error> {
        self.ledger(true, |state| {
            let number = state.ledger.put_message(alerts, message, first);
            state.written(self.now(), "message", number, |real| {
                real.put_message(alerts, message, first)
            })
        })
        .await
    }

    async fn messages(&self, limit: usize) -> Result<Vec<MessageRow>, ledger::Error> {
        self.ledger(false, |state| {
            let rows = state.ledger.messages(limit);
            let what = format!("messages {limit}");
            state.read(self.now(), &what, rows, |real| real.messages(limit))
        })
        .await
    }

    async fn unsent(&self, now: DateTime<Utc>, limit: usize) -> Result<Vec<MessageRow>, ledger::Error> {
        self.ledger(false, |state| {
            let rows = state.ledger.unsent(now, limit);
            let what = format!("unsent {limit}");
            state.read(self.now(), &what, rows, |real| real.unsent(now, limit))
        })
        .await
    }

    async fn delivered(&self, number: u64, outcome: &Delivery) -> Result<(), ledger::Error> {
        self.ledger(true, |state| {
            state.ledger.delivered(number, outcome);
            state.written(self.now(), "delivered", Ok(()), |real| real.delivered(number, outcome))
        })
        .await
    }

    async fn unreadable(&self, limit: usize) -> Result<Vec<Unreadable>, ledger::Error> {
        self.ledger(false, |state| {
            Ok(state.ledger.unreadable.values().take(limit).cloned().collect())
        })
        .await
    }

    async fn counts(&self) -> Result<Counts, ledger::Error> {
        self.ledger(false, |state| {
            let counts = state.ledger.counts();
            state.read(self.now(), "counts", counts, |real| real.counts())
        })
        .await
    }

    async fn position(&self, reader: &str) -> Result<Position, ledger::Error> {
        self.ledger(false, |state| {
            let position = state.ledger.positions.get(reader).cloned().unwrap_or_default();
            let what = format!("position {reader}");
            state.read(self.now(), &what, position, |real| real.position(reader))
        })
        .await
    }

    async fn set_position(&self, reader: &str, position: &Position) -> Result<(), ledger::Error> {
        self.ledger(true, |state| {
            state.ledger.set_position(reader, position);
            state.written(self.now(), "position", Ok(()), |real| {
                real.set_position(reader, position)
            })
        })
        .await
    }
}

impl NetworkAcls for Stores {
    async fn list(&self) -> Result<Vec<AclKey>, network_acl::Error> {
        self.reads(|state| {
            let there = state.ec2.acls.iter().filter(|(_, acl)| !acl.gone);
            there.map(|(key, _)| key.clone()).collect()
        })
        .await
    }

    async fn describe(&self, key: &AclKey) -> Result<Acl, network_acl::Error> {
        let asked = self.world.timers.now();
        self.reads(|state| {
            let now = self.world.timers.now();
            let lag = Millis::try_from(state.random.below(u64::try_from(state.lag).unwrap_or(0) + 1)).unwrap_or(0);
            if lag > 1000 {
                state.count(Fault::Lag);
            }
            let seen = (now - lag).max(0);
            state.shown.insert((self.process, key.clone()), (seen, asked));
            state.ec2.describe(key, seen)
        })
        .await?
    }

    async fn acl_of(&self, place: &Place<'_>) -> Result<Option<AclKey>, network_acl::Error> {
        let found = SUBNETS.iter().find(|(subnet, _)| *subnet == place.subnet);
        let found = found.and_then(|(_, id)| id.map(acl));
        self.reads(|_| found).await
    }

    async fn inventory(&self) -> Result<Inventory, network_acl::Error> {
        self.reads(|state| {
            if state.inventory_down {
                state.count(Fault::Inventory);
                return Err(throttled());
            }
            Ok(state.ec2.inventory.clone())
        })
        .await?
    }

    async fn create(&self, key: &AclKey, entry: &Entry) -> Result<(), network_acl::Error> {
        self.writes(key, Call::Create(entry.clone())).await
    }

    async fn replace(&self, key: &AclKey, entry: &Entry) -> Result<(), network_acl::Error> {
        self.writes(key, Call::Replace(entry.clone())).await
    }

    async fn delete(&self, key: &AclKey, direction: Direction, rule: u16) -> Result<(), network_acl::Error> {
        self.writes(key, Call::Delete(direction, rule)).await
    }
}

impl Sender for Stores {
    fn send<'a>(&'a self, payload: &'a Value) -> Sending<'a> {
        Box::pin(async move {
            self.on_the_wire(50).await;
            let (answer, mood) = {
                let state = &mut *self.world.state();
                let answer = state.slack.post(payload);
                let mood = state.slack.mood;
                let fault = match mood {
                    Mood::Fine => None,
                    Mood::Down => Some(Fault::SlackDown),
                    Mood::Slow => Some(Fault::SlackSlow),
                    Mood::TooMany(_) => Some(Fault::SlackTooMany),
                    Mood::Broken => Some(Fault::SlackBroken),
                    Mood::Refuses => Some(Fault::SlackRefuses),
                };
                fault.into_iter().for_each(|fault| state.count(fault));
                (answer, mood)
            };
            let wait = if mood == Mood::Slow { 10_000 } else { 50 };
            self.answer(wait).await;
            answer.map_err(|error: SendError| error)
        })
    }
}

/// Whether one network holds the other.
#[must_use]
pub fn overlap(a: IpNet, b: IpNet) -> bool {
    a.contains(&b) || b.contains(&a)
}
