//! Tells of refused records: the first ones singly, with file, line, field, reason and remedy; then only counted.

use std::{collections::BTreeMap, fmt};

use portcullis_transforms::{Refusal, RefusalKind};
use serde_json::json;

use super::output;

/// How many refusals are told singly, and of one reason: enough to see the pattern, few enough to read.
const SINGLY: u64 = 20;
const SINGLY_OF_A_REASON: u64 = 5;

/// Counts what was refused, and tells of it on standard error.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    json: bool,
    told: u64,
    total: u64,
    by_reason: BTreeMap<&'static str, u64>,
}

impl Refusals {
    /// With `json`, each is told as one JSON object, and all of them are.
    pub(crate) fn new(json: bool) -> Self {
        Self {
            json,
            ..Self::default()
        }
    }

    /// A record was refused.
    pub(crate) fn record(&mut self, file: &str, line: u64, refusal: &Refusal) {
        self.entry(file, line, None, refusal);
    }

    /// An entry of a record was refused, the one with this number; without one, the record was.
    pub(crate) fn entry(&mut self, file: &str, line: u64, entry: Option<usize>, refusal: &Refusal) {
        self.tell(
            file,
            line,
            entry,
            refusal.kind.word(),
            &refusal.field,
            &refusal.message,
            refusal.remedy(),
        );
    }

    /// A record is no finding that can be acted on.
    #[cfg(feature = "embedded")]
    pub(crate) fn finding(&mut self, file: &str, line: u64, error: &crate::finding::Error) {
        // The problem names the field already.
        self.tell(file, line, None, error.word(), "", &error.problem(), error.remedy());
    }

    /// A record was longer than the limit.
    pub(crate) fn too_long(&mut self, file: &str, line: u64, bytes: u64, limit: usize) {
        let message = format!(
            "the record has {} bytes and the limit is {}",
            output::count(bytes),
            output::count(limit as u64)
        );
        self.record(file, line, &Refusal::new(RefusalKind::Size, "", message));
    }

    /// The rest of a file cannot be read; `line` is the last one that was.
    pub(crate) fn unreadable(&mut self, file: &str, line: u64, error: &std::io::Error) {
        let message = format!("cannot be read on: {error}");
        self.tell(
            file,
            line,
            None,
            "unreadable",
            "",
            &message,
            "what came before this line was taken; mend the file and read it again",
        );
    }

    #[expect(clippy::too_many_arguments, reason = "each is a word of the line that is told")]
    fn tell(
        &mut self,
        file: &str,
        line: u64,
        entry: Option<usize>,
        reason: &'static str,
        field: &str,
        message: &str,
        remedy: &str,
    ) {
        self.total += 1;
        let of_reason = self.by_reason.entry(reason).or_default();
        *of_reason += 1;
        if self.json {
            let mut told = json!({
                "refused": {"file": file, "line": line, "reason": reason, "field": field, "message": message, "remedy": remedy}
            });
            if let Some(entry) = entry {
                told["refused"]["entry"] = entry.into();
            }
            output::tell(told);
        } else if self.told < SINGLY && *of_reason <= SINGLY_OF_A_REASON {
            self.told += 1;
            let field = if field.is_empty() {
                String::new()
            } else {
                format!(" (field {field})")
            };
            let entry = entry.map_or_else(String::new, |entry| format!(" entry {entry}:"));
            let told = format!("{file}:{line}:{entry} refused: {message}{field}; {remedy}");
            output::tell(output::clipped(&told, 600));
        }
    }

    /// How many were refused and only counted.
    pub(crate) fn untold(&self) -> u64 {
        if self.json { 0 } else { self.total - self.told }
    }

    /// How many were refused.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Reasons with their numbers.
    pub(crate) fn by_reason(&self) -> &BTreeMap<&'static str, u64> {
        &self.by_reason
    }
}

impl fmt::Display for Refusals {
    /// `12 (encoding 10, time 2)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&output::count(self.total))?;
        for (place, (reason, number)) in self.by_reason.iter().enumerate() {
            let before = if place == 0 { " (" } else { ", " };
            write!(f, "{before}{reason} {}", output::count(*number))?;
        }
        if !self.by_reason.is_empty() {
            f.write_str(")")?;
        }
        Ok(())
    }
}
