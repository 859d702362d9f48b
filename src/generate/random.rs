//! Randomness from a seed: the same seed and stream give the same numbers on every machine, for good.
//!
//! The few shapes of choice that the generator needs are written here rather than taken from a library of distributions,
//! whose algorithms may change between versions.

use std::net::Ipv4Addr;

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng as _, SeedableRng as _},
};

/// A stream of random choices.
#[derive(Clone, Debug)]
pub(crate) struct Random(ChaCha8Rng);

impl Random {
    /// One of many independent streams of a seed, so that a change in one source leaves the others' bytes alone.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self(rng)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// `0 .. bound`; zero when `bound` is zero.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from((u128::from(self.next()) * bound as u128) >> 64).unwrap_or(0)
    }

    /// `low ..= high`.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = usize::try_from(high.saturating_sub(low)).unwrap_or(0).saturating_add(1);
        low.saturating_add(i64::try_from(self.below(width)).unwrap_or(0))
    }

    /// True in `percent` cases of a hundred.
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// `0.0 .. 1.0`.
    pub(crate) fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// One of a table that is not empty.
    pub(crate) fn pick<'t, T>(&mut self, table: &'t [T]) -> &'t T {
        &table[self.below(table.len())]
    }

    /// An index into `weights`, each as likely as its weight says.
    pub(crate) fn weighted(&mut self, weights: &[u16]) -> usize {
        let total = weights.iter().map(|&w| usize::from(w)).sum();
        let mut left = self.below(total);
        for (index, &weight) in weights.iter().enumerate() {
            match left.checked_sub(usize::from(weight)) {
                Some(rest) => left = rest,
                None => return index,
            }
        }
        0
    }

    /// An address of `base/length` that is neither the network's first nor looks like a broadcast address.
    pub(crate) fn address(&mut self, base: Ipv4Addr, length: u8) -> Ipv4Addr {
        let hosts = 1_u64 << (32 - u32::from(length.clamp(8, 31)));
        let offset = u32::try_from(self.below(usize::try_from(hosts).unwrap_or(1))).unwrap_or(0);
        let last = u32::try_from(self.between(1, 254)).unwrap_or(1);
        Ipv4Addr::from(if hosts < 256 {
            u32::from(base) | offset.max(1)
        } else {
            (u32::from(base) | offset) & !0xff | last
        })
    }

    /// Appends `digits` hexadecimal digits.
    pub(crate) fn push_hex(&mut self, digits: usize, out: &mut Vec<u8>) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut bits = 0;
        for index in 0..digits {
            if index % 16 == 0 {
                bits = self.next();
            }
            out.push(HEX[(bits & 15) as usize]);
            bits >>= 4;
        }
    }

    /// `digits` hexadecimal digits.
    pub(crate) fn hex(&mut self, digits: usize) -> String {
        let mut out = Vec::with_capacity(digits);
        self.push_hex(digits, &mut out);
        out.into_iter().map(char::from).collect()
    }

    /// A random UUID in its usual spelling.
    pub(crate) fn uuid(&mut self) -> String {
        let h = self.hex(30);
        format!(
            "{}-{}-4{}-a{}-{}",
            &h[..8],
            &h[8..12],
            &h[12..15],
            &h[15..18],
            &h[18..30]
        )
    }

    /// `digits` decimal digits, the first not zero.
    pub(crate) fn decimal(&mut self, digits: usize) -> String {
        (0..digits)
            .map(|n| char::from(b'0' + u8::try_from(self.between(i64::from(n == 0), 9)).unwrap_or(1)))
            .collect()
    }
}
