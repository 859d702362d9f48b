//! A key is looked up: its first sixteen bytes as one number, the rest only where there is one.

use super::{Child, Node, Trie};
use crate::engine::found::Span;

impl Trie {
    /// As [`Trie::child`], where the key stands in a text.
    #[inline]
    pub(in crate::engine) fn find<'n>(&self, node: &'n Node, text: &[u8], key: Span) -> Option<(usize, &'n Child)> {
        let mask = node.index.len().wrapping_sub(1);
        let length = (key.end - key.start) as usize;
        let front = self.fold_front(front(text, key));
        let mut at = hash(front, length) & mask;
        loop {
            let number = usize::from(*node.index.get(at)?).checked_sub(1)?;
            let child = node.children.get(number)?;
            if child.front == front
                && child.key.len() == length
                && (length <= FRONT || child.key[FRONT..] == key.of(text)[FRONT..])
            {
                return Some((number, child));
            }
            at = (at + 1) & mask;
        }
    }

    /// How long the key of `child` is with quotes and colon, if that is how `text` begins.
    #[inline]
    pub(in crate::engine) fn starts_with(&self, child: &Child, text: &[u8]) -> Option<usize> {
        let length = child.member.len();
        let mut front = front(text, Span::new(0, length));
        if self.fold {
            let letter = (front >> 8) as u8;
            front ^= u128::from(letter ^ letter.to_ascii_lowercase()) << 8;
        }
        let is_it = front == child.member_front
            && (length <= FRONT
                || text
                    .get(FRONT..length)
                    .is_some_and(|rest| *rest == child.member[FRONT..]));
        (is_it && length > 0).then_some(length)
    }

    /// `front` with its first letter in lower case, where both spellings are the same key.
    #[inline]
    pub(super) fn fold_front(&self, front: u128) -> u128 {
        let first = front as u8;
        front ^ u128::from(first ^ self.fold_first(first))
    }

    pub(super) fn fold_first(&self, first: u8) -> u8 {
        if self.fold { first.to_ascii_lowercase() } else { first }
    }
}

/// As many bytes of a key are compared at once.
const FRONT: usize = 16;

/// The first bytes of a key that stands in `text`, as a number.
#[inline]
pub(super) fn front(text: &[u8], key: Span) -> u128 {
    let length = (key.end - key.start) as usize;
    let rest = text.get(key.start as usize..).unwrap_or_default();
    let word = match rest.first_chunk::<FRONT>() {
        Some(bytes) => u128::from_le_bytes(*bytes),
        None => {
            let mut bytes = [0; FRONT];
            bytes[..rest.len()].copy_from_slice(rest);
            u128::from_le_bytes(bytes)
        }
    };
    word & FRONT_MASKS[length.min(FRONT)]
}

/// By a key's length: the bits of its front that are its own.
const FRONT_MASKS: [u128; FRONT + 1] = {
    let mut masks = [u128::MAX; FRONT + 1];
    let mut length = 0;
    while length < FRONT {
        masks[length] = (1 << (length * 8)) - 1;
        length += 1;
    }
    masks
};

/// Cheap and good enough for the few keys of one object; collisions only cost a comparison.
#[inline]
pub(super) fn hash(front: u128, length: usize) -> usize {
    let mixed = (front as u64 ^ ((front >> 64) as u64).rotate_left(23)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 48) as usize ^ length
}

/// Whether two texts are the same. Keys are short: two words, which may overlap, hold most of them, and
/// a call to compare memory would take longer than comparing them.
#[inline]
pub(in crate::engine) fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    if a.len() > 16 {
        return a == b;
    }
    if let (Some(a_start), Some(b_start), Some(a_end), Some(b_end)) = (
        a.first_chunk::<8>(),
        b.first_chunk::<8>(),
        a.last_chunk::<8>(),
        b.last_chunk::<8>(),
    ) {
        return a_start == b_start && a_end == b_end;
    }
    if let (Some(a_start), Some(b_start), Some(a_end), Some(b_end)) = (
        a.first_chunk::<4>(),
        b.first_chunk::<4>(),
        a.last_chunk::<4>(),
        b.last_chunk::<4>(),
    ) {
        return a_start == b_start && a_end == b_end;
    }
    a.iter().eq(b)
}
