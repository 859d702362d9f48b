//! Amazon Route 53 Resolver query logs.
//!
//! Format: <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-query-logs-format.html>.

mod fields;
mod map;

pub use self::fields::FIELDS;
pub(crate) use self::map::Dns;
