//! How the documents of one shape are written, worked out once.
//!
//! Which leaves a document has, where each value stands, and what stands between two values is the same for all records of
//! a shape of which the source says something about the same rows. What a value is, is asked every time: one that is not
//! written where another was changes what stands between, and is left to how any document is written.

use super::Writer;
use crate::{
    document::KEYWORD_LIMIT,
    engine::{
        KEY_LIMIT, flat,
        literals::Literals,
        table::{Leaf, What},
        trie::Slot,
        value::{Derived, Own},
    },
    schema::Type,
};

/// As many scripts has a shape: sources do not say something about other rows at random.
const SCRIPTS: usize = 4;

/// The scripts of one shape.
#[derive(Debug)]
pub(in crate::engine) struct Scripts {
    /// Of each hit, whether it is the same in all records.
    fixed: Box<[bool]>,
    known: Vec<Script>,
}

#[derive(Debug)]
pub(super) struct Script {
    /// The rows that the source says something about, and what becomes of their own values.
    rows: Box<[(usize, Own)]>,
    swapped: bool,
    steps: Box<[Step]>,
}

/// One leaf of the document.
#[derive(Debug)]
struct Step {
    leaf: usize,
    /// The leaf that was written before this one, and what stands between both.
    last: Option<usize>,
    literal: Box<[u8]>,
    how: How,
}

/// What is written.
#[derive(Debug)]
enum How {
    /// The text of this hit, as it stands in the record.
    Copy { hit: usize, list: bool },
    /// The value of this hit, as the row has it.
    Only { row: usize, hit: usize },
    /// The one text that the source says.
    Derived(usize),
    /// Values of hits, each with what stands before it.
    Flat(flat::Parts),
    /// Always the same; these hits have their place in it.
    Same { text: Box<[u8]>, hits: Box<[usize]> },
    /// Whatever it is.
    Other,
}

impl Scripts {
    pub(in crate::engine) fn new(fixed: Box<[bool]>) -> Self {
        Self {
            fixed,
            known: Vec::new(),
        }
    }

    fn find(&self, derived: &Derived) -> Option<&Script> {
        self.known
            .iter()
            .find(|script| script.swapped == derived.swapped && derived.said().eq(script.rows.iter().copied()))
    }
}

impl Writer<'_> {
    /// Writes the members of a document of a known shape; the answer is the last leaf, or nothing if it is to be written as
    /// any other.
    pub(super) fn by_script(&mut self, scripts: &mut Scripts, literals: &mut Literals) -> Option<Option<usize>> {
        if let Some(script) = scripts.find(self.derived) {
            return Some(self.perform(script, literals));
        }
        if scripts.known.len() >= SCRIPTS {
            return None;
        }
        let (script, last) = self.rehearse(&scripts.fixed, literals);
        scripts.known.push(script);
        Some(last)
    }

    fn perform(&mut self, script: &Script, literals: &mut Literals) -> Option<usize> {
        let table = self.table;
        let mut last = None;
        let mut unplaced = 0;
        for step in &script.steps {
            let Some(leaf) = table.leaves.get(step.leaf) else {
                continue;
            };
            if matches!(step.how, How::Other) && !self.may_have(&leaf.what, unplaced) {
                continue;
            }
            let start = self.out.len();
            self.out.extend_from_slice(match step.last == last {
                true => &step.literal,
                false => literals.between(&table.leaves, last, step.leaf),
            });
            let written = match &step.how {
                How::Copy { hit, list } => self.copy(*hit, *list) || self.leaf(&leaf.what, &mut unplaced),
                How::Only { row, hit } => table.rows.get(*row).is_some_and(|row| self.only(row, *hit)),
                How::Derived(row) => self.said(*row),
                How::Flat(parts) => {
                    self.flat(parts);
                    true
                }
                How::Same { text, hits } => {
                    self.out.extend_from_slice(text);
                    for &hit in hits {
                        self.settle(hit);
                    }
                    true
                }
                How::Other => self.leaf(&leaf.what, &mut unplaced),
            };
            if written {
                last = Some(step.leaf);
            } else {
                self.out.truncate(start);
            }
        }
        last
    }

    #[inline]
    fn copy(&mut self, number: usize, list: bool) -> bool {
        let Some(hit) = self.found.hits.get_mut(number) else {
            return false;
        };
        let raw = hit.value.of(self.text.as_bytes());
        if raw.len() <= 2 || raw.len() > KEYWORD_LIMIT {
            return false;
        }
        hit.placed = true;
        if list {
            self.out.push(b'[');
            self.out.extend_from_slice(raw);
            self.out.push(b']');
        } else {
            self.out.extend_from_slice(raw);
        }
        true
    }

    #[inline]
    fn settle(&mut self, number: usize) {
        if let Some(hit) = self.found.hits.get_mut(number) {
            hit.placed = true;
        }
    }

    fn said(&mut self, number: usize) -> bool {
        let (table, derived) = (self.table, self.derived);
        match (table.rows.get(number), derived.only(number)) {
            (Some(row), Some(text)) => self.derived(row, text, self.slots(number)),
            _ => false,
        }
    }

    fn flat(&mut self, parts: &flat::Parts) {
        for (before, hit) in &parts.values {
            self.out.extend_from_slice(before);
            if let Some(hit) = self.found.hits.get_mut(*hit) {
                hit.placed = true;
                self.cut += flat::push_leaves(hit.value.of(self.text.as_bytes()), true, self.out);
            }
        }
        self.out.extend_from_slice(&parts.end);
    }

    /// Writes the members as any document's, and notes how.
    fn rehearse(&mut self, fixed: &[bool], literals: &mut Literals) -> (Script, Option<usize>) {
        let table = self.table;
        let live = self.live();
        let mut steps = Vec::new();
        let mut last = None;
        let mut unplaced = 0;
        for number in 0..table.leaves.len() {
            let is_live = live.get(number / 64).is_some_and(|word| word >> (number % 64) & 1 != 0);
            let Some(leaf) = table.leaves.get(number).filter(|_| is_live) else {
                continue;
            };
            let (start, cut) = (self.out.len(), self.cut);
            let literal: Box<[u8]> = literals.between(&table.leaves, last, number).into();
            self.out.extend_from_slice(&literal);
            let from = self.out.len();
            let written = self.may_have(&leaf.what, unplaced) && self.leaf(&leaf.what, &mut unplaced);
            let how = match written && cut == self.cut {
                true => self.how(leaf, from, fixed),
                false => How::Other,
            };
            steps.push(Step {
                leaf: number,
                last,
                literal,
                how,
            });
            if written {
                last = Some(number);
            } else {
                self.out.truncate(start);
            }
        }
        self.scratch.live = live;
        let script = Script {
            rows: self.derived.said().collect(),
            swapped: self.derived.swapped,
            steps: steps.into(),
        };
        (script, last)
    }

    /// How a leaf that was just written is written again.
    fn how(&self, leaf: &Leaf, from: usize, fixed: &[bool]) -> How {
        let What::Row(number) = leaf.what else {
            return How::Other;
        };
        let Some(row) = self.table.rows.get(number) else {
            return How::Other;
        };
        let slots = self.slots(number);
        if row.ty == Type::FlatObject {
            return self.parts(slots).map_or(How::Other, How::Flat);
        }
        match self.derived.own(number) {
            Own::Written => {}
            Own::Replaced if !row.ty.is_narrow() && self.derived.only(number).is_some() => return How::Derived(number),
            _ => return How::Other,
        }
        let hits = || slots.iter().flat_map(|&slot| self.found.hits_of(slot));
        // Addresses are also collected while they are written.
        if row.ty != Type::Ip && hits().all(|(hit, _)| fixed.get(hit) == Some(&true)) {
            return How::Same {
                text: self.out.get(from..).unwrap_or_default().into(),
                hits: hits().filter(|(_, hit)| hit.placed).map(|(number, _)| number).collect(),
            };
        }
        let is_text = |hit: usize| self.found.hits[hit].raw(self.text).starts_with('"');
        match self.only_hit(slots) {
            Some(hit) if row.ty == Type::Keyword && !row.not_ip && is_text(hit) => How::Copy { hit, list: row.list },
            Some(hit) => How::Only { row: number, hit },
            None => How::Other,
        }
    }

    /// The flat object that was just written, when all of its names are the shape's.
    fn parts(&self, slots: &[Slot]) -> Option<flat::Parts> {
        let hits = || slots.iter().flat_map(|&slot| self.found.hits_of(slot));
        let is_whole = slots.iter().any(|&slot| self.table.trie.is_whole(slot));
        let is_long = hits().any(|(_, hit)| hit.name.end - hit.name.start > KEY_LIMIT as u32);
        if is_whole || is_long {
            return None;
        }
        self.scratch.flat.parts(|value| {
            let (number, _) = hits().find(|(_, hit)| hit.value == value)?;
            Some(number)
        })
    }
}
