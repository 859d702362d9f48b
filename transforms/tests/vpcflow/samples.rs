//! The table and the samples' documents agree in both directions. (What the samples become is `golden`'s to check.)

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    path::{Path, PathBuf},
};

use portcullis_transforms::{Schema, Type, sources::vpcflow::FIELDS};
use serde_json::Value;

use crate::{document, mapper};

struct Case {
    name: String,
    format: Option<String>,
    records: Vec<Vec<u8>>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/vpcflow")
}

/// One record a line, except that a `.json` file is one record.
fn records(path: &Path) -> Vec<Vec<u8>> {
    let text = std::fs::read(path).expect("a sample");
    if path.extension().is_some_and(|extension| extension == "json") {
        return vec![text];
    }
    text.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect()
}

fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = std::fs::read_dir(folder())
        .expect("the samples folder")
        .filter_map(|entry| {
            let path = entry.expect("an entry").path();
            let (name, _) = path.file_name()?.to_str()?.split_once(".in.")?;
            let format = std::fs::read_to_string(folder().join(format!("{name}.format.txt"))).ok();
            Some(Case {
                name: name.to_owned(),
                format: format.map(|text| text.trim().to_owned()),
                records: records(&path),
            })
        })
        .collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(cases.len() >= 15, "only {} samples", cases.len());
    cases
}

fn documents(case: &Case, schema: Schema) -> Vec<Value> {
    let mut mapper = mapper(schema, case.format.as_deref());
    case.records
        .iter()
        .filter_map(|record| document(&mut mapper, record).unwrap_or_else(|refusal| panic!("{}: {refusal}", case.name)))
        .collect()
}

/// The leaves of a document by dotted name; a flat object is one leaf.
fn leaves(value: &Value, name: String, out: &mut BTreeMap<String, Vec<Value>>) {
    match value {
        Value::Object(members) if name != "aws.vpcflow.rest" => {
            assert!(!members.is_empty(), "{name} is an empty object");
            for (key, value) in members {
                let name = if name.is_empty() {
                    key.clone()
                } else {
                    format!("{name}.{key}")
                };
                leaves(value, name, out);
            }
        }
        Value::Array(values) => out.entry(name).or_default().extend(values.iter().cloned()),
        _ => out.entry(name).or_default().push(value.clone()),
    }
}

fn is_of(ty: Type, value: &Value) -> bool {
    match ty {
        Type::Keyword | Type::Text => value.as_str().is_some_and(|text| !text.is_empty()),
        Type::Ip => value.as_str().is_some_and(|text| text.parse::<IpAddr>().is_ok()),
        Type::Long => value.is_i64(),
        Type::Date => value
            .as_str()
            .is_some_and(|text| text.len() == 24 && text.ends_with('Z')),
        Type::FlatObject => value
            .as_object()
            .is_some_and(|rest| rest.values().all(Value::is_string)),
        _ => false,
    }
}

#[test]
fn the_table_and_the_documents_name_the_same_fields() {
    let mut seen = BTreeMap::new();
    for case in cases() {
        for document in documents(&case, Schema::Ecs) {
            leaves(&document, String::new(), &mut seen);
        }
    }
    // On request only, so no sample has them; nor does one have a value that has to be cut.
    seen.insert("event.original".to_owned(), vec!["text".into()]);
    seen.insert("network.community_id".to_owned(), vec!["1:".into()]);
    seen.insert("portcullis.cut".to_owned(), vec![1.into()]);
    let table: BTreeSet<&str> = FIELDS.iter().map(|field| field.name).collect();
    assert_eq!(table.len(), FIELDS.len(), "a field stands twice in the table");
    let written: BTreeSet<&str> = seen.keys().map(String::as_str).collect();
    assert_eq!(written, table);
    for field in FIELDS {
        for value in &seen[field.name] {
            assert!(is_of(field.ty, value), "{} is {:?}: {value}", field.name, field.ty);
        }
    }
}

#[test]
fn the_original_is_kept_on_request_and_the_id_depends_on_the_key_and_the_line_alone() {
    use portcullis_transforms::{Options, sources::vpcflow::Mapper};
    let line = "2 111122223333 eni-1 198.51.100.24 10.0.1.15 51514 22 6 12 1874 1795258200 1795258257 ACCEPT OK";
    let id = |options: &Options, record: &str| {
        let mut mapper = Mapper::new(options).expect("options");
        let document = document(&mut mapper, record.as_bytes())
            .expect("accepted")
            .expect("a document");
        (document["event"]["id"].clone(), document["event"]["original"].clone())
    };
    let plain = Options::default();
    let keep = Options {
        keep_original: true,
        ..Options::default()
    };
    let keyed = Options {
        id_key: [7; 32],
        ..Options::default()
    };
    assert_eq!(id(&plain, line).1, Value::Null);
    assert_eq!(id(&keep, line).1, line);
    assert_eq!(
        id(&plain, line).0,
        id(&keep, &format!("{{\"message\":\"{line}\"}}\n")).0
    );
    assert_ne!(id(&plain, line).0, id(&keyed, line).0);
    assert_ne!(id(&plain, line).0, id(&plain, &line.replace("1874", "1875")).0);
    assert_eq!(id(&plain, line).0.as_str().map(str::len), Some(32));
}
