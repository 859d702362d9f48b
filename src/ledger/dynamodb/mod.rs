//! The ledger on AWS: one DynamoDB table, for any number of responders.
//!
//! Every change is one `TransactWriteItems` on the condition that no version has moved, and every read is consistent, but for
//! [`pending`](crate::ledger::Ledger::pending), which may be a moment late. A transaction that numbers audit rows, alerts or
//! messages also moves the one `LOG` item: that makes the numbers a total order without holes, which a reader's position
//! needs, at the price that such transactions follow one another. Whoever comes second reads the numbers again and repeats
//! its write, without a word to the caller.
//!
//! Facts followed: [transactions](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html)
//! (100 items, 4 MB, one operation per item), [local indexes](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LSI.html)
//! (consistent, 10 GB per partition key).

mod error;
mod item;
mod lambda;
mod lease;
mod outbox;
mod read;
mod table;
mod write;

use std::collections::BTreeMap;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::Client;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use self::error::Place;
pub use self::lambda::listed;
pub use self::table::Done;
use super::{
    AlertRow, Ask, AuditRow, Counts, Delivery, Error, Filter, Ledger, MessageRow, Position, Row, Transaction,
    Unreadable, View, Written,
};
use crate::aws::{self, Counted};
use crate::network_acl::AclKey;

/// The longest that one attempt may take, and all attempts of one call.
const ATTEMPT: Duration = Duration::from_secs(4);
const CALL: Duration = Duration::from_secs(15);

/// Numbers given so far, and counts for `status`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Log {
    #[serde(skip)]
    version: u64,
    audit: u64,
    alert: u64,
    message: u64,
    findings: u64,
    sent: u64,
    waiting: u64,
    dead: u64,
    events: BTreeMap<String, u64>,
    decided: BTreeMap<String, u64>,
}

/// A ledger in one DynamoDB table.
#[derive(Debug)]
pub struct DynamoDbLedger {
    client: Client,
    place: Place,
    /// Held during a commit: two of one process would only trip over each other.
    log: tokio::sync::Mutex<Option<Log>>,
}

impl DynamoDbLedger {
    /// Opens the ledger in `table`. It never makes one: `portcullis setup ledger` does.
    ///
    /// # Errors
    /// [`Error::Store`] when the table cannot be reached, is no ledger, or was written by a newer version.
    pub async fn open(config: &SdkConfig, table: &str) -> Result<Self, Error> {
        let (client, place) = reach(config, table)?;
        table::check(&client, &place).await?;
        Ok(Self {
            client,
            place,
            log: tokio::sync::Mutex::default(),
        })
    }

    /// Makes the table, or what is missing of it; with `dry_run` only says what it would do. To call it again changes nothing.
    ///
    /// # Errors
    /// [`Error::Store`] when a call fails, or when a table of that name is no ledger.
    pub async fn setup(config: &SdkConfig, table: &str, dry_run: bool) -> Result<Done, Error> {
        let (client, place) = reach(config, table)?;
        table::setup(&client, &place, dry_run).await
    }
}

/// Region, credentials and endpoint from the standard AWS variables and files.
///
/// # Errors
/// [`Error::Store`] when no region is known.
pub async fn configuration() -> Result<SdkConfig, Error> {
    aws::configuration().await.map_err(|error| Error::Store {
        message: error.to_string(),
        source: None,
    })
}

fn reach(config: &SdkConfig, table: &str) -> Result<(Client, Place), Error> {
    let region = config.region().map(ToString::to_string).unwrap_or_default();
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(CALL)
        .build();
    let config = aws_sdk_dynamodb::config::Builder::from(config)
        .interceptor(Counted("dynamodb"))
        .timeout_config(timeouts)
        .build();
    let place = Place {
        table: table.to_owned(),
        region,
    };
    Ok((Client::from_conf(config), place))
}

// The SDK's futures are large, and a debug build keeps several copies of each: they live on the heap.
impl Ledger for DynamoDbLedger {
    async fn read(&self, ask: Ask<'_>) -> Result<View, Error> {
        Box::pin(read::view(self, ask)).await
    }

    async fn commit(&self, transaction: &Transaction) -> Result<Written, Error> {
        Box::pin(write::commit(self, transaction)).await
    }

    async fn pending(&self, now: DateTime<Utc>) -> Result<Vec<AclKey>, Error> {
        Box::pin(read::pending(self, now)).await
    }

    async fn lease(&self, acl: &AclKey, owner: &str, now: DateTime<Utc>, until: DateTime<Utc>) -> Result<bool, Error> {
        Box::pin(lease::take(self, acl, owner, now, until)).await
    }

    async fn renew(&self, acl: &AclKey, owner: &str, until: DateTime<Utc>) -> Result<bool, Error> {
        Box::pin(lease::renew(self, acl, owner, until)).await
    }

    async fn release(&self, acl: &AclKey, owner: &str) -> Result<(), Error> {
        Box::pin(lease::release(self, acl, owner)).await
    }

    async fn acls(&self) -> Result<Vec<AclKey>, Error> {
        Box::pin(read::acls(self)).await
    }

    async fn entries(&self, filter: Filter) -> Result<Vec<Row>, Error> {
        Box::pin(read::entries(self, filter)).await
    }

    async fn audit(&self, after: u64, limit: usize) -> Result<Vec<AuditRow>, Error> {
        Box::pin(read::audit(self, after, limit)).await
    }

    async fn audit_newest(&self, limit: usize) -> Result<Vec<AuditRow>, Error> {
        Box::pin(read::audit_newest(self, limit)).await
    }

    async fn alerts_waiting(&self, limit: usize) -> Result<Vec<AlertRow>, Error> {
        Box::pin(outbox::alerts_waiting(self, limit)).await
    }

    async fn put_message(&self, alerts: &[u64], message: &MessageRow, first: Option<&Delivery>) -> Result<u64, Error> {
        Box::pin(outbox::put_message(self, alerts, message, first)).await
    }

    async fn messages(&self, limit: usize) -> Result<Vec<MessageRow>, Error> {
        Box::pin(outbox::messages(self, limit)).await
    }

    async fn unsent(&self, now: DateTime<Utc>, limit: usize) -> Result<Vec<MessageRow>, Error> {
        Box::pin(outbox::unsent(self, now, limit)).await
    }

    async fn delivered(&self, number: u64, outcome: &Delivery) -> Result<(), Error> {
        Box::pin(outbox::delivered(self, number, outcome)).await
    }

    async fn unreadable(&self, limit: usize) -> Result<Vec<Unreadable>, Error> {
        Box::pin(read::unreadable(self, limit)).await
    }

    async fn counts(&self) -> Result<Counts, Error> {
        let log = read::log(self).await?;
        Ok(Counts {
            events: log.events,
            decided: log.decided,
            findings: log.findings,
            alerts: log.alert,
            sent: log.sent,
            waiting: log.waiting,
            dead: log.dead,
        })
    }

    async fn position(&self, reader: &str) -> Result<Position, Error> {
        Box::pin(read::position(self, reader)).await
    }

    async fn set_position(&self, reader: &str, position: &Position) -> Result<(), Error> {
        Box::pin(lease::set_position(self, reader, position)).await
    }
}
