//! A model of EC2's network ACLs in a SQLite file of its own: real quota, order of rules, error codes, canonical CIDRs.
//!
//! The embedded responder acts on it as it would on EC2, and several processes may have it open. What the model leaves
//! out: associations are values given to [`Model::define`], and Describe never lags. IPv4 and IPv6 blocks count together.
//!
//! ```
//! # use portcullis::network_acl::{AclKey, Direction, Entry, NetworkAcls, model::{Model, Vpc}};
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let model = Model::in_memory()?;
//! model.define(&Vpc::new("111122223333", "eu-west-1", "vpc-1", "acl-1").with_subnet("subnet-1"))?;
//! let acl = AclKey { account: "111122223333".into(), region: "eu-west-1".into(), acl: "acl-1".into() };
//! model.create(&acl, &Entry::deny(71, Direction::Ingress, "185.220.101.4/32".parse()?)).await?;
//! assert_eq!(model.describe(&acl).await?.entries.len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod calls;
mod define;
mod store;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use rusqlite::{Connection, TransactionBehavior};

use super::{Acl, AclKey, Code, Direction, Entry, Error, Inventory, NetworkAcls, Place};

pub use define::Vpc;

/// Entries per direction that EC2 allows unless asked for more (Service Quotas L-2AEEBF1A).
pub const QUOTA: usize = 20;

/// The highest rule number that a person may use; 32767 is the default deny.
pub const MAX_RULE: u16 = 32_766;

const BUSY: Duration = Duration::from_secs(10);

/// The model of EC2's network ACLs.
pub struct Model {
    connection: Mutex<Connection>,
    discover: bool,
    counts_default: bool,
}

impl Model {
    /// Opens or creates `network-acls.sqlite` in a directory, which must exist.
    ///
    /// # Errors
    /// [`Code::Unavailable`] when the file cannot be opened.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        Self::prepare(Connection::open(dir.join("network-acls.sqlite"))?)
    }

    /// A model that lives as long as the value.
    ///
    /// # Errors
    /// [`Code::Unavailable`] when SQLite fails.
    pub fn in_memory() -> Result<Self, Error> {
        Self::prepare(Connection::open_in_memory()?)
    }

    fn prepare(connection: Connection) -> Result<Self, Error> {
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.set_prepared_statement_cache_capacity(32);
        connection.execute_batch(include_str!("schema.sql"))?;
        Ok(Self {
            connection: Mutex::new(connection),
            discover: false,
            counts_default: false,
        })
    }

    /// Whether a subnet that is not known gets a network ACL of its own on first sight. For a person's own findings when
    /// no EC2 is configured; off by default.
    #[must_use]
    pub fn discover(mut self, discover: bool) -> Self {
        self.discover = discover;
        self
    }

    /// Whether the default deny counts against the quota: the documentation can be read both ways. Off by default.
    #[must_use]
    pub fn default_deny_counts(mut self, counts: bool) -> Self {
        self.counts_default = counts;
        self
    }

    /// Whether each commit waits until it is on disk; it does unless told otherwise. Only for loading what can be made again:
    /// a crash of the machine (not of the process) may then leave a broken file.
    ///
    /// # Errors
    /// [`Code::Unavailable`] when SQLite fails.
    pub fn flush_commits(&self, flush: bool) -> Result<(), Error> {
        let synchronous = if flush { "FULL" } else { "OFF" };
        Ok(self.connection().pragma_update(None, "synchronous", synchronous)?)
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn transaction<T>(
        &self,
        behavior: TransactionBehavior,
        work: impl FnOnce(&Connection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(behavior)?;
        let result = work(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }

    fn reading<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        self.transaction(TransactionBehavior::Deferred, work)
    }

    fn writing<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        self.transaction(TransactionBehavior::Immediate, work)
    }
}

impl NetworkAcls for Model {
    fn lag(&self) -> TimeDelta {
        TimeDelta::zero()
    }

    async fn list(&self) -> Result<Vec<AclKey>, Error> {
        self.reading(store::list)
    }

    async fn describe(&self, key: &AclKey) -> Result<Acl, Error> {
        self.reading(|db| store::describe(db, key))
    }

    async fn acl_of(&self, place: &Place<'_>) -> Result<Option<AclKey>, Error> {
        let known = self.reading(|db| store::acl_of(db, place))?;
        Ok(known.or_else(|| self.discover.then(|| define::discovered(place).acl)))
    }

    async fn ensure(&self, place: &Place<'_>) -> Result<(), Error> {
        if self.discover && self.reading(|db| store::acl_of(db, place))?.is_none() {
            self.define(&define::discovered(place))?;
        }
        Ok(())
    }

    async fn inventory(&self) -> Result<Inventory, Error> {
        self.reading(store::inventory)
    }

    async fn create(&self, key: &AclKey, entry: &Entry) -> Result<(), Error> {
        self.writing(|db| calls::create(db, key, entry, self.counts_default))
    }

    async fn replace(&self, key: &AclKey, entry: &Entry) -> Result<(), Error> {
        self.writing(|db| calls::replace(db, key, entry))
    }

    async fn delete(&self, key: &AclKey, direction: Direction, rule: u16) -> Result<(), Error> {
        self.writing(|db| calls::delete(db, key, direction, rule))
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Error::new(Code::Unavailable, format!("network-acls.sqlite: {error}"))
    }
}
