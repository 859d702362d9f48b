//! Choices that follow from a number or from bytes, so that a failure can be had again.

use std::collections::VecDeque;

/// A stream of choices, the same for the same start.
#[derive(Clone, Debug)]
pub(crate) struct Random {
    state: u64,
    /// Taken first, two bytes a choice, so that a fuzzer sees what each of them does.
    bytes: VecDeque<u8>,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            state: seed,
            bytes: VecDeque::new(),
        }
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        Self {
            state: bytes.len() as u64,
            bytes: bytes.iter().copied().collect(),
        }
    }

    /// Choices that follow from all of the bytes at once.
    pub(crate) fn from_sum(bytes: &[u8]) -> Self {
        let sum = bytes.iter().fold(0_u64, |sum, &byte| {
            (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self::new(sum)
    }

    /// The next two bytes, and when there are none left, the next number of `SplitMix64`.
    pub(crate) fn next(&mut self) -> u64 {
        if let Some(low) = self.bytes.pop_front() {
            return u64::from(low) | u64::from(self.bytes.pop_front().unwrap_or_default()) << 8;
        }
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 for an `end` of 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % (end.max(1) as u64)) as usize
    }

    pub(crate) fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    pub(crate) fn pick<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }
}
