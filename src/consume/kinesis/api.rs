//! What is asked of Kinesis, and what it answers, without the SDK: so that a consumer can be tested against a stream that
//! throttles, splits and forgets on demand.

use chrono::{DateTime, Utc};

use crate::ledger::Position;

/// A shard as `ListShards` tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    /// `shardId-000000000000`
    pub id: String,
    /// The shard that it was split from, or the two that it was merged from.
    pub parents: Vec<String>,
}

/// Where an iterator begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// Behind the newest record.
    Latest,
    /// At the oldest record.
    TrimHorizon,
    /// At the first record of this time or later.
    At(DateTime<Utc>),
    /// Behind the record with this sequence number.
    After(Position),
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its sequence number.
    pub number: Position,
    /// What it holds.
    pub data: Vec<u8>,
}

/// What `GetRecords` answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// In the order of the shard.
    pub records: Vec<Record>,
    /// For the next call; `None` at the end of a shard that was split or merged.
    pub next: Option<String>,
    /// How far these are behind the newest record, in milliseconds.
    pub behind: Option<u64>,
}

/// A call that failed, by what is to be done about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Too many calls or bytes in this second.
    #[error("Kinesis throttles: {0}")]
    Throttled(String),
    /// An iterator is good for five minutes.
    #[error("the shard iterator expired")]
    Expired,
    /// There is no such stream or shard.
    #[error("{0}")]
    Gone(String),
    /// No answer, or an error of the service: worth another attempt.
    #[error("{0}")]
    Unavailable(String),
    /// The same call will fail again; says what to do.
    #[error("{0}")]
    Refused(String),
}

impl Fault {
    /// Its word in metrics.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Fault::Throttled(_) => "throttled",
            Fault::Expired => "expired",
            Fault::Gone(_) => "gone",
            Fault::Unavailable(_) => "unavailable",
            Fault::Refused(_) => "refused",
        }
    }
}

/// The four calls on one stream. None of them is repeated by whoever implements this: the consumer knows when to.
pub trait Kinesis: Send + Sync {
    /// What tells this stream from one that had its name before, or has it in another account or region.
    fn identity(&self) -> impl Future<Output = Result<String, Fault>> + Send;

    /// Every shard that still has records, closed ones too.
    fn shards(&self) -> impl Future<Output = Result<Vec<Shard>, Fault>> + Send;

    /// A shard iterator.
    fn iterator(&self, shard: &str, start: &Start) -> impl Future<Output = Result<String, Fault>> + Send;

    /// The records behind an iterator, `most` of them at most.
    fn records(&self, iterator: &str, most: u16) -> impl Future<Output = Result<Batch, Fault>> + Send;
}
