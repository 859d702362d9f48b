//! The values of a record of a known shape: where they end, and whether they are what the scanner takes as usual.

use crate::document::specials;

/// Where the text that begins at `at` ends, which is not empty, and whether there are escapes in it, which are of one
/// letter each.
#[inline]
pub(super) fn text_end(text: &[u8], at: usize) -> Option<(usize, bool)> {
    let mut from = at;
    while let Some(chunk) = text.get(from..)?.first_chunk() {
        let mask = specials(chunk);
        if mask != 0 {
            let end = from + mask.trailing_zeros() as usize;
            return match text.get(end) {
                Some(b'"') if end > at => Some((end, false)),
                _ => odd_text_end(text, at, end),
            };
        }
        from += chunk.len();
    }
    odd_text_end(text, at, from)
}

/// As [`text_end`], a byte at a time from `from` on: the end of the record is near, or there is an escape.
fn odd_text_end(text: &[u8], at: usize, mut from: usize) -> Option<(usize, bool)> {
    let mut escaped = false;
    loop {
        match text.get(from)? {
            b'"' => return (from > at).then_some((from, escaped)),
            b'\\' => {
                simple_escape(text, from)?;
                escaped = true;
                from += 2;
            }
            0..0x20 => return None,
            _ => from += 1,
        }
    }
}

/// Whether there is an escape of one letter.
pub(super) fn simple_escape(text: &[u8], at: usize) -> Option<()> {
    let is_simple = matches!(
        text.get(at..at + 2),
        Some([b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't'])
    );
    is_simple.then_some(())
}

/// The length of a number without an exponent, or of `true` or `false`.
#[inline]
pub(super) fn plain_length(rest: &[u8]) -> Option<usize> {
    let digits = |from: usize| {
        let digits = rest.get(from..).unwrap_or_default().iter();
        let count = digits.take_while(|byte| byte.is_ascii_digit()).count();
        (count > 0).then_some(from + count)
    };
    let end = match rest {
        [b't', b'r', b'u', b'e', ..] => return Some(4),
        [b'f', b'a', b'l', b's', b'e', ..] => return Some(5),
        [b'-', b'0', ..] => 2,
        [b'-', ..] => digits(1)?,
        [b'0', ..] => 1,
        _ => digits(0)?,
    };
    let end = match rest.get(end) {
        Some(b'.') => digits(end + 1)?,
        _ => end,
    };
    (end <= LONGEST_NUMBER && !matches!(rest.get(end), Some(b'e' | b'E' | b'0'..=b'9'))).then_some(end)
}

/// Far below what is beyond every double.
const LONGEST_NUMBER: usize = 64;
