//! The engine's own schema: which columns every document has.
//!
//! Exact values live in one JSON field (raw terms, columns for aggregations). Addresses stand there as text for
//! terms and aggregations, and again in a native column each, because ranges over address text would be wrong.

use std::collections::HashMap;

use tantivy::schema::{
    DateOptions, DateTimePrecision, FAST, Field, IndexRecordOption, JsonObjectOptions, STORED, STRING, Schema,
    TextFieldIndexing, TextOptions,
};

use crate::index::fields::{Fields, Kind};
use portcullis_transforms::Type;

/// Raised when documents of an older layout can no longer be read.
pub(crate) const VERSION: u32 = 4;

/// The name of the JSON field that holds exact values.
pub(crate) const VALUES: &str = "doc";
/// The name of the JSON field that holds numbers and times.
pub(crate) const NUMBERS: &str = "num";
/// The field that every document has another value of. It is no word among the others: a search without a field looks it up by
/// itself, which costs nothing, where its words would be as many as there are documents.
pub(crate) const EVENT_ID: &str = "event.id";
/// The name of the time column.
pub(crate) const TIME: &str = "at";
/// The name of the index column.
pub(crate) const INDEX: &str = "index";

/// Handles of the columns.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) schema: Schema,
    /// Which index the document is in.
    pub(crate) index: Field,
    /// `event.id`, unique.
    pub(crate) id: Field,
    /// `@timestamp`.
    pub(crate) at: Field,
    /// Exact values by path: terms and columns.
    pub(crate) values: Field,
    /// Numbers and times by path: columns only. Nearly every one differs, and a dictionary of them would be most of the work of
    /// writing; a column answers for a single number as it does for a range.
    pub(crate) numbers: Field,
    /// Leaves of flat objects by path: terms only, so that names chosen by attackers make no columns.
    pub(crate) flat: Field,
    /// Words of text fields by path.
    pub(crate) words: Field,
    /// Words of all text but [`EVENT_ID`].
    pub(crate) all: Field,
    /// Names of the fields without a column that the document has, for `exists`.
    pub(crate) present: Field,
    /// Address columns by field name.
    pub(crate) addresses: HashMap<&'static str, Field>,
    /// The document as it was written.
    pub(crate) source: Field,
}

impl Layout {
    pub(crate) fn new(fields: &Fields) -> Self {
        let mut schema = Schema::builder();
        let raw = |record| {
            TextFieldIndexing::default()
                .set_tokenizer("raw")
                .set_fieldnorms(false)
                .set_index_option(record)
        };
        let words = || {
            TextFieldIndexing::default()
                .set_tokenizer("default")
                .set_fieldnorms(false)
                .set_index_option(IndexRecordOption::WithFreqsAndPositions)
        };
        let time = DateOptions::default()
            .set_fast()
            .set_precision(DateTimePrecision::Milliseconds);
        let index = schema.add_text_field(INDEX, STRING | FAST);
        let id = schema.add_text_field("id", STRING | STORED);
        let at = schema.add_date_field(TIME, time);
        let json = || JsonObjectOptions::default().set_expand_dots_enabled();
        let values = schema.add_json_field(
            VALUES,
            json()
                .set_indexing_options(raw(IndexRecordOption::Basic))
                .set_fast("raw"),
        );
        let numbers = schema.add_json_field(NUMBERS, json().set_fast("raw"));
        let flat = schema.add_json_field("flat", json().set_indexing_options(raw(IndexRecordOption::Basic)));
        let text = schema.add_json_field("words", json().set_indexing_options(words()));
        let all = schema.add_text_field("all", TextOptions::default().set_indexing_options(words()));
        let present = schema.add_text_field("present", STRING);
        let source = schema.add_bytes_field("source", STORED);
        let addresses = fields
            .addresses()
            .iter()
            .map(|name| (*name, schema.add_ip_addr_field(&format!("ip {name}"), FAST)))
            .collect();
        Self {
            schema: schema.build(),
            index,
            id,
            at,
            values,
            numbers,
            flat,
            words: text,
            all,
            present,
            addresses,
            source,
        }
    }

    /// The column that aggregations and sorting use for a field.
    pub(crate) fn column(fields: &Fields, field: &str) -> String {
        match (field, fields.kind(field)) {
            ("@timestamp", _) => TIME.to_owned(),
            ("_index", _) => INDEX.to_owned(),
            (other, Kind::Known(Type::Long | Type::Float | Type::Date)) => format!("{NUMBERS}.{other}"),
            (other, _) => format!("{VALUES}.{other}"),
        }
    }
}
