//! One normaliser per source that turns up, chosen by the operator or told by each record's shape.

use portcullis_transforms::{
    Normalizer, Options, Outcome, Refusal, RefusalKind, Source, Taken,
    forms::{self, Form},
};

use super::detect;
use crate::config::SourceChoice;

/// Turns records into documents, whatever their source. Reuse it: the normalisers keep their buffers.
#[derive(Debug)]
pub struct Normalizers {
    choice: SourceChoice,
    options: Options,
    known: Vec<(Source, Normalizer)>,
}

impl Normalizers {
    /// Normalisers for one source, or for whatever the records turn out to be.
    ///
    /// # Errors
    /// When the options hold for no record at all, such as a flow-log format with an unknown field.
    pub fn new(choice: SourceChoice, options: Options) -> Result<Self, Refusal> {
        let probe = match choice {
            SourceChoice::Named(source) => source,
            SourceChoice::Auto => Source::VpcFlow,
        };
        let normalizer = Normalizer::new(probe, options.clone())?;
        // A filter that a source's documents cannot satisfy is told now, not by each record.
        if choice == SourceChoice::Auto && !options.drop.is_empty() {
            for &source in Source::ALL {
                Normalizer::new(source, options.clone())?;
            }
        }
        Ok(Self {
            choice,
            options,
            known: vec![(probe, normalizer)],
        })
    }

    /// What the records were said to be.
    #[must_use]
    pub fn choice(&self) -> SourceChoice {
        self.choice
    }

    /// Which source a record is of: the one that was named, else what its shape tells.
    ///
    /// # Errors
    /// When its shape tells nothing.
    pub fn source_of(&self, record: &[u8]) -> Result<Source, Refusal> {
        match self.choice {
            SourceChoice::Named(source) => Ok(source),
            SourceChoice::Auto => detect(record).ok_or_else(|| {
                Refusal::new(
                    RefusalKind::WrongSource,
                    "",
                    "the record's shape tells no source; name it with --source, or `source` in the configuration",
                )
            }),
        }
    }

    /// What a record holds: itself, or the entries of a list or an archive.
    ///
    /// # Errors
    /// When it is damaged gzip, or holds more than the limits allow.
    pub fn open<'a>(&self, record: &'a [u8]) -> Result<Form<'a>, Refusal> {
        let source = match self.choice {
            SourceChoice::Named(source) => Some(source),
            SourceChoice::Auto => None,
        };
        forms::open(source, record, &self.options.limits)
    }

    /// Appends the document of a record, or hands out its entries where it holds several; a bare record is not opened at
    /// all. The entries may be of several sources: give each to [`Normalizers::record`].
    ///
    /// # Errors
    /// As [`Normalizers::open`] and [`Normalizer::record`].
    pub fn take<'a>(&mut self, record: &'a [u8], out: &mut Vec<u8>) -> Result<Taken<'a>, Refusal> {
        let source = match self.source_of(record) {
            Ok(source) if self.choice != SourceChoice::Auto || !forms::is_packed(record) => Ok(source),
            Ok(_) => Err(None),
            Err(refusal) => Err(Some(refusal)),
        };
        match source {
            Ok(source) => self.of(source)?.take(record, out),
            Err(refusal) => match (self.open(record)?, refusal) {
                (Form::Empty(_), _) => Ok(Taken::One(Outcome::Dropped)),
                (Form::Entries(entries), Some(refusal)) if entries.is_bare() => Err(refusal),
                (Form::Entries(entries), _) => Ok(Taken::Several(entries)),
            },
        }
    }

    /// Appends the document of a record of `source`; see [`Normalizer::record`].
    ///
    /// # Errors
    /// As [`Normalizer::record`].
    pub fn record(&mut self, source: Source, record: &[u8], out: &mut Vec<u8>) -> Result<Outcome, Refusal> {
        self.of(source)?.record(record, out)
    }

    fn of(&mut self, source: Source) -> Result<&mut Normalizer, Refusal> {
        let place = match self.known.iter().position(|(known, _)| *known == source) {
            Some(place) => place,
            None => {
                self.known
                    .push((source, Normalizer::new(source, self.options.clone())?));
                self.known.len() - 1
            }
        };
        Ok(&mut self.known[place].1)
    }

    /// Forgets what held for one file only: the header line of its flow logs.
    pub fn next_file(&mut self) {
        for (_, normalizer) in &mut self.known {
            normalizer.begin();
        }
    }

    /// How many records were dropped because a filter describes them.
    #[must_use]
    pub fn filtered(&self) -> u64 {
        self.known.iter().map(|(_, normalizer)| normalizer.filtered()).sum()
    }
}
