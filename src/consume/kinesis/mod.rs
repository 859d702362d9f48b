//! A Kinesis data stream, read by one host: every shard, parents before children.
//!
//! `api` is what is asked of Kinesis, [`Client`] asks it through the SDK. `shards` decides what may be read, `reader` reads one
//! shard within the limits of the service, [`Consumer`] starts and ends the readers. Records that the Kinesis Producer Library
//! put together are taken apart by [`aggregate`]. What all streams share is in [`shard`](super::shard).
//!
//! Facts followed: [GetRecords](https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html) (five calls and
//! 2 MB a second and shard), [resharding](https://docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-after-resharding.html).

pub mod aggregate;
mod api;
mod client;
mod consumer;
mod meter;
mod pace;
mod reader;
mod shards;

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};

pub use api::{Batch, Fault, Kinesis, Record, Shard, Start};
pub use client::Client;
pub use consumer::{Consumer, Error};
pub use meter::{Meter, Reading};

/// Where reading begins in a shard of which the ledger knows no position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum From {
    /// What arrives from now on. After a restart: from when the first consumer began, so that nothing is passed over.
    #[default]
    Latest,
    /// The oldest record that the stream still has.
    TrimHorizon,
    /// The first record that arrived at this time or later.
    At(DateTime<Utc>),
}

impl FromStr for From {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "LATEST" => Ok(Self::Latest),
            "TRIM_HORIZON" => Ok(Self::TrimHorizon),
            time => DateTime::parse_from_rfc3339(time)
                .map(|at| Self::At(at.to_utc()))
                .map_err(|_| {
                    "write LATEST, TRIM_HORIZON, or a time with its offset, such as 2026-11-21T18:00:00Z".to_owned()
                }),
        }
    }
}

impl fmt::Display for From {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => f.write_str("LATEST"),
            Self::TrimHorizon => f.write_str("TRIM_HORIZON"),
            Self::At(at) => write!(f, "{}", at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)),
        }
    }
}
