//! Firehose record transformation for AWS security events: one record in, one closed-schema document out.
//!
//! A [`Normalizer`] turns one delivered record of a [`Source`] into one line of JSON, in one of two
//! [`Schema`]s. [`firehose`] wraps it in the record-transformation contract of Lambda.

mod address;
pub mod document;
mod engine;
pub mod envelope;
pub mod firehose;
pub mod forms;
#[cfg(feature = "lambda")]
pub mod lambda;
pub mod normalize;
pub mod policy;
pub mod proxies;
pub mod reference;
pub mod schema;
pub mod source;
pub mod sources;
pub mod time;

pub use normalize::{Normalizer, Options, Outcome, Refusal, RefusalKind, Taken};
pub use proxies::TrustedProxies;
pub use schema::{Field, Schema, Type};
pub use source::Source;
