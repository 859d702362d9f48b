//! Which form an object is, by the names of its members.

use std::ops::Range;

use super::scan::members;

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
        let end = members(text, |name, value| seen.note(text, name, value));
        if end.is_none() || seen.ambiguous {
            return Shape::Bare;
        }
        let message_type = seen.message_type.as_ref().map(|value| &text[value.clone()]);
        match (message_type, seen.events) {
            (Some(b"\"CONTROL_MESSAGE\""), Some(_)) => return Shape::Control,
            (Some(b"\"DATA_MESSAGE\""), Some(events)) => return Shape::Subscription(events),
            _ => {}
        }
        match (seen.findings, seen.records, seen.message) {
            (Some(findings), ..) => Shape::Findings(findings),
            (None, Some(records), _) => Shape::Records(records),
            (None, None, Some(message)) if !seen.bare => Shape::Message(message),
            _ => Shape::Bare,
        }
    }
}

/// The members of an object that tell its form.
#[derive(Default)]
struct Members {
    message_type: Option<Range<usize>>,
    events: Option<Range<usize>>,
    findings: Option<Range<usize>>,
    records: Option<Range<usize>>,
    message: Option<Range<usize>>,
    bare: bool,
    /// A name that matters stands there twice.
    ambiguous: bool,
}

impl Members {
    fn note(&mut self, text: &[u8], name: &[u8], value: Range<usize>) {
        let (slot, bracket) = match name {
            b"messageType" => (&mut self.message_type, b'"'),
            b"logEvents" => (&mut self.events, b'['),
            b"findings" | b"Findings" => (&mut self.findings, b'['),
            b"Records" => (&mut self.records, b'['),
            b"message" => (&mut self.message, b'"'),
            b"detail" => return self.detail(text, &value),
            _ => {
                self.bare |= BARE.contains(&name);
                return;
            }
        };
        if text[value.start] == bracket {
            self.ambiguous |= slot.replace(value).is_some();
        }
    }

    /// Findings inside an EventBridge envelope.
    fn detail(&mut self, text: &[u8], detail: &Range<usize>) {
        let inside = &text[detail.clone()];
        let mut found = Vec::new();
        let whole = members(inside, |name, value| {
            if matches!(name, b"findings" | b"Findings") && inside[value.start] == b'[' {
                found.push(detail.start + value.start..detail.start + value.end);
            }
        });
        if whole.is_some() {
            self.ambiguous |= found.len() > 1;
            if let Some(findings) = found.pop() {
                self.ambiguous |= self.findings.replace(findings).is_some();
            }
        }
    }
}
