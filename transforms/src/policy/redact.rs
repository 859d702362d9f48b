//! Redaction: a record in which the values of named headers and query parameters are `[redacted]`.
//!
//! It works on the record before anything is mapped, so that no copy can be forgotten: the mapped fields, the flat
//! headers, the rest, `event.original` and the `native` document are all made of what this leaves over. A value goes when
//!
//! - it stands under a key of that name, or
//! - its object has a member such as `name` or `matchedFieldName` with that name: `{"name":"Cookie","value":"..."}`; all
//!   `value` and `matchedData` members of the object go, or
//! - a WAF rule matched in the headers or cookies and does not say in which one, or
//! - it is the value of a named query parameter, in any text of the record.
//!
//! Names are compared without regard to case, JSON escapes and (of parameters) percent signs; where a key is repeated,
//! every value counts.

pub(crate) use super::names::Names;
use super::names::{COOKIE_PARTS, HEADER_PARTS, QUERY_PARTS};
pub use super::names::{DEFAULT, NameError, default_names, names};
use crate::{
    document::{push_json_string, string_end},
    engine::unescape,
};

/// What stands in the place of a value.
pub const MARK: &str = "[redacted]";

/// The mark as JSON.
const MARK_JSON: &[u8] = b"\"[redacted]\"";

/// Redacts records. Keep it: its lists are kept between records.
#[derive(Debug)]
pub(crate) struct Redactor {
    names: Names,
    edits: Vec<Edit>,
    /// Replacements that are not just the mark.
    texts: Vec<u8>,
}

/// Bytes of the record, and what comes in their place: part of `texts`, or the mark when that is empty.
#[derive(Clone, Copy, Debug)]
struct Edit {
    start: usize,
    end: usize,
    text: (usize, usize),
}

/// What a member of an object is, by its key.
enum Role {
    Name,
    Location,
    Value,
    Other,
}

fn role(key: &str) -> Role {
    let is = |names: &[&str]| names.iter().any(|name| key.eq_ignore_ascii_case(name));
    match key.len() {
        8 if is(&["location"]) => Role::Location,
        3 | 4 | 5 | 6 | 9 | 10 | 16 if is(NAME_KEYS) => Role::Name,
        4 | 5 | 6 | 11 if is(VALUE_KEYS) => Role::Value,
        _ => Role::Other,
    }
}

const NAME_KEYS: &[&str] = &[
    "name",
    "key",
    "field",
    "header",
    "fieldname",
    "headername",
    "matchedfieldname",
];
const VALUE_KEYS: &[&str] = &["value", "values", "data", "matcheddata"];

impl Redactor {
    pub(crate) fn new(names: &[String]) -> Result<Self, NameError> {
        Ok(Self {
            names: Names::new(names)?,
            edits: Vec::new(),
            texts: Vec::new(),
        })
    }

    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    /// Puts the redacted record into `out`; the answer is how many values were replaced, and when it is 0, `out` is empty.
    ///
    /// `record` must be JSON that the scanner accepted.
    pub(crate) fn redact(&mut self, record: &[u8], out: &mut Vec<u8>) -> u64 {
        out.clear();
        self.edits.clear();
        self.texts.clear();
        let mut walk = Walk {
            text: record,
            at: 0,
            names: &self.names,
            edits: &mut self.edits,
            texts: &mut self.texts,
        };
        walk.value();
        if self.edits.is_empty() {
            return 0;
        }
        // An edit inside another one has nothing left to replace.
        self.edits
            .sort_unstable_by_key(|edit| (edit.start, std::cmp::Reverse(edit.end)));
        let (mut from, mut count) = (0, 0);
        for edit in self.edits.iter().filter(|edit| edit.start < edit.end) {
            if edit.start < from {
                continue;
            }
            out.extend_from_slice(&record[from..edit.start]);
            match edit.text {
                (0, 0) => out.extend_from_slice(MARK_JSON),
                (start, end) => out.extend_from_slice(&self.texts[start..end]),
            }
            from = edit.end;
            count += 1;
        }
        out.extend_from_slice(&record[from..]);
        if record.len() > KEPT {
            self.edits = Vec::new();
            self.texts = Vec::new();
        }
        count
    }
}

/// After a record of more bytes than this, lists are given back.
const KEPT: usize = 256 * 1024;

struct Walk<'a> {
    text: &'a [u8],
    at: usize,
    names: &'a Names,
    edits: &'a mut Vec<Edit>,
    texts: &'a mut Vec<u8>,
}

/// What the members of one object say about its values.
#[derive(Default)]
struct Told {
    /// One of the policy's names.
    secret: bool,
    /// Any name at all.
    named: bool,
    /// A part of the request that may hold a secret, when no name tells.
    part: bool,
    cookie: bool,
}

impl<'a> Walk<'a> {
    /// The next byte that is no white space, comma or colon: in checked JSON, none of these carries meaning here.
    fn next(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r' | b',' | b':') = self.text.get(self.at) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    /// Any value; the answer is whether it holds anything that could be a secret.
    fn value(&mut self) -> bool {
        match self.next() {
            Some(b'"') => {
                let start = self.at;
                let inside = self.string();
                if self.names.has_parameters() && memchr::memchr(b'=', inside).is_some() {
                    self.parameters(start, inside);
                }
                !inside.is_empty()
            }
            Some(b'{') => {
                self.at += 1;
                self.object();
                true
            }
            Some(b'[') => {
                self.at += 1;
                let mut any = false;
                while !matches!(self.next(), Some(b']') | None) {
                    any |= self.value();
                }
                self.at += 1;
                any
            }
            other => {
                while !matches!(
                    self.text.get(self.at),
                    Some(b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r') | None
                ) {
                    self.at += 1;
                }
                other != Some(b'n')
            }
        }
    }

    /// The inside of a string; `at` is on its opening quote, and then after the closing one.
    fn string(&mut self) -> &'a [u8] {
        let start = self.at + 1;
        let end = string_end(self.text, start);
        self.at = end + 1;
        self.text.get(start..end).unwrap_or_default()
    }

    fn object(&mut self) {
        let mut told = Told::default();
        // Where its values stand, the first few without an allocation.
        let mut few = [(0, 0); 4];
        let mut many = Vec::new();
        let mut count = 0;
        while !matches!(self.next(), Some(b'}') | None) {
            let key = unescape(self.string()).unwrap_or_default();
            let first = self.next();
            let start = self.at;
            let is_secret = self.names.is_header(&key);
            let holds = self.value();
            if is_secret && holds {
                self.replace(start, self.at);
                continue;
            }
            match role(&key) {
                Role::Name if first == Some(b'"') => self.name(start, &mut told),
                Role::Location if first == Some(b'"') => self.location(start, &mut told),
                Role::Value if holds => {
                    match few.get_mut(count) {
                        Some(place) => *place = (start, self.at),
                        None => many.push((start, self.at)),
                    }
                    count += 1;
                }
                _ => {}
            }
        }
        self.at += 1;
        if told.secret || told.cookie || (told.part && !told.named) {
            for &(start, end) in few.iter().take(count).chain(&many) {
                self.replace(start, end);
            }
        }
    }

    /// A text that names what the object's values belong to.
    fn name(&self, start: usize, told: &mut Told) {
        let name = self.plain(start);
        told.named |= !name.is_empty();
        told.secret |= self.names.is_header(&name) || self.names.is_parameter(&name);
    }

    fn location(&self, start: usize, told: &mut Told) {
        let part = self.plain(start);
        let is = |parts: &[&str]| parts.iter().any(|known| part.eq_ignore_ascii_case(known));
        told.part |= (is(HEADER_PARTS) && self.names.has_headers()) || (is(QUERY_PARTS) && self.names.has_parameters());
        told.cookie |= is(COOKIE_PARTS) && self.names.is_header("cookie");
    }

    /// The text that ended just before `at`.
    fn plain(&self, start: usize) -> std::borrow::Cow<'a, str> {
        let inside = self.text.get(start + 1..self.at.saturating_sub(1)).unwrap_or_default();
        unescape(inside).unwrap_or_default()
    }

    fn replace(&mut self, start: usize, end: usize) {
        self.edits.push(Edit {
            start,
            end,
            text: (0, 0),
        });
    }

    /// Replaces the values of named query parameters in a text that holds any.
    fn parameters(&mut self, start: usize, inside: &[u8]) {
        let Some(plain) = unescape(inside) else {
            return;
        };
        let mut shown = String::new();
        let mut from = 0;
        // Where a name may begin; nothing after the first `=` behind it.
        let mut name = Some(0);
        let mut end = 0;
        for (at, byte) in plain.bytes().enumerate() {
            match byte {
                _ if at < end => {}
                b'?' | b'&' | b';' | b'#' => name = Some(at + 1),
                b'=' => {
                    let is_secret = name
                        .take()
                        .is_some_and(|name| self.names.is_parameter(&plain[name..at]));
                    if is_secret {
                        end = plain[at + 1..]
                            .find(['&', '#'])
                            .map_or(plain.len(), |mark| at + 1 + mark);
                        if end > at + 1 {
                            shown.push_str(&plain[from..=at]);
                            shown.push_str(MARK);
                            from = end;
                        }
                    }
                }
                _ => {}
            }
        }
        if from > 0 {
            shown.push_str(&plain[from..]);
            let text = self.texts.len();
            push_json_string(self.texts, &shown);
            self.edits.push(Edit {
                start,
                end: self.at,
                text: (text, self.texts.len()),
            });
        }
    }
}
