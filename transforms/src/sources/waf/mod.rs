//! AWS WAF web ACL logs, one request a record.
//!
//! Format: <https://docs.aws.amazon.com/waf/latest/developerguide/logging-fields.html>. Logs of AWS WAF Classic, which
//! ended in 2025, have the same members and a bare id in place of the web ACL's ARN; old exports of them are read too.
//!
//! `source.ip` is the address that AWS saw. `X-Forwarded-For` is a header that the client chose: it feeds no address
//! field unless [`Options::trusted_proxies`](crate::Options::trusted_proxies) says which proxies wrote its end. Neither
//! ever feeds a block: the responder acts on findings, not on web requests.

mod fields;
mod map;

pub use self::fields::FIELDS;
pub(crate) use self::map::Waf;
