//! The mapper: which layout a line has, and what becomes of it.

use super::{
    ecs,
    forms::{Content, lines, not_utf8, quote, unwrap},
    layout::Layout,
    members::{self, Members, Objects},
    native, odd,
    row::{Problem, Row, Spans},
};
use crate::{Options, Outcome, Refusal, RefusalKind, Schema, document::KEYWORD_LIMIT};

/// Turns flow-log lines into documents. Reuse it: it remembers a header line until the next one or [`Mapper::begin`],
/// and its buffers are kept.
#[derive(Debug)]
pub struct Mapper {
    schema: Schema,
    settings: ecs::Settings,
    /// From the configuration.
    configured: Option<Layout>,
    /// From the last header line; it tells of the lines that follow it, so it goes before the configuration.
    header: Option<Box<Layout>>,
    /// What AWS documents; the default format is the first.
    documented: Vec<Layout>,
    /// For records that are objects.
    objects: Objects,
    spans: Spans,
}

impl Mapper {
    /// A mapper for one schema and, if `options.flow_format` says so, one format.
    ///
    /// # Errors
    /// When `options.flow_format` is empty, names a column twice, or misspells one.
    pub fn new(options: &Options) -> Result<Self, Refusal> {
        let (words, _) = options.id_key.as_chunks::<8>();
        let mut key = highway::Key::default();
        for (part, bytes) in key.0.iter_mut().zip(words) {
            *part = u64::from_le_bytes(*bytes);
        }
        Ok(Self {
            schema: options.schema,
            settings: ecs::Settings {
                key,
                keep_original: options.keep_original,
                community_id: options.community_id,
            },
            configured: options.flow_format.as_deref().map(Layout::configured).transpose()?,
            header: None,
            documented: Layout::documented(),
            objects: Objects::default(),
            spans: Spans::default(),
        })
    }

    /// Forgets a header line: what follows is another file, or another batch.
    pub fn begin(&mut self) {
        self.header = None;
    }

    /// The header line that is remembered.
    pub(crate) fn header_line(&self) -> Option<String> {
        self.header.as_ref().map(|layout| layout.names.join(" "))
    }

    /// Appends the document of one line to `out`, or says why not; on refusal `out` is unchanged.
    ///
    /// A header line is [`Outcome::Dropped`] and names the columns of the lines after it.
    ///
    /// # Errors
    /// A [`Refusal`] names the column and the remedy; the mapper stays usable.
    pub fn record(&mut self, record: &[u8], out: &mut Vec<u8>) -> Result<Outcome, Refusal> {
        let text = match unwrap(record)? {
            Content::Text(text) => text,
            Content::Members(members) => {
                return self
                    .members(&members, record.trim_ascii(), out)
                    .map(|()| Outcome::Document);
            }
        };
        // A header speaks of what stands behind it; a record that is refused for its lines says nothing of later ones.
        let (mut before, mut data, mut after) = (None, None, None);
        for line in lines(&text) {
            if line[0].is_ascii_lowercase()
                && let Some(layout) = Layout::header(line)
            {
                let place = if data.is_none() { &mut before } else { &mut after };
                *place = Some(Box::new(layout?));
            } else if data.replace(line).is_some() {
                let message = format!(
                    "the record holds {} lines; Firehose takes one document per record, so deliver one line per record",
                    lines(&text).count()
                );
                return Err(Refusal::new(RefusalKind::Form, "", message));
            }
        }
        if before.is_some() {
            self.header = before;
        }
        let outcome = match data {
            Some(line) => self.line(line, out).map(|()| Outcome::Document),
            None => Ok(Outcome::Dropped),
        };
        if after.is_some() {
            self.header = after;
        }
        outcome
    }

    fn line(&mut self, line: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        self.spans.split(line)?;
        if !self.spans.is_plain() && simdutf8::basic::from_utf8(line).is_err() {
            return Err(not_utf8(line));
        }
        let Some(layout) = self.header.as_deref().or(self.configured.as_ref()) else {
            return self.guess(line, out);
        };
        let count = self.spans.count();
        if count < layout.names.len() {
            let message = format!(
                "the line has {count} values for the {} columns of its format; the first column without one is {}",
                layout.names.len(),
                layout.names[count]
            );
            return Err(Refusal::new(RefusalKind::Syntax, &layout.names[count], message));
        }
        self.lay_out(&self.as_line(line), layout, out)
    }

    fn as_line<'a>(&self, text: &'a [u8]) -> Line<'a> {
        Line {
            text,
            original: text,
            is_plain: self.spans.is_plain(),
            members: None,
            cut: 0,
        }
    }

    /// A line of which only the number of values tells the format: the documented one that all of them fit.
    fn guess(&self, line: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        let count = self.spans.count();
        let mut first = None;
        for layout in self.documented.iter().filter(|layout| layout.names.len() == count) {
            match self.lay_out(&self.as_line(line), layout, out) {
                Ok(()) => return Ok(()),
                Err(refusal) => first = first.or(Some(refusal)),
            }
        }
        Err(first.unwrap_or_else(|| no_such_format(line, count)))
    }

    /// A flow log as an object of its columns.
    fn members(&mut self, members: &Members<'_>, record: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        self.objects.read(members, &mut self.spans)?;
        let line = Line {
            text: &self.objects.line,
            original: record,
            is_plain: false,
            members: Some(members),
            cut: self.objects.cut,
        };
        self.lay_out(&line, &self.objects.layout, out)
    }

    #[inline]
    fn lay_out(&self, line: &Line<'_>, layout: &Layout, out: &mut Vec<u8>) -> Result<(), Refusal> {
        // A drop-in keeps what came, however long it is.
        let limit = match self.schema {
            Schema::Ecs => KEYWORD_LIMIT,
            Schema::Native => usize::MAX,
        };
        match Row::new(line.text, &self.spans, layout, limit) {
            Ok(row) => self.write(&row, line, 0, out),
            Err(Problem::Refused(refusal)) => Err(refusal),
            Err(Problem::Misfit(_) | Problem::Long) => self.fit(line, layout, limit, out),
        }
    }

    #[cold]
    fn fit(&self, line: &Line<'_>, layout: &Layout, limit: usize, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let fitted = odd::fit(line.text, &self.spans, layout, limit)?;
        self.write(&fitted.row()?, line, fitted.cut, out)
    }

    #[inline]
    fn write(&self, row: &Row<'_>, line: &Line<'_>, cut: u64, out: &mut Vec<u8>) -> Result<(), Refusal> {
        if row.layout.is_guess {
            row.expect_documented()?;
        }
        // The end, because it is the moment closest to the record's arrival: what a page shows of the last minutes is
        // then complete, and a flow that was cut off by a new network ACL entry ends where the entry begins.
        let Some(at) = row.end.or(row.start) else {
            return Err(no_time(row));
        };
        out.reserve(line.original.len() * 2 + row.layout.document_overhead(self.schema));
        match (self.schema, line.members) {
            (Schema::Ecs, _) => {
                let origin = ecs::Origin {
                    text: line.original,
                    is_plain: line.is_plain,
                    cut: line.cut + cut,
                };
                ecs::write(row, at, &self.settings, &origin, out);
            }
            (Schema::Native, None) => native::write(row, out),
            (Schema::Native, Some(members)) => members::write_native(members, row, out),
        }
        Ok(())
    }
}

/// One flow log on its way into a document.
struct Line<'a> {
    /// The values, where the mapper's spans say.
    text: &'a [u8],
    /// The line as it came, or the whole object.
    original: &'a [u8],
    /// Whether the original needs no escape in JSON.
    is_plain: bool,
    /// The members that the values came from, if they did.
    members: Option<&'a Members<'a>>,
    /// How many names were cut.
    cut: u64,
}

fn no_such_format(line: &[u8], count: usize) -> Refusal {
    let message = format!(
        "the line {} has {count} values; the default format has 14, and no documented format has {count}: give the \
         flow log's format (--flow-format, PORTCULLIS_FLOW_FORMAT) or keep its header line",
        quote(line)
    );
    Refusal::new(RefusalKind::Syntax, "", message)
}

fn no_time(row: &Row<'_>) -> Refusal {
    let has_column = row.layout.names.iter().any(|name| name == "end" || name == "start");
    let message = if has_column {
        "the record has neither an end nor a start time"
    } else {
        "the flow log's format has no time; add ${end} or ${start} to it"
    };
    Refusal::new(RefusalKind::Time, "end", message)
}
