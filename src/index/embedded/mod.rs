//! A search index in a folder, on tantivy: what `portcullis demo` and `serve` use without a cluster.
//!
//! One engine index holds the documents of all sources, and a small one the newest version of each finding. It answers the part of OpenSearch's `_search` that
//! [`Index::search`] names, exactly, and refuses the rest by name.
//!
//! ```
//! use portcullis::index::{Index, embedded::{Embedded, Options}};
//! use serde_json::json;
//!
//! let folder = tempfile::tempdir()?;
//! let index = Embedded::open(folder.path(), Options::default())?;
//! let line: &[u8] = br#"{"@timestamp":"2026-03-01T12:00:00.000Z","event":{"id":"1"},"source":{"ip":"198.51.100.7"}}"#;
//! index.write("waf", &mut [line].into_iter())?;
//! index.refresh()?;
//! let found = index.search("*", &json!({ "query": { "query_string": { "query": "source.ip:198.51.100.0/24" } } }))?;
//! assert_eq!(found["hits"]["total"]["value"], 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod aggregations;
mod clause;
mod compile;
mod document;
mod dsl;
mod glob;
mod latest;
mod layout;
mod query_string;
mod reader;
mod search;
mod settled;
mod steps;
mod values;
mod version;

#[cfg(test)]
mod tests;

use std::{
    collections::HashSet,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};
use portcullis_transforms::Field;
use serde_json::Value;
use tantivy::{IndexReader, IndexWriter, ReloadPolicy, Term, indexer::IndexWriterOptions, query::RangeQuery};

use super::{Error, Index, fields::Fields, latest as findings};
use document::Builder;
use latest::Latest;
use layout::Layout;

/// How an index is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Fields besides those of the sources' tables, such as the response documents'.
    pub fields: Vec<&'static Field>,
    /// Memory for documents that are not yet on disk, in bytes; at least 15 MB for each thread are taken.
    pub memory: usize,
    /// Threads that build segments.
    pub threads: usize,
    /// Whether a document whose `event.id` is already there is left out. Costs a lookup for each document.
    pub unique: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            fields: Vec::new(),
            memory: 80 << 20,
            threads: 2,
            unique: true,
        }
    }
}

/// Identifiers remembered between two commits; then the index commits by itself, which bounds the memory.
const PENDING: usize = 500_000;
/// The smallest memory that the engine's threads accept.
const THREAD_BYTES: usize = 16 << 20;

/// A search index in a folder. Many may read it; the first to write holds a lock on the folder until it is dropped.
pub struct Embedded {
    folder: PathBuf,
    options: Options,
    layout: Layout,
    fields: Fields,
    engine: tantivy::Index,
    reader: IndexReader,
    writer: Mutex<Option<Writer>>,
    /// None of the newest versions' own index.
    latest: Option<Box<Latest>>,
}

struct Writer {
    engine: IndexWriter,
    builder: Builder,
    /// Hashes of the ids written since the last commit.
    pending: HashSet<[u8; 16]>,
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedded")
            .field("folder", &self.folder)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Embedded {
    /// Opens the index in this folder, or makes one.
    ///
    /// # Errors
    /// When the folder cannot be used, or holds an index of another version; the message says what to do.
    pub fn open(folder: &Path, options: Options) -> Result<Self, Error> {
        let mut events = Self::alone(folder, options)?;
        events.latest = Some(Box::new(Latest::open(folder, &events.options)?));
        Ok(events)
    }

    /// One engine index, without another beside it.
    fn alone(folder: &Path, options: Options) -> Result<Self, Error> {
        let fields = Fields::new(&options.fields);
        let layout = Layout::new(&fields);
        let engine = version::open(folder, &layout)?;
        let reader = engine
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .try_into()
            .map_err(self::engine)?;
        Ok(Self {
            folder: folder.to_owned(),
            options,
            layout,
            fields,
            engine,
            reader,
            writer: Mutex::new(None),
            latest: None,
        })
    }

    /// Documents of an index (`*` for all) after the last refresh.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn count(&self, index: &str) -> Result<u64, Error> {
        let answer = self.search(index, &serde_json::json!({ "size": 0 }))?;
        Ok(answer["hits"]["total"]["value"].as_u64().unwrap_or_default())
    }

    /// Removes documents older than `cutoff`; they are gone after the next refresh.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn delete_before(&self, cutoff: DateTime<Utc>) -> Result<(), Error> {
        let mut guard = self.lock();
        let writer = self.writer(&mut guard)?;
        let end = std::ops::Bound::Excluded(Term::from_field_date(self.layout.at, values::instant(cutoff)));
        writer
            .engine
            .delete_query(Box::new(RangeQuery::new(std::ops::Bound::Unbounded, end)))
            .map_err(engine)?;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Writer>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writer<'w>(&self, slot: &'w mut Option<Writer>) -> Result<&'w mut Writer, Error> {
        if slot.is_none() {
            let threads = self.options.threads.max(1);
            let options = IndexWriterOptions::builder()
                .num_worker_threads(threads)
                .memory_budget_per_thread((self.options.memory / threads).max(THREAD_BYTES))
                .num_merge_threads(1)
                .build();
            let engine = self.engine.writer_with_options(options).map_err(|error| match error {
                tantivy::TantivyError::LockFailure(..) => Error::Engine(format!(
                    "another program writes to {}; stop it, or use another data directory",
                    self.folder.display()
                )),
                other => self::engine(other),
            })?;
            *slot = Some(Writer {
                engine,
                builder: Builder::new(self.fields.clone()),
                pending: HashSet::new(),
            });
        }
        slot.as_mut().ok_or_else(|| Error::Engine("no writer".to_owned()))
    }

    /// Whether a committed document has this id.
    fn knows(&self, searcher: &tantivy::Searcher, id: &str) -> Result<bool, Error> {
        let term = Term::from_field_text(self.layout.id, id);
        for segment in searcher.segment_readers() {
            let ids = segment.inverted_index(self.layout.id).map_err(engine)?;
            if let Some(info) = ids.get_term_info(&term).map_err(engine)? {
                if segment.num_deleted_docs() == 0 {
                    return Ok(true);
                }
                let mut postings = ids
                    .read_postings_from_terminfo(&info, tantivy::schema::IndexRecordOption::Basic)
                    .map_err(engine)?;
                use tantivy::DocSet as _;
                while postings.doc() != tantivy::TERMINATED {
                    if !segment.is_deleted(postings.doc()) {
                        return Ok(true);
                    }
                    postings.advance();
                }
            }
        }
        Ok(false)
    }

    fn commit(&self, writer: &mut Writer) -> Result<(), Error> {
        writer.engine.commit().map_err(engine)?;
        writer.pending.clear();
        self.reader.reload().map_err(engine)
    }
}

impl Index for Embedded {
    /// Returns how many were new: a document whose `event.id` is already there is left out. A line that is no JSON
    /// object ends the call with an error; the documents before it are written.
    fn write(&self, index: &str, documents: &mut dyn Iterator<Item = &[u8]>) -> Result<usize, Error> {
        let mut guard = self.lock();
        let writer = self.writer(&mut guard)?;
        let mut searcher = self.reader.searcher();
        let mut written = 0;
        for line in documents {
            // First, because an event that is known already may not have come this far before a crash.
            if let Some(latest) = &self.latest {
                latest.take(index, line)?;
            }
            let built = writer.builder.build(&self.layout, index, line, None)?;
            if self.options.unique {
                let mut key = [0; 16];
                key.copy_from_slice(&blake3::hash(built.id.as_bytes()).as_bytes()[..16]);
                if !writer.pending.insert(key) || self.knows(&searcher, &built.id)? {
                    continue;
                }
            }
            writer.engine.add_document(built.document).map_err(engine)?;
            written += 1;
            if writer.pending.len() >= PENDING {
                if let Some(latest) = &self.latest {
                    latest.refresh()?;
                }
                self.commit(writer)?;
                searcher = self.reader.searcher();
            }
        }
        Ok(written)
    }

    fn refresh(&self) -> Result<(), Error> {
        if let Some(latest) = &self.latest {
            latest.refresh()?;
        }
        self.refresh_alone()
    }

    fn search(&self, index: &str, body: &Value) -> Result<Value, Error> {
        match &self.latest {
            Some(latest) if findings::source(index).is_some() => latest.search(index, body),
            _ => self.search_alone(index, body),
        }
    }
}

impl Embedded {
    fn refresh_alone(&self) -> Result<(), Error> {
        match self.lock().as_mut() {
            Some(writer) => self.commit(writer),
            None => self.reader.reload().map_err(engine),
        }
    }

    fn search_alone(&self, index: &str, body: &Value) -> Result<Value, Error> {
        // The engine has asserts of its own; one of them must cost a request, not the program. A search holds no lock
        // and changes nothing, so nothing is left half done.
        let searcher = self.reader.searcher();
        let run = || search::run(&self.layout, &self.fields, &searcher, index, body);
        catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
            Err(Error::Engine(
                "the engine failed on this search; try a simpler one".to_owned(),
            ))
        })
    }
}

/// The engine's own failure, for a person.
fn engine(error: impl fmt::Display) -> Error {
    Error::Engine(error.to_string())
}
