//! Which form an object is, by the names of its members.

use std::ops::Range;

use super::scan::members;
use crate::engine::spelled_out;

/// Keys of records that are themselves what a normaliser reads, whatever `message` they may have.
const BARE: &[&[u8]] = &[
    b"webaclId",
    b"httpRequest",
    b"schemaVersion",
    b"SchemaVersion",
    b"service",
    b"Service",
    b"ProductArn",
    b"class_uid",
    b"finding_info",
    b"eventSource",
    b"eventVersion",
    b"query_name",
    b"query_timestamp",
    b"srcaddr",
];

/// What an object is, by the names of its members.
pub(super) enum Shape {
    Control,
    Subscription(Range<usize>),
    Findings(Range<usize>),
    Records(Range<usize>),
    Message(Range<usize>),
    Bare,
}

impl Shape {
    pub(super) fn of(text: &[u8]) -> Self {
        let mut seen = Members::default();
        let end = members(text, |name, value| seen.note(&spelled_out(name), value));
        let in_detail = seen.detail.clone().and_then(|detail| seen.findings_in(text, &detail));
        let begins = |with: u8| move |value: &Range<usize>| text[value.start] == with;
        let findings = seen.findings.filter(begins(b'['));
        if end.is_none() || seen.ambiguous || (findings.is_some() && in_detail.is_some()) {
            return Shape::Bare;
        }
        let message_type = seen.message_type.as_ref().map(|value| &text[value.clone()]);
        match (message_type, seen.events.filter(begins(b'['))) {
            (Some(b"\"CONTROL_MESSAGE\""), Some(_)) => return Shape::Control,
            (Some(b"\"DATA_MESSAGE\""), Some(events)) => return Shape::Subscription(events),
            _ => {}
        }
        let (records, message) = (seen.records.filter(begins(b'[')), seen.message.filter(begins(b'"')));
        match (findings.or(in_detail), records, message) {
            (Some(findings), ..) => Shape::Findings(findings),
            (None, Some(records), _) => Shape::Records(records),
            (None, None, Some(message)) if !seen.bare => Shape::Message(message),
            _ => Shape::Bare,
        }
    }
}

/// The members of an object that tell its form, whatever they hold.
#[derive(Default)]
struct Members {
    message_type: Option<Range<usize>>,
    events: Option<Range<usize>>,
    findings: Option<Range<usize>>,
    records: Option<Range<usize>>,
    message: Option<Range<usize>>,
    detail: Option<Range<usize>>,
    bare: bool,
    /// A name that matters stands there twice: which of the two counts is not for the form to say.
    ambiguous: bool,
}

impl Members {
    fn note(&mut self, name: &[u8], value: Range<usize>) {
        let slot = match name {
            b"messageType" => &mut self.message_type,
            b"logEvents" => &mut self.events,
            b"findings" | b"Findings" => &mut self.findings,
            b"Records" => &mut self.records,
            b"message" => &mut self.message,
            b"detail" => &mut self.detail,
            _ => {
                self.bare |= BARE.contains(&name);
                return;
            }
        };
        self.ambiguous |= slot.replace(value).is_some();
    }

    /// The list of findings inside an EventBridge envelope.
    fn findings_in(&mut self, text: &[u8], detail: &Range<usize>) -> Option<Range<usize>> {
        let inside = &text[detail.clone()];
        let mut found = Vec::new();
        members(inside, |name, value| {
            if matches!(&*spelled_out(name), b"findings" | b"Findings") {
                found.push(detail.start + value.start..detail.start + value.end);
            }
        })?;
        self.ambiguous |= found.len() > 1;
        found.pop().filter(|findings| text[findings.start] == b'[')
    }
}
