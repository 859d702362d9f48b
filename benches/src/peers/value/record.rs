//! Takes a parsed record apart along the paths of the table: each value is moved to the path's slot or to the rest.

use std::{collections::HashMap, net::IpAddr};

use serde_json::{Map, Value};

/// The paths of a table as a tree of keys.
#[derive(Default)]
pub(super) struct Node {
    path: String,
    slot: Option<usize>,
    children: HashMap<String, Node>,
    named: Option<Named>,
}

/// `headers[name=host].value`.
struct Named {
    key: String,
    value: String,
    slots: HashMap<String, usize>,
    others: Option<usize>,
}

/// A value at a known place, with the name of its element where that chose it.
pub(super) struct Hit {
    pub(super) value: Value,
    pub(super) name: String,
    pub(super) placed: bool,
}

/// A record taken apart.
pub(super) struct Found {
    pub(super) slots: Vec<Vec<Hit>>,
    pub(super) rest: Vec<(String, Value)>,
    /// Every text that is an address, wherever it stands.
    pub(super) addresses: Vec<IpAddr>,
}

impl Found {
    pub(super) fn new(slots: usize) -> Self {
        Self {
            slots: std::iter::repeat_with(Vec::new).take(slots).collect(),
            rest: Vec::new(),
            addresses: Vec::new(),
        }
    }

    /// Notes the addresses in a value under `key`. Version numbers may look like addresses.
    fn note(&mut self, key: &str, value: &Value) {
        match value {
            Value::String(text) if !key.ends_with("ersion") => {
                let starts_like_one = text.starts_with(|first: char| first.is_ascii_hexdigit() || first == ':');
                if starts_like_one && text.len() <= 45 && text.bytes().take(5).any(|byte| matches!(byte, b'.' | b':')) {
                    self.addresses.extend(text.parse::<IpAddr>());
                }
            }
            Value::Array(values) => values.iter().for_each(|value| self.note(key, value)),
            Value::Object(members) => members.iter().for_each(|(key, value)| self.note(key, value)),
            _ => {}
        }
    }

    fn push(&mut self, slot: usize, value: Value, name: String) {
        let placed = false;
        self.slots[slot].push(Hit { value, name, placed });
    }
}

impl Node {
    /// Adds one path, without braces and alternatives; the answer is its slot. `paths` are the slots so far.
    pub(super) fn add(&mut self, path: &str, paths: &mut Vec<String>) -> usize {
        let mut node = self;
        let mut segments = path.split('.');
        while let Some(segment) = segments.next() {
            let (key, choice) = segment.split_once('[').unwrap_or((segment, ""));
            let below = match node.path.as_str() {
                "" => key.to_owned(),
                above => format!("{above}.{key}"),
            };
            node = node.children.entry(key.to_owned()).or_insert_with(|| Node {
                path: below,
                ..Node::default()
            });
            let Some((by, name)) = choice.trim_end_matches(']').split_once('=') else {
                continue;
            };
            let value = segments.next().unwrap_or_default();
            let path = format!("{}.{value}", node.path);
            let named = node.named.get_or_insert_with(|| Named {
                key: by.to_owned(),
                value: value.to_owned(),
                slots: HashMap::new(),
                others: None,
            });
            let new = || {
                paths.push(path);
                paths.len() - 1
            };
            return match name {
                "*" => *named.others.get_or_insert_with(new),
                name => *named.slots.entry(name.to_owned()).or_insert_with(new),
            };
        }
        *node.slot.get_or_insert_with(|| {
            paths.push(node.path.clone());
            paths.len() - 1
        })
    }

    /// Takes `record` apart. `fold` says that `Id` is `id`.
    pub(super) fn object(&self, record: Map<String, Value>, fold: bool, found: &mut Found) {
        let mut element = (String::new(), None);
        for (key, value) in record {
            if let Some(named) = &self.named {
                if key == named.key
                    && let Value::String(name) = &value
                {
                    element.0.clone_from(name);
                    if self.child(&key, fold).is_none() {
                        continue;
                    }
                } else if key == named.value {
                    // What a header says of addresses is its sender's word.
                    element.1 = Some(value);
                    continue;
                }
            }
            match self.child(&key, fold) {
                Some(child) => child.value(&key, value, fold, found),
                None if value.is_null() => {}
                None => {
                    found.note(&key, &value);
                    found.rest.push((self.below(&key), value));
                }
            }
        }
        if let (Some(named), (name, Some(value))) = (&self.named, element) {
            let slot = named.slots.get(&name.to_ascii_lowercase()).copied().or(named.others);
            match slot {
                Some(slot) => found.push(slot, value, name),
                None => found.rest.push((self.below(&named.value), value)),
            }
        }
    }

    fn child(&self, key: &str, fold: bool) -> Option<&Node> {
        if fold && key.starts_with(|first: char| first.is_ascii_uppercase()) {
            let mut folded = key.to_owned();
            folded[..1].make_ascii_lowercase();
            return self.children.get(&folded);
        }
        self.children.get(key)
    }

    fn value(&self, key: &str, value: Value, fold: bool, found: &mut Found) {
        match value {
            Value::Null => {}
            Value::Array(values) => {
                values.into_iter().for_each(|value| self.value(key, value, fold, found));
            }
            Value::Object(members) if !self.children.is_empty() || self.named.is_some() => {
                self.object(members, fold, found);
            }
            value => {
                found.note(key, &value);
                match self.slot {
                    Some(slot) => found.push(slot, value, String::new()),
                    None => found.rest.push((self.path.clone(), value)),
                }
            }
        }
    }

    fn below(&self, key: &str) -> String {
        match self.path.as_str() {
            "" => key.to_owned(),
            path => format!("{path}.{key}"),
        }
    }
}

/// `a.{b,c}.d` to `a.b.d` and `a.c.d`.
pub(super) fn expand(path: &str) -> Vec<String> {
    let Some((before, (inside, after))) = path
        .split_once('{')
        .and_then(|(before, after)| Some((before, after.split_once('}')?)))
    else {
        return vec![path.to_owned()];
    };
    inside
        .split(',')
        .flat_map(|choice| expand(&format!("{before}{choice}{after}")))
        .collect()
}
