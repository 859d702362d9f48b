//! One shard, from where it was left to its end.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, sleep_until};

use super::aggregate;
use super::api::{Batch, Fault, Kinesis, Record, Start};
use super::meter::Meter;
use super::pace::Pace;
use crate::consume::shard::{self, consume};
use crate::consume::{Documents, unpack};
use crate::ledger::{Ledger, Position};
use crate::network_acl::NetworkAcls;
use crate::respond::{Clock, Decision, Responder, WallClock};

/// Records of the stream between two looks at whether to stop, and between two writes of the position. A consumer that is killed
/// every few seconds has to get further all the same.
const CHUNK: usize = 40;

/// Records that the first call brings at most, and the most that any does: twice as many each time that all were taken. What a
/// consumer fetched and did not take before it died was fetched for nothing. The service's own limit is 10 MB or 10,000.
const FIRST_FETCH: u16 = 125;
const LONGEST_FETCH: u16 = 1_000;

/// How long what was begun may go on once the reader was asked to stop. Whoever stops has five seconds.
const GRACE: Duration = Duration::from_secs(3);

/// By how much the service's clock may be behind ours.
pub(super) const SKEW: TimeDelta = TimeDelta::minutes(1);

/// What all readers of a stream share.
pub(super) struct Shared<K, L, N> {
    pub(super) kinesis: K,
    pub(super) responder: Arc<Responder<L, N>>,
    pub(super) meter: Arc<Meter>,
    pub(super) told: Box<dyn Fn(&Decision) + Send + Sync>,
    pub(super) documents: Option<Arc<Documents>>,
}

/// How reading a shard ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Everything in it was read, and the ledger knows.
    Over,
    /// The stream does not have it any more.
    Gone(String),
    /// Somebody asked to stop.
    Stopped,
    /// Kinesis will not let us; says why.
    Refused(String),
}

/// A reader of one shard.
pub(super) struct Reader<K, L, N> {
    pub(super) shared: Arc<Shared<K, L, N>>,
    pub(super) shard: String,
    /// Its name in the ledger's positions.
    pub(super) name: String,
    /// Where the next iterator begins.
    pub(super) start: Start,
    pub(super) stop: watch::Receiver<bool>,
}

impl<K: Kinesis, L: Ledger, N: NetworkAcls> Reader<K, L, N> {
    /// Reads until the shard's end, or until asked to stop.
    pub(super) async fn run(mut self) -> End {
        let mut pace = Pace::new(&self.shard);
        let (mut iterator, mut most) = (None, FIRST_FETCH);
        let end = loop {
            let began = Instant::now();
            let mut stop = self.stop.clone();
            let fetched = tokio::select! {
                fetched = self.fetch(&mut iterator, most) => fetched,
                () = asked(&mut stop) => break End::Stopped,
            };
            let batch = match fetched {
                Ok(batch) => batch,
                Err(Fault::Gone(why)) => break End::Gone(why),
                Err(Fault::Refused(why)) => break End::Refused(why),
                Err(fault) => {
                    tracing::warn!(shard = self.shard, %fault, "records wait");
                    if matches!(fault, Fault::Expired) {
                        iterator = None;
                    }
                    if self.waits(pace.after_fault()).await {
                        continue;
                    }
                    break End::Stopped;
                }
            };
            let bytes = batch.records.iter().map(|record| record.data.len() as u64).sum();
            self.shared.meter.records(batch.records.len(), bytes);
            let kept = self.keep(&batch.records, &mut pace).await;
            if !kept || !self.take(&batch.records, &mut pace).await {
                break End::Stopped;
            }
            most = (most * 2).min(LONGEST_FETCH);
            if let Some(last) = batch.records.last() {
                self.start = Start::After(last.number.clone());
            }
            if let Some(behind) = batch.behind {
                self.shared.meter.behind(&self.shard, behind);
            }
            iterator = batch.next;
            if iterator.is_none() {
                break self.end(&mut pace).await;
            }
            let more = !batch.records.is_empty() || batch.behind.is_some_and(|behind| behind > 0);
            let next = pace.after(began, bytes, more);
            tokio::select! {
                () = sleep_until(next) => {}
                () = asked(&mut stop) => break End::Stopped,
            }
        };
        self.shared.meter.left(&self.shard);
        end
    }

    async fn fetch(&mut self, iterator: &mut Option<String>, most: u16) -> Result<Batch, Fault> {
        let Shared { kinesis, meter, .. } = &*self.shared;
        let current = match iterator {
            Some(current) => current,
            None => {
                let began = WallClock.now();
                let made = kinesis.iterator(&self.shard, &self.start).await;
                meter.call("GetShardIterator", made.as_ref().err());
                let made = made?;
                // Were this iterator to expire before it brought a record, the next one must not begin later.
                if self.start == Start::Latest {
                    self.start = Start::At(began - SKEW);
                }
                iterator.insert(made)
            }
        };
        let batch = kinesis.records(current, most).await;
        meter.call("GetRecords", batch.as_ref().err());
        batch
    }

    /// Writes the documents of a batch, where they go anywhere; `false` when asked to stop before that. The position follows the
    /// decisions, which come behind.
    async fn keep(&mut self, records: &[Record], pace: &mut Pace) -> bool {
        let Some(documents) = self.shared.documents.clone() else {
            return true;
        };
        let findings: Arc<Vec<Vec<u8>>> = Arc::new(found(records).map(|(_, finding)| finding).collect());
        if findings.is_empty() {
            return true;
        }
        loop {
            let (documents, findings) = (Arc::clone(&documents), Arc::clone(&findings));
            let written = spawn_blocking(move || documents.keep(findings.iter().map(Vec::as_slice))).await;
            let why = match written {
                Ok(Ok(())) => return true,
                Ok(Err(error)) => error.to_string(),
                Err(error) => error.to_string(),
            };
            tracing::warn!(shard = self.shard, why, "records wait");
            self.shared.meter.retry();
            if !self.waits(pace.after_fault()).await {
                return false;
            }
        }
    }

    /// Takes records until all of them are durable; `false` when asked to stop before that.
    async fn take(&mut self, records: &[Record], pace: &mut Pace) -> bool {
        for chunk in records.chunks(CHUNK) {
            let mut stop = self.stop.clone();
            let done = tokio::select! {
                done = self.take_chunk(chunk, pace) => done,
                () = overdue(&mut stop) => false,
            };
            if !done || *self.stop.borrow() {
                return false;
            }
        }
        true
    }

    async fn take_chunk(&mut self, records: &[Record], pace: &mut Pace) -> bool {
        let found: Vec<(&Position, Vec<u8>)> = found(records).collect();
        let mut rest: Vec<shard::Record<'_>> = found
            .iter()
            .map(|(number, bytes)| shard::Record {
                number: (*number).clone(),
                bytes,
            })
            .collect();
        loop {
            let why = match self.durable(&mut rest, records).await {
                Ok(()) => return true,
                Err(why) => why,
            };
            tracing::warn!(shard = self.shard, why, "records wait");
            self.shared.meter.retry();
            if !self.waits(pace.after_fault()).await {
                return false;
            }
        }
    }

    /// Takes what it can of `rest`, and leaves in it what has to be taken again.
    async fn durable(&self, rest: &mut Vec<shard::Record<'_>>, records: &[Record]) -> Result<(), String> {
        let Shared {
            responder, meter, told, ..
        } = &*self.shared;
        let reached = rest.last().map(|record| record.number.clone());
        let taken = consume(responder, &self.name, rest, WallClock.now()).await;
        let taken = taken.map_err(|error| error.to_string())?;
        taken.decisions.iter().for_each(told);
        let left = match &taken.failed {
            Some((number, _)) => rest.iter().filter(|record| record.number >= *number).count(),
            None => 0,
        };
        meter.decisions(rest.len() - left, &taken.decisions);
        rest.drain(..rest.len() - left);
        if let Some((_, error)) = taken.failed {
            return Err(error.to_string());
        }
        // The last records may have held nothing.
        match records.last() {
            Some(last) if reached.as_ref() != Some(&last.number) => self.set_position(&last.number).await,
            _ => Ok(()),
        }
    }

    async fn set_position(&self, position: &Position) -> Result<(), String> {
        let ledger = self.shared.responder.ledger();
        ledger
            .set_position(&self.name, position)
            .await
            .map_err(|error| error.to_string())
    }

    async fn end(&mut self, pace: &mut Pace) -> End {
        loop {
            let Err(why) = self.set_position(&Position::end()).await else {
                return End::Over;
            };
            tracing::warn!(
                shard = self.shard,
                why,
                "that the shard was read to its end is not written yet"
            );
            if !self.waits(pace.after_fault()).await {
                return End::Stopped;
            }
        }
    }

    /// `false` when asked to stop meanwhile.
    async fn waits(&mut self, time: Duration) -> bool {
        tokio::select! {
            () = sleep(time) => true,
            () = asked(&mut self.stop) => false,
        }
    }
}

/// The findings in records, each with its record's number.
fn found(records: &[Record]) -> impl Iterator<Item = (&Position, Vec<u8>)> {
    records.iter().flat_map(|record| {
        let parts = aggregate::split(&record.data);
        let findings: Vec<Vec<u8>> = parts
            .iter()
            .flat_map(|part| unpack(part).into_iter().map(Cow::into_owned))
            .collect();
        findings.into_iter().map(|finding| (&record.number, finding))
    })
}

/// Until somebody asks to stop.
pub(super) async fn asked(stop: &mut watch::Receiver<bool>) {
    let asked = stop.wait_for(|asked| *asked).await;
    // Whoever could ask is gone: that is the end too.
    drop(asked);
}

/// Until what was begun has had its time.
async fn overdue(stop: &mut watch::Receiver<bool>) {
    asked(stop).await;
    sleep(GRACE).await;
}
