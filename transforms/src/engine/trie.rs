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

    /// Adds every path of `from`; the answer is their slots in order, and whether the first with a value is meant.
    pub(super) fn add(&mut self, from: &'static str) -> (Vec<Slot>, bool) {
        let mut slots = Vec::new();
        for alternative in from.split(" | ").filter(|path| !path.is_empty()) {
            for path in expand(alternative) {
                let slot = self.add_path(alternative, &path);
                if !slots.contains(&slot) {
                    slots.push(slot);
                }
            }
        }
        (slots, from.contains(" | "))
    }

    fn add_path(&mut self, written: &'static str, path: &str) -> Slot {
        if let Some(path) = path.strip_prefix('^') {
            return self.add_envelope_path(path);
        }
        let mut at = Self::ROOT;
        let mut segments = path.split('.').peekable();
        while let Some(segment) = segments.next() {
            let (key, choice) = match segment.split_once('[') {
                Some((key, inside)) => (key, inside.trim_end_matches(']')),
                None => (segment, ""),
            };
            let whole = key.strip_suffix('!');
            at = self.child_or_new(at, whole.unwrap_or(key));
            self.nodes[at as usize].whole |= whole.is_some();
            if let Some((by, _)) = choice.split_once('=') {
                let value = segments.peek().copied().unwrap_or_default();
                return self.choose(at, written, by, value);
            }
        }
        let slot = match self.nodes[at as usize].slot {
            Some(slot) => slot,
            None => self.new_slot(self.nodes[at as usize].path.clone()),
        };
        let node = &mut self.nodes[at as usize];
        node.slot = Some(slot);
        if node.whole {
            self.whole.resize(self.whole.len().max(usize::from(slot) + 1), false);
            self.whole[usize::from(slot)] = true;
        }
        slot
    }

    /// Only given its slot here: the record's own paths must not lead there, so it is linked after they were copied.
    fn add_envelope_path(&mut self, path: &str) -> Slot {
        if let Some((_, slot)) = self.envelope.iter().find(|(known, _)| known == path) {
            return *slot;
        }
        let slot = self.new_slot(path.to_owned());
        self.envelope.push((path.to_owned(), slot));
        slot
    }

    /// `headers[name=host].value`: the parts are borrowed from the table's own text.
    fn choose(&mut self, at: NodeId, written: &'static str, by: &str, value: &str) -> Slot {
        let part = |text: &str| written.find(text).and_then(|from| written.get(from..from + text.len()));
        let name = written
            .split_once('=')
            .and_then(|(_, after)| after.split_once(']'))
            .map_or("*", |(name, _)| name);
        let path = format!("{}.{value}", self.nodes[at as usize].path);
        let slot = self.new_slot(path);
        let named = self.nodes[at as usize].named.get_or_insert_with(|| {
            Box::new(Named {
                key: part(by).unwrap_or_default(),
                value: part(value).unwrap_or_default(),
                slots: Vec::new(),
                others: None,
                sensitive: false,
                name_slot: None,
            })
        });
        if name == "*" {
            return *named.others.get_or_insert(slot);
        }
        if let Some(&(_, known)) = named.slots.iter().find(|(known, _)| *known == name) {
            return known;
        }
        named.slots.push((name, slot));
        slot
    }

    fn new_slot(&mut self, path: String) -> Slot {
        let slot = Slot::try_from(self.slots.len()).unwrap_or(Slot::MAX);
        self.slots.push(path);
        slot
    }

    fn child_or_new(&mut self, at: NodeId, key: &str) -> NodeId {
        if let Some((_, child)) = self.child(&self.nodes[at as usize], key.as_bytes()) {
            return child.node;
        }
        let parent = &self.nodes[at as usize].path;
        let path = if parent.is_empty() {
            key.to_owned()
        } else {
            format!("{parent}.{key}")
        };
        let child = self.push(Node {
            path,
            ..Node::default()
        });
        self.link(at, key, child);
        child
    }

    fn push(&mut self, node: Node) -> NodeId {
        let id = NodeId::try_from(self.nodes.len()).unwrap_or(NodeId::MAX);
        self.nodes.push(node);
        id
    }

    fn link(&mut self, at: NodeId, key: &str, child: NodeId) {
        let mut key = key.as_bytes().to_vec();
        if let Some(first) = key.first_mut() {
            *first = self.fold_first(*first);
        }
        let node = &mut self.nodes[at as usize];
        node.children.push(Child {
            front: front(&key, Span::new(0, key.len())),
            key: key.into(),
            node: child,
            sensitive: false,
            plain: None,
            guess: 0,
            member: Box::default(),
            member_front: 0,
        });
        node.index = vec![0; (node.children.len() * 4).next_power_of_two()];
        for (number, child) in node.children.iter().enumerate() {
            let mask = node.index.len() - 1;
            let mut free = hash(child.front, child.key.len()) & mask;
            while node.index[free] != 0 {
                free = (free + 1) & mask;
            }
            node.index[free] = u8::try_from(number + 1).unwrap_or(u8::MAX);
        }
    }

    /// Adds envelopes (`detail`, `detail.findings`) around a copy of the paths added so far. Call it once, last.
    pub(super) fn wrap(&mut self, wrappers: &[&'static str]) {
        if wrappers.is_empty() {
            return;
        }
        let root = &self.nodes[Self::ROOT as usize];
        let children = root.children.clone();
        let index = root.index.clone();
        for wrapper in wrappers {
            let mut at = Self::ROOT;
            for key in wrapper.split('.') {
                at = self.child_or_new(at, key);
                self.nodes[at as usize].wrapper = true;
            }
            let body = &mut self.nodes[at as usize];
            body.path.clear();
            body.children.clone_from(&children);
            body.index.clone_from(&index);
        }
        for (path, slot) in self.envelope.clone() {
            let at = path.split('.').fold(Self::ROOT, |at, key| self.child_or_new(at, key));
            let at = self.apart(at);
            let node = &mut self.nodes[at as usize];
            node.wrapper = true;
            node.envelope = Some(slot);
            node.slot.get_or_insert(slot);
        }
    }

    /// A member of the root that records have too gets a node of its own there, so that it can mean the envelope's.
    fn apart(&mut self, at: NodeId) -> NodeId {
        let root = &self.nodes[Self::ROOT as usize];
        let shared = &self.nodes[at as usize];
        let Some(number) = root.children.iter().position(|child| child.node == at) else {
            return at;
        };
        if shared.wrapper || shared.slot.is_none() {
            return at;
        }
        let own = self.push(Node {
            path: shared.path.clone(),
            slot: shared.slot,
            whole: shared.whole,
            ..Node::default()
        });
        self.nodes[Self::ROOT as usize].children[number].node = own;
        own
    }
}

/// `a.{b,c}.d` to `a.b.d` and `a.c.d`.
fn expand(path: &str) -> Vec<String> {
    let braces = path
        .split_once('{')
        .and_then(|(before, after)| after.split_once('}').map(|(inside, after)| (before, inside, after)));
    let Some((before, inside, after)) = braces else {
        return vec![path.to_owned()];
    };
    inside
        .split(',')
        .flat_map(|choice| expand(&format!("{before}{choice}{after}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_stand_for_all_combinations() {
        assert_eq!(
            expand("a.{b,c[]}.d.{e,f}"),
            ["a.b.d.e", "a.b.d.f", "a.c[].d.e", "a.c[].d.f"]
        );
    }

    #[test]
    fn the_same_path_has_one_slot() {
        let mut trie = Trie::new(false);
        assert_eq!(trie.add("a.b | c"), (vec![0, 1], true));
        assert_eq!(trie.add("c"), (vec![1], false));
        assert_eq!(trie.add("d[].e"), (vec![2], false));
        assert_eq!(trie.add("h[name=host].value"), (vec![3], false));
        assert_eq!(trie.add(""), (vec![], false));
    }

    #[test]
    fn a_member_of_the_envelope_is_not_one_of_the_record() {
        let mut trie = Trie::new(false);
        assert_eq!(trie.add("id"), (vec![0], false));
        assert_eq!(trie.add("^time | ^detail.name | ^time"), (vec![1, 2], true));
        trie.wrap(&["detail.findings"]);
        let root = trie.node(Trie::ROOT);
        assert!(root.children.iter().any(|child| &*child.key == b"time"));
        let (_, detail) = trie.child(root, b"detail").expect("the envelope");
        let (_, name) = trie.child(trie.node(detail.node), b"name").expect("its member");
        assert_eq!(trie.node(name.node).slot, Some(2));
        let (_, body) = trie.child(trie.node(detail.node), b"findings").expect("the record");
        assert!(
            trie.child(trie.node(body.node), b"id").is_some() && trie.child(trie.node(body.node), b"time").is_none()
        );
        assert_eq!(trie.envelope_slots().collect::<Vec<_>>(), [(1, 1), (2, 2)]);
    }

    #[test]
    fn a_member_that_both_have_is_the_records_until_it_is_found_inside() {
        let mut trie = Trie::new(false);
        assert_eq!(trie.add("region | ^region"), (vec![0, 1], true));
        trie.wrap(&["detail"]);
        let root = trie.node(Trie::ROOT);
        let member = |of, key: &[u8]| trie.child(of, key).map(|(_, child)| trie.node(child.node));
        let outer = member(root, b"region").expect("the envelope's");
        assert_eq!((outer.slot, outer.envelope), (Some(0), Some(1)));
        let detail = member(root, b"detail").expect("the record");
        let inner = member(detail, b"region").expect("its own");
        assert_eq!((inner.slot, inner.envelope), (Some(0), None));
        assert_eq!(trie.envelope_slots().collect::<Vec<_>>(), [(0, 1)]);
    }

    #[test]
    fn a_key_is_found_among_many_in_either_spelling() {
        let mut trie = Trie::new(true);
        let names: Vec<&'static str> = vec![
            "id",
            "arn",
            "type",
            "region",
            "service",
            "severity",
            "title",
            "Description",
        ];
        for name in &names {
            trie.add(name);
        }
        let root = trie.node(Trie::ROOT);
        for (number, name) in names.iter().enumerate() {
            assert_eq!(
                trie.child(root, name.as_bytes()).map(|(number, _)| number),
                Some(number),
                "{name}"
            );
        }
        assert!(trie.child(root, b"Severity").is_some() && trie.child(root, b"description").is_some());
        assert!(trie.child(root, b"sEverity").is_none() && trie.child(root, b"").is_none());
    }
}
