//! The tables of the sources as JSON, for peers in other languages: what they map follows from the same rows.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use portcullis_transforms::{
    Source,
    document::{ECS_VERSION, NORMALIZER},
};
use serde_json::{Map, Value, json};

/// The file's name, in the folder of the events.
pub(crate) const FILE: &str = "tables.json";

/// Writes the file.
pub(crate) fn write(folder: &Path) -> Result<()> {
    let fields: Map<String, Value> = Source::ALL
        .iter()
        .map(|source| {
            let rows = source.fields();
            let rows = rows
                .iter()
                .map(|field| json!({ "name": field.name, "type": field.ty.name(), "from": field.from }));
            (source.name().to_owned(), rows.collect())
        })
        .collect();
    let tables = json!({ "ecs": ECS_VERSION, "normalizer": NORMALIZER, "fields": fields });
    let file = folder.join(FILE);
    fs::write(&file, tables.to_string()).with_context(|| format!("cannot write {}", file.display()))
}
