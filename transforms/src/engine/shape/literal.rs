//! A text that many records are compared with.

use wide::u8x32;

/// Its first bytes are compared at once, and so are its last ones: few are longer than both together.
#[derive(Debug)]
pub(super) struct Literal {
    text: Box<[u8]>,
    front: [u8; CHUNK],
    back: [u8; CHUNK],
}

/// As many bytes are compared at once.
const CHUNK: usize = 32;

impl Literal {
    pub(super) fn new(text: &[u8]) -> Self {
        let mut front = [0; CHUNK];
        let length = text.len().min(CHUNK);
        front[..length].copy_from_slice(&text[..length]);
        Self {
            text: text.into(),
            front,
            back: text.last_chunk().copied().unwrap_or_default(),
        }
    }

    #[inline]
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Whether `rest` begins with it.
    #[inline]
    pub(super) fn begins(&self, rest: &[u8]) -> bool {
        let length = self.text.len();
        let Some(first) = rest.first_chunk() else {
            return rest.starts_with(&self.text);
        };
        // Of a short text, only the first bytes count.
        let beyond = CHUNK - length.min(CHUNK);
        if (u64::from(others(first, &self.front)) << beyond) as u32 != 0 {
            return false;
        }
        if length <= CHUNK {
            return true;
        }
        let Some(text) = rest.get(..length) else { return false };
        let is_last = text.last_chunk().is_some_and(|last| others(last, &self.back) == 0);
        is_last && (length <= 2 * CHUNK || text[CHUNK..length - CHUNK] == self.text[CHUNK..length - CHUNK])
    }
}

/// One bit for each byte that is another.
#[inline]
fn others(one: &[u8; CHUNK], other: &[u8; CHUNK]) -> u32 {
    !u8x32::new(*one).simd_eq(u8x32::new(*other)).to_bitmask()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_other_byte_or_one_too_few_is_another_text() {
        let text: Vec<u8> = (0..150).collect();
        for length in 0..text.len() {
            let literal = Literal::new(&text[..length]);
            for behind in 0..40.min(text.len() - length) {
                assert!(literal.begins(&text[..length + behind]), "{length} {behind}");
            }
            for at in 0..length {
                assert!(!literal.begins(&text[..at]), "{length} {at}");
                let mut other = text.clone();
                other[at] ^= 1;
                assert!(!literal.begins(&other), "{length} {at}");
            }
        }
    }
}
