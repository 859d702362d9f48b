//! The child of the Kinesis Client Library's MultiLangDaemon: one process for each shard that this host holds the lease of.
//!
//! One JSON object a line, strictly question and answer: the daemon asks on standard input, the child answers each with a
//! `status`. Between the two it may ask for a checkpoint, whose echo it awaits. The daemon divides the shards among hosts,
//! keeps the leases and the checkpoints, takes aggregated records apart, and gives the children of a shard only once the shard
//! ended. [The protocol](https://github.com/awslabs/amazon-kinesis-client/blob/master/amazon-kinesis-client-multilang/src/main/java/software/amazon/kinesis/multilang/package-info.java).

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::sleep;

use super::shard::{self, take};
use super::{told, unpack};
use crate::ledger::{Ledger, Position};
use crate::network_acl::NetworkAcls;
use crate::respond::{Clock, Responder, WallClock};

/// Bytes of one line: a call brings 10 MB at most, and base64 makes it a third more.
const LINE: u64 = 64 * 1024 * 1024;

/// How often a checkpoint is asked for that was throttled. The next batch asks again.
const ATTEMPTS: u32 = 5;

/// The first wait before records are taken again, and the longest.
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(20);

/// The conversation cannot go on; the daemon starts another child.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Standard input or output.
    #[error("the daemon cannot be talked to: {0}")]
    Daemon(#[from] std::io::Error),
    /// The daemon said something that is not in the protocol.
    #[error("the daemon said {said}, which is not what this version understands: {why}")]
    Protocol {
        /// The beginning of it.
        said: String,
        /// What is wrong.
        why: String,
    },
}

/// What the daemon asks.
#[derive(Debug, Deserialize)]
#[serde(tag = "action", rename_all = "camelCase", rename_all_fields = "camelCase")]
enum Asked {
    Initialize {
        shard_id: String,
    },
    ProcessRecords {
        records: Vec<Record>,
        millis_behind_latest: Option<i64>,
    },
    /// The echo of a checkpoint.
    Checkpoint {
        error: Option<String>,
    },
    LeaseLost {},
    ShardEnded {},
    ShutdownRequested {},
    /// Of the older protocol.
    Shutdown {
        reason: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    /// Base64.
    data: String,
    sequence_number: String,
    sub_sequence_number: Option<u64>,
}

/// Talks with the daemon until it closes `input`. Everything that it was told is processed is durable.
///
/// # Errors
/// When the daemon cannot be understood. Faults of the ledger are waited for: a shard stands still rather than lose a record.
pub async fn run<L: Ledger, N: NetworkAcls>(
    responder: &Responder<L, N>,
    input: impl AsyncBufRead + Unpin,
    output: impl AsyncWrite + Unpin,
) -> Result<(), Error> {
    let mut child = Child {
        responder,
        input,
        output,
        line: Vec::new(),
        shard: String::new(),
    };
    while let Some(asked) = child.asked().await? {
        child.answer(asked).await?;
    }
    Ok(())
}

struct Child<'a, L, N, I, O> {
    responder: &'a Responder<L, N>,
    input: I,
    output: O,
    line: Vec<u8>,
    shard: String,
}

impl<L: Ledger, N: NetworkAcls, I: AsyncBufRead + Unpin, O: AsyncWrite + Unpin> Child<'_, L, N, I, O> {
    async fn asked(&mut self) -> Result<Option<Asked>, Error> {
        loop {
            self.line.clear();
            let read = (&mut self.input).take(LINE).read_until(b'\n', &mut self.line).await?;
            if read == 0 {
                return Ok(None);
            }
            if !self.line.trim_ascii().is_empty() {
                let asked = serde_json::from_slice(&self.line);
                return asked.map(Some).map_err(|error| self.misunderstood(&error.to_string()));
            }
        }
    }

    async fn answer(&mut self, asked: Asked) -> Result<(), Error> {
        let to = match asked {
            Asked::Initialize { shard_id } => {
                tracing::info!(shard = shard_id, "reading");
                self.shard = shard_id;
                "initialize"
            }
            Asked::ProcessRecords {
                records,
                millis_behind_latest,
            } => {
                tracing::debug!(
                    shard = self.shard,
                    behind = millis_behind_latest,
                    records = records.len(),
                    "records"
                );
                self.process(&records).await?;
                "processRecords"
            }
            Asked::LeaseLost {} => "leaseLost",
            Asked::ShardEnded {} => {
                self.checkpoint(None).await?;
                "shardEnded"
            }
            // All that was given is durable and has its checkpoint.
            Asked::ShutdownRequested {} => "shutdownRequested",
            Asked::Shutdown { reason } => {
                if reason == "TERMINATE" {
                    self.checkpoint(None).await?;
                }
                "shutdown"
            }
            Asked::Checkpoint { .. } => return Err(self.misunderstood("nobody asked for that checkpoint")),
        };
        self.say(&json!({"action": "status", "responseFor": to})).await
    }

    async fn process(&mut self, records: &[Record]) -> Result<(), Error> {
        let mut found = Vec::new();
        for record in records {
            let number: Position = record
                .sequence_number
                .parse()
                .map_err(|error| self.misunderstood(&format!("{error}")))?;
            // What is no base64 is kept as it came, like anything that cannot be read.
            let data = base64_turbo::STANDARD
                .decode(&record.data)
                .unwrap_or_else(|_| record.data.clone().into_bytes());
            found.extend(
                unpack(&data)
                    .into_iter()
                    .map(|finding| (number.clone(), finding.into_owned())),
            );
        }
        let mut rest: Vec<shard::Record<'_>> = found
            .iter()
            .map(|(number, bytes)| shard::Record {
                number: number.clone(),
                bytes,
            })
            .collect();
        let mut wait = FIRST;
        loop {
            let taken = take(self.responder, &rest, WallClock.now()).await;
            taken.decisions.iter().for_each(told::log);
            let Some((number, error)) = taken.failed else { break };
            tracing::warn!(shard = self.shard, %error, "records wait");
            rest.retain(|record| record.number >= number);
            sleep(wait).await;
            wait = (2 * wait).min(LONGEST);
        }
        match records.last() {
            Some(last) => self.checkpoint(Some(last)).await,
            None => Ok(()),
        }
    }

    /// Asks for a checkpoint behind this record, or at the end of the shard. Without one the records come again, which changes
    /// nothing.
    async fn checkpoint(&mut self, behind: Option<&Record>) -> Result<(), Error> {
        let mut wait = FIRST;
        for _ in 0..ATTEMPTS {
            self.say(&json!({
                "action": "checkpoint",
                "sequenceNumber": behind.map(|record| &record.sequence_number),
                "subSequenceNumber": behind.and_then(|record| record.sub_sequence_number),
            }))
            .await?;
            let error = match self.asked().await? {
                Some(Asked::Checkpoint { error: None }) | None => return Ok(()),
                Some(Asked::Checkpoint { error: Some(error) }) => error,
                Some(_) => return Err(self.misunderstood("the echo of a checkpoint is due")),
            };
            tracing::warn!(shard = self.shard, error, "no checkpoint");
            // Another host has the shard now, or will be asked: only the daemon knows.
            if !error.contains("Throttling") && !error.contains("Dependency") {
                return Ok(());
            }
            sleep(wait).await;
            wait = (2 * wait).min(LONGEST);
        }
        Ok(())
    }

    async fn say(&mut self, what: &Value) -> Result<(), Error> {
        self.output.write_all(format!("{what}\n").as_bytes()).await?;
        Ok(self.output.flush().await?)
    }

    fn misunderstood(&self, why: &str) -> Error {
        let beginning = &self.line[..self.line.len().min(80)];
        Error::Protocol {
            said: beginning.escape_ascii().to_string(),
            why: why.to_owned(),
        }
    }
}
