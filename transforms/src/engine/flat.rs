//! The flat objects of a document: elements kept by name, and the rest that no row took.
//!
//! Every leaf is at most [`KEYWORD_LIMIT`] bytes and no key comes twice, because `OpenSearch` would refuse the document.

use super::{
    KEY_LIMIT,
    canonical::cut_key,
    found::{Found, Span},
    trie::{Slot, Trie},
    value::{escaped_char, unescape},
};
use crate::document::{CUT_MARK, KEYWORD_LIMIT, push_escaped, string_end};

/// Lists that are kept between records.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// The names of the entries, one after another, escaped for JSON.
    names: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    name: (usize, usize),
    value: Span,
    /// Whether it may hold a text over the limit.
    long: bool,
}

impl Scratch {
    fn clear(&mut self) {
        self.names.clear();
        self.entries.clear();
    }

    fn push(&mut self, name_from: usize, value: Span, long: bool) {
        self.entries.push(Entry {
            name: (name_from, self.names.len()),
            value,
            long,
        });
    }

    /// Writes the entries as one object, those of the same name as an array; the answer is how many texts were cut.
    fn write(&mut self, text: &[u8], out: &mut Vec<u8>) -> u64 {
        let names = &self.names;
        self.entries
            .sort_by(|a, b| names[a.name.0..a.name.1].cmp(&names[b.name.0..b.name.1]));
        let mut cut = 0;
        out.push(b'{');
        for group in self
            .entries
            .chunk_by(|a, b| names[a.name.0..a.name.1] == names[b.name.0..b.name.1])
        {
            let Some(first) = group.first() else {
                continue;
            };
            out.push(b'"');
            out.extend_from_slice(&names[first.name.0..first.name.1]);
            out.extend_from_slice(b"\":");
            if group.len() > 1 {
                out.push(b'[');
            }
            for entry in group {
                cut += push_leaves(entry.value.of(text), entry.long, out);
                out.push(b',');
            }
            if group.len() > 1 {
                out.pop();
                out.extend_from_slice(b"],");
            }
        }
        out.pop();
        out.push(b'}');
        cut
    }
}

impl Scratch {
    /// The object that was written last: its values, each with what stands before it, and what stands after the last one.
    pub(super) fn parts(&self) -> (Vec<(Vec<u8>, Span)>, Vec<u8>) {
        let name = |entry: &Entry| self.names.get(entry.name.0..entry.name.1).unwrap_or_default();
        let mut values = Vec::new();
        let mut before = b"{".to_vec();
        for group in self.entries.chunk_by(|a, b| name(a) == name(b)) {
            before.push(b'"');
            before.extend_from_slice(group.first().map(name).unwrap_or_default());
            before.extend_from_slice(if group.len() > 1 { b"\":[" } else { b"\":" });
            for entry in group {
                values.push((std::mem::take(&mut before), entry.value));
                before.push(b',');
            }
            if group.len() > 1 {
                before.pop();
                before.extend_from_slice(b"],");
            }
        }
        before.pop();
        before.push(b'}');
        (values, before)
    }
}

/// What no row took.
pub(super) struct Rest<'a> {
    pub(super) text: &'a [u8],
    pub(super) trie: &'a Trie,
    pub(super) found: &'a Found,
}

impl Rest<'_> {
    /// Writes an object, if there is anything for it; the answer is the number of leaves, and of those that were cut.
    pub(super) fn write(&self, out: &mut Vec<u8>, scratch: &mut Scratch) -> (u64, u64) {
        scratch.clear();
        let mut leaves = 0;
        for unknown in &self.found.unknown {
            let name = scratch.names.len();
            push_escaped(&mut scratch.names, &self.trie.node(unknown.node).path);
            let inside = unknown.key.of(self.text);
            if !inside.is_empty() {
                if scratch.names.len() > name {
                    scratch.names.push(b'.');
                }
                scratch.names.extend_from_slice(inside);
            }
            scratch.push(name, unknown.value, unknown.long);
            leaves += u64::from(unknown.leaves);
        }
        for hit in self.found.hits.iter().filter(|hit| !hit.placed) {
            let name = scratch.names.len();
            push_escaped(&mut scratch.names, self.trie.slot_path(hit.slot));
            scratch.push(name, hit.value, true);
            leaves += u64::from(hit.leaves);
        }
        if scratch.entries.is_empty() {
            return (0, 0);
        }
        let cut = scratch.write(self.text, out);
        (leaves, cut)
    }
}

/// Writes what the slots keep as one object: values in one piece under their path, elements chosen by name under that name
/// in lower case, a repeated name as an array. Marks them as placed. Nothing is written for none; the answer is how many
/// names and texts were cut.
pub(super) fn kept(
    text: &[u8],
    trie: &Trie,
    found: &mut Found,
    slots: &[Slot],
    out: &mut Vec<u8>,
    scratch: &mut Scratch,
) -> u64 {
    scratch.clear();
    let mut cut = 0;
    let mut placed = Vec::new();
    for &slot in slots {
        let whole = trie.is_whole(slot);
        for (number, hit) in found.hits_of(slot) {
            let name = scratch.names.len();
            if whole {
                if hit.leaves > 0 && hit.value.of(text) != b"\"\"" {
                    push_escaped(&mut scratch.names, trie.slot_path(slot));
                    scratch.push(name, hit.value, true);
                }
                continue;
            }
            let inside = hit.name.of(text);
            if inside.is_empty() {
                continue;
            }
            cut += push_name(inside, &mut scratch.names);
            scratch.push(name, hit.value, true);
            placed.push(number);
        }
    }
    for number in placed {
        found.hits[number].placed = true;
    }
    if scratch.entries.is_empty() {
        return cut;
    }
    cut += scratch.write(text, out);
    cut
}

/// Appends an element's name in lower case, escaped; the answer is how many were cut.
fn push_name(inside: &[u8], names: &mut Vec<u8>) -> u64 {
    if inside.len() <= KEY_LIMIT && !inside.contains(&b'\\') {
        names.extend(inside.iter().map(u8::to_ascii_lowercase));
        return 0;
    }
    let plain = unescape(inside).unwrap_or_default().to_ascii_lowercase();
    let long = plain.len() > KEY_LIMIT;
    push_escaped(names, if long { cut_key(&plain) } else { plain }.as_str());
    u64::from(long)
}

/// Copies a value; texts in it that are over the limit are cut. The answer is how many.
pub(super) fn push_leaves(raw: &[u8], long: bool, out: &mut Vec<u8>) -> u64 {
    if !long || raw.len() <= KEYWORD_LIMIT {
        out.extend_from_slice(raw);
        return 0;
    }
    let mut cut = 0;
    let mut at = 0;
    while let Some(&byte) = raw.get(at) {
        if byte != b'"' {
            out.push(byte);
            at += 1;
            continue;
        }
        let length = string_end(&raw[at + 1..], 0);
        let inside = &raw[at + 1..at + 1 + length];
        if inside.len() > KEYWORD_LIMIT {
            cut += u64::from(push_cut(inside, out));
        } else {
            out.extend_from_slice(&raw[at..at + length + 2]);
        }
        at += length + 2;
    }
    cut
}

/// Writes the inside of a JSON string with its quotes, cut to [`KEYWORD_LIMIT`] bytes of plain text if it is longer.
/// The answer is whether it was cut.
pub(super) fn push_cut(inside: &[u8], out: &mut Vec<u8>) -> bool {
    let mut at = 0;
    let mut plain = 0;
    // The last place at which the mark still fits behind.
    let mut keep = 0;
    while let Some(&byte) = inside.get(at) {
        if plain <= KEYWORD_LIMIT - CUT_MARK.len() {
            keep = at;
        }
        if plain > KEYWORD_LIMIT {
            break;
        }
        let (bytes, length) = match byte {
            b'\\' => escaped_char(inside, at).map_or((1, 2), |(character, length)| (character.len_utf8(), length)),
            0xf0.. => (4, 4),
            0xe0.. => (3, 3),
            0xc0.. => (2, 2),
            _ => (1, 1),
        };
        plain += bytes;
        at += length;
    }
    out.push(b'"');
    let cut = plain > KEYWORD_LIMIT;
    if cut {
        out.extend_from_slice(&inside[..keep]);
        out.extend_from_slice(CUT_MARK.as_bytes());
    } else {
        out.extend_from_slice(inside);
    }
    out.push(b'"');
    cut
}
