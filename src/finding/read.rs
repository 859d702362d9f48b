//! From a record to a finding.

use super::{Error, Finding};

pub(super) fn finding(_record: &[u8]) -> Result<Finding, Error> {
    Err(Error::Empty)
}
