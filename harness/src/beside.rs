//! A real store beside the one in memory: every call is made of both, and both have to say the same.
//!
//! The checks look at the ledger in memory, whose conditions and order are simple enough to be read. What makes a hundred thousand
//! schedules on it count is that a real store answers each call of a schedule in the same way.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use chrono::{DateTime, Utc};
use portcullis::ledger::{
    AlertRow, Ask, AuditRow, Counts, Delivery, Error, Filter, Ledger, MessageRow, Position, Row, Transaction, View,
    Written,
};
use portcullis::network_acl::AclKey;

use crate::executor::Millis;
use crate::world::State;

/// Waits for a store's answer, while virtual time stands still.
pub trait Block: Send {
    /// Runs it to its end.
    fn on<F: Future>(&self, future: F) -> F::Output;
}

/// For a store that answers at once.
#[derive(Clone, Copy, Debug)]
pub struct AtOnce;

impl Block for AtOnce {
    fn on<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return done;
            }
        }
    }
}

/// A ledger with a way to wait for it.
#[derive(Debug)]
pub struct Blocking<L, B> {
    /// The ledger.
    pub ledger: L,
    /// The way.
    pub block: B,
}

macro_rules! calls {
    ($($name:ident($($arg:ident: $ty:ty),*) -> $out:ty;)+) => {
        /// The calls of a ledger, each of which waits for its answer. See [`Ledger`].
        #[expect(missing_docs, reason = "they are those of `Ledger`")]
        #[expect(clippy::missing_errors_doc, reason = "they are those of `Ledger`")]
        pub trait Real: Send {
            $(fn $name(&self, $($arg: $ty),*) -> Result<$out, Error>;)+
        }

        impl<L: Ledger, B: Block> Real for Blocking<L, B> {
            $(fn $name(&self, $($arg: $ty),*) -> Result<$out, Error> {
                self.block.on(self.ledger.$name($($arg),*))
            })+
        }
    };
}

calls! {
    read(ask: Ask<'_>) -> View;
    commit(transaction: &Transaction) -> Written;
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
    counts() -> Counts;
    position(reader: &str) -> Position;
    set_position(reader: &str, position: &Position) -> ();
}

/// A real store, and what it was asked since it was last written to.
pub struct Beside {
    real: Box<dyn Real>,
    /// What both answered, by question.
    agreed: HashMap<String, String>,
    /// Calls that were made of the real store, by the first word of what was asked.
    pub calls: BTreeMap<String, u64>,
}

impl Beside {
    /// Beside a ledger in memory that is as empty.
    #[must_use]
    pub fn new(real: Box<dyn Real>) -> Self {
        Self {
            real,
            agreed: HashMap::new(),
            calls: BTreeMap::new(),
        }
    }
}

fn agree<T: PartialEq>(memory: &Result<T, Error>, real: &Result<T, Error>) -> bool {
    match (memory, real) {
        (Ok(memory), Ok(real)) => memory == real,
        (Err(Error::Conflict), Err(Error::Conflict)) => true,
        // A store may refuse in its own words.
        (Err(Error::Illegal { .. }), Err(Error::Illegal { .. } | Error::Store { .. })) => true,
        _ => false,
    }
}

impl State {
    fn compare<T: PartialEq + Debug>(
        &mut self,
        now: Millis,
        what: &str,
        memory: &Result<T, Error>,
        real: impl FnOnce(&dyn Real) -> Result<T, Error>,
    ) {
        let Some(beside) = &mut self.beside else { return };
        let word = what.split(' ').next().unwrap_or_default();
        *beside.calls.entry(word.to_owned()).or_default() += 1;
        let real = real(&*beside.real);
        if !agree(memory, &real) {
            self.wrong(
                now,
                format!("store: {what}: in memory {memory:?}, the store says {real:?}"),
            );
        }
    }

    /// A call that writes, made of both.
    ///
    /// # Errors
    /// Those of the ledger in memory.
    pub fn written<T: PartialEq + Debug>(
        &mut self,
        now: Millis,
        what: &str,
        memory: Result<T, Error>,
        real: impl FnOnce(&dyn Real) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if let Some(beside) = &mut self.beside {
            beside.agreed.clear();
        }
        self.compare(now, what, &memory, real);
        memory
    }

    /// A call that reads, made of both, unless nothing was written since both answered the same.
    ///
    /// # Errors
    /// None; the type is that of the ledger's calls.
    pub fn read<T: PartialEq + Debug>(
        &mut self,
        now: Millis,
        what: &str,
        memory: T,
        real: impl FnOnce(&dyn Real) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let memory = Ok(memory);
        if let Some(beside) = &mut self.beside {
            let answer = format!("{memory:?}");
            if beside.agreed.get(what) == Some(&answer) {
                return memory;
            }
            beside.agreed.insert(what.to_owned(), answer);
        }
        self.compare(now, what, &memory, real);
        memory
    }

    /// Everything that both hold, at the end.
    pub fn compare_all(&mut self, now: Millis) {
        if self.beside.is_none() {
            return;
        }
        let all = usize::MAX >> 1;
        let (entries, audit) = (self.ledger.entries(Filter::All), self.ledger.audit(0, all));
        self.compare(now, "every entry", &Ok(sorted(entries)), |real| {
            real.entries(Filter::All).map(sorted)
        });
        self.compare(now, "the audit", &Ok(written_down(audit)), |real| real.audit(0, all));
        let (counts, messages) = (self.ledger.counts(), self.ledger.messages(all));
        self.compare(now, "counts", &Ok(counts), |real| real.counts());
        self.compare(now, "messages", &Ok(messages), |real| real.messages(1_000));
        let acls: Vec<AclKey> = self.ledger.metas.keys().cloned().collect();
        self.compare(now, "network ACLs", &Ok(acls), |real| real.acls());
    }
}

/// Audit rows as they are once they were written down: as text, a number may lose its last bit.
#[must_use]
pub fn written_down(mut rows: Vec<AuditRow>) -> Vec<AuditRow> {
    for row in &mut rows {
        let text = row.about.to_string();
        row.about = serde_json::from_str(&text).unwrap_or_default();
    }
    rows
}

/// Entries in one order, whatever the store's.
#[must_use]
pub fn sorted(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort_by(|a, b| (&a.acl, a.direction, a.cidr).cmp(&(&b.acl, b.direction, b.cidr)));
    rows
}

/// A view whose entries are in one order, whatever the store's.
#[must_use]
pub fn in_order(mut view: View) -> View {
    for acl in &mut view.acls {
        acl.rows = sorted(std::mem::take(&mut acl.rows));
    }
    view.findings.sort_by(|a, b| a.id.cmp(&b.id));
    view
}
