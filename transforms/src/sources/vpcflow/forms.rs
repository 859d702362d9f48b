//! The forms in which flow logs arrive, taken apart into lines, and the words of refusals.
//!
//! | form | where from |
//! |---|---|
//! | text, one line | S3 objects, CloudWatch Logs, `PutRecord` |
//! | text, a header line and one line | shippers that repeat a file's header |
//! | `{"message":"<line>"}` | VPC flow logs delivered to Firehose |
//! | `{"srcaddr":"...","srcport":22}` | query engines and shippers; names in kebab, snake or camel case |

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{
    layout::MAX_COLUMNS,
    members::{self, Members},
};
use crate::{Refusal, RefusalKind, Source, engine::plain_text, envelope, normalize::excerpt};

/// What a record holds.
pub(super) enum Content<'a> {
    /// Lines of values, and headers.
    Text(Cow<'a, [u8]>),
    /// One flow log as an object of its columns.
    Members(Members<'a>),
}

/// The longest record that is read; a line with every published column takes about 2 KB.
const MAX_RECORD: usize = 64 * 1024;

/// What stands in a record, without the wrapper, a byte order mark and surrounding white space.
pub(super) fn unwrap(record: &[u8]) -> Result<Content<'_>, Refusal> {
    if record.len() > MAX_RECORD {
        let message = format!(
            "the record has {} bytes, a flow-log line at most {MAX_RECORD}; deliver one line per record",
            record.len()
        );
        return Err(Refusal::new(RefusalKind::Size, "", message));
    }
    let text = record.strip_prefix(b"\xef\xbb\xbf").unwrap_or(record).trim_ascii();
    match text.first() {
        Some(b'{') => unwrap_json(text),
        Some(b'[') => Err(Refusal::new(
            RefusalKind::Form,
            "",
            "the record is a JSON array; deliver one line per record",
        )),
        Some(0x1f) if text.get(1) == Some(&0x8b) => {
            let message = "the record is gzip, as a CloudWatch Logs subscription sends it; deliver flow logs to \
                           Firehose directly, or decompress them"
                .to_owned();
            Err(Refusal::new(RefusalKind::Form, "", message))
        }
        _ => Ok(Content::Text(Cow::Borrowed(text))),
    }
}

fn unwrap_json(text: &[u8]) -> Result<Content<'_>, Refusal> {
    // The wrapper as VPC writes it, without an escape in the line, needs no parser.
    if let Some(line) = text
        .strip_prefix(b"{\"message\":\"")
        .and_then(|t| t.strip_suffix(b"\"}"))
        && memchr::memchr2(b'"', b'\\', line).is_none()
        && !line.iter().any(|b| *b < 0x20)
    {
        return Ok(Content::Text(Cow::Borrowed(line.trim_ascii())));
    }
    if simdutf8::basic::from_utf8(text).is_err() {
        return Err(not_utf8(text));
    }
    let object: Object<'_> = serde_json::from_slice(text).map_err(|error| {
        let message = format!("neither a flow-log line nor JSON: {}", short(&error));
        Refusal::new(RefusalKind::Syntax, "", message)
    })?;
    let mut messages = object.members.iter().filter(|(name, _)| name == "message");
    let message = messages.next().map(|(_, raw)| raw.get());
    if object.repeats_message || message.is_some_and(|raw| !raw.starts_with('"') && raw != "null") {
        let message = "`message` is not the text of one flow-log line: it has another type, or stands there twice";
        return Err(Refusal::new(RefusalKind::Form, "message", message));
    }
    match message
        .and_then(|raw| plain_text(raw.as_bytes()))
        .filter(|_| message != Some("null"))
    {
        Some(Cow::Borrowed(line)) => Ok(Content::Text(Cow::Borrowed(line.as_bytes().trim_ascii()))),
        Some(Cow::Owned(line)) => Ok(Content::Text(Cow::Owned(line.as_bytes().trim_ascii().to_vec()))),
        None => match other_source(text, &object.members) {
            Some(refusal) => Err(refusal),
            None if object.is_too_large => Err(members::too_many()),
            None if members::are_columns(&object.members) => Ok(Content::Members(object.members)),
            None => Err(Refusal::new(
                RefusalKind::WrongSource,
                "message",
                "the record is JSON, with neither the `message` that holds a flow-log line nor a flow log's columns",
            )),
        },
    }
}

/// A JSON object, as far as it can be a flow log.
#[derive(Default)]
struct Object<'a> {
    members: Members<'a>,
    /// Whether it has more members than a flow log may have; they are not kept.
    is_too_large: bool,
    repeats_message: bool,
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<'a>(PhantomData<&'a ()>);

impl<'de: 'a, 'a> Visitor<'de> for ObjectVisitor<'a> {
    type Value = Object<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut object = Object::default();
        while let Some((Key(name), raw)) = map.next_entry::<Key<'a>, &'a RawValue>()? {
            let is_message = name == "message";
            match object.members.iter().position(|(known, _)| *known == name) {
                Some(place) => {
                    object.repeats_message |= is_message;
                    object.members[place].1 = raw;
                }
                None if object.members.len() >= MAX_COLUMNS && !is_message => object.is_too_large = true,
                None => object.members.push((name, raw)),
            }
        }
        Ok(object)
    }
}

/// A key; the borrow has to be asked for.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// serde's words without what it quotes of the record, which would be neither bounded nor escaped.
fn short(error: &serde_json::Error) -> String {
    let kind = match error.classify() {
        serde_json::error::Category::Eof => "the text ends too early",
        serde_json::error::Category::Data => "it has another type, or stands there twice",
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => "the syntax is wrong",
    };
    format!("{kind} at column {}", error.column())
}

/// Keys by which the records of other sources are known, and what to call them.
const OTHER_SOURCES: &[(&str, &str)] = &[
    ("webaclId", "a WAF log"),
    ("detail-type", "an EventBridge event"),
    ("ProductArn", "a Security Hub finding"),
    ("detectorId", "a GuardDuty finding"),
    ("DetectorId", "a GuardDuty finding"),
    ("query_name", "a Route 53 Resolver query log"),
    ("eventSource", "a CloudTrail record"),
    ("logEvents", "a CloudWatch Logs subscription message"),
    ("Findings", "a list of Security Hub findings"),
    ("findings", "a list of findings"),
];

/// The refusal of an object whose keys say that it is of another source.
fn other_source(text: &[u8], members: &Members<'_>) -> Option<Refusal> {
    let has = |key: &str| members.iter().any(|(name, _)| name == key);
    let by_key = || OTHER_SOURCES.iter().find(|(key, _)| has(key)).map(|(_, what)| *what);
    let what = envelope::recognise(text)
        .filter(|title| *title != Source::VpcFlow.title())
        .or_else(by_key)?;
    let message = format!("the record looks like {what}, not a flow log; send it to the transform of its source");
    Some(Refusal::new(RefusalKind::WrongSource, "", message))
}

/// The lines of a text that hold anything, without their line ends.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        match memchr::memchr2(b'\n', b'\r', text) {
            Some(end) => {
                rest = Some(&text[end + 1..]);
                Some(&text[..end])
            }
            None => {
                rest = None;
                Some(text)
            }
        }
    })
    .map(<[u8]>::trim_ascii)
    .filter(|line| !line.is_empty())
}

/// The refusal of a text that is not UTF-8, with the place.
pub(super) fn not_utf8(text: &[u8]) -> Refusal {
    let at = simdutf8::compat::from_utf8(text).map_or_else(|error| error.valid_up_to(), str::len);
    let byte = text.get(at).copied().unwrap_or_default();
    let message = format!(
        "not UTF-8 text: byte 0x{byte:02x} at offset {at}; a flow log is a line of text such as `2 123456789012 eni-...`"
    );
    Refusal::new(RefusalKind::Encoding, "", message)
}

/// What stands in a record, for a message: bounded, escaped, in backticks.
pub(super) fn quote(text: &[u8]) -> String {
    format!("`{}`", excerpt(text))
}
