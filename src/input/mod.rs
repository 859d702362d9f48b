//! From files, directories, patterns, `.gz` and standard input to records, in bounded memory.
//!
//! What arrives is not trusted: a line has a limit, decompression has a limit, and a record that is refused costs the
//! file nothing else.
//!
//! ```
//! use portcullis::input::{Content, Records};
//!
//! let mut records = Records::new(&b"one\ntwo"[..], 1024);
//! while let Some(record) = records.next_record()? {
//!     assert!(matches!(record.content, Content::Bytes(b"one" | b"two")));
//! }
//! # Ok::<_, std::io::Error>(())
//! ```

mod gzip;
mod lines;
mod normalizers;
mod open;
mod paths;
mod records;
mod shape;

pub use gzip::Inflate;
pub use normalizers::Normalizers;
pub use open::open;
pub use paths::{PathError, expand};
pub use records::{Content, Record, Records};
pub use shape::detect;

pub use portcullis_transforms::normalize::RECORD_LIMIT;

/// The longest line that is read: an object of CloudTrail's in S3 is one line with thousands of records in it, none of
/// which may be longer than [`RECORD_LIMIT`].
pub const LINE_LIMIT: usize = 64 * 1024 * 1024;
