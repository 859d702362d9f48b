//! The `native` document: the line's own columns as one JSON object, a drop-in for the AWS workshop's Lambda.

use super::{
    fields::{Kind, column},
    push::push_text,
    row::Row,
};
use crate::{document::push_integer, time::push_rfc3339};

/// Appends the `native` document with its line end: the columns by AWS's names in the order of the line.
///
/// `start` and `end` become RFC 3339; columns that AWS defines as numbers are JSON numbers, digit for digit; every
/// other one is text (an account id keeps its zeros); `-` is `null`, which no mapping can conflict with.
pub(super) fn write(row: &Row<'_>, out: &mut Vec<u8>) {
    let layout = row.layout;
    for (position, (key, kind)) in layout.native_keys.iter().zip(&layout.kinds).enumerate() {
        key.push(out);
        let Some(value) = row.value(position) else {
            out.extend_from_slice(b"null");
            continue;
        };
        match kind {
            Kind::Number | Kind::Port | Kind::Protocol | Kind::Flags => row.push_at(position, out),
            Kind::Text | Kind::Address if row.plain => {
                out.push(b'"');
                row.push_at(position, out);
                out.push(b'"');
            }
            Kind::Text | Kind::Address => push_text(value, false, out),
            Kind::Time => {
                let is_start = position == usize::from(layout.at[const { column("start") }]);
                let millis = if is_start { row.start } else { row.end };
                out.push(b'"');
                push_rfc3339(millis.unwrap_or_default(), out);
                out.push(b'"');
            }
        }
    }
    for (position, value) in row.beyond() {
        out.extend_from_slice(b",\"Column-");
        push_integer(out, position as i64 + 1);
        out.extend_from_slice(b"\":");
        push_text(value, row.plain, out);
    }
    out.extend_from_slice(b"}\n");
}
