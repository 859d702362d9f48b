//! A day of an organisation as documents: the generator's story, normalised by the product, with what the responder made of it.

use std::{
    collections::HashMap,
    fs::File,
    io::{BufRead, BufReader, BufWriter, Write},
    path::Path,
    sync::Arc,
};

use anyhow::{Context, Result, anyhow};
use chrono::{DateTime, TimeDelta, Utc};
use portcullis::{
    demo::Demo,
    generate::{DEFAULT_UNTIL, Story, Volume},
    index::{Index, embedded::Embedded},
    respond,
};
use portcullis_transforms::{Normalizer, Options, Outcome, Source};
use serde_json::json;
use tokio::runtime::Runtime;

/// The same documents each time.
const SEED: u64 = 1;
/// Documents of one answer of the index.
const PAGE: usize = 1_000;

/// When the day ends.
pub(crate) const END: DateTime<Utc> = DEFAULT_UNTIL;

/// When the day begins.
pub(crate) fn start() -> DateTime<Utc> {
    END - TimeDelta::hours(24)
}

/// The day while it is told.
pub(crate) struct Day {
    demo: Demo,
    story: Story,
    normalizers: HashMap<Source, Normalizer>,
    runtime: Runtime,
    line: Vec<u8>,
    responses: Option<std::vec::IntoIter<Vec<u8>>>,
}

impl Day {
    /// A day of about so many documents; its responder lives in the folder.
    pub(crate) fn begin(folder: &Path, documents: u64) -> Result<Self> {
        let story = Story::with_volume(SEED, END, TimeDelta::hours(24), volume(documents));
        let demo = Demo::new(folder, story.environment())?;
        demo.flush_commits(false)?;
        let normalizer = |&source| {
            let made = Normalizer::new(source, Options::default());
            made.map(|normalizer| (source, normalizer))
                .map_err(|refusal| anyhow!(refusal.message))
        };
        Ok(Self {
            demo,
            story,
            normalizers: Source::ALL.iter().map(normalizer).collect::<Result<_>>()?,
            runtime: Runtime::new()?,
            line: Vec::new(),
            responses: None,
        })
    }

    /// The next document and its index; what the responder did comes last.
    pub(crate) fn next(&mut self) -> Result<Option<(&'static str, &[u8])>> {
        while self.responses.is_none() {
            let Some(event) = self.story.next() else {
                self.runtime.block_on(self.demo.settle(END))?;
                self.responses = Some(all(self.demo.index(), "response")?.into_iter());
                break;
            };
            if event.source == Source::GuardDuty {
                self.runtime.block_on(self.demo.take(&event, &mut self.story))?;
            }
            let normalizer = self
                .normalizers
                .get_mut(&event.source)
                .context("a source without a normaliser")?;
            self.line.clear();
            if let Ok(Outcome::Document) = normalizer.record(&event.line, &mut self.line) {
                return Ok(Some((event.source.name(), self.line.trim_ascii())));
            }
        }
        let Some(line) = self.responses.as_mut().and_then(Iterator::next) else {
            return Ok(None);
        };
        self.line = line;
        Ok(Some(("response", &self.line)))
    }

    /// The responder of the day, for the pages.
    pub(crate) fn responder(&self) -> Arc<respond::Embedded> {
        Arc::clone(self.demo.responder())
    }

    /// Tells the whole day into a file: index, tab, document.
    pub(crate) fn save(&mut self, path: &Path) -> Result<u64> {
        let mut file = BufWriter::new(File::create(path).with_context(|| format!("cannot make {}", path.display()))?);
        let mut count = 0;
        while let Some((index, document)) = self.next()? {
            file.write_all(index.as_bytes())?;
            file.write_all(b"\t")?;
            file.write_all(document)?;
            file.write_all(b"\n")?;
            count += 1;
        }
        file.flush()?;
        Ok(count)
    }
}

/// Log records for about so many documents.
fn volume(documents: u64) -> Volume {
    // What does not follow from the volume is about two thousand documents.
    let logs = documents.saturating_sub(2_000).max(1_000);
    Volume::of(logs)
}

/// Every document of an index, five minutes at a time, because an answer does not reach deep.
fn all(index: &Embedded, name: &str) -> Result<Vec<Vec<u8>>> {
    let mut documents = Vec::new();
    let mut from = start() - TimeDelta::hours(24);
    while from < END + TimeDelta::hours(24) {
        let to = from + TimeDelta::minutes(5);
        let range = json!({ "range": { "@timestamp": { "gte": from.timestamp_millis().to_string(), "lt": to.timestamp_millis().to_string() } } });
        for page in 0.. {
            let answer = index.search(name, &json!({ "query": range, "from": page * PAGE, "size": PAGE }))?;
            let hits = answer["hits"]["hits"].as_array().map(Vec::as_slice).unwrap_or_default();
            documents.extend(hits.iter().map(|hit| hit["_source"].to_string().into_bytes()));
            if hits.len() < PAGE {
                break;
            }
        }
        from = to;
    }
    Ok(documents)
}

/// Some documents of a few indices.
#[derive(Default)]
pub(crate) struct Batch {
    by_index: HashMap<&'static str, Vec<u8>>,
    /// How many.
    pub(crate) documents: u64,
    /// How large together.
    pub(crate) bytes: u64,
}

impl Batch {
    pub(crate) fn add(&mut self, index: &'static str, document: &[u8]) {
        let lines = self.by_index.entry(index).or_default();
        lines.extend_from_slice(document);
        lines.push(b'\n');
        self.documents += 1;
        self.bytes += document.len() as u64;
    }

    /// Each index with its documents.
    pub(crate) fn indices(&self) -> impl Iterator<Item = (&'static str, impl Iterator<Item = &[u8]>)> {
        self.by_index.iter().map(|(name, lines)| {
            (
                *name,
                lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()),
            )
        })
    }

    pub(crate) fn clear(&mut self) {
        self.by_index.values_mut().for_each(Vec::clear);
        self.documents = 0;
        self.bytes = 0;
    }
}

/// Reads a saved day, and hands over so many documents at a time.
pub(crate) fn replay(path: &Path, at_once: u64, mut take: impl FnMut(&Batch) -> Result<()>) -> Result<()> {
    let mut file = BufReader::with_capacity(1 << 20, File::open(path)?);
    let (mut batch, mut line) = (Batch::default(), Vec::new());
    loop {
        line.clear();
        let ended = file.read_until(b'\n', &mut line)? == 0;
        if ended || batch.documents >= at_once {
            take(&batch)?;
            batch.clear();
        }
        if ended {
            return Ok(());
        }
        let tab = line
            .iter()
            .position(|byte| *byte == b'\t')
            .context("a line without a tab")?;
        let (name, document) = (
            line.get(..tab).unwrap_or_default(),
            line.get(tab + 1..).unwrap_or_default(),
        );
        batch.add(known(name)?, document.trim_ascii());
    }
}

fn known(name: &[u8]) -> Result<&'static str> {
    let names = Source::ALL.iter().map(|source| source.name()).chain(["response"]);
    names
        .into_iter()
        .find(|known| known.as_bytes() == name)
        .context("a line of an unknown index")
}

/// How the embedded index is opened, as `serve` opens it.
pub(crate) fn open(folder: &Path) -> Result<Embedded> {
    let options = portcullis::index::embedded::Options {
        fields: respond::document::fields().collect(),
        ..Default::default()
    };
    Ok(Embedded::open(folder, options)?)
}
