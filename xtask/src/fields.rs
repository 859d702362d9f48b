//! `cargo xtask fields`: the field reference from the tables of the sources.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use portcullis_transforms::{Source, reference};

/// Writes `docs/fields/<source>.md` for every source, and the page that lists them.
pub(crate) fn write() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/fields");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let pages = Source::ALL
        .iter()
        .map(|&source| (format!("{source}.md"), reference::page(source)));
    for (name, page) in pages.chain([("README.md".to_owned(), reference::index())]) {
        let path = folder.join(name);
        fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
