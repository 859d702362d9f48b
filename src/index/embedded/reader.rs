//! The leaves of one JSON object in one pass: no tree of it is built.

use std::{borrow::Cow, fmt};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Nesting of a document; the transforms write three or four.
const DEPTH: usize = 32;

/// A value that holds no others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Leaf<'l> {
    Bool(bool),
    /// A whole number that fits.
    Whole(i64),
    /// A larger one.
    Large(u64),
    Float(f64),
    Text(&'l str),
}

impl<'l> Leaf<'l> {
    pub(crate) fn as_str(self) -> Option<&'l str> {
        match self {
            Leaf::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_i64(self) -> Option<i64> {
        match self {
            Leaf::Whole(number) => Some(number),
            _ => None,
        }
    }

    pub(crate) fn as_f64(self) -> Option<f64> {
        match self {
            Leaf::Whole(number) => Some(number as f64),
            Leaf::Large(number) => Some(number as f64),
            Leaf::Float(number) => Some(number),
            _ => None,
        }
    }

    pub(crate) fn as_bool(self) -> Option<bool> {
        match self {
            Leaf::Bool(truth) => Some(truth),
            _ => None,
        }
    }

    /// As JSON has it, a text without its quotes.
    pub(crate) fn text(self) -> Cow<'l, str> {
        match self {
            Leaf::Text(text) => Cow::Borrowed(text),
            Leaf::Bool(truth) => Cow::Borrowed(if truth { "true" } else { "false" }),
            Leaf::Whole(number) => Cow::Owned(number.to_string()),
            Leaf::Large(number) => Cow::Owned(number.to_string()),
            Leaf::Float(number) => Cow::Owned(serde_json::Value::from(number).to_string()),
        }
    }
}

/// Hands over each leaf of an object with its dotted path. What is nested too deep is passed over.
pub(crate) fn read(line: &[u8], mut take: impl FnMut(&str, Leaf<'_>)) -> serde_json::Result<()> {
    let mut json = serde_json::Deserializer::from_slice(line);
    let mut path = String::with_capacity(64);
    let whole = Place {
        path: &mut path,
        depth: DEPTH,
        take: &mut take,
    };
    json.deserialize_map(whole)?;
    json.end()
}

/// Where in the object a value stands.
struct Place<'p, F> {
    path: &'p mut String,
    depth: usize,
    take: &'p mut F,
}

impl<F: FnMut(&str, Leaf<'_>)> Place<'_, F> {
    fn leaf<E>(self, leaf: Leaf<'_>) -> Result<(), E> {
        (self.take)(self.path, leaf);
        Ok(())
    }

    fn inner(&mut self) -> Place<'_, F> {
        Place {
            path: self.path,
            depth: self.depth.saturating_sub(1),
            take: self.take,
        }
    }
}

impl<'de, F: FnMut(&str, Leaf<'_>)> DeserializeSeed<'de> for Place<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: FnMut(&str, Leaf<'_>)> Visitor<'de> for Place<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_bool<E>(self, truth: bool) -> Result<(), E> {
        self.leaf(Leaf::Bool(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.leaf(Leaf::Whole(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        match i64::try_from(number) {
            Ok(number) => self.leaf(Leaf::Whole(number)),
            Err(_) => self.leaf(Leaf::Large(number)),
        }
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.leaf(Leaf::Float(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.leaf(Leaf::Text(text))
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut values: A) -> Result<(), A::Error> {
        if self.depth == 0 {
            while values.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        while values.next_element_seed(self.inner())?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut object: A) -> Result<(), A::Error> {
        if self.depth == 0 {
            while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        let length = self.path.len();
        while object.next_key_seed(Key(self.path))?.is_some() {
            // The engine's own separators.
            if self.path.get(length..).is_some_and(|key| key.contains(['\0', '\u{1}'])) {
                object.next_value::<IgnoredAny>()?;
            } else {
                object.next_value_seed(self.inner())?;
            }
            self.path.truncate(length);
        }
        Ok(())
    }
}

/// Appends a key to the path.
struct Key<'p>(&'p mut String);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<(), E> {
        if !self.0.is_empty() {
            self.0.push('.');
        }
        self.0.push_str(key);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(line: &str) -> serde_json::Result<Vec<(String, String)>> {
        let mut found = Vec::new();
        read(line.as_bytes(), |path, leaf| {
            found.push((path.to_owned(), leaf.text().into_owned()));
        })?;
        Ok(found)
    }

    #[test]
    fn leaves_come_with_their_paths_whether_nested_dotted_or_in_arrays() {
        let line = r#"{"a":{"b":[1,{"c":"x"},null],"d.e":true},"f":-0.5,"g":18446744073709551615,"h":{}}"#;
        let found = leaves(line).expect("an object");
        let found: Vec<_> = found
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                ("a.b", "1"),
                ("a.b.c", "x"),
                ("a.d.e", "true"),
                ("f", "-0.5"),
                ("g", "18446744073709551615"),
            ]
        );
    }

    #[test]
    fn a_key_with_the_engines_separators_is_passed_over_with_all_below_it() {
        let found = leaves(r#"{"a\u0001b":{"c":1},"d\u0000":2,"e":{"f":3}}"#).expect("an object");
        assert_eq!(found, [("e.f".to_owned(), "3".to_owned())]);
    }

    #[test]
    fn what_is_nested_too_deep_is_passed_over_and_the_rest_is_read() {
        let deep = format!("{}1{}", r#"{"a":"#.repeat(60), "}".repeat(60));
        let found = leaves(&format!(r#"{{"x":{deep},"y":[[2]]}}"#)).expect("an object");
        assert_eq!(found, [("y".to_owned(), "2".to_owned())]);
    }

    #[test]
    fn what_is_no_object_alone_is_refused() {
        for line in ["", "[]", "1", "\"text\"", "{} {}", "{\"a\":}", "null"] {
            assert!(leaves(line).is_err(), "{line}");
        }
    }
}
