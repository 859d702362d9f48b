//! A text that many records are compared with.

/// Its first bytes are compared at once, and so are its last ones: few are longer than both together.
#[derive(Debug)]
pub(super) struct Literal {
    text: Box<[u8]>,
    front: u128,
    /// Which bytes of `front` there are.
    mask: u128,
    back: u128,
}

/// As many bytes are compared at once.
const CHUNK: usize = 16;

impl Literal {
    pub(super) fn new(text: &[u8]) -> Self {
        let mut front = [0; CHUNK];
        let length = text.len().min(CHUNK);
        front[..length].copy_from_slice(&text[..length]);
        let mut mask = [0; CHUNK];
        mask[..length].fill(0xff);
        Self {
            text: text.into(),
            front: u128::from_le_bytes(front),
            mask: u128::from_le_bytes(mask),
            back: text.last_chunk().copied().map_or(0, u128::from_le_bytes),
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
        if (u128::from_le_bytes(*first) ^ self.front) & self.mask != 0 {
            return false;
        }
        if length <= CHUNK {
            return true;
        }
        let Some(text) = rest.get(..length) else { return false };
        let is_last = text
            .last_chunk()
            .is_some_and(|last| u128::from_le_bytes(*last) == self.back);
        is_last && (length <= 2 * CHUNK || text[CHUNK..length - CHUNK] == self.text[CHUNK..length - CHUNK])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_other_byte_or_one_too_few_is_another_text() {
        let text: Vec<u8> = (b'0'..b'z').collect();
        for length in 0..text.len() {
            let literal = Literal::new(&text[..length]);
            for behind in 0..20.min(text.len() - length) {
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
