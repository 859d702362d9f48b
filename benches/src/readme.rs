//! The places of the README that show results.

use std::{fs, path::Path};

use anyhow::{Context, Result};

/// The lines between which the README shows what stands in a file of results.
#[must_use]
pub fn around(results: &str) -> [String; 2] {
    [format!("<!-- {results} -->\n"), "<!-- end -->".to_owned()]
}

/// The README with this text in the place of those results.
///
/// # Errors
/// When it has no such place.
pub fn shown(readme: &str, results: &str, text: &str) -> Result<String> {
    let [from, to] = around(results);
    let parts = readme
        .split_once(&from)
        .and_then(|(before, rest)| Some((before, rest.split_once(&to)?)));
    let (before, (_, after)) = parts.context("the README has no place for the table")?;
    Ok(format!("{before}{from}{text}{to}{after}"))
}

/// Writes it.
///
/// # Errors
/// When the file cannot be read or written, or has no such place.
pub fn show(file: &Path, results: &str, text: &str) -> Result<()> {
    let readme = fs::read_to_string(file)?;
    Ok(fs::write(file, shown(&readme, results, text)?)?)
}
