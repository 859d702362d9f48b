//! JSON as a tree whose keys are found in any casing, with duplicate keys refused and depth bounded.

use std::collections::HashSet;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{Error, MAX_BYTES, MAX_DEPTH};

/// A JSON value. Numbers keep their text, so that `"7.5"` and `7.5` read alike.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Node {
    #[default]
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// What a missing key reads as.
static NULL: Node = Node::Null;

impl Node {
    /// Parses one record: bounded in size and depth, valid UTF-8, no key twice.
    pub(super) fn parse(record: &[u8]) -> Result<Self, Error> {
        let record = record.strip_prefix(b"\xef\xbb\xbf").unwrap_or(record).trim_ascii();
        if record.is_empty() {
            return Err(Error::Empty);
        }
        if record.len() > MAX_BYTES {
            return Err(Error::TooLarge {
                bytes: record.len(),
                limit: MAX_BYTES,
            });
        }
        if too_deep(record) {
            return Err(Error::TooDeep { limit: MAX_DEPTH });
        }
        let mut parser = serde_json::Deserializer::from_slice(record);
        let mut duplicate = None;
        let node = Tree(&mut duplicate).deserialize(&mut parser);
        match (node, duplicate) {
            (_, Some(field)) => Err(Error::DuplicateKey { field }),
            (Ok(node), None) => parser.end().map(|()| node).map_err(|error| not_json(&error)),
            (Err(error), None) => Err(not_json(&error)),
        }
    }

    /// The value under a key in any casing; `Null` when there is none.
    ///
    /// # Errors
    ///
    /// When two keys differ only in casing: either could be meant.
    pub(super) fn get(&self, key: &str) -> Result<&Node, Error> {
        let Node::Map(entries) = self else {
            return Ok(&NULL);
        };
        let mut found = entries.iter().filter(|(name, _)| name.eq_ignore_ascii_case(key));
        match (found.next(), found.next()) {
            (Some(_), Some((name, _))) => Err(Error::DuplicateKey { field: shorten(name) }),
            (Some((_, node)), None) => Ok(node),
            (None, _) => Ok(&NULL),
        }
    }

    /// Follows keys downwards.
    pub(super) fn at<const N: usize>(&self, path: [&str; N]) -> Result<&Node, Error> {
        path.into_iter().try_fold(self, Node::get)
    }

    /// Text or number as trimmed text; `None` for anything else and for empty text.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Node::Text(text) | Node::Number(text) => Some(text.trim()).filter(|text| !text.is_empty()),
            _ => None,
        }
    }

    /// The same, owned.
    pub(super) fn string(&self) -> Option<String> {
        self.text().map(str::to_owned)
    }

    /// `true`, also as text.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Node::Bool(value) => *value,
            Node::Text(text) => text.trim().eq_ignore_ascii_case("true"),
            _ => false,
        }
    }

    /// A number, also as text.
    pub(super) fn number(&self) -> Option<f64> {
        self.text()
            .and_then(|text| text.parse().ok())
            .filter(|n: &f64| n.is_finite())
    }

    /// The elements of an array; an object counts as an array of one, as some senders write it.
    pub(super) fn items(&self) -> &[Node] {
        match self {
            Node::List(items) => items,
            Node::Map(_) => std::slice::from_ref(self),
            _ => &[],
        }
    }

    /// Whether there is nothing in it: null, `{}`, `[]` or empty text.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Node::Null => true,
            Node::List(items) => items.is_empty(),
            Node::Map(entries) => entries.is_empty(),
            Node::Text(text) => text.trim().is_empty(),
            Node::Bool(_) | Node::Number(_) => false,
        }
    }
}

fn not_json(error: &serde_json::Error) -> Error {
    Error::NotJson {
        // Records are single lines, so the line would always be the first.
        message: error.to_string().replace(" line 1 column", " column"),
    }
}

/// A key or value as an error shows it.
pub(super) fn shorten(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Counts brackets outside strings, before anything is built: the parser recurses, this does not.
fn too_deep(record: &[u8]) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in record {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return true;
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// Builds a [`Node`] and remembers the first key that stands twice.
struct Tree<'a>(&'a mut Option<String>);

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(Tree(self.0))? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries: Vec<(String, Node)> = Vec::new();
        let mut keys = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if !keys.insert(key.clone()) {
                *self.0 = Some(shorten(&key));
                return Err(de::Error::custom("a key stands twice"));
            }
            let value = map.next_value_seed(Tree(self.0))?;
            entries.push((key, value));
        }
        Ok(Node::Map(entries))
    }
}
