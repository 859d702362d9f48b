//! Records in what was opened: one per line, or pretty-printed JSON documents one after the other.

use std::io::{self, Read};

use super::lines::{Framed, Lines};

/// One record and where it starts.
#[derive(Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Line of its first byte, counted from 1.
    pub line: u64,
    /// The record.
    pub content: Content<'a>,
}

/// A record's bytes, unless there were too many.
#[derive(Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// Without line break, byte-order mark or surrounding blanks; never empty.
    Bytes(&'a [u8]),
    /// The record was longer than the limit and was skipped without being kept.
    TooLong {
        /// How long it was.
        bytes: u64,
    },
}

/// Reads records in bounded memory: at most one, of at most `limit` bytes, is kept.
///
/// A file whose first line is a lone `{` or `[` is pretty-printed: its records are the documents, or the elements of the
/// array. A document that was cut off ends where a line begins with a `{` that JSON has no place for. Everything else is one
/// record per line, so that a broken one spoils no other.
#[derive(Debug)]
pub struct Records<R> {
    lines: Lines<R>,
    line: u64,
    limit: usize,
    documents: Option<Documents>,
}

impl<R: Read> Records<R> {
    /// Reads from `input`, refusing records over `limit` bytes.
    pub fn new(input: R, limit: usize) -> Self {
        Self {
            lines: Lines::new(input, limit),
            line: 0,
            limit,
            documents: None,
        }
    }

    /// The next record; `None` at the end.
    ///
    /// # Errors
    /// When reading fails; what follows in this input is lost.
    pub fn next_record(&mut self) -> io::Result<Option<Record<'_>>> {
        let framed = loop {
            if self.documents.is_some() {
                return self.next_document();
            }
            let Some(framed) = self.lines.advance()? else {
                return Ok(None);
            };
            self.line += 1;
            let Framed::Line(range) = framed else {
                break framed;
            };
            let mut bytes = self.lines.bytes(range.clone());
            if self.line == 1 {
                bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            }
            let trimmed = bytes.trim_ascii();
            if self.line == 1 && matches!(trimmed, b"{" | b"[") {
                self.documents = Some(Documents::starting_with(trimmed));
            } else if !trimmed.is_empty() {
                let start = range.end - bytes.len() + (bytes.len() - bytes.trim_ascii_start().len());
                break Framed::Line(start..start + trimmed.len());
            }
        };
        Ok(Some(Record {
            line: self.line,
            content: match framed {
                Framed::Line(range) => Content::Bytes(self.lines.bytes(range)),
                Framed::TooLong(bytes) => Content::TooLong { bytes },
            },
        }))
    }

    fn next_document(&mut self) -> io::Result<Option<Record<'_>>> {
        let Some(documents) = self.documents.as_mut() else {
            return Ok(None);
        };
        while !documents.find_end(self.limit) {
            match self.lines.advance()? {
                None => {
                    documents.finish();
                    break;
                }
                Some(Framed::TooLong(bytes)) => {
                    self.line += 1;
                    return Ok(Some(Record {
                        line: self.line,
                        content: Content::TooLong { bytes },
                    }));
                }
                Some(Framed::Line(range)) => {
                    self.line += 1;
                    documents.feed(self.line, self.lines.bytes(range));
                }
            }
        }
        Ok(documents.take(self.limit))
    }
}

/// How many open brackets are remembered; records that are deeper are refused anyway.
const DEEPEST: u32 = 256;

/// Finds where pretty-printed documents end: outside strings, braces and brackets balance.
#[derive(Debug)]
struct Documents {
    /// 1 inside a top-level array, whose elements are the records.
    base: u32,
    depth: u32,
    in_string: bool,
    escaped: bool,
    /// The brackets that are open, outermost first, as many as are remembered.
    open: Vec<u8>,
    /// The last byte outside of strings that is no blank; a quote for a string.
    last: u8,
    /// What was read and not yet looked at.
    pending: Vec<u8>,
    at: usize,
    pending_line: u64,
    record: Vec<u8>,
    record_line: u64,
    /// Bytes of the record that did not fit the limit.
    over: u64,
}

impl Documents {
    fn starting_with(line: &[u8]) -> Self {
        let mut documents = Self {
            base: u32::from(line == b"["),
            depth: 0,
            in_string: false,
            escaped: false,
            open: Vec::new(),
            last: 0,
            pending: Vec::new(),
            at: 0,
            pending_line: 1,
            record: Vec::new(),
            record_line: 1,
            over: 0,
        };
        documents.feed(1, line);
        documents
    }

    fn feed(&mut self, line: u64, bytes: &[u8]) {
        self.pending.clear();
        self.pending.extend_from_slice(bytes);
        self.pending.push(b'\n');
        self.at = 0;
        self.pending_line = line;
    }

    /// Moves bytes from `pending` into `record`; true once the record is whole.
    fn find_end(&mut self, limit: usize) -> bool {
        while let Some(&byte) = self.pending.get(self.at) {
            if self.at == 0 && byte == b'{' && self.is_cut_off() {
                self.end();
                return true;
            }
            self.at += 1;
            let inside = self.depth > self.base || self.in_string;
            let was = self.depth;
            let separator = byte.is_ascii_whitespace() || byte == b',';
            if was == 0 && !separator {
                self.base = u32::from(byte == b'[');
            }
            self.step(byte);
            if !inside {
                let array_mark = self.base == 1 && (was == 0 || self.depth == 0);
                if separator || array_mark {
                    continue;
                }
                self.record.clear();
                self.over = 0;
                self.record_line = self.pending_line;
            }
            if self.record.len() < limit {
                self.record.push(byte);
            } else {
                self.over += 1;
            }
            if self.depth <= self.base && !self.in_string {
                if inside {
                    return true;
                }
                if self.depth == was {
                    // Neither object nor array: the rest of the line belongs to it, and it will be refused.
                    let rest = &self.pending[self.at..];
                    self.record.extend_from_slice(rest.trim_ascii_end());
                    self.at = self.pending.len();
                    self.in_string = false;
                    return true;
                }
            }
        }
        false
    }

    /// Whether a document is under way in which no object may follow: what begins here is another one.
    fn is_cut_off(&self) -> bool {
        let inside = (self.depth as usize).checked_sub(1).and_then(|at| self.open.get(at));
        self.base == 0
            && match self.last {
                b':' | b'[' => false,
                b',' => inside == Some(&b'{'),
                _ => inside.is_some(),
            }
    }

    fn step(&mut self, byte: u8) {
        if self.in_string {
            self.last = b'"';
            match byte {
                // No string goes on there: it was cut off.
                b'\n' => (self.in_string, self.escaped) = (false, false),
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return;
        }
        if !byte.is_ascii_whitespace() {
            self.last = byte;
        }
        match byte {
            b'"' if self.depth > self.base => self.in_string = true,
            b'{' | b'[' => {
                if self.depth < DEEPEST {
                    self.open.truncate(self.depth as usize);
                    self.open.push(byte);
                }
                self.depth += 1;
            }
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }

    /// The end of the input: a record that is under way stays as it is, to be refused.
    fn finish(&mut self) {
        if self.depth <= self.base && !self.in_string {
            self.record.clear();
            self.over = 0;
        }
        self.end();
    }

    fn end(&mut self) {
        self.depth = 0;
        self.in_string = false;
    }

    fn take(&mut self, limit: usize) -> Option<Record<'_>> {
        let bytes = self.record.len() as u64 + self.over;
        if bytes == 0 {
            return None;
        }
        let content = if bytes > limit as u64 {
            Content::TooLong { bytes }
        } else {
            Content::Bytes(&self.record)
        };
        Some(Record {
            line: self.record_line,
            content,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Hands out a few bytes at a time, as a pipe may.
    struct Trickle<'a>(&'a [u8], usize);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(buffer.len()).min(self.0.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn framed(text: &[u8], limit: usize, step: usize) -> Vec<(u64, Result<String, u64>)> {
        let mut records = Records::new(Trickle(text, step), limit);
        let mut found = Vec::new();
        while let Some(record) = records.next_record().expect("memory does not fail") {
            found.push((
                record.line,
                match record.content {
                    Content::Bytes(bytes) => Ok(String::from_utf8_lossy(bytes).into_owned()),
                    Content::TooLong { bytes } => Err(bytes),
                },
            ));
        }
        found
    }

    fn texts(text: &str) -> Vec<(u64, String)> {
        framed(text.as_bytes(), 1 << 20, 7)
            .into_iter()
            .map(|(line, content)| (line, content.expect("short")))
            .collect()
    }

    #[test]
    fn one_record_per_line_with_its_number() {
        for (text, records) in [
            ("a\nb\n", &[(1, "a"), (2, "b")][..]),
            ("a\r\n\r\n \nb", &[(1, "a"), (4, "b")]),
            ("\u{feff}a\n", &[(1, "a")]),
            ("", &[]),
            ("\n", &[]),
            ("{\"a\":\n1}", &[(1, "{\"a\":"), (2, "1}")]),
        ] {
            let wanted: Vec<_> = records.iter().map(|(line, text)| (*line, (*text).to_owned())).collect();
            assert_eq!(texts(text), wanted, "{text:?}");
        }
    }

    #[test]
    fn pretty_printed_documents_are_records() {
        for (text, records) in [
            ("{\n \"a\": 1\n}\n", &[(1, "{\n \"a\": 1\n}")][..]),
            (
                "{\n}\n{\n\"}\": \"\\\"{\"\n}\n",
                &[(1, "{\n}"), (3, "{\n\"}\": \"\\\"{\"\n}")],
            ),
            ("[\n {\"a\": [1]},\n {}\n]\n", &[(2, "{\"a\": [1]}"), (3, "{}")]),
            ("[\n]\n{\n}\n", &[(3, "{\n}")]),
            ("{\n\"a\": {\n", &[(1, "{\n\"a\": {\n")]),
            ("{\n}\njunk {\n{\n}", &[(1, "{\n}"), (3, "junk {"), (4, "{\n}")]),
        ] {
            let wanted: Vec<_> = records.iter().map(|(line, text)| (*line, (*text).to_owned())).collect();
            assert_eq!(texts(text), wanted, "{text:?}");
        }
    }

    #[test]
    fn a_document_that_was_cut_off_ends_where_the_next_one_begins() {
        for cut in [
            "{\n",
            "{\n \"a\": 1,\n",
            "{\n \"a\": 1\n",
            "{\n \"a\": \"1\n",
            "{\n \"a\": \"1\\\n",
            "{\n \"a\": [{},\n {}\n",
            "{\n \"a\": {\n},\n",
        ] {
            for next in ["{\"b\": [1]}", "{\n \"b\": 1\n}", "{\n\"b\": [\n{\n},\n{\n}\n]\n}"] {
                let text = format!("{cut}{next}\n{next}\n");
                let lines = |text: &str| text.matches('\n').count() as u64;
                let second = 1 + lines(cut);
                let third = second + lines(next) + 1;
                let wanted = [(1, cut), (second, next), (third, next)].map(|(line, text)| (line, text.to_owned()));
                assert_eq!(texts(&text), wanted, "{text:?}");
            }
        }
    }

    #[test]
    fn whatever_is_json_is_one_document_however_it_is_laid_out() {
        for text in [
            "{\n\"a\":\n{\n\"b\": [\n{\n}\n,\n{\n}\n,\n[\n{\n}\n]\n]\n}\n,\n\"c\": \"\\\"\"\n}",
            &format!("{{\n\"a\":{}1{}\n}}", "[\n".repeat(600), "\n]".repeat(600)),
            &format!(
                "{{\n\"a\":{}1{}\n}}",
                "[\n{\n\"a\":\n".repeat(300),
                "\n}\n,\n{\n}\n]".repeat(300)
            ),
        ] {
            assert_eq!(texts(text), [(1, text.to_owned())], "{text:?}");
        }
    }

    #[test]
    fn a_record_that_is_too_long_is_skipped_alone() {
        let text = format!("a\n{}\nb\n{}", "x".repeat(300_000), "y".repeat(2000));
        for step in [1000, 1 << 20] {
            assert_eq!(
                framed(text.as_bytes(), 1000, step),
                [
                    (1, Ok("a".into())),
                    (2, Err(300_000)),
                    (3, Ok("b".into())),
                    (4, Err(2000))
                ]
            );
        }
        let pretty = format!("{{\n\"a\": [\n{}1]\n}}\n{{\n}}\n", "1,\n".repeat(1000));
        let found = framed(pretty.as_bytes(), 1000, 1 << 20);
        assert!(matches!(found[0], (1, Err(bytes)) if bytes > 3000), "{found:?}");
        assert_eq!(found[1].1, Ok("{\n}".to_owned()));
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces_frame_as_splitting_them_does(
            text in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'x'), Just(b'{'), any::<u8>()], 0..400),
            step in 1_usize..50,
            limit in 1_usize..40,
        ) {
            prop_assume!(!matches!(
                text.split(|b| *b == b'\n').next().unwrap_or_default().trim_ascii(), b"{" | b"["));
            prop_assume!(!text.starts_with(b"\xef\xbb\xbf"));
            let wanted: Vec<(u64, Result<String, u64>)> = text
                .split(|byte| *byte == b'\n')
                .zip(1..)
                .filter_map(|(line, number)| {
                    if line.len() > limit {
                        return Some((number, Err(line.len() as u64)));
                    }
                    let trimmed = line.trim_ascii();
                    (!trimmed.is_empty()).then(|| (number, Ok(String::from_utf8_lossy(trimmed).into_owned())))
                })
                .collect();
            prop_assert_eq!(framed(&text, limit, step), wanted);
        }

        #[test]
        fn pretty_printed_garbage_ends(text in "[{}\\[\\],\"\\\\ \n1x]{0,200}", step in 1_usize..50) {
            for start in ["{\n", "[\n"] {
                let text = format!("{start}{text}");
                prop_assert!(framed(text.as_bytes(), 64, step).len() <= text.len());
            }
        }
    }
}
