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
//! **The response stays below [`RESPONSE_LIMIT`].** Room for the refusal of every later record is always kept free; a
//! document that does not fit into what is left is answered `ProcessingFailed`, reason `response_full`. Flow logs grow
//! to about four times their size in `ecs`, so a delivery stream of them should hand over at most 1 MB per invocation
//! (`BufferSizeInMBs` of its Lambda processor, default 1).

mod event;
mod report;
mod response;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use event::EventError;
pub use report::{Reason, Report};

use self::{
    event::{Event, Record},
    response::{Response, Verdict},
};
use crate::{Normalizer, Outcome, Refusal};

/// The most bytes of a response. Lambda's limit is 6 MB; the smaller reading of it is safe under both.
pub const RESPONSE_LIMIT: usize = 6_000_000;

/// Answers one transformation event with the JSON body of the response, and reports what was refused and why.
///
/// A flow log's header line speaks of the later records of its event, never of the next event's.
///
/// # Errors
/// Only when the body is no Firehose transformation event, or has so many records that no response could hold an
/// answer to each.
pub fn transform(normalizer: &mut Normalizer, event: &[u8]) -> Result<(Vec<u8>, Report), EventError> {
    normalizer.begin();
    let before = normalizer.filtered();
    let (response, mut report) = transform_with(|record, out| normalizer.record(record, out), event)?;
    report.filtered = usize::try_from(normalizer.filtered() - before).unwrap_or(usize::MAX);
    Ok((response, report))
}

/// [`transform`] with any function from a record to a document.
fn transform_with(
    mut normalize: impl FnMut(&[u8], &mut Vec<u8>) -> Result<Outcome, Refusal>,
    event: &[u8],
) -> Result<(Vec<u8>, Report), EventError> {
    let event = Event::parse(event)?;
    let mut response = Response::new(&event.records, RESPONSE_LIMIT)?;
    let mut report = Report::default();
    let mut data = Vec::new();
    let mut document = Vec::new();
    for record in &event.records {
        data.clear();
        document.clear();
        let verdict = match base64_simd::STANDARD.decode_append(record.data.as_ref(), &mut data) {
            Err(_) => Err(Failure::Base64),
            // A bug that panics on one record must not take the whole batch down with it.
            Ok(()) => match catch_unwind(AssertUnwindSafe(|| normalize(&data, &mut document))) {
                Ok(Ok(outcome)) => Ok(outcome),
                Ok(Err(refusal)) => Err(Failure::Refused(refusal)),
                Err(_) => Err(Failure::Panic),
            },
        };
        answer(record, verdict, &document, &mut response, &mut report);
    }
    Ok((response.finish(), report))
}

/// Why a record is answered `ProcessingFailed`.
enum Failure {
    Refused(Refusal),
    Base64,
    Panic,
    ResponseFull,
}

fn answer(
    record: &Record<'_>,
    verdict: Result<Outcome, Failure>,
    document: &[u8],
    response: &mut Response,
    report: &mut Report,
) {
    let failure = match verdict {
        Ok(Outcome::Document) => {
            if response.push(record, &Verdict::Ok(document)) {
                report.ok += 1;
                return;
            }
            Failure::ResponseFull
        }
        Ok(Outcome::Dropped) => {
            response.push(record, &Verdict::Dropped);
            report.dropped += 1;
            return;
        }
        Err(failure) => failure,
    };
    let is_base64 = !matches!(failure, Failure::Base64);
    response.push(record, &Verdict::Failed { is_base64 });
    let (word, field, message) = match failure {
        Failure::Refused(refusal) => (refusal.kind.word(), refusal.field.clone(), refusal.to_string()),
        Failure::Base64 => ("base64", String::new(), "the record's data is not base64".to_owned()),
        Failure::Panic => {
            let message = "the transform panicked on this record; please report it with the record".to_owned();
            ("panic", String::new(), message)
        }
        Failure::ResponseFull => {
            let message = format!(
                "the document of {} bytes does not fit into the response of at most {RESPONSE_LIMIT} bytes; lower \
                 the buffer size of the delivery stream's Lambda processor",
                document.len()
            );
            ("response_full", String::new(), message)
        }
    };
    report.fail(word, field, message, &record.id);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_on_one_record_fails_that_record_alone() {
        let event = br#"{"records":[{"recordId":"1","data":"YQ=="},{"recordId":"2","data":"Yg=="},{"recordId":"3","data":"YQ=="}]}"#;
        let normalize = |record: &[u8], out: &mut Vec<u8>| {
            assert_ne!(record, b"b", "planted");
            out.extend_from_slice(b"{}\n");
            Ok(Outcome::Document)
        };
        let (response, report) = transform_with(normalize, event).expect("an event");
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
