//! One pass over a record: checks that it is JSON, notes where known values stand, and where unknown ones do.
//!
//! Nothing is copied: a value is a span of the record. What the writer could not copy as it stands is only noticed
//! here ([`Found::unusual`]): escaped or repeated keys, line breaks between tokens, lone surrogates, over-long keys,
//! numbers beyond every double.

use wide::u8x16;

use super::{
    DEPTH_LIMIT, KEY_LIMIT,
    trie::{Named, Node, NodeId, Slot, Trie},
};
use crate::document::KEYWORD_LIMIT;

/// "No hit" in the lists of hits.
pub(super) const NONE: u32 = u32::MAX;

/// Part of the record, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Span {
    fn new(start: usize, end: usize) -> Self {
        // A record is at most RECORD_LIMIT long, so both fit.
        Self {
            start: start as u32,
            end: end as u32,
        }
    }

    pub(super) fn of(self, text: &[u8]) -> &[u8] {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// A value that stands where a path of the table points.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit {
    pub(super) value: Span,
    /// For elements chosen by name: the name's inside, without quotes.
    pub(super) name: Span,
    pub(super) slot: Slot,
    /// The next hit of the same slot.
    pub(super) next: u32,
    pub(super) placed: bool,
    pub(super) leaves: u32,
}

/// A value that no path points to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unknown {
    pub(super) node: NodeId,
    pub(super) key: Span,
    pub(super) value: Span,
    pub(super) leaves: u32,
    /// Whether a text inside is over the limit for a leaf.
    pub(super) long: bool,
}

/// What one pass found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) hits: Vec<Hit>,
    pub(super) unknown: Vec<Unknown>,
    /// Records inside an envelope, if there was one.
    pub(super) bodies: u32,
    pub(super) wrapped: bool,
    /// Whether the record has to be rewritten before it can be mapped.
    pub(super) unusual: bool,
    heads: Vec<u32>,
    tails: Vec<u32>,
    keys: Vec<Span>,
}

impl Found {
    pub(super) fn new(slots: usize) -> Self {
        Self {
            heads: vec![NONE; slots],
            tails: vec![NONE; slots],
            ..Self::default()
        }
    }

    /// The first hit of a slot, or [`NONE`].
    pub(super) fn head(&self, slot: Slot) -> u32 {
        self.heads[usize::from(slot)]
    }

    /// All hits of a slot, with their numbers.
    pub(super) fn hits_of(&self, slot: Slot) -> impl Iterator<Item = (usize, Hit)> + '_ {
        let mut at = self.head(slot);
        std::iter::from_fn(move || {
            let number = at as usize;
            let hit = *self.hits.get(number)?;
            at = hit.next;
            Some((number, hit))
        })
    }

    fn clear(&mut self) {
        self.forget();
        self.keys.clear();
        self.bodies = 0;
        self.wrapped = false;
        self.unusual = false;
    }

    /// Drops what was found so far: it stood in the envelope.
    fn forget(&mut self) {
        for hit in &self.hits {
            self.heads[usize::from(hit.slot)] = NONE;
        }
        self.hits.clear();
        self.unknown.clear();
    }

    fn push(&mut self, slot: Slot, value: Span, name: Span, leaves: u32) {
        let number = self.hits.len() as u32;
        let at = usize::from(slot);
        if self.heads[at] == NONE {
            self.heads[at] = number;
        } else {
            self.hits[self.tails[at] as usize].next = number;
        }
        self.tails[at] = number;
        self.hits.push(Hit {
            value,
            name,
            slot,
            next: NONE,
            placed: false,
            leaves,
        });
    }
}

/// Why a record is no JSON that is read here, and at which byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Expected(&'static str),
    TooDeep,
}

type Scanned<T> = Result<T, Fault>;

/// Walks `text`, which must be UTF-8, along `trie`. `canonical` says that it was rewritten: then nothing is unusual.
pub(super) fn scan(text: &[u8], trie: &Trie, found: &mut Found, canonical: bool) -> Scanned<()> {
    found.clear();
    let mut scan = Scan {
        text,
        at: 0,
        leaves: 0,
        long: false,
        escaped: false,
        canonical,
        trie,
        found,
    };
    scan.space();
    if scan.peek() != Some(b'{') {
        return Err(scan.expected("an object"));
    }
    scan.object(Trie::ROOT, 1)?;
    scan.space();
    if scan.at < text.len() {
        return Err(scan.expected("the end of the record"));
    }
    Ok(())
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    /// Plain values seen so far, `null` left out.
    leaves: u32,
    /// Whether a text above the limit was seen since this was last reset.
    long: bool,
    /// Whether an escape was seen since this was last reset.
    escaped: bool,
    canonical: bool,
    trie: &'a Trie,
    found: &'a mut Found,
}

impl<'a> Scan<'a> {
    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn expected(&self, what: &'static str) -> Fault {
        Fault {
            at: self.at,
            what: What::Expected(what),
        }
    }

    #[inline]
    fn space(&mut self) {
        while let Some(byte @ (b' ' | b'\t' | b'\n' | b'\r')) = self.peek() {
            if matches!(byte, b'\n' | b'\r') {
                self.found.unusual = true;
            }
            self.at += 1;
        }
    }

    /// A value at a known place.
    fn known(&mut self, id: NodeId, depth: usize) -> Scanned<()> {
        let trie = self.trie;
        let node = trie.node(id);
        match self.peek() {
            Some(b'{') if node.has_children() => self.object(id, depth + 1),
            Some(b'[') => self.elements(depth, |scan, depth| scan.known(id, depth)),
            Some(b'n') => self.literal(b"null"),
            _ => {
                let start = self.at;
                let before = self.leaves;
                self.long = false;
                self.skip(depth)?;
                let value = Span::new(start, self.at);
                let leaves = self.leaves - before;
                if let Some(slot) = node.slot {
                    self.found.push(slot, value, Span::default(), leaves);
                } else if !node.wrapper {
                    self.found.unknown.push(Unknown {
                        node: id,
                        key: Span::default(),
                        value,
                        leaves,
                        long: self.long,
                    });
                }
                Ok(())
            }
        }
    }

    /// An object at a known place; `at` is on its brace.
    fn object(&mut self, id: NodeId, depth: usize) -> Scanned<()> {
        let trie = self.trie;
        let node = trie.node(id);
        let base = self.found.keys.len();
        let mut seen = 0_u128;
        let mut named = NamedElement::default();
        // The record's own object, in an envelope: what was found before it belongs to the envelope.
        if node.wrapper && node.path.is_empty() {
            self.found.forget();
            self.found.bodies += 1;
            self.found.wrapped = true;
        }
        self.members(depth, |scan, key, depth| {
            if let Some(choice) = &node.named {
                if scan.named(choice, node, key, depth, &mut named)? {
                    return Ok(());
                }
            }
            let Some((number, child)) = trie.child(node, key.of(scan.text)) else {
                scan.found.keys.push(key);
                return scan.unknown(id, key, depth);
            };
            let bit = 1_u128 << (number & 127);
            if seen & bit != 0 {
                // Either the same key twice, or both spellings of it.
                scan.found.unusual |= !scan.canonical;
                return scan.unknown(id, key, depth);
            }
            seen |= bit;
            // Once the record was found inside, the envelope's other members say nothing about it.
            if scan.found.wrapped && id == Trie::ROOT && !trie.node(child).wrapper {
                return scan.skip(depth);
            }
            scan.known(child, depth)
        })?;
        self.check_keys(base);
        if let Some(choice) = &node.named {
            self.resolve(choice, id, named);
        }
        Ok(())
    }

    fn unknown(&mut self, node: NodeId, key: Span, depth: usize) -> Scanned<()> {
        let start = self.at;
        let before = self.leaves;
        self.long = false;
        self.skip(depth)?;
        let inside = self.trie.node(node);
        let of_envelope = (inside.wrapper && !inside.path.is_empty()) || (self.found.wrapped && node == Trie::ROOT);
        if self.text.get(start) != Some(&b'n') && !of_envelope {
            self.found.unknown.push(Unknown {
                node,
                key,
                value: Span::new(start, self.at),
                leaves: self.leaves - before,
                long: self.long,
            });
        }
        Ok(())
    }

    /// One member of an element that is chosen by name; the answer is whether it was its name or value.
    fn named(
        &mut self,
        choice: &Named,
        node: &Node,
        key: Span,
        depth: usize,
        element: &mut NamedElement,
    ) -> Scanned<bool> {
        let is_name = key.of(self.text) == choice.key.as_bytes();
        let is_value = key.of(self.text) == choice.value.as_bytes();
        let start = self.at;
        if is_name && element.name.is_none() && self.peek() == Some(b'"') {
            self.skip(depth)?;
            let inside = Span::new(start + 1, self.at - 1);
            element.name = Some(inside);
            if let Some(slot) = self
                .trie
                .child(node, choice.key.as_bytes())
                .and_then(|(_, id)| self.trie.node(id).slot)
            {
                self.found.push(slot, Span::new(start, self.at), Span::default(), 1);
            }
        } else if is_value && element.value.is_none() && self.peek() != Some(b'n') {
            let before = self.leaves;
            self.long = false;
            self.skip(depth)?;
            element.value = Some((key, Span::new(start, self.at), self.leaves - before, self.long));
        } else if is_name || is_value {
            self.found.unusual |=
                !self.canonical && (element.name.is_some() && is_name || element.value.is_some() && is_value);
            return Ok(false);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn resolve(&mut self, choice: &Named, node: NodeId, element: NamedElement) {
        let Some((key, value, leaves, long)) = element.value else {
            return;
        };
        let name = element.name.filter(|name| name.start < name.end);
        match name.and_then(|name| Some((name, choice.slot(name.of(self.text))?))) {
            Some((name, slot)) => self.found.push(slot, value, name, leaves),
            None => self.found.unknown.push(Unknown {
                node,
                key,
                value,
                leaves,
                long,
            }),
        }
    }

    /// Notices repeated keys among those pushed since `base`, and takes them off again.
    fn check_keys(&mut self, base: usize) {
        let text = self.text;
        let keys = &mut self.found.keys[base..];
        let repeated = match keys.len() {
            0 | 1 => false,
            2..=8 => keys
                .iter()
                .enumerate()
                .any(|(number, key)| keys[number + 1..].iter().any(|other| other.of(text) == key.of(text))),
            _ => {
                keys.sort_unstable_by(|a, b| a.of(text).cmp(b.of(text)));
                keys.windows(2).any(|pair| pair[0].of(text) == pair[1].of(text))
            }
        };
        self.found.unusual |= repeated;
        self.found.keys.truncate(base);
    }

    /// Any value: checked, counted, not kept.
    fn skip(&mut self, depth: usize) -> Scanned<()> {
        match self.peek() {
            Some(b'"') => {
                self.leaves += 1;
                let text = self.string()?;
                self.long |= (text.end - text.start) as usize > KEYWORD_LIMIT;
                Ok(())
            }
            Some(b'{') => {
                let base = self.found.keys.len();
                self.members(depth + 1, |scan, key, depth| {
                    scan.found.keys.push(key);
                    scan.skip(depth)
                })?;
                self.check_keys(base);
                Ok(())
            }
            Some(b'[') => self.elements(depth, Self::skip),
            Some(b'n') => self.literal(b"null"),
            Some(b't') => self.counted(b"true"),
            Some(b'f') => self.counted(b"false"),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.expected("a value")),
        }
    }

    /// The members of an object; `each` is called with the key's inside and `at` on the value.
    #[inline]
    fn members(&mut self, depth: usize, mut each: impl FnMut(&mut Self, Span, usize) -> Scanned<()>) -> Scanned<()> {
        self.deeper(depth)?;
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.expected("a key in double quotes"));
            }
            self.escaped = false;
            let key = self.string()?;
            self.found.unusual |= self.escaped || (key.end - key.start) as usize > KEY_LIMIT;
            self.space();
            if self.peek() != Some(b':') {
                return Err(self.expected("`:`"));
            }
            self.at += 1;
            self.space();
            each(self, key, depth)?;
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(self.expected("`,` or `}`")),
            }
            self.space();
        }
        self.at += 1;
        Ok(())
    }

    #[inline]
    fn elements(&mut self, depth: usize, mut each: impl FnMut(&mut Self, usize) -> Scanned<()>) -> Scanned<()> {
        self.deeper(depth + 1)?;
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            each(self, depth + 1)?;
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return Err(self.expected("`,` or `]`")),
            }
            self.space();
        }
        self.at += 1;
        Ok(())
    }

    fn deeper(&mut self, depth: usize) -> Scanned<()> {
        if depth > DEPTH_LIMIT {
            return Err(Fault {
                at: self.at,
                what: What::TooDeep,
            });
        }
        self.at += 1;
        Ok(())
    }

    /// A string; `at` is on its opening quote, and then after the closing one. The span is its inside.
    #[inline]
    fn string(&mut self) -> Scanned<Span> {
        let start = self.at + 1;
        let mut at = start;
        loop {
            at = find_special(self.text, at);
            match self.text.get(at) {
                Some(b'"') => break,
                Some(b'\\') => at = self.escape(at)?,
                _ => {
                    self.at = at;
                    return Err(self.expected("a closing quote; control characters must be escaped"));
                }
            }
        }
        self.at = at + 1;
        Ok(Span::new(start, at))
    }

    /// An escape at `at`; the answer is where the text goes on.
    #[cold]
    fn escape(&mut self, at: usize) -> Scanned<usize> {
        self.escaped = true;
        let fault = Fault {
            at,
            what: What::Expected("an escape that JSON knows"),
        };
        match self.text.get(at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
            Some(b'u') => {
                let unit = unicode_escape(self.text, at).ok_or(fault)?;
                match unit {
                    0xd800..=0xdbff => match unicode_escape(self.text, at + 6) {
                        Some(0xdc00..=0xdfff) => return Ok(at + 12),
                        _ => self.found.unusual = true,
                    },
                    0xdc00..=0xdfff => self.found.unusual = true,
                    _ => {}
                }
                Ok(at + 6)
            }
            _ => Err(fault),
        }
    }

    fn counted(&mut self, word: &'static [u8]) -> Scanned<()> {
        self.leaves += 1;
        self.literal(word)
    }

    fn literal(&mut self, word: &'static [u8]) -> Scanned<()> {
        if self.text[self.at..].starts_with(word) {
            self.at += word.len();
            return Ok(());
        }
        Err(self.expected("a value"))
    }

    fn number(&mut self) -> Scanned<()> {
        self.leaves += 1;
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        let exponent = matches!(self.peek(), Some(b'e' | b'E'));
        if exponent {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        // Readers that hold numbers as doubles refuse what is larger than any.
        if exponent || self.at - start > 300 {
            self.found.unusual |= is_too_large(&self.text[start..self.at]);
        }
        Ok(())
    }

    fn digits(&mut self) -> Scanned<()> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start {
            return Err(self.expected("a digit"));
        }
        Ok(())
    }
}

/// Name and value of an element that is chosen by name, while it is read.
#[derive(Default)]
struct NamedElement {
    name: Option<Span>,
    value: Option<(Span, Span, u32, bool)>,
}

/// Whether a number is beyond the range of a double.
pub(super) fn is_too_large(number: &[u8]) -> bool {
    let number = std::str::from_utf8(number)
        .ok()
        .and_then(|text| text.parse::<f64>().ok());
    !number.is_some_and(f64::is_finite)
}

/// The code unit of `\uXXXX` at `at`.
pub(super) fn unicode_escape(text: &[u8], at: usize) -> Option<u32> {
    let [b'\\', b'u', digits @ ..] = text.get(at..at + 6)? else {
        return None;
    };
    digits
        .iter()
        .try_fold(0, |unit, &digit| Some(unit * 16 + char::from(digit).to_digit(16)?))
}

/// The next quote, backslash or control character at or after `at`, or the end of the text.
#[inline]
fn find_special(text: &[u8], mut at: usize) -> usize {
    let quote = u8x16::splat(b'"');
    let backslash = u8x16::splat(b'\\');
    let control = u8x16::splat(0x1f);
    while let Some(chunk) = text.get(at..).and_then(|rest| rest.first_chunk::<16>()) {
        let chunk = u8x16::new(*chunk);
        let special = chunk.simd_eq(quote) | chunk.simd_eq(backslash) | chunk.min(control).simd_eq(chunk);
        let mask = special.to_bitmask();
        if mask != 0 {
            return at + mask.trailing_zeros() as usize;
        }
        at += 16;
    }
    while let Some(&byte) = text.get(at) {
        if byte < 0x20 || byte == b'"' || byte == b'\\' {
            return at;
        }
        at += 1;
    }
    at
}
