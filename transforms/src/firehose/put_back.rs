//! What goes back to the stream, and what became of it.

#[cfg(feature = "put-back")]
mod retry;

use std::{ops::Range, sync::Arc};

#[cfg(feature = "put-back")]
pub use self::retry::{Patience, PutError, PutRecords, put_all};

/// One record that is to go back to the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Back {
    data: Vec<u8>,
    record_id: Arc<str>,
    partition_key: Option<Arc<str>>,
    withdrawn: bool,
}

impl Back {
    pub(super) fn new(data: Vec<u8>, record_id: &Arc<str>, partition_key: Option<&Arc<str>>) -> Self {
        Self {
            data,
            record_id: Arc::clone(record_id),
            partition_key: partition_key.map(Arc::clone),
            withdrawn: false,
        }
    }

    /// Its bytes: one entry in AWS's own form.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The id of the record that it was in.
    #[must_use]
    pub fn record_id(&self) -> &str {
        &self.record_id
    }

    /// The key by which that record found its shard, where it came through Kinesis.
    #[must_use]
    pub fn partition_key(&self) -> Option<&str> {
        self.partition_key.as_deref()
    }

    /// Whether it stays after all: its record is `ProcessingFailed`, whatever becomes of the others.
    #[must_use]
    pub fn is_withdrawn(&self) -> bool {
        self.withdrawn
    }

    pub(super) fn withdraw(&mut self) {
        self.withdrawn = true;
    }
}

/// What became of what was to go back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Returned {
    put: Vec<bool>,
    problem: String,
}

impl Returned {
    /// None of it went back, and why.
    #[must_use]
    pub fn nothing(problem: impl Into<String>) -> Self {
        Self {
            put: Vec::new(),
            problem: problem.into(),
        }
    }

    /// All of it that was not withdrawn went back.
    #[must_use]
    pub fn everything(back: &[Back]) -> Self {
        Self {
            put: back.iter().map(|back| !back.is_withdrawn()).collect(),
            problem: "no document of this event fits into a response".to_owned(),
        }
    }

    /// Whether every one of these went back.
    pub(super) fn has_all(&self, back: Range<usize>) -> bool {
        self.put.get(back).is_some_and(|put| put.iter().all(|put| *put))
    }

    /// Why the others did not.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.problem
    }
}
