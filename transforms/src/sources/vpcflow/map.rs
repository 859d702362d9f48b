//! The mapper: which layout a line has, and what becomes of it.

use super::{
    ecs,
    forms::{lines, not_utf8, quote, unwrap},
    layout::Layout,
    native,
    row::{Row, Spans},
};
use crate::{Options, Outcome, Refusal, RefusalKind, Schema};

/// Turns flow-log lines into documents. Reuse it: it remembers a header line until the next one or [`Mapper::begin`],
/// and its buffers are kept.
#[derive(Debug)]
pub struct Mapper {
    schema: Schema,
    keep_original: bool,
    key: highway::Key,
    /// From the configuration.
    configured: Option<Layout>,
    /// From the last header line; it tells of the lines that follow it, so it goes before the configuration.
    header: Option<Layout>,
    /// What AWS documents; the default format is the first.
    documented: Vec<Layout>,
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
            keep_original: options.keep_original,
            key,
            configured: options.flow_format.as_deref().map(Layout::configured).transpose()?,
            header: None,
            documented: Layout::documented(),
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
        let text = unwrap(record)?;
        let mut data = None;
        for line in lines(&text) {
            if line[0].is_ascii_lowercase()
                && let Some(layout) = Layout::header(line)
            {
                self.header = Some(layout?);
            } else if data.replace(line).is_some() {
                let message = format!(
                    "the record holds {} lines; Firehose takes one document per record, so deliver one line per record",
                    lines(&text).count()
                );
                return Err(Refusal::new(RefusalKind::Form, "", message));
            }
        }
        match data {
            Some(line) => self.line(line, out).map(|()| Outcome::Document),
            None => Ok(Outcome::Dropped),
        }
    }

    fn line(&mut self, line: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        self.spans.split(line)?;
        if !self.spans.is_plain() && simdutf8::basic::from_utf8(line).is_err() {
            return Err(not_utf8(line));
        }
        let count = self.spans.count();
        let layout = match self.header.as_ref().or(self.configured.as_ref()) {
            Some(layout) => layout,
            None => self
                .documented
                .iter()
                .find(|layout| layout.names.len() == count)
                .ok_or_else(|| no_such_format(line, count))?,
        };
        if count < layout.names.len() {
            let message = format!(
                "the line has {count} values for the {} columns of its format; the first column without one is {}",
                layout.names.len(),
                layout.names[count]
            );
            return Err(Refusal::new(RefusalKind::Syntax, &layout.names[count], message));
        }
        let row = Row::new(line, &self.spans, layout)?;
        if !layout.accepts_more {
            row.expect_log_status()?;
        }
        // The end, because it is the moment closest to the record's arrival: what a page shows of the last minutes is
        // then complete, and a flow that was cut off by a new network ACL entry ends where the entry begins.
        let Some(at) = row.end.or(row.start) else {
            return Err(no_time(&row));
        };
        out.reserve(line.len() * 2 + layout.document_overhead(self.schema));
        match self.schema {
            Schema::Ecs => {
                let original = self.keep_original.then_some(line);
                ecs::write(&row, at, self.key, original, out);
            }
            Schema::Native => native::write(&row, out),
        }
        Ok(())
    }
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
