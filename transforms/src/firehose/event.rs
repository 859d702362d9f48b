//! The event: where each record's id and data stand in the body.
//!
//! An event as Firehose writes it is scanned once and borrowed; one with anything unusual in it, an escape such as
//! `\/` in base64 for instance, goes through `serde_json`, which decides what is valid.

use std::borrow::Cow;

use memchr::{memchr, memchr2};
use serde::Deserialize;
use serde_json::Value;

use super::Stream;

/// Why a body is no Firehose transformation event. Lambda reports it as the invocation's error, and Firehose retries.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// The body is not a JSON object with a list of records that each have a `recordId`.
    #[error(
        "not a Firehose transformation event: {0}; expected {{\"records\":[{{\"recordId\":\"...\",\"data\":\"<base64>\"}}]}}"
    )]
    NotAnEvent(String),
    /// The ids of the records alone do not fit into a response.
    #[error("the event has {records} records, more than a response of {limit} bytes can answer")]
    TooManyRecords {
        /// How many records there are.
        records: usize,
        /// The most bytes of a response.
        limit: usize,
    },
}

/// The records of an event, and where they came from.
#[derive(Debug)]
pub(super) struct Event<'a> {
    pub(super) records: Vec<Record<'a>>,
    pub(super) stream: Option<Stream>,
}

/// One record of an event.
#[derive(Debug, Deserialize)]
pub(super) struct Record<'a> {
    #[serde(rename = "recordId", borrow)]
    pub(super) id: Cow<'a, str>,
    /// Base64; empty where the event has none.
    #[serde(borrow, default, deserialize_with = "text_or_null")]
    pub(super) data: Text<'a>,
    /// JSON, where the stream's source is Kinesis.
    #[serde(rename = "kinesisRecordMetadata", default, deserialize_with = "any_json")]
    metadata: Text<'a>,
}

impl Record<'_> {
    /// The key by which the record found its shard.
    pub(super) fn partition_key(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Metadata {
            #[serde(rename = "partitionKey")]
            partition_key: String,
        }
        let metadata: Metadata = serde_json::from_slice(self.metadata.as_ref()).ok()?;
        Some(metadata.partition_key)
    }
}

/// The text of a JSON string. Borrowed from the body it may be anything but a quote or a backslash, so it is bytes.
#[derive(Debug, Default)]
pub(super) struct Text<'a>(Cow<'a, [u8]>);

impl AsRef<[u8]> for Text<'_> {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

fn text_or_null<'de: 'a, 'a, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Text<'a>, D::Error> {
    #[derive(Deserialize)]
    struct Borrowed<'b>(#[serde(borrow)] Cow<'b, str>);
    let text = Option::<Borrowed<'a>>::deserialize(deserializer)?;
    Ok(match text {
        None => Text::default(),
        Some(Borrowed(Cow::Borrowed(text))) => Text(Cow::Borrowed(text.as_bytes())),
        Some(Borrowed(Cow::Owned(text))) => Text(Cow::Owned(text.into_bytes())),
    })
}

fn any_json<'de, 'a, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Text<'a>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(Text(Cow::Owned(value.to_string().into_bytes())))
}

impl<'a> Event<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, EventError> {
        if let Some(event) = (Scanner { body, at: 0 }).event() {
            return Ok(event);
        }
        #[derive(Deserialize)]
        struct Owned<'b> {
            #[serde(borrow)]
            records: Vec<Record<'b>>,
            #[serde(rename = "deliveryStreamArn", default)]
            delivery: Value,
            #[serde(rename = "sourceKinesisStreamArn", default)]
            kinesis: Value,
            #[serde(rename = "sourceMSKArn", default)]
            kafka: Value,
        }
        let event: Owned<'a> =
            serde_json::from_slice(body).map_err(|error| EventError::NotAnEvent(bounded(&error.to_string())))?;
        let stream = match event.kafka {
            Value::Null => Stream::of(event.delivery.as_str(), event.kinesis.as_str()),
            _ => None,
        };
        Ok(Self {
            records: event.records,
            stream,
        })
    }
}

/// serde's words, which may quote the body, cut and escaped.
fn bounded(words: &str) -> String {
    words.chars().take(160).flat_map(char::escape_debug).collect()
}

/// The id goes into the response as it is, so it must be text without anything to escape.
fn plain_id(id: &[u8]) -> Option<&str> {
    // Looking at every byte, rather than up to the first that is wrong, is done many at once.
    let is_plain = |byte: &u8| matches!(byte, 0x20..=0x7e) && *byte != b'\\';
    let all = id.iter().fold(true, |all, byte| all & is_plain(byte));
    std::str::from_utf8(id).ok().filter(|_| all)
}

/// A scanner for events without anything unusual; `None` anywhere means "let `serde_json` decide".
struct Scanner<'a> {
    body: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    fn event(mut self) -> Option<Event<'a>> {
        let (mut records, mut delivery, mut kinesis) = (None, None, None);
        self.token(b'{')?;
        loop {
            let key = self.string()?;
            self.token(b':')?;
            match key {
                b"records" if records.is_none() => records = Some(self.records()?),
                b"deliveryStreamArn" if delivery.is_none() => delivery = Some(self.string()?),
                b"sourceKinesisStreamArn" if kinesis.is_none() => kinesis = Some(self.string()?),
                b"records" | b"deliveryStreamArn" | b"sourceKinesisStreamArn" | b"sourceMSKArn" => return None,
                _ => self.skip_value()?,
            }
            match self.next()? {
                b',' => {}
                b'}' => break,
                _ => return None,
            }
        }
        self.skip_space();
        let text = |bytes: Option<&'a [u8]>| bytes.and_then(|bytes| std::str::from_utf8(bytes).ok());
        (self.at == self.body.len()).then_some(Event {
            records: records?,
            stream: Stream::of(text(delivery), text(kinesis)),
        })
    }

    fn records(&mut self) -> Option<Vec<Record<'a>>> {
        // A record of a flow log takes some 250 bytes; others are larger, and the list then has room to spare.
        let mut records = Vec::with_capacity(self.body.len() / 256 + 1);
        self.token(b'[')?;
        if self.peek()? == b']' {
            self.at += 1;
            return Some(records);
        }
        loop {
            records.push(self.record()?);
            match self.next()? {
                b',' => {}
                b']' => return Some(records),
                _ => return None,
            }
        }
    }

    /// A record as Firehose writes it, told by whole pieces of text; for small records reading it member by member takes as
    /// long as a third of the mapping.
    fn usual_record(&mut self) -> Option<Record<'a>> {
        let rest = self.body.get(self.at..)?.strip_prefix(b"{\"recordId\":\"")?;
        let (id, rest) = rest.split_at_checked(memchr(b'"', rest)?)?;
        let rest = match rest.strip_prefix(b"\",\"approximateArrivalTimestamp\":") {
            Some(rest) => rest.get(rest.iter().position(|byte| !byte.is_ascii_digit())?..)?,
            None => rest.get(1..)?,
        };
        let rest = rest.strip_prefix(b",\"data\":\"")?;
        let (data, rest) = rest.split_at_checked(memchr2(b'"', b'\\', rest)?)?;
        let rest = rest.strip_prefix(b"\"}")?;
        let record = Record {
            id: Cow::Borrowed(plain_id(id)?),
            data: Text(Cow::Borrowed(data)),
            metadata: Text::default(),
        };
        self.at = self.body.len() - rest.len();
        Some(record)
    }

    fn record(&mut self) -> Option<Record<'a>> {
        self.skip_space();
        if let Some(record) = self.usual_record() {
            return Some(record);
        }
        let (mut id, mut data, mut metadata) = (None, None, &[][..]);
        self.token(b'{')?;
        loop {
            let key = self.string()?;
            self.token(b':')?;
            match key {
                b"recordId" if id.is_none() => id = Some(self.string()?),
                b"data" if data.is_none() => data = Some(self.string()?),
                b"kinesisRecordMetadata" if metadata.is_empty() => {
                    self.skip_space();
                    let start = self.at;
                    self.skip_value()?;
                    metadata = &self.body[start..self.at];
                }
                b"recordId" | b"data" | b"kinesisRecordMetadata" => return None,
                _ => self.skip_value()?,
            }
            match self.next()? {
                b',' => {}
                b'}' => break,
                _ => return None,
            }
        }
        Some(Record {
            id: Cow::Borrowed(plain_id(id?)?),
            data: Text(Cow::Borrowed(data?)),
            metadata: Text(Cow::Borrowed(metadata)),
        })
    }

    /// The inside of a string without escapes.
    fn string(&mut self) -> Option<&'a [u8]> {
        self.token(b'"')?;
        let rest = self.body.get(self.at..)?;
        let end = memchr2(b'"', b'\\', rest)?;
        if rest[end] == b'\\' {
            return None;
        }
        self.at += end + 1;
        Some(&rest[..end])
    }

    /// Any value, with its brackets counted and its strings jumped over.
    fn skip_value(&mut self) -> Option<()> {
        match self.peek()? {
            b'"' => {
                self.string()?;
            }
            b'{' | b'[' => {
                let mut open = 0_usize;
                loop {
                    match self.peek()? {
                        b'"' => {
                            self.string()?;
                            continue;
                        }
                        b'{' | b'[' => open += 1,
                        b'}' | b']' => open -= 1,
                        _ => {}
                    }
                    self.at += 1;
                    if open == 0 {
                        break;
                    }
                }
            }
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => {
                while matches!(
                    self.body.get(self.at),
                    Some(b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'E')
                ) {
                    self.at += 1;
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn skip_space(&mut self) {
        while matches!(self.body.get(self.at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn peek(&mut self) -> Option<u8> {
        self.skip_space();
        self.body.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn token(&mut self, expected: u8) -> Option<()> {
        (self.next()? == expected).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slow(body: &[u8]) -> Result<Vec<(String, Vec<u8>)>, serde_json::Error> {
        #[derive(Deserialize)]
        struct Slow<'b> {
            #[serde(borrow)]
            records: Vec<Record<'b>>,
        }
        let event: Slow<'_> = serde_json::from_slice(body)?;
        Ok(pairs(&event.records))
    }

    fn pairs(records: &[Record<'_>]) -> Vec<(String, Vec<u8>)> {
        records
            .iter()
            .map(|r| (r.id.clone().into_owned(), r.data.as_ref().to_vec()))
            .collect()
    }

    #[test]
    fn the_scanner_reads_what_serde_json_reads() {
        let events: &[&[u8]] = &[
            br#"{"records":[]}"#,
            br#"{"records":[{"recordId":"49","approximateArrivalTimestamp":1495072949453,"data":"YQ=="},{"recordId":"50","data":"Yg=="}]}"#,
            br#"{"records":[{"recordId":"49","approximateArrivalTimestamp":1.5e3,"data":"YQ=="},{"recordId":"50","data":"Yg==","x":1}]}"#,
            br#"{"records":[{"recordId":"49" ,"data":"YQ=="} , {"recordId":"50","y":2,"data":""}]}"#,
            br#" { "invocationId" : "x" , "records" : [ { "recordId" : "1" , "data" : "YQ==" } ] } "#,
            br#"{"records":[{"recordId":"1","approximateArrivalTimestamp":1495072949453,"data":"YQ=="},{"data":"Yg==","recordId":"2","kinesisRecordMetadata":{"shardId":"s-1","subsequenceNumber":"","a":[1,{"b":"}]"}]}}],"region":"us-east-1","x":null,"y":-1.5e+3,"z":true}"#,
        ];
        for body in events {
            let scanned = Scanner { body, at: 0 }.event().expect("nothing unusual in it");
            assert_eq!(
                pairs(&scanned.records),
                slow(body).expect("valid"),
                "{}",
                String::from_utf8_lossy(body)
            );
        }
    }

    #[test]
    fn the_scanner_leaves_the_unusual_to_serde_json() {
        let events: &[&[u8]] = &[
            br#"{"records":[{"recordId":"1","data":"YQ\u003d="}]}"#,
            br#"{"records":[{"recordId":"a\"b","data":"YQ=="}]}"#,
            br#"{"records":[{"recordId":"1\\u0031","approximateArrivalTimestamp":1,"data":"YQ=="}]}"#,
            br#"{"records":[{"recordId":"1","data":null}]}"#,
            br#"{"records":[{"recordId":"1"}]}"#,
            "{\"records\":[{\"recordId\":\"é\",\"data\":\"YQ==\"}]}".as_bytes(),
        ];
        for body in events {
            assert!(
                Scanner { body, at: 0 }.event().is_none(),
                "{}",
                String::from_utf8_lossy(body)
            );
            assert!(Event::parse(body).is_ok(), "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn both_ways_find_the_stream_and_the_partition_keys() {
        let record =
            r#"{"recordId":"1","kinesisRecordMetadata":{"shardId":"s","partitionKey":"key \"1\""},"data":"YQ=="}"#;
        let delivery = "arn:aws:firehose:eu-west-1:111122223333:deliverystream/findings";
        let kinesis = "arn:aws:kinesis:eu-west-1:111122223333:stream/findings";
        let direct = Some(Stream::DirectPut {
            name: "findings".to_owned(),
            region: "eu-west-1".to_owned(),
        });
        let sourced = Some(Stream::Kinesis {
            arn: kinesis.to_owned(),
            region: "eu-west-1".to_owned(),
        });
        for (head, stream) in [
            (format!(r#""deliveryStreamArn":"{delivery}""#), direct),
            (
                format!(r#""sourceKinesisStreamArn":"{kinesis}","deliveryStreamArn":"{delivery}""#),
                sourced,
            ),
            (
                format!(
                    r#""sourceMSKArn":"arn:aws:kafka:eu-west-1:111122223333:cluster/c/1","deliveryStreamArn":"{delivery}""#
                ),
                None,
            ),
            (r#""deliveryStreamArn":"aws:lambda:events""#.to_owned(), None),
            (
                r#""deliveryStreamArn":7,"sourceKinesisStreamArn":null"#.to_owned(),
                None,
            ),
        ] {
            let plain = format!(r#"{{{head},"records":[{record}]}}"#);
            // An escape makes the scanner leave the event to the parser.
            let escaped = format!(r#"{{"\u0061":0,{head},"records":[{record}]}}"#);
            for body in [plain, escaped] {
                let event = Event::parse(body.as_bytes()).expect("an event");
                assert_eq!(event.stream, stream, "{body}");
                assert_eq!(event.records[0].partition_key().as_deref(), Some("key \"1\""), "{body}");
            }
        }
    }
}
