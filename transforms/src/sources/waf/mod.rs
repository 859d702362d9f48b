//! AWS WAF web ACL logs (v2), one request a record.
//!
//! Format: <https://docs.aws.amazon.com/waf/latest/developerguide/logging-fields.html>.
//!
//! The client's address is the one that AWS saw. `X-Forwarded-For` is a header that the client chose: it stays among
//! the headers and feeds no address field.

mod fields;
mod map;

pub use self::fields::FIELDS;
pub(crate) use self::map::Waf;
