//! How the documents of one shape are written, worked out once.
//!
//! Which members a document has, where each value stands, and what stands between two values is the same for all records of
//! a shape of which the source says something about the same rows. So a script is a list of steps, "this text, then this
//! value". What a value is, is asked every time: where one is written that was not, or the other way round, the document is
//! written as any other.

mod rehearse;

use super::{Fit, Writer};
use crate::{
    document::{KEYWORD_LIMIT, is_plain},
    engine::{
        shape::{Part, View},
        value::{Derived, Own},
    },
    schema::Type,
};

/// As many scripts has a shape: sources do not say something about other rows at random.
const SCRIPTS: usize = 4;

/// After so many records in a row that are not as their scripts say, only every so many-th is written by script.
const PATIENCE: u32 = 32;

/// The scripts of one shape.
#[derive(Debug, Default)]
pub(in crate::engine) struct Scripts {
    known: Vec<Script>,
    /// How many times one was looked for.
    rehearsals: usize,
    missed: u32,
}

/// How a document is written.
#[derive(Debug)]
pub(in crate::engine) struct Script {
    /// The rows that the source says something about, what becomes of their own values, and whether it says nothing.
    rows: Box<[(usize, Own, bool)]>,
    swapped: bool,
    timestamp_hit: usize,
    /// What stands before each value and after the last one, one after another, and `SHORT` bytes more.
    texts: Box<[u8]>,
    steps: Box<[Step]>,
}

#[derive(Debug)]
struct Step {
    /// Where the text before the value ends.
    until: usize,
    what: Value,
}

#[derive(Debug)]
enum Value {
    /// A part of the record as it stands there.
    Copy(Part),
    /// The one text that the source says, and whether there is anything in it.
    Said {
        row: usize,
        written: bool,
    },
    /// The values of a row.
    Row(Again),
    /// The moment of the record, and where it says so.
    Timestamp(Part),
    Id,
    Original,
    /// All addresses, those of the row of its own first, and whether there are any.
    Addresses {
        row: Option<Again>,
        written: bool,
    },
}

/// A row with values of which the type or the order decides.
#[derive(Debug)]
struct Again {
    row: usize,
    /// Its hits, where each stands, and whether it is refused.
    hits: Box<[(usize, Part, bool)]>,
    usually: Usually,
    /// Whether anything is written.
    written: bool,
}

/// What is tried before anything else is asked about the values of a row.
#[derive(Clone, Copy, Debug)]
enum Usually {
    /// There is one, written as the document has it.
    One,
    /// None of them is written, because all are addresses.
    Addresses,
    Anything,
}

/// Most pieces of a document are not longer. Copying as much each time, and forgetting what is too much, takes a third of
/// copying as much as it is.
const SHORT: usize = 32;

/// Appends a part of a text.
#[inline(always)]
fn push_short(text: &[u8], from: usize, until: usize, out: &mut Vec<u8>) {
    match text.get(from..).and_then(|rest| rest.first_chunk::<SHORT>()) {
        Some(chunk) if until - from <= SHORT => {
            let length = out.len() + (until - from);
            out.extend_from_slice(chunk);
            out.truncate(length);
        }
        _ => out.extend_from_slice(text.get(from..until).unwrap_or_default()),
    }
}

impl Scripts {
    /// The script for such a document, and its number.
    pub(in crate::engine) fn find(&self, derived: &Derived, timestamp_hit: usize) -> Option<&Script> {
        if self.missed >= PATIENCE && !self.missed.is_multiple_of(PATIENCE) {
            return None;
        }
        self.known.iter().find(|script| {
            script.swapped == derived.swapped
                && script.timestamp_hit == timestamp_hit
                && derived.said().eq(script.rows.iter().copied())
        })
    }

    /// Takes note of whether a document could be written by its script.
    pub(in crate::engine) fn judge(&mut self, written: bool) {
        self.missed = if written { 0 } else { self.missed.wrapping_add(1) };
    }

    /// Whether there is room for one more.
    pub(in crate::engine) fn has_room(&self) -> bool {
        self.rehearsals < SCRIPTS
    }

    /// Keeps what a rehearsal found, if anything.
    pub(in crate::engine) fn add(&mut self, script: Option<Script>) {
        self.rehearsals += 1;
        self.known.extend(script);
    }
}

impl Writer<'_> {
    /// Appends the document of a record of a known shape; `false` if it is not as the script says, and then what was
    /// appended is of no use.
    pub(in crate::engine) fn by_script(mut self, script: &Script, view: View<'_>) -> bool {
        self.scratch.addresses.clear();
        let mut from = 0;
        for step in &script.steps {
            push_short(&script.texts, from, step.until, self.out);
            from = step.until;
            let as_said = match &step.what {
                Value::Copy(part) => {
                    let span = view.span(*part);
                    push_short(self.text.as_bytes(), span.start as usize, span.end as usize, self.out);
                    true
                }
                Value::Said { row, written } => self.said(*row) == *written,
                Value::Row(again) => self.again(again, view),
                Value::Timestamp(part) => {
                    if !self.usual(Type::Date, view.span(*part).of(self.text.as_bytes())) {
                        self.date(self.timestamp);
                    }
                    true
                }
                Value::Id => {
                    self.push_id();
                    true
                }
                Value::Original => self.push_original(),
                Value::Addresses { row, written } => {
                    let start = self.out.len();
                    let as_said = row.as_ref().is_none_or(|again| self.again(again, view));
                    self.out.truncate(start);
                    as_said && self.addresses() == *written
                }
            };
            if !as_said {
                return false;
            }
        }
        let end = script.texts.len() - SHORT;
        push_short(&script.texts, from, end, self.out);
        self.cut == 0
    }

    /// Writes the text that the source says of a row; the answer is whether there is any.
    #[inline]
    fn said(&mut self, number: usize) -> bool {
        let (table, derived) = (self.table, self.derived);
        let (Some(row), Some(text)) = (table.rows.get(number), derived.only(number)) else {
            return false;
        };
        // Of a record without escapes no source makes a text that needs one: parts of it, other case, words of its own.
        if self.clean && row.ty == Type::Keyword && !row.not_ip && (1..=KEYWORD_LIMIT).contains(&text.len()) {
            debug_assert!(is_plain(text.as_bytes()), "{text}");
            self.out.extend_from_slice(if row.list { b"[\"" } else { b"\"" });
            self.out.extend_from_slice(text.as_bytes());
            self.out.extend_from_slice(if row.list { b"\"]" } else { b"\"" });
            return true;
        }
        self.bracketed(row, |writer| writer.plain(row, text)) == Fit::Written
    }

    /// Writes the values of a row again; the answer is whether each is refused, and something written, as it was.
    fn again(&mut self, again: &Again, view: View<'_>) -> bool {
        let text = self.text.as_bytes();
        let table = self.table;
        let Some(row) = table.rows.get(again.row) else {
            return false;
        };
        let mut raw = again.hits.iter().map(|(_, part, _)| view.span(*part).of(text));
        match again.usually {
            Usually::One if raw.next().is_some_and(|raw| self.usual(row.ty, raw)) => return true,
            Usually::Addresses if raw.all(|raw| self.is_v4(raw)) => return true,
            _ => {}
        }
        let start = self.out.len();
        let mut as_said = true;
        let mut many = self.begin_many(row, again.row);
        for &(number, _, refused) in &again.hits {
            let Some(hit) = view.hit(number, text) else {
                return false;
            };
            as_said &= (self.one_of_many(&mut many, row, &hit) == Fit::Refused) == refused;
        }
        let written = many.values.finish(row.list, self.out);
        if !written {
            self.out.truncate(start);
        }
        as_said && written == again.written
    }
}
