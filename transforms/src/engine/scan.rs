//! One pass over a record: checks that it is JSON, notes where known values stand, and where unknown ones do.
//!
//! Nothing is copied: a value is a span of the record. What the writer could not copy as it stands is only noticed
//! here ([`Found::unusual`]): escaped or repeated keys, line breaks between tokens, lone surrogates, over-long keys,
//! numbers beyond every double.

mod index;
mod named;
mod tokens;

use self::named::NamedElement;
pub(crate) use self::tokens::is_too_large;
pub(super) use self::{
    index::Index,
    tokens::{is_version, look, unicode_escape},
};
use super::{
    found::{Found, Span, Unknown},
    trie::{Child, Guess, Node, NodeId, Slot, Trie},
};
use crate::policy::redact::Names;

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

/// The record is refused; why is kept beside, because a large answer from every function would cost as much as a string.
struct Stop;

type Scanned<T> = Result<T, Stop>;

/// Walks `text`, which must be UTF-8, along `trie`. `canonical` says that it was rewritten: then nothing is unusual.
///
/// A text that may be one of `names` is noticed too ([`Found::sensitive`]).
pub(super) fn scan(text: &[u8], trie: &Trie, names: &Names, found: &mut Found, canonical: bool) -> Result<(), Fault> {
    start(text, found);
    walk(text, trie, names, found, canonical)
}

/// Forgets the last record and notes the quotes of this one.
pub(super) fn start(text: &[u8], found: &mut Found) {
    found.clear();
    found.index.start(text);
}

/// As [`scan`], after [`start`].
pub(super) fn walk(text: &[u8], trie: &Trie, names: &Names, found: &mut Found, canonical: bool) -> Result<(), Fault> {
    let mut scan = Scan {
        text,
        at: 0,
        quote: 0,
        odd: 0,
        next_odd: 0,
        leaves: 0,
        long: false,
        escaped: false,
        key: Span::default(),
        canonical,
        trie,
        names,
        found,
        fault: None,
    };
    scan.next_odd();
    match scan.record() {
        Ok(()) => Ok(()),
        Err(Stop) => Err(scan.fault.unwrap_or(Fault {
            at: scan.at,
            what: What::Expected("a record"),
        })),
    }
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    /// The next string's opening quote: its place in the index.
    quote: usize,
    /// The next odd byte: its place in the index, and in the text.
    odd: usize,
    next_odd: u32,
    /// Plain values seen so far, `null` left out.
    leaves: u32,
    /// Whether a text above the limit was seen since this was last reset.
    long: bool,
    /// Whether the last string has an escape in it.
    escaped: bool,
    /// The last key that was read: a version such as `1.2.3.4` is no address.
    key: Span,
    canonical: bool,
    trie: &'a Trie,
    names: &'a Names,
    found: &'a mut Found,
    fault: Option<Fault>,
}

impl<'a> Scan<'a> {
    fn record(&mut self) -> Scanned<()> {
        if self.token() != b'{' {
            return Err(self.expected("an object"));
        }
        self.object(Trie::ROOT, 1)?;
        self.token();
        if self.at < self.text.len() {
            return Err(self.expected("the end of the record"));
        }
        Ok(())
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    #[cold]
    fn expected(&mut self, what: &'static str) -> Stop {
        self.stop(self.at, What::Expected(what))
    }

    fn stop(&mut self, at: usize, what: What) -> Stop {
        self.fault = Some(Fault { at, what });
        Stop
    }

    /// The next byte that is no white space; 0 at the end, which no token begins with.
    #[inline]
    fn token(&mut self) -> u8 {
        match self.peek() {
            Some(byte) if byte > b' ' => byte,
            _ => self.token_after_space(),
        }
    }

    #[cold]
    fn token_after_space(&mut self) -> u8 {
        self.space();
        self.peek().unwrap_or(0)
    }

    fn space(&mut self) {
        while let Some(byte @ (b' ' | b'\t' | b'\n' | b'\r')) = self.peek() {
            if matches!(byte, b'\n' | b'\r') {
                self.found.unusual = true;
            }
            self.at += 1;
        }
    }

    /// A value at a known place; it begins with `first`.
    fn known(&mut self, id: NodeId, first: u8, depth: usize) -> Scanned<()> {
        let trie = self.trie;
        let node = trie.node(id);
        match first {
            b'"' if !node.whole => {}
            b'n' => return self.literal(b"null"),
            _ if node.whole => return self.whole(id, first, depth),
            b'{' if node.has_children() => return self.object(id, depth + 1),
            b'[' => return self.elements(depth, |scan, first, depth| scan.known(id, first, depth)),
            _ => {}
        }
        let start = self.at;
        let before = self.leaves;
        self.long = false;
        self.skip(first, depth)?;
        let value = Span::new(start, self.at);
        let leaves = self.leaves - before;
        let of_envelope = node.envelope.filter(|_| self.found.wrapped);
        if let Some(slot) = of_envelope.or(node.slot) {
            self.found.push(slot, value, Span::default(), leaves, self.escaped);
            if node.wrapper && self.found.wrapped {
                self.found.settle_last();
            }
        } else if !(node.wrapper && (node.path.is_empty() || self.found.wrapped)) {
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

    /// A value that is kept in one piece. What paths into it find is in that piece too, so none of it is left for the rest.
    fn whole(&mut self, id: NodeId, first: u8, depth: usize) -> Scanned<()> {
        let (start, before) = (self.at, self.leaves);
        let (hits, unknown) = (self.found.hits.len(), self.found.unknown.len());
        self.parts(id, first, depth)?;
        self.found.unknown.truncate(unknown);
        for hit in &mut self.found.hits[hits..] {
            hit.placed = true;
        }
        if let Some(slot) = self.trie.node(id).slot {
            let value = Span::new(start, self.at);
            self.found
                .push(slot, value, Span::default(), self.leaves - before, true);
        }
        Ok(())
    }

    fn parts(&mut self, id: NodeId, first: u8, depth: usize) -> Scanned<()> {
        match first {
            b'{' if self.trie.node(id).has_children() => self.object(id, depth + 1),
            b'[' => self.elements(depth, |scan, first, depth| scan.parts(id, first, depth)),
            _ => self.skip(first, depth),
        }
    }

    /// An object at a known place; `at` is on its brace.
    fn object(&mut self, id: NodeId, depth: usize) -> Scanned<()> {
        let trie = self.trie;
        let node = trie.node(id);
        let base = self.found.keys.len();
        let mut seen = [0_u64; 4];
        let mut named = NamedElement::default();
        // The record's own object, in an envelope: what was found before it belongs to the envelope.
        if node.wrapper && node.path.is_empty() {
            self.found.enter();
            self.muted(0);
            self.found.bodies += 1;
            self.found.wrapped = true;
        }
        let mut guess = node.guess;
        let mut more = self.open(depth)?;
        while more {
            self.known_member(id, depth, &mut guess, &mut seen, &mut named)?;
            more = self.another()?;
        }
        self.check_keys(base);
        if let Some(choice) = &node.named {
            self.resolve(choice, id, named);
        }
        Ok(())
    }

    /// One member of an object at a known place. `guess` is where it is remembered what came next the last time.
    #[inline]
    fn known_member(
        &mut self,
        id: NodeId,
        depth: usize,
        guess: &mut Guess,
        seen: &mut [u64; 4],
        named: &mut NamedElement,
    ) -> Scanned<()> {
        let trie = self.trie;
        let node = trie.node(id);
        let (first, number, child) = if let Some((first, number, child)) = self.guessed(node, *guess) {
            (first, number, child)
        } else {
            let (key, first) = self.member()?;
            if let Some(choice) = &node.named
                && self.named(choice, key, first, depth, named)?
            {
                return Ok(());
            }
            let Some((number, child)) = trie.find(node, self.text, key) else {
                self.unknown_key(key);
                self.found.keys.push(key);
                return self.unknown(id, key, first, depth);
            };
            self.found.guesses.set(*guess, number);
            (first, number, child)
        };
        *guess = child.guess;
        self.found.sensitive |= child.sensitive;
        let bit = 1 << (number % 64);
        let word = &mut seen[number / 64 % 4];
        if *word & bit != 0 {
            // Either the same key twice, or both spellings of it.
            self.found.unusual |= !self.canonical;
            return self.unknown(id, self.key, first, depth);
        }
        *word |= bit;
        // Once the record was found inside, the envelope's other members say nothing about it.
        if self.found.wrapped && id == Trie::ROOT && !trie.node(child.node).wrapper {
            return self.without_addresses(first, depth);
        }
        // What most members are: a text with a place of its own.
        if first == b'"'
            && let Some(slot) = child.plain
        {
            return self.plain(slot);
        }
        self.known(child.node, first, depth)
    }

    /// The next member, if it is the one that came here the last time: records look alike, and comparing one key takes
    /// a third of reading and finding it. The answer is the value's first byte, and the member's number and place.
    #[inline]
    fn guessed<'n>(&mut self, node: &'n Node, guess: Guess) -> Option<(u8, usize, &'n Child)> {
        // Elements that are chosen by name are asked first; and the index must have both of the key's quotes.
        if node.named.is_some() || self.found.index.quote(self.quote + 1).is_none() {
            return None;
        }
        let number = self.found.guesses.get(guess);
        let child = node.child(number)?;
        let length = self.trie.starts_with(child, self.text.get(self.at..)?)?;
        self.key = Span::new(self.at + 1, self.at + length - 2);
        self.at += length;
        self.quote += 2;
        Some((self.token(), number, child))
    }

    /// A text that is kept in a slot, whatever stands around it.
    #[inline]
    fn plain(&mut self, slot: Slot) -> Scanned<()> {
        let start = self.at;
        self.leaves += 1;
        let text = self.string()?;
        self.look_at(text);
        let value = Span::new(start, self.at);
        self.found.push(slot, value, Span::default(), 1, self.escaped);
        Ok(())
    }

    fn unknown(&mut self, node: NodeId, key: Span, first: u8, depth: usize) -> Scanned<()> {
        let start = self.at;
        let before = self.leaves;
        let addresses = self.found.addresses.len();
        self.long = false;
        self.skip(first, depth)?;
        let inside = self.trie.node(node);
        let of_envelope = self.found.wrapped && (node == Trie::ROOT || (inside.wrapper && !inside.path.is_empty()));
        if of_envelope {
            self.found.addresses.truncate(addresses);
            self.muted(start);
        }
        if first != b'n' && !of_envelope {
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

    /// Skips a value whose addresses are not the record's.
    fn without_addresses(&mut self, first: u8, depth: usize) -> Scanned<()> {
        let (start, addresses) = (self.at, self.found.addresses.len());
        self.skip(first, depth)?;
        self.found.addresses.truncate(addresses);
        self.muted(start);
        Ok(())
    }

    /// No address since `start` is the record's.
    #[inline]
    fn muted(&mut self, start: usize) {
        if self.found.trace.on {
            self.found.trace.mute.push(Span::new(start, self.at));
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        Names::new(&[]).expect("no names")
    }

    #[test]
    fn texts_may_be_longer_than_what_is_looked_at_together() {
        let mut trie = Trie::new(false);
        trie.add("a");
        trie.add("b");
        trie.finish(&names());
        let mut found = Found::new(&trie);
        let lengths = [
            0, 1, 60, 8_170, 8_180, 8_184, 8_185, 8_186, 8_187, 8_190, 16_370, 16_380, 20_000,
        ];
        for (a, b) in lengths.iter().flat_map(|a| lengths.iter().map(move |b| (*a, *b))) {
            let text = format!(r#"{{"a":"{}","b":"{}","c":"é"}}"#, "x".repeat(a), "y".repeat(b));
            let scanned = scan(text.as_bytes(), &trie, &names(), &mut found, false);
            assert_eq!(scanned, Ok(()), "{a} {b}");
            let spans: Vec<_> = found
                .hits
                .iter()
                .map(|hit| (hit.value.end - hit.value.start) as usize)
                .collect();
            assert_eq!(spans, [a + 2, b + 2]);
            assert_eq!(found.unknown[0].value.of(text.as_bytes()), "\"é\"".as_bytes());
            let cut = &text.as_bytes()[..text.len() - 2];
            let fault = scan(cut, &trie, &names(), &mut found, false).expect_err("cut short");
            assert_eq!(fault.at, cut.len(), "{a} {b}");
        }
    }

    #[test]
    fn a_member_is_found_whether_or_not_it_came_where_it_did_before() {
        let mut trie = Trie::new(true);
        for path in ["id", "type", "service.a", "service.anActionWithALongName", "region"] {
            trie.add(path);
        }
        trie.finish(&names());
        let mut found = Found::new(&trie);
        for _ in 0..2 {
            for text in [
                r#"{"id":"1","Type":"2","service":{"a":"3","anActionWithALongName":"4"},"region":"5"}"#,
                r#"{"type":"2","Id":"1","region":"5","service":{"AnActionWithALongName":"4","A":"3"}}"#,
                r#"{"ID":"0","region":"5","id":"1","types":"0","type":"2","service":{"anActionWithALongNames":"0","anActionWithALongName":"4","a":"3"}}"#,
            ] {
                assert_eq!(scan(text.as_bytes(), &trie, &names(), &mut found, false), Ok(()));
                let mut values: Vec<_> = found.hits.iter().map(|hit| hit.value.text(text)).collect();
                values.sort_unstable();
                assert_eq!(values, ["\"1\"", "\"2\"", "\"3\"", "\"4\"", "\"5\""], "{text}");
                assert!(!found.unusual);
            }
        }
        let twice = br#"{"id":"1","type":"2","id":"3"}"#;
        assert_eq!(scan(twice, &trie, &names(), &mut found, false), Ok(()));
        assert!(found.unusual);
    }
}
