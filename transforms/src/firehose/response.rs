//! The response: written once, front to back, into one buffer whose end is known in advance.

use std::borrow::Cow;

use super::event::{EventError, Record};
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
pub(super) struct Response {
    out: Vec<u8>,
    limit: usize,
    /// Bytes that the refusals of the records to come will take.
    reserved: usize,
    /// Whether those refusals carry their data: always, but for an event of nearly 6 MB, where ids alone must do.
    with_data: bool,
}

impl Response {
    pub(super) fn new(records: &[Record<'_>], limit: usize) -> Result<Self, EventError> {
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
        let mut out = Vec::with_capacity(limit);
        out.extend_from_slice(OPEN);
        Ok(Self {
            out,
            limit,
            reserved: needed - frame,
            with_data,
        })
    }

    /// Writes the answer to the next record; `false`, with nothing written, if a document does not fit.
    pub(super) fn push(&mut self, record: &Record<'_>, verdict: &Verdict<'_>) -> bool {
        let id = id_len(record);
        let reserved = reserve(record, self.with_data);
        let free = self.limit - self.out.len() - CLOSE.len() - (self.reserved - reserved);
        let size = |middle: &[u8], data: usize| ID.len() + id + middle.len() + data + END.len() + COMMA;
        let (middle, data) = match verdict {
            Verdict::Ok(document) => {
                let encoded = base64_simd::STANDARD.encoded_length(document.len());
                if size(OK, encoded) > free {
                    return false;
                }
                (OK, Data::Encode(document))
            }
            Verdict::Dropped => (DROPPED, Data::Encode(&[])),
            Verdict::Failed { is_base64: true } if size(FAILED, record.data.as_ref().len()) <= free => {
                (FAILED, Data::Raw(record.data.as_ref()))
            }
            Verdict::Failed { is_base64: false }
                if size(FAILED, base64_simd::STANDARD.encoded_length(record.data.as_ref().len())) <= free =>
            {
                (FAILED, Data::Encode(record.data.as_ref()))
            }
            Verdict::Failed { .. } => (FAILED, Data::Raw(&[])),
        };
        self.reserved -= reserved;
        if self.out.len() > OPEN.len() {
            self.out.push(b',');
        }
        self.out.extend_from_slice(ID);
        match &record.id {
            Cow::Borrowed(id) => self.out.extend_from_slice(id.as_bytes()),
            Cow::Owned(id) => push_escaped(&mut self.out, id),
        }
        self.out.extend_from_slice(middle);
        match data {
            Data::Raw(text) => self.out.extend_from_slice(text),
            Data::Encode(bytes) => base64_simd::STANDARD.encode_append(bytes, &mut self.out),
        }
        self.out.extend_from_slice(END);
        true
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.out.extend_from_slice(CLOSE);
        self.out
    }
}

enum Data<'a> {
    /// Base64 already.
    Raw(&'a [u8]),
    /// To be written as base64.
    Encode(&'a [u8]),
}

/// The size of a record's refusal with its comma, an upper bound for `Dropped` too.
fn reserve(record: &Record<'_>, with_data: bool) -> usize {
    let data = if with_data { record.data.as_ref().len() } else { 0 };
    ID.len() + id_len(record) + FAILED.len() + data + END.len() + COMMA
}

/// The length of an id as it is written. One that is borrowed stood in JSON without an escape, and so needs none here.
#[inline]
fn id_len(record: &Record<'_>) -> usize {
    let Cow::Owned(id) = &record.id else {
        return record.id.len();
    };
    let mut written = Vec::new();
    push_json_string(&mut written, id);
    written.len() - 2
}
