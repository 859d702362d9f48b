//! One delivered record in, one document out.

use std::fmt;
#[cfg(feature = "enrich")]
use std::sync::Arc;

#[cfg(feature = "enrich")]
use crate::policy::enrich::Enrichment;
use crate::{
    engine,
    forms::{self, Entries, Form, Limits},
    policy::{Stage, redact},
    proxies::TrustedProxies,
    schema::Schema,
    source::Source,
    sources,
};

/// How a [`Normalizer`] reads and writes.
#[derive(Clone, Debug)]
pub struct Options {
    /// Shape of the output.
    pub schema: Schema,
    /// Flow-log format string, such as `${version} ${srcaddr} ...`; without it, a header line or the default v2.
    pub flow_format: Option<String>,
    /// Keep the record's text in `event.original`.
    pub keep_original: bool,
    /// The deployment's key for `event.id` of logs that have no id of their own (32 bytes, all zero by default).
    pub id_key: [u8; 32],
    /// Proxies in front of a web ACL whose `X-Forwarded-For` is believed; none by default.
    pub trusted_proxies: Option<TrustedProxies>,
    /// Work out `network.community_id` of flow logs; its SHA-1 takes about a quarter of a record's time.
    pub community_id: bool,
    /// Headers, and query parameters with `?` before the name, whose values are not kept; [`redact::DEFAULT`] by default.
    pub redact: Vec<String>,
    /// How much one record may hold when it is packed or a list.
    pub limits: Limits,
    /// Documents that are not kept, as expressions of [`filter`](crate::policy::filter); one that begins with the name of a
    /// source and a colon is for this source alone.
    pub drop: Vec<String>,
    /// Databases and lists to enrich `ecs` documents with; open them once and share them.
    #[cfg(feature = "enrich")]
    pub enrichment: Option<Arc<Enrichment>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            schema: Schema::default(),
            flow_format: None,
            keep_original: false,
            id_key: [0; 32],
            trusted_proxies: None,
            community_id: false,
            redact: redact::default_names(),
            limits: Limits::default(),
            drop: Vec::new(),
            #[cfg(feature = "enrich")]
            enrichment: None,
        }
    }
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// One document, one line, was appended to the output.
    Document,
    /// Nothing to index, by design: a flow-log header line, an empty line or list, what a drop filter describes.
    Dropped,
}

/// What a delivered record turned out to be.
#[derive(Debug)]
pub enum Taken<'a> {
    /// One record, and what became of it.
    One(Outcome),
    /// Several entries, none of which was normalised: give each one's [`bytes`](forms::Entry::bytes) to
    /// [`Normalizer::record`].
    Several(Entries<'a>),
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
    /// An option of the normaliser itself cannot be used.
    Option,
    /// Gzip that is damaged or cut short.
    Gzip,
}

impl RefusalKind {
    /// Every kind, for documentation and metrics.
    pub const ALL: &'static [RefusalKind] = &[
        RefusalKind::Encoding,
        RefusalKind::Syntax,
        RefusalKind::Depth,
        RefusalKind::Size,
        RefusalKind::WrongSource,
        RefusalKind::MissingField,
        RefusalKind::Time,
        RefusalKind::Form,
        RefusalKind::Option,
        RefusalKind::Gzip,
    ];

    /// The stable word for logs and metrics.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            RefusalKind::Encoding => "encoding",
            RefusalKind::Syntax => "syntax",
            RefusalKind::Depth => "depth",
            RefusalKind::Size => "size",
            RefusalKind::WrongSource => "wrong_source",
            RefusalKind::MissingField => "missing_field",
            RefusalKind::Time => "time",
            RefusalKind::Form => "form",
            RefusalKind::Option => "option",
            RefusalKind::Gzip => "gzip",
        }
    }

    /// What to do about a refusal of this kind.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
            RefusalKind::Encoding => "send the record as UTF-8 text; a compressed record has to be unpacked first",
            RefusalKind::Syntax => "send the record exactly as AWS delivered it, one per line",
            RefusalKind::Depth => "no AWS record nests this deeply; look at what wrote it",
            RefusalKind::Size => "no AWS record is this long; look for missing line breaks between records",
            RefusalKind::WrongSource => "choose the source that the record is of",
            RefusalKind::MissingField => "send whole records: a projection or filter upstream has removed the field",
            RefusalKind::Time => "send the timestamp as AWS wrote it: epoch seconds or milliseconds, or RFC 3339",
            RefusalKind::Form => "split the record upstream, so that each carries one event",
            RefusalKind::Option => "correct the option; docs/normalize.md describes each",
            RefusalKind::Gzip => "send the compressed data whole, as AWS delivered it",
        }
    }
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

impl Refusal {
    /// A refusal of `kind` over `field` (a dotted path, or empty).
    pub fn new(kind: RefusalKind, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind,
            field: field.into(),
            message: message.into(),
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        self.kind.remedy()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if !self.field.is_empty() {
            write!(f, " (field {})", self.field)?;
        }
        write!(f, "; {}", self.remedy())
    }
}

impl std::error::Error for Refusal {}

/// At most 80 bytes of a record for a message, with everything but printable ASCII escaped.
#[must_use]
pub fn excerpt(bytes: &[u8]) -> String {
    let mut text = String::new();
    for &byte in bytes {
        let shown = byte.escape_ascii();
        if text.len() + shown.len() > 77 {
            text.push_str("...");
            break;
        }
        text.extend(shown.map(char::from));
    }
    text
}

/// The longest record that is read, in bytes: what one Lambda invocation can carry.
pub const RECORD_LIMIT: usize = 6 * 1024 * 1024;

/// What would become of several entries.
pub(crate) enum Outlook {
    /// Documents, of some of them at least, or an answer of its own for each.
    Documents,
    /// All would be dropped.
    Nothing,
    /// All would be refused, the first one for this reason.
    Refusals(Refusal),
}

/// Turns records of one source into documents. Reuse it: its buffers are kept between records.
#[derive(Debug)]
pub struct Normalizer {
    source: Source,
    limits: Limits,
    mapper: Mapper,
    /// What is done to a document after it is written, when there is any of it.
    stage: Option<Box<Stage>>,
    /// Filters speak of `ecs` documents: where others are written, the mapper and the buffer of what they look at.
    looked_at: Option<(Mapper, Vec<u8>)>,
    filtered: u64,
}

/// The sources write JSON, except flow logs, which are text.
#[derive(Debug)]
enum Mapper {
    Json(Box<engine::Mapper>),
    VpcFlow(Box<sources::vpcflow::Mapper>),
}

impl Mapper {
    fn new(source: Source, options: &Options) -> Result<Self, Refusal> {
        let json: &'static dyn engine::Map = match source {
            Source::VpcFlow => {
                return Ok(Mapper::VpcFlow(Box::new(sources::vpcflow::Mapper::new(options)?)));
            }
            Source::GuardDuty => &sources::guardduty::GuardDuty,
            Source::SecurityHub => &sources::securityhub::SecurityHub,
            Source::Waf => &sources::waf::Waf,
            Source::Dns => &sources::dns::Dns,
            Source::CloudTrail => &sources::cloudtrail::CloudTrail,
        };
        let mapper = engine::Mapper::new(json, options)
            .map_err(|error| Refusal::new(RefusalKind::Option, "redact", error.to_string()))?;
        Ok(Mapper::Json(Box::new(mapper)))
    }

    fn begin(&mut self) {
        if let Mapper::VpcFlow(mapper) = self {
            mapper.begin();
        }
    }

    fn record(&mut self, record: &[u8], out: &mut Vec<u8>) -> Result<Outcome, Refusal> {
        match self {
            Mapper::Json(mapper) => mapper.record(record, out),
            Mapper::VpcFlow(mapper) => mapper.record(record, out),
        }
    }
}

impl Normalizer {
    /// A normaliser for one source.
    ///
    /// # Errors
    /// When `options.flow_format` names a field that flow logs do not have, `options.redact` holds what is no name, or
    /// `options.drop` what is no expression over the source's fields.
    pub fn new(source: Source, options: Options) -> Result<Self, Refusal> {
        // Filters speak of `ecs` documents, whatever is written.
        let of_ecs = Options {
            schema: Schema::Ecs,
            ..options.clone()
        };
        let looks_at_ecs = options.schema != Schema::Ecs && !options.drop.is_empty();
        let looked_at = match looks_at_ecs {
            true => Some((Mapper::new(source, &of_ecs)?, Vec::new())),
            false => None,
        };
        let stage = Stage::new(source, if looks_at_ecs { &of_ecs } else { &options })?;
        Ok(Self {
            source,
            mapper: Mapper::new(source, &options)?,
            limits: options.limits,
            stage: stage.map(Box::new),
            looked_at,
            filtered: 0,
        })
    }

    /// Starts another input, a file or a batch: forgets the header line of a flow log.
    pub fn begin(&mut self) {
        self.mapper.begin();
        if let Some((mapper, _)) = &mut self.looked_at {
            mapper.begin();
        }
    }

    /// The header line that the records to come depend on.
    pub(crate) fn header(&self) -> Option<String> {
        match &self.mapper {
            Mapper::Json(_) => None,
            Mapper::VpcFlow(mapper) => mapper.header_line(),
        }
    }

    /// How many records were [`Outcome::Dropped`] because of a filter.
    #[must_use]
    pub fn filtered(&self) -> u64 {
        self.filtered
    }

    /// What would become of entries if each came alone. Nothing is counted as filtered unless all that are read are. The
    /// last header line among them speaks of the records to come.
    pub(crate) fn outlook(&mut self, entries: &Entries<'_>) -> Outlook {
        let filtered = self.filtered;
        let mut scratch = Vec::new();
        let (mut refusal, mut dropped) = (None, false);
        let mut entries = entries.iter();
        while let Some(entry) = entries.next() {
            match self.record(&entry.bytes(), &mut scratch) {
                Ok(Outcome::Document) => {
                    if let Some(last) = entries.last() {
                        drop(self.record(&last.bytes(), &mut scratch));
                    }
                    self.filtered = filtered;
                    return Outlook::Documents;
                }
                Ok(Outcome::Dropped) => dropped = true,
                Err(refused) => refusal = refusal.or(Some(refused)),
            }
        }
        match (refusal, dropped) {
            (None, _) => Outlook::Nothing,
            (Some(refusal), false) => Outlook::Refusals(refusal),
            (Some(_), true) => {
                self.filtered = filtered;
                Outlook::Documents
            }
        }
    }

    /// Appends one document (one line of JSON with its `\n`) to `out`, or says why not. On refusal `out` is unchanged.
    ///
    /// A record in any of the known [`forms`] is opened; several entries in it are refused here, see [`Normalizer::take`].
    ///
    /// # Errors
    /// A [`Refusal`] names the reason, the field and the remedy.
    pub fn record(&mut self, record: &[u8], out: &mut Vec<u8>) -> Result<Outcome, Refusal> {
        match self.take(record, out)? {
            Taken::One(outcome) => Ok(outcome),
            Taken::Several(entries) => Err(Refusal::new(
                RefusalKind::Form,
                "",
                format!(
                    "the record holds {} entries, and one record becomes one document",
                    entries.len()
                ),
            )),
        }
    }

    /// As [`Normalizer::record`], but where there are several entries it hands them out.
    ///
    /// ```
    /// use portcullis_transforms::{Normalizer, Options, Source, Taken};
    ///
    /// let mut normalizer = Normalizer::new(Source::VpcFlow, Options::default())?;
    /// let lines = b"2 - - - - - - - - - 1795258200 1795258260 - NODATA\n2 - - - - - - - - - 1795258200 1795258261 - NODATA";
    /// let mut documents = Vec::new();
    /// let Taken::Several(entries) = normalizer.take(lines, &mut documents)? else { panic!("two lines") };
    /// for entry in entries.iter() {
    ///     normalizer.record(&entry.bytes(), &mut documents)?;
    /// }
    /// assert_eq!(documents.iter().filter(|byte| **byte == b'\n').count(), 2);
    /// # Ok::<(), portcullis_transforms::Refusal>(())
    /// ```
    ///
    /// # Errors
    /// As [`Normalizer::record`]; an entry that is no record of this source is not an error here.
    pub fn take<'a>(&mut self, record: &'a [u8], out: &mut Vec<u8>) -> Result<Taken<'a>, Refusal> {
        if forms::is_packed(record) || record.len() > RECORD_LIMIT {
            return self.open(record, None, out);
        }
        // What is bare, as nearly all records are, pays nothing for the other forms.
        match self.map(record, out) {
            Ok(outcome) => Ok(Taken::One(outcome)),
            Err(refusal) => self.open(record, Some(refusal), out),
        }
    }

    /// Looks into a record that cannot be read as it is; `refusal` says why, if that was tried.
    #[cold]
    fn open<'a>(
        &mut self,
        record: &'a [u8],
        refusal: Option<Refusal>,
        out: &mut Vec<u8>,
    ) -> Result<Taken<'a>, Refusal> {
        let entries = match forms::open(Some(self.source), record, &self.limits)? {
            Form::Empty(_) => return Ok(Taken::One(Outcome::Dropped)),
            Form::Entries(entries) if entries.len() > 1 => return Ok(Taken::Several(entries)),
            Form::Entries(entries) => entries,
        };
        match refusal {
            Some(refusal) if entries.is_bare() => Err(refusal),
            _ => entries
                .iter()
                .try_fold(Outcome::Dropped, |_, entry| self.map(&entry.bytes(), out))
                .map(Taken::One),
        }
    }

    /// One record as the source's mapper reads it.
    fn map(&mut self, record: &[u8], out: &mut Vec<u8>) -> Result<Outcome, Refusal> {
        if record.len() > RECORD_LIMIT {
            return Err(Refusal::new(
                RefusalKind::Size,
                "",
                format!("the record has {} bytes; the limit is {RECORD_LIMIT}", record.len()),
            ));
        }
        let record = record.strip_prefix(b"\xef\xbb\xbf").unwrap_or(record);
        let start = out.len();
        let mut result = self.mapper.record(record, out);
        if let Some(stage) = &mut self.stage
            && let Ok(Outcome::Document) = result
        {
            let keeps = match &mut self.looked_at {
                None => stage.keeps(out, start),
                Some((mapper, document)) => {
                    document.clear();
                    !matches!(mapper.record(record, document), Ok(Outcome::Document)) || stage.keeps(document, 0)
                }
            };
            if !keeps {
                self.filtered += 1;
                result = Ok(Outcome::Dropped);
            }
        } else if let Some((mapper, document)) = &mut self.looked_at
            && result == Ok(Outcome::Dropped)
        {
            // A header line is for both.
            document.clear();
            drop(mapper.record(record, document));
        }
        if !matches!(result, Ok(Outcome::Document)) {
            out.truncate(start);
        }
        result
    }
}
