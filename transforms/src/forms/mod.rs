//! What a delivered record holds: itself, or something wrapped, packed or listed, told by its shape alone.
//!
//! | form | where from | what it holds |
//! |---|---|---|
//! | the record itself, or an EventBridge envelope with one event | most streams | one entry |
//! | gzip, several members too | CloudWatch Logs, S3 objects | what is inside |
//! | `{"messageType":"DATA_MESSAGE","logEvents":[..]}` | CloudWatch Logs subscriptions | the `message` of each log event |
//! | `{"messageType":"CONTROL_MESSAGE",..}` | CloudWatch Logs, checking the destination | nothing |
//! | `{"findings":[..]}`, `{"Findings":[..]}`, in `detail` too | Security Hub, exports, the APIs | each finding in an envelope of its own |
//! | `{"Records":[..]}` | CloudTrail's S3 objects | each event |
//! | `[..]` | exports | each element |
//! | several JSON documents, on lines or not | shippers, Firehose's own joining | each document |
//! | several lines of text, header lines among them | flow logs, DNS query logs | each line, with its header |
//! | `{"message":".."}` | VPC flow logs, shippers | what is inside |
//!
//! Pages: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html>,
//! <https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-cwe-event-formats.html>,
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html>.
//!
//! Forms may stand in one another, to a fixed depth; sizes and counts are bounded by [`Limits`].
//!
//! ```
//! use portcullis_transforms::forms::{self, Form, Limits};
//!
//! let record = br#"{"findings":[{"Id":"1"},{"Id":"2"}],"NextToken":null}"#;
//! let Form::Entries(entries) = forms::open(None, record, &Limits::default())? else { panic!("not empty") };
//! let alone: Vec<_> = entries.iter().map(|entry| entry.alone()).collect();
//! assert_eq!(alone[1], br#"{"findings":[{"Id":"2"}],"NextToken":null}"#);
//! assert_eq!(forms::open(None, b"[]", &Limits::default())?, Form::Empty("a list without entries"));
//! # Ok::<(), portcullis_transforms::Refusal>(())
//! ```

mod entries;
mod gzip;
mod scan;
mod shape;
mod walk;

pub use self::entries::{Entries, Entry};
use crate::{Refusal, Source};

/// How much one record may hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes that may be unpacked from it; 32 MiB by default.
    pub unpacked: usize,
    /// How many times its size gzip may unpack to, above 1 MiB; 200 by default. Logs compress ten to sixty times, deflate
    /// can reach 1032.
    pub ratio: usize,
    /// The most entries; 100,000 by default.
    pub entries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            unpacked: 32 * 1024 * 1024,
            ratio: 200,
            entries: 100_000,
        }
    }
}

/// What a record holds.
#[derive(Debug)]
pub enum Form<'a> {
    /// One entry or more.
    Entries(Entries<'a>),
    /// Nothing, by design; the words say what it is.
    Empty(&'static str),
}

impl PartialEq for Form<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Form::Empty(a), Form::Empty(b)) => a == b,
            (Form::Entries(a), Form::Entries(b)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.bytes() == b.bytes())
            }
            _ => false,
        }
    }
}

/// Opens a record of `source`, or of a source that its entries will tell.
///
/// What is in no form that is known here is one entry, the record itself: the normaliser knows what is wrong with it.
///
/// # Errors
/// When gzip is damaged, or a limit is reached.
pub fn open<'a>(source: Option<Source>, record: &'a [u8], limits: &Limits) -> Result<Form<'a>, Refusal> {
    walk::open(source, record, limits)
}

/// Whether a record has to be opened before a normaliser can read it. Decided by its first bytes; what is not noticed
/// here is opened when the normaliser refuses it.
#[inline]
#[must_use]
pub fn is_packed(record: &[u8]) -> bool {
    match record {
        [0x1f, 0x8b, ..] | [b'[', ..] => true,
        [b'{', b'"', b'm', ..] => record.starts_with(b"{\"messageType\""),
        [b'{', b'"', b'R', ..] => record.starts_with(b"{\"Records\""),
        _ => false,
    }
}
