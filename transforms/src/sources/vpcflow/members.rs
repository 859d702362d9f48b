//! Flow logs as JSON objects of columns, as query engines and shippers write them: names in any spelling, numbers and
//! texts mixed, members that are no columns.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::{
    fields::{COLUMNS, Kind, column},
    layout::{Layout, MAX_COLUMNS, find_folded},
    row::{Row, Spans},
};
use crate::{
    Refusal, RefusalKind,
    document::push_json_string,
    engine::{DEPTH_LIMIT, KEY_LIMIT, canonicalise, cut_key, is_too_large, plain_text},
    time::push_rfc3339,
};

/// The members of an object in order, each key once: the last value counts, as in most parsers.
pub(super) type Members<'a> = Vec<(Cow<'a, str>, &'a RawValue)>;

/// Columns that no record of another source has.
const TELLING: &[&str] = &[
    "srcaddr",
    "dstaddr",
    "pkt-srcaddr",
    "pkt-dstaddr",
    "interface-id",
    "log-status",
    "tgw-id",
];

/// Whether these are the columns of a flow log.
pub(super) fn are_columns(members: &Members<'_>) -> bool {
    members
        .iter()
        .any(|(name, _)| find_folded(name).is_some_and(|number| TELLING.contains(&COLUMNS[number].name)))
}

/// The layout of the last object, so that objects alike need none of their own; and a line made of the values.
#[derive(Debug)]
pub(super) struct Objects {
    names: Vec<String>,
    pub(super) layout: Layout,
    /// How many of the names were cut.
    pub(super) cut: u64,
    pub(super) line: Vec<u8>,
}

impl Default for Objects {
    fn default() -> Self {
        Self {
            names: Vec::new(),
            layout: Layout::empty(),
            cut: 0,
            line: Vec::new(),
        }
    }
}

impl Objects {
    /// Takes the values of an object apart into [`Objects::line`] and `spans`.
    pub(super) fn read(&mut self, members: &Members<'_>, spans: &mut Spans) -> Result<(), Refusal> {
        if !self.names.iter().eq(members.iter().map(|(name, _)| name.as_ref())) {
            self.learn(members)?;
        }
        self.line.clear();
        spans.begin(false);
        for ((_, raw), kind) in members.iter().zip(&self.layout.kinds) {
            if depth(raw.get()) >= DEPTH_LIMIT {
                let message = format!("nested more than {DEPTH_LIMIT} deep");
                return Err(Refusal::new(RefusalKind::Depth, "", message));
            }
            let start = self.line.len();
            self.line.extend_from_slice(text(raw, *kind).as_bytes());
            spans.push(start, self.line.len())?;
        }
        Ok(())
    }

    fn learn(&mut self, members: &Members<'_>) -> Result<(), Refusal> {
        self.names = members.iter().map(|(name, _)| name.clone().into_owned()).collect();
        self.cut = self.names.iter().filter(|name| name.len() > KEY_LIMIT).count() as u64;
        let names: Vec<String> = self.names.iter().map(|name| short(name)).collect();
        self.layout = Layout::members(names.iter().map(String::as_str))?;
        Ok(())
    }
}

fn short(name: &str) -> String {
    if name.len() > KEY_LIMIT {
        cut_key(name)
    } else {
        name.to_owned()
    }
}

/// A value as it would stand in a line; what is empty is `-`.
fn text(raw: &RawValue, kind: Kind) -> Cow<'_, str> {
    let is_count = matches!(kind, Kind::Number | Kind::Port | Kind::Protocol | Kind::Flags);
    match plain_text(raw.get().as_bytes()) {
        None => raw.get().into(),
        Some(text) if text.is_empty() || raw.get() == "null" => "-".into(),
        // Data frames make fractions of whole numbers as soon as one is missing.
        Some(Cow::Borrowed(text)) if is_count => text.strip_suffix(".0").unwrap_or(text).into(),
        Some(text) => text,
    }
}

/// How deep a JSON text nests.
fn depth(raw: &str) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in raw.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_text,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Appends the object as it came, on one line, with `start` and `end` in RFC 3339.
pub(super) fn write_native(members: &Members<'_>, row: &Row<'_>, out: &mut Vec<u8>) {
    let at = &row.layout.at;
    for (number, (name, raw)) in members.iter().enumerate() {
        out.push(if number == 0 { b'{' } else { b',' });
        push_json_string(out, name);
        out.push(b':');
        let moment = match number {
            _ if number == usize::from(at[const { column("start") }]) => row.start,
            _ if number == usize::from(at[const { column("end") }]) => row.end,
            _ => None,
        };
        match (moment, raw.get()) {
            (Some(millis), _) => {
                out.push(b'"');
                push_rfc3339(millis, out);
                out.push(b'"');
            }
            (None, number)
                if number.starts_with(|c: char| c == '-' || c.is_ascii_digit()) && is_too_large(number.as_bytes()) =>
            {
                push_json_string(out, number);
            }
            (None, raw) => push_value(raw.as_bytes(), out),
        }
    }
    out.extend_from_slice(b"}\n");
}

/// Appends a value as it came, on one line; but inside, too, each key counts once, since OpenSearch takes no document that has
/// one twice.
fn push_value(raw: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    if raw.starts_with(b"{") || raw.starts_with(b"[") {
        canonicalise(raw, out);
        if !is_only_spaced(raw, &out[start..]) {
            return;
        }
        out.truncate(start);
    }
    // Line breaks stand only between tokens, where a space says the same.
    out.extend(raw.iter().map(|byte| match byte {
        b'\n' | b'\r' => b' ',
        other => *other,
    }));
}

/// Whether a JSON text is its compact form but for the space between tokens.
fn is_only_spaced(raw: &[u8], compact: &[u8]) -> bool {
    let (mut in_text, mut escaped) = (false, false);
    let kept = raw.iter().filter(|byte| {
        match **byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_text,
            b'"' => in_text = !in_text,
            _ => {}
        }
        in_text || !byte.is_ascii_whitespace()
    });
    kept.eq(compact)
}

/// The refusal of an object with more members than a flow log has columns.
pub(super) fn too_many() -> Refusal {
    let message = format!("the record is an object of more than {MAX_COLUMNS} members");
    Refusal::new(RefusalKind::Size, "", message)
}
