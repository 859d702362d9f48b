//! AWS CloudTrail events: management, data, network activity and Insights events, console sign-ins, service events.
//!
//! Formats: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>,
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html>,
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-insights-fields-trails.html>.
//!
//! Every service writes bodies of its own, and the same member is text in one and an object in another. So a body is kept
//! twice, and never as fields of its own: as JSON text, and in one flat object for searches by name.
//!
//! A call has no caller's address when AWS itself calls: `AWS Internal` and names of services are in `source.address`.

mod categories;
mod fields;
mod map;

pub use self::fields::FIELDS;
pub(crate) use self::map::CloudTrail;
