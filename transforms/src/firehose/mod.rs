//! The record-transformation contract between Amazon Data Firehose and Lambda: a batch of records in, an answer to
//! every record out, in the same order.
//!
//! <https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html>
//!
//! ```
//! use portcullis_transforms::{Normalizer, Options, Source, firehose};
//!
//! let mut normalizer = Normalizer::new(Source::VpcFlow, Options::default()).expect("default options");
//! let event = br#"{"invocationId":"1","records":[{"recordId":"a","data":"bm8gZmxvdyBsb2c="}]}"#;
//! let (response, report) = firehose::transform(&mut normalizer, event).expect("a Firehose event");
//! let answer = br#"{"records":[{"recordId":"a","result":"ProcessingFailed","data":"bm8gZmxvdyBsb2c="#;
//! assert!(response.starts_with(answer));
//! assert_eq!((report.ok, report.failed), (0, 1));
//! ```
//!
//! **One record never spoils its batch.** What the normaliser refuses is answered `ProcessingFailed` with its original
//! data, which Firehose keeps in S3; the reason goes into the [`Report`]. A transformed record ends with a line end, so
//! that documents stay lines where Firehose joins them (S3 backup); OpenSearch takes it as white space.
//!
//! **Several in one go back.** Firehose takes one document per record. The [entries](crate::forms) of a record that holds
//! several go back to the stream that it came from, each as AWS's own record with this one entry, and the record is
//! `Dropped`; each then comes again alone. [`prepare`] says what is to go back, [`put_all`] puts it, [`Prepared::finish`]
//! answers. What cannot go back whole is `ProcessingFailed`.
//!
//! **The response stays below [`RESPONSE_LIMIT`].** Room for the refusal of every later record is always kept free; a
//! record whose document does not fit into what is left goes back the same way. A document that no response could hold is
//! `ProcessingFailed`, reason `response_full`, and so is every one that does not fit where nothing is put back.
//!
//! **Nothing is lost, nothing loops.** Every entry is in the response, or back on the stream, or its record is
//! `ProcessingFailed`. An entry alone is one entry, so it is never taken apart again; and an invocation puts back for want
//! of room only when it has delivered something, so what is left becomes less each time. Twice is possible: when a call's
//! answer was lost, when some of a record's entries went back and the others could not, when Firehose invokes again after
//! a timeout. [`event.id`](crate::schema) is the same for both copies.

mod ahead;
mod event;
mod put_back;
mod report;
mod response;
mod stream;

use std::{
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use base64_turbo::STANDARD;

#[cfg(feature = "put-back")]
pub use self::put_back::{Patience, PutError, PutRecords, put_all};
pub use self::{
    event::EventError,
    put_back::{Back, Returned},
    report::{Reason, Report},
    stream::{Batch, LARGEST, Stream},
};
use self::{
    event::{Event, Record},
    response::{Response, Verdict},
};
use crate::{Normalizer, Outcome, Refusal, RefusalKind, Taken, forms::Entries, normalize::Outlook, sources::vpcflow};

/// The most bytes of a response. Lambda's limit is 6 MB; the smaller reading of it is safe under both.
pub const RESPONSE_LIMIT: usize = 6_000_000;

/// The most bytes that one event puts back: what the memory of a small function holds beside the event and the response.
pub const BACK_LIMIT: usize = 24 * 1024 * 1024;

/// Answers one transformation event with the JSON body of the response, and reports what was refused and why. Nothing is
/// put back.
///
/// A flow log's header line speaks of the later records of its event, never of the next event's.
///
/// # Errors
/// Only when the body is no Firehose transformation event, or has so many records that no response could hold an
/// answer to each.
pub fn transform(normalizer: &mut Normalizer, event: &[u8]) -> Result<(Vec<u8>, Report), EventError> {
    let prepared = prepare(normalizer, event)?;
    Ok(prepared.finish(&Returned::nothing(
        "nothing is put back here: a transform function does it when built with the feature `put-back`, \
         and `portcullis normalize --firehose --put-back FILE` shows what",
    )))
}

/// Does everything but putting back: answers what can be answered, and says what is to go back.
///
/// # Errors
/// As [`transform`].
pub fn prepare<'e>(normalizer: &mut Normalizer, event: &'e [u8]) -> Result<Prepared<'e>, EventError> {
    prepare_in(normalizer, event, Vec::new())
}

/// [`prepare`] with memory that a response is written to: that of an earlier one. What it holds is forgotten.
///
/// # Errors
/// As [`transform`].
pub fn prepare_in<'e>(normalizer: &mut Normalizer, event: &'e [u8], room: Vec<u8>) -> Result<Prepared<'e>, EventError> {
    normalizer.begin();
    let before = normalizer.filtered();
    let mut prepared = prepare_with(normalizer, Normalizer::take, event, room)?;
    prepared.report.filtered = usize::try_from(normalizer.filtered() - before).unwrap_or(usize::MAX);
    Ok(prepared)
}

/// [`prepare`] with any function from a record to a document.
fn prepare_with<'e>(
    normalizer: &mut Normalizer,
    take: impl for<'a> Fn(&mut Normalizer, &'a [u8], &mut Vec<u8>) -> Result<Taken<'a>, Refusal>,
    event: &'e [u8],
    room: Vec<u8>,
) -> Result<Prepared<'e>, EventError> {
    let Event { records, stream } = Event::parse(event)?;
    let mut prepared = Prepared {
        response: Response::new(&records, RESPONSE_LIMIT, room)?,
        records: Vec::new(),
        stream,
        report: Report::default(),
        back: Vec::new(),
        bytes: 0,
        open: Vec::new(),
    };
    let mut decoded = Vec::new();
    let mut document = Vec::new();
    for (number, record) in records.iter().enumerate() {
        if let Some(next) = records.get(number + 1) {
            ahead::fetch(next.data.as_ref());
        }
        let usual = document.len();
        document.clear();
        let Some(data) = decode(record.data.as_ref(), &mut decoded) else {
            prepared.refuse(record, &Failure::Base64);
            continue;
        };
        prepared.response.expect(usual);
        let (kept, bytes) = (prepared.back.len(), prepared.bytes);
        // A bug that panics on one record must not take the whole batch down with it.
        let taken = catch_unwind(AssertUnwindSafe(|| match take(normalizer, data, &mut document)? {
            Taken::One(outcome) => Ok(Some(outcome)),
            Taken::Several(entries) => prepared.take_apart(normalizer, record, number, &entries).map(|()| None),
        }));
        match taken {
            Err(_) => {
                prepared.back.truncate(kept);
                prepared.bytes = bytes;
                prepared.refuse(record, &Failure::Panic);
            }
            Ok(Err(refusal)) => prepared.refuse(record, &Failure::Refused(refusal)),
            Ok(Ok(None)) => {}
            Ok(Ok(Some(Outcome::Dropped))) => {
                prepared.response.push(record, &Verdict::Dropped);
                prepared.report.dropped += 1;
            }
            Ok(Ok(Some(Outcome::Document))) => prepared.deliver(normalizer, record, number, data, &document),
        }
    }
    prepared.settle();
    prepared.records = records;
    Ok(prepared)
}

/// What base64 says, in memory that is set to zero only where it is new.
fn decode<'r>(text: &[u8], room: &'r mut Vec<u8>) -> Option<&'r [u8]> {
    let most = STANDARD.decoded_len_estimate(text.len());
    if room.len() < most {
        room.resize(most, 0);
    }
    let length = STANDARD.decode_slice(text, room).ok()?;
    room.get(..length)
}

/// An event whose records are answered, but for those that wait for what is put back.
#[derive(Debug)]
pub struct Prepared<'e> {
    response: Response,
    records: Vec<Record<'e>>,
    stream: Option<Stream>,
    report: Report,
    back: Vec<Back>,
    /// Bytes in `back`.
    bytes: usize,
    open: Vec<Open>,
}

/// A record that is `Dropped` once all of its entries are back on the stream.
#[derive(Debug)]
struct Open {
    number: usize,
    why: Why,
    /// Its entries.
    back: Range<usize>,
}

#[derive(Clone, Copy, Debug)]
enum Why {
    /// It holds several entries.
    Several,
    /// Its document of so many bytes did not fit.
    Full(usize),
}

/// Why a record is answered `ProcessingFailed`.
enum Failure {
    Refused(Refusal),
    Base64,
    Panic,
    ResponseFull { document: usize },
}

impl Prepared<'_> {
    /// Where the event's records came from; `None` where the event does not say, or from where nothing can go back.
    #[must_use]
    pub fn stream(&self) -> Option<&Stream> {
        self.stream.as_ref()
    }

    /// What is to go back, in order; the entries of one record stand together.
    #[must_use]
    pub fn back(&self) -> &[Back] {
        &self.back
    }

    /// The response and the report, once it is known what went back.
    #[must_use]
    pub fn finish(mut self, returned: &Returned) -> (Vec<u8>, Report) {
        let mut dropped = vec![false; self.records.len()];
        for open in &self.open {
            if returned.has_all(open.back.clone()) {
                dropped[open.number] = true;
                self.report.dropped += 1;
                self.report.put_back += open.back.len();
                continue;
            }
            let id = &self.records[open.number].id;
            let problem = returned.problem();
            let (word, message) = match open.why {
                Why::Several => (
                    RefusalKind::Form.word(),
                    format!(
                        "the record holds {} entries, and one record becomes one document; {problem}",
                        open.back.len()
                    ),
                ),
                Why::Full(document) => ("response_full", format!("{}; {problem}", too_large(document))),
            };
            self.report.fail(word, String::new(), message, id);
        }
        let response = self.response.finish(&self.records, |number| {
            if dropped[number] {
                Verdict::Dropped
            } else {
                Verdict::Failed { is_base64: true }
            }
        });
        (response, self.report)
    }

    /// A record with several entries goes back in pieces.
    fn take_apart(
        &mut self,
        normalizer: &mut Normalizer,
        record: &Record<'_>,
        number: usize,
        entries: &Entries<'_>,
    ) -> Result<(), Refusal> {
        // That of an earlier record; those inside stand with their lines.
        let header = normalizer.header();
        // What none would become of would only come again to be answered so one by one.
        match normalizer.outlook(entries) {
            Outlook::Documents => {}
            Outlook::Refusals(refusal) => return Err(refusal),
            Outlook::Nothing => {
                self.response.push(record, &Verdict::Dropped);
                self.report.dropped += 1;
                return Ok(());
            }
        }
        let header = header.as_deref();
        let pieces = entries
            .iter()
            .map(|entry| with_header(header.filter(|_| entry.lacks_header()), entry.alone()));
        let Some(back) = self.keep(record, pieces) else {
            return Err(Refusal::new(
                RefusalKind::Form,
                "",
                format!(
                    "the record holds {} entries, and they cannot go back to the stream: one has more than {LARGEST} \
                     bytes, all of this event more than {BACK_LIMIT}, or an earlier record's header line has no place \
                     in them",
                    entries.len()
                ),
            ));
        };
        self.response.leave(record, number);
        let why = Why::Several;
        self.open.push(Open { number, why, back });
        Ok(())
    }

    /// A document goes into the response, or its record goes back.
    fn deliver(&mut self, normalizer: &Normalizer, record: &Record<'_>, number: usize, data: &[u8], document: &[u8]) {
        if self.response.push(record, &Verdict::Ok(document)) {
            self.report.ok += 1;
            return;
        }
        let header = normalizer.header();
        let kept = self
            .response
            .fits_alone(record, document.len())
            .then(|| self.keep(record, [with_header(header.as_deref(), data.to_vec())].into_iter()));
        let Some(back) = kept.flatten() else {
            self.refuse(
                record,
                &Failure::ResponseFull {
                    document: document.len(),
                },
            );
            return;
        };
        self.response.leave(record, number);
        let why = Why::Full(document.len());
        self.open.push(Open { number, why, back });
    }

    /// Keeps what is to go back of one record: all of it or nothing.
    fn keep(&mut self, record: &Record<'_>, pieces: impl Iterator<Item = Option<Vec<u8>>>) -> Option<Range<usize>> {
        let (start, bytes) = (self.back.len(), self.bytes);
        let record_id: Arc<str> = record.id.as_ref().into();
        let partition_key = record.partition_key().map(Into::into);
        for piece in pieces {
            let piece = piece.filter(|data| data.len() <= LARGEST && self.bytes + data.len() <= BACK_LIMIT);
            let Some(data) = piece else {
                self.back.truncate(start);
                self.bytes = bytes;
                return None;
            };
            self.bytes += data.len();
            self.back.push(Back::new(data, &record_id, partition_key.as_ref()));
        }
        Some(start..self.back.len())
    }

    /// Where nothing was delivered for want of room, nothing goes back for it either: it could go round for ever.
    fn settle(&mut self) {
        if self.report.ok > 0 {
            return;
        }
        for open in &self.open {
            if let Why::Full(_) = open.why {
                self.back[open.back.clone()].iter_mut().for_each(Back::withdraw);
            }
        }
    }

    fn refuse(&mut self, record: &Record<'_>, failure: &Failure) {
        let is_base64 = !matches!(failure, Failure::Base64);
        self.response.push(record, &Verdict::Failed { is_base64 });
        let (word, field, message) = match failure {
            Failure::Refused(refusal) => (refusal.kind.word(), refusal.field.clone(), refusal.to_string()),
            Failure::Base64 => ("base64", String::new(), "the record's data is not base64".to_owned()),
            Failure::Panic => {
                let message = "the transform panicked on this record; please report it with the record".to_owned();
                ("panic", String::new(), message)
            }
            Failure::ResponseFull { document } => ("response_full", String::new(), too_large(*document)),
        };
        self.report.fail(word, field, message, &record.id);
    }
}

/// A flow-log line with the header line of an earlier record, which names its columns; `None` where there is no place
/// for it.
fn with_header(header: Option<&str>, data: Vec<u8>) -> Option<Vec<u8>> {
    let Some(header) = header else {
        return Some(data);
    };
    let line = data
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default()
        .trim_ascii();
    match line.first() {
        _ if vpcflow::is_header(line) => Some(data),
        Some(b'{' | b'[' | 0x1f) => None,
        _ => Some([header.as_bytes(), b"\n", &data].concat()),
    }
}

fn too_large(document: usize) -> String {
    format!(
        "the document of {document} bytes does not fit into the response of at most {RESPONSE_LIMIT} bytes; lower the \
         buffer size of the delivery stream's Lambda processor"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, Source};

    #[test]
    fn a_panic_on_one_record_fails_that_record_alone() {
        let event = br#"{"records":[{"recordId":"1","data":"YQ=="},{"recordId":"2","data":"Yg=="},{"recordId":"3","data":"YQ=="}]}"#;
        fn take<'a>(_: &mut Normalizer, record: &'a [u8], out: &mut Vec<u8>) -> Result<Taken<'a>, Refusal> {
            assert_ne!(record, b"b", "planted");
            out.extend_from_slice(b"{}\n");
            Ok(Taken::One(Outcome::Document))
        }
        let mut normalizer = Normalizer::new(Source::Waf, Options::default()).expect("options");
        let prepared = prepare_with(&mut normalizer, take, event, Vec::new()).expect("an event");
        let (response, report) = prepared.finish(&Returned::nothing(""));
        let response: serde_json::Value = serde_json::from_slice(&response).expect("JSON");
        let answers: Vec<_> = (0..3)
            .map(|at| (&response["records"][at]["result"], &response["records"][at]["data"]))
            .collect();
        assert_eq!(
            serde_json::json!(answers),
            serde_json::json!([["Ok", "e30K"], ["ProcessingFailed", "Yg=="], ["Ok", "e30K"]])
        );
        assert_eq!((report.ok, report.failed, report.reasons[0].word), (2, 1, "panic"));
    }
}
