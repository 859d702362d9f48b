//! Events in: files, standard input and streams, through the normalisers into the index, and findings on to the responder.
//!
//! [`shard`] is the part that every stream shares, [`unpack`] finds the findings in a delivered record, `kinesis` reads a data
//! stream. `files` knows what is new in the files, `pipeline` what becomes of a record, [`documents`] makes documents of a
//! stream's findings, [`responses`] is where response documents go. What was read counts as read only once it is durable: the plan of a finding in the ledger, a document in the index, and
//! then the `positions`.

pub mod documents;
#[cfg(feature = "embedded")]
pub mod files;
#[cfg(feature = "aws")]
pub mod kinesis;
pub mod multilang;
#[cfg(feature = "embedded")]
pub mod pipeline;
#[cfg(feature = "embedded")]
pub mod positions;
pub mod responses;
pub mod shard;
pub mod told;
mod unpack;

pub use documents::Documents;
#[cfg(feature = "embedded")]
pub use files::Files;
#[cfg(feature = "embedded")]
pub use pipeline::{Pipeline, Tally};
pub use responses::Responses;
pub use unpack::unpack;
