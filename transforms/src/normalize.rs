//! One delivered record in, one document out.

use crate::{schema::Schema, source::Source};

/// How a [`Normalizer`] reads and writes.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Shape of the output.
    pub schema: Schema,
    /// Flow-log format string, such as `${version} ${srcaddr} ...`; without it, a header line or the default v2.
    pub flow_format: Option<String>,
    /// Keep the record's text in `event.original`.
    pub keep_original: bool,
    /// The deployment's key for `event.id` of logs that have no id of their own (32 bytes, all zero by default).
    pub id_key: [u8; 32],
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// One document, one line, was appended to the output.
    Document,
    /// Nothing to index, by design: a flow-log header line, an empty line.
    Dropped,
}

/// A closed list of why a record was refused; `word()` is stable and goes into logs and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RefusalKind {
    /// Not UTF-8.
    Encoding,
    /// Not JSON, or not flow-log text.
    Syntax,
    /// Deeper than the limit.
    Depth,
    /// Longer than the limit.
    Size,
    /// The record is of another source.
    WrongSource,
    /// A field that must be there is not.
    MissingField,
    /// A timestamp is missing, out of range or unreadable.
    Time,
    /// A form that is understood but not accepted here, such as several findings in one envelope.
    Form,
}

/// Why a record was refused: the reason, the field it concerns, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Which reason.
    pub kind: RefusalKind,
    /// Dotted path of the field in the record, or empty.
    pub field: String,
    /// One sentence for a person; never contains more than 80 bytes of the record, escaped.
    pub message: String,
}

/// Turns records of one source into documents. Reuse it: its buffers are kept between records.
#[derive(Debug)]
pub struct Normalizer {
    source: Source,
    options: Options,
}

impl Normalizer {
    /// A normaliser for one source.
    ///
    /// # Errors
    /// When `options.flow_format` names a field that flow logs do not have.
    pub fn new(source: Source, options: Options) -> Result<Self, Refusal> {
        Ok(Self { source, options })
    }

    /// Appends one document (one line of JSON with its `\n`) to `out`, or says why not. On refusal `out` is unchanged.
    ///
    /// # Errors
    /// A [`Refusal`] names the reason, the field and the remedy.
    pub fn record(&mut self, record: &[u8], out: &mut Vec<u8>) -> Result<Outcome, Refusal> {
        let _ = (self.source, &self.options, record, out);
        Ok(Outcome::Dropped)
    }
}
