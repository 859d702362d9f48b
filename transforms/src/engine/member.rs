//! The values of one member of a document: none, one, or an array of distinct ones.

use std::ops::Range;

/// What became of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    Written,
    /// There is nothing to write: an empty text.
    Empty,
    /// The type would reject it.
    Refused,
}

/// The values of one member while they are written one after another.
pub(super) struct Values {
    content: usize,
    pub(super) count: usize,
    /// Where the last value starts.
    from: usize,
    /// The first few values, to leave out repetitions.
    known: [Range<usize>; Self::KNOWN],
    repeats: bool,
}

impl Values {
    const KNOWN: usize = 16;

    /// No values yet; `repeats` keeps one that comes again.
    #[inline]
    pub(super) fn new(content: usize, repeats: bool) -> Self {
        Self {
            content,
            count: 0,
            from: content,
            known: [const { 0..0 }; Self::KNOWN],
            repeats,
        }
    }

    /// Takes note of a value that was just written at the end of `out`, if it was.
    pub(super) fn wrote(&mut self, fit: Fit, out: &mut Vec<u8>) {
        if fit != Fit::Written {
            out.truncate(self.from);
            return;
        }
        let value = self.from..out.len();
        let repeated = !self.repeats
            && self
                .known
                .iter()
                .take(self.count)
                .any(|known| out[known.clone()] == out[value.clone()]);
        if repeated {
            out.truncate(self.from);
            return;
        }
        if let Some(free) = self.known.get_mut(self.count) {
            *free = value;
        }
        self.count += 1;
        out.push(b',');
        self.from = out.len();
    }

    /// Whether `raw` is one of the first values as they were written.
    pub(super) fn has(&self, raw: &[u8], out: &[u8]) -> bool {
        self.known
            .iter()
            .take(self.count)
            .any(|known| &out[known.clone()] == raw)
    }

    /// Makes an array of several values (of a single one where ECS wants a list). The answer is whether there is any.
    pub(super) fn finish(&self, list: bool, out: &mut Vec<u8>) -> bool {
        if self.count == 0 {
            out.truncate(self.content);
            return false;
        }
        if list || self.count > 1 {
            out.insert(self.content, b'[');
            if let Some(comma) = out.last_mut() {
                *comma = b']';
            }
        } else {
            out.pop();
        }
        true
    }
}
