//! Stores that fail as told: before a call has an effect, after it, or by the death of the process at that call.
//!
//! Each call also gives way to other tasks, so that two responders interleave at every step.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use portcullis::ledger::embedded::SqliteLedger;
use portcullis::ledger::{
    self, AlertRow, Ask, AuditRow, Counts, Delivery, Filter, Ledger, MessageRow, Position, Row, Transaction,
    Unreadable, View, Written,
};
use portcullis::network_acl::model::Model;
use portcullis::network_acl::{self, Acl, AclKey, Code, Direction, Entry, Inventory, NetworkAcls, Place};

/// What happens at one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// It fails and has no effect.
    Throttled,
    /// It has its effect and its answer is lost.
    Lost,
    /// The process dies before the effect.
    CrashBefore,
    /// The process dies after the effect.
    CrashAfter,
}

/// Mistakes planted in a store, to see that the checks find them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Bug {
    #[default]
    None,
    /// The ledger forgets the conditions of a transaction.
    NoConditions,
    /// Create overwrites what stands at the number.
    CreateOverwrites,
    /// Replace adds at another number before it deletes.
    ReplaceAddsFirst,
    /// The ledger drops alerts.
    NoAlerts,
    /// No mistake of ours: the role may create and replace, not delete.
    MayNotDelete,
    /// No mistake of ours: the ledger changes no more than [`FEW`] findings together.
    TakesFew,
}

/// Findings that a ledger which takes few changes together.
pub(crate) const FEW: usize = 7;

/// The faults to come, and what went wrong meanwhile.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pub(crate) plan: Mutex<VecDeque<Fault>>,
    pub(crate) crashed: Mutex<bool>,
    pub(crate) bug: Bug,
    pub(crate) limit: usize,
    /// Findings in each transaction that was tried.
    pub(crate) tried: Mutex<Vec<usize>>,
    /// Broken invariants that were seen right after a call.
    pub(crate) seen: Mutex<Vec<String>>,
    /// Entries that people made.
    pub(crate) foreign: Mutex<Vec<(AclKey, Entry)>>,
}

impl Faults {
    pub(crate) fn plan(&self, faults: &[Fault]) {
        self.plan.lock().expect("plan").extend(faults);
    }

    pub(crate) fn stop(&self) {
        self.plan.lock().expect("plan").clear();
        *self.crashed.lock().expect("crashed") = false;
    }

    pub(crate) fn crashed(&self) -> bool {
        *self.crashed.lock().expect("crashed")
    }

    pub(crate) fn restart(&self) {
        *self.crashed.lock().expect("crashed") = false;
    }

    fn next(&self) -> Fault {
        if self.crashed() {
            return Fault::CrashBefore;
        }
        let fault = self.plan.lock().expect("plan").pop_front().unwrap_or(Fault::None);
        if matches!(fault, Fault::CrashBefore | Fault::CrashAfter) {
            *self.crashed.lock().expect("crashed") = true;
        }
        fault
    }

    /// Runs a call with the next fault; `lost` makes the error.
    async fn call<T, E>(&self, effect: impl Future<Output = Result<T, E>>, lost: impl Fn() -> E) -> Result<T, E> {
        tokio::task::yield_now().await;
        match self.next() {
            Fault::None => effect.await,
            Fault::Throttled | Fault::CrashBefore => Err(lost()),
            Fault::Lost | Fault::CrashAfter => {
                effect.await?;
                Err(lost())
            }
        }
    }
}

/// A store behind faults. Cloning it is opening it from another process.
pub(crate) struct Faulty<T> {
    pub(crate) inner: Arc<T>,
    pub(crate) faults: Arc<Faults>,
}

impl<T> Clone for Faulty<T> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            faults: Arc::clone(&self.faults),
        }
    }
}

fn store_lost() -> ledger::Error {
    ledger::Error::Store {
        message: "a fault was planted".to_owned(),
        source: None,
    }
}

macro_rules! ledger_calls {
    ($($name:ident($($arg:ident: $ty:ty),*) -> $out:ty;)+) => {
        $(async fn $name(&self, $($arg: $ty),*) -> Result<$out, ledger::Error> {
            self.faults.call(self.inner.$name($($arg),*), store_lost).await
        })+
    };
}

impl Ledger for Faulty<SqliteLedger> {
    async fn commit(&self, transaction: &Transaction) -> Result<Written, ledger::Error> {
        let mut transaction = transaction.clone();
        if self.faults.bug == Bug::NoConditions {
            transaction.expect_acls.clear();
            transaction.expect_findings.clear();
            transaction.expect_lists = None;
        }
        if self.faults.bug == Bug::NoAlerts {
            transaction.alerts.clear();
        }
        self.faults
            .tried
            .lock()
            .expect("tried")
            .push(transaction.findings.len());
        if self.faults.bug == Bug::TakesFew && transaction.findings.len() > FEW {
            return Err(store_lost());
        }
        self.faults.call(self.inner.commit(&transaction), store_lost).await
    }

    ledger_calls! {
        read(ask: Ask<'_>) -> View;
        pending(now: DateTime<Utc>) -> Vec<AclKey>;
        lease(acl: &AclKey, owner: &str, now: DateTime<Utc>, until: DateTime<Utc>) -> bool;
        renew(acl: &AclKey, owner: &str, until: DateTime<Utc>) -> bool;
        release(acl: &AclKey, owner: &str) -> ();
        acls() -> Vec<AclKey>;
        entries(filter: Filter) -> Vec<Row>;
        audit(after: u64, limit: usize) -> Vec<AuditRow>;
        audit_newest(limit: usize) -> Vec<AuditRow>;
        alerts_waiting(limit: usize) -> Vec<AlertRow>;
        put_message(alerts: &[u64], message: &MessageRow, first: Option<&Delivery>) -> u64;
        messages(limit: usize) -> Vec<MessageRow>;
        unsent(now: DateTime<Utc>, limit: usize) -> Vec<MessageRow>;
        delivered(number: u64, outcome: &Delivery) -> ();
        unreadable(limit: usize) -> Vec<Unreadable>;
        counts() -> Counts;
        position(reader: &str) -> Position;
        set_position(reader: &str, position: &Position) -> ();
    }
}

fn call_lost() -> network_acl::Error {
    network_acl::Error::new(Code::Unavailable, "a fault was planted")
}

impl Faulty<Model> {
    /// Looks right after a call: managed entries within the limit, foreign ones as they were.
    async fn look(&self, acl: &AclKey) {
        let described = self.inner.describe(acl).await.expect("the model answers");
        let foreign = self.faults.foreign.lock().expect("foreign").clone();
        let mut seen = self.faults.seen.lock().expect("seen");
        for direction in [Direction::Ingress, Direction::Egress] {
            let managed = described
                .entries
                .iter()
                .filter(|entry| entry.direction == direction)
                .filter(|entry| !foreign.iter().any(|(key, known)| key == acl && known == *entry));
            let managed = managed.count();
            if managed > self.faults.limit {
                seen.push(format!("1: {} {direction} has {managed} managed entries", acl.acl));
            }
        }
        for (_, entry) in foreign.iter().filter(|(key, _)| key == acl) {
            if !described.entries.contains(entry) {
                seen.push(format!("4: {entry:?} of somebody else is gone from {}", acl.acl));
            }
        }
    }
}

impl NetworkAcls for Faulty<Model> {
    fn lag(&self) -> TimeDelta {
        self.inner.lag()
    }

    async fn list(&self) -> Result<Vec<AclKey>, network_acl::Error> {
        self.faults.call(self.inner.list(), call_lost).await
    }

    async fn describe(&self, key: &AclKey) -> Result<Acl, network_acl::Error> {
        self.faults.call(self.inner.describe(key), call_lost).await
    }

    async fn acl_of(&self, place: &Place<'_>) -> Result<Option<AclKey>, network_acl::Error> {
        self.faults.call(self.inner.acl_of(place), call_lost).await
    }

    async fn inventory(&self) -> Result<Inventory, network_acl::Error> {
        self.faults.call(self.inner.inventory(), call_lost).await
    }

    async fn create(&self, key: &AclKey, entry: &Entry) -> Result<(), network_acl::Error> {
        let effect = async {
            match self.inner.create(key, entry).await {
                Err(error) if self.faults.bug == Bug::CreateOverwrites && error.code == Code::EntryAlreadyExists => {
                    self.inner.replace(key, entry).await
                }
                other => other,
            }
        };
        let done = self.faults.call(effect, call_lost).await;
        self.look(key).await;
        done
    }

    async fn replace(&self, key: &AclKey, entry: &Entry) -> Result<(), network_acl::Error> {
        if self.faults.bug == Bug::ReplaceAddsFirst {
            let mut first = entry.clone();
            first.rule += 1000;
            self.inner.create(key, &first).await?;
            self.look(key).await;
            self.inner.delete(key, first.direction, first.rule).await?;
        }
        let done = self.faults.call(self.inner.replace(key, entry), call_lost).await;
        self.look(key).await;
        done
    }

    async fn delete(&self, key: &AclKey, direction: Direction, rule: u16) -> Result<(), network_acl::Error> {
        if self.faults.bug == Bug::MayNotDelete {
            return Err(network_acl::Error::new(Code::Unauthorized, "not for this role"));
        }
        let done = self
            .faults
            .call(self.inner.delete(key, direction, rule), call_lost)
            .await;
        self.look(key).await;
        done
    }
}
