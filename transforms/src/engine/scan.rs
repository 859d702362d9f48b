//! One pass over a record: checks that it is JSON, notes where known values stand, and where unknown ones do.
//!
//! Nothing is copied: a value is a span of the record. What the writer could not copy as it stands is only noticed
//! here ([`Found::unusual`]): escaped or repeated keys, line breaks between tokens, lone surrogates, over-long keys,
//! numbers beyond every double.

mod tokens;

pub(crate) use self::tokens::is_too_large;
pub(super) use self::tokens::unicode_escape;
use super::{
    found::{Found, Span, Unknown},
    trie::{Named, Node, NodeId, Trie},
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

type Scanned<T> = Result<T, Fault>;

/// Walks `text`, which must be UTF-8, along `trie`. `canonical` says that it was rewritten: then nothing is unusual.
///
/// A text that may be one of `names` is noticed too ([`Found::sensitive`]).
pub(super) fn scan(text: &[u8], trie: &Trie, names: &Names, found: &mut Found, canonical: bool) -> Scanned<()> {
    found.clear();
    let mut scan = Scan {
        text,
        at: 0,
        leaves: 0,
        long: false,
        escaped: false,
        key: Span::default(),
        canonical,
        trie,
        names,
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
    /// The last key that was read: a version such as `1.2.3.4` is no address.
    key: Span,
    canonical: bool,
    trie: &'a Trie,
    names: &'a Names,
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
            Some(b'n') => self.literal(b"null"),
            _ if node.whole => self.whole(id, depth),
            Some(b'{') if node.has_children() => self.object(id, depth + 1),
            Some(b'[') => self.elements(depth, |scan, depth| scan.known(id, depth)),
            _ => {
                let start = self.at;
                let before = self.leaves;
                self.long = false;
                self.skip(depth)?;
                let value = Span::new(start, self.at);
                let leaves = self.leaves - before;
                let of_envelope = node.envelope.filter(|_| self.found.wrapped);
                if let Some(slot) = of_envelope.or(node.slot) {
                    self.found.push(slot, value, Span::default(), leaves);
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
        }
    }

    /// A value that is kept in one piece. What paths into it find is in that piece too, so none of it is left for the rest.
    fn whole(&mut self, id: NodeId, depth: usize) -> Scanned<()> {
        let (start, before) = (self.at, self.leaves);
        let (hits, unknown) = (self.found.hits.len(), self.found.unknown.len());
        self.parts(id, depth)?;
        self.found.unknown.truncate(unknown);
        for hit in &mut self.found.hits[hits..] {
            hit.placed = true;
        }
        if let Some(slot) = self.trie.node(id).slot {
            let value = Span::new(start, self.at);
            self.found.push(slot, value, Span::default(), self.leaves - before);
        }
        Ok(())
    }

    fn parts(&mut self, id: NodeId, depth: usize) -> Scanned<()> {
        match self.peek() {
            Some(b'{') if self.trie.node(id).has_children() => self.object(id, depth + 1),
            Some(b'[') => self.elements(depth, |scan, depth| scan.parts(id, depth)),
            _ => self.skip(depth),
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
            self.found.enter();
            self.found.bodies += 1;
            self.found.wrapped = true;
        }
        self.members(depth, |scan, key, depth| {
            if let Some(choice) = &node.named
                && scan.named(choice, node, key, depth, &mut named)?
            {
                return Ok(());
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
                return scan.without_addresses(depth);
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
        let addresses = self.found.addresses.len();
        self.long = false;
        self.skip(depth)?;
        let inside = self.trie.node(node);
        let of_envelope = self.found.wrapped && (node == Trie::ROOT || (inside.wrapper && !inside.path.is_empty()));
        if of_envelope {
            self.found.addresses.truncate(addresses);
        }
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
        // What stands in such an element, a request's header for instance, is what a client claims.
        if is_name && element.name.is_none() && self.peek() == Some(b'"') {
            self.without_addresses(depth)?;
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
            self.without_addresses(depth)?;
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

    /// Skips a value whose addresses are not the record's.
    fn without_addresses(&mut self, depth: usize) -> Scanned<()> {
        let addresses = self.found.addresses.len();
        self.skip(depth)?;
        self.found.addresses.truncate(addresses);
        Ok(())
    }

    fn resolve(&mut self, choice: &Named, node: NodeId, NamedElement { name, value }: NamedElement) {
        let Some((key, value, leaves, long)) = value else {
            return;
        };
        let name = name.filter(|name| name.start < name.end);
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
}

/// Name and value of an element that is chosen by name, while it is read.
#[derive(Default)]
struct NamedElement {
    name: Option<Span>,
    value: Option<(Span, Span, u32, bool)>,
}
