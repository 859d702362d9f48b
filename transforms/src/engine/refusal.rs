//! What is said of a record that cannot be read.

use super::{
    DEPTH_LIMIT,
    scan::{Fault, What},
};
use crate::{
    envelope,
    normalize::{Refusal, RefusalKind, excerpt},
};

/// Text that breaks off at this byte.
pub(super) fn not_utf8(record: &[u8], at: usize) -> Refusal {
    Refusal::new(
        RefusalKind::Encoding,
        "",
        format!(
            "not UTF-8 at byte {at}: {}",
            excerpt(record.get(at..).unwrap_or_default())
        ),
    )
}

/// Quotes at most `quoted` bytes of the record.
pub(super) fn refusal(fault: Fault, record: &[u8], quoted: usize) -> Refusal {
    let rest = record.get(fault.at..).unwrap_or_default();
    let here = excerpt(rest.get(..quoted).unwrap_or(rest));
    match fault.what {
        What::TooDeep => Refusal::new(
            RefusalKind::Depth,
            "",
            format!("nested more than {DEPTH_LIMIT} deep at byte {}", fault.at),
        ),
        What::Expected(_) if envelope::is_flow_log(record) => Refusal::new(
            RefusalKind::WrongSource,
            "",
            "this is no JSON: it looks like a line of a VPC flow log",
        ),
        What::Expected(what) if here.is_empty() => Refusal::new(
            RefusalKind::Syntax,
            "",
            format!("the record ends at byte {}, where {what} was expected", fault.at),
        ),
        What::Expected(what) => Refusal::new(
            RefusalKind::Syntax,
            "",
            format!("not JSON at byte {}: expected {what}, found {here}", fault.at),
        ),
    }
}
