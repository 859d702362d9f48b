//! The response: written once, front to back, into one buffer whose end is known in advance. Where a record's answer is
//! not known yet, a gap is left, with room kept for it.

use std::borrow::Cow;

use base64_turbo::STANDARD;

use super::{
    ahead,
    event::{EventError, Record},
};
use crate::document::{push_escaped, push_json_string};

const OPEN: &[u8] = b"{\"records\":[";
const CLOSE: &[u8] = b"]}";
const ID: &[u8] = b"{\"recordId\":\"";
const OK: &[u8] = b"\",\"result\":\"Ok\",\"data\":\"";
const DROPPED: &[u8] = b"\",\"result\":\"Dropped\",\"data\":\"";
const FAILED: &[u8] = b"\",\"result\":\"ProcessingFailed\",\"data\":\"";
/// AWS asks for partition keys only with dynamic partitioning, `aws_lambda_events` for the member always.
const END: &[u8] = b"\",\"metadata\":{\"partitionKeys\":{}}}";
const COMMA: usize = 1;
/// What stands around a document, the id included: about as much.
const FRAME: usize = 192;

/// What a record is answered.
pub(super) enum Verdict<'a> {
    /// With its document.
    Ok(&'a [u8]),
    /// Nothing to deliver, by design.
    Dropped,
    /// With its original data. Data that is not base64 is encoded, because the answer must be.
    Failed { is_base64: bool },
}

/// A response that keeps room for the answers that are still to come.
#[derive(Debug)]
pub(super) struct Response {
    out: Vec<u8>,
    limit: usize,
    /// Bytes that the refusals of the records to come will take.
    reserved: usize,
    /// Whether those refusals carry their data: always, but for an event of nearly 6 MB, where ids alone must do.
    with_data: bool,
    /// Where answers are missing, in order: place in `out`, and number of the record.
    gaps: Vec<(usize, usize)>,
    /// Bytes that the answers in the gaps will take at most.
    kept: usize,
}

impl Response {
    pub(super) fn new(records: &[Record<'_>], limit: usize, room: Vec<u8>) -> Result<Self, EventError> {
        let frame = OPEN.len() + CLOSE.len();
        let total = |with_data| frame + records.iter().map(|record| reserve(record, with_data)).sum::<usize>();
        let with_data = total(true) <= limit;
        let needed = total(with_data);
        if needed > limit {
            return Err(EventError::TooManyRecords {
                records: records.len(),
                limit,
            });
        }
        // The whole room at once: growing would copy, and memory that is not written to costs nothing.
        let mut out = room;
        out.clear();
        out.reserve_exact(limit);
        out.extend_from_slice(OPEN);
        Ok(Self {
            out,
            limit,
            reserved: needed - frame,
            with_data,
            gaps: Vec::new(),
            kept: 0,
        })
    }

    /// A document of about so many bytes is to be written next.
    #[inline]
    pub(super) fn expect(&mut self, document: usize) {
        let room = self.out.spare_capacity_mut();
        let needed = STANDARD.encoded_len(document) + FRAME;
        ahead::fetch(&room[..needed.min(room.len())]);
    }

    /// Writes the answer to the next record; `false`, with nothing written, if a document does not fit.
    pub(super) fn push(&mut self, record: &Record<'_>, verdict: &Verdict<'_>) -> bool {
        let reserve = reserve(record, self.with_data);
        let free = self.limit - self.out.len() - CLOSE.len() - self.kept - (self.reserved - reserve);
        let written = write(&mut self.out, record, verdict, free);
        if written {
            self.reserved -= reserve;
        }
        written
    }

    /// Leaves the answer to the next record, the one with this number, open.
    pub(super) fn leave(&mut self, record: &Record<'_>, number: usize) {
        let reserve = reserve(record, self.with_data);
        self.reserved -= reserve;
        self.kept += reserve;
        self.gaps.push((self.out.len(), number));
    }

    /// Whether a document of so many bytes fits a response in which nothing else stands.
    pub(super) fn fits_alone(&self, record: &Record<'_>, document: usize) -> bool {
        let encoded = STANDARD.encoded_len(document);
        OPEN.len() + size(record, OK, encoded) + CLOSE.len() <= self.limit
    }

    /// The whole response, with the gaps filled.
    pub(super) fn finish<'v>(
        mut self,
        records: &[Record<'_>],
        mut verdict: impl FnMut(usize) -> Verdict<'v>,
    ) -> Vec<u8> {
        if !self.gaps.is_empty() {
            self.fill(records, &mut verdict);
        }
        if self.out.last() == Some(&b',') {
            self.out.pop();
        }
        self.out.extend_from_slice(CLOSE);
        self.out
    }

    fn fill<'v>(&mut self, records: &[Record<'_>], verdict: &mut dyn FnMut(usize) -> Verdict<'v>) {
        let mut out = Vec::with_capacity(self.out.len() + self.kept + CLOSE.len());
        let mut from = 0;
        for &(at, number) in &self.gaps {
            out.extend_from_slice(&self.out[from..at]);
            from = at;
            let Some(record) = records.get(number) else { continue };
            write(&mut out, record, &verdict(number), reserve(record, self.with_data));
        }
        out.extend_from_slice(&self.out[from..]);
        self.out = out;
    }
}

/// Writes an answer with the comma behind it into at most `free` bytes. Only a document may not fit; a refusal goes
/// without its data then.
fn write(out: &mut Vec<u8>, record: &Record<'_>, verdict: &Verdict<'_>, free: usize) -> bool {
    let raw = record.data.as_ref();
    let (middle, data) = match verdict {
        Verdict::Ok(document) => {
            if size(record, OK, STANDARD.encoded_len(document.len())) > free {
                return false;
            }
            (OK, Data::Encode(document))
        }
        Verdict::Dropped => (DROPPED, Data::Encode(&[])),
        Verdict::Failed { is_base64: true } if size(record, FAILED, raw.len()) <= free => (FAILED, Data::Raw(raw)),
        Verdict::Failed { is_base64: false } if size(record, FAILED, STANDARD.encoded_len(raw.len())) <= free => {
            (FAILED, Data::Encode(raw))
        }
        Verdict::Failed { .. } => (FAILED, Data::Raw(&[])),
    };
    out.extend_from_slice(ID);
    match &record.id {
        Cow::Borrowed(id) => out.extend_from_slice(id.as_bytes()),
        Cow::Owned(id) => push_escaped(out, id),
    }
    out.extend_from_slice(middle);
    match data {
        Data::Raw(text) => out.extend_from_slice(text),
        Data::Encode(bytes) => encode(bytes, out),
    }
    out.extend_from_slice(END);
    out.push(b',');
    true
}

/// Appends bytes as base64.
#[inline]
fn encode(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + STANDARD.encoded_len(bytes.len()), 0);
    let written = STANDARD.encode_slice(bytes, &mut out[start..]);
    debug_assert!(written.is_ok());
}

fn size(record: &Record<'_>, middle: &[u8], data: usize) -> usize {
    ID.len() + id_len(record) + middle.len() + data + END.len() + COMMA
}

enum Data<'a> {
    /// Base64 already.
    Raw(&'a [u8]),
    /// To be written as base64.
    Encode(&'a [u8]),
}

/// The size of a record's refusal with its comma, an upper bound for `Dropped` too.
fn reserve(record: &Record<'_>, with_data: bool) -> usize {
    size(record, FAILED, if with_data { record.data.as_ref().len() } else { 0 })
}

/// The length of a record's id as it is written. One that is borrowed stood in JSON without an escape, and so needs none here.
#[inline]
fn id_len(record: &Record<'_>) -> usize {
    let Cow::Owned(id) = &record.id else {
        return record.id.len();
    };
    let mut written = Vec::new();
    push_json_string(&mut written, id);
    written.len() - 2
}
