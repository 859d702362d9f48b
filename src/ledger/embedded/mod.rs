//! The ledger of one machine: one SQLite file, written ahead, every commit flushed to disk.
//!
//! Several processes may have it open: `list` and `unblock` work beside a running `serve`. Transactions are short, and
//! whoever finds the file locked waits for `BUSY`. A process that acts on network ACLs holds a lock on a file beside
//! the ledger, which the operating system frees when the process dies: no lease outlives its owner.

mod read;
mod write;

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, TransactionBehavior};

use super::{
    AlertRow, Ask, AuditRow, Counts, Delivery, Error, Filter, Ledger, MessageRow, Position, Row, Transaction,
    Unreadable, View, Written,
};
use crate::network_acl::AclKey;

/// How long a process waits for another one's transaction.
const BUSY: Duration = Duration::from_secs(10);

/// The form of the tables; a file of another form is refused.
const FORM: i64 = 4;

/// A ledger in one SQLite file.
pub struct SqliteLedger {
    connection: Mutex<Connection>,
    acting: Option<File>,
}

impl SqliteLedger {
    /// Opens or creates `ledger.sqlite` in a directory, which must exist.
    ///
    /// # Errors
    /// [`Error::Store`] when the file cannot be opened, or was written by a newer version.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let acting = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(dir.join("ledger.lock"))
            .map_err(|error| store(&dir.join("ledger.lock").display().to_string(), error))?;
        Self::prepare(Connection::open(dir.join("ledger.sqlite"))?, Some(acting))
    }

    /// A ledger that lives as long as the value; leases end by time alone.
    ///
    /// # Errors
    /// [`Error::Store`] when SQLite fails.
    pub fn in_memory() -> Result<Self, Error> {
        Self::prepare(Connection::open_in_memory()?, None)
    }

    fn prepare(mut connection: Connection, acting: Option<File>) -> Result<Self, Error> {
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.set_prepared_statement_cache_capacity(64);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let form: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if !matches!(form, 0 | 2..=FORM) {
            return Err(Error::Store {
                message: format!(
                    "ledger.sqlite has form {form}, this version reads form {FORM}; use the version that wrote it"
                ),
                source: None,
            });
        }
        if form == 2 {
            transaction.execute_batch(include_str!("from_2.sql"))?;
        }
        if matches!(form, 2 | 3) {
            transaction.execute_batch(include_str!("from_3.sql"))?;
        }
        if form != FORM {
            transaction.execute_batch(include_str!("schema.sql"))?;
            transaction.pragma_update(None, "user_version", FORM)?;
        }
        if matches!(form, 2 | 3) {
            transaction.execute_batch(include_str!("rows_of_3.sql"))?;
        }
        transaction.commit()?;
        Ok(Self {
            connection: Mutex::new(connection),
            acting,
        })
    }

    /// Whether each commit waits until it is on disk; it does unless told otherwise. Only for loading what can be made again:
    /// a crash of the machine (not of the process) may then leave a broken file.
    ///
    /// # Errors
    /// [`Error::Store`] when SQLite fails.
    pub fn flush_commits(&self, flush: bool) -> Result<(), Error> {
        let synchronous = if flush { "FULL" } else { "OFF" };
        Ok(self.connection().pragma_update(None, "synchronous", synchronous)?)
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic while the lock was held left no half-done work: SQLite rolled its transaction back.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reading<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
        let result = work(&transaction)?;
        transaction.finish()?;
        Ok(result)
    }

    fn writing<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = work(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }

    /// Whether no other process acts. Where it is so, every lease that is written down belongs to a dead process or to us.
    fn alone(&self) -> Result<bool, Error> {
        match self.acting.as_ref().map(File::try_lock) {
            Some(Ok(())) => Ok(true),
            Some(Err(TryLockError::WouldBlock)) | None => Ok(false),
            Some(Err(TryLockError::Error(error))) => Err(store("ledger.lock", error)),
        }
    }
}

impl SqliteLedger {
    fn unlock(&self) -> Result<(), Error> {
        let acting = self.acting.as_ref();
        acting
            .map_or(Ok(()), File::unlock)
            .map_err(|error| store("ledger.lock", error))
    }
}

impl Ledger for SqliteLedger {
    async fn read(&self, ask: Ask<'_>) -> Result<View, Error> {
        self.reading(|db| read::view(db, ask))
    }

    async fn commit(&self, transaction: &Transaction) -> Result<Written, Error> {
        // Nothing here ever waits: without this a long sweep would let nobody else have a turn, not even who stops it.
        tokio::task::yield_now().await;
        self.writing(|db| write::transaction(db, transaction))
    }

    async fn pending(&self, now: DateTime<Utc>) -> Result<Vec<AclKey>, Error> {
        self.reading(|db| read::pending(db, now))
    }

    fn lease_is_a_row(&self) -> bool {
        self.acting.is_none()
    }

    async fn lease(&self, acl: &AclKey, owner: &str, now: DateTime<Utc>, until: DateTime<Utc>) -> Result<bool, Error> {
        let alone = self.alone()?;
        if !alone && self.acting.is_some() {
            return Ok(false);
        }
        let held = self.writing(|db| write::lease(db, acl, owner, alone, now, until));
        if held.is_err() {
            self.unlock()?;
        }
        held
    }

    async fn renew(&self, acl: &AclKey, owner: &str, until: DateTime<Utc>) -> Result<bool, Error> {
        self.writing(|db| write::renew(db, acl, owner, until))
    }

    async fn release(&self, acl: &AclKey, owner: &str) -> Result<(), Error> {
        let released = self.writing(|db| write::release(db, acl, owner));
        self.unlock()?;
        released
    }

    async fn acls(&self) -> Result<Vec<AclKey>, Error> {
        self.reading(read::acls)
    }

    async fn entries(&self, filter: Filter) -> Result<Vec<Row>, Error> {
        self.reading(|db| read::entries(db, filter))
    }

    async fn audit(&self, after: u64, limit: usize) -> Result<Vec<AuditRow>, Error> {
        self.reading(|db| read::audit(db, after, limit))
    }

    async fn audit_newest(&self, limit: usize) -> Result<Vec<AuditRow>, Error> {
        self.reading(|db| read::audit_newest(db, limit))
    }

    async fn alerts_waiting(&self, limit: usize) -> Result<Vec<AlertRow>, Error> {
        self.reading(|db| read::alerts_waiting(db, limit))
    }

    async fn put_message(&self, alerts: &[u64], message: &MessageRow, first: Option<&Delivery>) -> Result<u64, Error> {
        self.writing(|db| write::message(db, alerts, message, first))
    }

    async fn messages(&self, limit: usize) -> Result<Vec<MessageRow>, Error> {
        self.reading(|db| read::messages(db, limit))
    }

    async fn unsent(&self, now: DateTime<Utc>, limit: usize) -> Result<Vec<MessageRow>, Error> {
        self.reading(|db| read::unsent(db, now, limit))
    }

    async fn delivered(&self, number: u64, outcome: &Delivery) -> Result<(), Error> {
        self.writing(|db| write::delivered(db, number, outcome))
    }

    async fn unreadable(&self, limit: usize) -> Result<Vec<Unreadable>, Error> {
        self.reading(|db| read::unreadable(db, limit))
    }

    async fn counts(&self) -> Result<Counts, Error> {
        self.reading(read::counts)
    }

    async fn position(&self, reader: &str) -> Result<Position, Error> {
        self.reading(|db| read::position(db, reader))
    }

    async fn set_position(&self, reader: &str, position: &Position) -> Result<(), Error> {
        self.writing(|db| write::position(db, reader, position))
    }
}

fn store(what: &str, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Store {
        message: format!("{what}: {error}"),
        source: Some(Box::new(error)),
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        store("ledger.sqlite", error)
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        store("a row of ledger.sqlite", error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_ledger_of_an_older_form_keeps_what_it_holds_and_a_newer_one_is_refused() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("ledger.sqlite");
        drop(SqliteLedger::open(dir.path()).expect("a ledger"));
        let before = Connection::open(&file).expect("SQLite");
        before
            .execute_batch(
                "DROP TABLE position;
                 CREATE TABLE position (reader TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT, WITHOUT ROWID;
                 INSERT INTO position VALUES ('documents', 41);
                 DROP TABLE entry;
                 CREATE TABLE entry (account TEXT NOT NULL, region TEXT NOT NULL, acl TEXT NOT NULL, direction TEXT NOT NULL,
                   cidr TEXT NOT NULL, state TEXT NOT NULL, rule INTEGER, seq INTEGER NOT NULL, planned_at INTEGER NOT NULL,
                   expires INTEGER, body TEXT NOT NULL, PRIMARY KEY (account, region, acl, direction, cidr)) STRICT, WITHOUT ROWID;
                 CREATE INDEX entry_by_rule ON entry (account, region, acl, direction, rule);
                 CREATE INDEX entry_by_state ON entry (state, planned_at);
                 CREATE INDEX entry_live ON entry (account, region, acl, seq);
                 DROP TABLE finding;
                 CREATE TABLE finding (id TEXT PRIMARY KEY, version INTEGER NOT NULL, versions INTEGER NOT NULL, body TEXT NOT NULL)
                   STRICT, WITHOUT ROWID;
                 CREATE INDEX finding_versions ON finding (versions);
                 INSERT INTO finding VALUES ('f1', 3, 2, '{}');
                 INSERT INTO entry VALUES ('1', 'eu', 'acl-1', 'ingress', '45.83.64.9/32', 'applied', 71, 1, 5, NULL, '{}');
                 PRAGMA user_version = 2;",
            )
            .expect("an older form");
        drop(before);
        for _ in 0..2 {
            let ledger = SqliteLedger::open(dir.path()).expect("a ledger");
            assert_eq!(ledger.counts().await.expect("counts").findings, 2);
            assert_eq!(ledger.pending(Utc::now()).await.expect("readable"), []);
            let (entries, left): (u64, u64) = ledger
                .connection()
                .query_row(
                    "SELECT (SELECT count(*) FROM entry WHERE rule = 71), (SELECT count(*) FROM sqlite_schema WHERE name LIKE '%_3')",
                    [],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .expect("counted");
            assert_eq!((entries, left), (1, 0));
            assert_eq!(
                ledger.position("documents").await.expect("a position"),
                Position::from(41)
            );
        }
        Connection::open(&file)
            .expect("SQLite")
            .pragma_update(None, "user_version", FORM + 1)
            .expect("a newer form");
        assert!(SqliteLedger::open(dir.path()).is_err());
    }

    #[test]
    fn what_is_read_for_every_finding_and_sweep_passes_over_nothing_that_went() {
        let ledger = SqliteLedger::in_memory().expect("a ledger");
        let db = ledger.connection();
        for sql in [read::LIVE_OF_ACL, read::PENDING, read::GONE] {
            let mut plan = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("a statement");
            let nothing: Vec<rusqlite::types::Null> = vec![rusqlite::types::Null; plan.parameter_count()];
            let steps = plan.query_map(rusqlite::params_from_iter(nothing), |row| row.get::<_, String>(3));
            let steps: Vec<String> = steps.expect("a plan").collect::<Result<_, _>>().expect("steps");
            assert!(steps.iter().all(|step| !step.starts_with("SCAN")), "{sql}: {steps:?}");
            assert!(steps.iter().any(|step| step.contains("INDEX")), "{sql}: {steps:?}");
        }
    }
}
