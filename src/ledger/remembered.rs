//! A ledger that remembers what it last read, so that a change often needs no read before it.
//!
//! Others write too, so what is remembered may be old at any time. It is handed out by [`Ledger::recall`] alone, and whoever
//! plans on it commits on the condition that nothing of it has moved ([`Draft::all_holds_still`](super::Draft::all_holds_still)).
//! An address or a finding that was never heard of is supposed to be new, on the same condition: attackers mostly are.
//! Versions make that proof enough: what is remembered follows our own writes exactly, and every write of anybody's makes a
//! version grow, so the remembered version is never ahead of the true one, and equal only when all is as remembered.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use ipnet::IpNet;

use super::{
    AclView, AlertRow, Ask, AuditRow, Counts, Delivery, Error, Filter, FindingRow, Lease, Ledger, Lists, MessageRow,
    Meta, Position, Row, SupposedNew, Transaction, Unreadable, View, Written,
};
use crate::network_acl::{AclKey, Direction};

/// Network ACLs, and findings, that are remembered; then it begins anew.
const MOST: usize = 10_000;

/// Entries per network ACL of which it is known whether they are there.
const MOST_ASKED: usize = 1_000;

/// Entries and findings that are supposed to be new in one transaction: each is a condition, and DynamoDB takes 100 of them.
const MOST_SUPPOSED: usize = 24;

/// Questions that are answered without supposing anything after it turned out wrong, twice as many each time in a row: somebody
/// else is at work on the same.
const CAUTION: u32 = 8;
const MOST_CAUTION: u32 = 256;

/// A network ACL as it was last read, and the entries that were asked for.
#[derive(Debug)]
struct Known {
    view: AclView,
    asked: HashSet<(Direction, IpNet)>,
}

impl Known {
    /// What went is remembered up to a limit.
    fn bound(&mut self) {
        if self.asked.len() > MOST_ASKED || self.view.rows.len() > MOST_ASKED {
            self.view.rows.retain(|row| row.state.is_live());
            self.asked.clear();
        }
    }
}

#[derive(Debug, Default)]
struct Memory {
    acls: HashMap<AclKey, Known>,
    findings: HashMap<String, FindingRow>,
    lists: Option<Lists>,
    caution: Caution,
}

/// How long nothing is supposed to be new.
#[derive(Debug, Default)]
struct Caution {
    left: u32,
    last: u32,
}

/// A ledger with a memory of its own, over one that is far away.
#[derive(Debug)]
pub struct Remembered<L> {
    ledger: L,
    memory: Mutex<Memory>,
}

impl<L> Remembered<L> {
    /// Remembers nothing yet.
    pub fn new(ledger: L) -> Self {
        Self {
            ledger,
            memory: Mutex::default(),
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        let mut memory = self.memory.lock().unwrap_or_else(|broken| {
            // Whoever panicked may have left half of a change.
            self.memory.clear_poison();
            let mut memory = PoisonError::into_inner(broken);
            *memory = Memory::default();
            memory
        });
        if memory.acls.len() > MOST || memory.findings.len() > MOST {
            *memory = Memory::default();
        }
        memory
    }

    /// Follows one of our own changes of a meta row, when it came about, and otherwise forgets what it was about.
    fn follow(&self, acl: &AclKey, changed: bool, change: impl FnOnce(&mut Meta) -> bool) {
        let mut memory = self.memory();
        let follows = changed
            && memory
                .acls
                .get_mut(acl)
                .is_some_and(|known| change(&mut known.view.meta));
        if !follows {
            memory.acls.remove(acl);
        }
    }
}

impl Memory {
    fn learn(&mut self, ask: Ask<'_>, view: &View) {
        self.lists = Some(view.lists.clone());
        for row in &view.findings {
            self.findings.insert(row.id.clone(), row.clone());
        }
        for read in &view.acls {
            let known = self.acls.entry(read.meta.acl.clone()).or_insert_with(|| Known {
                view: read.clone(),
                asked: HashSet::new(),
            });
            if known.view.meta.version != read.meta.version {
                known.view = read.clone();
                known.asked.clear();
            }
            known.bound();
            for row in &read.rows {
                known.view.put(row);
            }
            let asked = ask.entries_of(&read.meta.acl);
            known.asked.extend(asked.map(|(_, way, cidr)| (*way, *cidr)));
        }
    }

    fn recall(&mut self, ask: Ask<'_>) -> Option<View> {
        let mut view = View {
            lists: self.lists.clone()?,
            ..View::default()
        };
        let new = &mut view.supposed_new;
        for key in ask.acls {
            let known = self.acls.get(key)?;
            let asked: HashSet<(Direction, IpNet)> = ask.entries_of(key).map(|(_, way, cidr)| (*way, *cidr)).collect();
            let place = |row: &Row| (row.direction, row.cidr);
            let wanted = |row: &&Row| row.state.is_live() || asked.contains(&place(row));
            view.acls.push(AclView {
                meta: known.view.meta.clone(),
                rows: known.view.rows.iter().filter(wanted).cloned().collect(),
            });
            let heard_of: HashSet<(Direction, IpNet)> = known.view.rows.iter().map(place).collect();
            let never = |asked: &&(Direction, IpNet)| !known.asked.contains(asked) && !heard_of.contains(asked);
            let mut never: Vec<&(Direction, IpNet)> = asked.iter().filter(never).collect();
            never.sort();
            new.entries
                .extend(never.into_iter().map(|(way, cidr)| (key.clone(), *way, *cidr)));
        }
        for id in ask.findings {
            match self.findings.get(id) {
                Some(row) => view.findings.push(row.clone()),
                None => new.findings.push(id.clone()),
            }
        }
        self.may_suppose(&view.supposed_new).then_some(view)
    }

    fn may_suppose(&mut self, new: &SupposedNew) -> bool {
        let supposed = new.entries.len() + new.findings.len();
        if supposed > 0 && self.caution.left > 0 {
            self.caution.left -= 1;
            return false;
        }
        supposed <= MOST_SUPPOSED
    }

    /// Learns from how a commit ended that supposed something to be new.
    fn supposed(&mut self, transaction: &Transaction, done: bool) {
        let supposed = !transaction.expect_new.is_empty() || transaction.expect_findings.iter().any(|(_, at)| *at == 0);
        if supposed && done {
            self.caution.last = 0;
        } else if supposed {
            self.caution.last = (2 * self.caution.last).clamp(CAUTION, MOST_CAUTION);
            self.caution.left = self.caution.last;
        }
    }

    /// What a transaction that was written made of it.
    fn follow(&mut self, transaction: &Transaction) {
        for (acl, expected) in &transaction.expect_acls {
            let meta = transaction.metas.iter().find(|meta| meta.acl == *acl);
            let known = self.acls.get_mut(acl);
            let Some(known) = known.filter(|known| known.view.meta.version == *expected) else {
                if meta.is_some() {
                    self.acls.remove(acl);
                }
                continue;
            };
            known.bound();
            if let Some(meta) = meta {
                known.view.meta = meta.clone();
                for row in transaction.rows.iter().filter(|row| row.acl == *acl) {
                    known.view.put(row);
                }
            }
            let new = transaction.expect_new.iter().filter(|(of, ..)| of == acl);
            known.asked.extend(new.map(|(_, way, cidr)| (*way, *cidr)));
        }
        for row in &transaction.findings {
            self.findings.insert(row.id.clone(), row.clone());
        }
        if let Some(lists) = &transaction.lists {
            self.lists = Some(Lists {
                version: lists.version + 1,
                ..lists.clone()
            });
        }
    }

    fn forget(&mut self, transaction: &Transaction) {
        for (acl, _) in &transaction.expect_acls {
            self.acls.remove(acl);
        }
        for (id, _) in &transaction.expect_findings {
            self.findings.remove(id);
        }
        if transaction.expect_lists.is_some() || transaction.lists.is_some() {
            self.lists = None;
        }
    }
}

impl AclView {
    fn put(&mut self, row: &Row) {
        let place = |row: &Row| (row.direction, row.cidr);
        match self.rows.iter_mut().find(|known| place(known) == place(row)) {
            Some(known) => known.clone_from(row),
            None => self.rows.push(row.clone()),
        }
    }
}

impl<L: Ledger> Ledger for Remembered<L> {
    fn recall(&self, ask: Ask<'_>) -> Option<View> {
        self.memory().recall(ask)
    }

    async fn read(&self, ask: Ask<'_>) -> Result<View, Error> {
        let view = self.ledger.read(ask).await?;
        self.memory().learn(ask, &view);
        Ok(view)
    }

    async fn commit(&self, transaction: &Transaction) -> Result<Written, Error> {
        let done = self.ledger.commit(transaction).await;
        let mut memory = self.memory();
        memory.supposed(transaction, done.is_ok());
        match &done {
            Ok(_) => memory.follow(transaction),
            Err(_) => memory.forget(transaction),
        }
        done
    }

    async fn pending(&self, now: DateTime<Utc>) -> Result<Vec<AclKey>, Error> {
        self.ledger.pending(now).await
    }

    fn lease_is_a_row(&self) -> bool {
        self.ledger.lease_is_a_row()
    }

    async fn lease(&self, acl: &AclKey, owner: &str, now: DateTime<Utc>, until: DateTime<Utc>) -> Result<bool, Error> {
        let taken = self.ledger.lease(acl, owner, now, until).await;
        self.follow(acl, matches!(taken, Ok(true)), |meta| {
            if meta.lease.is_some() {
                meta.unsure = Some(now);
            }
            let owner = owner.to_owned();
            meta.lease = Some(Lease { owner, until });
            meta.version += 1;
            true
        });
        taken
    }

    async fn renew(&self, acl: &AclKey, owner: &str, until: DateTime<Utc>) -> Result<bool, Error> {
        let kept = self.ledger.renew(acl, owner, until).await;
        self.follow(acl, matches!(kept, Ok(true)), |meta| {
            meta.version += 1;
            let ours = meta.lease.as_mut().filter(|lease| lease.owner == owner);
            ours.map(|lease| lease.until = until).is_some()
        });
        kept
    }

    async fn release(&self, acl: &AclKey, owner: &str) -> Result<(), Error> {
        let given = self.ledger.release(acl, owner).await;
        self.follow(acl, given.is_ok(), |meta| {
            meta.version += 1;
            meta.lease.take().is_some_and(|lease| lease.owner == owner)
        });
        given
    }

    async fn acls(&self) -> Result<Vec<AclKey>, Error> {
        self.ledger.acls().await
    }

    async fn entries(&self, filter: Filter) -> Result<Vec<Row>, Error> {
        self.ledger.entries(filter).await
    }

    async fn audit(&self, after: u64, limit: usize) -> Result<Vec<AuditRow>, Error> {
        self.ledger.audit(after, limit).await
    }

    async fn audit_newest(&self, limit: usize) -> Result<Vec<AuditRow>, Error> {
        self.ledger.audit_newest(limit).await
    }

    async fn alerts_waiting(&self, limit: usize) -> Result<Vec<AlertRow>, Error> {
        self.ledger.alerts_waiting(limit).await
    }

    async fn put_message(&self, alerts: &[u64], message: &MessageRow, first: Option<&Delivery>) -> Result<u64, Error> {
        self.ledger.put_message(alerts, message, first).await
    }

    async fn messages(&self, limit: usize) -> Result<Vec<MessageRow>, Error> {
        self.ledger.messages(limit).await
    }

    async fn unsent(&self, now: DateTime<Utc>, limit: usize) -> Result<Vec<MessageRow>, Error> {
        self.ledger.unsent(now, limit).await
    }

    async fn delivered(&self, number: u64, outcome: &Delivery) -> Result<(), Error> {
        self.ledger.delivered(number, outcome).await
    }

    async fn unreadable(&self, limit: usize) -> Result<Vec<Unreadable>, Error> {
        self.ledger.unreadable(limit).await
    }

    async fn counts(&self) -> Result<Counts, Error> {
        self.ledger.counts().await
    }

    async fn position(&self, reader: &str) -> Result<Position, Error> {
        self.ledger.position(reader).await
    }

    async fn set_position(&self, reader: &str, position: &Position) -> Result<(), Error> {
        self.ledger.set_position(reader, position).await
    }
}
