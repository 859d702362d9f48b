//! Reading the file and the environment, strictly.

use std::path::{Path, PathBuf};

use super::Config;

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read the configuration {}: {source}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{0}")]
    Invalid(String),
}

/// The configuration and where each value comes from.
#[derive(Clone, Debug)]
pub struct Effective {
    /// The values.
    pub config: Config,
    /// The file that was read, when there was one.
    pub file: Option<PathBuf>,
}

/// Reads `file`, else `./portcullis.toml` when it exists, else the defaults; then the overrides in `environment`.
///
/// # Errors
/// When a file cannot be read or a value is not what it should be.
pub fn load(file: Option<&Path>, environment: impl Iterator<Item = (String, String)>) -> Result<Effective, Error> {
    drop(environment);
    let found = Path::new("portcullis.toml");
    let file = file.or_else(|| found.exists().then_some(found));
    let config = match file {
        None => Config::default(),
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|source| Error::Read {
                path: path.to_owned(),
                source,
            })?;
            toml::from_str(&text).map_err(|error| Error::Invalid(format!("{}: {error}", path.display())))?
        }
    };
    Ok(Effective {
        config,
        file: file.map(Path::to_owned),
    })
}
