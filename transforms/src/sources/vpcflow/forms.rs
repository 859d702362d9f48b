//! The forms in which flow logs arrive, taken apart into lines, and the words of refusals.
//!
//! | form | where from |
//! |---|---|
//! | text, one line | S3 objects, CloudWatch Logs, `PutRecord` |
//! | text, a header line and one line | shippers that repeat a file's header |
//! | `{"message":"<line>"}` | VPC flow logs delivered to Firehose |

use std::borrow::Cow;

use serde::Deserialize;

use crate::{Refusal, RefusalKind, normalize::excerpt};

/// The longest record that is read; a line with every published column takes about 2 KB.
const MAX_RECORD: usize = 64 * 1024;

/// The text of a record: without the wrapper, a byte order mark and surrounding white space.
pub(super) fn unwrap(record: &[u8]) -> Result<Cow<'_, [u8]>, Refusal> {
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
        _ => Ok(Cow::Borrowed(text)),
    }
}

/// What is looked at in a JSON record: the line, and the marks of other sources.
#[derive(Deserialize)]
#[serde(expecting = "a JSON object")]
struct Wrapper<'a> {
    #[serde(borrow, default)]
    message: Option<Cow<'a, str>>,
}

fn unwrap_json(text: &[u8]) -> Result<Cow<'_, [u8]>, Refusal> {
    // The wrapper as VPC writes it, without an escape in the line, needs no parser.
    if let Some(line) = text
        .strip_prefix(b"{\"message\":\"")
        .and_then(|t| t.strip_suffix(b"\"}"))
        && memchr::memchr2(b'"', b'\\', line).is_none()
        && !line.iter().any(|b| *b < 0x20)
    {
        return Ok(Cow::Borrowed(line.trim_ascii()));
    }
    if simdutf8::basic::from_utf8(text).is_err() {
        return Err(not_utf8(text));
    }
    match serde_json::from_slice::<Wrapper<'_>>(text) {
        Ok(Wrapper { message: Some(line) }) => Ok(match line {
            Cow::Borrowed(line) => Cow::Borrowed(line.as_bytes().trim_ascii()),
            Cow::Owned(line) => Cow::Owned(line.as_bytes().trim_ascii().to_vec()),
        }),
        Ok(Wrapper { message: None }) => Err(no_message(text)),
        Err(error) if error.is_data() => {
            // The object is JSON as far as it was read, but its message is no text.
            let message = format!("`message` is not the text of one flow-log line: {}", short(&error));
            Err(Refusal::new(RefusalKind::Form, "message", message))
        }
        Err(error) => {
            let message = format!("neither a flow-log line nor JSON: {}", short(&error));
            Err(Refusal::new(RefusalKind::Syntax, "", message))
        }
    }
}

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

/// A JSON record without a line in it: of another source, if a key says so.
fn no_message(text: &[u8]) -> Refusal {
    let keys: Vec<Cow<'_, str>> = top_level_keys(text);
    let has = |key: &str| keys.iter().any(|k| k == key);
    if let Some((_, what)) = OTHER_SOURCES.iter().find(|(key, _)| has(key)) {
        let message = format!("the record looks like {what}, not a flow log; send it to the transform of its source");
        return Refusal::new(RefusalKind::WrongSource, "", message);
    }
    let (kind, message) = if has("srcaddr") || has("interface-id") || has("interface_id") {
        let message = "the record is a flow log as a JSON object of columns; deliver it as text";
        (RefusalKind::Form, message)
    } else {
        (
            RefusalKind::WrongSource,
            "the record is JSON without the `message` that holds a flow-log line",
        )
    };
    Refusal::new(kind, "message", message)
}

fn top_level_keys(text: &[u8]) -> Vec<Cow<'_, str>> {
    struct Keys<'a>(Vec<Cow<'a, str>>);
    impl<'de> Deserialize<'de> for Keys<'de> {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor;
            impl<'de> serde::de::Visitor<'de> for Visitor {
                type Value = Keys<'de>;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("a JSON object")
                }
                fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                    let mut keys = Vec::new();
                    while let Some((key, _)) = map.next_entry::<Key<'de>, serde::de::IgnoredAny>()? {
                        keys.push(key.0);
                    }
                    Ok(Keys(keys))
                }
            }
            deserializer.deserialize_map(Visitor)
        }
    }
    #[derive(Deserialize)]
    struct Key<'a>(#[serde(borrow)] Cow<'a, str>);
    serde_json::from_slice(text).map_or_else(|_| Vec::new(), |keys: Keys<'_>| keys.0)
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
