//! The one engine behind all sources that write JSON.
//!
//! ```text
//!  table of rows ──start──► key trie + members of the document
//!  record ──quotes──► scan (one pass, spans only)──► hits, unknown values ──derive──► members ──► one line
//!             └─ unusual? rewritten once (canonical), scanned again
//!
//!  record of a shape that came before ──compare──► derive ──script──► one line
//! ```
//!
//! A source is a table and what cannot be said in a table ([`Map::derive`]).

mod canonical;
mod facts;
mod flat;
mod found;
mod literals;
mod map;
mod member;
mod refusal;
mod scan;
mod shape;
mod table;
mod trie;
mod value;
mod write;

pub(crate) use self::{
    canonical::{canonicalise, cut_key},
    map::{Map, RowId, row, same},
    scan::is_too_large,
    value::{Derived, Input, plain_text, spelled_out, unescape},
};
use self::{
    found::Found,
    literals::Literals,
    refusal::{not_utf8, refusal},
    scan::Fault,
    shape::{Known, Shapes},
    table::Table,
    value::Values,
    write::{Scratch, Writer},
};
use crate::{
    normalize::{Options, Outcome, Refusal, RefusalKind},
    policy::redact::{NameError, Redactor},
    proxies::TrustedProxies,
    schema::Schema,
    time,
};

/// How deep objects and arrays may nest. AWS's own records stay below 20.
pub(crate) const DEPTH_LIMIT: usize = 64;

/// Longest key in bytes. Longer ones are cut, so that a path of them stays below what an index takes.
pub(crate) const KEY_LIMIT: usize = 256;

/// Maps the records of one source. Everything it needs is allocated once and kept.
#[derive(Debug)]
pub(crate) struct Mapper {
    map: &'static dyn Map,
    table: Table,
    schema: Schema,
    keep_original: bool,
    id_key: [u64; 4],
    proxies: Option<TrustedProxies>,
    found: Found,
    derived: Derived,
    redactor: Redactor,
    /// The record without what the policy takes out, when there was any of it.
    redacted: Vec<u8>,
    canonical: Vec<u8>,
    line: Vec<u8>,
    scratch: Scratch,
    literals: Literals,
    shapes: Shapes,
}

/// After a record of more bytes than this, the lists that grew with it are given back.
const KEPT_BUFFER: usize = 256 * 1024;

impl Mapper {
    pub(crate) fn new(map: &'static dyn Map, options: &Options) -> Result<Self, NameError> {
        let redactor = Redactor::new(&options.redact)?;
        let table = Table::new(map, options.schema, redactor.names());
        let mut id_key = [0; 4];
        for (word, bytes) in id_key.iter_mut().zip(options.id_key.as_chunks::<8>().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        Ok(Self {
            map,
            found: Found::new(&table.trie),
            literals: Literals::new(table.leaves.len()),
            table,
            schema: options.schema,
            keep_original: options.keep_original,
            id_key,
            proxies: options.trusted_proxies.clone(),
            derived: Derived::default(),
            redactor,
            redacted: Vec::new(),
            canonical: Vec::new(),
            line: Vec::new(),
            scratch: Scratch::default(),
            shapes: Shapes::default(),
        })
    }

    pub(crate) fn record(&mut self, record: &[u8], out: &mut Vec<u8>) -> Result<Outcome, Refusal> {
        let outcome = self.map_record(record, out);
        if record.len() > KEPT_BUFFER {
            self.canonical = Vec::new();
            self.redacted = Vec::new();
            self.found.shrink();
            self.scratch = Scratch::default();
            self.derived = Derived::default();
        }
        outcome
    }

    fn map_record(&mut self, record: &[u8], out: &mut Vec<u8>) -> Result<Outcome, Refusal> {
        let record = record.trim_ascii();
        if record.is_empty() {
            return Ok(Outcome::Dropped);
        }
        let original = simdutf8::compat::from_utf8(record).map_err(|error| not_utf8(record, error.valid_up_to()))?;
        if record.first() == Some(&b'{') {
            return self.map_object(original, original, out);
        }
        let mut line = std::mem::take(&mut self.line);
        line.clear();
        let outcome = match self.map.line(original, &mut line) {
            Ok(true) => self.map_object(as_text(&line), original, out),
            Ok(false) => self.map_object(original, original, out),
            Err(refusal) => Err(refusal),
        };
        self.line = line;
        outcome
    }

    /// Maps `record`, which is JSON; `original` is what came, and what the document is named after.
    fn map_object(&mut self, text: &str, original: &str, out: &mut Vec<u8>) -> Result<Outcome, Refusal> {
        let record = text.as_bytes();
        let known = self
            .shapes
            .find(record, self.redactor.names(), &mut self.found.addresses);
        if let Some(known) = known
            && self.by_shape(known, text, original, out)
        {
            return Ok(Outcome::Document);
        }
        self.scan(record, known)?;
        let redacted = self.redact(record)?;
        let cut = self.canonicalise(record, redacted > 0)?;
        let text = match (self.found.unusual, redacted) {
            (true, _) => as_text(&self.canonical),
            (false, 0) => text,
            (false, _) => as_text(&self.redacted),
        };
        let shown = match redacted {
            0 => original,
            _ => as_text(&self.redacted),
        };
        if self.found.bodies > 1 {
            return Err(Refusal::new(
                RefusalKind::Form,
                "findings",
                format!(
                    "the envelope holds {} findings, and one record becomes one document",
                    self.found.bodies
                ),
            ));
        }
        let input = Input {
            text,
            table: &self.table,
            values: Values::Found(&self.found),
            proxies: self.proxies.as_ref(),
        };
        self.check(input, text.as_bytes())?;
        let (timestamp, timestamp_hit) = self.timestamp(input)?;
        match self.schema {
            Schema::Native => self.native(text.as_bytes(), out),
            Schema::Ecs => {
                self.derived.clear(self.table.rows.len());
                self.map.derive(&input, &mut self.derived);
                let id = self.event_id(original.as_bytes(), input, timestamp);
                let known = self.found.shape.filter(|_| redacted == 0);
                let view = known.and_then(|known| self.shapes.view(known));
                let view = view.filter(|view| view.scripts().has_room());
                let rehearsed = view.is_some();
                let script = Writer {
                    table: &self.table,
                    text,
                    original: self.keep_original.then_some(shown),
                    found: &mut self.found,
                    derived: &self.derived,
                    out,
                    timestamp,
                    timestamp_hit,
                    id: &id,
                    scratch: &mut self.scratch,
                    cut,
                    redacted,
                    clean: false,
                }
                .document(&mut self.literals, view);
                if let Some(scripts) = known.and_then(|known| self.shapes.scripts(known))
                    && rehearsed
                {
                    scripts.add(script);
                }
            }
        }
        Ok(Outcome::Document)
    }

    /// Writes the document of a record of a known shape, if it is as most of its shape: with a time that can be read, and
    /// values of which each is written where it was before. The answer is whether it is.
    fn by_shape(&mut self, known: Known, text: &str, original: &str, out: &mut Vec<u8>) -> bool {
        if self.schema != Schema::Ecs || self.redactor.names().has_parameters() {
            return false;
        }
        let Some(view) = self.shapes.view(known) else {
            return false;
        };
        let input = Input {
            text,
            table: &self.table,
            values: Values::Shape(view),
            proxies: self.proxies.as_ref(),
        };
        let Some((time, false, timestamp_hit)) = view.first(RowId(self.table.timestamp)) else {
            return false;
        };
        let timestamp_hit = usize::from(timestamp_hit);
        let Ok(timestamp) = time::parse(time.of(text.as_bytes())) else {
            return false;
        };
        self.derived.clear(self.table.rows.len());
        self.map.derive(&input, &mut self.derived);
        self.derived.finish();
        let Some(script) = view.scripts().find(&self.derived, timestamp_hit, view.escaped()) else {
            return false;
        };
        let id = self.event_id(original.as_bytes(), input, timestamp);
        let start = out.len();
        let written = Writer {
            table: &self.table,
            text,
            original: self.keep_original.then_some(original),
            found: &mut self.found,
            derived: &self.derived,
            out,
            timestamp,
            timestamp_hit,
            id: &id,
            scratch: &mut self.scratch,
            cut: 0,
            redacted: 0,
            clean: !view.escaped(),
        }
        .by_script(script, view);
        if !written {
            out.truncate(start);
        }
        if let Some(scripts) = self.shapes.scripts(known) {
            scripts.judge(written);
        }
        written
    }

    /// With redaction, a message must not quote what might have been taken out.
    fn refusal(&self, fault: Fault, record: &[u8]) -> Refusal {
        let quoted = if self.redactor.names().has_any() { 1 } else { usize::MAX };
        refusal(fault, record, quoted)
    }

    /// Scans a record, of a shape that may be known.
    fn scan(&mut self, record: &[u8], known: Option<Known>) -> Result<(), Refusal> {
        let (table, names, found) = (&self.table, self.redactor.names(), &mut self.found);
        if let Some(known) = known {
            self.shapes.fill(known, record, found);
            found.shape = Some(known);
            return Ok(());
        }
        match scan::scan(record, &table.trie, names, found, false) {
            Ok(()) => {
                self.shapes.note(record, table, names, found);
                Ok(())
            }
            Err(fault) => Err(self.refusal(fault, record)),
        }
    }

    /// Takes out of a record what the policy names, if the scanner saw any of it, and scans what is left over; the
    /// answer is the number of values that were taken out.
    fn redact(&mut self, record: &[u8]) -> Result<u64, Refusal> {
        // A parameter stands inside a text, where the scanner does not look for it.
        if !self.found.sensitive && !self.redactor.names().has_parameters() {
            return Ok(0);
        }
        let mut redacted = std::mem::take(&mut self.redacted);
        let count = self.redactor.redact(record, &mut redacted);
        let scanned = if count > 0 { self.scan(&redacted, None) } else { Ok(()) };
        self.redacted = redacted;
        scanned.map(|()| count)
    }

    /// Rewrites an unusual record and scans it again; the answer is the number of keys that were cut.
    fn canonicalise(&mut self, record: &[u8], is_redacted: bool) -> Result<u64, Refusal> {
        if !self.found.unusual {
            return Ok(0);
        }
        let record = if is_redacted { self.redacted.as_slice() } else { record };
        self.canonical.clear();
        let cut = canonical::canonicalise(record, &mut self.canonical);
        let scanned = scan::scan(
            &self.canonical,
            &self.table.trie,
            self.redactor.names(),
            &mut self.found,
            true,
        );
        self.found.unusual = true;
        scanned.map_err(|fault| self.refusal(fault, &self.canonical))?;
        Ok(cut)
    }
}

/// A buffer that was written as text.
fn as_text(buffer: &[u8]) -> &str {
    simdutf8::basic::from_utf8(buffer).unwrap_or_default()
}

#[cfg(test)]
mod tests;
