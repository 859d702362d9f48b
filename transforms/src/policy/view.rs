//! Reads some fields of a document that was just written, without parsing the rest of it.
//!
//! The document is our own: compact JSON in which no key stands twice and no known key needs an escape.

use crate::document::string_end;

/// Which fields are read. A field is known by its number in the order in which they were added.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    nodes: Vec<Node>,
    fields: usize,
}

#[derive(Clone, Debug, Default)]
struct Node {
    children: Vec<(Box<[u8]>, usize)>,
    field: Option<usize>,
}

/// A value in the document: a number, a text with its quotes, an object with its braces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) field: usize,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Wanted {
    pub(super) fn new() -> Self {
        Self {
            nodes: vec![Node::default()],
            fields: 0,
        }
    }

    /// Adds a field by its dotted name; the answer is its number.
    pub(super) fn add(&mut self, name: &str) -> usize {
        let mut at = 0;
        for key in name.split('.') {
            let known = self.nodes[at]
                .children
                .iter()
                .find(|(known, _)| **known == *key.as_bytes());
            at = match known {
                Some(&(_, child)) => child,
                None => {
                    self.nodes.push(Node::default());
                    let child = self.nodes.len() - 1;
                    self.nodes[at].children.push((key.as_bytes().into(), child));
                    child
                }
            };
        }
        let fields = &mut self.fields;
        *self.nodes[at].field.get_or_insert_with(|| {
            *fields += 1;
            *fields - 1
        })
    }

    /// Finds the fields' values in the order of the document; of an array, each value.
    pub(super) fn read(&self, document: &[u8], values: &mut Vec<Value>) {
        values.clear();
        let mut reader = Reader {
            text: document,
            at: 1,
            wanted: self,
            values,
        };
        reader.object(0);
    }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    wanted: &'a Wanted,
    values: &'a mut Vec<Value>,
}

impl<'a> Reader<'a> {
    /// The members of an object; `at` is behind its brace, and then behind the closing one, or behind the last member
    /// that the top needs.
    fn object(&mut self, number: usize) {
        let wanted = self.wanted;
        let Some(node) = wanted.nodes.get(number) else {
            return;
        };
        let mut left = node.children.len();
        loop {
            match self.text.get(self.at) {
                Some(b'"') => {}
                Some(b',') => {
                    self.at += 1;
                    continue;
                }
                _ => break,
            }
            let key = self.string();
            self.at += 1;
            match node.children.iter().find(|(known, _)| **known == *key) {
                Some(&(_, child)) => {
                    left -= 1;
                    self.value(child);
                    if number == 0 && left == 0 {
                        return;
                    }
                }
                None => self.skip(),
            }
        }
        self.at += 1;
    }

    fn value(&mut self, number: usize) {
        let field = self.wanted.nodes.get(number).and_then(|node| node.field);
        let start = self.at;
        match (self.text.get(self.at), field) {
            (Some(b'{'), _) => {
                let place = self.values.len();
                self.at += 1;
                self.object(number);
                if let Some(field) = field {
                    let end = self.at;
                    self.values.insert(place, Value { field, start, end });
                }
            }
            (Some(b'['), Some(field)) => {
                self.at += 1;
                while !matches!(self.text.get(self.at), Some(b']') | None) {
                    let start = self.at;
                    self.skip();
                    let end = self.at;
                    self.values.push(Value { field, start, end });
                    if self.text.get(self.at) == Some(&b',') {
                        self.at += 1;
                    }
                }
                self.at += 1;
            }
            (_, Some(field)) => {
                self.skip();
                let end = self.at;
                self.values.push(Value { field, start, end });
            }
            _ => self.skip(),
        }
    }

    /// The inside of a string; `at` is on its opening quote, and then behind the closing one.
    #[inline]
    fn string(&mut self) -> &'a [u8] {
        let start = self.at + 1;
        let end = string_end(self.text, start);
        self.at = end + 1;
        self.text.get(start..end).unwrap_or_default()
    }

    /// Any value.
    fn skip(&mut self) {
        let mut open = 0_usize;
        while let Some(&byte) = self.text.get(self.at) {
            match byte {
                b'"' => {
                    self.string();
                }
                b'{' | b'[' => {
                    open += 1;
                    self.at += 1;
                    continue;
                }
                b'}' | b']' if open > 0 => {
                    open -= 1;
                    self.at += 1;
                }
                b',' | b'}' | b']' if open == 0 => return,
                _ => {
                    self.at += 1;
                    continue;
                }
            }
            if open == 0 {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wanted_values_are_found_among_everything_else() {
        let document = br#"{"a":{"x":"]}\"","b":[1,"two,",{"n":[]}],"c":-3.5},"skip":{"a":{"b":9},"t":["{",[{}]]},"d":true,"e":{}}"#;
        let mut wanted = Wanted::new();
        let names = ["a.b", "a.c", "d", "e", "a", "a.missing", "d.none"];
        let numbers: Vec<usize> = names.iter().map(|name| wanted.add(name)).collect();
        assert_eq!(wanted.add("a.c"), numbers[1]);
        let mut values = Vec::new();
        wanted.read(document, &mut values);
        let found: Vec<(&str, &str)> = values
            .iter()
            .map(|value| {
                let text = std::str::from_utf8(&document[value.start..value.end]).expect("text");
                (names[value.field], text)
            })
            .collect();
        assert_eq!(
            found,
            [
                ("a", r#"{"x":"]}\"","b":[1,"two,",{"n":[]}],"c":-3.5}"#),
                ("a.b", "1"),
                ("a.b", "\"two,\""),
                ("a.b", r#"{"n":[]}"#),
                ("a.c", "-3.5"),
                ("d", "true"),
                ("e", "{}"),
            ]
        );
    }
}
