//! Findings of a stream as documents of an index.

use std::sync::{Arc, Mutex, PoisonError};

use portcullis_transforms::{Options, Refusal, Source};

use crate::config::SourceChoice;
use crate::index::{self, Index};
use crate::input::Normalizers;

/// Writes findings into an index.
pub struct Documents {
    index: Arc<dyn Index>,
    place: String,
    normalizers: Mutex<Normalizers>,
}

impl Documents {
    /// Into this index, with these options of the deployment. `place` tells it from other indices that read the same stream.
    ///
    /// # Errors
    /// When the options hold for no finding at all, such as a filter on a field that findings do not have.
    pub fn new(index: Arc<dyn Index>, place: &str, options: Options) -> Result<Self, Refusal> {
        let normalizers = Normalizers::new(SourceChoice::Named(Source::GuardDuty), options)?;
        Ok(Self {
            index,
            place: place.to_owned(),
            normalizers: Mutex::new(normalizers),
        })
    }

    /// Tells the index from others: each reads the whole stream.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Writes the documents of findings; they are durable and can be found when it returns. One that has no document is the
    /// responder's to tell of.
    ///
    /// # Errors
    /// When the index cannot write: writing them again changes nothing.
    pub fn keep<'f>(&self, findings: impl Iterator<Item = &'f [u8]>) -> Result<(), index::Error> {
        let mut lines = Vec::new();
        {
            let mut normalizers = self.normalizers.lock().unwrap_or_else(PoisonError::into_inner);
            for finding in findings {
                if let Err(refusal) = normalizers.record(Source::GuardDuty, finding, &mut lines) {
                    tracing::debug!(%refusal, "a finding has no document");
                }
            }
        }
        let mut lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        self.index.write(Source::GuardDuty.name(), &mut lines)?;
        self.index.refresh()
    }
}
