//! A shape is learnt from a record of it that was scanned.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use super::{
    First, JUDGED, LONGEST, Part, Plan, RECORDS_PER_SHAPE, SEEN, SHAPES, Shapes, Step, Then, VALUES, WAYS,
    text::{plain_length, simple_escape},
};
use crate::{
    engine::{
        found::{Found, Hit, NONE, Span},
        scan,
        table::Table,
        write::Scripts,
    },
    policy::redact::Names,
};

/// What is to be known of a scan beside what it found.
#[derive(Debug, Default)]
pub(in crate::engine) struct Trace {
    pub(in crate::engine) on: bool,
    /// Insides of texts that decide what others are: names of headers.
    pub(in crate::engine) names: Vec<Span>,
    /// Parts whose addresses are not the record's.
    pub(in crate::engine) mute: Vec<Span>,
}

/// A value that differs between records of a shape: without its quotes, if it is a text.
struct Free {
    span: Span,
    then: Then,
}

impl Shapes {
    /// Takes note of a record that was scanned, and learns its shape if one like it came before.
    pub(in crate::engine) fn note(&mut self, text: &[u8], table: &Table, names: &Names, found: &mut Found) {
        let is_plain = !found.unusual && !found.sensitive && text.len() <= LONGEST;
        if !self.compared || !is_plain || self.credit < RECORDS_PER_SHAPE {
            return;
        }
        let Some(hash) = self.due(text, found) else { return };
        self.credit -= RECORDS_PER_SHAPE;
        found.trace = Trace {
            on: true,
            ..Trace::default()
        };
        let scanned = scan::scan(text, &table.trie, names, found, false);
        let trace = std::mem::take(&mut found.trace);
        // What is kept of a shape is bounded by its values.
        let is_bounded = found.hits.len() + found.unknown.len() <= 2 * VALUES;
        let values = free(text, &trace, found).filter(|_| scanned.is_ok() && is_bounded);
        let learnt = values.and_then(|values| self.learn(text, &values, found, table));
        if learnt.is_none() {
            // Too many ways to go on, for instance. Others like it would not fare better.
            self.seen[hash as usize % SEEN] = !hash;
        }
    }

    /// Whether this shape is to be learnt: a record like it, with as many quotes and values in the same places, came once
    /// before, and none could not be learnt from. The answer is what they are told by, which those may share that differ in
    /// keys that no path has.
    fn due(&mut self, text: &[u8], found: &Found) -> Option<u64> {
        // Names and where there is nothing are part of a shape.
        let is_empty = |span: Span| span.end - span.start == 2;
        let hits: Vec<_> = found
            .hits
            .iter()
            .map(|hit| (hit.slot, hit.leaves, is_empty(hit.value), hit.name.of(text)))
            .collect();
        let unknown: Vec<_> = found
            .unknown
            .iter()
            .map(|unknown| (unknown.node, unknown.leaves, is_empty(unknown.value)))
            .collect();
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one((found.index.quotes(), hits, unknown));
        let seen = &mut self.seen[hash as usize % SEEN];
        let is_second = *seen == hash;
        if *seen != !hash {
            *seen = hash;
        }
        (is_second && self.has_room()).then_some(hash)
    }

    /// Whether there is room for one more shape. When few records are of those that are known, they are forgotten.
    fn has_room(&mut self) -> bool {
        if self.plans.len() < SHAPES {
            return true;
        }
        let (known, others) = std::mem::take(&mut self.counts);
        if known.saturating_add(others) < JUDGED {
            self.counts = (known, others);
            return false;
        }
        if known >= others {
            return false;
        }
        *self = Self {
            credit: self.credit,
            ..Self::default()
        };
        true
    }

    fn learn(&mut self, text: &[u8], values: &[Free], found: &Found, table: &Table) -> Option<()> {
        let marks: Vec<u32> = std::iter::once(0)
            .chain(values.iter().map(|value| value.span.end))
            .collect();
        let plan = plan(text, values, &marks, found, table)?;
        let (mut step, mut from) = (0, 0);
        for value in values {
            step = self.way(step, text.get(from..value.span.start as usize)?, value.then)?;
            from = value.span.end as usize;
        }
        let number = u32::try_from(self.plans.len()).ok()?;
        self.way(step, text.get(from..)?, Then::End(number))?;
        self.plans.push(plan);
        Some(())
    }

    /// The step after `step` that has this text, a new one if there is none.
    fn way(&mut self, step: usize, literal: &[u8], then: Then) -> Option<usize> {
        let known = self.steps.get(step)?.next.iter().map(|way| *way as usize);
        for way in known {
            let known = self.steps.get(way)?;
            if known.literal.text() == literal && (known.then == then || matches!(then, Then::End(_))) {
                return (known.then == then).then_some(way);
            }
        }
        let ways = &self.steps.get(step)?.next;
        if ways.len() >= WAYS {
            return None;
        }
        let longer = |way: &&u32| {
            let way = self.steps.get(**way as usize);
            way.is_some_and(|way| way.literal.text().len() >= literal.len())
        };
        let place = ways.iter().take_while(longer).count();
        let number = self.steps.len();
        self.steps.push(Step::new(literal, then));
        self.steps
            .get_mut(step)?
            .next
            .insert(place, u32::try_from(number).ok()?);
        Some(number)
    }
}

/// What was found, by the marks.
fn plan(text: &[u8], values: &[Free], marks: &[u32], found: &Found, table: &Table) -> Option<Plan> {
    let part = |span| Part::new(marks, span);
    let hits = found.hits.iter().map(|&hit| {
        let escaped = table.trie.is_whole(hit.slot);
        Some((Hit { escaped, ..hit }, part(hit.value)?, part(hit.name)?))
    });
    let unknown = found.unknown.iter();
    let unknown = unknown.map(|&unknown| Some((unknown, part(unknown.key)?, part(unknown.value)?)));
    let mut slots: Vec<_> = found.hits.iter().map(|hit| hit.slot).collect();
    slots.sort_unstable();
    slots.dedup();
    let ends = slots.into_iter().map(|slot| {
        let (first, last) = found.ends(slot);
        (slot, first, last)
    });
    let (mut numbers, mut rows, mut firsts) = (Vec::new(), Vec::new(), Vec::new());
    for row in &table.rows {
        let from = u16::try_from(numbers.len()).ok()?;
        let mut first = None;
        for (number, hit) in row.slots.iter().flat_map(|&slot| found.hits_of(slot)) {
            let number = u16::try_from(number).ok()?;
            numbers.push(number);
            if first.is_none() {
                first = first_value(text, number, hit.value, marks)?;
            }
        }
        firsts.push(first);
        rows.push((from, u16::try_from(numbers.len()).ok()?));
    }
    Some(Plan {
        hits: hits.collect::<Option<_>>()?,
        unknown: unknown.collect::<Option<_>>()?,
        ends: ends.filter(|(_, first, _)| *first != NONE).collect(),
        of_rows: numbers.into(),
        rows: rows.into(),
        firsts: firsts.into(),
        values: values.iter().map(|value| part(value.span)).collect::<Option<_>>()?,
        bodies: found.bodies,
        wrapped: found.wrapped,
        scripts: Scripts::default(),
    })
}

/// The hit as what is first asked for: a text that is not empty, or another single value. Which it is, the shape decides.
fn first_value(text: &[u8], hit: u16, value: Span, marks: &[u32]) -> Option<Option<First>> {
    let is_text = match value.of(text) {
        [] | [b'{' | b'[', ..] | b"\"\"" => return Some(None),
        [first, ..] => *first == b'"',
    };
    let value = Part::new(marks, value)?;
    Some(Some(First { hit, value, is_text }))
}

/// The values that differ between records of a shape, in order; none if the record is not one to learn from.
fn free(text: &[u8], trace: &Trace, found: &Found) -> Option<Vec<Free>> {
    let mut values = Vec::new();
    let mut odd = found.index.odd.iter().peekable();
    let mut version = false;
    // What it was where each object and array that is open began.
    let mut outside = Vec::new();
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let span = match byte {
            b'"' => {
                let span = Span::new(at + 1, closing_quote(text, at + 1)?);
                at = span.end as usize + 1;
                let is_key = next_token(text, at) == Some(b':');
                if is_key {
                    version = scan::is_version(span.of(text));
                }
                // Whether there is a text says which members a document has, so an empty one is part of the shape.
                let is_empty = span.start == span.end;
                if is_key || is_empty {
                    continue;
                }
                if trace.names.iter().any(|name| name.start == span.start) {
                    // A name is part of the shape, where nothing would look for the address that it is.
                    if found.addresses.iter().any(|address| address.start == span.start) {
                        return None;
                    }
                    continue;
                }
                while let Some(odd) = odd.next_if(|odd| (span.start..span.end).contains(odd)) {
                    simple_escape(text, *odd as usize)?;
                }
                let is_mute = trace
                    .mute
                    .iter()
                    .any(|mute| (mute.start..mute.end).contains(&span.start));
                values.push(Free {
                    span,
                    then: Then::Text {
                        mute: is_mute || version,
                    },
                });
                continue;
            }
            b'-' | b'0'..=b'9' | b't' | b'f' => Span::new(at, at + plain_length(&text[at..])?),
            b'n' => {
                at += 4;
                continue;
            }
            other => {
                match other {
                    b'{' | b'[' => outside.push(version),
                    b'}' | b']' => version = outside.pop()?,
                    _ => {}
                }
                at += 1;
                continue;
            }
        };
        at = span.end as usize;
        values.push(Free {
            span,
            then: Then::Plain,
        });
    }
    // What is odd may only stand in texts that differ.
    (odd.next().is_none() && values.len() < VALUES).then_some(values)
}

fn closing_quote(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match text.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

fn next_token(text: &[u8], at: usize) -> Option<u8> {
    text.get(at..)?.iter().copied().find(|byte| *byte > b' ')
}
