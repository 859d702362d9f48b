//! What an invocation is about, told by its event's shape.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::ledger::{NotAPosition, Position};

/// An event.
#[derive(Debug)]
pub(super) enum Event<'a> {
    /// Records of one shard, in order.
    Kinesis(Vec<Record>),
    /// A schedule.
    Schedule,
    /// A finding from an EventBridge rule, or one that a person passes to the function: the event itself.
    Finding(&'a [u8]),
}

/// One record of a stream.
#[derive(Debug)]
pub(super) struct Record {
    /// As it came: Lambda compares texts.
    pub(super) name: String,
    pub(super) number: Position,
    pub(super) data: Vec<u8>,
    pub(super) arrived: Option<DateTime<Utc>>,
}

/// An event that the function cannot have been meant for.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unknown {
    #[error("the event's records are no records of Kinesis: {0}; map a Kinesis stream to this function")]
    Records(#[from] serde_json::Error),
    #[error("the event's records come from {0}; map a Kinesis stream to this function")]
    Source(String),
    #[error("the event's records are out of their order: {0}")]
    Number(#[from] NotAPosition),
}

#[derive(Deserialize)]
struct Shape<'a> {
    #[serde(rename = "Records", borrow)]
    records: Option<&'a serde_json::value::RawValue>,
    #[serde(rename = "detail-type", borrow)]
    detail_type: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Delivered<'a> {
    #[serde(rename = "eventSource", borrow)]
    source: Cow<'a, str>,
    #[serde(borrow)]
    kinesis: Option<Payload<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    sequence_number: String,
    #[serde(borrow)]
    data: Cow<'a, str>,
    /// Seconds.
    approximate_arrival_timestamp: Option<f64>,
}

/// Reads an event.
///
/// # Errors
/// Only for batches of something else than Kinesis: they would be acknowledged and lost.
pub(super) fn read(event: &[u8]) -> Result<Event<'_>, Unknown> {
    // What has no shape that is known is kept as a finding that cannot be read.
    let Ok(shape) = serde_json::from_slice::<Shape<'_>>(event) else {
        return Ok(Event::Finding(event));
    };
    match (shape.records, shape.detail_type.as_deref()) {
        (Some(records), _) => batch(records.get()).map(Event::Kinesis),
        (None, Some("Scheduled Event")) => Ok(Event::Schedule),
        (None, _) => Ok(Event::Finding(event)),
    }
}

fn batch(records: &str) -> Result<Vec<Record>, Unknown> {
    let delivered: Vec<Delivered<'_>> = serde_json::from_str(records)?;
    delivered.into_iter().map(record).collect()
}

fn record(delivered: Delivered<'_>) -> Result<Record, Unknown> {
    let Some(payload) = delivered.kinesis.filter(|_| delivered.source == "aws:kinesis") else {
        return Err(Unknown::Source(delivered.source.into_owned()));
    };
    Ok(Record {
        number: payload.sequence_number.parse()?,
        name: payload.sequence_number,
        // What is no base64 is kept as it came, like anything that cannot be read.
        data: base64_turbo::STANDARD
            .decode(payload.data.as_bytes())
            .unwrap_or_else(|_| payload.data.into_owned().into_bytes()),
        arrived: payload.approximate_arrival_timestamp.and_then(time),
    })
}

#[expect(clippy::cast_possible_truncation, reason = "a time out of range is none")]
fn time(seconds: f64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis((seconds * 1000.0) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_told_by_its_shape() {
        let kinesis = br#"{"Records":[{"eventSource":"aws:kinesis","eventID":"shardId-000000000000:49","kinesis":
            {"sequenceNumber":"49","data":"e30=","partitionKey":"p","approximateArrivalTimestamp":1795258257.123}}]}"#;
        let Ok(Event::Kinesis(records)) = read(kinesis) else {
            panic!("records")
        };
        assert_eq!((records[0].name.as_str(), &records[0].data[..]), ("49", &b"{}"[..]));
        assert_eq!(
            records[0].arrived.map(|at| at.timestamp_millis()),
            Some(1_795_258_257_123)
        );
        assert!(matches!(
            read(br#"{"source":"aws.events","detail-type":"Scheduled Event","detail":{}}"#),
            Ok(Event::Schedule)
        ));
        for finding in [
            &br#"{"detail-type":"GuardDuty Finding","detail":{}}"#[..],
            b"{\"id\":\"f\"}",
            b"[]",
            b"7",
        ] {
            assert!(matches!(read(finding), Ok(Event::Finding(_))));
        }
    }

    #[test]
    fn records_of_something_else_are_not_acknowledged() {
        for (event, said) in [
            (r#"{"Records":[{"eventSource":"aws:sqs","body":"{}"}]}"#, "aws:sqs"),
            (r#"{"Records":[{"eventSource":"aws:kinesis"}]}"#, "aws:kinesis"),
            (r#"{"Records":{}}"#, "no records of Kinesis"),
            (
                r#"{"Records":[{"eventSource":"aws:kinesis","kinesis":{"sequenceNumber":"x","data":""}}]}"#,
                "order",
            ),
        ] {
            let error = read(event.as_bytes()).expect_err(event).to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
