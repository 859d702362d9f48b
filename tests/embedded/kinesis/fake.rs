//! A stream in memory, with faults on demand and a log of the calls.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use chrono::{DateTime, Utc};
use portcullis::consume::kinesis::{Batch, Fault, Kinesis, Record, Shard, Start};
use portcullis::ledger::Position;
use tokio::time::Instant;

/// Records that one call brings.
const LIMIT: usize = 3;

#[derive(Default)]
struct State {
    shards: Vec<Kept>,
    numbers: u64,
    faults: VecDeque<(&'static str, Fault)>,
    calls: Vec<Call>,
}

struct Kept {
    shard: Shard,
    records: Vec<(DateTime<Utc>, Record)>,
    closed: bool,
}

/// One call that was answered or failed.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) at: Instant,
    pub(crate) operation: &'static str,
    pub(crate) shard: String,
    /// Records that were asked for.
    pub(crate) most: u16,
}

/// The stream; clones are the same one.
#[derive(Clone, Default)]
pub(crate) struct Stream(Arc<Mutex<State>>);

impl Stream {
    /// A stream with these shards.
    pub(crate) fn new(shards: &[&str]) -> Self {
        let stream = Self::default();
        for shard in shards {
            stream.open(shard, &[]);
        }
        stream
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no test panicked with it")
    }

    fn open(&self, shard: &str, parents: &[&str]) {
        self.state().shards.push(Kept {
            shard: Shard {
                id: shard.to_owned(),
                parents: parents.iter().map(|&parent| parent.to_owned()).collect(),
            },
            records: Vec::new(),
            closed: false,
        });
    }

    /// Splits or merges: closes the parents.
    pub(crate) fn reshard(&self, parents: &[&str], children: &[&str]) {
        for kept in &mut self.state().shards {
            kept.closed |= parents.contains(&kept.shard.id.as_str());
        }
        for child in children {
            self.open(child, parents);
        }
    }

    /// Puts a record.
    pub(crate) fn put(&self, shard: &str, data: &[u8]) {
        let mut state = self.state();
        state.numbers += 1;
        // As long as real ones, so that no integer holds it.
        let number = format!("4966{:052}", state.numbers).parse().expect("digits");
        let kept = state
            .shards
            .iter_mut()
            .find(|kept| kept.shard.id == shard)
            .expect("a shard");
        assert!(!kept.closed, "{shard} is closed");
        let data = data.to_vec();
        kept.records.push((Utc::now(), Record { number, data }));
    }

    /// Makes the next calls of this operation fail.
    pub(crate) fn fail(&self, operation: &'static str, faults: &[Fault]) {
        let faults = faults.iter().map(|fault| (operation, fault.clone()));
        self.state().faults.extend(faults);
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    async fn call(&self, operation: &'static str, shard: &str) -> Result<MutexGuard<'_, State>, Fault> {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let mut state = self.state();
        state.calls.push(Call {
            at: Instant::now(),
            operation,
            shard: shard.to_owned(),
            most: 0,
        });
        match state.faults.iter().position(|(failing, _)| *failing == operation) {
            Some(at) => Err(state.faults.remove(at).expect("it is there").1),
            None => Ok(state),
        }
    }
}

impl Kinesis for Stream {
    async fn identity(&self) -> Result<String, Fault> {
        drop(self.call("DescribeStreamSummary", "").await?);
        Ok("findings@1".to_owned())
    }

    async fn shards(&self) -> Result<Vec<Shard>, Fault> {
        let state = self.call("ListShards", "").await?;
        Ok(state.shards.iter().map(|kept| kept.shard.clone()).collect())
    }

    async fn iterator(&self, shard: &str, start: &Start) -> Result<String, Fault> {
        let state = self.call("GetShardIterator", shard).await?;
        let kept = state.shards.iter().find(|kept| kept.shard.id == shard);
        let records = &kept.ok_or_else(|| Fault::Gone(shard.to_owned()))?.records;
        let at = match start {
            Start::TrimHorizon => Some(0),
            Start::Latest => None,
            Start::At(time) => records.iter().position(|(arrived, _)| arrived >= time),
            Start::After(number) => records.iter().position(|(_, record)| record.number > *number),
        };
        Ok(format!("{shard}/{}", at.unwrap_or(records.len())))
    }

    async fn records(&self, iterator: &str, most: u16) -> Result<Batch, Fault> {
        let (shard, at) = iterator.split_once('/').expect("an iterator of ours");
        let mut state = self.call("GetRecords", shard).await?;
        if let Some(call) = state.calls.last_mut() {
            call.most = most;
        }
        let at: usize = at.parse().expect("a number");
        let kept = state.shards.iter().find(|kept| kept.shard.id == shard);
        let kept = kept.ok_or_else(|| Fault::Gone(shard.to_owned()))?;
        let records: Vec<Record> = kept
            .records
            .iter()
            .skip(at)
            .take(LIMIT.min(most.into()))
            .map(|(_, record)| record.clone())
            .collect();
        let next = at + records.len();
        let left = kept.records.len() - next;
        Ok(Batch {
            next: (left > 0 || !kept.closed).then(|| format!("{shard}/{next}")),
            behind: Some(left as u64 * 1000),
            records,
        })
    }
}

/// The position that the ledger has for a shard.
pub(crate) fn reader(shard: &str) -> String {
    format!("kinesis/findings@1/{shard}")
}

/// As a sequence number is written.
pub(crate) fn number(count: u64) -> Position {
    format!("4966{count:052}").parse().expect("digits")
}
