//! The table: what an `ecs` document of a DNS query log may carry.

use crate::schema::{
    Field,
    Type::{Date, FlatObject, Keyword},
    field,
};

/// The rows of DNS query logs.
#[rustfmt::skip]
pub const FIELDS: &[Field] = &[
    field("@timestamp", Date, "query_timestamp", "when it happened"),
    field("dns.question.name", Keyword, "query_name", "name that was asked for"),
    field("aws.dns.rest", FlatObject, "", "what no field took"),
];
