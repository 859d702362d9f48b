//! What a consumer counts, for metrics.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::api::Fault;
use crate::respond::{Decision, Reason};

/// Counts since the start; shared by all readers.
#[derive(Debug, Default)]
pub struct Meter(Mutex<Reading>);

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Records of the stream.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Findings in them, those that cannot be read among them.
    pub received: u64,
    /// Decisions by verdict and reason; one for each address of a finding.
    pub decided: BTreeMap<(&'static str, &'static str), u64>,
    /// Calls by operation.
    pub calls: BTreeMap<&'static str, u64>,
    /// Calls that failed, by operation and fault.
    pub faults: BTreeMap<(&'static str, &'static str), u64>,
    /// Records that came again because ledger or network ACLs could not be reached.
    pub retries: u64,
    /// How far each shard's reader is behind its newest record, in milliseconds.
    pub behind: BTreeMap<String, u64>,
}

impl Meter {
    /// What was counted so far.
    #[must_use]
    pub fn reading(&self) -> Reading {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Reading> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn call(&self, operation: &'static str, fault: Option<&Fault>) {
        let mut reading = self.lock();
        *reading.calls.entry(operation).or_default() += 1;
        if let Some(fault) = fault {
            *reading.faults.entry((operation, fault.word())).or_default() += 1;
        }
    }

    pub(super) fn records(&self, records: usize, bytes: u64) {
        let mut reading = self.lock();
        reading.records += records as u64;
        reading.bytes += bytes;
    }

    /// Counts what was decided about findings.
    pub fn decisions(&self, received: usize, decisions: &[Decision]) {
        let mut reading = self.lock();
        reading.received += received as u64;
        for decision in decisions {
            let words = (decision.verdict.word(), Reason::word(decision.reason));
            *reading.decided.entry(words).or_default() += 1;
        }
    }

    pub(super) fn retry(&self) {
        self.lock().retries += 1;
    }

    pub(super) fn behind(&self, shard: &str, milliseconds: u64) {
        self.lock().behind.insert(shard.to_owned(), milliseconds);
    }

    /// A shard that is read no more is behind nothing.
    pub(super) fn left(&self, shard: &str) {
        self.lock().behind.remove(shard);
    }
}
