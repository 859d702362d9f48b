//! AWS Security Hub findings in the AWS Security Finding Format (ASFF).
//!
//! Format: <https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format.html>. An EventBridge
//! envelope with one finding is read; several in one would be several documents, and are refused here.

mod fields;
mod map;

pub use self::fields::FIELDS;
pub(crate) use self::map::SecurityHub;
