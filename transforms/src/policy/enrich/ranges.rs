//! Addresses and networks of a list, flattened: sorted places at which the answer changes.
//!
//! Networks nest or are apart, so a list of `n` has at most `2 n` such places. A search begins
//! in every 64th of them, which fit a cache, and ends among 64 neighbours.

/// An address as a number.
pub(super) trait Bits: Copy + Ord {
    /// The next address, if there is one.
    fn next(self) -> Option<Self>;
}

impl Bits for u32 {
    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }
}

impl Bits for u128 {
    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }
}

/// How many starts one sample stands for.
const STEP: usize = 64;

/// What a place belongs to: nothing.
const NOTHING: u32 = u32::MAX;

/// Networks by their addresses.
#[derive(Debug)]
pub(super) struct Ranges<A> {
    starts: Vec<A>,
    /// What begins at each start.
    marks: Vec<u32>,
    /// Every [`STEP`]th start.
    samples: Vec<A>,
}

impl<A: Bits> Ranges<A> {
    /// From networks as first address, last address and mark. Of the same network twice, the first counts.
    pub(super) fn new(mut networks: Vec<(A, A, u32)>) -> Self {
        networks.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
        networks.dedup_by(|later, earlier| (later.0, later.1) == (earlier.0, earlier.1));
        let mut ranges = Self {
            starts: Vec::with_capacity(networks.len()),
            marks: Vec::with_capacity(networks.len()),
            samples: Vec::new(),
        };
        let mut around: Vec<(A, u32)> = Vec::new();
        for (first, last, mark) in networks {
            ranges.leave(&mut around, Some(first));
            ranges.change(first, mark);
            around.push((last, mark));
        }
        ranges.leave(&mut around, None);
        ranges.starts.shrink_to_fit();
        ranges.marks.shrink_to_fit();
        ranges.samples = ranges.starts.iter().copied().step_by(STEP).collect();
        ranges
    }

    /// Ends the networks that end before `next`, inner ones first.
    fn leave(&mut self, around: &mut Vec<(A, u32)>, next: Option<A>) {
        while let Some(&(last, _)) = around.last() {
            if next.is_some_and(|next| last >= next) {
                return;
            }
            around.pop();
            if let Some(after) = last.next() {
                self.change(after, around.last().map_or(NOTHING, |(_, mark)| *mark));
            }
        }
    }

    fn change(&mut self, at: A, mark: u32) {
        if self.starts.last() == Some(&at) {
            self.starts.pop();
            self.marks.pop();
        }
        self.starts.push(at);
        self.marks.push(mark);
    }

    /// The mark of the smallest network that holds the address.
    pub(super) fn find(&self, address: A) -> Option<u32> {
        let sample = self.samples.partition_point(|start| *start <= address).checked_sub(1)?;
        let near = self.starts.get(sample * STEP..)?;
        let near = near.get(..STEP).unwrap_or(near);
        let place = sample * STEP + near.partition_point(|start| *start <= address).checked_sub(1)?;
        self.marks.get(place).copied().filter(|mark| *mark != NOTHING)
    }

    /// Bytes that are held.
    pub(super) fn memory(&self) -> usize {
        (self.starts.capacity() + self.samples.capacity()) * size_of::<A>() + self.marks.capacity() * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn network(address: u32, prefix: u32) -> (u32, u32) {
        let hosts = u32::MAX.checked_shr(prefix).unwrap_or_default();
        (address & !hosts, address | hosts)
    }

    proptest! {
        #[test]
        fn the_smallest_network_around_an_address_is_found(
            networks in vec((any::<u32>(), 0_u32..=32), 0..40),
            near in vec((0_usize..40, any::<u32>(), 0_u32..=32), 0..20),
            addresses in vec(any::<u32>(), 1..20),
        ) {
            let mut all: Vec<(u32, u32, u32)> = Vec::new();
            for (address, prefix) in networks {
                let (first, last) = network(address, prefix);
                all.push((first, last, all.len() as u32));
            }
            for (of, noise, prefix) in near {
                let Some(&(first, last, _)) = all.get(of) else { continue };
                let (first, last) = network(first ^ (noise & (first ^ last)), prefix);
                all.push((first, last, all.len() as u32));
            }
            let ranges = Ranges::new(all.clone());
            let edges = all.iter().flat_map(|(first, last, _)| {
                [*first, *last, first.wrapping_sub(1), last.wrapping_add(1)]
            });
            for address in edges.chain(addresses) {
                let expected = all
                    .iter()
                    .filter(|(first, last, _)| *first <= address && address <= *last)
                    .min_by_key(|(first, last, mark)| (last - first, *mark))
                    .map(|(_, _, mark)| *mark);
                prop_assert_eq!(ranges.find(address), expected);
            }
        }
    }
}
