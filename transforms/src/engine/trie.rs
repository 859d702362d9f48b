//! The paths of a table, compiled into a tree of keys that a record is walked along.
//!
//! A path is dotted: `httpRequest.clientIp`. Around it there is a little syntax, all of it resolved here, at start:
//!
//! | in a path | means |
//! |---|---|
//! | `a.b \| c.d` | the first of these that holds a value |
//! | `a.{b,c}.d` | all values of `a.b.d` and `a.c.d` |
//! | `labels[].name` | `name` of every element; the brackets are for the reader, arrays are always looked into |
//! | `headers[name=host].value` | `value` of the elements whose `name` is `host` in any case |
//! | `headers[name=*].value` | `value` of all other elements, kept with their names |
//! | `body!` | whatever stands there as one value: in a flat object under its path, elsewhere as JSON text; paths into it work as well |
//! | `^time` | `time` of the envelope around the record, not of the record |

mod build;
mod lookup;

pub(super) use self::lookup::same;
use self::lookup::{front, hash};
use super::found::Span;
use crate::policy::redact::Names;

/// Number of a distinct path: where the values found there are kept.
pub(super) type Slot = u16;

/// Number of a node.
pub(super) type NodeId = u32;

/// Where it is remembered which member comes after another one, or first in an object.
pub(super) type Guess = u32;

/// Compiled paths of one table.
#[derive(Debug)]
pub(super) struct Trie {
    nodes: Vec<Node>,
    /// The path of each slot, as the rest of a document names it.
    slots: Vec<String>,
    /// Whether each slot's values are kept in one piece.
    whole: Vec<bool>,
    /// Members of the envelope that are kept beside the record: their paths and slots.
    envelope: Vec<(String, Slot)>,
    /// Whether `Id` and `id` are the same key: EventBridge and API spelling differ in the first letter only.
    fold: bool,
    guesses: Guess,
}

/// One object, array or value that is known by name.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// Dotted path from the record's own top; brackets left out.
    pub(super) path: String,
    /// Where a plain value found here is kept.
    pub(super) slot: Option<Slot>,
    /// Set where elements are chosen by a member's text.
    pub(super) named: Option<Box<Named>>,
    /// Whether this is an envelope around the record.
    pub(super) wrapper: bool,
    /// Where a plain value is kept once the record was found inside the envelope that has it.
    pub(super) envelope: Option<Slot>,
    /// Whether an object or array found here is also kept as one value.
    pub(super) whole: bool,
    /// For the member that comes first.
    pub(super) guess: Guess,
    children: Vec<Child>,
    /// Open-addressing index into `children`, plus one; its length is a power of two.
    index: Vec<u8>,
}

/// What stands under one key.
#[derive(Clone, Debug)]
pub(super) struct Child {
    key: Box<[u8]>,
    /// The key's first bytes as a number: most keys are compared by it alone.
    front: u128,
    pub(super) node: NodeId,
    /// Whether the policy takes out what stands here.
    pub(super) sensitive: bool,
    /// Where a text is kept that stands here, when nothing else is to be asked about the place.
    pub(super) plain: Option<Slot>,
    /// For the member that comes next.
    pub(super) guess: Guess,
    /// The key as it stands in a record, with quotes and colon, and the first bytes of that as a number.
    member: Box<[u8]>,
    member_front: u128,
}

/// Elements such as `{"name":"Host","value":"example.com"}`.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) key: &'static str,
    pub(super) value: &'static str,
    /// Lower-case name and slot.
    slots: Vec<(&'static str, Slot)>,
    others: Option<Slot>,
    /// Whether the policy takes out what stands under either of these keys.
    pub(super) sensitive: bool,
    /// Whether no address in such an element is the record's ([`Map::claimed`](super::Map::claimed)).
    pub(super) claimed: bool,
    /// Where the names themselves are kept.
    pub(super) name_slot: Option<Slot>,
}

impl Named {
    /// The slot for an element called `name`.
    pub(super) fn slot(&self, name: &[u8]) -> Option<Slot> {
        self.slots
            .iter()
            .find(|(known, _)| same(known.as_bytes(), name) || known.as_bytes().eq_ignore_ascii_case(name))
            .map(|&(_, slot)| slot)
            .or(self.others)
    }
}

impl Node {
    /// Whether an object found here is looked into.
    pub(super) fn has_children(&self) -> bool {
        !self.children.is_empty() || self.named.is_some()
    }

    /// The child of this number.
    #[inline]
    pub(super) fn child(&self, number: usize) -> Option<&Child> {
        self.children.get(number)
    }

    fn plain(&self) -> Option<Slot> {
        let is_plain = !self.wrapper && !self.whole && self.envelope.is_none();
        self.slot.filter(|_| is_plain)
    }
}

impl Trie {
    pub(super) const ROOT: NodeId = 0;

    pub(super) fn new(fold: bool) -> Self {
        Self {
            nodes: vec![Node::default()],
            slots: Vec::new(),
            whole: Vec::new(),
            envelope: Vec::new(),
            fold,
            guesses: 0,
        }
    }

    pub(super) fn slots(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn slot_path(&self, slot: Slot) -> &str {
        self.slots.get(usize::from(slot)).map_or("", String::as_str)
    }

    /// Whether the slot's values are kept in one piece, objects and arrays included.
    pub(super) fn is_whole(&self, slot: Slot) -> bool {
        self.whole.get(usize::from(slot)).is_some_and(|whole| *whole)
    }

    /// Slots whose values are of the envelope when the record is found inside it, and the slots they are kept in then.
    pub(super) fn envelope_slots(&self) -> impl Iterator<Item = (Slot, Slot)> + '_ {
        let root = self.node(Self::ROOT);
        self.envelope.iter().filter_map(move |(path, slot)| {
            let mut at = root;
            for key in path.split('.') {
                at = self.node(self.child(at, key.as_bytes())?.1.node);
            }
            Some((at.slot?, *slot))
        })
    }

    pub(super) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id as usize]
    }

    /// The child of `node` under `key`: its number among the children, and what is there.
    pub(super) fn child<'n>(&self, node: &'n Node, key: &[u8]) -> Option<(usize, &'n Child)> {
        self.find(node, key, Span::new(0, key.len()))
    }

    /// How many places there are to remember what comes next.
    pub(super) fn guesses(&self) -> usize {
        self.guesses as usize
    }

    /// Marks the elements chosen by name at these paths as claims.
    pub(super) fn claim(&mut self, paths: &[&str]) {
        for node in self.nodes.iter_mut().filter(|node| paths.contains(&&*node.path)) {
            if let Some(named) = &mut node.named {
                named.claimed = true;
            }
        }
    }

    /// Notes with each key what the scanner would otherwise look up every time. Call it once, after everything was added.
    pub(super) fn finish(&mut self, names: &Names) {
        let plain: Vec<Option<Slot>> = self.nodes.iter().map(Node::plain).collect();
        let of_names: Vec<Option<Slot>> = self.nodes.iter().map(|node| self.name_slot(node)).collect();
        for (node, name_slot) in self.nodes.iter_mut().zip(of_names) {
            node.guess = self.guesses;
            self.guesses += 1;
            for child in &mut node.children {
                child.guess = self.guesses;
                self.guesses += 1;
                child.member = [b"\"", &child.key[..], b"\":"].concat().into();
                child.member_front = front(&child.member, Span::new(0, child.member.len()));
                child.sensitive = names.suspects_key(&child.key, false);
                child.plain = plain[child.node as usize];
            }
            if let Some(named) = &mut node.named {
                named.sensitive = [named.key, named.value]
                    .iter()
                    .any(|key| names.suspects_key(key.as_bytes(), false));
                named.name_slot = name_slot;
            }
        }
    }

    fn name_slot(&self, node: &Node) -> Option<Slot> {
        let (_, child) = self.child(node, node.named.as_ref()?.key.as_bytes())?;
        self.node(child.node).slot
    }
}

#[cfg(test)]
mod tests;
