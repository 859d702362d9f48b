//! Which layout a folder holds. An index of another version is refused, never misread.

use std::{fs, io, path::Path};

use serde::{Deserialize, Serialize};
use tantivy::{IndexSettings, directory::MmapDirectory};

use super::{
    engine,
    layout::{Layout, VERSION},
};
use crate::index::Error;

/// The file that says it.
const FILE: &str = "portcullis.json";

#[derive(Serialize, Deserialize)]
struct Marker {
    layout: u32,
}

/// Opens the engine's index in the folder, or makes one in an empty or missing folder.
pub(crate) fn open(folder: &Path, layout: &Layout) -> Result<tantivy::Index, Error> {
    let failed =
        |what: &str, error: &dyn std::fmt::Display| Error::Engine(format!("{what} {}: {error}", folder.display()));
    fs::create_dir_all(folder).map_err(|e| failed("cannot make", &e))?;
    let marker = folder.join(FILE);
    let found = match fs::read(&marker) {
        Ok(bytes) => Some(
            serde_json::from_slice::<Marker>(&bytes)
                .map_err(|e| failed("no version can be read in", &e))?
                .layout,
        ),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(failed("cannot read", &error)),
    };
    let other = |found: String| {
        Error::Engine(format!(
            "{} holds an index of {found}, and this program writes version {VERSION}; \
             move the folder away and load the records again, or use the program that wrote it",
            folder.display()
        ))
    };
    let directory = MmapDirectory::open(folder).map_err(|e| failed("cannot open", &e))?;
    let exists = tantivy::Index::exists(&directory).map_err(engine)?;
    match found {
        Some(VERSION) => {}
        Some(number) => return Err(other(format!("version {number}"))),
        None if exists => return Err(other("no version".to_owned())),
        None => {
            let text = serde_json::to_vec(&Marker { layout: VERSION }).map_err(engine)?;
            let draft = folder.join(".portcullis.json.new");
            fs::write(&draft, text)
                .and_then(|()| fs::rename(&draft, &marker))
                .map_err(|e| failed("cannot write to", &e))?;
        }
    }
    if !exists {
        return tantivy::Index::create(directory, layout.schema.clone(), IndexSettings::default()).map_err(engine);
    }
    let index = tantivy::Index::open(directory).map_err(engine)?;
    if index.schema() == layout.schema {
        Ok(index)
    } else {
        Err(other("another layout".to_owned()))
    }
}
