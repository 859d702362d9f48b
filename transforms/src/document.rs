//! Writes one line of JSON, member by member, into a buffer that the caller keeps.
//!
//! Objects are nested (`"source":{"ip":...}`), as the Elastic Common Schema shows them. A [`Line`] needs no look-ahead:
//! each member ends with a comma that the closing brace replaces, and an object in which nothing was written disappears.
//!
//! ```
//! use portcullis_transforms::document::Line;
//!
//! let mut out = Vec::new();
//! let mut line = Line::begin(&mut out);
//! line.date("@timestamp", 1_795_258_260_000);
//! let source = line.open("source");
//! line.string("address", "quoted \"name\"");
//! line.number("port", 443);
//! line.close(source);
//! let nothing = line.open("destination");
//! line.close(nothing);
//! line.end();
//! assert_eq!(
//!     std::str::from_utf8(&out),
//!     Ok("{\"@timestamp\":\"2026-11-21T10:51:00.000Z\",\"source\":{\"address\":\"quoted \\\"name\\\"\",\"port\":443}}\n")
//! );
//! ```

use wide::u8x16;

use crate::time;

/// The version of the Elastic Common Schema whose names the documents use.
pub const ECS_VERSION: &str = "8.11.0";

/// Which normaliser wrote a document: `portcullis.normalizer`.
pub const NORMALIZER: &str = concat!("portcullis-transforms/", env!("CARGO_PKG_VERSION"));

/// Longest keyword and longest leaf of a flat object in bytes; what is longer is cut there.
///
/// `OpenSearch` refuses a whole document for one term above 32,766 bytes. The mapping's `ignore_above` counts
/// characters, of which 8191 never take more than 32,764 bytes.
pub const KEYWORD_LIMIT: usize = 8191;

/// What a cut value ends with.
pub const CUT_MARK: &str = "…";

/// An object or array that is being written; hand it back to [`Line::close`] or [`Line::close_array`].
#[derive(Debug)]
#[must_use = "an open object has to be closed"]
pub struct Open {
    start: usize,
    content: usize,
}

/// One line of JSON in the making.
///
/// Keys are the schema's own names and are written as they are: they must need no escaping.
#[derive(Debug)]
pub struct Line<'o> {
    out: &'o mut Vec<u8>,
    cut: u64,
}

impl<'o> Line<'o> {
    /// Starts the document's object at the end of `out`.
    pub fn begin(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, cut: 0 }
    }

    /// How many values were cut so far; goes into `portcullis.cut`.
    #[must_use]
    pub fn cut(&self) -> u64 {
        self.cut
    }

    /// Counts one more cut value.
    pub fn count_cut(&mut self) {
        self.cut += 1;
    }

    /// The buffer, for a value that is written in place. Write one whole JSON value after [`Line::key`], then
    /// [`Line::comma`].
    pub fn out(&mut self) -> &mut Vec<u8> {
        self.out
    }

    /// Writes `"key":`.
    pub fn key(&mut self, key: &str) {
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    /// Ends a member or an array's value.
    pub fn comma(&mut self) {
        self.out.push(b',');
    }

    /// Opens the object `key`.
    pub fn open(&mut self, key: &str) -> Open {
        let start = self.out.len();
        self.key(key);
        self.out.push(b'{');
        let content = self.out.len();
        Open { start, content }
    }

    /// Closes an object; one without members is taken back.
    pub fn close(&mut self, open: Open) {
        self.finish(open, b'}');
    }

    /// Opens the array `key`.
    pub fn open_array(&mut self, key: &str) -> Open {
        let start = self.out.len();
        self.key(key);
        self.out.push(b'[');
        let content = self.out.len();
        Open { start, content }
    }

    /// Closes an array; one without values is taken back.
    pub fn close_array(&mut self, open: Open) {
        self.finish(open, b']');
    }

    fn finish(&mut self, Open { start, content }: Open, bracket: u8) {
        if self.out.len() == content {
            self.out.truncate(start);
            return;
        }
        if let Some(comma) = self.out.last_mut() {
            *comma = bracket;
        }
        self.out.push(b',');
    }

    /// Writes `"key":"text"`, whole and escaped.
    pub fn string(&mut self, key: &str, text: &str) {
        self.key(key);
        push_json_string(self.out, text);
        self.comma();
    }

    /// Writes `"key":"text"`, cut at [`KEYWORD_LIMIT`].
    pub fn keyword(&mut self, key: &str, text: &str) {
        self.key(key);
        self.keyword_value(text);
    }

    /// Writes one value of an array of keywords.
    pub fn keyword_value(&mut self, text: &str) {
        self.cut += u64::from(push_keyword(self.out, text));
        self.comma();
    }

    /// Writes `"key":number`.
    pub fn number(&mut self, key: &str, number: i64) {
        self.key(key);
        push_integer(self.out, number);
        self.comma();
    }

    /// Writes `"key":true` or `"key":false`.
    pub fn boolean(&mut self, key: &str, value: bool) {
        self.key(key);
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
        self.comma();
    }

    /// Writes `"key":"2026-11-21T10:51:00.000Z"` from milliseconds since 1970.
    pub fn date(&mut self, key: &str, millis: i64) {
        self.key(key);
        self.out.push(b'"');
        time::push_rfc3339(millis, self.out);
        self.out.extend_from_slice(b"\",");
    }

    /// Ends the document with `}` and a newline.
    pub fn end(self) {
        match self.out.last_mut() {
            Some(comma) if *comma == b',' => *comma = b'}',
            _ => self.out.push(b'}'),
        }
        self.out.push(b'\n');
    }
}

/// As much of `text` as fits [`KEYWORD_LIMIT`]: all of it, or a start that leaves room for [`CUT_MARK`].
#[must_use]
pub fn cut_text(text: &str) -> &str {
    if text.len() <= KEYWORD_LIMIT {
        return text;
    }
    start_of(text, KEYWORD_LIMIT - CUT_MARK.len())
}

/// As many whole characters from the start of `text` as fit `bytes`.
#[must_use]
pub fn start_of(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Appends `text` as a JSON string with its quotes.
pub fn push_json_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    push_escaped(out, text);
    out.push(b'"');
}

/// Appends `text` as a JSON string, cut at [`KEYWORD_LIMIT`]; the answer is whether it was cut.
#[inline]
pub(crate) fn push_keyword(out: &mut Vec<u8>, text: &str) -> bool {
    let kept = cut_text(text);
    let is_cut = kept.len() < text.len();
    out.push(b'"');
    push_escaped(out, kept);
    if is_cut {
        out.extend_from_slice(CUT_MARK.as_bytes());
    }
    out.push(b'"');
    is_cut
}

/// Where the string whose inside starts at `at` ends: the place of its closing quote, or of the end of the text.
#[inline]
pub(crate) fn string_end(text: &[u8], mut at: usize) -> usize {
    while let Some(offset) = memchr::memchr2(b'"', b'\\', text.get(at..).unwrap_or_default()) {
        at += offset;
        if text[at] == b'"' {
            return at;
        }
        at += 2;
    }
    text.len()
}

/// Appends `text` escaped for the inside of a JSON string.
pub fn push_escaped(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    // Most texts need no escape and are short: this takes half the time of looking for the first one.
    if is_plain(bytes) {
        return out.extend_from_slice(bytes);
    }
    let mut from = 0;
    loop {
        let at = find_special(bytes, from);
        out.extend_from_slice(&bytes[from..at]);
        let Some(&byte) = bytes.get(at) else { return };
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]),
        }
        from = at + 1;
    }
}

/// Whether nothing in the text has to be escaped. Sixteen bytes are looked at together; the last ones overlap those before.
#[inline]
pub(crate) fn is_plain(text: &[u8]) -> bool {
    let last = match (text.last_chunk::<16>(), text.first_chunk::<8>(), text.last_chunk::<8>()) {
        (Some(last), ..) => *last,
        (None, Some(first), Some(last)) => {
            let mut both = [0; 16];
            both[..8].copy_from_slice(first);
            both[8..].copy_from_slice(last);
            both
        }
        _ => return text.iter().all(|&byte| byte >= 0x20 && byte != b'"' && byte != b'\\'),
    };
    let (chunks, _) = text.as_chunks::<16>();
    specials(&last) == 0 && chunks.iter().all(|chunk| specials(chunk) == 0)
}

/// One bit for each byte that is a quote, a backslash or a control character.
#[inline]
pub(crate) fn specials(chunk: &[u8; 16]) -> u32 {
    let chunk = u8x16::new(*chunk);
    let quote_or_backslash = chunk.simd_eq(u8x16::splat(b'"')) | chunk.simd_eq(u8x16::splat(b'\\'));
    (quote_or_backslash | chunk.min(u8x16::splat(0x1f)).simd_eq(chunk)).to_bitmask()
}

/// The next quote, backslash or control character at or after `at`, or the end of the text.
#[inline]
fn find_special(text: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = text.get(at..).and_then(|rest| rest.first_chunk::<16>()) {
        let mask = specials(chunk);
        if mask != 0 {
            return at + mask.trailing_zeros() as usize;
        }
        at += 16;
    }
    while let Some(&byte) = text.get(at) {
        if byte < 0x20 || byte == b'"' || byte == b'\\' {
            return at;
        }
        at += 1;
    }
    at
}

/// Appends `bytes` in lower-case hexadecimal.
pub fn push_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]));
}

/// 16 bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8; 16]) -> [u8; 32] {
    let mut text = [0; 32];
    for (eight, four) in text.as_chunks_mut::<8>().0.iter_mut().zip(bytes.as_chunks::<4>().0) {
        *eight = hex_digits(u32::from_le_bytes(*four)).to_le_bytes();
    }
    text
}

/// The digits of four bytes, all worked out together: a byte of the answer is a digit.
#[inline]
fn hex_digits(bytes: u32) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let apart = u64::from(bytes);
    let apart = (apart | apart << 16) & 0x0000_ffff_0000_ffff;
    let apart = (apart | apart << 8) & 0x00ff_00ff_00ff_00ff;
    let nibbles = apart >> 4 & 0x000f_000f_000f_000f | (apart & 0x000f_000f_000f_000f) << 8;
    let letters = (nibbles + 6 * ONES) >> 4 & ONES;
    nibbles + u64::from(b'0') * ONES + letters * u64::from(b'a' - b'0' - 10)
}

#[inline]
fn digit(nibble: u8) -> u8 {
    b"0123456789abcdef"[usize::from(nibble & 15)]
}

/// Appends a number in decimal.
pub fn push_integer(out: &mut Vec<u8>, number: i64) {
    if number < 0 {
        out.push(b'-');
    }
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    let mut left = number.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_is_escaped_as_json_wants_it() {
        for text in [
            "",
            "plain",
            "\"\\/",
            "\u{0}\u{1f}\u{7f}",
            "a\nb\r\tc",
            "ünïcode ☃ 𝄞",
            "</script>",
        ] {
            let mut out = Vec::new();
            push_json_string(&mut out, text);
            assert_eq!(serde_json::from_slice::<String>(&out).ok().as_deref(), Some(text));
        }
    }

    #[test]
    fn an_integer_is_written_as_the_standard_library_writes_it() {
        for number in [0, 7, 10, -1, 1_795_258_260_000, i64::MAX, i64::MIN] {
            let mut out = Vec::new();
            push_integer(&mut out, number);
            assert_eq!(out, number.to_string().as_bytes());
        }
    }

    #[test]
    fn every_byte_has_its_two_digits() {
        for byte in 0..=u8::MAX {
            let bytes = [
                byte, !byte, 0, 255, byte, 9, 10, 16, 1, 2, 3, 4, byte, 0xa0, 0x9f, !byte,
            ];
            let expected: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(String::from_utf8_lossy(&hex(&bytes)), expected);
        }
    }

    #[test]
    fn a_long_keyword_is_cut_at_a_character_and_counted() {
        let mut out = Vec::new();
        let mut line = Line::begin(&mut out);
        line.keyword("fits", &"x".repeat(KEYWORD_LIMIT));
        assert_eq!(line.cut(), 0);
        line.keyword("long", &"ü".repeat(KEYWORD_LIMIT));
        assert_eq!(line.cut(), 1);
        line.end();
        let value: serde_json::Value = serde_json::from_slice(&out).expect("valid JSON");
        let long = value["long"].as_str().expect("text");
        assert!(long.len() <= KEYWORD_LIMIT && long.ends_with(CUT_MARK));
    }

    #[test]
    fn an_empty_document_is_still_an_object() {
        let mut out = Vec::new();
        let mut line = Line::begin(&mut out);
        let open = line.open("a");
        let inner = line.open_array("b");
        line.close_array(inner);
        line.close(open);
        line.end();
        assert_eq!(out, b"{}\n");
    }
}
