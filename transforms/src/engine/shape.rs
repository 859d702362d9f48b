//! Records of a shape that is known: walked by comparing what stands between their values.
//!
//! What is the same in every record of a shape (keys, brackets, names of headers, `null`) is text that is compared; what
//! differs are texts and numbers. So a shape is a list of steps, "this text, then a value", and what a scan finds is the
//! same for all records of it, but for where the values end. Shapes share the steps they begin with.
//!
//! Nothing is believed: whatever is not exactly as it was is scanned as if there were no shapes. So the answer is that of
//! the scanner, or none.

mod learn;
mod literal;
mod text;
mod view;

pub(super) use self::{
    learn::Trace,
    view::{Part, View},
};
use self::{
    literal::Literal,
    text::{plain_length, text_end},
    view::Escapes,
};
use super::{
    found::{Found, Hit, Span, Unknown},
    scan::look,
    trie::Slot,
    write::Scripts,
};
use crate::{document::KEYWORD_LIMIT, policy::redact::Names};

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

/// The longest record that is compared. No text in it is over the limit, so nothing in it has to be cut.
const LONGEST: usize = KEYWORD_LIMIT;

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
    escapes: Escapes,
}

/// A text, and what follows it.
#[derive(Debug)]
struct Step {
    literal: Literal,
    then: Then,
    /// What may come next; of two texts of which one begins with the other, the longer one first.
    next: Vec<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// The inside of a text, which is not empty. What looks like an address there is none of the record's if it is `mute`.
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
    /// The hits of each row in their order, one row's after another's.
    of_rows: Box<[u16]>,
    /// Where those of each row begin and end.
    rows: Box<[(u16, u16)]>,
    /// Each row's first value that is one and not empty.
    firsts: Box<[Option<First>]>,
    /// The values that differ between records.
    values: Box<[Part]>,
    bodies: u32,
    wrapped: bool,
    scripts: Scripts,
}

/// A row's first value.
#[derive(Clone, Copy, Debug)]
struct First {
    hit: u16,
    value: Part,
    /// Whether there are quotes around it.
    is_text: bool,
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
            escapes: Escapes::default(),
        }
    }
}

/// A record that is of a known shape.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    plan: usize,
    values: usize,
}

impl Shapes {
    /// Whether `text` is of a known shape. If it is, its addresses are in `addresses`.
    pub(super) fn find(&mut self, text: &[u8], names: &Names, addresses: &mut Vec<Span>) -> Option<Known> {
        self.credit = (self.credit + 1).min(MOST_CREDIT);
        self.compared = self.missed < PATIENCE || self.missed.is_multiple_of(PATIENCE);
        let known = match self.compared && text.len() <= LONGEST {
            true => self.walk(text, names, addresses),
            false => None,
        };
        match known {
            Some(_) => {
                self.missed = 0;
                self.counts.0 = self.counts.0.saturating_add(1);
            }
            None => {
                self.missed = self.missed.wrapping_add(1);
                self.counts.1 = self.counts.1.saturating_add(u32::from(self.compared));
            }
        }
        known
    }

    /// Compares the record. Looks at each text as the scanner does.
    fn walk(&mut self, text: &[u8], names: &Names, addresses: &mut Vec<Span>) -> Option<Known> {
        addresses.clear();
        self.escapes.clear();
        let mut at = 0;
        let mut step = self.steps.first()?;
        for mark in 1.. {
            let rest = text.get(at..)?;
            let mut ways = step.next.iter();
            step = loop {
                let way = self.steps.get(*ways.next()? as usize)?;
                if way.literal.begins(rest) {
                    break way;
                }
            };
            at += step.literal.text().len();
            match step.then {
                Then::Text { mute } => {
                    let start = at;
                    let is_escaped;
                    (at, is_escaped) = text_end(text, at)?;
                    if is_escaped {
                        self.escapes.add(mark);
                    }
                    let is_address = look(text.get(start..at)?, names, is_escaped)?;
                    if is_address && !mute {
                        addresses.push(Span::new(start, at));
                    }
                }
                Then::Plain => at += plain_length(text.get(at..)?)?,
                Then::End(plan) => {
                    return (at == text.len()).then_some(Known {
                        plan: plan as usize,
                        values: mark - 1,
                    });
                }
            }
            *self.marks.get_mut(mark)? = at as u32;
        }
        None
    }

    /// What is known of the record that was compared last.
    pub(super) fn view(&self, known: Known) -> Option<View<'_>> {
        Some(View {
            plan: self.plans.get(known.plan)?,
            marks: &self.marks,
            values: known.values,
            escapes: &self.escapes,
        })
    }

    /// Finds what a scan of the record that was compared last would.
    pub(super) fn fill(&self, known: Known, text: &[u8], found: &mut Found) {
        let addresses = std::mem::take(&mut found.addresses);
        found.clear();
        found.addresses = addresses;
        let Some(view) = self.view(known) else { return };
        let plan = view.plan;
        found
            .hits
            .extend((0..plan.hits.len()).filter_map(|number| view.hit(number, text)));
        found
            .unknown
            .extend(plan.unknown.iter().map(|&(unknown, key, value)| Unknown {
                key: view.span(key),
                value: view.span(value),
                ..unknown
            }));
        for &(slot, first, last) in &plan.ends {
            found.set_ends(slot, first, last);
        }
        found.bodies = plan.bodies;
        found.wrapped = plan.wrapped;
    }

    /// How the documents of a shape are written.
    pub(super) fn scripts(&mut self, known: Known) -> Option<&mut Scripts> {
        self.plans.get_mut(known.plan).map(|plan| &mut plan.scripts)
    }
}

impl Step {
    fn new(literal: &[u8], then: Then) -> Self {
        Self {
            literal: Literal::new(literal),
            then,
            next: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
