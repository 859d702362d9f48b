//! How the documents of one shape are written, worked out once.
//!
//! Which members a document has, where each value stands, and what stands between two values is the same for all records of
//! a shape of which the source says something about the same rows. So a script is a list of pieces, "this text, then what is
//! copied from there". Values of which the type or the order decides are made before, each time: where one is written that
//! was not, or the other way round, the document is written as any other.

mod rehearse;

use super::{Fit, Writer};
use crate::{
    document::{KEYWORD_LIMIT, is_plain},
    engine::{
        found::Span,
        shape::{Part, View},
        table::Row,
        value::{Derived, Saying},
    },
    schema::Type,
};

/// As many scripts has a shape: sources do not say something about other rows at random.
const SCRIPTS: usize = 6;

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
    /// What the source says.
    saying: Box<[Saying]>,
    swapped: bool,
    timestamp_hit: usize,
    /// Whether it is for records with escapes: what is put into other words then has to be escaped again.
    escaped: bool,
    /// What is made first, in the order of the document.
    made: Box<[Value]>,
    pieces: Box<[Piece]>,
}

/// Most pieces of a document are not longer. Copying as much each time, and forgetting what is too much, takes a third of
/// copying as much as it is.
pub(in crate::engine) const SHORT: usize = 32;

/// A text and what is copied behind it.
#[derive(Debug)]
struct Piece {
    text: [u8; SHORT],
    length: u8,
    then: Then,
}

#[derive(Clone, Copy, Debug)]
enum Then {
    Nothing,
    /// A part of the record as it stands there.
    Part(Part),
    /// What the source says, by number: a text that is not empty.
    Said(u16),
    /// What was made, by number.
    Made(u16),
    /// What was made, or where nothing was, the part of the record that stands for itself.
    Either(u16, Part),
}

/// What is made anew for each document.
#[derive(Debug)]
enum Value {
    /// The one text that the source says of a row, and whether there is anything in it.
    Said {
        row: usize,
        written: bool,
    },
    /// The values of a row.
    Row(Again),
    /// Nothing, but these texts have to differ: a member has each value once.
    Differ(Box<[Then]>),
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
    /// Whether what is usual is copied from the record.
    copied: bool,
    /// Whether anything is written.
    written: bool,
}

/// What is tried before anything else is asked about the values of a row.
#[derive(Debug)]
enum Usually {
    /// There is one, written as the document has it.
    One,
    /// None of them is written, because all are addresses.
    Addresses,
    /// They are all the same text, which is written once.
    Same,
    /// By value, the first one that is the same: that is written, as the document has it.
    Each(Box<[u8]>),
    Anything,
}

/// As long may a document be that is written by script.
const ROOM: usize = 32 * 1024;

/// Where documents are put together.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    room: Vec<u8>,
    /// What was made, one after another, and where each ends.
    made: Vec<u8>,
    ends: Vec<u32>,
}

impl Scripts {
    /// The script for such a document.
    pub(in crate::engine) fn find(&self, derived: &Derived, timestamp_hit: usize, escaped: bool) -> Option<&Script> {
        if self.missed >= PATIENCE && !self.missed.is_multiple_of(PATIENCE) {
            return None;
        }
        self.known.iter().find(|script| {
            script.swapped == derived.swapped
                && script.timestamp_hit == timestamp_hit
                && script.escaped == escaped
                && *script.saying == *derived.saying()
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
    /// Appends the document of a record of a known shape; `false`, with nothing appended, if it is not as the script says.
    pub(in crate::engine) fn by_script(mut self, script: &Script, view: View<'_>) -> bool {
        let mut scratch = std::mem::take(&mut self.scratch.script);
        scratch.made.clear();
        scratch.ends.clear();
        scratch.room.resize(ROOM, 0);
        // What is made is written as any value of a document, only elsewhere.
        std::mem::swap(self.out, &mut scratch.made);
        let made = self.make(&script.made, view, &mut scratch.ends);
        std::mem::swap(self.out, &mut scratch.made);
        scratch.made.extend_from_slice(&[0; SHORT]);
        let length = match made {
            true => self.put_together(&script.pieces, view, &mut scratch),
            false => None,
        };
        let document = length.and_then(|length| scratch.room.get(..length));
        self.out.extend_from_slice(document.unwrap_or_default());
        self.scratch.script = scratch;
        length.is_some()
    }

    /// Writes what has to be made, one after another; the answer is whether all of it is as it was.
    fn make(&mut self, values: &[Value], view: View<'_>, ends: &mut Vec<u32>) -> bool {
        self.scratch.addresses.clear();
        for value in values {
            let as_said = match value {
                Value::Said { row, written } => self.said(*row) == *written,
                Value::Row(again) => self.as_usual(again, view) || self.again(again, view),
                Value::Differ(texts) => self.differ(texts, view),
                Value::Timestamp(part) => {
                    if !self.stands(Type::Date, view.span(*part).of(self.text.as_bytes())) {
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
                    let as_said = row
                        .as_ref()
                        .is_none_or(|again| self.as_usual(again, view) || self.again(again, view));
                    self.out.truncate(start);
                    as_said && self.addresses() == *written
                }
            };
            if !as_said {
                return false;
            }
            ends.push(self.out.len() as u32);
        }
        self.cut == 0
    }

    /// Copies the pieces of a document one behind the other; the answer is its length, if there is room for it.
    fn put_together(&self, pieces: &[Piece], view: View<'_>, scratch: &mut Scratch) -> Option<usize> {
        let room: &mut [u8; ROOM] = scratch.room.as_mut_slice().try_into().ok()?;
        let (record, said) = (self.text.as_bytes(), self.derived.text().as_bytes());
        let mut at = 0;
        for piece in pieces {
            *room.get_mut(at..at + SHORT)?.first_chunk_mut()? = piece.text;
            at += usize::from(piece.length);
            let (source, start, end) = match piece.then {
                Then::Nothing => continue,
                Then::Part(part) => {
                    let Span { start, end } = view.span(part);
                    (record, start as usize, end as usize)
                }
                Then::Said(number) => {
                    let place = self.derived.place(usize::from(number))?;
                    if place.len() > KEYWORD_LIMIT {
                        return None;
                    }
                    // Of a record without escapes no source makes a text that needs one: parts of it, other case, words of
                    // its own.
                    debug_assert!(is_plain(&said[place.clone()]));
                    (said, place.start, place.end)
                }
                Then::Made(number) => {
                    let (start, end) = made_at(&scratch.ends, number)?;
                    (scratch.made.as_slice(), start, end)
                }
                Then::Either(number, part) => match made_at(&scratch.ends, number)? {
                    (start, end) if start == end => {
                        let Span { start, end } = view.span(part);
                        (record, start as usize, end as usize)
                    }
                    (start, end) => (scratch.made.as_slice(), start, end),
                },
            };
            let length = end.checked_sub(start)?;
            match source.get(start..).and_then(|rest| rest.first_chunk::<SHORT>()) {
                Some(chunk) if length <= SHORT => *room.get_mut(at..at + SHORT)?.first_chunk_mut()? = *chunk,
                _ => room.get_mut(at..at + length)?.copy_from_slice(source.get(start..end)?),
            }
            at += length;
        }
        Some(at)
    }

    /// Whether no two of the texts are the same.
    fn differ(&self, texts: &[Then], view: View<'_>) -> bool {
        let inside = |then: &Then| match *then {
            Then::Part(part) => {
                let raw = view.span(part).of(self.text.as_bytes());
                raw.get(1..raw.len().saturating_sub(1))
            }
            Then::Said(number) => {
                let place = self.derived.place(usize::from(number))?;
                self.derived.text().as_bytes().get(place.clone())
            }
            _ => None,
        };
        texts.iter().enumerate().all(|(number, text)| {
            let text = inside(text);
            texts.iter().take(number).all(|other| inside(other) != text)
        })
    }

    /// Writes the text that the source says of a row; the answer is whether there is any.
    fn said(&mut self, number: usize) -> bool {
        let (table, derived) = (self.table, self.derived);
        let (Some(row), Some(text)) = (table.rows.get(number), derived.only(number)) else {
            return false;
        };
        self.bracketed(row, |writer| writer.plain(row, text)) == Fit::Written
    }

    /// Writes a text that is the only one, if it is of the row's type and written as the document has it.
    fn once(&mut self, row: &Row, raw: &[u8]) -> bool {
        let start = self.out.len();
        let fit = self.bracketed(row, |writer| {
            if row.ty == Type::Keyword {
                writer.out.extend_from_slice(raw);
                return Fit::Written;
            }
            match writer.usual(row.ty, raw) {
                true => Fit::Written,
                false => Fit::Refused,
            }
        });
        if fit != Fit::Written {
            self.out.truncate(start);
        }
        fit == Fit::Written
    }

    /// Whether the values of a row are as they usually are. Then they are written, or are to be copied.
    #[inline]
    fn as_usual(&mut self, again: &Again, view: View<'_>) -> bool {
        let text = self.text.as_bytes();
        let table = self.table;
        let Some(row) = table.rows.get(again.row) else {
            return false;
        };
        let mut raw = again.hits.iter().map(|(_, part, _)| view.span(*part).of(text));
        match (&again.usually, raw.next()) {
            (Usually::One, Some(raw)) if again.copied => self.stands(row.ty, raw),
            (Usually::One, Some(raw)) => self.usual(row.ty, raw),
            (Usually::Addresses, first) => first.into_iter().chain(raw).all(|raw| self.is_v4(raw)),
            (Usually::Same, Some(first)) if raw.all(|raw| raw == first) => match again.copied {
                true => row.ty == Type::Keyword || self.stands(row.ty, first),
                false => self.once(row, first),
            },
            (Usually::Each(firsts), _) => self.each(row, again, firsts, view),
            _ => false,
        }
    }

    /// Writes the values of a row, each once, if the same ones are the same as before and each is written as the document
    /// has it.
    fn each(&mut self, row: &Row, again: &Again, firsts: &[u8], view: View<'_>) -> bool {
        let text = self.text.as_bytes();
        let raw = |number: usize| again.hits.get(number).map(|(_, part, _)| view.span(*part).of(text));
        let shown = |number: usize| raw(number).map(|raw| shown(row.ty, raw));
        let start = self.out.len();
        let mut count = 0;
        self.out.push(b'[');
        for (number, &first) in firsts.iter().enumerate() {
            let first = usize::from(first);
            let as_before = match first == number {
                true => (0..number).all(|other| shown(other) != shown(number)),
                false => shown(first) == shown(number),
            };
            let Some(raw) = raw(number).filter(|_| as_before) else {
                self.out.truncate(start);
                return false;
            };
            if first != number {
                continue;
            }
            if count > 0 {
                self.out.push(b',');
            }
            count += 1;
            if row.ty == Type::Keyword {
                self.out.extend_from_slice(raw);
            } else if !self.usual(row.ty, raw) {
                self.out.truncate(start);
                return false;
            }
        }
        self.out.push(b']');
        true
    }

    /// Writes the values of a row again; the answer is whether each is refused, and something written, as it was.
    #[inline(never)]
    fn again(&mut self, again: &Again, view: View<'_>) -> bool {
        let text = self.text.as_bytes();
        let table = self.table;
        let Some(row) = table.rows.get(again.row) else {
            return false;
        };
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

/// What is written of a value that is as the document has it.
fn shown(ty: Type, raw: &[u8]) -> &[u8] {
    match (ty, raw) {
        (Type::Long, [b'"', inside @ .., b'"']) => inside,
        _ => raw,
    }
}

/// Where what was made stands, by its number.
#[inline]
fn made_at(ends: &[u32], number: u16) -> Option<(usize, usize)> {
    let number = usize::from(number);
    let start = match number.checked_sub(1) {
        Some(last) => *ends.get(last)?,
        None => 0,
    };
    Some((start as usize, *ends.get(number)? as usize))
}
