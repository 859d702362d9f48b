//! Events in: files and standard input, through the normalisers into the index, and findings on to the responder.
//!
//! [`files`] knows what is new in the files, [`pipeline`] what becomes of a record. What was read counts as read only once
//! it is durable: the plan of a finding in the ledger, a document in the index, and then the [`positions`].

pub mod files;
pub mod pipeline;
pub mod positions;

pub use files::Files;
pub use pipeline::{Pipeline, Tally};
