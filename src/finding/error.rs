//! Why a record is no finding that can be acted on.

use std::fmt;

/// What is wrong with a record, in words that name the field and the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The record is empty.
    Empty,
    /// The record is longer than [`super::MAX_BYTES`].
    TooLarge {
        /// Its length.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Objects and arrays are nested deeper than [`super::MAX_DEPTH`].
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// The record is no JSON.
    NotJson {
        /// What the parser said, with line and column.
        message: String,
    },
    /// A key stands twice in one object, perhaps in two casings, so its value is anybody's guess.
    DuplicateKey {
        /// The key.
        field: String,
    },
    /// JSON, but no finding.
    NotAFinding {
        /// What is missing.
        why: &'static str,
    },
    /// More than one finding, or none, in one record.
    NotOne {
        /// The array.
        field: &'static str,
        /// Its length.
        count: usize,
    },
    /// A Security Hub finding of another product.
    OtherProduct {
        /// The product's name or ARN.
        product: String,
    },
    /// A field without which nothing can be decided.
    Missing {
        /// The field.
        field: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// A field that cannot be read.
    Invalid {
        /// The field.
        field: &'static str,
        /// Its value, shortened.
        value: String,
        /// What to do.
        remedy: &'static str,
    },
}

impl Error {
    /// A stable word for the kind of refusal, as `portcullis normalize` uses them.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Error::Empty | Error::NotJson { .. } | Error::DuplicateKey { .. } => "syntax",
            Error::TooLarge { .. } => "size",
            Error::TooDeep { .. } => "depth",
            Error::NotAFinding { .. } | Error::OtherProduct { .. } => "wrong_source",
            Error::NotOne { .. } => "form",
            Error::Missing { .. } => "missing_field",
            Error::Invalid { .. } => "value",
        }
    }

    /// The field that is wrong; empty when it is the record as a whole.
    #[must_use]
    pub fn field(&self) -> &str {
        match self {
            Error::DuplicateKey { field } => field,
            Error::NotOne { field, .. } | Error::Missing { field, .. } | Error::Invalid { field, .. } => field,
            _ => "",
        }
    }

    /// What is wrong, without the remedy.
    #[must_use]
    pub fn problem(&self) -> String {
        match self {
            Error::Empty => "the record is empty".to_owned(),
            Error::TooLarge { bytes, limit } => format!("the record has {bytes} bytes, at most {limit} are read"),
            Error::TooDeep { limit } => format!("the record nests deeper than {limit} levels"),
            Error::NotJson { message } => format!("the record is no JSON: {message}"),
            Error::DuplicateKey { field } => format!("`{field}` stands twice in one object"),
            Error::NotAFinding { why } => format!("no GuardDuty finding: {why}"),
            Error::NotOne { field, count } => format!("`{field}` holds {count} findings, one record holds one"),
            Error::OtherProduct { product } => format!("a Security Hub finding of `{product}`"),
            Error::Missing { field, .. } => format!("`{field}` is missing"),
            Error::Invalid { field, value, .. } => format!("`{field}` is `{value}`"),
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Error::Empty | Error::NotJson { .. } => "write one JSON object per line",
            Error::TooLarge { .. } => "write one finding per line",
            Error::TooDeep { .. } => "no finding nests this deeply; look at what wrote it",
            Error::DuplicateKey { .. } => "send the record as AWS wrote it",
            Error::NotAFinding { .. } => {
                "send a finding, an EventBridge event with one under `detail`, or its Security Hub copy"
            }
            Error::NotOne { .. } => "split it into one finding per line",
            Error::OtherProduct { .. } => "only copies of GuardDuty findings can be acted on",
            Error::Missing { remedy, .. } | Error::Invalid { remedy, .. } => remedy,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.problem(), self.remedy())
    }
}

impl std::error::Error for Error {}
