//! Amazon GuardDuty findings, in the spelling of EventBridge (`severity`) and of the API (`Severity`).
//!
//! Format: <https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-format.html> and
//! <https://docs.aws.amazon.com/guardduty/latest/APIReference/API_Finding.html>.
//!
//! The events of Malware Protection for S3, which are no findings, are read too:
//! <https://docs.aws.amazon.com/guardduty/latest/ug/monitor-with-eventbridge-s3-malware-protection.html>. Their time, account
//! and Region stand in the envelope.
//!
//! The remote side is the source and the own side the destination, except where GuardDuty says `OUTBOUND`: there it is
//! the other way round.

mod fields;
mod map;

pub use self::fields::FIELDS;
pub(crate) use self::map::GuardDuty;
