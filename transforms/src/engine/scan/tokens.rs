//! JSON itself: values, members, strings, numbers, checked to the letter of RFC 8259.

use super::{Fault, Scan, Scanned, What};
use crate::{
    document::{KEYWORD_LIMIT, find_special},
    engine::{DEPTH_LIMIT, KEY_LIMIT, found::Span},
};

impl Scan<'_> {
    /// Any value: checked, counted, not kept.
    pub(super) fn skip(&mut self, depth: usize) -> Scanned<()> {
        match self.peek() {
            Some(b'"') => {
                self.leaves += 1;
                self.escaped = false;
                let text = self.string()?;
                self.found.sensitive |= self.names.suspects(text.of(self.text), self.escaped);
                self.long |= (text.end - text.start) as usize > KEYWORD_LIMIT;
                if may_be_address(text.of(self.text), self.escaped) && !self.key.of(self.text).ends_with(b"ersion") {
                    self.found.addresses.push(text);
                }
                Ok(())
            }
            Some(b'{') => {
                let base = self.found.keys.len();
                self.members(depth + 1, |scan, key, depth| {
                    scan.found.keys.push(key);
                    scan.skip(depth)
                })?;
                self.check_keys(base);
                Ok(())
            }
            Some(b'[') => self.elements(depth, Self::skip),
            Some(b'n') => self.literal(b"null"),
            Some(b't') => self.counted(b"true"),
            Some(b'f') => self.counted(b"false"),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.expected("a value")),
        }
    }

    /// The members of an object; `each` is called with the key's inside and `at` on the value.
    #[inline]
    pub(super) fn members(
        &mut self,
        depth: usize,
        mut each: impl FnMut(&mut Self, Span, usize) -> Scanned<()>,
    ) -> Scanned<()> {
        self.deeper(depth)?;
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.expected("a key in double quotes"));
            }
            self.escaped = false;
            let key = self.string()?;
            self.found.sensitive |= self.names.suspects_key(key.of(self.text), self.escaped);
            self.found.unusual |= self.escaped || (key.end - key.start) as usize > KEY_LIMIT;
            self.key = key;
            self.space();
            if self.peek() != Some(b':') {
                return Err(self.expected("`:`"));
            }
            self.at += 1;
            self.space();
            each(self, key, depth)?;
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(self.expected("`,` or `}`")),
            }
            self.space();
        }
        self.at += 1;
        Ok(())
    }

    #[inline]
    pub(super) fn elements(
        &mut self,
        depth: usize,
        mut each: impl FnMut(&mut Self, usize) -> Scanned<()>,
    ) -> Scanned<()> {
        self.deeper(depth + 1)?;
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            each(self, depth + 1)?;
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return Err(self.expected("`,` or `]`")),
            }
            self.space();
        }
        self.at += 1;
        Ok(())
    }

    fn deeper(&mut self, depth: usize) -> Scanned<()> {
        if depth > DEPTH_LIMIT {
            return Err(Fault {
                at: self.at,
                what: What::TooDeep,
            });
        }
        self.at += 1;
        Ok(())
    }

    /// A string; `at` is on its opening quote, and then after the closing one. The span is its inside.
    #[inline]
    fn string(&mut self) -> Scanned<Span> {
        let start = self.at + 1;
        let mut at = start;
        loop {
            at = find_special(self.text, at);
            match self.text.get(at) {
                Some(b'"') => break,
                Some(b'\\') => at = self.escape(at)?,
                _ => {
                    self.at = at;
                    return Err(self.expected("a closing quote; control characters must be escaped"));
                }
            }
        }
        self.at = at + 1;
        Ok(Span::new(start, at))
    }

    /// An escape at `at`; the answer is where the text goes on.
    #[cold]
    fn escape(&mut self, at: usize) -> Scanned<usize> {
        self.escaped = true;
        let fault = Fault {
            at,
            what: What::Expected("an escape that JSON knows"),
        };
        match self.text.get(at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
            Some(b'u') => {
                let unit = unicode_escape(self.text, at).ok_or(fault)?;
                match unit {
                    0xd800..=0xdbff => match unicode_escape(self.text, at + 6) {
                        Some(0xdc00..=0xdfff) => return Ok(at + 12),
                        _ => self.found.unusual = true,
                    },
                    0xdc00..=0xdfff => self.found.unusual = true,
                    _ => {}
                }
                Ok(at + 6)
            }
            _ => Err(fault),
        }
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

/// Whether a text may be an address, told by its first bytes; what it is will be seen when it is parsed.
#[inline]
fn may_be_address(inside: &[u8], escaped: bool) -> bool {
    // The longest address has 45 characters, of which an escape makes six bytes each.
    match inside {
        [b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F' | b':', rest @ ..] if rest.len() < 45 => {
            escaped || rest.iter().take(4).any(|byte| matches!(byte, b'.' | b':'))
        }
        [b'\\' | b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F' | b':', rest @ ..] => escaped && rest.len() < 45 * 6,
        _ => false,
    }
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
