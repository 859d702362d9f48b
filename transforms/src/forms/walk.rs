//! From a record inwards, to its entries.

use std::ops::Range;

use super::{
    Entries, Form, Limits,
    entries::{Item, Kind, Layer, Span},
    gzip,
    scan::{elements, members, skip_space, value_end},
    shape::Shape,
};
use crate::{Refusal, RefusalKind, Source, sources::vpcflow};

/// How many forms may stand in one another. The deepest that AWS writes has four: gzip, a subscription, its log event's
/// message, a list of findings.
const DEPTH_LIMIT: usize = 8;

pub(super) fn open<'a>(source: Option<Source>, record: &'a [u8], limits: &Limits) -> Result<Form<'a>, Refusal> {
    let mut walk = Walk {
        entries: Entries {
            record,
            unpacked: Vec::new(),
            layers: Vec::new(),
            items: Vec::new(),
        },
        limits,
        splits_lines: matches!(source, None | Some(Source::VpcFlow | Source::Dns)),
        built: 0,
        empty: "an empty record",
    };
    let whole = Span {
        unpacked: false,
        start: 0,
        end: record.len(),
    };
    walk.text(whole, None, 0)?;
    Ok(if walk.entries.items.is_empty() {
        Form::Empty(walk.empty)
    } else {
        Form::Entries(walk.entries)
    })
}

struct Walk<'a, 'l> {
    entries: Entries<'a>,
    limits: &'l Limits,
    /// Whether the source writes lines of text.
    splits_lines: bool,
    /// Bytes that the entries take which have to be built, because the normaliser reads what is around them.
    built: usize,
    /// What is empty, should everything be.
    empty: &'static str,
}

impl Walk<'_, '_> {
    /// Any text: packed, JSON or lines.
    fn text(&mut self, span: Span, layer: Option<usize>, depth: usize) -> Result<(), Refusal> {
        if depth > DEPTH_LIMIT {
            return Err(Refusal::new(
                RefusalKind::Depth,
                "",
                format!("more than {DEPTH_LIMIT} forms (gzip, lists, messages) stand in one another"),
            ));
        }
        let span = self.trimmed(span);
        let text = self.entries.text(span);
        match text.first() {
            None => Ok(()),
            Some(0x1f) if gzip::is_gzip(text) => {
                let room = self.limits.unpacked - self.entries.unpacked.len();
                let content = gzip::unpack(text, room, self.limits)?;
                let inner = self.unpacked(content);
                let layer = self.layer(layer, Kind::Gzip)?;
                self.text(inner, Some(layer), depth + 1)
            }
            Some(b'{' | b'[') => self.documents(span, layer, depth),
            // A JSON text, in a list or not, is no line of a log: a line end in it is a fault, and no place to split at.
            Some(b'"') => self.item(span, layer),
            Some(_) if self.splits_lines => self.lines(span, layer, depth),
            Some(_) => self.item(span, layer),
        }
    }

    /// One JSON document, or several with nothing but white space between them.
    fn documents(&mut self, span: Span, layer: Option<usize>, depth: usize) -> Result<(), Refusal> {
        let text = self.entries.text(span);
        let first = value_end(text, 0);
        if first == Some(text.len()) {
            return self.document(span, layer, depth);
        }
        let most = self.limits.entries;
        let Some(documents) = documents(text, most).or_else(|| lines_of_json(text, most)) else {
            return self.item(span, layer);
        };
        documents
            .into_iter()
            .try_for_each(|document| self.text(span.part(document), layer, depth + 1))
    }

    /// One whole document.
    fn document(&mut self, span: Span, layer: Option<usize>, depth: usize) -> Result<(), Refusal> {
        let text = self.entries.text(span);
        if text.first() == Some(&b'[') {
            let Some(elements) = self.elements(span)? else {
                return self.item(span, layer);
            };
            self.empty = "a list without entries";
            return elements
                .into_iter()
                .try_for_each(|element| self.text(span.part(element), layer, depth + 1));
        }
        match Shape::of(text) {
            Shape::Control => {
                self.empty = "a control message of CloudWatch Logs";
                Ok(())
            }
            Shape::Subscription(events) => self.subscription(span, events, layer, depth),
            Shape::Findings(list) => self.findings(span, list, layer),
            Shape::Records(records) => {
                self.empty = "a list without entries";
                let list = span.part(records.clone());
                let Some(elements) = self.elements(list)? else {
                    return self.item(span, layer);
                };
                let inside = self.list(span, &records, layer, false)?;
                elements
                    .into_iter()
                    .try_for_each(|element| self.text(list.part(element), Some(inside), depth + 1))
            }
            Shape::Message(message) => self.message(span, message, layer, depth),
            Shape::Bare => self.item(span, layer),
        }
    }

    fn subscription(
        &mut self,
        span: Span,
        events: Range<usize>,
        layer: Option<usize>,
        depth: usize,
    ) -> Result<(), Refusal> {
        let list_span = span.part(events.clone());
        let Some(elements) = self.elements(list_span)? else {
            return self.item(span, layer);
        };
        self.empty = "a subscription message without log events";
        let inside = self.list(span, &events, layer, false)?;
        for element in elements {
            let event = list_span.part(element);
            let mut message = None;
            let end = members(self.entries.text(event), |name, value| {
                if name == b"message" {
                    message.get_or_insert(value);
                }
            });
            match message {
                Some(message) if end.is_some() => self.message(event, message, Some(inside), depth)?,
                _ => self.item(event, Some(inside))?,
            }
        }
        Ok(())
    }

    /// The text of a member of the object at `span`.
    fn message(
        &mut self,
        span: Span,
        message: Range<usize>,
        layer: Option<usize>,
        depth: usize,
    ) -> Result<(), Refusal> {
        let quoted = self.entries.text(span.part(message.clone()));
        let inner = match quoted {
            // What is not UTF-8 could not stand in a message again.
            _ if simdutf8::basic::from_utf8(quoted).is_err() => return self.item(span, layer),
            [b'"', plain @ .., b'"'] if memchr::memchr(b'\\', plain).is_none() => {
                span.part(message.start + 1..message.end - 1)
            }
            [b'"', ..] => match serde_json::from_slice::<String>(quoted) {
                Ok(content) if content.len() <= self.limits.unpacked - self.entries.unpacked.len() => {
                    self.unpacked(content.into_bytes())
                }
                Ok(_) => return Err(self.too_much()),
                Err(_) => return self.item(span, layer),
            },
            _ => return self.item(span, layer),
        };
        let kind = Kind::Quoted {
            before: span.part(0..message.start),
            after: span.part(message.end..span.len()),
        };
        let layer = self.layer(layer, kind)?;
        self.text(inner, Some(layer), depth + 1)
    }

    /// Findings, each in an envelope like the one they came in.
    fn findings(&mut self, span: Span, findings: Range<usize>, layer: Option<usize>) -> Result<(), Refusal> {
        let list_span = span.part(findings.clone());
        let Some(elements) = self.elements(list_span)? else {
            return self.item(span, layer);
        };
        self.empty = "a list without findings";
        if elements.len() == 1 {
            return self.item(span, layer);
        }
        let inside = self.list(span, &findings, layer, true)?;
        let around = span.len() - list_span.len();
        for element in elements {
            self.built += around + element.len();
            self.item(list_span.part(element), Some(inside))?;
        }
        Ok(())
    }

    /// Lines of text, each with the last header line before it.
    fn lines(&mut self, span: Span, layer: Option<usize>, depth: usize) -> Result<(), Refusal> {
        let mut found = Vec::new();
        let mut header = None;
        let text = self.entries.text(span);
        for line in lines(text) {
            if found.len() > self.limits.entries {
                return Err(self.too_many());
            }
            if vpcflow::is_header(&text[line.clone()]) {
                header = Some(line);
            } else {
                found.push((line, header.clone()));
            }
        }
        if found.len() <= 1 {
            return self.item(span, layer);
        }
        let mut last: Option<(Range<usize>, usize)> = None;
        for (line, header) in found {
            let Some(header) = header else {
                self.text(span.part(line), layer, depth + 1)?;
                continue;
            };
            self.built += header.len() + line.len();
            let number = match &last {
                Some((known, number)) if *known == header => *number,
                _ => self.layer(layer, Kind::Header(span.part(header.clone())))?,
            };
            last = Some((header, number));
            self.item(span.part(line), Some(number))?;
        }
        Ok(())
    }

    /// The elements of a list that is whole.
    fn elements(&self, span: Span) -> Result<Option<Vec<Range<usize>>>, Refusal> {
        let text = self.entries.text(span);
        let mut found = Vec::new();
        let end = elements(text, |element| {
            if found.len() <= self.limits.entries {
                found.push(element);
            }
        });
        if found.len() > self.limits.entries {
            return Err(self.too_many());
        }
        Ok((end == Some(text.len())).then_some(found))
    }

    /// The layer of a list that stands in the object at `span`.
    fn list(
        &mut self,
        span: Span,
        list: &Range<usize>,
        layer: Option<usize>,
        is_envelope: bool,
    ) -> Result<usize, Refusal> {
        let before = span.part(0..list.start + 1);
        let after = span.part(list.end - 1..span.len());
        let kind = if is_envelope {
            Kind::Envelope { before, after }
        } else {
            Kind::List { before, after }
        };
        self.layer(layer, kind)
    }

    fn layer(&mut self, outer: Option<usize>, kind: Kind) -> Result<usize, Refusal> {
        // Empty lists and messages make layers without entries.
        if self.entries.layers.len() / DEPTH_LIMIT > self.limits.entries {
            return Err(self.too_many());
        }
        self.entries.layers.push(Layer { outer, kind });
        Ok(self.entries.layers.len() - 1)
    }

    fn item(&mut self, text: Span, layer: Option<usize>) -> Result<(), Refusal> {
        if self.entries.items.len() >= self.limits.entries {
            return Err(self.too_many());
        }
        if self.built > self.limits.unpacked {
            return Err(self.too_much());
        }
        self.entries.items.push(Item { text, layer });
        Ok(())
    }

    fn unpacked(&mut self, content: Vec<u8>) -> Span {
        let start = self.entries.unpacked.len();
        if start == 0 {
            self.entries.unpacked = content;
        } else {
            self.entries.unpacked.extend_from_slice(&content);
        }
        Span {
            unpacked: true,
            start,
            end: self.entries.unpacked.len(),
        }
    }

    /// Without byte order marks and white space around it.
    fn trimmed(&self, span: Span) -> Span {
        span.part(trimmed(self.entries.text(span)))
    }

    fn too_many(&self) -> Refusal {
        let message = format!(
            "the record holds more than {} entries, which is the limit",
            self.limits.entries
        );
        Refusal::new(RefusalKind::Size, "", message)
    }

    fn too_much(&self) -> Refusal {
        let message = format!(
            "the record's entries take more than {} bytes, which is the limit",
            self.limits.unpacked
        );
        Refusal::new(RefusalKind::Size, "", message)
    }
}

/// What stands between byte order marks and white space at the start, and white space at the end. Files that were put together
/// have a mark at each file's start, and what is taken apart twice must not be less the second time: so all of them.
fn trimmed(text: &[u8]) -> Range<usize> {
    let mut start = text.trim_ascii_start();
    while let Some(rest) = start.strip_prefix(b"\xef\xbb\xbf") {
        start = rest.trim_ascii_start();
    }
    let from = text.len() - start.len();
    from..from + start.trim_ascii_end().len()
}

/// Where documents stand one after the other.
fn documents(text: &[u8], most: usize) -> Option<Vec<Range<usize>>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() && found.len() <= most {
        if !matches!(text[at], b'{' | b'[') {
            return None;
        }
        let end = value_end(text, at)?;
        found.push(at..end);
        at = skip_space(text, end);
    }
    Some(found)
}

/// Lines, where the first one is a document and a later one is broken.
fn lines_of_json(text: &[u8], most: usize) -> Option<Vec<Range<usize>>> {
    let found: Vec<_> = lines(text).take(most.saturating_add(1)).collect();
    let first = found.first()?;
    (found.len() > 1 && value_end(&text[first.clone()], 0) == Some(first.len())).then_some(found)
}

/// The lines that hold anything, [`trimmed`].
fn lines(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < text.len() {
            let start = at;
            let end = memchr::memchr2(b'\n', b'\r', &text[start..]).map_or(text.len(), |found| start + found);
            at = end + 1;
            let line = trimmed(&text[start..end]);
            if !line.is_empty() {
                return Some(start + line.start..start + line.end);
            }
        }
        None
    })
}
