//! Where documents are written and searched: the trait, and the engines behind it. Knows no panels.

#[cfg(feature = "embedded")]
pub mod embedded;
pub mod fields;
pub mod latest;
pub mod limits;

use serde_json::Value;

/// A search request or a document was refused, or the engine failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request uses something that this engine does not do; named, never answered wrongly.
    #[error("this index cannot do {what}; {remedy}")]
    Unsupported {
        /// What was asked for.
        what: String,
        /// What to do instead.
        remedy: String,
    },
    /// The request is malformed.
    #[error("{0}")]
    Query(String),
    /// The engine failed.
    #[error("index: {0}")]
    Engine(String),
}

/// Writes documents and answers searches in OpenSearch's own request and response shapes.
///
/// `index` is a source's name or `response`; `*` searches all of these. [`latest`] names what has the newest version of each finding,
/// which is written beside the events and is not part of `*`.
pub trait Index: Send + Sync {
    /// Adds documents, each one JSON object; they can be found after [`Index::refresh`].
    ///
    /// # Errors
    /// When the engine cannot write.
    fn write(&self, index: &str, documents: &mut dyn Iterator<Item = &[u8]>) -> Result<usize, Error>;

    /// Makes what was written durable and searchable.
    ///
    /// # Errors
    /// When the engine cannot commit.
    fn refresh(&self) -> Result<(), Error>;

    /// Runs one `_search` body (`query`, `aggs`, `size`, `from`, `sort`, `track_total_hits`, `_source`) and returns OpenSearch's response shape.
    ///
    /// # Errors
    /// [`Error::Unsupported`] names what the engine cannot do, [`Error::Query`] what is malformed.
    fn search(&self, index: &str, body: &Value) -> Result<Value, Error>;
}
