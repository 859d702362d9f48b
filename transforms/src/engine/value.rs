//! Reading what the scanner found, and adding what a source derives from it.

use std::{
    borrow::Cow,
    fmt::{Display, Write as _},
    ops::Range,
};

use super::{
    RowId,
    found::{Found, Hit, NONE, Span},
    scan::unicode_escape,
    shape::View,
    table::Table,
    trie::Slot,
    write::SHORT,
};
use crate::proxies::TrustedProxies;

/// The values of one record, by the row of the table that names where they stand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'a> {
    pub(super) text: &'a str,
    pub(super) table: &'a Table,
    pub(super) values: Values<'a>,
    pub(super) proxies: Option<&'a TrustedProxies>,
}

/// Where the values of a record are known from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Values<'a> {
    /// A scan.
    Found(&'a Found),
    /// The record's shape.
    Shape(View<'a>),
}

impl<'a> Input<'a> {
    /// The proxies whose word about the client is believed, if any are configured.
    pub(crate) fn trusted_proxies(&self) -> Option<&'a TrustedProxies> {
        self.proxies
    }

    /// The row's first value as text; numbers and booleans as they are written. Empty text counts as absent.
    #[inline]
    pub(crate) fn text(&self, row: RowId) -> Option<Cow<'a, str>> {
        match self.values {
            Values::Found(_) => self.texts(row).next(),
            Values::Shape(view) => {
                let (inside, escaped, _) = view.first(row)?;
                match escaped {
                    true => unescape(inside.of(self.text.as_bytes())),
                    false => Some(Cow::Borrowed(inside.text(self.text))),
                }
            }
        }
    }

    /// All values of the row as text.
    #[inline]
    pub(crate) fn texts(&self, row: RowId) -> impl Iterator<Item = Cow<'a, str>> + use<'a> {
        self.numbered(row).map(|(_, text)| text)
    }

    /// All values of the row as text, with the numbers of their hits.
    #[inline]
    pub(super) fn numbered(&self, row: RowId) -> impl Iterator<Item = (usize, Cow<'a, str>)> + use<'a> {
        let text = self.text;
        self.hits(row)
            .filter_map(move |(number, value, escaped)| Some((number, plain(value.text(text), escaped)?)))
            .filter(|(_, text)| !text.is_empty())
    }

    #[inline]
    fn hits(&self, row: RowId) -> Hits<'a> {
        let slots = self.slots(row).iter();
        match self.values {
            Values::Found(found) => Hits::Found { found, slots, at: NONE },
            Values::Shape(view) => Hits::Shape {
                view,
                numbers: view.of_row(row).iter(),
            },
        }
    }

    /// Whether the record has any value at the row's paths, whatever its type.
    #[inline]
    pub(crate) fn has(&self, row: RowId) -> bool {
        match self.values {
            Values::Found(found) => self.slots(row).iter().any(|&slot| found.head(slot) != NONE),
            Values::Shape(view) => !view.of_row(row).is_empty(),
        }
    }

    #[inline]
    fn slots(&self, row: RowId) -> &'a [Slot] {
        self.table.rows.get(row.0).map_or(&[], |row| &row.slots)
    }
}

/// The hits of one row, with their numbers.
enum Hits<'a> {
    Found {
        found: &'a Found,
        slots: std::slice::Iter<'a, Slot>,
        /// The next hit of the slot that came last.
        at: u32,
    },
    Shape {
        view: View<'a>,
        numbers: std::slice::Iter<'a, u16>,
    },
}

impl Iterator for Hits<'_> {
    /// The hit's number, where its value stands, and whether there are escapes in it.
    type Item = (usize, Span, bool);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Hits::Found { found, slots, at } => loop {
                let number = *at as usize;
                if let Some(hit) = found.hits.get(number) {
                    *at = hit.next;
                    return Some((number, hit.value, hit.escaped));
                }
                *at = found.head(*slots.next()?);
            },
            Hits::Shape { view, numbers } => {
                let number = usize::from(*numbers.next()?);
                let (value, escaped) = view.text(number)?;
                Some((number, value, escaped))
            }
        }
    }
}

/// What a source says itself, instead of what stands at the row's paths.
#[derive(Debug, Default)]
pub(crate) struct Derived {
    text: String,
    values: Vec<Value>,
    /// By row.
    said: Vec<Said>,
    saying: Vec<Saying>,
    pub(super) swapped: bool,
}

/// Of which row a value is, what becomes of the row's own, and whether it is empty, in one number.
pub(super) type Saying = u32;

#[derive(Debug)]
struct Value {
    row: usize,
    /// Where it stands in the text.
    place: Range<usize>,
    /// The next one of the row.
    next: u32,
}

/// What is said of a row.
#[derive(Clone, Copy, Debug)]
struct Said {
    own: Own,
    /// The row's first value and the last one.
    first: u32,
    last: u32,
}

impl Default for Said {
    fn default() -> Self {
        let own = Own::Written;
        let (first, last) = (NONE, NONE);
        Self { own, first, last }
    }
}

/// What becomes of the values that stand at a row's paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own {
    Written,
    /// Written after those that the source added.
    Joined,
    /// Not written: the source says something else instead.
    Replaced,
}

impl Derived {
    pub(super) fn clear(&mut self, rows: usize) {
        for value in self.values.drain(..) {
            if let Some(said) = self.said.get_mut(value.row) {
                *said = Said::default();
            }
        }
        self.said.resize_with(rows, Said::default);
        self.saying.clear();
        self.text.clear();
        self.swapped = false;
    }

    /// Replaces the row's values by `value`; once more adds a second one. The value still has to fit the row's type.
    pub(crate) fn set(&mut self, row: RowId, value: &str) {
        self.push(row, &[value], Own::Replaced);
    }

    /// As [`Derived::set`], with ASCII letters in lower case.
    pub(crate) fn set_lowercase(&mut self, row: RowId, value: &str) {
        let start = self.text.len();
        self.text.push_str(value);
        if let Some(text) = self.text.get_mut(start..) {
            text.make_ascii_lowercase();
        }
        self.pushed(row, start, Own::Replaced);
    }

    /// As [`Derived::set`], with a value of several parts.
    pub(crate) fn set_parts(&mut self, row: RowId, parts: &[&str]) {
        self.push(row, parts, Own::Replaced);
    }

    /// Adds `value` to the row's own values. It still has to fit the row's type.
    pub(crate) fn add(&mut self, row: RowId, value: &str) {
        self.push(row, &[value], Own::Joined);
    }

    #[inline]
    fn push(&mut self, row: RowId, parts: &[&str], then: Own) {
        let start = self.text.len();
        for part in parts {
            self.text.push_str(part);
        }
        self.pushed(row, start, then);
    }

    /// As [`Derived::set`], with the text that `value` shows.
    pub(crate) fn set_display(&mut self, row: RowId, value: impl Display) {
        let start = self.text.len();
        // Writing to a String cannot fail.
        let written = write!(self.text, "{value}");
        debug_assert!(written.is_ok());
        self.pushed(row, start, Own::Replaced);
    }

    fn pushed(&mut self, row: RowId, start: usize, then: Own) {
        let number = self.values.len() as u32;
        let Some(said) = self.said.get_mut(row.0) else {
            return;
        };
        match self.values.get_mut(said.last as usize) {
            Some(last) => last.next = number,
            None => said.first = number,
        }
        said.last = number;
        if said.own != Own::Replaced {
            said.own = then;
        }
        let is_empty = start == self.text.len();
        let is_added = then == Own::Joined;
        self.saying
            .push((row.0 as Saying) << 2 | Saying::from(is_added) << 1 | Saying::from(is_empty));
        self.values.push(Value {
            row: row.0,
            place: start..self.text.len(),
            next: NONE,
        });
    }

    /// To be called when all is said: makes room behind the text, so that as much of it as fits a register is there.
    #[inline]
    pub(super) fn finish(&mut self) {
        const ROOM: &str = "                                ";
        const { assert!(ROOM.len() == SHORT) };
        self.text.push_str(ROOM);
    }

    /// Writes what the record says of the source under `destination`, and the other way round.
    pub(crate) fn swap_ends(&mut self) {
        self.swapped = true;
    }

    #[inline]
    pub(super) fn own(&self, row: usize) -> Own {
        self.said.get(row).map_or(Own::Written, |said| said.own)
    }

    /// What is said, but for the words: the same for two documents that have the same of it in the same order.
    #[inline]
    pub(super) fn saying(&self) -> &[Saying] {
        &self.saying
    }

    /// All that is said, one after another.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Where in the text a value stands, by its number.
    #[inline]
    pub(super) fn place(&self, number: usize) -> Option<&Range<usize>> {
        self.values.get(number).map(|value| &value.place)
    }

    /// The numbers of the row's values.
    pub(super) fn numbers(&self, row: usize) -> impl Iterator<Item = usize> {
        let values = self.values.iter().enumerate();
        values
            .filter(move |(_, value)| value.row == row)
            .map(|(number, _)| number)
    }

    /// The number of the row's value, if there is exactly one.
    pub(super) fn number(&self, row: usize) -> Option<usize> {
        let number = self.said.get(row)?.first as usize;
        (self.values.get(number)?.next == NONE).then_some(number)
    }

    /// The rows to which the source added values.
    pub(super) fn rows(&self) -> impl Iterator<Item = usize> {
        self.values.iter().map(|value| value.row)
    }

    /// The row's value, if there is exactly one.
    #[inline]
    pub(super) fn only(&self, row: usize) -> Option<&str> {
        self.text.get(self.place(self.number(row)?)?.clone())
    }

    pub(super) fn values(&self, row: usize) -> impl Iterator<Item = &str> {
        let mut at = self.said.get(row).map_or(NONE, |said| said.first);
        std::iter::from_fn(move || {
            let value = self.values.get(at as usize)?;
            at = value.next;
            self.text.get(value.place.clone())
        })
    }
}

impl Hit {
    /// The value in the record.
    #[inline]
    pub(super) fn raw<'t>(&self, text: &'t str) -> &'t str {
        self.value.text(text)
    }
}

/// As [`plain_text`], where it is known that there are no escapes.
#[inline]
pub(super) fn plain(raw: &str, escaped: bool) -> Option<Cow<'_, str>> {
    match raw.as_bytes() {
        [b'"', inside @ .., b'"'] if escaped => unescape(inside),
        [b'"', .., b'"'] => raw.get(1..raw.len() - 1).map(Cow::Borrowed),
        [b'{' | b'[', ..] | [] => None,
        _ => Some(Cow::Borrowed(raw)),
    }
}

/// A plain JSON value as text: a string without quotes and escapes, a number or boolean as written. Not for objects.
pub(crate) fn plain_text(raw: &[u8]) -> Option<Cow<'_, str>> {
    match raw {
        [b'"', inside @ .., b'"'] => unescape(inside),
        [b'{' | b'[', ..] | [] => None,
        _ => std::str::from_utf8(raw).ok().map(Cow::Borrowed),
    }
}

/// The inside of a JSON string without its escapes; a lone surrogate becomes U+FFFD.
pub(crate) fn unescape(inside: &[u8]) -> Option<Cow<'_, str>> {
    let text = std::str::from_utf8(inside).ok()?;
    if memchr::memchr(b'\\', inside).is_none() {
        return Some(Cow::Borrowed(text));
    }
    let mut plain = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(offset) = memchr::memchr(b'\\', inside.get(at..)?) {
        plain.push_str(text.get(at..at + offset)?);
        at += offset;
        let (character, length) = escaped_char(inside, at)?;
        plain.push(character);
        at += length;
    }
    plain.push_str(text.get(at..)?);
    Some(Cow::Owned(plain))
}

/// As [`unescape`], for a name that is compared: what cannot be read stays as it is written.
pub(crate) fn spelled_out(name: &[u8]) -> Cow<'_, [u8]> {
    match unescape(name) {
        Some(Cow::Owned(plain)) => Cow::Owned(plain.into_bytes()),
        _ => Cow::Borrowed(name),
    }
}

/// The character of the escape at `at`, and how long the escape is.
pub(super) fn escaped_char(inside: &[u8], at: usize) -> Option<(char, usize)> {
    let character = match inside.get(at + 1)? {
        b'u' => {
            let unit = unicode_escape(inside, at)?;
            if let 0xd800..=0xdbff = unit
                && let Some(low @ 0xdc00..=0xdfff) = unicode_escape(inside, at + 6)
            {
                let character = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                return Some((char::from_u32(character)?, 12));
            }
            return Some((char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER), 6));
        }
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        &other => char::from(other),
    };
    Some((character, 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read_as_serde_json_reads_them() {
        for inside in [
            r"plain",
            r#"\"\\\/\b\f\n\r\t"#,
            r"\u00fc\u2603",
            r"\ud834\udd1e end",
            "ünïcode",
        ] {
            let expected: String = serde_json::from_str(&format!("\"{inside}\"")).expect("valid JSON");
            assert_eq!(unescape(inside.as_bytes()).as_deref(), Some(expected.as_str()));
        }
    }

    #[test]
    fn a_lone_surrogate_becomes_the_replacement_character() {
        assert_eq!(unescape(br"a\ud800b").as_deref(), Some("a\u{fffd}b"));
        assert_eq!(unescape(br"\udc00\ud800\u0041").as_deref(), Some("\u{fffd}\u{fffd}A"));
    }
}
