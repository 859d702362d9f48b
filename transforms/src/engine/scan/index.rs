//! Where the strings of a record begin and end, found before it is walked.
//!
//! Strings in these records are short. Looking for the end of each one from its start costs a chunk of sixteen bytes and
//! its checks every time; looking for all quotes of the record at once costs a few instructions per string.

use wide::u8x16;

/// The quotes of a record, and what makes a string unusual, a window of the record at a time. Keep it: its lists are kept
/// between records.
#[derive(Debug)]
pub(in crate::engine) struct Index {
    /// Every quote of the window that is not escaped, and room for more: with a list that grows, asking each time whether it
    /// has to took as long as finding the quote.
    quotes: Box<[u32]>,
    /// How many there are.
    count: usize,
    /// Every backslash that begins an escape, and every control character, white space between tokens included.
    pub(in crate::engine) odd: Vec<u32>,
    /// Where the next window begins.
    from: usize,
    /// The byte behind the last backslash.
    escaped: usize,
}

/// Bytes of a window, whole blocks: few records are longer, and however long one is, the lists stay short.
const WINDOW: usize = 128 * BLOCK;

/// Bytes that are looked at together.
const BLOCK: usize = 64;

/// The quotes of a window, one left from before, and a block that is written to whole.
const ROOM: usize = WINDOW + 2 * BLOCK;

impl Default for Index {
    fn default() -> Self {
        Self {
            quotes: vec![0; ROOM].into(),
            count: 0,
            odd: Vec::new(),
            from: 0,
            escaped: usize::MAX,
        }
    }
}

impl Index {
    /// The quote of this number.
    #[inline]
    pub(in crate::engine) fn quote(&self, number: usize) -> Option<u32> {
        self.quotes.get(number).copied().filter(|_| number < self.count)
    }

    /// How many quotes there are.
    pub(in crate::engine) fn quotes(&self) -> usize {
        self.count
    }

    /// Begins another record. Places have 32 bits, which is enough for the longest one.
    pub(super) fn start(&mut self, text: &[u8]) {
        self.count = 0;
        self.odd.clear();
        self.from = 0;
        self.escaped = usize::MAX;
        self.window(text);
    }

    /// Forgets the quotes and odd bytes before these, and goes on until there are two quotes again, a string's, or the text
    /// ends.
    #[cold]
    pub(super) fn go_on(&mut self, text: &[u8], quotes: usize, odd: usize) {
        let quotes = quotes.min(self.count);
        self.quotes.copy_within(quotes..self.count, 0);
        self.count -= quotes;
        self.odd.drain(..odd.min(self.odd.len()));
        while self.count < 2 && self.from < text.len() {
            self.window(text);
        }
    }

    fn window(&mut self, text: &[u8]) {
        let rest = text.get(self.from..).unwrap_or_default();
        let window = &rest[..rest.len().min(WINDOW)];
        let (blocks, last) = window.as_chunks::<BLOCK>();
        let mut start = self.from;
        for block in blocks {
            self.block(block, start);
            start += BLOCK;
        }
        if !last.is_empty() {
            // Spaces are neither quotes nor odd.
            let mut block = [b' '; BLOCK];
            block[..last.len()].copy_from_slice(last);
            self.block(&block, start);
        }
        self.from += window.len();
    }

    #[inline]
    fn block(&mut self, block: &[u8; BLOCK], start: usize) {
        let (mut quotes, odd) = masks(block);
        if odd != 0 || self.escaped == start {
            return self.odd_block(block, quotes | odd, start);
        }
        let Some(room) = self
            .quotes
            .get_mut(self.count..)
            .and_then(|room| room.first_chunk_mut::<BLOCK>())
        else {
            return;
        };
        let mut count = 0;
        while quotes != 0 {
            room[count % BLOCK] = start as u32 + quotes.trailing_zeros();
            count += 1;
            quotes &= quotes - 1;
        }
        self.count += count;
    }

    /// A block in which something besides quotes stands.
    fn odd_block(&mut self, block: &[u8; BLOCK], mut special: u64, start: usize) {
        while special != 0 {
            let offset = special.trailing_zeros() as usize;
            special &= special - 1;
            let at = start + offset;
            if at == self.escaped {
                continue;
            }
            match block[offset] {
                b'"' => {
                    if let Some(room) = self.quotes.get_mut(self.count) {
                        *room = at as u32;
                        self.count += 1;
                    }
                }
                byte => {
                    self.odd.push(at as u32);
                    if byte == b'\\' {
                        self.escaped = at + 1;
                    }
                }
            }
        }
    }
}

/// One bit for each byte: whether it is a quote, and whether it is a backslash or a control character.
#[inline]
fn masks(block: &[u8; BLOCK]) -> (u64, u64) {
    let (mut quotes, mut odd) = (0, 0);
    for (number, chunk) in block.as_chunks::<16>().0.iter().enumerate() {
        let chunk = u8x16::new(*chunk);
        let is_odd = chunk.simd_eq(u8x16::splat(b'\\')) | chunk.min(u8x16::splat(0x1f)).simd_eq(chunk);
        quotes |= u64::from(chunk.simd_eq(u8x16::splat(b'"')).to_bitmask()) << (number * 16);
        odd |= u64::from(is_odd.to_bitmask()) << (number * 16);
    }
    (quotes, odd)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same, a byte at a time.
    fn plainly(text: &[u8]) -> (Vec<u32>, Vec<u32>) {
        let (mut quotes, mut odd) = (Vec::new(), Vec::new());
        let mut at = 0;
        while at < text.len() {
            match text[at] {
                b'"' => quotes.push(at as u32),
                b'\\' => {
                    odd.push(at as u32);
                    at += 1;
                }
                0..0x20 => odd.push(at as u32),
                _ => {}
            }
            at += 1;
        }
        (quotes, odd)
    }

    proptest! {
        #[test]
        fn every_quote_is_found_wherever_it_stands(
            before in 0_usize..2 * WINDOW,
            text in proptest::collection::vec(
                prop_oneof![4 => Just(b'a'), 2 => Just(b'"'), 2 => Just(b'\\'), 1 => Just(b'\n'), 1 => any::<u8>()], 0..300,
            ),
        ) {
            let text = [vec![b'a'; before], text].concat();
            let mut index = Index::default();
            index.start(&text);
            index.go_on(&text, 0, 0);
            let (mut quotes, mut odd) = (Vec::new(), Vec::new());
            while index.count > 0 || !index.odd.is_empty() {
                quotes.extend_from_slice(&index.quotes[..index.count]);
                odd.extend_from_slice(&index.odd);
                index.go_on(&text, index.count, index.odd.len());
            }
            prop_assert_eq!((quotes, odd), plainly(&text));
        }
    }
}
