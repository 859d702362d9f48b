//! Paths are put into the tree, at start.

use super::{Child, Named, Node, NodeId, Slot, Trie, front, hash};
use crate::engine::found::Span;

impl Trie {
    /// Adds every path of `from`; the answer is their slots in order, and whether the first with a value is meant.
    pub(in crate::engine) fn add(&mut self, from: &'static str) -> (Vec<Slot>, bool) {
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
                claimed: false,
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
    pub(in crate::engine) fn wrap(&mut self, wrappers: &[&'static str]) {
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
pub(super) fn expand(path: &str) -> Vec<String> {
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
