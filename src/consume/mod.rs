//! Events in: files, standard input and streams, through the normalisers into the index, and findings on to the responder.
//!
//! [`shard`] is the part that every stream shares. `files` knows what is new in the files, `pipeline` what becomes of a
//! record. What was read counts as read only once it is durable: the plan of a finding in the ledger, a document in the
//! index, and then the `positions`.

#[cfg(feature = "embedded")]
pub mod files;
#[cfg(feature = "embedded")]
pub mod pipeline;
#[cfg(feature = "embedded")]
pub mod positions;
pub mod shard;

#[cfg(feature = "embedded")]
pub use files::Files;
#[cfg(feature = "embedded")]
pub use pipeline::{Pipeline, Tally};
