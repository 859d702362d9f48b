//! AWS Security Hub findings: in the AWS Security Finding Format (ASFF), and in the Open Cybersecurity Schema Framework
//! (OCSF) that the newer Security Hub sends.
//!
//! Formats: <https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format.html> and
//! <https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-ocsf.html>. An EventBridge envelope with one
//! finding is read, that of a custom action with its name; several in one would be several documents, and are refused
//! here. The results of an insight, which are no finding, become a document of their own.

mod fields;
mod map;

pub use self::fields::FIELDS;
pub(crate) use self::map::SecurityHub;
