//! The ledger of every rule: states, rows, transitions, and the trait over its stores. Knows neither findings nor EC2.
//!
//! Everything about one network ACL stands behind one version number, [`Meta::version`]. Whoever changes
//! anything reads a [`View`], works on a [`Draft`] of it, and commits on the condition that no version has moved;
//! [`Error::Conflict`] says to read again. That is one `TransactWriteItems` of DynamoDB, and one SQLite transaction.

#[cfg(any(feature = "embedded", feature = "aws"))]
mod any;
pub mod draft;
#[cfg(feature = "aws")]
pub mod dynamodb;
#[cfg(feature = "embedded")]
pub mod embedded;
mod listed;
mod position;
pub mod remembered;
pub mod rows;
mod settings;
pub mod state;

use chrono::{DateTime, Utc};
use ipnet::IpNet;

use crate::network_acl::{AclKey, Direction};

#[cfg(any(feature = "embedded", feature = "aws"))]
pub use any::AnyLedger;
pub use draft::{Draft, Transaction};
pub use listed::Listed;
pub use position::{NotAPosition, Position};
pub use remembered::Remembered;
pub use rows::{
    AclView, AlertRow, Allowance, AuditRow, Counts, Facts, FindingRow, Held, HoldOff, Lease, Lists, MessageRow, Meta,
    Pause, Removal, Row, Stray, SupposedNew, Unreadable, View,
};
pub use settings::{Settings, Store, TABLE};
pub use state::{Event, State};

/// The ledger could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Somebody else committed first: read again.
    #[error("the ledger moved on while this change was prepared")]
    Conflict,
    /// The change would break a rule of the ledger. Nothing was written.
    #[error("the ledger refuses {what}")]
    Illegal {
        /// What was asked for.
        what: String,
    },
    /// The store failed; trying again may help.
    #[error("ledger: {message}")]
    Store {
        /// What the store said.
        message: String,
        /// Its own error.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
}

/// What to read for planning, in one consistent read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ask<'a> {
    /// Network ACLs: their meta rows and every live entry.
    pub acls: &'a [AclKey],
    /// Entries that are wanted in any state, on network ACLs that are asked for.
    pub entries: &'a [(AclKey, Direction, IpNet)],
    /// Findings by id.
    pub findings: &'a [String],
}

impl<'a> Ask<'a> {
    /// The entries that are wanted in any state on one network ACL.
    pub fn entries_of(&self, acl: &AclKey) -> impl Iterator<Item = &'a (AclKey, Direction, IpNet)> {
        self.entries.iter().filter(move |(of, ..)| of == acl)
    }
}

/// Which rows `entries` returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Filter {
    /// Planned, applied, evicting and expiring.
    #[default]
    Active,
    /// Removed, rejected and foreign ones too.
    All,
}

/// Alerts that one message may take out of the ledger: DynamoDB changes at most 100 items together.
pub const MOST_IN_MESSAGE: usize = 90;

/// A store for the ledger. Every method is short; none waits for EC2.
pub trait Ledger: Send + Sync {
    /// One consistent read.
    ///
    /// # Errors
    /// [`Error::Store`], as for every call here.
    fn read(&self, ask: Ask<'_>) -> impl Future<Output = Result<View, Error>> + Send;

    /// What is remembered of earlier reads, when that answers the whole question. It may be old, and what was never heard of may
    /// be there all the same ([`View::supposed_new`]): commit what is planned on it on the condition that
    /// [all of it holds still](Draft::all_holds_still). A store without a memory remembers nothing.
    fn recall(&self, _ask: Ask<'_>) -> Option<View> {
        None
    }

    /// Writes everything or nothing, provided that no version in the transaction has moved.
    ///
    /// # Errors
    /// [`Error::Conflict`] when one has.
    fn commit(&self, transaction: &Transaction) -> impl Future<Output = Result<Written, Error>> + Send;

    /// Network ACLs with pending work or an entry whose time is up, the longest waiting first.
    fn pending(&self, now: DateTime<Utc>) -> impl Future<Output = Result<Vec<AclKey>, Error>> + Send;

    /// Whether a lease is what [`Meta::lease`] says and nothing beside, so that a commit may take it where it is free, and give
    /// it back.
    fn lease_is_a_row(&self) -> bool {
        true
    }

    /// Takes the lease on a network ACL until `until`; `false` when another owner holds it. A lease that was not given back
    /// sets [`Meta::unsure`] to `now`: nobody knows what its holder's last call came to.
    fn lease(
        &self,
        acl: &AclKey,
        owner: &str,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Keeps the lease until `until`; `false` when it is not ours any more. Not for taking one: an owner that was restarted
    /// under the same name must not find its predecessor's work well known.
    fn renew(
        &self,
        acl: &AclKey,
        owner: &str,
        until: DateTime<Utc>,
    ) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Gives the lease back, if it is still ours.
    fn release(&self, acl: &AclKey, owner: &str) -> impl Future<Output = Result<(), Error>> + Send;

    /// Network ACLs that the ledger has written to.
    fn acls(&self) -> impl Future<Output = Result<Vec<AclKey>, Error>> + Send;

    /// Entries in the order in which they were planned.
    fn entries(&self, filter: Filter) -> impl Future<Output = Result<Vec<Row>, Error>> + Send;

    /// Audit rows with a number above `after`, in order.
    fn audit(&self, after: u64, limit: usize) -> impl Future<Output = Result<Vec<AuditRow>, Error>> + Send;

    /// The newest audit rows, newest first.
    fn audit_newest(&self, limit: usize) -> impl Future<Output = Result<Vec<AuditRow>, Error>> + Send;

    /// Alerts that are in no message yet, oldest first.
    fn alerts_waiting(&self, limit: usize) -> impl Future<Output = Result<Vec<AlertRow>, Error>> + Send;

    /// Makes one message of those alerts, [`MOST_IN_MESSAGE`] at most, unless one of them is in a message already: then
    /// [`Error::Conflict`]. With the outcome of a first attempt, when there was one. Returns the message's number.
    fn put_message(
        &self,
        alerts: &[u64],
        message: &MessageRow,
        first: Option<&Delivery>,
    ) -> impl Future<Output = Result<u64, Error>> + Send;

    /// Messages, newest first.
    fn messages(&self, limit: usize) -> impl Future<Output = Result<Vec<MessageRow>, Error>> + Send;

    /// Messages not delivered nor given up whose time to try has come, oldest first.
    fn unsent(&self, now: DateTime<Utc>, limit: usize) -> impl Future<Output = Result<Vec<MessageRow>, Error>> + Send;

    /// Records the outcome of one attempt to deliver. A message that was sent, or given up, fails no more: a slower attempt that says so
    /// is too late.
    fn delivered(&self, number: u64, outcome: &Delivery) -> impl Future<Output = Result<(), Error>> + Send;

    /// Records that could not be read as findings, newest first.
    fn unreadable(&self, limit: usize) -> impl Future<Output = Result<Vec<Unreadable>, Error>> + Send;

    /// Numbers for `status`, from the audit and the outbox.
    fn counts(&self) -> impl Future<Output = Result<Counts, Error>> + Send;

    /// How far a reader is, in the audit or a shard; 0 when it has not begun.
    fn position(&self, reader: &str) -> impl Future<Output = Result<Position, Error>> + Send;

    /// Moves a reader's position forward; a lower one than it has changes nothing.
    fn set_position(&self, reader: &str, position: &Position) -> impl Future<Output = Result<(), Error>> + Send;
}

/// What a commit numbered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Number of the first alert that it appended; those after it follow without a hole.
    pub first_alert: Option<u64>,
}

/// How one attempt to deliver a message ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It was accepted.
    Sent(DateTime<Utc>),
    /// It was not.
    Failed {
        /// Why; never contains the webhook's URL.
        error: String,
        /// Not before; `None` gives up.
        next: Option<DateTime<Utc>>,
    },
}
