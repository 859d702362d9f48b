//! Writes JSON straight into a buffer: no tree, no allocation, members in the order in which AWS writes them.

use std::{io::Write as _, net::Ipv4Addr};

use chrono::{DateTime, Datelike as _, Timelike as _, Utc};

/// Appends one object.
pub(crate) fn object(out: &mut Vec<u8>, members: impl FnOnce(&mut Object<'_>)) {
    out.push(b'{');
    members(&mut Object { out, first: true });
    out.push(b'}');
}

/// The members of an object that is being written. Names come from the program, so they are not escaped.
pub(crate) struct Object<'b> {
    out: &'b mut Vec<u8>,
    first: bool,
}

impl Object<'_> {
    fn name(&mut self, name: &str) -> &mut Vec<u8> {
        if !std::mem::take(&mut self.first) {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    pub(crate) fn text(&mut self, name: &str, value: &str) {
        push_text(self.name(name), value);
    }

    /// A member whose text is put together by `value` from pieces that need no escape.
    pub(crate) fn built(&mut self, name: &str, value: impl FnOnce(&mut Vec<u8>)) {
        let out = self.name(name);
        out.push(b'"');
        value(out);
        out.push(b'"');
    }

    /// A value that is JSON already.
    pub(crate) fn raw(&mut self, name: &str, value: &[u8]) {
        self.name(name).extend_from_slice(value);
    }

    pub(crate) fn null(&mut self, name: &str) {
        self.raw(name, b"null");
    }

    pub(crate) fn bool(&mut self, name: &str, value: bool) {
        self.raw(name, if value { b"true" } else { b"false" });
    }

    pub(crate) fn number(&mut self, name: &str, value: i64) {
        push_number(self.name(name), value);
    }

    pub(crate) fn address(&mut self, name: &str, value: Ipv4Addr) {
        self.built(name, |out| push_address(out, value));
    }

    /// RFC 3339 with milliseconds, as findings have it.
    pub(crate) fn time(&mut self, name: &str, value: DateTime<Utc>) {
        self.built(name, |out| push_time(out, value, true));
    }

    /// RFC 3339 with whole seconds, as envelopes have it.
    pub(crate) fn seconds(&mut self, name: &str, value: DateTime<Utc>) {
        self.built(name, |out| push_time(out, value, false));
    }

    pub(crate) fn object(&mut self, name: &str, members: impl FnOnce(&mut Object<'_>)) {
        object(self.name(name), members);
    }

    pub(crate) fn array(&mut self, name: &str, items: impl FnOnce(&mut Array<'_>)) {
        let out = self.name(name);
        out.push(b'[');
        items(&mut Array { out, first: true });
        out.push(b']');
    }
}

/// The items of an array that is being written.
pub(crate) struct Array<'b> {
    out: &'b mut Vec<u8>,
    first: bool,
}

impl Array<'_> {
    fn item(&mut self) -> &mut Vec<u8> {
        if !std::mem::take(&mut self.first) {
            self.out.push(b',');
        }
        self.out
    }

    pub(crate) fn text(&mut self, value: &str) {
        push_text(self.item(), value);
    }

    /// Items that are JSON already, with commas between them.
    pub(crate) fn raw(&mut self, items: &[u8]) {
        self.item().extend_from_slice(items);
    }

    pub(crate) fn object(&mut self, members: impl FnOnce(&mut Object<'_>)) {
        object(self.item(), members);
    }
}

/// Appends a string with its quotes, escaped.
pub(crate) fn push_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    if text.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\') {
        out.extend_from_slice(text.as_bytes());
    } else {
        for byte in text.bytes() {
            match byte {
                b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
                0..0x20 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
                _ => out.push(byte),
            }
        }
    }
    out.push(b'"');
}

/// Appends a number in decimal.
pub(crate) fn push_number(out: &mut Vec<u8>, value: i64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    let mut left = value.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            break;
        }
    }
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends an address in dotted form.
pub(crate) fn push_address(out: &mut Vec<u8>, address: Ipv4Addr) {
    for (index, octet) in address.octets().into_iter().enumerate() {
        if index > 0 {
            out.push(b'.');
        }
        push_number(out, i64::from(octet));
    }
}

/// Appends a time in RFC 3339, UTC.
pub(crate) fn push_time(out: &mut Vec<u8>, time: DateTime<Utc>, milliseconds: bool) {
    let (y, mo, d) = (time.year(), time.month(), time.day());
    let (h, mi, s) = (time.hour(), time.minute(), time.second());
    // Writing into a vector cannot fail.
    let written = if milliseconds {
        let ms = time.timestamp_subsec_millis();
        write!(out, "{y:04}-{mo:02}-{d:02}T{h:02}:{mi:02}:{s:02}.{ms:03}Z")
    } else {
        write!(out, "{y:04}-{mo:02}-{d:02}T{h:02}:{mi:02}:{s:02}Z")
    };
    debug_assert!(written.is_ok());
}
