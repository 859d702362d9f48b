//! What one pass over a record finds: spans of known values by slot, and spans of unknown ones.

use super::{
    scan::Index,
    shape::{Known, Trace},
    trie::{Guess, NodeId, Slot, Trie},
};

/// As many entries of each list are kept between records.
const KEPT_ENTRIES: usize = 16 * 1024;

/// "No hit" in the lists of hits.
pub(super) const NONE: u32 = u32::MAX;

/// Part of the record, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Span {
    pub(super) fn new(start: usize, end: usize) -> Self {
        // A record is at most RECORD_LIMIT long, so both fit.
        Self {
            start: start as u32,
            end: end as u32,
        }
    }

    #[inline]
    pub(super) fn of(self, text: &[u8]) -> &[u8] {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// As [`Span::of`]; spans begin and end at characters.
    #[inline]
    pub(super) fn text(self, text: &str) -> &str {
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
    /// Whether there are escapes in the value, if it is a text.
    pub(super) escaped: bool,
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
    /// Whether it may hold what the policy takes out.
    pub(super) sensitive: bool,
    /// The first hit of each slot, and the last one.
    ends: Vec<(u32, u32)>,
    /// Keys of the objects that are open, to notice repeated ones.
    pub(super) keys: Vec<Span>,
    /// Slots of the envelope's own members, and those they are kept in when the record is found inside.
    envelope: Vec<(Slot, Slot)>,
    /// The insides of texts that look like addresses, wherever they stand.
    pub(super) addresses: Vec<Span>,
    /// What the pass is guided by.
    pub(super) index: Index,
    pub(super) guesses: Guesses,
    /// What else is noted while a shape is learnt.
    pub(super) trace: Trace,
    /// The record's shape, if it is known.
    pub(super) shape: Option<Known>,
}

/// Which member came after each one the last time, by its number in the object; kept between records.
#[derive(Debug, Default)]
pub(super) struct Guesses(Vec<u8>);

impl Guesses {
    fn new(trie: &Trie) -> Self {
        Self(vec![0; trie.guesses()])
    }

    #[inline]
    pub(super) fn get(&self, guess: Guess) -> usize {
        self.0.get(guess as usize).map_or(0, |number| usize::from(*number))
    }

    #[inline]
    pub(super) fn set(&mut self, guess: Guess, number: usize) {
        if let (Some(place), Ok(number)) = (self.0.get_mut(guess as usize), u8::try_from(number)) {
            *place = number;
        }
    }
}

impl Found {
    pub(super) fn new(trie: &Trie) -> Self {
        Self {
            ends: vec![(NONE, NONE); trie.slots()],
            envelope: trie.envelope_slots().collect(),
            guesses: Guesses::new(trie),
            ..Self::default()
        }
    }

    /// The first hit of a slot, or [`NONE`].
    #[inline]
    pub(super) fn head(&self, slot: Slot) -> u32 {
        self.ends.get(usize::from(slot)).map_or(NONE, |(head, _)| *head)
    }

    /// The first hit of a slot and the last one.
    pub(super) fn ends(&self, slot: Slot) -> (u32, u32) {
        self.ends.get(usize::from(slot)).copied().unwrap_or((NONE, NONE))
    }

    /// Says which hits of a slot are the first and the last.
    #[inline]
    pub(super) fn set_ends(&mut self, slot: Slot, first: u32, last: u32) {
        if let Some(ends) = self.ends.get_mut(usize::from(slot)) {
            *ends = (first, last);
        }
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

    pub(super) fn clear(&mut self) {
        self.forget();
        self.keys.clear();
        self.shape = None;
        self.bodies = 0;
        self.wrapped = false;
        self.unusual = false;
        self.sensitive = false;
    }

    /// Gives memory back that an unusually large record needed.
    pub(super) fn shrink(&mut self) {
        self.forget();
        self.hits.shrink_to(KEPT_ENTRIES);
        self.unknown.shrink_to(KEPT_ENTRIES);
        self.keys.shrink_to(KEPT_ENTRIES);
        self.addresses.shrink_to(KEPT_ENTRIES);
        self.index = Index::default();
    }

    /// Drops what was found so far, because it stood in the envelope, but for what rows take from there.
    pub(super) fn enter(&mut self) {
        let kept: Vec<Hit> = self
            .envelope
            .iter()
            .flat_map(|&(from, slot)| self.hits_of(from).map(move |(_, hit)| Hit { slot, ..hit }))
            .collect();
        self.forget();
        for hit in kept {
            self.push(hit.slot, hit.value, hit.name, hit.leaves, hit.escaped);
            self.settle_last();
        }
    }

    /// The last hit is of the envelope: where no row takes it, the rest does not either.
    pub(super) fn settle_last(&mut self) {
        if let Some(hit) = self.hits.last_mut() {
            hit.placed = true;
        }
    }

    /// Drops what was found so far.
    fn forget(&mut self) {
        for hit in &self.hits {
            self.ends[usize::from(hit.slot)] = (NONE, NONE);
        }
        self.hits.clear();
        self.unknown.clear();
        self.addresses.clear();
    }

    #[inline]
    pub(super) fn push(&mut self, slot: Slot, value: Span, name: Span, leaves: u32, escaped: bool) {
        let number = self.hits.len() as u32;
        let (head, tail) = &mut self.ends[usize::from(slot)];
        match self.hits.get_mut(*tail as usize) {
            Some(last) => last.next = number,
            None => *head = number,
        }
        *tail = number;
        self.hits.push(Hit {
            value,
            name,
            slot,
            next: NONE,
            placed: false,
            leaves,
            escaped,
        });
    }
}
