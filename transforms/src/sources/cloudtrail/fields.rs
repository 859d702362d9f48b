//! The table: what an `ecs` document of a CloudTrail event may carry.

use crate::schema::{
    Field,
    Type::{Date, FlatObject, Keyword},
    field,
};

/// The rows of CloudTrail events.
#[rustfmt::skip]
pub const FIELDS: &[Field] = &[
    field("@timestamp", Date, "eventTime", "when it happened"),
    field("event.action", Keyword, "eventName", "API operation"),
    field("aws.cloudtrail.rest", FlatObject, "", "what no field took"),
];
