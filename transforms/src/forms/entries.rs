//! The entries of one delivered record, and the way back from each to a record of its own.

use std::{borrow::Cow, ops::Range};

use super::gzip;
use crate::document::push_json_string;

/// Where a piece of text stands: in the record as it was delivered, or in what was unpacked from it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) unpacked: bool,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Span {
    /// The part of this text at `part`, which is relative to it.
    pub(super) fn part(self, part: Range<usize>) -> Self {
        Self {
            unpacked: self.unpacked,
            start: self.start + part.start,
            end: self.start + part.end,
        }
    }

    pub(super) fn len(self) -> usize {
        self.end - self.start
    }
}

/// One thing around an entry, and the number of the next one further out.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) outer: Option<usize>,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    /// Gzip around it.
    Gzip,
    /// An envelope with this entry alone in its list. The normaliser reads the entry in it.
    Envelope { before: Span, after: Span },
    /// A list that says nothing about its entries; the normaliser reads the entry without it.
    List { before: Span, after: Span },
    /// An object around the text of the entry.
    Quoted { before: Span, after: Span },
    /// The header line that names the columns of a flow-log line. The normaliser reads both.
    Header(Span),
}

/// An entry, and what is around it.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) text: Span,
    pub(super) layer: Option<usize>,
}

/// What one delivered record holds: one entry or more.
#[derive(Debug)]
pub struct Entries<'a> {
    pub(super) record: &'a [u8],
    pub(super) unpacked: Vec<u8>,
    pub(super) layers: Vec<Layer>,
    pub(super) items: Vec<Item>,
}

impl<'a> Entries<'a> {
    /// How many there are; at least one.
    #[must_use]
    #[expect(
        clippy::len_without_is_empty,
        reason = "a record without entries is a form of its own"
    )]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Each entry, in the order in which they stand in the record.
    pub fn iter(&self) -> impl Iterator<Item = Entry<'_>> {
        self.items.iter().map(|item| Entry { entries: self, item })
    }

    /// Whether there is one entry and it is the record as it was delivered, but for white space.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        matches!(&*self.items, [Item { layer: None, text }] if !text.unpacked && self.text(*text) == self.record.trim_ascii())
    }

    pub(super) fn text(&self, span: Span) -> &[u8] {
        let whole = if span.unpacked { &self.unpacked } else { self.record };
        whole.get(span.start..span.end).unwrap_or_default()
    }

    fn layers(&self, innermost: Option<usize>) -> impl Iterator<Item = &Kind> {
        let mut next = innermost;
        std::iter::from_fn(move || {
            let layer = self.layers.get(next?)?;
            next = layer.outer;
            Some(&layer.kind)
        })
    }

    /// `inner` with one more layer around it.
    fn wrap(&self, kind: &Kind, inner: &[u8]) -> Vec<u8> {
        match kind {
            Kind::Gzip => gzip::pack(inner),
            Kind::Envelope { before, after } | Kind::List { before, after } => {
                [self.text(*before), inner, self.text(*after)].concat()
            }
            Kind::Quoted { before, after } => {
                let mut out = self.text(*before).to_vec();
                push_json_string(&mut out, &String::from_utf8_lossy(inner));
                out.extend_from_slice(self.text(*after));
                out
            }
            Kind::Header(line) => [self.text(*line), b"\n", inner].concat(),
        }
    }
}

/// One entry of a record.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'e> {
    entries: &'e Entries<'e>,
    item: &'e Item,
}

impl<'e> Entry<'e> {
    /// What a normaliser reads.
    #[must_use]
    pub fn bytes(&self) -> Cow<'e, [u8]> {
        let mut bytes = Cow::Borrowed(self.entries.text(self.item.text));
        for kind in self.entries.layers(self.item.layer) {
            match kind {
                Kind::Envelope { .. } | Kind::Header(_) => bytes = Cow::Owned(self.entries.wrap(kind, &bytes)),
                Kind::Gzip | Kind::List { .. } | Kind::Quoted { .. } => break,
            }
        }
        bytes
    }

    /// Whether it is a line of text that comes without the header line which names its columns.
    pub(crate) fn lacks_header(&self) -> bool {
        let is_text = self.entries.text(self.item.text).first() != Some(&b'{');
        let mut layers = self.entries.layers(self.item.layer);
        is_text && !layers.any(|kind| matches!(kind, Kind::Header(_)))
    }

    /// The entry as a record of its own, in AWS's own form: unmapped, with everything around it that was around all of
    /// them. Opened again it holds exactly this entry.
    #[must_use]
    pub fn alone(&self) -> Vec<u8> {
        let text = self.entries.text(self.item.text).to_vec();
        self.entries
            .layers(self.item.layer)
            .fold(text, |inner, kind| self.entries.wrap(kind, &inner))
    }
}
