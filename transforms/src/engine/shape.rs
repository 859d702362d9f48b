//! Records of a shape that is known: walked by comparing what stands between their values.
//!
//! What is the same in every record of a shape (keys, brackets, names of headers, `null`) is text that is compared; what
//! differs are texts and numbers. So a shape is a list of steps, "this text, then a value", and what a scan finds is the
//! same for all records of it, but for where the values end. Shapes share the steps they begin with.
//!
//! Nothing is believed: whatever is not exactly as it was is scanned as if there were no shapes. So the answer is that of
//! the scanner, or none.

mod learn;

pub(super) use self::learn::Trace;
use super::{
    found::{Found, Hit, Span, Unknown},
    scan,
    trie::Slot,
    write::Scripts,
};
use crate::policy::redact::Names;

/// As many shapes are kept. Senders may choose them: when few records are of these, all are forgotten.
const SHAPES: usize = 64;

/// As many values may a record of a shape have.
const VALUES: usize = 512;

/// As many ways to go on are kept after each value.
const WAYS: usize = 16;

/// So many records tell whether the shapes that are kept are worth it.
const JUDGED: u32 = 4096;

/// Learning a shape takes as long as a few scans; one shape is learnt for so many records, and [`SHAPES`] at once.
const RECORDS_PER_SHAPE: u32 = 64;

const MOST_CREDIT: u32 = RECORDS_PER_SHAPE * SHAPES as u32;

/// After so many records in a row that are of no known shape, only every so many-th is compared.
const PATIENCE: u32 = 32;

/// Places to note which shapes came before: what comes once is not learnt.
const SEEN: usize = 256;

/// The shapes of one source's records. Keep it: that is what it is for.
#[derive(Debug)]
pub(super) struct Shapes {
    /// The first is where every record begins.
    steps: Vec<Step>,
    plans: Vec<Plan>,
    seen: Box<[u64; SEEN]>,
    credit: u32,
    missed: u32,
    /// Whether the record was compared with what is known.
    compared: bool,
    /// Records of known shapes and others, since this was last judged.
    counts: (u32, u32),
    /// Where the values of the record end; the first is its start.
    marks: Box<[u32; VALUES]>,
}

/// A text, and what follows it.
#[derive(Debug)]
struct Step {
    literal: Box<[u8]>,
    /// Quotes in it.
    quotes: u32,
    then: Then,
    /// What may come next; of two texts of which one begins with the other, the longer one first.
    next: Vec<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// The inside of a text. What looks like an address there is none of the record's if it is `mute`.
    Text { mute: bool },
    /// A number, `true` or `false`.
    Plain,
    /// The end of the record, and the number of its plan.
    End(u32),
}

/// What a scan of a record of one shape finds.
#[derive(Debug)]
struct Plan {
    hits: Box<[(Hit, Part, Part)]>,
    unknown: Box<[(Unknown, Part, Part)]>,
    /// Slot, its first hit and its last one.
    ends: Box<[(Slot, u32, u32)]>,
    bodies: u32,
    wrapped: bool,
    scripts: Scripts,
}

/// A span of a record: each end is so many bytes behind a mark.
#[derive(Clone, Copy, Debug)]
struct Part {
    start: (u16, u16),
    end: (u16, u16),
}

impl Default for Shapes {
    fn default() -> Self {
        Self {
            steps: vec![Step::new(&[], Then::Plain)],
            plans: Vec::new(),
            seen: Box::new([0; SEEN]),
            credit: MOST_CREDIT,
            missed: 0,
            compared: false,
            counts: (0, 0),
            marks: Box::new([0; VALUES]),
        }
    }
}

impl Shapes {
    /// Finds in `text` what a scan would, if it is of a known shape; `found` is empty but for its index.
    pub(super) fn find(&mut self, text: &[u8], names: &Names, found: &mut Found) -> bool {
        self.credit = (self.credit + 1).min(MOST_CREDIT);
        self.compared = self.missed < PATIENCE || self.missed.is_multiple_of(PATIENCE);
        if !self.compared {
            self.missed = self.missed.wrapping_add(1);
            return false;
        }
        if found.index.is_whole(text)
            && let Some(plan) = self.walk(text, names, found)
        {
            self.missed = 0;
            self.counts.0 = self.counts.0.saturating_add(1);
            self.fill(plan, text, found);
            found.shape = Some(plan);
            return true;
        }
        found.addresses.clear();
        self.missed = self.missed.wrapping_add(1);
        self.counts.1 = self.counts.1.saturating_add(1);
        false
    }

    /// Compares the record; the answer is the number of its plan. Looks at each text as the scanner does.
    fn walk(&mut self, text: &[u8], names: &Names, found: &mut Found) -> Option<usize> {
        let (mut at, mut quote, mut odd) = (0, 0, 0);
        let mut step = self.steps.first()?;
        for mark in 1.. {
            let rest = text.get(at..)?;
            let mut ways = step.next.iter();
            step = loop {
                let way = self.steps.get(*ways.next()? as usize)?;
                if rest.starts_with(&way.literal) {
                    break way;
                }
            };
            at += step.literal.len();
            match step.then {
                Then::Text { mute } => {
                    quote += step.quotes as usize;
                    let end = found.index.quote(quote)?;
                    let inside = text.get(at..end as usize)?;
                    if found.index.odd.get(odd).is_some_and(|&odd| odd < end) {
                        odd = simple_escapes(text, found, odd, end)?;
                        scan::look(text, names, Span::new(at, end as usize), true, mute, found)?;
                    } else if !inside.is_empty() {
                        scan::look(text, names, Span::new(at, end as usize), false, mute, found)?;
                    }
                    at = end as usize;
                }
                Then::Plain => {
                    quote += step.quotes as usize;
                    at += plain_length(text.get(at..)?)?;
                }
                Then::End(plan) => {
                    let is_end = at == text.len() && odd == found.index.odd.len();
                    return is_end.then_some(plan as usize);
                }
            }
            *self.marks.get_mut(mark)? = at as u32;
        }
        None
    }

    /// How the documents of this shape are written.
    pub(super) fn scripts(&mut self, shape: Option<usize>) -> Option<&mut Scripts> {
        self.plans.get_mut(shape?).map(|plan| &mut plan.scripts)
    }

    fn fill(&self, plan: usize, text: &[u8], found: &mut Found) {
        let Some(plan) = self.plans.get(plan) else { return };
        let place = |(mark, offset): (u16, u16)| self.marks[usize::from(mark) % VALUES] + u32::from(offset);
        let span = |part: Part| Span {
            start: place(part.start),
            end: place(part.end),
        };
        found.hits.extend(plan.hits.iter().map(|&(hit, value, name)| Hit {
            value: span(value),
            name: span(name),
            ..hit
        }));
        found
            .unknown
            .extend(plan.unknown.iter().map(|&(unknown, key, value)| Unknown {
                key: span(key),
                value: span(value),
                ..unknown
            }));
        for &(slot, first, last) in &plan.ends {
            found.set_ends(slot, first, last);
        }
        found.bodies = plan.bodies;
        found.wrapped = plan.wrapped;
        if !found.index.odd.is_empty() {
            for hit in &mut found.hits {
                let raw = hit.value.of(text);
                hit.escaped |= raw.first() == Some(&b'"') && raw.contains(&b'\\');
            }
        }
    }
}

impl Step {
    fn new(literal: &[u8], then: Then) -> Self {
        Self {
            literal: literal.into(),
            quotes: literal.iter().filter(|byte| **byte == b'"').count() as u32,
            then,
            next: Vec::new(),
        }
    }
}

/// Passes over the odd bytes before `end`, if all of them are escapes of one letter; the answer is the next odd byte.
#[cold]
fn simple_escapes(text: &[u8], found: &Found, mut odd: usize, end: u32) -> Option<usize> {
    while let Some(&at) = found.index.odd.get(odd)
        && at < end
    {
        simple_escape(text, at)?;
        odd += 1;
    }
    Some(odd)
}

/// Whether there is an escape of one letter.
fn simple_escape(text: &[u8], at: u32) -> Option<()> {
    let is_simple = matches!(
        text.get(at as usize..at as usize + 2),
        Some([b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't'])
    );
    is_simple.then_some(())
}

/// The length of a number without an exponent, or of `true` or `false`.
#[inline]
fn plain_length(rest: &[u8]) -> Option<usize> {
    let digits = |from: usize| {
        let digits = rest.get(from..).unwrap_or_default().iter();
        let count = digits.take_while(|byte| byte.is_ascii_digit()).count();
        (count > 0).then_some(from + count)
    };
    let end = match rest {
        [b't', b'r', b'u', b'e', ..] => return Some(4),
        [b'f', b'a', b'l', b's', b'e', ..] => return Some(5),
        [b'-', b'0', ..] => 2,
        [b'-', ..] => digits(1)?,
        [b'0', ..] => 1,
        _ => digits(0)?,
    };
    let end = match rest.get(end) {
        Some(b'.') => digits(end + 1)?,
        _ => end,
    };
    (end <= LONGEST_NUMBER && !matches!(rest.get(end), Some(b'e' | b'E' | b'0'..=b'9'))).then_some(end)
}

/// Far below what is beyond every double.
const LONGEST_NUMBER: usize = 64;

#[cfg(test)]
mod tests;
