//! JSON as a tree that keeps the text of numbers: what the tests mutate, and what the slow reference walks.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::random::Random;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads what `serde_json` accepts. Of a repeated key the last value counts, in the place of the first.
    pub(crate) fn parse(text: &[u8]) -> Option<Json> {
        let text = std::str::from_utf8(text).ok()?;
        Self::of(serde_json::from_str::<&RawValue>(text).ok()?.get())
    }

    fn of(raw: &str) -> Option<Json> {
        Some(match raw.trim().as_bytes().first()? {
            b'n' => Json::Null,
            b't' => Json::Bool(true),
            b'f' => Json::Bool(false),
            b'"' => Json::Text(serde_json::from_str(raw).ok()?),
            b'[' => {
                let values: Vec<&RawValue> = serde_json::from_str(raw).ok()?;
                Json::Array(
                    values
                        .iter()
                        .map(|value| Self::of(value.get()))
                        .collect::<Option<_>>()?,
                )
            }
            b'{' => {
                let mut members: Vec<(String, Json)> = Vec::new();
                for (key, value) in serde_json::from_str::<Members<'_>>(raw).ok()?.0 {
                    let value = Self::of(value.get())?;
                    match members.iter_mut().find(|(known, _)| *known == key) {
                        Some((_, known)) => *known = value,
                        None => members.push((key, value)),
                    }
                }
                Json::Object(members)
            }
            _ => Json::Number(raw.trim().to_owned()),
        })
    }

    /// The text of a plain value: a string's own, a number or boolean as written.
    pub(crate) fn plain(&self) -> Option<&str> {
        match self {
            Json::Text(text) | Json::Number(text) => Some(text),
            Json::Bool(true) => Some("true"),
            Json::Bool(false) => Some("false"),
            Json::Null | Json::Array(_) | Json::Object(_) => None,
        }
    }

    /// The member of this name, if this is an object that has one.
    pub(crate) fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => members.iter().find(|(known, _)| known == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// How many values there are in this one, with itself.
    pub(crate) fn places(&self) -> usize {
        1 + match self {
            Json::Array(values) => values.iter().map(Json::places).sum(),
            Json::Object(members) => members.iter().map(|(_, value)| value.places()).sum(),
            _ => 0,
        }
    }

    /// The value at a place, counted from 0 for this one, depth first.
    pub(crate) fn place(&mut self, at: usize) -> Option<&mut Json> {
        if at == 0 {
            return Some(self);
        }
        let mut left = at - 1;
        let inside: Vec<&mut Json> = match self {
            Json::Array(values) => values.iter_mut().collect(),
            Json::Object(members) => members.iter_mut().map(|(_, value)| value).collect(),
            _ => return None,
        };
        for value in inside {
            let places = value.places();
            if left < places {
                return value.place(left);
            }
            left -= places;
        }
        None
    }

    /// Calls `each` with every value that is neither `null` nor holds others, and the key that it stands under.
    pub(crate) fn leaves<'a>(&'a self, key: &'a str, each: &mut impl FnMut(&'a str, &'a Json)) {
        self.leaves_but("\0", key, each);
    }

    /// [`Json::leaves`] without what stands under any key called `but`.
    pub(crate) fn leaves_but<'a>(&'a self, but: &str, key: &'a str, each: &mut impl FnMut(&'a str, &'a Json)) {
        match self {
            _ if key == but => {}
            Json::Null => {}
            Json::Array(values) => values.iter().for_each(|value| value.leaves_but(but, key, each)),
            Json::Object(members) => members.iter().for_each(|(key, value)| value.leaves_but(but, key, each)),
            _ => each(key, self),
        }
    }

    /// The shortest way to write it.
    pub(crate) fn compact(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut Style::Compact, &mut out);
        out
    }

    /// Writes it, compact or with white space and escapes where JSON allows them.
    pub(crate) fn write(&self, style: &mut Style<'_>, out: &mut Vec<u8>) {
        style.space(out);
        match self {
            Json::Null => out.extend_from_slice(b"null"),
            Json::Bool(value) => out.extend_from_slice(value.to_string().as_bytes()),
            Json::Number(text) => out.extend_from_slice(text.as_bytes()),
            Json::Text(text) => style.string(text, out),
            Json::Array(values) => {
                out.push(b'[');
                for (number, value) in values.iter().enumerate() {
                    if number > 0 {
                        out.push(b',');
                    }
                    value.write(style, out);
                }
                style.space(out);
                out.push(b']');
            }
            Json::Object(members) => {
                out.push(b'{');
                for (number, (key, value)) in members.iter().enumerate() {
                    if number > 0 {
                        out.push(b',');
                    }
                    style.space(out);
                    style.string(key, out);
                    style.space(out);
                    out.push(b':');
                    value.write(style, out);
                }
                style.space(out);
                out.push(b'}');
            }
        }
        style.space(out);
    }
}

/// The record as the engine reads it: a number beyond every double is text. The answer also says whether a key is longer
/// than is kept.
pub(crate) fn plain(json: Json) -> (Json, bool) {
    match json {
        Json::Number(text) if !text.parse::<f64>().is_ok_and(f64::is_finite) => (Json::Text(text), false),
        Json::Array(values) => {
            let values: Vec<_> = values.into_iter().map(plain).collect();
            let long = values.iter().any(|(_, long)| *long);
            (Json::Array(values.into_iter().map(|(value, _)| value).collect()), long)
        }
        Json::Object(members) => {
            let mut long = false;
            let members = members
                .into_iter()
                .map(|(key, value)| {
                    let (value, inside) = plain(value);
                    long |= inside || key.len() > 256;
                    (key, value)
                })
                .collect();
            (Json::Object(members), long)
        }
        other => (other, false),
    }
}

/// How JSON is written.
pub(crate) enum Style<'r> {
    Compact,
    /// With line breaks, tabs and escapes at random.
    Odd(&'r mut Random),
}

impl Style<'_> {
    fn space(&mut self, out: &mut Vec<u8>) {
        if let Style::Odd(random) = self
            && random.one_in(6)
        {
            out.extend_from_slice(random.pick(&[b" ".as_slice(), b"\t", b"\n", b"\r\n", b"  "]));
        }
    }

    fn string(&mut self, text: &str, out: &mut Vec<u8>) {
        let plain = serde_json::to_string(text).expect("a string can be written");
        let Style::Odd(random) = self else {
            return out.extend_from_slice(plain.as_bytes());
        };
        if !random.one_in(12) {
            return out.extend_from_slice(plain.as_bytes());
        }
        out.push(b'"');
        for unit in text.encode_utf16() {
            let readable = (0x20..0x7f).contains(&unit) && unit != 0x22 && unit != 0x5c;
            if readable && random.one_in(2) {
                out.push(unit as u8);
            } else {
                out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
            }
        }
        out.push(b'"');
    }
}

/// An object's members in order, repeated ones too.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Read)
    }
}
