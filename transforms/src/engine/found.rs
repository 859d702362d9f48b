//! What one pass over a record finds: spans of known values by slot, and spans of unknown ones.

use super::trie::{NodeId, Slot, Trie};

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
    /// Whether it may hold what the policy takes out.
    pub(super) sensitive: bool,
    heads: Vec<u32>,
    tails: Vec<u32>,
    /// Keys of the objects that are open, to notice repeated ones.
    pub(super) keys: Vec<Span>,
    /// Slots of the envelope's own members, and those they are kept in when the record is found inside.
    envelope: Vec<(Slot, Slot)>,
    /// The insides of texts that look like addresses, wherever they stand.
    pub(super) addresses: Vec<Span>,
}

impl Found {
    pub(super) fn new(trie: &Trie) -> Self {
        Self {
            heads: vec![NONE; trie.slots()],
            tails: vec![NONE; trie.slots()],
            envelope: trie.envelope_slots().collect(),
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

    pub(super) fn clear(&mut self) {
        self.forget();
        self.keys.clear();
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
            self.push(hit.slot, hit.value, hit.name, hit.leaves);
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
            self.heads[usize::from(hit.slot)] = NONE;
        }
        self.hits.clear();
        self.unknown.clear();
        self.addresses.clear();
    }

    pub(super) fn push(&mut self, slot: Slot, value: Span, name: Span, leaves: u32) {
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
