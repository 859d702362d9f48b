//! A record of a known shape, seen through what is known of it.

use super::{First, Plan, VALUES};
use crate::engine::{
    RowId,
    found::{Hit, Span},
    write::Scripts,
};

/// A span of a record: each end is so many bytes behind a mark.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) struct Part {
    start: (u16, u16),
    end: (u16, u16),
}

impl Part {
    /// The part that a span is, by the marks of its record.
    pub(super) fn new(marks: &[u32], span: Span) -> Option<Self> {
        let place = |at: u32| {
            let mark = marks.partition_point(|mark| *mark <= at).checked_sub(1)?;
            Some((u16::try_from(mark).ok()?, u16::try_from(at - marks[mark]).ok()?))
        };
        Some(Self {
            start: place(span.start)?,
            end: place(span.end)?,
        })
    }

    /// Whether it is the same in all records of the shape.
    pub(in crate::engine) fn is_fixed(self) -> bool {
        self.start.0 == self.end.0
    }
}

/// A record of a known shape: what a scan would find in it.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) struct View<'a> {
    pub(super) plan: &'a Plan,
    pub(super) marks: &'a [u32; VALUES],
    /// How many marks the record has.
    pub(super) values: usize,
    pub(super) escapes: &'a Escapes,
}

/// Which values of a record have escapes in them.
#[derive(Debug, Default)]
pub(super) struct Escapes {
    any: bool,
    values: [u64; VALUES / 64],
}

impl Escapes {
    #[inline]
    pub(super) fn clear(&mut self) {
        if self.any {
            *self = Self::default();
        }
    }

    #[cold]
    pub(super) fn add(&mut self, value: usize) {
        self.any = true;
        self.values[value % VALUES / 64] |= 1 << (value % 64);
    }

    /// Whether there are any in the text that ends with this part.
    #[inline]
    fn has(&self, part: Part) -> bool {
        let value = usize::from(part.end.0);
        self.any && !part.is_fixed() && self.values[value % VALUES / 64] >> (value % 64) & 1 != 0
    }
}

impl<'a> View<'a> {
    /// Where a part stands in this record.
    #[inline]
    pub(in crate::engine) fn span(self, part: Part) -> Span {
        let place = |(mark, offset): (u16, u16)| self.marks[usize::from(mark) % VALUES] + u32::from(offset);
        Span {
            start: place(part.start),
            end: place(part.end),
        }
    }

    /// The part that a span of this record is.
    pub(in crate::engine) fn part(self, span: Span) -> Option<Part> {
        Part::new(self.marks.get(..=self.values)?, span)
    }

    /// The values that differ between records of the shape: of texts, what is between the quotes.
    pub(in crate::engine) fn values(self) -> impl Iterator<Item = Part> {
        self.plan.values.iter().copied()
    }

    /// The hit of this number.
    #[inline]
    pub(in crate::engine) fn hit(self, number: usize, text: &[u8]) -> Option<Hit> {
        let &(hit, value, name) = self.plan.hits.get(number)?;
        let mut hit = Hit {
            value: self.span(value),
            name: self.span(name),
            ..hit
        };
        hit.escaped |= self.escapes.has(value) && hit.value.of(text).first() == Some(&b'"');
        Some(hit)
    }

    /// Where the value of a hit stands, and whether it is a text with escapes in it.
    #[inline]
    pub(in crate::engine) fn text(self, number: usize) -> Option<(Span, bool)> {
        let &(hit, value, _) = self.plan.hits.get(number)?;
        Some((self.span(value), hit.escaped || self.escapes.has(value)))
    }

    /// Where the row's first value stands, without its quotes, whether there are escapes in it, and the number of its hit.
    #[inline(always)]
    pub(in crate::engine) fn first(self, row: RowId) -> Option<(Span, bool, u16)> {
        let First { hit, value, is_text } = self.plan.firsts.get(row.0)?.as_ref()?;
        let quote = u32::from(*is_text);
        let Span { start, end } = self.span(*value);
        let inside = Span {
            start: start + quote,
            end: end - quote,
        };
        Some((inside, *is_text && self.escapes.has(*value), *hit))
    }

    /// Where the value of this hit stands, in every record.
    pub(in crate::engine) fn value(self, number: usize) -> Option<Part> {
        self.plan.hits.get(number).map(|(_, value, _)| *value)
    }

    /// The numbers of a row's hits, in order.
    #[inline]
    pub(in crate::engine) fn of_row(self, row: RowId) -> &'a [u16] {
        let range = self
            .plan
            .rows
            .get(row.0)
            .map(|&(from, to)| usize::from(from)..usize::from(to));
        range.and_then(|range| self.plan.of_rows.get(range)).unwrap_or_default()
    }

    /// How the documents of the shape are written.
    pub(in crate::engine) fn scripts(self) -> &'a Scripts {
        &self.plan.scripts
    }

    /// Whether there are escapes in the record.
    pub(in crate::engine) fn escaped(self) -> bool {
        self.escapes.any
    }
}
