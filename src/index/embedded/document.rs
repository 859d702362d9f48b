//! One JSON document into the columns of the index. The field's table decides its type, not the look of its value.

use std::collections::HashSet;

use tantivy::{TantivyDocument, schema::OwnedValue};

use super::{
    layout::{EVENT_ID, Layout},
    reader::{self, Leaf},
    values,
};
use crate::index::{
    Error,
    fields::{Fields, Kind},
};
use portcullis_transforms::Type;

/// Longest keyword that gets a term, as `ignore_above` says in an OpenSearch mapping.
const KEYWORD_BYTES: usize = 8_191;
/// Fields in no table that may still get a column; later ones are kept as flat terms.
const UNKNOWN_FIELDS: usize = 2_000;

/// Builds documents. Kept by the writer, because it remembers which unknown fields it has seen.
#[derive(Debug)]
pub(crate) struct Builder {
    fields: Fields,
    unknown: HashSet<String>,
}

/// What [`Builder::build`] made of a line.
pub(crate) struct Built {
    pub(crate) id: String,
    pub(crate) document: TantivyDocument,
}

impl Builder {
    pub(crate) fn new(fields: Fields) -> Self {
        Self {
            fields,
            unknown: HashSet::new(),
        }
    }

    /// One line of JSON into a document of `index`; its id is `event.id` unless another is given.
    pub(crate) fn build(
        &mut self,
        layout: &Layout,
        index: &str,
        line: &[u8],
        id: Option<&str>,
    ) -> Result<Built, Error> {
        let mut leaves = Leaves::default();
        reader::read(line, |path, leaf| self.leaf(leaf, path, &mut leaves)).map_err(|error| {
            Error::Query(format!(
                "document for `{index}`: {error}; write one JSON object per line"
            ))
        })?;
        let id = id.map(str::to_owned).or(leaves.id);
        let id = id.unwrap_or_else(|| blake3::hash(line).to_hex().to_string());
        let mut document = TantivyDocument::new();
        document.add_text(layout.index, index);
        document.add_text(layout.id, &id);
        if let Some(at) = leaves.at {
            document.add_date(layout.at, at);
        }
        for (name, address) in leaves.addresses {
            if let Some(field) = layout.addresses.get(name.as_str()) {
                document.add_ip_addr(*field, address);
            }
        }
        for name in leaves.present {
            document.add_text(layout.present, name);
        }
        for text in leaves.all {
            document.add_text(layout.all, text);
        }
        for (field, object) in [
            (layout.values, leaves.values),
            (layout.numbers, leaves.numbers),
            (layout.flat, leaves.flat),
            (layout.words, leaves.words),
        ] {
            if !object.is_empty() {
                document.add_field_value(field, &OwnedValue::Object(object));
            }
        }
        document.add_bytes(layout.source, line.trim_ascii());
        Ok(Built { id, document })
    }

    fn leaf(&mut self, value: Leaf<'_>, path: &str, out: &mut Leaves) {
        let kind = match self.fields.kind(path) {
            Kind::Unknown if !self.unknown.contains(path) => {
                if self.unknown.len() >= UNKNOWN_FIELDS {
                    Kind::Flat
                } else {
                    self.unknown.insert(path.to_owned());
                    Kind::Unknown
                }
            }
            kind => kind,
        };
        if path == EVENT_ID && out.id.is_none() {
            out.id = value.as_str().map(str::to_owned);
        }
        match kind {
            Kind::Flat | Kind::Known(Type::FlatObject) => out.flat(path, &value.text()),
            Kind::Known(ty) => out.typed(path, ty, value),
            Kind::Unknown => match value {
                Leaf::Bool(truth) => out.value(path, OwnedValue::Bool(truth)),
                Leaf::Whole(number) => out.value(path, OwnedValue::I64(number)),
                Leaf::Large(number) => out.value(path, OwnedValue::F64(number as f64)),
                Leaf::Float(number) => out.value(path, OwnedValue::F64(number)),
                text => out.typed(path, Type::Keyword, text),
            },
        }
    }
}

/// The leaves of one document, sorted by what is done with them.
#[derive(Default)]
struct Leaves {
    id: Option<String>,
    at: Option<tantivy::DateTime>,
    values: Vec<(String, OwnedValue)>,
    numbers: Vec<(String, OwnedValue)>,
    flat: Vec<(String, OwnedValue)>,
    words: Vec<(String, OwnedValue)>,
    all: Vec<String>,
    present: HashSet<String>,
    addresses: Vec<(String, std::net::Ipv6Addr)>,
}

impl Leaves {
    /// A value that does not fit its field's type is kept in the source only, as `ignore_malformed` does.
    fn typed(&mut self, path: &str, ty: Type, value: Leaf<'_>) {
        match ty {
            Type::Keyword | Type::GeoPoint | Type::FlatObject => self.keyword(path, &value.text()),
            Type::Text => {
                let text = value.text().into_owned();
                self.present.insert(path.to_owned());
                self.words.push((path.to_owned(), OwnedValue::Str(text.clone())));
                self.all.push(text);
            }
            Type::Ip => {
                if let Some(address) = value.as_str().and_then(values::address) {
                    let wide = values::wide(address);
                    if !self
                        .addresses
                        .iter()
                        .any(|(name, known)| name == path && *known == wide)
                    {
                        self.addresses.push((path.to_owned(), wide));
                        self.value(path, OwnedValue::Str(address.to_string()));
                    }
                }
            }
            Type::Long => {
                let number = value
                    .as_i64()
                    .or_else(|| value.as_str()?.parse().ok())
                    .or_else(|| whole(value.as_f64()?));
                if let Some(number) = number {
                    self.number(path, OwnedValue::I64(number));
                }
            }
            Type::Float => {
                let number = value
                    .as_f64()
                    .or_else(|| value.as_str()?.parse().ok())
                    .filter(|n| n.is_finite());
                if let Some(number) = number {
                    self.number(path, OwnedValue::F64(number));
                }
            }
            Type::Boolean => {
                if let Some(truth) = value.as_bool().or_else(|| value.as_str()?.parse().ok()) {
                    self.value(path, OwnedValue::Bool(truth));
                }
            }
            Type::Date => {
                if let Some(at) = values::time(&value.text()).map(values::instant) {
                    if path == "@timestamp" {
                        self.at.get_or_insert(at);
                    } else {
                        self.number(path, OwnedValue::Date(at));
                    }
                }
            }
        }
    }

    fn keyword(&mut self, path: &str, text: &str) {
        if text.len() > KEYWORD_BYTES {
            return;
        }
        let known =
            |(name, value): &(String, OwnedValue)| name == path && matches!(value, OwnedValue::Str(s) if s == text);
        if !self.values.iter().any(known) {
            self.value(path, OwnedValue::Str(text.to_owned()));
            if path != EVENT_ID {
                self.all.push(text.to_owned());
            }
        }
    }

    fn value(&mut self, path: &str, value: OwnedValue) {
        self.values.push((path.to_owned(), value));
    }

    fn number(&mut self, path: &str, value: OwnedValue) {
        self.numbers.push((path.to_owned(), value));
    }

    fn flat(&mut self, path: &str, text: &str) {
        for (at, _) in path.match_indices('.') {
            self.present.insert(path.get(..at).unwrap_or_default().to_owned());
        }
        self.present.insert(path.to_owned());
        if text.len() <= KEYWORD_BYTES && path.len() <= KEYWORD_BYTES {
            self.flat.push((path.to_owned(), OwnedValue::Str(text.to_owned())));
            self.all.push(text.to_owned());
        }
    }
}

fn whole(number: f64) -> Option<i64> {
    // Both limits are exact in f64; beyond them the cast would not be the number that was written.
    (number.fract() == 0.0 && number.abs() < 9.0e15).then_some(number as i64)
}
