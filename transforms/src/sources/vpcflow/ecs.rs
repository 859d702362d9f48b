//! The `ecs` document, written front to back: a straight line of literals and values.
//!
//! Every key is checked against the table while compiling: a key that is not in [`FIELDS`](super::FIELDS) does not
//! compile.

use std::ops::Range;

use highway::Key;

use super::{
    community,
    fields::{ENCRYPTION, PROTOCOLS, TRAFFIC_PATHS, column, has_field},
    push::{close, open, push_flags, push_id, push_inside_quotes, push_text},
    row::{ADDRESSES, Row},
};
use crate::{
    document::{ECS_VERSION, NORMALIZER, push_integer},
    time::{DAY, push_rfc3339, push_time_of_day},
};

/// The JSON key of a field inside the object of its group, as bytes; the field must be in the table.
macro_rules! key {
    ($group:literal, $name:literal) => {{
        const { assert!(has_field(concat!($group, ".", $name)), "the table has no such field") };
        concat!("\"", $name, "\":").as_bytes()
    }};
}

/// What is the same for all documents.
#[derive(Debug)]
pub(super) struct Settings {
    /// Of `event.id`.
    pub(super) key: Key,
    pub(super) keep_original: bool,
    pub(super) community_id: bool,
}

/// Where a row came from.
pub(super) struct Origin<'a> {
    /// What `event.id` and `event.original` are of.
    pub(super) text: &'a [u8],
    /// Whether it needs no escape in JSON.
    pub(super) is_plain: bool,
    /// How many values and names were cut.
    pub(super) cut: u64,
}

/// Appends the `ecs` document with its line end. `at` becomes `@timestamp`.
pub(super) fn write(row: &Row<'_>, at: i64, settings: &Settings, origin: &Origin<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"@timestamp\":\"");
    let written = out.len();
    push_rfc3339(at, out);
    let timestamp = written..out.len();
    out.extend_from_slice(b"\",\"ecs\":{\"version\":\"");
    out.extend_from_slice(ECS_VERSION.as_bytes());
    out.extend_from_slice(b"\"},");
    event(row, at, &timestamp, settings, origin, out);
    cloud(row, out);
    side(row, &SOURCE, out);
    side(row, &DESTINATION, out);
    network(row, settings, out);
    related(row, out);
    let unplaced = own(row, out);
    out.extend_from_slice(b"\"portcullis\":{\"normalizer\":\"");
    out.extend_from_slice(NORMALIZER.as_bytes());
    out.push(b'"');
    if unplaced > 0 {
        out.extend_from_slice(b",\"unplaced\":");
        push_integer(out, unplaced as i64);
    }
    if origin.cut > 0 {
        out.extend_from_slice(b",\"cut\":");
        push_integer(out, origin.cut as i64);
    }
    out.extend_from_slice(b"}}\n");
}

/// `timestamp` is where `at` stands in `out`.
fn event(
    row: &Row<'_>,
    at: i64,
    timestamp: &Range<usize>,
    settings: &Settings,
    origin: &Origin<'_>,
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(b"\"event\":{\"kind\":\"event\",\"category\":[\"network\"],");
    match row.get(const { column("action") }) {
        Some(b"ACCEPT") => out
            .extend_from_slice(b"\"type\":[\"connection\",\"allowed\"],\"action\":\"accept\",\"outcome\":\"success\","),
        Some(b"REJECT") => out
            .extend_from_slice(b"\"type\":[\"connection\",\"denied\"],\"action\":\"reject\",\"outcome\":\"failure\","),
        _ if row.is_v6.is_some() => out.extend_from_slice(b"\"type\":[\"connection\"],"),
        _ => out.extend_from_slice(b"\"type\":[\"info\"],"),
    }
    if let Some(start) = row.start {
        out.extend_from_slice(b"\"start\":\"");
        if start.div_euclid(DAY) == at.div_euclid(DAY) {
            // The date that has just been written.
            out.extend_from_within(timestamp.start..timestamp.start + "2026-11-21T".len());
            push_time_of_day(start, out);
        } else {
            push_rfc3339(start, out);
        }
        out.extend_from_slice(b"\",");
    }
    if let Some(end) = row.end {
        out.extend_from_slice(b"\"end\":\"");
        // The end is the timestamp wherever there is one, so it need not be worked out again.
        out.extend_from_within(timestamp.clone());
        out.extend_from_slice(b"\",");
        if let Some(millis) = row.start.map(|start| end - start).filter(|millis| *millis >= 0) {
            out.extend_from_slice(key!("event", "duration"));
            if millis > 0 && millis % 1_000 == 0 {
                // Flow logs have whole seconds: nine digits less to be worked out.
                push_integer(out, millis / 1_000);
                out.extend_from_slice(b"000000000,");
            } else {
                push_integer(out, millis * 1_000_000);
                out.push(b',');
            }
        }
    }
    out.extend_from_slice(b"\"id\":\"");
    push_id(settings.key, origin.text, out);
    out.extend_from_slice(b"\",\"dataset\":\"aws.vpcflow\",\"module\":\"aws\"");
    if settings.keep_original {
        out.extend_from_slice(b",\"original\":");
        push_text(origin.text, origin.is_plain, out);
    }
    out.extend_from_slice(b"},");
}

fn cloud(row: &Row<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\"cloud\":{\"provider\":\"aws\"");
    if let Some(account) = row.get(const { column("account-id") }) {
        out.extend_from_slice(b",\"account\":{\"id\":");
        push_text(account, row.plain, out);
        out.push(b'}');
    }
    if row.layout.is_extended {
        if let Some(region) = row.get(const { column("region") }) {
            out.extend_from_slice(b",\"region\":");
            push_text(region, row.plain, out);
        }
        if let Some(instance) = row.get(const { column("instance-id") }) {
            out.extend_from_slice(b",\"instance\":{\"id\":");
            push_text(instance, row.plain, out);
            out.push(b'}');
        }
    }
    out.extend_from_slice(b"},");
}

/// The columns that become `source.*` or `destination.*`.
struct Side {
    open: &'static [u8],
    address: usize,
    port: usize,
    packet_address: usize,
    /// Whether the flow's bytes and packets are counted here: a record is one direction, from source to destination.
    sends: bool,
}

const SOURCE: Side = Side {
    open: b"\"source\":{",
    address: column("srcaddr"),
    port: column("srcport"),
    packet_address: column("pkt-srcaddr"),
    sends: true,
};

const DESTINATION: Side = Side {
    open: b"\"destination\":{",
    address: column("dstaddr"),
    port: column("dstport"),
    packet_address: column("pkt-dstaddr"),
    sends: false,
};

#[inline]
fn side(row: &Row<'_>, side: &Side, out: &mut Vec<u8>) {
    let group = open(side.open, out);
    let address = row.get(side.address);
    row.push(side.address, b"\"address\":\"", b"\",\"ip\":\"", out);
    row.push(side.address, b"", b"\",", out);
    number(row, side.port, key!("source", "port"), out);
    if side.sends {
        number(row, const { column("bytes") }, key!("source", "bytes"), out);
        number(row, const { column("packets") }, key!("source", "packets"), out);
    }
    if row.layout.is_extended
        && let Some(packet_address) = row.get(side.packet_address)
        && Some(packet_address) != address
    {
        out.extend_from_slice(b"\"nat\":{\"ip\":\"");
        out.extend_from_slice(packet_address);
        out.extend_from_slice(b"\"},");
    }
    close(group, b"},", out);
}

fn network(row: &Row<'_>, settings: &Settings, out: &mut Vec<u8>) {
    let group = open(b"\"network\":{", out);
    if let Some(kind) = row.get(const { column("type") }) {
        out.extend_from_slice(key!("network", "type"));
        let start = out.len();
        push_text(kind, row.plain, out);
        if let Some(written) = out.get_mut(start..) {
            written.make_ascii_lowercase();
        }
        out.push(b',');
    } else if let Some(is_v6) = row.is_v6 {
        out.extend_from_slice(if is_v6 {
            b"\"type\":\"ipv6\","
        } else {
            b"\"type\":\"ipv4\","
        });
    }
    if let Some(protocol) = row.protocol {
        if let Some((_, name)) = PROTOCOLS.iter().find(|(number, _)| *number == protocol) {
            out.extend_from_slice(b"\"transport\":\"");
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\",");
        }
        // Written without zeros in front, or it would not have been taken for a number.
        row.push(const { column("protocol") }, b"\"iana_number\":\"", b"\",", out);
    }
    match row.get(const { column("flow-direction") }) {
        Some(b"ingress") => out.extend_from_slice(b"\"direction\":\"ingress\","),
        Some(b"egress") => out.extend_from_slice(b"\"direction\":\"egress\","),
        _ => {}
    }
    if settings.community_id
        && let Some(id) = community::id(row)
    {
        out.extend_from_slice(key!("network", "community_id"));
        push_text(id.as_bytes(), true, out);
        out.push(b',');
    }
    number(row, const { column("bytes") }, key!("network", "bytes"), out);
    number(row, const { column("packets") }, key!("network", "packets"), out);
    close(group, b"},", out);
}

fn related(row: &Row<'_>, out: &mut Vec<u8>) {
    if row.is_v6.is_none() {
        return;
    }
    let count = if row.layout.is_extended { 4 } else { 2 };
    out.extend_from_slice(b"\"related\":{\"ip\":[");
    let mut seen: [Option<&[u8]>; 4] = [None; 4];
    for at in 0..count {
        let address = row.get(ADDRESSES[at]);
        if address.is_none() || seen[..at].contains(&address) {
            continue;
        }
        seen[at] = address;
        row.push(ADDRESSES[at], b"\"", b"\",", out);
    }
    out.pop();
    out.extend_from_slice(b"]},");
}

/// `aws.vpcflow.*`: the plain copies, the columns that are decoded, the rest. The number of values in the rest.
fn own(row: &Row<'_>, out: &mut Vec<u8>) -> usize {
    let group = open(b"\"aws\":{\"vpcflow\":{", out);
    for copy in &row.layout.copies {
        let Some(value) = row.value(usize::from(copy.position)) else {
            continue;
        };
        out.extend_from_slice(copy.key.text());
        if copy.is_text {
            push_inside_quotes(value, row.plain, out);
            out.extend_from_slice(b"\",");
        } else {
            out.extend_from_slice(value);
            out.push(b',');
        }
    }
    if row.layout.is_extended {
        decoded(row, out);
    }
    let unplaced = rest(row, out);
    close(group, b"}},", out);
    unplaced
}

fn decoded(row: &Row<'_>, out: &mut Vec<u8>) {
    if let Some(flags) = row.flags.filter(|flags| *flags != 0) {
        out.extend_from_slice(key!("aws.vpcflow", "tcp_flags"));
        push_flags(flags, out);
        out.push(b',');
    }
    for (column, key) in [
        (const { column("pkt-srcaddr") }, key!("aws.vpcflow", "pkt_srcaddr")),
        (const { column("pkt-dstaddr") }, key!("aws.vpcflow", "pkt_dstaddr")),
    ] {
        if let Some(address) = row.get(column) {
            out.extend_from_slice(key);
            push_text(address, true, out);
            out.push(b',');
        }
    }
    for (column, key, names) in [
        (
            const { column("traffic-path") },
            key!("aws.vpcflow", "traffic_path"),
            TRAFFIC_PATHS,
        ),
        (
            const { column("encryption-status") },
            key!("aws.vpcflow", "encryption_status"),
            ENCRYPTION,
        ),
    ] {
        if let Some(value) = row.get(column) {
            let name = names.iter().find(|(number, _)| number.as_bytes() == value);
            out.extend_from_slice(key);
            push_text(name.map_or(value, |(_, name)| name.as_bytes()), row.plain, out);
            out.push(b',');
        }
    }
}

/// `aws.vpcflow.rest`: values of columns that AWS has not published, and values beyond the names. Those are called
/// `Column-15` and so on, with a capital because no column's name has one: a key must not stand there twice.
fn rest(row: &Row<'_>, out: &mut Vec<u8>) -> usize {
    if row.layout.unknown.is_empty() && row.beyond().next().is_none() {
        return 0;
    }
    let group = open(b"\"rest\":{", out);
    let mut unplaced = 0;
    for &position in &row.layout.unknown {
        let position = usize::from(position);
        if let Some(value) = row.value(position) {
            push_text(row.layout.names[position].as_bytes(), false, out);
            out.push(b':');
            push_text(value, row.plain, out);
            out.push(b',');
            unplaced += 1;
        }
    }
    for (position, value) in row.beyond() {
        out.extend_from_slice(b"\"Column-");
        push_integer(out, position as i64 + 1);
        out.extend_from_slice(b"\":");
        push_text(value, row.plain, out);
        out.push(b',');
        unplaced += 1;
    }
    close(group, b"},", out);
    unplaced
}

/// A member whose value is a number that the row has checked.
#[inline(always)]
fn number(row: &Row<'_>, column: usize, key: &[u8], out: &mut Vec<u8>) {
    row.push(column, key, b",", out);
}
