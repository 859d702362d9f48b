//! The paths of a table as a tree of keys, built the obvious way.

use std::collections::HashMap;

use portcullis_transforms::{Field, Source};

/// A distinct place: the path without brackets, or with the choice for elements that are chosen by name.
pub(crate) type Slot = String;

#[derive(Debug, Default)]
pub(crate) struct Node {
    pub(crate) path: String,
    pub(crate) is_slot: bool,
    /// Whether what stands here is kept in one piece (`body!`).
    pub(crate) is_whole: bool,
    pub(crate) children: Vec<(String, Node)>,
    pub(crate) choice: Option<Choice>,
}

/// Elements such as `{"name":"Host","value":"example.com"}`.
#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) key: String,
    pub(crate) value: String,
    /// Lower-case names and their slots; `*` for all others.
    slots: Vec<(String, Slot)>,
}

#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) root: Node,
    pub(crate) fields: Vec<&'static Field>,
    folds: bool,
    /// The slots of every row, by its paths.
    rows: HashMap<&'static str, Vec<Slot>>,
    /// Members of an envelope that rows take, the record's own names left out.
    outer: Vec<&'static str>,
}

impl Node {
    pub(crate) fn has_children(&self) -> bool {
        !self.children.is_empty() || self.choice.is_some()
    }
}

impl Choice {
    pub(crate) fn slot(&self, name: &str) -> Option<Slot> {
        let named = |wanted: &str| {
            self.slots
                .iter()
                .find(|(known, _)| *known == wanted)
                .map(|(_, slot)| slot.clone())
        };
        named(&name.to_ascii_lowercase()).or_else(|| named("*"))
    }
}

impl Tree {
    pub(crate) fn new(source: Source, folds: bool) -> Self {
        let mut tree = Tree {
            root: Node::default(),
            fields: Vec::new(),
            folds,
            rows: HashMap::new(),
            outer: Vec::new(),
        };
        let fields = source.fields();
        for field in &fields {
            for path in field.from.split(" | ").filter(|path| of_record(path)) {
                for path in expand(path) {
                    tree.add(&path);
                }
            }
        }
        let outer = fields.iter().flat_map(|field| field.from.split(" | "));
        tree.outer = outer
            .filter_map(|path| path.strip_prefix('^'))
            .filter(|name| tree.child(&tree.root, name).is_none())
            .collect();
        tree.rows = fields.iter().map(|field| (field.from, tree.read(field.from))).collect();
        tree.fields = fields;
        tree
    }

    fn add(&mut self, path: &str) {
        let folds = self.folds;
        let mut node = &mut self.root;
        let mut segments = path.split('.');
        while let Some(segment) = segments.next() {
            let (key, inside) = segment.split_once('[').unwrap_or((segment, "]"));
            let (key, is_whole) = key.strip_suffix('!').map_or((key, false), |key| (key, true));
            let parent = node.path.clone();
            let at = match node.children.iter().position(|(known, _)| same(folds, known, key)) {
                Some(at) => at,
                None => {
                    let path = if parent.is_empty() {
                        key.to_owned()
                    } else {
                        format!("{parent}.{key}")
                    };
                    node.children.push((
                        key.to_owned(),
                        Node {
                            path,
                            ..Node::default()
                        },
                    ));
                    node.children.len() - 1
                }
            };
            node = &mut node.children[at].1;
            node.is_whole |= is_whole;
            if let Some((key, name)) = inside.trim_end_matches(']').split_once('=') {
                let value = segments.next().expect("a choice names the member that holds the value");
                let slot = format!("{}[{name}]", node.path);
                let choice = node.choice.get_or_insert(Choice {
                    key: key.to_owned(),
                    value: value.to_owned(),
                    slots: Vec::new(),
                });
                if !choice.slots.iter().any(|(known, _)| *known == name) {
                    choice.slots.push((name.to_owned(), slot));
                }
                return;
            }
        }
        node.is_slot = true;
    }

    pub(crate) fn child<'t>(&self, node: &'t Node, key: &str) -> Option<(&'t str, &'t Node)> {
        node.children
            .iter()
            .find(|(known, _)| !key.is_empty() && same(self.folds, known, key))
            .map(|(known, child)| (known.as_str(), child))
    }

    /// The name of a member that an envelope has, where it stands at the top of a record without one.
    pub(crate) fn outer(&self, key: &str) -> Option<&'static str> {
        let named = |known: &&&str| !key.is_empty() && same(self.folds, known, key);
        self.outer.iter().find(named).copied()
    }

    /// The slots of a row, in order.
    pub(crate) fn slots(&self, from: &str) -> &[Slot] {
        self.rows.get(from).map_or(&[], Vec::as_slice)
    }

    fn read(&self, from: &str) -> Vec<Slot> {
        let mut slots: Vec<Slot> = Vec::new();
        for path in from.split(" | ").filter(|path| of_record(path)).flat_map(expand) {
            let slot = self.slot(&path);
            if !slots.contains(&slot) {
                slots.push(slot);
            }
        }
        slots
    }

    fn slot(&self, path: &str) -> Slot {
        let mut node = &self.root;
        for segment in path.split('.') {
            let (key, inside) = segment.split_once('[').unwrap_or((segment, "]"));
            node = self
                .child(node, key.trim_end_matches('!'))
                .expect("every path was added")
                .1;
            if let Some((_, name)) = inside.trim_end_matches(']').split_once('=') {
                return format!("{}[{name}]", node.path);
            }
        }
        node.path.clone()
    }

    /// Whether the values of a slot are kept in one piece.
    pub(crate) fn is_whole(&self, slot: &str) -> bool {
        let mut keys = slot.split('.');
        let found = keys.try_fold(&self.root, |node, key| self.child(node, key).map(|(_, child)| child));
        found.is_some_and(|node| node.is_whole)
    }

    /// The name of a slot in the rest.
    pub(crate) fn display(&self, slot: &str) -> String {
        match slot.split_once('[') {
            None => slot.to_owned(),
            Some((path, _)) => {
                let node = path
                    .split('.')
                    .fold(&self.root, |node, key| self.child(node, key).expect("known").1);
                let value = node.choice.as_ref().map_or("", |choice| choice.value.as_str());
                format!("{path}.{value}")
            }
        }
    }
}

fn same(folds: bool, known: &str, key: &str) -> bool {
    let split = |text| {
        let mut letters = str::chars(text);
        (letters.next().map(|first| first.to_ascii_lowercase()), letters.as_str())
    };
    known == key || (folds && split(known) == split(key))
}

/// Whether a path leads into the record: not into the envelope around it, and not nowhere.
fn of_record(path: &str) -> bool {
    !path.is_empty() && !path.starts_with('^')
}

/// `a.{b,c}.d` to `a.b.d` and `a.c.d`.
fn expand(path: &str) -> Vec<String> {
    let Some((before, after)) = path.split_once('{') else {
        return vec![path.to_owned()];
    };
    let (inside, after) = after.split_once('}').expect("a brace is closed");
    inside
        .split(',')
        .flat_map(|choice| expand(&format!("{before}{choice}{after}")))
        .collect()
}
