//! The newest version of each finding, in an engine index of its own below the folder of the events.
//!
//! Of its own, because events are only ever added and these are replaced; and because a search over all events must not find
//! a finding twice.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Mutex, PoisonError},
};

use serde_json::Value;
use tantivy::{DocSet, TERMINATED, Term, schema::IndexRecordOption};

use super::{Embedded, Options, engine, layout};
use crate::index::{
    Error,
    latest::{self, Head},
};

/// Its folder.
const FOLDER: &str = "latest";
/// Findings are few beside events.
const MEMORY: usize = 16 << 20;

/// One document for each finding.
#[derive(Debug)]
pub(super) struct Latest {
    index: Embedded,
    /// Versions written since the last commit, by key.
    pending: Mutex<HashMap<String, i64>>,
}

impl Latest {
    pub(super) fn open(folder: &Path, options: &Options) -> Result<Self, Error> {
        let options = Options {
            fields: options.fields.clone(),
            memory: MEMORY,
            threads: 1,
            unique: false,
        };
        Ok(Self {
            index: Embedded::alone(&folder.join(FOLDER), options)?,
            pending: Mutex::default(),
        })
    }

    /// Takes a document when it is the newest version of its finding so far; a version of the same time changes nothing.
    pub(super) fn take(&self, index: &str, line: &[u8]) -> Result<(), Error> {
        let Some(source) = latest::VERSIONED.iter().find(|source| source.name() == index) else {
            return Ok(());
        };
        // A document without time or id is an event all the same.
        let Ok(Head {
            at,
            finding: Some(finding),
            ..
        }) = Head::of(index, line)
        else {
            return Ok(());
        };
        let version = at.timestamp_millis();
        // An id is chosen by whoever sends the finding: one source must not replace another's.
        let key = format!("{source}:{finding}");
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let known = match pending.get(&key) {
            Some(known) => Some(*known),
            None => self.committed(&key)?,
        };
        if known.is_some_and(|known| known >= version) {
            return Ok(());
        }
        let mut guard = self.index.lock();
        let writer = self.index.writer(&mut guard)?;
        let layout = &self.index.layout;
        let built = writer.builder.build(layout, &latest::name(*source), line, Some(&key))?;
        writer.engine.delete_term(Term::from_field_text(layout.id, &key));
        writer.engine.add_document(built.document).map_err(engine)?;
        pending.insert(key, version);
        Ok(())
    }

    /// The committed version of a finding.
    fn committed(&self, key: &str) -> Result<Option<i64>, Error> {
        let term = Term::from_field_text(self.index.layout.id, key);
        for segment in self.index.reader.searcher().segment_readers() {
            let ids = segment.inverted_index(self.index.layout.id).map_err(engine)?;
            let Some(mut found) = ids.read_postings(&term, IndexRecordOption::Basic).map_err(engine)? else {
                continue;
            };
            let times = segment.fast_fields().date(layout::TIME).map_err(engine)?;
            while found.doc() != TERMINATED {
                if !segment.is_deleted(found.doc()) {
                    return Ok(times.first(found.doc()).map(tantivy::DateTime::into_timestamp_millis));
                }
                found.advance();
            }
        }
        Ok(None)
    }

    pub(super) fn refresh(&self) -> Result<(), Error> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        self.index.refresh_alone()?;
        pending.clear();
        Ok(())
    }

    pub(super) fn search(&self, index: &str, body: &Value) -> Result<Value, Error> {
        self.index.search_alone(index, body)
    }
}
