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
        let mut parser = serde_json::Deserializer::from_slice(record);
        let mut refusal = None;
        let tree = Tree {
            refusal: &mut refusal,
            depth: 0,
        };
        let node = tree.deserialize(&mut parser);
        match (node, refusal) {
            (_, Some(refusal)) => Err(refusal),
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

/// An object with more members than this looks its keys up; in a smaller one it is faster to look at each.
const FEW: usize = 24;

/// Builds a [`Node`] and remembers why it must not be.
struct Tree<'a> {
    refusal: &'a mut Option<Error>,
    /// Objects and lists around it.
    depth: usize,
}

impl Tree<'_> {
    /// What stands one level deeper.
    fn inner(&mut self) -> Tree<'_> {
        Tree {
            refusal: self.refusal,
            depth: self.depth + 1,
        }
    }

    fn deepen<E: de::Error>(&mut self) -> Result<(), E> {
        if self.depth < MAX_DEPTH {
            return Ok(());
        }
        Err(self.refuse(Error::TooDeep { limit: MAX_DEPTH }))
    }

    /// The parser takes no error of ours: it ends with this one, and ours is found beside it.
    fn refuse<E: de::Error>(&mut self, refusal: Error) -> E {
        *self.refusal = Some(refusal);
        E::custom("refused")
    }
}

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

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Node, A::Error> {
        self.deepen()?;
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(self.inner())? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Node, A::Error> {
        self.deepen()?;
        let mut entries: Vec<(String, Node)> = Vec::new();
        let mut many: HashSet<String> = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if entries.len() == FEW {
                many = entries.iter().map(|(key, _)| key.clone()).collect();
            }
            let is_new = match entries.len() {
                ..FEW => entries.iter().all(|(known, _)| *known != key),
                _ => many.insert(key.clone()),
            };
            if !is_new {
                let field = shorten(&key);
                return Err(self.refuse(Error::DuplicateKey { field }));
            }
            let value = map.next_value_seed(self.inner())?;
            entries.push((key, value));
        }
        Ok(Node::Map(entries))
    }
}
