//! Amazon Route 53 query logs, one query a record: of Resolver (with what DNS Firewall says of them) as JSON, of a public
//! hosted zone as a line of text.
//!
//! Formats: <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-query-logs-format.html>,
//! <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/query-logs.html> and, for DNS Firewall's `EventBridge`
//! events, <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/events-detail-reference.html>.
//!
//! DNS does not tell capitals from small letters, and clients and resolvers play with them; so names are in lower case,
//! and the spelling that came is kept beside them. `dns.answers.*` are lists as long as there are answers: what belongs
//! to one answer stands at one place.

mod fields;
mod line;
mod map;
mod name;

pub(crate) use self::map::Dns;
pub use self::{fields::FIELDS, line::is_line};
