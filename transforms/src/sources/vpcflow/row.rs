//! One line, split and checked in one pass; its values stay spans of the line.

use std::net::Ipv6Addr;

use wide::u8x32;

use super::{
    fields::{Kind, column},
    forms::quote,
    layout::{ABSENT, Layout, MAX_COLUMNS},
    push::push_part,
};
use crate::{Refusal, RefusalKind, address::Padded, time};

/// Where the values of a line stand. Kept between lines, so that a line needs no allocation.
#[derive(Debug)]
pub(super) struct Spans {
    spans: [(u32, u32); MAX_COLUMNS],
    count: usize,
    /// No byte of the line needs an escape in JSON, and all are ASCII.
    plain: bool,
}

impl Default for Spans {
    fn default() -> Self {
        Self {
            spans: [(0, 0); MAX_COLUMNS],
            count: 0,
            plain: false,
        }
    }
}

impl Spans {
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The values of the line that these are the places of.
    pub(super) fn values<'a>(&self, line: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        let spans = &self.spans[..self.count];
        spans
            .iter()
            .map(move |&(start, end)| &line[start as usize..end as usize])
    }

    pub(super) fn is_plain(&self) -> bool {
        self.plain
    }

    /// Starts a line whose values are told one after the other with [`Spans::push`]. `plain` says that none needs an escape.
    pub(super) fn begin(&mut self, plain: bool) {
        self.count = 0;
        self.plain = plain;
    }

    /// Finds the values of a line between its spaces, and whether any byte of it is out of the ordinary.
    ///
    /// The last 32 bytes are filled up with spaces, so that every value has a space after it.
    pub(super) fn split(&mut self, line: &[u8]) -> Result<(), Refusal> {
        self.count = 0;
        let space = u8x32::splat(b' ');
        let (quote_mark, backslash, highest) = (u8x32::splat(b'"'), u8x32::splat(b'\\'), u8x32::splat(0x7e));
        let mut odd = u8x32::splat(0);
        let mut start = 0;
        let (chunks, tail) = line.as_chunks::<32>();
        let mut padded = [b' '; 32];
        padded[..tail.len()].copy_from_slice(tail);
        for (chunk, bytes) in chunks.iter().chain([&padded]).enumerate() {
            let bytes = u8x32::new(*bytes);
            odd |= bytes.simd_lt(space) | bytes.simd_gt(highest) | bytes.simd_eq(quote_mark) | bytes.simd_eq(backslash);
            let mut spaces = bytes.simd_eq(space).to_bitmask();
            while spaces != 0 {
                let end = chunk * 32 + spaces.trailing_zeros() as usize;
                spaces &= spaces - 1;
                if end > line.len() {
                    break;
                }
                if end > start {
                    self.push(start, end)?;
                }
                start = end + 1;
            }
        }
        self.plain = odd.to_bitmask() == 0;
        Ok(())
    }

    /// Adds the value between two places of the line.
    #[inline]
    pub(super) fn push(&mut self, start: usize, end: usize) -> Result<(), Refusal> {
        let Some(span) = self.spans.get_mut(self.count) else {
            let message = format!("the line has more than {MAX_COLUMNS} values; a flow log has at most 66 columns");
            return Err(Refusal::new(RefusalKind::Size, "", message));
        };
        *span = (start as u32, end as u32);
        self.count += 1;
        Ok(())
    }
}

/// The columns that hold addresses, the interface's before the packet's.
pub(super) const ADDRESSES: [usize; 4] = [
    column("srcaddr"),
    column("dstaddr"),
    column("pkt-srcaddr"),
    column("pkt-dstaddr"),
];

/// Why a line cannot be written as it stands.
pub(super) enum Problem {
    /// Not at all.
    Refused(Refusal),
    /// The value at this position does not fit its column.
    Misfit(usize),
    /// A value is longer than an index takes.
    Long,
}

/// A line whose values have been checked.
#[derive(Debug)]
pub(super) struct Row<'a> {
    line: &'a [u8],
    spans: &'a [(u32, u32)],
    pub(super) layout: &'a Layout,
    pub(super) plain: bool,
    /// Epoch milliseconds of `start` and `end`.
    pub(super) start: Option<i64>,
    pub(super) end: Option<i64>,
    pub(super) protocol: Option<u8>,
    pub(super) flags: Option<u8>,
    /// Whether the first of the [`ADDRESSES`] is IPv6; nothing without an address.
    pub(super) is_v6: Option<bool>,
}

impl<'a> Row<'a> {
    /// Checks each value against what its column holds; no text may be longer than `limit` bytes.
    #[inline]
    pub(super) fn new(line: &'a [u8], spans: &'a Spans, layout: &'a Layout, limit: usize) -> Result<Self, Problem> {
        let row = Row {
            line,
            spans: &spans.spans[..spans.count],
            layout,
            plain: spans.plain,
            start: None,
            end: None,
            protocol: None,
            flags: None,
            is_v6: None,
        };
        row.checked(limit)
    }

    #[inline]
    fn checked(mut self, limit: usize) -> Result<Self, Problem> {
        // The packet's addresses are mostly the interface's.
        let mut seen = [0; 2];
        for (position, kind) in self.layout.kinds.iter().enumerate() {
            let Some(value) = self.value(position) else { continue };
            let good = match kind {
                Kind::Text => value.len() <= limit,
                Kind::Number => whole_number(value).is_some(),
                Kind::Port => whole_number(value).is_some_and(|n| n <= 65_535),
                Kind::Protocol => {
                    self.protocol = whole_number(value).and_then(|n| u8::try_from(n).ok());
                    self.protocol.is_some()
                }
                Kind::Flags => {
                    self.flags = whole_number(value).and_then(|n| u8::try_from(n).ok());
                    self.flags.is_some()
                }
                Kind::Address => match Padded::new(value) {
                    Some(text) if seen.contains(&text.key()) => true,
                    Some(text) if text.v4().is_some() => {
                        seen = [seen[1], text.key()];
                        true
                    }
                    _ => is_v6(value),
                },
                Kind::Time => {
                    let millis = match epoch_seconds(value) {
                        Some(millis) => Ok(millis),
                        None => time::parse(value),
                    }
                    .map_err(|error| Problem::Refused(bad_time(&self.layout.names[position], value, error)))?;
                    if position == usize::from(self.layout.at[const { column("start") }]) {
                        self.start = Some(millis);
                    } else {
                        self.end = Some(millis);
                    }
                    true
                }
            };
            if !good {
                return Err(match kind {
                    Kind::Text => Problem::Long,
                    _ => Problem::Misfit(position),
                });
            }
        }
        let first = ADDRESSES.iter().find_map(|&column| self.get(column));
        self.is_v6 = first.map(|address| memchr::memchr(b':', address).is_some());
        if self.beyond().any(|(_, value)| value.len() > limit) {
            return Err(Problem::Long);
        }
        Ok(self)
    }

    /// In a format that was only told by its number of columns: whether action and log status stand where they should.
    pub(super) fn expect_documented(&self) -> Result<(), Refusal> {
        if let Some(action) = self.get(const { column("action") })
            && !matches!(action, b"ACCEPT" | b"REJECT")
        {
            let message = format!(
                "column action is {}, not ACCEPT or REJECT, so the line has not AWS's documented order; give the flow \
                 log's format (--flow-format, PORTCULLIS_FLOW_FORMAT) or keep its header line",
                quote(action)
            );
            return Err(Refusal::new(RefusalKind::Syntax, "action", message));
        }
        match self.get(const { column("log-status") }) {
            Some(b"OK" | b"NODATA" | b"SKIPDATA") => Ok(()),
            value => {
                let message = format!(
                    "column log-status is {}, not OK, NODATA or SKIPDATA, so the line has not AWS's documented order; \
                     give the flow log's format (--flow-format, PORTCULLIS_FLOW_FORMAT) or keep its header line",
                    quote(value.unwrap_or(b"-"))
                );
                Err(Refusal::new(RefusalKind::Syntax, "log-status", message))
            }
        }
    }

    /// The value at a position of the line; nothing for `-`.
    #[inline]
    pub(super) fn value(&self, position: usize) -> Option<&'a [u8]> {
        let &(start, end) = self.spans.get(position)?;
        let value = &self.line[start as usize..end as usize];
        (value != b"-").then_some(value)
    }

    /// The value of a published column, by its number.
    #[inline]
    pub(super) fn get(&self, column: usize) -> Option<&'a [u8]> {
        match self.layout.at[column] {
            ABSENT => None,
            position => self.value(usize::from(position)),
        }
    }

    /// Appends the value of a published column; the answer is whether it has one.
    #[inline(always)]
    pub(super) fn push(&self, column: usize, before: &[u8], after: &[u8], out: &mut Vec<u8>) -> bool {
        if self.get(column).is_none() {
            return false;
        }
        out.extend_from_slice(before);
        self.push_at(usize::from(self.layout.at[column]), out);
        out.extend_from_slice(after);
        true
    }

    /// Appends what stands at a position of the line, as it stands there.
    #[inline(always)]
    pub(super) fn push_at(&self, position: usize, out: &mut Vec<u8>) {
        let (start, end) = self.spans[position];
        push_part(self.line, start as usize, (end - start) as usize, out);
    }

    /// Values beyond the names of the layout, with their positions.
    pub(super) fn beyond(&self) -> impl Iterator<Item = (usize, &'a [u8])> {
        (self.layout.names.len()..self.spans.len()).filter_map(|at| self.value(at).map(|value| (at, value)))
    }
}

/// Ten digits, which is what epoch seconds have from 2001 until 2286: the case that almost every line is.
#[inline]
fn epoch_seconds(value: &[u8]) -> Option<i64> {
    if value.len() != 10 || value[0] == b'0' || value >= b"4133980800".as_slice() {
        return None;
    }
    whole_number(value).map(|seconds| seconds as i64 * 1_000)
}

/// Decimal digits without a leading zero or a sign, up to the largest `long`: what JSON reads back as the same number.
#[inline]
fn whole_number(value: &[u8]) -> Option<u64> {
    if value.is_empty() || value.len() > 19 || (value[0] == b'0' && value.len() > 1) {
        return None;
    }
    let mut number = 0_u64;
    for &b in value {
        let digit = b.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number * 10 + u64::from(digit);
    }
    (number <= i64::MAX as u64).then_some(number)
}

/// Whether a value is an IPv6 address.
fn is_v6(value: &[u8]) -> bool {
    std::str::from_utf8(value).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok())
}

#[cold]
fn bad_time(name: &str, value: &[u8], error: time::TimeError) -> Refusal {
    let message = format!("column {name} is {}: {error}", quote(value));
    Refusal::new(RefusalKind::Time, name, message)
}

/// The refusal of a line that has `value` in a column called `name`, when its format was only guessed.
#[cold]
pub(super) fn bad_value(name: &str, kind: Kind, value: &[u8]) -> Refusal {
    let wanted = match kind {
        Kind::Text => "a text",
        Kind::Time => "a time",
        Kind::Number => "a whole number",
        Kind::Port => "a port (0 to 65535)",
        Kind::Protocol => "an IANA protocol number (0 to 255)",
        Kind::Flags => "a mask of TCP flags (0 to 255)",
        Kind::Address => "an IPv4 or IPv6 address",
    };
    let message = format!(
        "column {name} is {}, not {wanted}; if the flow log has a format of its own, give it (--flow-format, \
         PORTCULLIS_FLOW_FORMAT) or keep its header line",
        quote(value)
    );
    Refusal::new(RefusalKind::Syntax, name, message)
}
