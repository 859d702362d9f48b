//! One invocation: log events to documents, and documents to the cluster within the time that is left.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use portcullis_transforms::{
    Outcome, Refusal,
    forms::{Entries, Entry, Form},
};
use tokio::time::Instant;

use super::event::{self, Place, Unknown};
use crate::input::Normalizers;
use crate::lambda::{Metrics, left};
use crate::opensearch::{
    self, remote,
    writer::{Item, Rejected, Writer},
};

/// The invocation has to be repeated.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Unknown(#[from] Unknown),
    #[error("the subscription's message cannot be opened: {0}")]
    Form(#[from] Refusal),
    #[error(transparent)]
    OpenSearch(#[from] opensearch::Error),
    #[error(
        "none of {0} records became a document; the log says why for each: is PORTCULLIS_SOURCE right, and are the cluster's \
         templates Portcullis' own?"
    )]
    Nothing(u64),
}

/// The function, warm.
pub(super) struct Function {
    normalizers: Mutex<Normalizers>,
    writer: Writer,
}

/// What the log events of one invocation came to.
#[derive(Default)]
struct Batch {
    items: Vec<Item>,
    /// Which entry an id is of.
    entries: HashMap<String, usize>,
    documents: u64,
    dropped: u64,
    refused: u64,
}

impl Function {
    pub(super) fn new(normalizers: Normalizers, writer: Writer) -> Self {
        Self {
            normalizers: Mutex::new(normalizers),
            writer,
        }
    }

    /// Writes what one event delivers before `deadline`.
    ///
    /// # Errors
    /// When Lambda should repeat the invocation: what was written by then is written again, which changes nothing.
    pub(super) async fn answer(&self, event: &[u8], deadline: SystemTime, metrics: &mut Metrics) -> Result<(), Error> {
        let record = event::record(event)?;
        let opened = self.lock().open(&record)?;
        let entries = match opened {
            Form::Empty(what) => {
                tracing::info!(what, "nothing to index");
                metrics.count("Empty", 1);
                return Ok(());
            }
            Form::Entries(entries) => entries,
        };
        let place = entries.iter().next().map(|entry| Place::of(&entry)).unwrap_or_default();
        metrics.count("Received", entries.len() as u64);
        if let Some(age) = age(&place) {
            metrics.gauge("Age", "Milliseconds", age);
        }
        let Batch {
            items,
            entries: numbers,
            documents,
            dropped,
            refused,
        } = self.read(&entries);
        metrics.count("Dropped", dropped);
        metrics.count("Refused", refused);

        let writer = self.writer.until(Instant::now() + left(deadline));
        let written = remote::write(&writer, items).await?;
        let rejected = written.rejected.len() as u64;
        for Rejected { item, reason } in &written.rejected {
            let id = item.id.as_deref().unwrap_or_default();
            if let Some(entry) = numbers.get(id).and_then(|number| entries.iter().nth(*number)) {
                left_out(&entry, &item.index, id, reason);
            }
        }
        metrics.count("Indexed", written.created as u64);
        metrics.count("Repeated", written.updated as u64);
        metrics.count("Rejected", rejected);
        tracing::info!(
            log_group = place.log_group,
            log_stream = place.log_stream,
            received = entries.len(),
            indexed = written.created,
            repeated = written.updated,
            dropped,
            refused,
            rejected,
            "indexed"
        );
        let nothing = written.created + written.updated == 0 && dropped == 0;
        if nothing && refused + rejected > 0 {
            return Err(Error::Nothing(refused + documents));
        }
        Ok(())
    }

    /// Documents of the entries; what is refused is told at once.
    fn read(&self, entries: &Entries<'_>) -> Batch {
        let mut normalizers = self.lock();
        // A header line of flow logs holds for its own delivery only.
        normalizers.next_file();
        let mut batch = Batch::default();
        let mut document = Vec::new();
        for (number, entry) in entries.iter().enumerate() {
            document.clear();
            let bytes = entry.bytes();
            let outcome = normalizers
                .source_of(&bytes)
                .and_then(|source| Ok((source, normalizers.record(source, &bytes, &mut document)?)));
            let refusal = match outcome {
                Ok((_, Outcome::Dropped)) => {
                    batch.dropped += 1;
                    continue;
                }
                Ok((source, Outcome::Document)) => match remote::items(source.name(), &document) {
                    Ok(items) => {
                        batch.documents += 1;
                        let ids = items.iter().filter_map(|item| item.id.clone());
                        batch.entries.extend(ids.map(|id| (id, number)));
                        batch.items.extend(items);
                        continue;
                    }
                    Err(error) => error.to_string(),
                },
                Err(refusal) => refusal.to_string(),
            };
            batch.refused += 1;
            left_out(&entry, "", "", &refusal);
        }
        batch
    }

    fn lock(&self) -> MutexGuard<'_, Normalizers> {
        self.normalizers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One line for what did not get in. The record itself stays in its log group, and the line says where.
fn left_out(entry: &Entry<'_>, index: &str, id: &str, reason: &str) {
    let place = Place::of(entry);
    tracing::error!(
        log_group = place.log_group,
        log_stream = place.log_stream,
        log_event = place.id(),
        at = place.timestamp(),
        index,
        id,
        reason,
        "a record was left out; it stays in its log group"
    );
}

/// How old the first log event is, in milliseconds.
fn age(first: &Place) -> Option<u64> {
    let logged = DateTime::<Utc>::from_timestamp_millis(first.timestamp()).filter(|at| at.timestamp() > 0)?;
    u64::try_from((Utc::now() - logged).num_milliseconds()).ok()
}
