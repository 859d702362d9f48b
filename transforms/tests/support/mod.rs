//! What several tests need: sample records, and the check that a document keeps to the closed schema.

#![allow(dead_code, reason = "each test binary uses a part of it")]

pub(crate) mod fuzz;
mod fuzz_forms;
pub(crate) mod invariants;
pub(crate) mod json;
pub(crate) mod moment;
pub(crate) mod mutate;
mod paths;
pub(crate) mod random;
pub(crate) mod reference;
pub(crate) mod specs;

use std::{
    collections::{HashMap, HashSet},
    fmt, fs,
    net::IpAddr,
    path::Path,
    sync::OnceLock,
};

use portcullis_transforms::{Field, Normalizer, Options, Outcome, Refusal, Source, Type, document::KEYWORD_LIMIT};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;

/// The sources whose records are JSON.
pub(crate) const JSON_SOURCES: [Source; 5] = [
    Source::GuardDuty,
    Source::SecurityHub,
    Source::Waf,
    Source::Dns,
    Source::CloudTrail,
];

/// Every sample input of a source with the flow-log format that goes with it, in the order of the file names. What holds
/// several records is split at its lines.
pub(crate) fn sample_inputs(source: Source) -> Vec<(Vec<u8>, Option<String>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../samples")
        .join(source.name());
    let mut names: Vec<String> = fs::read_dir(&folder)
        .map(|entries| {
            entries
                .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
                .filter(|name| name.contains(".in."))
                .collect()
        })
        .unwrap_or_default();
    names.sort();
    let mut inputs = Vec::new();
    for name in names {
        let text = fs::read(folder.join(&name)).expect("a sample");
        let case = name.split(".in.").next().unwrap_or_default();
        let format = fs::read_to_string(folder.join(format!("{case}.format.txt"))).ok();
        let format = format.map(|text| text.trim().to_owned());
        if name.ends_with(".in.json") {
            inputs.push((text, format));
        } else {
            let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
            inputs.extend(lines.map(|line| (line.to_vec(), format.clone())));
        }
    }
    inputs
}

/// Every sample record of a source, in the order of its file names.
pub(crate) fn sample_records(source: Source) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../samples")
        .join(source.name());
    let mut paths: Vec<_> = fs::read_dir(folder)
        .expect("samples")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.to_string_lossy().ends_with(".in.json"))
        .collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).expect("a sample")).collect()
}

/// A sample file: its records, and what is needed to read them.
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) records: Vec<Vec<u8>>,
    pub(crate) flow_format: Option<String>,
}

/// Every sample file of a source, whatever its form, in the order of its name; none where the source has no folder.
pub(crate) fn samples(source: Source) -> Vec<Sample> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../samples")
        .join(source.name());
    let mut samples: Vec<Sample> = fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.expect("an entry").path();
            let (case, form) = path.file_name()?.to_str()?.split_once(".in.")?;
            let text = fs::read(&path).expect("a sample");
            let records = match form {
                "json" => vec![text],
                _ => text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect(),
            };
            let format = fs::read_to_string(folder.join(format!("{case}.format.txt"))).ok();
            Some(Sample {
                name: format!("{source}/{case}"),
                records,
                flow_format: format.map(|text| text.trim().to_owned()),
            })
        })
        .collect();
    samples.sort_by(|a, b| a.name.cmp(&b.name));
    samples
}

/// One record through a normaliser of its own.
pub(crate) fn normalize(source: Source, options: Options, record: &[u8]) -> Result<(Outcome, String), Refusal> {
    let mut out = Vec::new();
    let outcome = Normalizer::new(source, options)?.record(record, &mut out)?;
    Ok((outcome, String::from_utf8(out).expect("UTF-8")))
}

/// Every plain value of a document, as text.
pub(crate) fn values(document: &Value) -> Vec<String> {
    match document {
        Value::Null => Vec::new(),
        Value::Array(members) => members.iter().flat_map(values).collect(),
        Value::Object(members) => members.values().flat_map(values).collect(),
        Value::String(text) => vec![text.clone()],
        other => vec![other.to_string()],
    }
}

/// Says what is wrong with a document: a field that the table does not have, a value that its type would reject.
pub(crate) fn schema_violation(source: Source, line: &str) -> Option<String> {
    document(source, line).err()
}

/// A document that has been checked, or what is wrong with it.
pub(crate) fn document(source: Source, line: &str) -> Result<Value, String> {
    static FIELDS: OnceLock<HashMap<Source, HashMap<&str, &Field>>> = OnceLock::new();
    if !line.ends_with('\n') || line.trim_end_matches('\n').contains(['\n', '\r']) {
        return Err("not one line".to_owned());
    }
    let document: Value = serde_json::from_str(line).map_err(|error| format!("not JSON: {error}"))?;
    serde_json::from_str::<OnceEach>(line).map_err(|error| error.to_string())?;
    let fields = FIELDS.get_or_init(|| {
        let by_name = |source: Source| source.fields().into_iter().map(|field| (field.name, field)).collect();
        Source::ALL.iter().map(|&source| (source, by_name(source))).collect()
    });
    match violation(&fields[&source], "", &document) {
        Some(violation) => Err(violation),
        None => Ok(document),
    }
}

fn violation(fields: &HashMap<&str, &Field>, name: &str, value: &Value) -> Option<String> {
    if let Some(field) = fields.get(name) {
        let values = match value {
            Value::Array(values) if values.is_empty() => return Some(format!("{name}: an empty array")),
            Value::Array(values) => values.as_slice(),
            one => std::slice::from_ref(one),
        };
        return values
            .iter()
            .find(|value| !accepts(field.ty, value))
            .map(|value| format!("{name}: {} would reject {value}", field.ty.name()));
    }
    let Value::Object(members) = value else {
        return Some(format!("{name}: no such field"));
    };
    if members.is_empty() && !name.is_empty() {
        return Some(format!("{name}: an empty object"));
    }
    members.iter().find_map(|(key, value)| {
        let name = if name.is_empty() {
            key.clone()
        } else {
            format!("{name}.{key}")
        };
        violation(fields, &name, value)
    })
}

/// Whether an index field of this type takes the value, and whether the product's own limits are kept.
fn accepts(ty: Type, value: &Value) -> bool {
    match (ty, value) {
        (Type::Keyword, Value::String(text)) => !text.is_empty() && text.len() <= KEYWORD_LIMIT,
        (Type::Text, Value::String(_)) | (Type::Boolean, Value::Bool(_)) => true,
        (Type::Ip, Value::String(text)) => text.parse::<IpAddr>().is_ok(),
        (Type::Long, Value::Number(number)) => number.is_i64(),
        (Type::Float, Value::Number(number)) => number
            .as_f64()
            .is_some_and(|number| number.abs() <= f64::from(f32::MAX)),
        (Type::Date, Value::String(text)) => {
            text.len() == 24 && chrono::DateTime::parse_from_rfc3339(text).is_ok() && text.ends_with('Z')
        }
        (Type::GeoPoint, place) => {
            let within = |key: &str, limit: f64| place[key].as_f64().is_some_and(|degrees| degrees.abs() <= limit);
            within("lat", 90.0) && within("lon", 180.0)
        }
        (Type::FlatObject, Value::Object(_)) => leaves_fit(value, 0),
        _ => false,
    }
}

/// No leaf with its path may come near the 32,766 bytes of a term.
fn leaves_fit(value: &Value, path: usize) -> bool {
    match value {
        Value::String(text) => text.len() <= KEYWORD_LIMIT && path + text.len() < 32_766,
        Value::Array(values) => values.iter().all(|value| leaves_fit(value, path)),
        Value::Object(members) => members
            .iter()
            .all(|(key, value)| leaves_fit(value, path + key.len() + 1)),
        _ => true,
    }
}

/// JSON in which no object has a key twice, as `OpenSearch` demands.
struct OnceEach;

impl<'de> Deserialize<'de> for OnceEach {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OnceEach)
    }
}

impl<'de> Visitor<'de> for OnceEach {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without repeated keys")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        let mut keys = HashSet::new();
        while let Some((key, _)) = map.next_entry::<String, OnceEach>()? {
            if !keys.insert(key.clone()) {
                return Err(A::Error::custom(format!("the key {key} twice in an object")));
            }
        }
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Self, A::Error> {
        while values.next_element::<OnceEach>()?.is_some() {}
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }
}
