//! What becomes of a record: a document in the index and, for GuardDuty, a decision.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use portcullis_transforms::{Outcome, Refusal, Source, forms::Form};

use super::Responses;
use crate::{
    index::{self, Index},
    input::Normalizers,
    ledger::Ledger,
    network_acl::NetworkAcls,
    respond::{self, CarryError, Decision, Responder},
};

/// Bytes of documents that are kept before they are written.
const BUFFER: usize = 8 * 1024 * 1024;

/// A record could not be dealt with for a reason that may pass; it must be read again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The index.
    #[error(transparent)]
    Index(#[from] index::Error),
    /// The ledger or the network ACLs.
    #[error(transparent)]
    Respond(#[from] respond::Error),
    /// Response documents.
    #[error(transparent)]
    Carry(#[from] CarryError),
}

/// What was read since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Documents written, by source.
    pub indexed: BTreeMap<&'static str, u64>,
    /// Records that were refused, by reason.
    pub refused: BTreeMap<&'static str, u64>,
    /// Records with nothing to index, by design.
    pub dropped: u64,
    /// When the last record came.
    pub last: Option<DateTime<Utc>>,
    /// How far each source is behind.
    pub arrivals: BTreeMap<&'static str, Arrivals>,
}

/// How late the documents of a source are: from what they tell of to when they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrivals {
    /// When the newest one came.
    pub came: Option<DateTime<Utc>>,
    /// What the newest one told of happened then.
    pub newest: Option<DateTime<Utc>>,
    /// Documents that came within [`ON_TIME`], within [`LATE`], and later; those of the future count as on time.
    pub spread: [u64; 3],
    /// How late the latest one was.
    pub worst: TimeDelta,
}

/// What AWS promises of its faster sources: GuardDuty's updates, CloudTrail, and flow logs of ten minutes take about so long.
pub const ON_TIME: TimeDelta = TimeDelta::minutes(15);
/// Later than this, a panel over the last hour has missed it.
pub const LATE: TimeDelta = TimeDelta::hours(1);

impl Arrivals {
    fn add(&mut self, happened: DateTime<Utc>, now: DateTime<Utc>) {
        let late = now - happened;
        let place = match late {
            late if late <= ON_TIME => 0,
            late if late <= LATE => 1,
            _ => 2,
        };
        self.spread[place] += 1;
        self.worst = self.worst.max(late);
        self.came = Some(now);
        self.newest = self.newest.max(Some(happened));
    }
}

/// The time at the front of a document: its first field is `@timestamp`, whatever the source.
fn happened(document: &[u8]) -> Option<DateTime<Utc>> {
    let rest = document.strip_prefix(br#"{"@timestamp":""#)?;
    let text = rest.get(..rest.iter().take(40).position(|byte| *byte == b'"')?)?;
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// What became of one record.
#[derive(Debug, Default)]
pub struct Taken {
    /// Decisions, when it was a finding, or held some.
    pub decisions: Vec<Decision>,
    /// What of it has no document, and why.
    pub refused: Vec<Refused>,
}

/// A record that was refused, or an entry of it.
#[derive(Debug)]
pub struct Refused {
    /// Number of the entry, from 1, where the record holds several.
    pub entry: Option<usize>,
    /// Why.
    pub refusal: Refusal,
}

/// The way of every record, whichever door it came through.
pub struct Pipeline<L, N> {
    index: Arc<dyn Index>,
    responses: Responses,
    responder: Arc<Responder<L, N>>,
    documents: BTreeMap<&'static str, Vec<u8>>,
    buffered: usize,
    /// Whether something was written that cannot be found yet.
    unseen: bool,
    tally: Arc<Mutex<Tally>>,
}

impl<L: Ledger, N: NetworkAcls> Pipeline<L, N> {
    /// A pipeline into this index and this responder; `place` tells the index from others that take response documents of the
    /// same ledger.
    #[must_use]
    pub fn new(index: Arc<dyn Index>, place: &str, responder: Arc<Responder<L, N>>) -> Self {
        Self {
            responses: Responses::new(Arc::clone(&index), place),
            index,
            responder,
            documents: BTreeMap::new(),
            buffered: 0,
            unseen: false,
            tally: Arc::default(),
        }
    }

    /// What was read so far; shared, so that pages can show it.
    #[must_use]
    pub fn tally(&self) -> Arc<Mutex<Tally>> {
        Arc::clone(&self.tally)
    }

    /// Takes one record that arrived at `now`. A finding's plan is durable when this returns; a document is after
    /// [`Pipeline::settle`].
    ///
    /// A finding that the normaliser refuses still goes to the responder, which lists it as unreadable when it is.
    ///
    /// # Errors
    /// Only for what may pass; a record that can never be read is counted and told in [`Taken::refused`].
    pub async fn take(
        &mut self,
        normalizers: &mut Normalizers,
        record: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Taken, Error> {
        let mut taken = Taken::default();
        match normalizers.open(record) {
            Ok(Form::Empty(_)) => self.count(now, |tally| tally.dropped += 1),
            Ok(Form::Entries(entries)) if entries.len() > 1 => {
                for (entry, number) in entries.iter().zip(1..) {
                    self.one(normalizers, &entry.bytes(), Some(number), now, &mut taken)
                        .await?;
                }
            }
            Ok(Form::Entries(entries)) => {
                for entry in entries.iter() {
                    self.one(normalizers, &entry.bytes(), None, now, &mut taken).await?;
                }
            }
            Err(refusal) => {
                // People hear of a finding that cannot even be unpacked.
                if matches!(normalizers.source_of(record), Ok(Source::GuardDuty)) {
                    taken.decisions = self.responder.accept(record, now).await?;
                }
                self.refuse(refusal, None, now, &mut taken);
            }
        }
        if self.buffered > BUFFER {
            self.write()?;
        }
        Ok(taken)
    }

    /// One record, or one entry of it.
    async fn one(
        &mut self,
        normalizers: &mut Normalizers,
        record: &[u8],
        entry: Option<usize>,
        now: DateTime<Utc>,
        taken: &mut Taken,
    ) -> Result<(), Error> {
        let source = match normalizers.source_of(record) {
            Ok(source) => source,
            Err(refusal) => {
                self.refuse(refusal, entry, now, taken);
                return Ok(());
            }
        };
        if source == Source::GuardDuty {
            taken.decisions.extend(self.responder.accept(record, now).await?);
        }
        let buffer = self.documents.entry(source.name()).or_default();
        let before = buffer.len();
        match normalizers.record(source, record, buffer) {
            Ok(Outcome::Document) => {
                self.buffered += buffer.len() - before;
                let happened = buffer.get(before..).and_then(happened);
                self.count(now, |tally| {
                    *tally.indexed.entry(source.name()).or_default() += 1;
                    if let Some(happened) = happened {
                        tally.arrivals.entry(source.name()).or_default().add(happened, now);
                    }
                });
            }
            Ok(Outcome::Dropped) => self.count(now, |tally| tally.dropped += 1),
            Err(refusal) => self.refuse(refusal, entry, now, taken),
        }
        Ok(())
    }

    /// Carries out what is planned, and makes everything taken so far durable and searchable.
    ///
    /// # Errors
    /// When the index, the ledger or EC2 cannot be reached; nothing is lost, the next call goes on.
    pub async fn settle(&mut self, now: DateTime<Utc>) -> Result<(), Error> {
        self.responder.sweep(now).await?;
        self.write()?;
        if self.unseen {
            self.index.refresh()?;
            self.unseen = false;
        }
        self.responder.carry(&self.responses).await?;
        Ok(())
    }

    fn write(&mut self) -> Result<(), Error> {
        for (index, documents) in &mut self.documents {
            let mut lines = documents.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
            self.unseen |= !documents.is_empty();
            self.index.write(index, &mut lines)?;
            documents.clear();
        }
        self.buffered = 0;
        Ok(())
    }

    fn refuse(&self, refusal: Refusal, entry: Option<usize>, now: DateTime<Utc>, taken: &mut Taken) {
        self.count(now, |tally| *tally.refused.entry(refusal.kind.word()).or_default() += 1);
        taken.refused.push(Refused { entry, refusal });
    }

    fn count(&self, now: DateTime<Utc>, change: impl FnOnce(&mut Tally)) {
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.last = Some(now);
        change(&mut tally);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_say_how_late_documents_come() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(1);
        let mut arrivals = Arrivals::default();
        for minutes in [-5, 0, 15, 16, 60, 61, 600] {
            arrivals.add(now - TimeDelta::minutes(minutes), now);
        }
        assert_eq!(arrivals.spread, [3, 2, 2]);
        assert_eq!(arrivals.worst, TimeDelta::minutes(600));
        assert_eq!(arrivals.newest, Some(now + TimeDelta::minutes(5)));
    }

    #[test]
    fn a_document_begins_with_its_time() {
        let mut line = Vec::new();
        let record = crate::generate::DEFAULT_UNTIL;
        line.extend_from_slice(format!("{{\"@timestamp\":\"{}\",\"x\":1}}", record.to_rfc3339()).as_bytes());
        assert_eq!(happened(&line), Some(record));
        for other in [
            "",
            "{}",
            "{\"@timestamp\":\"soon\"}",
            "{\"@timestamp\":\"2026",
            "{\"@timestamp\":5}",
        ] {
            assert_eq!(happened(other.as_bytes()), None, "{other}");
        }
    }
}
