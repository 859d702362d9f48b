//! The newest version of each finding, kept beside the events: what is open now, whatever time range is looked at.
//!
//! A control that went from FAILED to PASSED is two events and one finding. Panels name these indices `latest-` and the source.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use portcullis_transforms::Source;
use serde::Deserialize;

use super::Error;

/// Sources whose findings come in versions, so that the newest of each is worth an index of its own.
pub const VERSIONED: &[Source] = &[Source::GuardDuty, Source::SecurityHub];

const PREFIX: &str = "latest-";

/// What panels call the index: `latest-securityhub`.
#[must_use]
pub fn name(source: Source) -> String {
    format!("{PREFIX}{source}")
}

/// The source of such an index; `None` for every other index.
#[must_use]
pub fn source(index: &str) -> Option<Source> {
    let source = index.strip_prefix(PREFIX)?.parse().ok()?;
    VERSIONED.contains(&source).then_some(source)
}

/// The index whose fields and documents these are: `securityhub` of `latest-securityhub`, and of itself.
#[must_use]
pub fn base(index: &str) -> &str {
    match source(index) {
        Some(source) => source.name(),
        None => index,
    }
}

/// What an index has to know of a document besides its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head<'d> {
    /// `@timestamp`, which for a finding is when it was updated.
    pub at: DateTime<Utc>,
    /// `event.id`
    pub event: Cow<'d, str>,
    /// Which finding this is a version of.
    pub finding: Option<Cow<'d, str>>,
}

#[derive(Deserialize)]
struct Read<'d> {
    #[serde(rename = "@timestamp")]
    at: DateTime<Utc>,
    #[serde(borrow)]
    event: Event<'d>,
    #[serde(borrow, default)]
    aws: Aws<'d>,
}

#[derive(Deserialize)]
struct Event<'d> {
    #[serde(borrow)]
    id: Cow<'d, str>,
}

#[derive(Default, Deserialize)]
struct Aws<'d> {
    #[serde(borrow)]
    guardduty: Option<Finding<'d>>,
    #[serde(borrow)]
    securityhub: Option<Finding<'d>>,
}

#[derive(Deserialize)]
struct Finding<'d> {
    #[serde(borrow)]
    finding_id: Option<Cow<'d, str>>,
}

impl<'d> Head<'d> {
    /// Reads it from a document on its way to `index`.
    ///
    /// # Errors
    /// [`Error::Query`] when time or id are missing.
    pub fn of(index: &str, document: &'d [u8]) -> Result<Self, Error> {
        let read: Read<'d> = serde_json::from_slice(document).map_err(|error| {
            Error::Query(format!(
                "document for `{index}`: {error}; it needs @timestamp and event.id"
            ))
        })?;
        let finding = match index {
            "guardduty" => read.aws.guardduty,
            "securityhub" => read.aws.securityhub,
            _ => None,
        };
        Ok(Self {
            at: read.at,
            event: read.event.id,
            finding: finding.and_then(|finding| finding.finding_id),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_of_newest_versions_is_told_by_its_name() {
        for (index, of, its_base) in [
            ("latest-securityhub", Some(Source::SecurityHub), "securityhub"),
            ("latest-guardduty", Some(Source::GuardDuty), "guardduty"),
            ("latest-waf", None, "latest-waf"),
            ("securityhub", None, "securityhub"),
            ("*", None, "*"),
        ] {
            assert_eq!((source(index), base(index)), (of, its_base), "{index}");
        }
        assert!(VERSIONED.iter().all(|of| source(&name(*of)) == Some(*of)));
    }
}
