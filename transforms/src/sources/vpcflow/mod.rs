//! Amazon VPC flow logs, and transit gateway flow logs: lines of text whose columns are told by a header line, by the
//! configured format, or by AWS's documented order.
//!
//! [`FIELDS`] is the table, [`Mapper`] the one pass from a line to a document.
//!
//! ```
//! use portcullis_transforms::{Options, sources::vpcflow::Mapper};
//!
//! let mut mapper = Mapper::new(&Options::default()).expect("no format that could be wrong");
//! let line = b"2 123456789012 eni-0a1 198.51.100.7 10.0.0.5 51234 22 6 9 720 1795258200 1795258260 REJECT OK";
//! let mut document = Vec::new();
//! mapper.record(line, &mut document).expect("a line of the default format");
//! assert!(document.starts_with(b"{\"@timestamp\":\"2026-11-21T10:51:00.000Z\""));
//! ```

mod community;
mod ecs;
mod fields;
mod forms;
mod layout;
mod map;
mod members;
mod native;
mod odd;
mod push;
mod row;

pub use fields::FIELDS;
pub use map::Mapper;

/// Whether a line is a header, which names the columns of the lines after it.
pub(crate) fn is_header(line: &[u8]) -> bool {
    line.first().is_some_and(u8::is_ascii_lowercase) && layout::Layout::header(line).is_some()
}
