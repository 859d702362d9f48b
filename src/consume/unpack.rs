//! From a delivered record to the findings in it, one each: out of gzip, CloudWatch Logs subscriptions, lists and several
//! documents in one, as [`forms`] tells.

use std::borrow::Cow;

use portcullis_transforms::Source;
use portcullis_transforms::forms::{self, Form, Limits};

/// The findings that one record holds, in their order; none when it holds nothing by design, such as the control message of
/// a subscription.
///
/// A record in no known form is one finding, itself; one that is damaged as well. The responder keeps what it cannot read.
///
/// ```
/// use portcullis::consume::unpack;
///
/// let record = br#"{"findings":[{"id":"1"},{"id":"2"}]}"#;
/// assert_eq!(unpack(record)[1], &br#"{"findings":[{"id":"2"}]}"#[..]);
/// assert!(unpack(br#"{"messageType":"CONTROL_MESSAGE","logEvents":[]}"#).is_empty());
/// assert_eq!(unpack(b"no finding"), [&b"no finding"[..]]);
/// ```
#[must_use]
pub fn unpack(record: &[u8]) -> Vec<Cow<'_, [u8]>> {
    match forms::open(Some(Source::GuardDuty), record, &Limits::default()) {
        Ok(Form::Empty(_)) => Vec::new(),
        Ok(Form::Entries(entries)) if entries.is_bare() => vec![Cow::Borrowed(record)],
        Ok(Form::Entries(entries)) => entries
            .iter()
            .map(|entry| Cow::Owned(entry.bytes().into_owned()))
            .collect(),
        Err(_) => vec![Cow::Borrowed(record)],
    }
}
