//! Writes one document from the spans that the scanner found, step by step, each value as its row's type allows.
//!
//! A value that its type would reject is not written there; it goes to the rest. So do values that no row names.

use std::{
    io::Write as _,
    net::{IpAddr, Ipv4Addr},
};

use super::{
    flat,
    found::{Found, Hit, NONE},
    member::{Fit, Values},
    table::{self, Row, Step, Steps, Table},
    trie::Slot,
    value::{Derived, Own, plain_text, unescape},
};
use crate::{
    document::{CUT_MARK, KEYWORD_LIMIT, cut_text, push_escaped, push_integer, push_json_string},
    schema::Type,
    time,
};

/// One document in the making.
pub(super) struct Writer<'a> {
    pub(super) table: &'a Table,
    /// The record, canonical if it had to be rewritten.
    pub(super) text: &'a [u8],
    /// The record as it came, when `event.original` is wanted.
    pub(super) original: Option<&'a str>,
    pub(super) found: &'a mut Found,
    pub(super) derived: &'a Derived,
    pub(super) out: &'a mut Vec<u8>,
    pub(super) timestamp: i64,
    /// Which hit the timestamp came from.
    pub(super) timestamp_hit: usize,
    pub(super) id: &'a str,
    pub(super) scratch: &'a mut Scratch,
    pub(super) cut: u64,
    pub(super) redacted: u64,
}

/// Lists that are kept between records.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    addresses: Vec<IpAddr>,
    open: Vec<(usize, usize)>,
    live: Steps,
    pub(super) flat: flat::Scratch,
}

impl Writer<'_> {
    /// Appends the document and its newline.
    pub(super) fn document(mut self) {
        self.scratch.addresses.clear();
        self.scratch.open.clear();
        self.out.push(b'{');
        let mut unplaced = 0;
        let table = self.table;
        let live = self.live();
        for step in taken(&live).filter_map(|step| table.steps.get(step)) {
            match step {
                Step::Open(key) => {
                    let start = self.out.len();
                    self.out.extend_from_slice(key.as_bytes());
                    self.scratch.open.push((start, self.out.len()));
                }
                Step::Close => {
                    if let Some((start, content)) = self.scratch.open.pop() {
                        self.close(start, content, b'}');
                    }
                }
                Step::Constant(member) => self.out.extend_from_slice(member.as_bytes()),
                Step::Row(key, row) => self.row(key, *row),
                Step::Timestamp(key) => {
                    if let Some(hit) = self.found.hits.get_mut(self.timestamp_hit) {
                        hit.placed = true;
                    }
                    self.key(key);
                    self.date(self.timestamp);
                    self.out.push(b',');
                }
                Step::Id(key) => {
                    self.key(key);
                    push_json_string(self.out, self.id);
                    self.out.push(b',');
                }
                Step::RelatedIp(key, row) => self.related_ip(key, *row),
                Step::Original(key) => {
                    if let Some(original) = self.original {
                        self.key(key);
                        push_json_string(self.out, original);
                        self.out.push(b',');
                    }
                }
                Step::Rest(key) => {
                    let rest = flat::Rest {
                        text: self.text,
                        trie: &table.trie,
                        found: self.found,
                    };
                    let (leaves, cut) = rest.write(key, self.out, &mut self.scratch.flat);
                    unplaced = leaves;
                    self.cut += cut;
                }
                Step::Unplaced(key) => self.count(key, unplaced),
                Step::Cut(key) => self.count(key, self.cut),
                Step::Redacted(key) => self.count(key, self.redacted),
            }
        }
        self.scratch.live = live;
        self.close(0, 0, b'}');
        if let Some(comma) = self.out.last_mut() {
            *comma = b'\n';
        }
    }

    /// The steps that this record takes.
    fn live(&mut self) -> Steps {
        let live = &self.table.live;
        let mut steps = std::mem::take(&mut self.scratch.live);
        steps.clone_from(&live.always);
        let slots = if self.derived.swapped {
            &live.swapped
        } else {
            &live.slots
        };
        for hit in &self.found.hits {
            if let Some(taken) = slots.get(usize::from(hit.slot)) {
                table::add(&mut steps, taken);
            }
        }
        for row in self.derived.rows() {
            if let Some(taken) = live.rows.get(row) {
                table::add(&mut steps, taken);
            }
        }
        steps
    }

    fn key(&mut self, key: &str) {
        self.out.extend_from_slice(key.as_bytes());
    }

    fn close(&mut self, start: usize, content: usize, bracket: u8) {
        if self.out.len() == content {
            self.out.truncate(start);
            return;
        }
        if let Some(comma) = self.out.last_mut() {
            *comma = bracket;
        }
        self.out.push(b',');
    }

    fn count(&mut self, key: &str, number: u64) {
        if number > 0 {
            self.key(key);
            push_integer(self.out, i64::try_from(number).unwrap_or(i64::MAX));
            self.out.push(b',');
        }
    }

    fn date(&mut self, millis: i64) {
        self.out.push(b'"');
        time::push_rfc3339(millis, self.out);
        self.out.push(b'"');
    }

    /// One member: its value, or an array of its distinct values, or nothing.
    fn row(&mut self, key: &str, number: usize) {
        let table = self.table;
        let Some(row) = table.rows.get(number) else {
            return;
        };
        let from = if self.derived.swapped { row.mirror } else { number };
        let own = self.derived.own(number);
        let replaced = own == Own::Replaced;
        let slots = table.rows.get(from).map_or(&[][..], |row| &row.slots);
        if own == Own::Written && slots.iter().all(|&slot| self.found.head(slot) == NONE) {
            return;
        }
        if own == Own::Written
            && let Some(hit) = self.only_hit(slots)
            && row.ty != Type::FlatObject
        {
            return self.only(key, row, hit);
        }
        let start = self.out.len();
        self.key(key);
        let mut values = Values::new(self.out.len(), row.repeats);
        if own != Own::Written {
            let derived = self.derived;
            for text in derived.values(number) {
                let fit = self.plain(row, text);
                values.wrote(fit, self.out);
            }
        }
        if row.ty == Type::FlatObject {
            self.cut += flat::kept(
                self.text,
                &table.trie,
                self.found,
                slots,
                self.out,
                &mut self.scratch.flat,
            );
            values.count = usize::from(self.out.len() > values.content);
            return values.finish(start, row.list, self.out);
        }
        for &slot in slots {
            let whole = table.trie.is_whole(slot);
            let mut at = self.found.head(slot);
            let settled = row.first_only && values.count > 0;
            while let Some(&hit) = self.found.hits.get(at as usize) {
                let raw = hit.value.of(self.text);
                let fit = match (replaced, settled) {
                    (true, _) if plain_text(raw).is_none() => Fit::Refused,
                    // What was derived stands in its place; what the type would reject goes to the rest all the same.
                    (true, _) if matches!(row.ty, Type::Long | Type::Float | Type::Boolean | Type::Date) => {
                        match self.raw(row, raw) {
                            Fit::Refused => Fit::Refused,
                            Fit::Written | Fit::Empty => Fit::Empty,
                        }
                    }
                    (true, _) => Fit::Empty,
                    (_, true) if values.has(raw, self.out) => Fit::Empty,
                    (_, true) => Fit::Refused,
                    _ if whole => self.whole(row, raw, hit.leaves),
                    _ => self.raw(row, raw),
                };
                if fit != Fit::Refused {
                    self.found.hits[at as usize].placed = true;
                }
                values.wrote(fit, self.out);
                at = hit.next;
            }
        }
        values.finish(start, row.list, self.out);
    }

    /// The number of the hit, where the slots have one and no more: the case that most members are.
    #[inline]
    fn only_hit(&self, slots: &[Slot]) -> Option<u32> {
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
        (only != NONE).then_some(only)
    }

    /// A member of one value. What is said of many values in [`Writer::row`] holds, but there is nothing to compare.
    fn only(&mut self, key: &str, row: &Row, hit: u32) {
        let Some(&Hit {
            value, slot, leaves, ..
        }) = self.found.hits.get(hit as usize)
        else {
            return;
        };
        let start = self.out.len();
        self.key(key);
        if row.list {
            self.out.push(b'[');
        }
        let raw = value.of(self.text);
        let fit = if self.table.trie.is_whole(slot) {
            self.whole(row, raw, leaves)
        } else {
            self.raw(row, raw)
        };
        if fit != Fit::Refused
            && let Some(hit) = self.found.hits.get_mut(hit as usize)
        {
            hit.placed = true;
        }
        if fit != Fit::Written {
            self.out.truncate(start);
            return;
        }
        if row.list {
            self.out.push(b']');
        }
        self.out.push(b',');
    }

    /// A value that is kept in one piece: an object or array as JSON text. One that holds nothing says nothing.
    fn whole(&mut self, row: &Row, raw: &[u8], leaves: u32) -> Fit {
        match raw {
            _ if leaves == 0 => Fit::Empty,
            [b'{' | b'[', ..] => std::str::from_utf8(raw).map_or(Fit::Refused, |text| self.plain(row, text)),
            _ => self.raw(row, raw),
        }
    }

    /// A JSON value of the record.
    fn raw(&mut self, row: &Row, raw: &[u8]) -> Fit {
        match (row.ty, raw) {
            (_, b"\"\"") => Fit::Empty,
            (Type::GeoPoint, [b'{', ..]) => self.place(raw),
            (Type::Keyword, [b'"', inside @ .., b'"']) if !row.not_ip => {
                if inside.len() <= KEYWORD_LIMIT {
                    self.out.extend_from_slice(raw);
                } else {
                    self.cut += u64::from(flat::push_cut(inside, self.out));
                }
                Fit::Written
            }
            (Type::Text, [b'"', ..]) => {
                self.out.extend_from_slice(raw);
                Fit::Written
            }
            _ => match plain_text(raw) {
                Some(text) => self.plain(row, &text),
                None => Fit::Refused,
            },
        }
    }

    /// A value as plain text.
    fn plain(&mut self, row: &Row, text: &str) -> Fit {
        match row.ty {
            _ if text.is_empty() => return Fit::Empty,
            Type::Keyword if row.not_ip && text.parse::<IpAddr>().is_ok() => return Fit::Refused,
            Type::Keyword => {
                let kept = cut_text(text);
                self.out.push(b'"');
                push_escaped(self.out, kept);
                if kept.len() < text.len() {
                    self.out.extend_from_slice(CUT_MARK.as_bytes());
                    self.cut += 1;
                }
                self.out.push(b'"');
            }
            Type::Text => push_json_string(self.out, text),
            Type::Ip => match text.parse::<Ipv4Addr>() {
                Ok(address) => {
                    self.scratch.addresses.push(address.into());
                    self.out.push(b'"');
                    self.out.extend_from_slice(text.as_bytes());
                    self.out.push(b'"');
                }
                Err(_) => match text.parse::<IpAddr>() {
                    Ok(address) => {
                        self.scratch.addresses.push(address);
                        self.address(address);
                    }
                    Err(_) => return Fit::Refused,
                },
            },
            Type::Long => match whole(text) {
                Some(number) => push_integer(self.out, number),
                None => return Fit::Refused,
            },
            Type::Float => match text.parse::<f64>() {
                Ok(number) if number.abs() <= f64::from(f32::MAX) => self.display(number),
                _ => return Fit::Refused,
            },
            Type::Boolean => match text {
                "true" | "false" => self.out.extend_from_slice(text.as_bytes()),
                _ => return Fit::Refused,
            },
            Type::Date => match time::parse(text.as_bytes()) {
                Ok(millis) => self.date(millis),
                Err(_) => return Fit::Refused,
            },
            Type::GeoPoint | Type::FlatObject => return Fit::Refused,
        }
        Fit::Written
    }

    fn address(&mut self, address: IpAddr) {
        self.out.push(b'"');
        self.display(address);
        self.out.push(b'"');
    }

    fn display(&mut self, value: impl std::fmt::Display) {
        // Writing to a Vec cannot fail.
        let written = write!(self.out, "{value}");
        debug_assert!(written.is_ok());
    }

    /// `{"lat":..,"lon":..}`; with anything else in it, the object is no place but goes to the rest whole.
    fn place(&mut self, raw: &[u8]) -> Fit {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Place {
            #[serde(alias = "Lat")]
            lat: f64,
            #[serde(alias = "Lon")]
            lon: f64,
        }
        let Ok(place) = serde_json::from_slice::<Place>(raw) else {
            return Fit::Refused;
        };
        if place.lat.abs() > 90.0 || place.lon.abs() > 180.0 {
            return Fit::Refused;
        }
        self.display(format_args!("{{\"lat\":{},\"lon\":{}}}", place.lat, place.lon));
        Fit::Written
    }

    /// Every address that was written, those of the row of its own, and every other one in the record; sorted, each once.
    fn related_ip(&mut self, key: &str, row: Option<usize>) {
        if let Some(row) = row {
            // Only what the row adds to the list of addresses is wanted.
            let start = self.out.len();
            self.row("", row);
            self.out.truncate(start);
        }
        let mut addresses = std::mem::take(&mut self.scratch.addresses);
        let others = self.found.addresses.iter().filter_map(|span| {
            let text = unescape(span.of(self.text))?;
            text.parse::<IpAddr>().ok()
        });
        addresses.extend(others);
        addresses.sort_unstable();
        addresses.dedup();
        if !addresses.is_empty() {
            self.key(key);
            self.out.push(b'[');
            for address in &addresses {
                self.address(*address);
                self.out.push(b',');
            }
            self.out.pop();
            self.out.extend_from_slice(b"],");
        }
        self.scratch.addresses = addresses;
    }
}

/// The numbers of the steps in a set, in order.
fn taken(steps: &Steps) -> impl Iterator<Item = usize> + '_ {
    steps.iter().enumerate().flat_map(|(word, &bits)| {
        let mut left = bits;
        std::iter::from_fn(move || {
            let next = (left != 0).then(|| word * 64 + left.trailing_zeros() as usize);
            left &= left.wrapping_sub(1);
            next
        })
    })
}

/// A whole number, written as such or as text, with or without a fraction of zeros.
fn whole(text: &str) -> Option<i64> {
    if let Ok(number) = text.parse::<i64>() {
        return Some(number);
    }
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let number = text.parse::<f64>().ok()?;
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}
