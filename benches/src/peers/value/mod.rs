//! What a Rust program does with the usual crates: `aws_lambda_events` for the event, `serde_json::Value` for the record,
//! `chrono` for times. Values are moved from the record into the document wherever only one field takes them.
//!
//! It writes the product's documents for what `portcullis generate` writes. What the product does beyond that (records
//! that are broken, too long or hostile) is left out, in its favour.

mod derive;
mod fields;
mod flow;
mod record;

use anyhow::{Context, Result};
use aws_lambda_events::event::firehose::{
    KinesisFirehoseEvent, KinesisFirehoseResponse, KinesisFirehoseResponseRecord,
};
use chrono::{DateTime, SecondsFormat, Utc};
use portcullis_transforms::Source;
use serde_json::Value;

use super::Peer;
use crate::case::Case;

pub(super) struct ValuePeer {
    mapper: Mapper,
}

enum Mapper {
    Json(Box<fields::Mapper>),
    Flow(flow::Mapper),
}

/// Whether this peer writes the documents of the case.
pub(super) fn knows(case: &Case) -> bool {
    matches!(case.source, Source::Waf | Source::GuardDuty | Source::VpcFlow)
}

impl ValuePeer {
    pub(super) fn new(case: &Case) -> Result<Self> {
        let mapper = match (case.source, case.columns) {
            (Source::VpcFlow, Some(columns)) => Mapper::Flow(flow::Mapper::new(columns)),
            _ => Mapper::Json(Box::new(fields::Mapper::new(case.source)?)),
        };
        Ok(Self { mapper })
    }
}

impl Peer for ValuePeer {
    fn invoke(&mut self, event: &[u8]) -> Result<Vec<u8>> {
        let event: KinesisFirehoseEvent = serde_json::from_slice(event)?;
        let mut response = KinesisFirehoseResponse::default();
        response.records.reserve(event.records.len());
        for record in event.records {
            let data = record.data.0;
            let document = match &self.mapper {
                Mapper::Json(mapper) => mapper.document(&data)?,
                Mapper::Flow(mapper) => mapper.document(std::str::from_utf8(&data)?)?,
            };
            let mut line = serde_json::to_vec(&document)?;
            line.push(b'\n');
            let mut answer = KinesisFirehoseResponseRecord::default();
            answer.record_id = record.record_id;
            answer.result = Some("Ok".to_owned());
            answer.data.0 = line;
            response.records.push(answer);
        }
        Ok(serde_json::to_vec(&response)?)
    }
}

fn rfc3339(time: DateTime<Utc>) -> Value {
    time.to_rfc3339_opts(SecondsFormat::Millis, true).into()
}

/// Epoch milliseconds or RFC 3339, as the generated records have them.
fn time(value: &Value) -> Result<DateTime<Utc>> {
    match value {
        Value::String(text) => Ok(DateTime::parse_from_rfc3339(text)?.to_utc()),
        _ => value
            .as_i64()
            .and_then(DateTime::from_timestamp_millis)
            .context("no time"),
    }
}

fn hex(bytes: impl IntoIterator<Item = u8>) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(32);
    for byte in bytes {
        // Writing to a String cannot fail.
        let written = write!(text, "{byte:02x}");
        debug_assert!(written.is_ok());
    }
    text
}
