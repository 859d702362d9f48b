//! The ledger that the configuration names.

use std::path::Path;

use chrono::{DateTime, Utc};

#[cfg(feature = "aws")]
use super::dynamodb::{self, DynamoDbLedger};
#[cfg(feature = "embedded")]
use super::embedded::SqliteLedger;
#[cfg(feature = "aws")]
use super::remembered::Remembered;
use super::{
    AlertRow, Ask, AuditRow, Counts, Delivery, Error, Filter, Ledger, MessageRow, Position, Row, Settings, Store,
    Transaction, Unreadable, View, Written,
};
use crate::network_acl::AclKey;

/// A ledger in either store.
#[non_exhaustive]
pub enum AnyLedger {
    /// In the data directory.
    #[cfg(feature = "embedded")]
    Embedded(SqliteLedger),
    /// On AWS.
    #[cfg(feature = "aws")]
    DynamoDb(Box<Remembered<DynamoDbLedger>>),
}

impl AnyLedger {
    /// Opens what the settings name; `dir` is the data directory, which must exist. A table is never made here.
    ///
    /// # Errors
    /// [`Error::Store`] when it cannot be opened, and when this program was built without the store.
    pub async fn open(settings: &Settings, dir: &Path) -> Result<Self, Error> {
        match settings.store {
            #[cfg(feature = "embedded")]
            Store::Embedded => SqliteLedger::open(dir).map(Self::Embedded),
            #[cfg(feature = "aws")]
            Store::DynamoDb => {
                let ledger = DynamoDbLedger::open(&dynamodb::configuration().await?, &settings.table).await?;
                Ok(Self::DynamoDb(Box::new(Remembered::new(ledger))))
            }
            #[cfg(not(all(feature = "embedded", feature = "aws")))]
            store => Err(missing(store, dir)),
        }
    }
}

#[cfg(not(all(feature = "embedded", feature = "aws")))]
fn missing(store: Store, dir: &Path) -> Error {
    let (what, feature) = match store {
        Store::Embedded => (
            format!("the embedded ledger, which would be in {}", dir.display()),
            "embedded",
        ),
        Store::DynamoDb => ("AWS, so it knows no ledger on DynamoDB".to_owned(), "aws"),
    };
    Error::Store {
        message: format!(
            "this program was built without {what}; `cargo build --release --features {feature}` builds one that has it"
        ),
        source: None,
    }
}

/// The same call on whichever store it is.
macro_rules! of {
    ($self:ident, $ledger:ident => $call:expr) => {
        match $self {
            #[cfg(feature = "embedded")]
            Self::Embedded($ledger) => $call,
            #[cfg(feature = "aws")]
            Self::DynamoDb($ledger) => $call,
        }
    };
}

impl Ledger for AnyLedger {
    fn recall(&self, ask: Ask<'_>) -> Option<View> {
        of!(self, ledger => ledger.recall(ask))
    }

    async fn read(&self, ask: Ask<'_>) -> Result<View, Error> {
        of!(self, ledger => ledger.read(ask).await)
    }

    async fn commit(&self, transaction: &Transaction) -> Result<Written, Error> {
        of!(self, ledger => ledger.commit(transaction).await)
    }

    async fn pending(&self, now: DateTime<Utc>) -> Result<Vec<AclKey>, Error> {
        of!(self, ledger => ledger.pending(now).await)
    }

    fn lease_is_a_row(&self) -> bool {
        of!(self, ledger => ledger.lease_is_a_row())
    }

    async fn lease(&self, acl: &AclKey, owner: &str, now: DateTime<Utc>, until: DateTime<Utc>) -> Result<bool, Error> {
        of!(self, ledger => ledger.lease(acl, owner, now, until).await)
    }

    async fn renew(&self, acl: &AclKey, owner: &str, until: DateTime<Utc>) -> Result<bool, Error> {
        of!(self, ledger => ledger.renew(acl, owner, until).await)
    }

    async fn release(&self, acl: &AclKey, owner: &str) -> Result<(), Error> {
        of!(self, ledger => ledger.release(acl, owner).await)
    }

    async fn acls(&self) -> Result<Vec<AclKey>, Error> {
        of!(self, ledger => ledger.acls().await)
    }

    async fn entries(&self, filter: Filter) -> Result<Vec<Row>, Error> {
        of!(self, ledger => ledger.entries(filter).await)
    }

    async fn audit(&self, after: u64, limit: usize) -> Result<Vec<AuditRow>, Error> {
        of!(self, ledger => ledger.audit(after, limit).await)
    }

    async fn audit_newest(&self, limit: usize) -> Result<Vec<AuditRow>, Error> {
        of!(self, ledger => ledger.audit_newest(limit).await)
    }

    async fn alerts_waiting(&self, limit: usize) -> Result<Vec<AlertRow>, Error> {
        of!(self, ledger => ledger.alerts_waiting(limit).await)
    }

    async fn put_message(&self, alerts: &[u64], message: &MessageRow, first: Option<&Delivery>) -> Result<u64, Error> {
        of!(self, ledger => ledger.put_message(alerts, message, first).await)
    }

    async fn messages(&self, limit: usize) -> Result<Vec<MessageRow>, Error> {
        of!(self, ledger => ledger.messages(limit).await)
    }

    async fn unsent(&self, now: DateTime<Utc>, limit: usize) -> Result<Vec<MessageRow>, Error> {
        of!(self, ledger => ledger.unsent(now, limit).await)
    }

    async fn delivered(&self, number: u64, outcome: &Delivery) -> Result<(), Error> {
        of!(self, ledger => ledger.delivered(number, outcome).await)
    }

    async fn unreadable(&self, limit: usize) -> Result<Vec<Unreadable>, Error> {
        of!(self, ledger => ledger.unreadable(limit).await)
    }

    async fn counts(&self) -> Result<Counts, Error> {
        of!(self, ledger => ledger.counts().await)
    }

    async fn position(&self, reader: &str) -> Result<Position, Error> {
        of!(self, ledger => ledger.position(reader).await)
    }

    async fn set_position(&self, reader: &str, position: &Position) -> Result<(), Error> {
        of!(self, ledger => ledger.set_position(reader, position).await)
    }
}
