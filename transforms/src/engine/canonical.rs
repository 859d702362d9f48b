//! Rewrites an unusual record once, so that the fast path can map it: one line, plain keys, each key once.
//!
//! The input has passed the scanner, so it is JSON of bounded depth. Numbers keep their text. Of a repeated key the last
//! value counts, as in most parsers. A number that is too large for a double becomes text. A key above [`KEY_LIMIT`] is cut and gets a hash, so that it stays distinct.

use std::{borrow::Cow, collections::HashMap};

use super::{KEY_LIMIT, scan::is_too_large, value::unescape};
use crate::document::{push_hex, push_json_string, start_of};

/// Appends the canonical form of `text` to `out`; the answer is the number of keys that were cut.
pub(crate) fn canonicalise(text: &[u8], out: &mut Vec<u8>) -> u64 {
    let mut reader = Reader { text, at: 0, cut: 0 };
    let value = reader.value();
    write(&value, out);
    reader.cut
}

enum Value<'a> {
    /// A number or literal, as written.
    Plain(&'a [u8]),
    Text(Cow<'a, str>),
    Array(Vec<Value<'a>>),
    Object(Vec<(Cow<'a, str>, Value<'a>)>),
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    cut: u64,
}

impl<'a> Reader<'a> {
    /// The next byte that is no space, comma or colon: in checked JSON, none of these carries meaning here.
    fn next(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r' | b',' | b':') = self.text.get(self.at) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn value(&mut self) -> Value<'a> {
        match self.next() {
            Some(b'"') => Value::Text(self.string()),
            Some(b'[') => {
                self.at += 1;
                let mut values = Vec::new();
                while !matches!(self.next(), Some(b']') | None) {
                    values.push(self.value());
                }
                self.at += 1;
                Value::Array(values)
            }
            Some(b'{') => {
                self.at += 1;
                let mut members = Vec::new();
                while let Some(b'"') = self.next() {
                    let key = self.key();
                    members.push((key, self.value()));
                }
                self.at += 1;
                Value::Object(last_of_each(members))
            }
            _ => {
                let rest = self.text.get(self.at..).unwrap_or_default();
                let length = rest
                    .iter()
                    .position(|byte| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r'))
                    .unwrap_or(rest.len());
                self.at += length.max(1);
                Value::Plain(rest.get(..length).unwrap_or_default())
            }
        }
    }

    fn string(&mut self) -> Cow<'a, str> {
        let start = self.at + 1;
        let mut at = start;
        while let Some(&byte) = self.text.get(at) {
            match byte {
                b'"' => break,
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
        self.at = at + 1;
        self.text.get(start..at).and_then(unescape).unwrap_or_default()
    }

    fn key(&mut self) -> Cow<'a, str> {
        let key = self.string();
        if key.len() <= KEY_LIMIT {
            return key;
        }
        self.cut += 1;
        cut_key(&key).into()
    }
}

/// The start of a long key, and a hash of all of it.
pub(crate) fn cut_key(key: &str) -> String {
    let mut hash = Vec::new();
    push_hex(&mut hash, &blake3::hash(key.as_bytes()).as_bytes()[..8]);
    format!("{}…{}", start_of(key, KEY_LIMIT - 40), String::from_utf8_lossy(&hash))
}

fn last_of_each<'a>(members: Vec<(Cow<'a, str>, Value<'a>)>) -> Vec<(Cow<'a, str>, Value<'a>)> {
    let mut places: HashMap<Cow<'a, str>, usize> = HashMap::with_capacity(members.len());
    let mut kept: Vec<(Cow<'a, str>, Value<'a>)> = Vec::with_capacity(members.len());
    for (key, value) in members {
        match places.get(&key) {
            Some(&place) => kept[place].1 = value,
            None => {
                places.insert(key.clone(), kept.len());
                kept.push((key, value));
            }
        }
    }
    kept
}

fn write(value: &Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Plain(number @ [b'-' | b'0'..=b'9', ..]) if is_too_large(number) => {
            push_json_string(out, &String::from_utf8_lossy(number));
        }
        Value::Plain(text) => out.extend_from_slice(text),
        Value::Text(text) => push_json_string(out, text),
        Value::Array(values) => {
            out.push(b'[');
            for (number, value) in values.iter().enumerate() {
                if number > 0 {
                    out.push(b',');
                }
                write(value, out);
            }
            out.push(b']');
        }
        Value::Object(members) => {
            out.push(b'{');
            for (number, (key, value)) in members.iter().enumerate() {
                if number > 0 {
                    out.push(b',');
                }
                push_json_string(out, key);
                out.push(b':');
                write(value, out);
            }
            out.push(b'}');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unusual_record_becomes_one_plain_line() {
        let cases = [
            ("{\r\n \"a\" : [ 1 , 2.50 ,\n true ] }", r#"{"a":[1,2.50,true]}"#),
            (
                r#"{"a":1,"\u0061":2,"b":{"c":1,"c":null}}"#,
                r#"{"a":2,"b":{"c":null}}"#,
            ),
            (
                r#"{"big":123456789012345678901234567890,"t":"\ud800!"}"#,
                "{\"big\":123456789012345678901234567890,\"t\":\"\u{fffd}!\"}",
            ),
            (r#"{"q\"":"\\\"","e":{},"f":[]}"#, r#"{"q\"":"\\\"","e":{},"f":[]}"#),
        ];
        for (input, expected) in cases {
            let mut out = Vec::new();
            canonicalise(input.as_bytes(), &mut out);
            assert_eq!(String::from_utf8_lossy(&out), expected);
        }
    }

    #[test]
    fn long_keys_that_differ_only_at_the_end_stay_distinct() {
        let long = "k".repeat(5000);
        let mut out = Vec::new();
        let cut = canonicalise(format!(r#"{{"{long}1":1,"{long}2":2}}"#).as_bytes(), &mut out);
        let value: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&out).expect("valid JSON");
        assert_eq!((cut, value.len()), (2, 2));
        assert!(value.keys().all(|key| key.len() < KEY_LIMIT));
    }
}
