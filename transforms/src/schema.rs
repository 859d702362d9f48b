//! What a field is: its name, its `OpenSearch` type, where it comes from and what it means.
//!
//! One table per source (`sources/*/fields.rs`) is the only place that names fields. Mappings, the field
//! reference and the check that every dashboard field exists are functions of it.

use serde_json::{Map, Value, json};

use crate::{document::KEYWORD_LIMIT, source::Source};

/// The shape of the documents that a normaliser writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Schema {
    /// Elastic Common Schema 8.11 fields, the source's own under `aws.<source>.*`, the rest in one `flat_object`.
    #[default]
    Ecs,
    /// The record as it came, with only its timestamps normalised to RFC 3339.
    Native,
}

/// `OpenSearch` field types that the closed schema uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// Exact text, aggregatable; `ignore_above` 8191.
    Keyword,
    /// Analysed text for reading and full-text search; not aggregatable.
    Text,
    /// An IPv4 or IPv6 address.
    Ip,
    /// A 64-bit integer.
    Long,
    /// A single-precision number; severities.
    Float,
    /// `true` or `false`.
    Boolean,
    /// RFC 3339 UTC with milliseconds.
    Date,
    /// Latitude and longitude.
    GeoPoint,
    /// The unmapped rest of a record: leaves are keywords, nothing is mapped by name.
    FlatObject,
}

impl Type {
    /// Every type, for documentation.
    pub const ALL: &'static [Type] = &[
        Type::Keyword,
        Type::Text,
        Type::Ip,
        Type::Long,
        Type::Float,
        Type::Boolean,
        Type::Date,
        Type::GeoPoint,
        Type::FlatObject,
    ];

    /// Whether only few texts are values of the type, so that one may have to go to the rest.
    pub(crate) fn is_narrow(self) -> bool {
        matches!(self, Type::Long | Type::Float | Type::Boolean | Type::Date)
    }

    /// What a value of the type is, in a few words.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Type::Keyword => "is text of at most 8191 bytes, longer ones cut with a mark",
            Type::Text => "is text for reading and searching, not for counting by",
            Type::Ip => "is an IPv4 or IPv6 address, never anything else",
            Type::Long => "is a whole number of 64 bits",
            Type::Float => "is a number with a fraction",
            Type::Boolean => "is true or false",
            Type::Date => "is RFC 3339 UTC with milliseconds",
            Type::GeoPoint => "is latitude and longitude",
            Type::FlatObject => "is an object whose leaves are text, mapped as one field",
        }
    }

    /// The type's name in an `OpenSearch` mapping.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Type::Keyword => "keyword",
            Type::Text => "text",
            Type::Ip => "ip",
            Type::Long => "long",
            Type::Float => "float",
            Type::Boolean => "boolean",
            Type::Date => "date",
            Type::GeoPoint => "geo_point",
            Type::FlatObject => "flat_object",
        }
    }

    /// Whether dashboards can aggregate on a field of this type.
    #[must_use]
    pub fn is_aggregatable(self) -> bool {
        !matches!(self, Type::Text | Type::FlatObject)
    }
}

/// One row of a source's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Dotted name in the `ecs` document.
    pub name: &'static str,
    /// Type in the index.
    pub ty: Type,
    /// Where the value comes from in the record, as a path; empty when it is derived.
    pub from: &'static str,
    /// What it means, in a few words.
    pub meaning: &'static str,
}

/// A row of a table: `field("source.ip", Type::Ip, "httpRequest.clientIp", "address of the client")`.
#[must_use]
pub const fn field(name: &'static str, ty: Type, from: &'static str, meaning: &'static str) -> Field {
    Field {
        name,
        ty,
        from,
        meaning,
    }
}

/// The `OpenSearch` mapping of one source's `ecs` documents: closed (`"dynamic": false`), from the same table that the
/// normaliser writes from.
///
/// ```
/// use portcullis_transforms::{Source, schema};
///
/// let mapping = schema::mapping(Source::Waf);
/// assert_eq!(mapping["dynamic"], false);
/// assert_eq!(mapping["properties"]["source"]["properties"]["ip"]["type"], "ip");
/// ```
#[must_use]
pub fn mapping(source: Source) -> Value {
    closed(source.fields().into_iter())
}

/// A closed mapping of these fields.
#[must_use]
pub fn closed<'f>(fields: impl Iterator<Item = &'f Field>) -> Value {
    let mut properties = Map::new();
    for field in fields {
        place(&mut properties, field.name, definition(field.ty));
    }
    json!({ "dynamic": false, "properties": properties })
}

/// Paths of the timestamps that a `native` document of this source has in RFC 3339.
#[must_use]
pub fn native_times(source: Source) -> Vec<String> {
    crate::sources::native_times(source)
        .iter()
        .flat_map(|path| spelled_out(path))
        .collect()
}

/// `a.{b,c}` as `a.b` and `a.c`.
fn spelled_out(path: &str) -> Vec<String> {
    match path
        .split_once('{')
        .and_then(|(start, rest)| Some((start, rest.split_once('}')?)))
    {
        Some((start, (names, end))) => names.split(',').map(|name| format!("{start}{name}{end}")).collect(),
        None => vec![path.to_owned()],
    }
}

/// Whether EventBridge delivers records of this source, so that a `native` document is its envelope, with the field `time`.
#[must_use]
pub fn comes_in_an_envelope(source: Source) -> bool {
    !matches!(source, Source::Waf | Source::VpcFlow)
}

/// The `OpenSearch` mapping of one source's `native` documents: only times, as dates, so that there is a time field, and only
/// those at the top. A mapping for anything inside an object refuses the record in which that object is a text, and nothing
/// is known of shapes; everything else is kept and not indexed.
///
/// ```
/// use portcullis_transforms::{Source, schema};
///
/// let mapping = schema::native_mapping(Source::Waf);
/// assert_eq!(mapping["properties"]["timestamp"]["type"], "date");
/// ```
#[must_use]
pub fn native_mapping(source: Source) -> Value {
    let mut properties = Map::new();
    for path in native_times(source).into_iter().filter(|path| !path.contains('.')) {
        let mut date = definition(Type::Date);
        date["ignore_malformed"] = json!(true);
        properties.insert(path, date);
    }
    if comes_in_an_envelope(source) {
        // EventBridge's own time has no milliseconds; what else is called so has them.
        properties.insert(
            "time".to_owned(),
            json!({ "type": "date", "format": "strict_date_optional_time", "ignore_malformed": true }),
        );
    }
    json!({ "dynamic": false, "properties": properties })
}

fn definition(ty: Type) -> Value {
    match ty {
        Type::Keyword => json!({ "type": "keyword", "ignore_above": KEYWORD_LIMIT }),
        Type::Date => json!({ "type": "date", "format": "strict_date_time" }),
        _ => json!({ "type": ty.name() }),
    }
}

/// Puts `definition` where the dotted `name` says, with an object for every part before the last.
fn place(properties: &mut Map<String, Value>, name: &str, definition: Value) {
    let Some((first, rest)) = name.split_once('.') else {
        properties.insert(name.to_owned(), definition);
        return;
    };
    let object = properties.entry(first).or_insert_with(|| json!({ "properties": {} }));
    if let Some(inner) = object.get_mut("properties").and_then(Value::as_object_mut) {
        place(inner, rest, definition);
    }
}
