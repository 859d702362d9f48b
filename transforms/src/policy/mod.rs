//! What a deployment decides about its documents: what is taken out of them, which are not kept, what is added.
//!
//! ```text
//! record ──redact──► mapped by its source ──► document ──filter, enrich──► kept, or dropped and counted
//! ```
//!
//! Redaction works on the record, so that no copy of a secret can be forgotten. Filters and enrichment work on the
//! written document, so that they mean the same for every source; where none is configured, nothing of it runs.

#[cfg(feature = "enrich")]
pub mod enrich;
pub mod filter;
pub mod limits;
mod names;
mod network;
pub mod redact;
mod stage;
mod view;

pub(crate) use network::is_private;
pub(crate) use stage::Stage;
