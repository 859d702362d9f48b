//! Domains of a list: an open-addressing table over one text that holds them all.

use std::hash::{BuildHasher, RandomState};

/// Domains with their marks.
#[derive(Debug, Default)]
pub(super) struct Domains {
    text: Vec<u8>,
    entries: Vec<Entry>,
    /// Number of an entry plus one, and above [`NUMBER_BITS`] a part of its hash, so that a miss seldom reads the text. The
    /// length is a power of two.
    table: Vec<u32>,
    hash: RandomState,
}

#[derive(Debug)]
struct Entry {
    start: u32,
    mark: u32,
    length: u8,
}

/// The bits of a place in the table that number an entry: enough for the longest list.
const NUMBER_BITS: u32 = 22;
const NUMBER: u32 = (1 << NUMBER_BITS) - 1;
const _: () = assert!(super::MAX_ENTRIES < NUMBER as usize);

/// Longest domain in bytes, as DNS has it.
pub(super) const MAX_LENGTH: usize = 253;

impl Domains {
    /// Adds a domain in lower case; whether it is new. [`Domains::close`] has to follow the last one.
    pub(super) fn push(&mut self, domain: &str, mark: u32) {
        self.entries.push(Entry {
            start: self.text.len() as u32,
            mark,
            length: domain.len().min(MAX_LENGTH) as u8,
        });
        self.text.extend_from_slice(domain.as_bytes());
    }

    /// Bytes of all domains so far.
    pub(super) fn text_length(&self) -> usize {
        self.text.len()
    }

    /// Builds the table. Of the same domain twice, the first counts.
    pub(super) fn close(&mut self) {
        self.text.shrink_to_fit();
        self.entries.shrink_to_fit();
        if self.entries.is_empty() {
            return;
        }
        self.table = vec![0; (self.entries.len() * 3 / 2).next_power_of_two()];
        for number in 0..self.entries.len() {
            let domain = self.domain(&self.entries[number]);
            let (place, known) = self.probe(domain);
            if known.is_none() {
                let part = (self.hash.hash_one(domain) >> 32) as u32 & !NUMBER;
                self.table[place] = part | (number as u32 + 1);
            }
        }
    }

    fn domain(&self, entry: &Entry) -> &[u8] {
        let start = entry.start as usize;
        self.text
            .get(start..start + usize::from(entry.length))
            .unwrap_or_default()
    }

    /// The longest domain that is the host, or that the host is below: its length and its mark. The host in lower case.
    pub(super) fn find(&self, host: &[u8]) -> Option<(usize, u32)> {
        if self.table.is_empty() || host.len() > MAX_LENGTH {
            return None;
        }
        let mut rest = host;
        loop {
            if let Some(mark) = self.exact(rest) {
                return Some((rest.len(), mark));
            }
            let dot = memchr::memchr(b'.', rest)?;
            rest = rest.get(dot + 1..)?;
        }
    }

    fn exact(&self, domain: &[u8]) -> Option<u32> {
        let entry = self.entries.get(self.probe(domain).1?)?;
        Some(entry.mark)
    }

    /// Where in the table a domain is, or would be, and the number of its entry. The table always has a free place.
    fn probe(&self, domain: &[u8]) -> (usize, Option<usize>) {
        let mask = self.table.len() - 1;
        let hash = self.hash.hash_one(domain);
        let part = (hash >> 32) as u32 & !NUMBER;
        let mut at = hash as usize & mask;
        loop {
            let place = self.table[at];
            let Some(number) = ((place & NUMBER) as usize).checked_sub(1) else {
                return (at, None);
            };
            if place & !NUMBER == part
                && self
                    .entries
                    .get(number)
                    .is_some_and(|entry| self.domain(entry) == domain)
            {
                return (at, Some(number));
            }
            at = (at + 1) & mask;
        }
    }

    /// Bytes that are held.
    pub(super) fn memory(&self) -> usize {
        self.text.capacity() + self.entries.capacity() * size_of::<Entry>() + self.table.capacity() * size_of::<u32>()
    }
}
