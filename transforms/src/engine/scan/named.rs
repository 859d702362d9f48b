//! Elements that are chosen by a name inside them: headers, tags, labels.

use super::{Scan, Scanned};
use crate::engine::{
    found::{Span, Unknown},
    trie::{Named, NodeId, same},
};

/// Name and value of an element that is chosen by name, while it is read.
#[derive(Default)]
pub(super) struct NamedElement {
    name: Option<Span>,
    value: Option<NamedValue>,
    /// Which of the two keys were there, whatever they held.
    had_name: bool,
    had_value: bool,
}

struct NamedValue {
    key: Span,
    value: Span,
    leaves: u32,
    long: bool,
    escaped: bool,
}

impl Scan<'_> {
    /// One member of an element that is chosen by name; the answer is whether it was its name or value.
    pub(super) fn named(
        &mut self,
        choice: &Named,
        key: Span,
        first: u8,
        depth: usize,
        element: &mut NamedElement,
    ) -> Scanned<bool> {
        let inside = key.of(self.text);
        let is_name = same(inside, choice.key.as_bytes());
        let is_value = same(inside, choice.value.as_bytes());
        self.found.sensitive |= choice.sensitive;
        let start = self.at;
        self.found.unusual |= !self.canonical && (is_name && element.had_name || is_value && element.had_value);
        element.had_name |= is_name;
        element.had_value |= is_value;
        if is_name && element.name.is_none() && first == b'"' {
            self.part(choice, first, depth)?;
            // A name is looked up as it stands there, so it has to stand there without escapes that it does not need.
            self.found.unusual |= self.escaped && !self.canonical;
            let inside = Span::new(start + 1, self.at - 1);
            element.name = Some(inside);
            if self.found.trace.on {
                self.found.trace.names.push(inside);
            }
            if let Some(slot) = choice.name_slot {
                let name = Span::new(start, self.at);
                self.found.push(slot, name, Span::default(), 1, self.escaped);
            }
        } else if is_value && element.value.is_none() && first != b'n' {
            let before = self.leaves;
            self.long = false;
            self.part(choice, first, depth)?;
            element.value = Some(NamedValue {
                key,
                value: Span::new(start, self.at),
                leaves: self.leaves - before,
                long: self.long,
                escaped: self.escaped,
            });
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// The name or the value of an element.
    fn part(&mut self, choice: &Named, first: u8, depth: usize) -> Scanned<()> {
        if choice.claimed {
            self.without_addresses(first, depth)
        } else {
            self.skip(first, depth)
        }
    }

    pub(super) fn resolve(&mut self, choice: &Named, node: NodeId, NamedElement { name, value, .. }: NamedElement) {
        let Some(found) = value else {
            return;
        };
        let name = name.filter(|name| name.start < name.end);
        match name.and_then(|name| Some((name, choice.slot(name.of(self.text))?))) {
            Some((name, slot)) => self.found.push(slot, found.value, name, found.leaves, found.escaped),
            None => self.found.unknown.push(Unknown {
                node,
                key: found.key,
                value: found.value,
                leaves: found.leaves,
                long: found.long,
            }),
        }
    }
}
