//! JSON itself: values, members, strings, numbers, checked to the letter of RFC 8259.

use super::{Scan, Scanned, What};
use crate::{
    document::KEYWORD_LIMIT,
    engine::{DEPTH_LIMIT, KEY_LIMIT, found::Span},
    policy::redact::Names,
};

const CLOSING_QUOTE: &str = "a closing quote; control characters must be escaped";
const UNKNOWN_ESCAPE: What = What::Expected("an escape that JSON knows");

/// Whether what stands under a key is a version, which may look like an address: `Version` and `version`, told by their end.
#[inline]
pub(in crate::engine) fn is_version(key: &[u8]) -> bool {
    key.ends_with(b"ersion")
}

impl Scan<'_> {
    /// Any value, which begins with `first`: checked, counted, not kept.
    pub(super) fn skip(&mut self, first: u8, depth: usize) -> Scanned<()> {
        match first {
            b'"' => {
                self.leaves += 1;
                let text = self.string()?;
                self.look_at(text);
                Ok(())
            }
            b'{' => {
                let base = self.found.keys.len();
                self.members(depth + 1, |scan, key, first, depth| {
                    scan.unknown_key(key);
                    scan.found.keys.push(key);
                    scan.skip(first, depth)
                })?;
                self.check_keys(base);
                Ok(())
            }
            b'[' => self.elements(depth, Self::skip),
            b'n' => self.literal(b"null"),
            b't' => self.counted(b"true"),
            b'f' => self.counted(b"false"),
            b'-' | b'0'..=b'9' => self.number(),
            _ => Err(self.expected("a value")),
        }
    }

    /// What is to be known of a text beside where it stands.
    #[inline]
    pub(super) fn look_at(&mut self, text: Span) {
        let inside = text.of(self.text);
        if self.escaped {
            return self.look_at_escaped(text);
        }
        if inside.len() > LONGEST_LOOKED_AT {
            self.long |= inside.len() > KEYWORD_LIMIT;
            return;
        }
        self.found.sensitive |= self.names.suspects(inside, false);
        if may_be_address(inside) {
            self.address(text);
        }
    }

    #[cold]
    fn look_at_escaped(&mut self, text: Span) {
        let inside = text.of(self.text);
        self.found.sensitive |= self.names.suspects(inside, true);
        self.long |= inside.len() > KEYWORD_LIMIT;
        if may_be_escaped_address(inside) {
            self.address(text);
        }
    }

    /// Notes what may be an address.
    fn address(&mut self, text: Span) {
        if !is_version(self.key.of(self.text)) {
            self.found.addresses.push(text);
        }
    }

    /// What is to be known of a key that the table does not have.
    #[inline]
    pub(super) fn unknown_key(&mut self, key: Span) {
        let inside = key.of(self.text);
        self.found.sensitive |= self.names.suspects_key(inside, self.escaped);
        self.found.unusual |= self.escaped || inside.len() > KEY_LIMIT;
    }

    /// The members of an object; `each` is called with the key's inside, `at` on the value and the value's first byte.
    #[inline]
    pub(super) fn members(
        &mut self,
        depth: usize,
        mut each: impl FnMut(&mut Self, Span, u8, usize) -> Scanned<()>,
    ) -> Scanned<()> {
        let mut more = self.open(depth)?;
        while more {
            let (key, first) = self.member()?;
            each(self, key, first, depth)?;
            more = self.another()?;
        }
        Ok(())
    }

    /// The start of an object; the answer is whether a member follows.
    #[inline]
    pub(super) fn open(&mut self, depth: usize) -> Scanned<bool> {
        self.deeper(depth)?;
        let is_empty = self.token() == b'}';
        self.at += usize::from(is_empty);
        Ok(!is_empty)
    }

    /// A key and its colon; the answer is the key's inside and the value's first byte.
    #[inline]
    pub(super) fn member(&mut self) -> Scanned<(Span, u8)> {
        if self.token() != b'"' {
            return Err(self.expected("a key in double quotes"));
        }
        let key = self.string()?;
        self.key = key;
        // Without white space, as AWS writes, two bytes are looked at together here and after the value.
        match self.two() {
            [b':', first] if first > b' ' => {
                self.at += 1;
                Ok((key, first))
            }
            _ => Ok((key, self.colon()?)),
        }
    }

    /// What follows a value in an object; the answer is whether that is another member.
    #[inline]
    pub(super) fn another(&mut self) -> Scanned<bool> {
        if let [b',', b'"'] = self.two() {
            self.at += 1;
            return Ok(true);
        }
        match self.token() {
            b',' => {
                self.at += 1;
                self.token();
                Ok(true)
            }
            b'}' => {
                self.at += 1;
                Ok(false)
            }
            _ => Err(self.expected("`,` or `}`")),
        }
    }

    /// The next two bytes; zeros at the end.
    #[inline]
    fn two(&self) -> [u8; 2] {
        let rest = self.text.get(self.at..).unwrap_or_default();
        rest.first_chunk().copied().unwrap_or_default()
    }

    /// A colon with white space around it; the answer is what follows.
    #[cold]
    fn colon(&mut self) -> Scanned<u8> {
        if self.token() != b':' {
            return Err(self.expected("`:`"));
        }
        self.at += 1;
        Ok(self.token())
    }

    /// The elements of an array; `each` is called with `at` on the element and its first byte.
    #[inline]
    pub(super) fn elements(
        &mut self,
        depth: usize,
        mut each: impl FnMut(&mut Self, u8, usize) -> Scanned<()>,
    ) -> Scanned<()> {
        self.deeper(depth + 1)?;
        let mut first = self.token();
        if first == b']' {
            self.at += 1;
            return Ok(());
        }
        // Each stands under the key of the array, whatever keys the one before it has.
        let key = self.key;
        loop {
            each(self, first, depth + 1)?;
            self.key = key;
            match self.token() {
                b',' => self.at += 1,
                b']' => break,
                _ => return Err(self.expected("`,` or `]`")),
            }
            first = self.token();
        }
        self.at += 1;
        Ok(())
    }

    #[inline]
    fn deeper(&mut self, depth: usize) -> Scanned<()> {
        if depth > DEPTH_LIMIT {
            return Err(self.stop(self.at, What::TooDeep));
        }
        self.at += 1;
        Ok(())
    }

    /// A string; `at` is on its opening quote, and then after the closing one. The span is its inside.
    #[inline]
    pub(super) fn string(&mut self) -> Scanned<Span> {
        let end = match self.found.index.quote(self.quote + 1) {
            Some(end) => end,
            None => self.far_end()?,
        };
        self.quote += 2;
        let text = Span {
            start: self.at as u32 + 1,
            end,
        };
        self.escaped = false;
        if self.next_odd < end {
            self.odd_in(text)?;
        }
        self.at = end as usize + 1;
        Ok(text)
    }

    /// The end of a string that the index does not reach yet.
    #[cold]
    fn far_end(&mut self) -> Scanned<u32> {
        self.found.index.go_on(self.text, self.quote, self.odd);
        (self.quote, self.odd) = (0, 0);
        self.next_odd();
        if let Some(end) = self.found.index.quote(1) {
            return Ok(end);
        }
        self.odd_in(Span::new(self.at + 1, self.text.len()))?;
        self.at = self.text.len();
        Err(self.expected(CLOSING_QUOTE))
    }

    /// Checks the escapes in a string, and that nothing else in it is odd.
    #[cold]
    fn odd_in(&mut self, text: Span) -> Scanned<()> {
        // What stands between tokens is white space, or not looked at any more.
        let mut from = text.start as usize;
        while let Some(&at) = self.found.index.odd.get(self.odd)
            && at < text.end
        {
            let at = at as usize;
            if at >= from {
                if self.text.get(at) != Some(&b'\\') {
                    self.at = at;
                    return Err(self.expected(CLOSING_QUOTE));
                }
                from = self.escape(at)?;
            }
            self.odd += 1;
        }
        self.next_odd();
        Ok(())
    }

    pub(super) fn next_odd(&mut self) {
        let next = self.found.index.odd.get(self.odd);
        self.next_odd = next.copied().unwrap_or(u32::MAX);
    }

    /// An escape at `at`; the answer is where the text goes on.
    #[cold]
    fn escape(&mut self, at: usize) -> Scanned<usize> {
        self.escaped = true;
        match self.text.get(at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => return Ok(at + 2),
            Some(b'u') => {}
            _ => return Err(self.stop(at, UNKNOWN_ESCAPE)),
        }
        match unicode_escape(self.text, at) {
            Some(0xd800..=0xdbff) => match unicode_escape(self.text, at + 6) {
                Some(0xdc00..=0xdfff) => return Ok(at + 12),
                _ => self.found.unusual = true,
            },
            Some(0xdc00..=0xdfff) => self.found.unusual = true,
            Some(_) => {}
            None => return Err(self.stop(at, UNKNOWN_ESCAPE)),
        }
        Ok(at + 6)
    }

    fn counted(&mut self, word: &'static [u8]) -> Scanned<()> {
        self.leaves += 1;
        self.literal(word)
    }

    pub(super) fn literal(&mut self, word: &'static [u8]) -> Scanned<()> {
        if self.text[self.at..].starts_with(word) {
            self.at += word.len();
            return Ok(());
        }
        Err(self.expected("a value"))
    }

    fn number(&mut self) -> Scanned<()> {
        self.leaves += 1;
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        let exponent = matches!(self.peek(), Some(b'e' | b'E'));
        if exponent {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        // Readers that hold numbers as doubles refuse what is larger than any.
        if exponent || self.at - start > 300 {
            self.found.unusual |= is_too_large(&self.text[start..self.at]);
        }
        Ok(())
    }

    fn digits(&mut self) -> Scanned<()> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start {
            return Err(self.expected("a digit"));
        }
        Ok(())
    }
}

/// Neither a policy's name nor an address is longer.
const LONGEST_LOOKED_AT: usize = 63;

const LONGEST_ADDRESS: usize = 45;

/// As the scanner looks at a text whose escapes are simple: whether it may be an address; nothing for one that may be what
/// the policy takes out.
#[inline]
pub(in crate::engine) fn look(inside: &[u8], names: &Names, escaped: bool) -> Option<bool> {
    if !escaped && inside.len() > LONGEST_LOOKED_AT {
        return Some(false);
    }
    if names.suspects(inside, escaped) {
        return None;
    }
    Some(match escaped {
        true => may_be_escaped_address(inside),
        false => may_be_address(inside),
    })
}

fn may_be_escaped_address(inside: &[u8]) -> bool {
    // An escape makes six bytes of a character.
    let starts = matches!(inside, [b'\\' | b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F' | b':', ..]);
    starts && inside.len() <= LONGEST_ADDRESS * 6
}

/// Hexadecimal digits and colons; looking a byte up takes a third of comparing it with what it may be.
static BEGINS_ADDRESS: [bool; 256] = {
    let mut begins = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        begins[byte] = (byte as u8).is_ascii_hexdigit() || byte as u8 == b':';
        byte += 1;
    }
    begins
};

/// Whether a text may be an address, told by its first bytes; what it is will be seen when it is parsed.
#[inline]
fn may_be_address(inside: &[u8]) -> bool {
    let [first, rest @ ..] = inside else { return false };
    if !BEGINS_ADDRESS[usize::from(*first)] {
        return false;
    }
    match rest.first_chunk::<4>() {
        Some(next) => has_mark(*next) && inside.len() <= LONGEST_ADDRESS,
        None => rest.iter().any(|byte| matches!(byte, b'.' | b':')),
    }
}

/// Whether a dot or colon is among four bytes, all looked at together: a byte that is zero is the only one that borrows.
#[inline]
fn has_mark(bytes: [u8; 4]) -> bool {
    const ONES: u32 = 0x0101_0101;
    let word = u32::from_le_bytes(bytes);
    let has_zero = |word: u32| word.wrapping_sub(ONES) & !word & (ONES << 7) != 0;
    has_zero(word ^ (ONES * 0x2e)) || has_zero(word ^ (ONES * 0x3a))
}

/// Whether a number is beyond the range of a double.
pub(crate) fn is_too_large(number: &[u8]) -> bool {
    let number = std::str::from_utf8(number)
        .ok()
        .and_then(|text| text.parse::<f64>().ok());
    !number.is_some_and(f64::is_finite)
}

/// The code unit of `\uXXXX` at `at`.
pub(in crate::engine) fn unicode_escape(text: &[u8], at: usize) -> Option<u32> {
    let [b'\\', b'u', digits @ ..] = text.get(at..at + 6)? else {
        return None;
    };
    digits
        .iter()
        .try_fold(0, |unit, &digit| Some(unit * 16 + char::from(digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_mark_is_found_among_four_bytes(bytes in proptest::array::uniform4(prop_oneof![
            Just(b'.'), Just(b':'), Just(b'-'), Just(b'/'), Just(b';'), any::<u8>(),
        ])) {
            prop_assert_eq!(has_mark(bytes), bytes.contains(&b'.') || bytes.contains(&b':'));
        }
    }
}
