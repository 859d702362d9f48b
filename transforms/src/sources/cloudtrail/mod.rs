//! AWS CloudTrail events.
//!
//! Format: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>.

mod fields;
mod map;

pub use self::fields::FIELDS;
pub(crate) use self::map::CloudTrail;
