//! The embedded index against a slow, obvious evaluator, and its behaviour as a store.
#![allow(clippy::unwrap_used)]

mod differential;
mod documents;
mod evaluator;
mod latest;
mod refusals;
mod steps;
mod store;

use super::{Embedded, Options};
use crate::index::Index;

/// An index in a folder that is gone at the end of the test.
fn scratch() -> (tempfile::TempDir, Embedded) {
    let folder = tempfile::tempdir().unwrap();
    let index = Embedded::open(folder.path(), options()).unwrap();
    (folder, index)
}

fn options() -> Options {
    Options {
        fields: documents::FIELDS.iter().collect(),
        memory: 32 << 20,
        threads: 1,
        ..Options::default()
    }
}

fn write(index: &Embedded, name: &str, lines: &[String]) -> usize {
    index.write(name, &mut lines.iter().map(String::as_bytes)).unwrap()
}
