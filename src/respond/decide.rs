//! From a finding to decisions: a pure function.

use chrono::{DateTime, Utc};

use super::decision::Decision;
use super::guard::Knowledge;
use super::policy::Policy;
use crate::finding::Finding;

/// Decides on every address of a finding, or on the finding as a whole when it names none.
#[must_use]
pub fn decide(_finding: &Finding, _policy: &Policy, _knowledge: &Knowledge, _now: DateTime<Utc>) -> Vec<Decision> {
    Vec::new()
}
