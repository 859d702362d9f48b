//! Why a record is no finding that can be acted on.

/// What is wrong with a record, in words that name the field and the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The record is empty.
    #[error("the record is empty; expected one JSON object")]
    Empty,
    /// The record is longer than [`super::MAX_BYTES`].
    #[error("the record has {bytes} bytes, at most {limit} are read; write one finding per line")]
    TooLarge {
        /// Its length.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Objects and arrays are nested deeper than [`super::MAX_DEPTH`].
    #[error("the record nests deeper than {limit} levels; no finding does")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// The record is no JSON.
    #[error("the record is no JSON: {message}; write one JSON object per line")]
    NotJson {
        /// What the parser said, with line and column.
        message: String,
    },
    /// A key stands twice in one object, perhaps in two casings, so its value is anybody's guess.
    #[error("`{field}` stands twice in one object; send the record as AWS wrote it")]
    DuplicateKey {
        /// The key.
        field: String,
    },
    /// JSON, but no finding.
    #[error(
        "no GuardDuty finding: {why}; expected a finding, an EventBridge event with one under `detail`, or its Security Hub copy"
    )]
    NotAFinding {
        /// What is missing.
        why: &'static str,
    },
    /// More than one finding, or none, in one record.
    #[error("`{field}` holds {count} findings, one record holds one; split it into one finding per line")]
    NotOne {
        /// The array.
        field: &'static str,
        /// Its length.
        count: usize,
    },
    /// A Security Hub finding of another product.
    #[error("a Security Hub finding of `{product}`; only copies of GuardDuty findings can be acted on")]
    OtherProduct {
        /// The product's name or ARN.
        product: String,
    },
    /// A field without which nothing can be decided.
    #[error("`{field}` is missing; {remedy}")]
    Missing {
        /// The field.
        field: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// A field that cannot be read.
    #[error("`{field}` is `{value}`; {remedy}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// Its value, shortened.
        value: String,
        /// What to do.
        remedy: &'static str,
    },
}
