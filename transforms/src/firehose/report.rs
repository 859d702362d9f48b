//! What became of a batch, for the log.

use serde::Serialize;
use serde_json::{Value, json};

/// How many different reasons one report tells apart; an attacker could otherwise fill the log.
const MAX_REASONS: usize = 32;

/// The longest record id in a report, in characters.
const MAX_ID: usize = 128;

/// Counts of one batch, and why records were refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Records answered `Ok`.
    pub ok: usize,
    /// Records answered `Dropped`.
    pub dropped: usize,
    /// How many of the dropped ones a drop filter describes.
    pub filtered: usize,
    /// Records answered `ProcessingFailed`.
    pub failed: usize,
    /// Entries that went back to the stream; the records that held them are among the dropped ones.
    pub put_back: usize,
    /// The reasons of the failed ones, in the order in which they first came up; what is beyond 32 of them is counted
    /// under the word `other`.
    pub reasons: Vec<Reason>,
}

/// One reason for which records were refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// A word of [`RefusalKind`](crate::RefusalKind), or `base64`, `response_full`, `panic`, `other`.
    #[serde(rename = "reason")]
    pub word: &'static str,
    /// The field concerned, or empty.
    pub field: String,
    /// How many records.
    pub count: usize,
    /// The id of the first of them.
    pub record_id: String,
    /// What was wrong with the first of them, in a sentence, and the remedy.
    pub message: String,
}

impl Report {
    /// Counts a refused record.
    pub(super) fn fail(&mut self, word: &'static str, field: String, message: String, record_id: &str) {
        self.failed += 1;
        if let Some(reason) = self.reasons.iter_mut().find(|r| r.word == word && r.field == field) {
            reason.count += 1;
            return;
        }
        if self.reasons.len() >= MAX_REASONS {
            if let Some(last) = self.reasons.last_mut().filter(|last| last.word == "other") {
                last.count += 1;
                return;
            }
            let message = "more kinds of refusal than a report tells apart".to_owned();
            self.push("other", String::new(), message, record_id);
        } else {
            self.push(word, field, message, record_id);
        }
    }

    fn push(&mut self, word: &'static str, field: String, message: String, record_id: &str) {
        self.reasons.push(Reason {
            word,
            field,
            count: 1,
            record_id: record_id.chars().take(MAX_ID).collect(),
            message,
        });
    }

    /// The log lines of this batch, each one a JSON object: one per reason, one for what drop filters took, one for what
    /// went back; none when every record became a document.
    ///
    /// `context` is written first into each, for instance the source and the request id.
    #[must_use]
    pub fn log_lines(&self, context: &[(&str, &str)]) -> Vec<String> {
        let line = |level: &str, fields: Value| {
            let mut line = serde_json::Map::new();
            line.insert("level".to_owned(), level.into());
            line.extend(context.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())));
            if let Value::Object(fields) = fields {
                line.extend(fields);
            }
            Value::Object(line).to_string()
        };
        let reasons = self.reasons.iter();
        let mut lines: Vec<String> = reasons
            .map(|reason| line("WARN", serde_json::to_value(reason).unwrap_or_default()))
            .collect();
        if self.filtered > 0 {
            lines.push(line("INFO", json!({ "filtered": self.filtered })));
        }
        if self.put_back > 0 {
            lines.push(line(
                "INFO",
                json!({ "message": "put back on the stream", "count": self.put_back }),
            ));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_reasons_stays_bounded_and_every_record_is_counted() {
        let mut report = Report::default();
        for n in 0..1_000 {
            report.fail("syntax", format!("field{n}"), "wrong".to_owned(), &"x".repeat(1_000));
        }
        assert_eq!(report.failed, 1_000);
        assert_eq!(report.reasons.len(), MAX_REASONS + 1);
        assert_eq!(report.reasons.iter().map(|r| r.count).sum::<usize>(), 1_000);
        assert!(report.reasons.iter().all(|r| r.record_id.len() <= MAX_ID));
    }

    #[test]
    fn each_reason_is_one_line_of_json() {
        let mut report = Report::default();
        report.fail("time", "end".to_owned(), "first\nline".to_owned(), "a");
        report.fail("time", "end".to_owned(), "second".to_owned(), "b");
        report.fail("base64", String::new(), "third".to_owned(), "c");
        let lines = report.log_lines(&[("source", "vpcflow")]);
        assert_eq!(
            lines[0],
            r#"{"level":"WARN","source":"vpcflow","reason":"time","field":"end","count":2,"record_id":"a","message":"first\nline"}"#
        );
        assert_eq!(lines.len(), 2);
    }
}
