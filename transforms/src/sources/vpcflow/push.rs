//! Small writers into the output buffer.

use highway::{HighwayHash as _, HighwayHasher, Key};

use super::fields::TCP_FLAGS;
use crate::document::{hex, push_escaped};

/// Bytes that are appended all at once, where no more are wanted; those too many are taken off again.
const AT_ONCE: usize = 32;

/// A text that is worked out once and written for each record.
#[derive(Clone, Debug)]
pub(super) struct Literal {
    /// With zeros up to [`AT_ONCE`].
    text: Vec<u8>,
    length: usize,
}

impl Literal {
    pub(super) fn new(text: String) -> Self {
        let mut text = text.into_bytes();
        let length = text.len();
        text.resize(length.max(AT_ONCE), 0);
        Self { text, length }
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.text[..self.length]
    }

    #[inline]
    pub(super) fn push(&self, out: &mut Vec<u8>) {
        push_part(&self.text, 0, self.length, out);
    }
}

/// Appends the `length` bytes of a text from `start` on. To copy short ones without asking how long they are takes a fourth of the time.
#[inline(always)]
pub(super) fn push_part(text: &[u8], start: usize, length: usize, out: &mut Vec<u8>) {
    let rest = &text[start..];
    let end = out.len() + length;
    match (rest.first_chunk::<16>(), rest.first_chunk::<AT_ONCE>()) {
        (Some(chunk), _) if length <= 16 => out.extend_from_slice(chunk),
        (_, Some(chunk)) if length <= AT_ONCE => out.extend_from_slice(chunk),
        _ => out.extend_from_slice(&rest[..length]),
    }
    out.truncate(end);
}

/// A JSON object that is open: where its key begins and where its members do.
#[derive(Clone, Copy)]
pub(super) struct Group {
    start: usize,
    members: usize,
}

/// Opens an object by writing its key and brace. Every member is written with a comma after it.
#[inline]
pub(super) fn open(key: &[u8], out: &mut Vec<u8>) -> Group {
    let start = out.len();
    out.extend_from_slice(key);
    let members = out.len();
    Group { start, members }
}

/// Closes an object with `closing` in place of the last comma; one without members is taken back.
#[inline]
pub(super) fn close(group: Group, closing: &[u8], out: &mut Vec<u8>) {
    if out.len() == group.members {
        out.truncate(group.start);
    } else {
        out.pop();
        out.extend_from_slice(closing);
    }
}

/// A JSON string. `plain` promises that nothing in it needs an escape.
#[inline]
pub(super) fn push_text(text: &[u8], plain: bool, out: &mut Vec<u8>) {
    out.push(b'"');
    push_inside_quotes(text, plain, out);
    out.push(b'"');
}

/// The inside of a JSON string.
#[inline]
pub(super) fn push_inside_quotes(text: &[u8], plain: bool, out: &mut Vec<u8>) {
    if plain {
        out.extend_from_slice(text);
    } else {
        push_escaped(out, &String::from_utf8_lossy(text));
    }
}

/// The names of the TCP flags in a mask, as a JSON array. A record's mask is the union of all packets in the capture
/// window, so SYN and ACK together are read as what AWS calls SYN-ACK.
pub(super) fn push_flags(mask: u8, out: &mut Vec<u8>) {
    const SYN: u8 = 0b0000_0010;
    const SYN_ACK: u8 = 0b0001_0010;
    let mut left = mask;
    out.push(b'[');
    if mask & SYN_ACK == SYN_ACK {
        left &= !SYN_ACK;
        out.extend_from_slice(b"\"SYN-ACK\",");
    } else if mask & SYN != 0 {
        left &= !SYN;
        out.extend_from_slice(b"\"SYN\",");
    }
    for (bit, name) in TCP_FLAGS.iter().enumerate() {
        if left & (1 << bit) != 0 {
            out.push(b'"');
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\",");
        }
    }
    if out.last() == Some(&b',') {
        out.pop();
    }
    out.push(b']');
}

/// The keyed hash of a line, 32 hexadecimal digits: `HighwayHash` because the text is an attacker's and a collision
/// would hide a record.
#[inline]
pub(super) fn push_id(key: Key, line: &[u8], out: &mut Vec<u8>) {
    let mut hasher = HighwayHasher::new(key);
    hasher.append(line);
    let mut id = [0; 16];
    let (words, _) = id.as_chunks_mut::<8>();
    for (bytes, word) in words.iter_mut().zip(hasher.finalize128()) {
        *bytes = word.to_le_bytes();
    }
    out.extend_from_slice(&hex(&id));
}
