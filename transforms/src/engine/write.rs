//! Writes one document from the spans that the scanner found, member by member, each value as its row's type allows.
//!
//! A value that its type would reject is not written there; it goes to the rest. So do values that no row names.

mod script;
mod usual;
mod value;

use std::net::IpAddr;

pub(super) use self::script::{SHORT, Script, Scripts};
use self::value::Asked;

use super::{
    flat,
    found::{Found, Hit, NONE},
    literals::Literals,
    member::{Fit, Values},
    shape::View,
    table::{self, Leaf, Row, Table, What},
    trie::Slot,
    value::{Derived, Own, unescape},
};
use crate::{
    address,
    document::{KEYWORD_LIMIT, push_integer, push_json_string},
    schema::Type,
    time,
};

/// One document in the making.
pub(super) struct Writer<'a> {
    pub(super) table: &'a Table,
    /// The record, canonical if it had to be rewritten.
    pub(super) text: &'a str,
    /// The record as it came, when `event.original` is wanted.
    pub(super) original: Option<&'a str>,
    pub(super) found: &'a mut Found,
    pub(super) derived: &'a Derived,
    pub(super) out: &'a mut Vec<u8>,
    pub(super) timestamp: i64,
    /// Which hit the timestamp came from.
    pub(super) timestamp_hit: usize,
    /// In hexadecimal.
    pub(super) id: &'a [u8],
    pub(super) scratch: &'a mut Scratch,
    pub(super) cut: u64,
    pub(super) redacted: u64,
    /// Whether there are no escapes in the record, as far as is known.
    pub(super) clean: bool,
}

/// The values of a row while they are written.
struct Many {
    values: Values,
    replaced: bool,
    /// The slot that the last value stood in.
    slot: Option<Slot>,
    /// Whether a slot before that one has the row's value.
    settled: bool,
}

/// Lists that are kept between records.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    addresses: Vec<IpAddr>,
    asked: Asked,
    live: Vec<u64>,
    script: script::Scratch,
    pub(super) flat: flat::Scratch,
}

impl Scratch {
    /// Keeps an address, if it is not one of the last ones: what is kept is sorted, and most records have few.
    #[inline]
    fn note(&mut self, address: IpAddr) {
        if !self.addresses.iter().rev().take(4).any(|known| *known == address) {
            self.addresses.push(address);
        }
    }
}

impl<'a> Writer<'a> {
    /// Appends the document and its newline. With the record's shape, the answer is how others of it are written, if that can
    /// be said.
    pub(super) fn document(mut self, literals: &mut Literals, view: Option<View<'_>>) -> Option<Script> {
        self.scratch.addresses.clear();
        if let Some(view) = view {
            return self.rehearse(view, literals);
        }
        let last = self.members(literals);
        let leaves = &self.table.leaves;
        self.out.extend_from_slice(literals.between(leaves, last, leaves.len()));
        None
    }

    /// Writes the members; the answer is the last one.
    fn members(&mut self, literals: &mut Literals) -> Option<usize> {
        let live = self.live();
        let leaves = &self.table.leaves;
        let mut last = None;
        let mut unplaced = 0;
        for (word, &bits) in live.iter().enumerate() {
            let mut left = bits;
            while left != 0 {
                let number = word * 64 + left.trailing_zeros() as usize;
                left &= left - 1;
                let Some(leaf) = leaves.get(number) else { continue };
                // Most members are one text that is copied.
                if let Some(raw) = self.copied(leaf) {
                    self.out.extend_from_slice(literals.between(leaves, last, number));
                    self.out.extend_from_slice(raw);
                    last = Some(number);
                    continue;
                }
                if !self.may_have(&leaf.what, unplaced) {
                    continue;
                }
                let start = self.out.len();
                self.out.extend_from_slice(literals.between(leaves, last, number));
                if self.leaf(&leaf.what, &mut unplaced) {
                    last = Some(number);
                } else {
                    self.out.truncate(start);
                }
            }
        }
        self.scratch.live = live;
        last
    }

    /// Whether there is anything to look for.
    #[inline]
    fn may_have(&self, what: &What, unplaced: u64) -> bool {
        match what {
            What::Original => self.original.is_some(),
            What::Unplaced => unplaced > 0,
            What::Cut => self.cut > 0,
            What::Redacted => self.redacted > 0,
            _ => true,
        }
    }

    /// The one text of a row that takes any text, as it stands in the record.
    #[inline]
    fn copied(&mut self, leaf: &Leaf) -> Option<&'a [u8]> {
        let (row, slot) = leaf.copied?;
        if self.derived.swapped || self.derived.own(row) != Own::Written {
            return None;
        }
        let head = self.found.head(slot) as usize;
        let hit = self.found.hits.get_mut(head)?;
        let raw = hit.value.of(self.text.as_bytes());
        let is_text = raw.len() > 2 && raw.len() <= KEYWORD_LIMIT && raw[0] == b'"';
        if !is_text || hit.next != NONE {
            return None;
        }
        hit.placed = true;
        Some(raw)
    }

    /// The leaves that this record takes.
    fn live(&mut self) -> Vec<u64> {
        let live = &self.table.live;
        let mut taken = std::mem::take(&mut self.scratch.live);
        taken.clone_from(&live.always);
        let slots = if self.derived.swapped {
            &live.swapped
        } else {
            &live.slots
        };
        for hit in &self.found.hits {
            if let Some(leaves) = slots.get(usize::from(hit.slot)) {
                table::add(&mut taken, leaves);
            }
        }
        for row in self.derived.rows() {
            if let Some(leaves) = live.rows.get(row) {
                table::add(&mut taken, leaves);
            }
        }
        taken
    }

    /// Writes the value of a member; the answer is whether there is one.
    #[inline]
    fn leaf(&mut self, what: &What, unplaced: &mut u64) -> bool {
        let written = |count| count > 0;
        match what {
            What::Row(number) => self.row(*number),
            What::Timestamp => {
                if let Some(hit) = self.found.hits.get_mut(self.timestamp_hit) {
                    hit.placed = true;
                }
                self.date(self.timestamp);
                true
            }
            What::Id => {
                self.push_id();
                true
            }
            What::RelatedIp(row) => self.related_ip(*row),
            What::Original => self.push_original(),
            What::Rest => {
                let start = self.out.len();
                let rest = flat::Rest {
                    text: self.text.as_bytes(),
                    trie: &self.table.trie,
                    found: self.found,
                };
                let (leaves, cut) = rest.write(self.out, &mut self.scratch.flat);
                *unplaced = leaves;
                self.cut += cut;
                self.out.len() > start
            }
            What::Unplaced => written(self.count(*unplaced)),
            What::Cut => written(self.count(self.cut)),
            What::Redacted => written(self.count(self.redacted)),
            // They are part of what stands between two values.
            What::Constant(_) => false,
        }
    }

    fn push_id(&mut self) {
        self.out.push(b'"');
        self.out.extend_from_slice(self.id);
        self.out.push(b'"');
    }

    fn push_original(&mut self) -> bool {
        let Some(original) = self.original else { return false };
        push_json_string(self.out, original);
        true
    }

    fn count(&mut self, number: u64) -> u64 {
        if number > 0 {
            push_integer(self.out, i64::try_from(number).unwrap_or(i64::MAX));
        }
        number
    }

    fn date(&mut self, millis: i64) {
        self.out.push(b'"');
        time::push_rfc3339(millis, self.out);
        self.out.push(b'"');
    }

    /// A row's value, or an array of its distinct values. The answer is whether there is any.
    fn row(&mut self, number: usize) -> bool {
        let table = self.table;
        let Some(row) = table.rows.get(number) else {
            return false;
        };
        let slots = self.slots(number);
        if row.ty == Type::FlatObject {
            return self.flat_object(slots);
        }
        // Most members have one value. What is said of many in `Writer::many` holds, but there is nothing to compare.
        match self.derived.own(number) {
            Own::Written => match self.only_hit(slots) {
                Some(hit) => self.only(row, hit),
                None => self.many(row, number, slots),
            },
            Own::Replaced if !row.ty.is_narrow() => match self.derived.only(number) {
                Some(text) => self.derived(row, text, slots),
                None => self.many(row, number, slots),
            },
            _ => self.many(row, number, slots),
        }
    }

    /// Where the values of a row stand.
    fn slots(&self, number: usize) -> &'a [Slot] {
        let table = self.table;
        let row = table.rows.get(number);
        let row = row.and_then(|row| match self.derived.swapped {
            true => table.rows.get(row.mirror),
            false => Some(row),
        });
        row.map_or(&[], |row| &row.slots)
    }

    fn flat_object(&mut self, slots: &[Slot]) -> bool {
        let start = self.out.len();
        self.cut += flat::kept(
            self.text.as_bytes(),
            &self.table.trie,
            self.found,
            slots,
            self.out,
            &mut self.scratch.flat,
        );
        self.out.len() > start
    }

    /// The number of the hit, where the slots have one and no more.
    #[inline]
    fn only_hit(&self, slots: &[Slot]) -> Option<usize> {
        let mut only = NONE;
        for &slot in slots {
            let head = self.found.head(slot);
            if head == NONE {
                continue;
            }
            if only != NONE || self.found.hits.get(head as usize)?.next != NONE {
                return None;
            }
            only = head;
        }
        (only != NONE).then_some(only as usize)
    }

    #[inline]
    fn only(&mut self, row: &Row, number: usize) -> bool {
        let Some(&hit) = self.found.hits.get(number) else {
            return false;
        };
        let fit = self.bracketed(row, |writer| writer.hit(row, &hit));
        if fit != Fit::Refused {
            self.found.hits[number].placed = true;
        }
        fit == Fit::Written
    }

    /// One value, in an array where the row is a list.
    #[inline]
    fn bracketed(&mut self, row: &Row, write: impl FnOnce(&mut Self) -> Fit) -> Fit {
        if row.list {
            self.out.push(b'[');
        }
        let fit = write(self);
        if row.list {
            self.out.push(b']');
        }
        fit
    }

    /// The one value that the source says instead of what stands at the row's paths.
    fn derived(&mut self, row: &Row, text: &str, slots: &[Slot]) -> bool {
        for &slot in slots {
            let mut at = self.found.head(slot);
            while let Some(hit) = self.found.hits.get_mut(at as usize) {
                at = hit.next;
                hit.placed |= !hit.raw(self.text).starts_with(['{', '[']);
            }
        }
        self.bracketed(row, |writer| writer.plain(row, text)) == Fit::Written
    }

    fn many(&mut self, row: &Row, number: usize, slots: &[Slot]) -> bool {
        let mut many = self.begin_many(row, number);
        for &slot in slots {
            let mut at = self.found.head(slot);
            while let Some(&hit) = self.found.hits.get(at as usize) {
                if self.one_of_many(&mut many, row, &hit) != Fit::Refused {
                    self.found.hits[at as usize].placed = true;
                }
                at = hit.next;
            }
        }
        many.values.finish(row.list, self.out)
    }

    /// Writes what the source says of a row that may have many values.
    #[inline]
    fn begin_many(&mut self, row: &Row, number: usize) -> Many {
        let derived = self.derived;
        let mut many = Many {
            values: Values::new(self.out.len(), row.repeats),
            replaced: derived.own(number) == Own::Replaced,
            slot: None,
            settled: false,
        };
        for text in derived.values(number) {
            let fit = self.plain(row, text);
            many.values.wrote(fit, self.out);
        }
        many
    }

    /// Writes one of a row's values, in the order of its slots.
    fn one_of_many(&mut self, many: &mut Many, row: &Row, hit: &Hit) -> Fit {
        if many.slot != Some(hit.slot) {
            many.slot = Some(hit.slot);
            many.settled = row.first_only && many.values.count > 0;
        }
        let raw = hit.raw(self.text);
        let fit = match (many.replaced, many.settled) {
            (true, _) if raw.starts_with(['{', '[']) => Fit::Refused,
            // What was derived stands in its place; what the type would reject goes to the rest all the same.
            (true, _) if row.ty.is_narrow() => match self.hit(row, hit) {
                Fit::Refused => Fit::Refused,
                Fit::Written | Fit::Empty => Fit::Empty,
            },
            (true, _) => Fit::Empty,
            (_, true) if many.values.has(raw.as_bytes(), self.out) => Fit::Empty,
            (_, true) => Fit::Refused,
            _ => self.hit(row, hit),
        };
        many.values.wrote(fit, self.out);
        fit
    }

    /// Every address that was written, those of the row of its own, and every other one in the record; sorted, each once.
    fn related_ip(&mut self, row: Option<usize>) -> bool {
        let start = self.out.len();
        if let Some(row) = row {
            // Only what the row adds to the list of addresses is wanted.
            self.row(row);
            self.out.truncate(start);
        }
        self.addresses()
    }

    /// Every address that was written and every other one in the record; sorted, each once. The answer is whether there is any.
    fn addresses(&mut self) -> bool {
        let start = self.out.len();
        for span in &self.found.addresses {
            let inside = span.text(self.text);
            let address = match !self.clean && memchr::memchr(b'\\', inside.as_bytes()).is_some() {
                true => unescape(inside.as_bytes()).and_then(|text| address::parse(&text)),
                false => self.scratch.asked.address(inside),
            };
            if let Some(address) = address {
                self.scratch.note(address);
            }
        }
        let mut addresses = std::mem::take(&mut self.scratch.addresses);
        addresses.sort_unstable();
        addresses.dedup();
        for address in &addresses {
            self.out.push(if self.out.len() == start { b'[' } else { b',' });
            self.address(*address);
        }
        if !addresses.is_empty() {
            self.out.push(b']');
        }
        let any = !addresses.is_empty();
        self.scratch.addresses = addresses;
        any
    }
}
