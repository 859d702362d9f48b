//! A script is noted while a document is written as any other.

use super::{Again, Piece, SHORT, Script, Then, Usually, Value, shown};
use crate::{
    document::push_escaped,
    engine::{
        RowId,
        found::Span,
        literals::Literals,
        member::Fit,
        shape::{Part, View},
        table::{Leaf, Row, What},
        value::Own,
        write::Writer,
    },
    schema::Type,
};

/// As many values of a row are compared with each other.
const MOST_COMPARED: usize = 8;

/// A script in the making.
#[derive(Default)]
struct Notes {
    /// What stands before the next value.
    text: Vec<u8>,
    made: Vec<Value>,
    pieces: Vec<Piece>,
}

impl Notes {
    fn text(&mut self, text: &[u8]) {
        self.text.extend_from_slice(text);
    }

    /// What is copied behind the text.
    fn then(&mut self, then: Then) {
        let mut rest = self.text.as_slice();
        loop {
            let (first, after) = rest.split_at(rest.len().min(SHORT));
            let mut text = [0; SHORT];
            text[..first.len()].copy_from_slice(first);
            let is_last = after.is_empty();
            self.pieces.push(Piece {
                text,
                length: first.len() as u8,
                then: if is_last { then } else { Then::Nothing },
            });
            if is_last {
                break;
            }
            rest = after;
        }
        self.text.clear();
    }

    fn part(&mut self, part: Part) {
        self.then(Then::Part(part));
    }

    /// What is made each time, by its number; nothing if there is too much of it.
    fn make(&mut self, value: Value) -> Option<u16> {
        let number = u16::try_from(self.made.len()).ok()?;
        self.made.push(value);
        Some(number)
    }

    /// A value that is made each time.
    fn value(&mut self, value: Value) -> Option<()> {
        let number = self.make(value)?;
        self.then(Then::Made(number));
        Some(())
    }

    /// A value that usually is copied.
    fn either(&mut self, value: Value, part: Part) -> Option<()> {
        let number = self.make(value)?;
        self.then(Then::Either(number, part));
        Some(())
    }
}

impl Writer<'_> {
    /// Writes the document of a record of a known shape, and notes how. Where something was cut, others may not be.
    pub(in crate::engine) fn rehearse(mut self, view: View<'_>, literals: &mut Literals) -> Option<Script> {
        let table = self.table;
        let mut notes = Some(Notes::default());
        let mut last = None;
        let mut unplaced = 0;
        for (number, leaf) in table.leaves.iter().enumerate() {
            let start = self.out.len();
            let literal = literals.between(&table.leaves, last, number);
            self.out.extend_from_slice(literal);
            let from = self.out.len();
            let written = self.may_have(&leaf.what, unplaced) && self.leaf(&leaf.what, &mut unplaced);
            if let Some(noted) = &mut notes {
                if written {
                    noted.text(literal);
                }
                if self.note(noted, leaf, from, written, view).is_none() {
                    notes = None;
                }
            }
            if written {
                last = Some(number);
            } else {
                self.out.truncate(start);
            }
        }
        let end = literals.between(&table.leaves, last, table.leaves.len());
        self.out.extend_from_slice(end);
        let mut notes = notes.filter(|_| self.cut == 0)?;
        notes.text(end);
        notes.then(Then::Nothing);
        Some(Script {
            saying: self.derived.saying().into(),
            swapped: self.derived.swapped,
            timestamp_hit: self.timestamp_hit,
            escaped: view.escaped(),
            made: notes.made.into(),
            pieces: notes.pieces.into(),
        })
    }

    /// Notes how a leaf that was just written from `from` on, or not, is written again; nothing if that cannot be said.
    fn note(&mut self, notes: &mut Notes, leaf: &Leaf, from: usize, written: bool, view: View<'_>) -> Option<()> {
        match &leaf.what {
            What::Row(number) => return self.note_row(notes, *number, from, written, view),
            What::RelatedIp(row) => {
                let said = |row: &usize| self.derived.own(*row) != Own::Written;
                let row = row.filter(|row| said(row) || !self.hits_of(*row, view).is_empty());
                let again = match row {
                    Some(row) => Some(self.note_again(row, view)?),
                    None => None,
                };
                return notes.value(Value::Addresses { row: again, written });
            }
            What::Timestamp => {
                let part = view.value(self.timestamp_hit)?;
                return notes.either(Value::Timestamp(part), part);
            }
            What::Id => return notes.value(Value::Id),
            What::Original if written => return notes.value(Value::Original),
            What::Rest if written => return self.note_flat(notes, view),
            What::Unplaced if written => notes.text(self.out.get(from..)?),
            _ => {}
        }
        Some(())
    }

    fn note_row(&mut self, notes: &mut Notes, number: usize, from: usize, written: bool, view: View<'_>) -> Option<()> {
        let table = self.table;
        let row = table.rows.get(number)?;
        let hits = self.hits_of(number, view);
        let own = self.derived.own(number);
        if row.ty == Type::FlatObject {
            return if written { self.note_flat(notes, view) } else { Some(()) };
        }
        if (own == Own::Replaced && !row.ty.is_narrow() || own != Own::Written && hits.is_empty())
            && let Some(said) = self.derived.number(number)
        {
            return self.note_said(notes, number, said, written, view);
        }
        // Addresses are also collected while they are written.
        let is_fixed = |hit: &usize| view.value(*hit).is_some_and(Part::is_fixed);
        let is_same = own == Own::Written && hits.iter().all(is_fixed);
        if is_same && (row.ty != Type::Ip || hits.is_empty()) {
            if written {
                notes.text(self.out.get(from..)?);
            }
            return Some(());
        }
        if let [hit] = hits[..]
            && own == Own::Written
            && self.is_copied(row, hit)
        {
            notes.text(if row.list { b"[" } else { b"" });
            notes.part(view.value(hit)?);
            notes.text(if row.list { b"]" } else { b"" });
            return Some(());
        }
        if let [hit] = hits[..]
            && own == Own::Written
            && written
            && !view.escaped()
            && self.is_body(row, hit)
        {
            return self.note_body(notes, row, view.value(hit)?, view);
        }
        if written && !view.escaped() && self.note_list(notes, number, &hits, view).is_some() {
            return Some(());
        }
        let again = self.note_again(number, view)?;
        match (again.written == written, again.copied, again.hits.first()) {
            (true, true, Some(&(_, part, _))) => notes.either(Value::Row(again), part),
            (true, ..) => notes.value(Value::Row(again)),
            (false, ..) => None,
        }
    }

    /// Whether it is an object or array that its row has as JSON text.
    fn is_body(&self, row: &Row, hit: usize) -> bool {
        let takes_text = matches!(row.ty, Type::Keyword | Type::Text) && !row.not_ip;
        let hit = self.found.hits.get(hit);
        takes_text
            && hit.is_some_and(|hit| self.table.trie.is_whole(hit.slot) && hit.raw(self.text).starts_with(['{', '[']))
    }

    /// Notes an object or array as JSON text: what is the same in all records of the shape as it is escaped, and between it
    /// the values. In a record without escapes they are the same inside of one more pair of quotes.
    fn note_body(&self, notes: &mut Notes, row: &Row, body: Part, view: View<'_>) -> Option<()> {
        let Span { start, end } = view.span(body);
        let mut at = start;
        let mut fixed = Vec::new();
        notes.text(if row.list { b"[\"" } else { b"\"" });
        for part in view.values() {
            let span = view.span(part);
            if span.start < start || span.end > end {
                continue;
            }
            fixed.clear();
            push_escaped(
                &mut fixed,
                Span {
                    start: at,
                    end: span.start,
                }
                .text(self.text),
            );
            notes.text(&fixed);
            notes.part(part);
            at = span.end;
        }
        fixed.clear();
        push_escaped(&mut fixed, Span { start: at, end }.text(self.text));
        notes.text(&fixed);
        notes.text(if row.list { b"\"]" } else { b"\"" });
        Some(())
    }

    /// Notes several texts of which each is copied: those that the source says, and those of the record behind them. Nothing is
    /// noted where that is not all there is to them.
    fn note_list(&self, notes: &mut Notes, number: usize, hits: &[usize], view: View<'_>) -> Option<()> {
        let row = self.table.rows.get(number)?;
        let own = self.derived.own(number);
        // Of the record's own values some may be the same as others, now and then.
        let may_repeat = row.repeats || own != Own::Written;
        if row.ty != Type::Keyword || row.not_ip || row.first_only || !may_repeat {
            return None;
        }
        let mut texts = Vec::new();
        for said in self.derived.numbers(number) {
            if !self.derived.place(said)?.is_empty() {
                texts.push(Then::Said(u16::try_from(said).ok()?));
            }
        }
        for &hit in hits.iter().filter(|_| own != Own::Replaced) {
            let part = view.value(hit)?;
            let raw = view.span(part).text(self.text);
            if !raw.starts_with('"') || raw.len() <= 2 || part.is_fixed() {
                return None;
            }
            texts.push(Then::Part(part));
        }
        if texts.is_empty() || !(row.repeats || self.differ(&texts, view)) {
            return None;
        }
        let is_list = row.list || texts.len() > 1;
        if !row.repeats && texts.len() > 1 {
            notes.make(Value::Differ(texts.as_slice().into()))?;
        }
        notes.text(if is_list { b"[" } else { b"" });
        for (number, then) in texts.iter().enumerate() {
            let quote: &[u8] = if matches!(then, Then::Said(_)) { b"\"" } else { b"" };
            notes.text(if number > 0 { b"," } else { b"" });
            notes.text(quote);
            notes.then(*then);
            notes.text(quote);
        }
        notes.text(if is_list { b"]" } else { b"" });
        Some(())
    }

    /// Notes the value of this number, the only one that is said of a row.
    fn note_said(&mut self, notes: &mut Notes, row: usize, said: usize, written: bool, view: View<'_>) -> Option<()> {
        let &Row { ty, list, not_ip, .. } = self.table.rows.get(row)?;
        if view.escaped() || not_ip || !matches!(ty, Type::Keyword | Type::Text) {
            return notes.value(Value::Said { row, written });
        }
        // That there is nothing in it is part of what is said.
        if written {
            notes.text(if list { b"[\"" } else { b"\"" });
            notes.then(Then::Said(u16::try_from(said).ok()?));
            notes.text(if list { b"\"]" } else { b"\"" });
        }
        Some(())
    }

    /// Whether it is a text that its row takes as it is.
    fn is_copied(&self, row: &Row, hit: usize) -> bool {
        let takes_any = row.ty == Type::Text || (row.ty == Type::Keyword && !row.not_ip);
        let hit = self.found.hits.get(hit);
        takes_any && hit.is_some_and(|hit| hit.raw(self.text).starts_with('"'))
    }

    /// The hits of a row, where its values come from.
    fn hits_of(&self, number: usize, view: View<'_>) -> Vec<usize> {
        let row = match (self.derived.swapped, self.table.rows.get(number)) {
            (true, Some(row)) => row.mirror,
            _ => number,
        };
        view.of_row(RowId(row)).iter().map(|hit| usize::from(*hit)).collect()
    }

    /// Writes a row once more, to see what becomes of each value.
    fn note_again(&mut self, number: usize, view: View<'_>) -> Option<Again> {
        let table = self.table;
        let row = table.rows.get(number)?;
        let hits = self.hits_of(number, view);
        let start = self.out.len();
        let mut many = self.begin_many(row, number);
        let mut refused = Vec::new();
        for number in hits {
            let hit = view.hit(number, self.text.as_bytes())?;
            let fit = self.one_of_many(&mut many, row, &hit);
            refused.push((number, view.value(number)?, fit == Fit::Refused));
        }
        let written = many.values.finish(row.list, self.out);
        self.out.truncate(start);
        let is_own = self.derived.own(number) == Own::Written;
        let none_refused = refused.iter().all(|(_, _, refused)| !refused);
        let all_refused = refused.iter().all(|(_, _, refused)| *refused);
        let usually = match refused[..] {
            [_] if is_own && written && !row.list => Usually::One,
            _ if is_own && !written && row.not_ip && all_refused => Usually::Addresses,
            [(first, ..), ..] if is_own && written && none_refused => match self.are_same(row, first, &refused) {
                true => Usually::Same,
                false => self.firsts(row, &refused).map_or(Usually::Anything, Usually::Each),
            },
            _ => Usually::Anything,
        };
        // A number in quotes is written without them.
        let raw = |hit: usize| self.found.hits.get(hit).map_or("", |hit| hit.raw(self.text));
        let copied = match (&usually, refused.first()) {
            (Usually::One, Some(&(hit, ..))) => {
                row.ty != Type::Keyword && (row.ty != Type::Long || !raw(hit).starts_with('"'))
            }
            (Usually::Same, _) => !row.list,
            _ => false,
        };
        Some(Again {
            row: number,
            hits: refused.into(),
            usually,
            copied,
            written,
        })
    }

    /// Whether the hits are all the text that the first one is, and the row takes one text once.
    fn are_same(&self, row: &Row, first: usize, hits: &[(usize, Part, bool)]) -> bool {
        let raw = |hit: usize| self.found.hits.get(hit).map(|hit| hit.raw(self.text));
        let takes_text = matches!(row.ty, Type::Keyword | Type::Ip) && !row.not_ip && !row.repeats;
        let first = raw(first).filter(|raw| raw.len() > 2 && raw.starts_with('"'));
        takes_text && first.is_some() && hits.iter().all(|&(hit, ..)| raw(hit) == first)
    }

    /// By hit, the first one of which the same is written; nothing where more than that is to be known of what is written.
    fn firsts(&self, row: &Row, hits: &[(usize, Part, bool)]) -> Option<Box<[u8]>> {
        if row.not_ip || row.repeats || hits.len() > MOST_COMPARED {
            return None;
        }
        let raw = |&(hit, ..): &(usize, Part, bool)| Some(self.found.hits.get(hit)?.raw(self.text).as_bytes());
        let raws = hits.iter().map(raw).collect::<Option<Vec<_>>>()?;
        let is_copied = match row.ty {
            Type::Keyword => raws.iter().all(|raw| raw.len() > 2 && raw.starts_with(b"\"")),
            Type::Text => false,
            // Seen each time: [`Writer::usual`].
            _ => true,
        };
        let first = |raw: &&[u8]| raws.iter().position(|other| shown(row.ty, other) == shown(row.ty, raw));
        let firsts = raws.iter().map(|raw| u8::try_from(first(raw)?).ok());
        let firsts = firsts.collect::<Option<Box<[u8]>>>()?;
        // One alone is in no array.
        let is_array = row.list || firsts.iter().any(|first| *first > 0);
        (is_copied && is_array).then_some(firsts)
    }

    /// Notes the flat object that was written last: all of its names are the shape's.
    fn note_flat(&self, notes: &mut Notes, view: View<'_>) -> Option<()> {
        let (values, end) = self.scratch.flat.parts();
        for (before, value) in values {
            notes.text(&before);
            let part = view.part(value)?;
            if part.is_fixed() {
                notes.text(value.of(self.text.as_bytes()));
            } else {
                notes.part(part);
            }
        }
        notes.text(&end);
        Some(())
    }
}
