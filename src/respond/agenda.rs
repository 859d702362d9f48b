//! What this process knows of without asking the ledger: work that it planned, leases that it took with a plan, alerts that it
//! wrote. With it a new block costs three transactions: PLAN, CONFIRM, and that people were told.
//!
//! Nothing here is needed. Whoever dies takes it along, and the next sweep of anybody finds the same in the ledger; the ledger is
//! asked whenever nothing is known here, and at least every [`ASK_EVERY`].

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use crate::ledger::{AlertRow, MOST_IN_MESSAGE, Transaction, Written};
use crate::network_acl::AclKey;

/// For so long a process that has enough to do does not ask for what others left.
const ASK_EVERY: TimeDelta = TimeDelta::seconds(5);

/// How old what is remembered may be when it is acted on. What a person decides meanwhile is seen on confirming.
const FRESH: TimeDelta = TimeDelta::seconds(10);

/// Alerts that are remembered; more of them are left to the ledger.
const MOST_ALERTS: usize = 1_000;

/// Network ACLs whose leases one plan takes. Where a plan is about more, a crash would keep others from all of them for a while.
const MOST_LEASES: usize = 3;

#[derive(Debug, Default)]
struct Known {
    work: BTreeSet<AclKey>,
    /// Taken with a plan and not used: when.
    leases: HashMap<AclKey, DateTime<Utc>>,
    alerts: Vec<AlertRow>,
    sweeps: bool,
    delivers: bool,
    asked_for_work: Option<DateTime<Utc>>,
    outbox_empty: Option<DateTime<Utc>>,
}

/// See above.
#[derive(Debug, Default)]
pub(super) struct Agenda(Mutex<Known>);

fn lately(then: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    then.is_some_and(|then| then <= now && now - then < ASK_EVERY)
}

/// Whether what was remembered then may be acted on now.
pub(super) fn is_fresh(then: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    then <= now && now - then < FRESH
}

impl Agenda {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(|broken| {
            self.0.clear_poison();
            let mut known = PoisonError::into_inner(broken);
            *known = Known::default();
            known
        })
    }

    /// Follows a transaction that was written.
    pub(super) fn follow(&self, transaction: &Transaction, written: Written) {
        let mut known = self.known();
        let pending = transaction.rows.iter().filter(|row| row.state.is_pending());
        known.work.extend(pending.map(|row| row.acl.clone()));
        let Some(first) = written.first_alert else { return };
        if known.alerts.len() + transaction.alerts.len() > MOST_ALERTS {
            known.alerts.clear();
            known.outbox_empty = None;
            return;
        }
        let numbered = (first..).zip(&transaction.alerts);
        let alerts = numbered.map(|(number, row)| AlertRow { number, ..row.clone() });
        known.alerts.extend(alerts);
    }

    /// Whether a plan on so many network ACLs takes their leases: only where somebody will act.
    pub(super) fn takes_leases(&self, acls: usize) -> bool {
        acls <= MOST_LEASES && self.known().sweeps
    }

    /// A plan took this lease.
    pub(super) fn took_lease(&self, acl: AclKey, at: DateTime<Utc>) {
        self.known().leases.insert(acl, at);
    }

    /// When a plan took the lease; says so once. Whatever was begun under it, and not ended well, is not known here.
    pub(super) fn lease(&self, acl: &AclKey) -> Option<DateTime<Utc>> {
        self.known().leases.remove(acl)
    }

    /// The network ACLs that there is work on as far as is known; `None` when the ledger is to be asked.
    pub(super) fn work(&self, now: DateTime<Utc>) -> Option<BTreeSet<AclKey>> {
        let mut known = self.known();
        known.sweeps = true;
        if known.work.is_empty() || !lately(known.asked_for_work, now) {
            known.asked_for_work = Some(now);
            return None;
        }
        Some(std::mem::take(&mut known.work))
    }

    /// What was known of work besides what the ledger said.
    pub(super) fn rest(&self) -> BTreeSet<AclKey> {
        std::mem::take(&mut self.known().work)
    }

    /// Somebody delivers messages in this process, so that sweeps need not make any.
    pub(super) fn delivers(&self) -> bool {
        self.known().delivers
    }

    /// The alerts to tell of next, when nothing else waits as far as is known; none when the ledger is to be asked.
    pub(super) fn alerts(&self, now: DateTime<Utc>) -> Vec<AlertRow> {
        let mut known = self.known();
        known.delivers = true;
        if !lately(known.outbox_empty, now) {
            return Vec::new();
        }
        let most = known.alerts.len().min(MOST_IN_MESSAGE);
        known.alerts.drain(..most).collect()
    }

    /// These alerts are in a message.
    pub(super) fn told(&self, numbers: &[u64]) {
        self.known().alerts.retain(|row| !numbers.contains(&row.number));
    }

    /// Nothing waited in the outbox then; `None` when something does.
    pub(super) fn outbox_empty(&self, at: Option<DateTime<Utc>>) {
        self.known().outbox_empty = at;
    }
}
