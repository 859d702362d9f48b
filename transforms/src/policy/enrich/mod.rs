//! Enrichment: what databases and lists say about the addresses and hosts of a document.
//!
//! | what | fields | from |
//! |---|---|---|
//! | place | `source.geo.*`, `destination.geo.*` | a City or Country database |
//! | network | `source.as.*`, `destination.as.*` | an ASN database |
//! | indicators | `threat.indicator.*`, `threat.feed.name` | lists of addresses, networks and domains |
//!
//! **What the record says itself wins.** Fields that it has are left alone, and where it names another country, city
//! or autonomous system than the database, nothing is added to it: half of each would be wrong as a whole. Private
//! addresses are skipped, and an end with several addresses gets no place.

mod database;
mod document;
mod domains;
mod list;
mod ranges;

use std::{
    fs::File,
    path::{Path, PathBuf},
};

pub use database::{Database, DatabaseError, DatabaseKind};
pub(super) use document::Enricher;
pub use list::{IndicatorList, ListError, MAX_ENTRIES, Match};

/// Databases and lists, shared by the normalisers of a process.
#[derive(Debug, Default)]
pub struct Enrichment {
    /// Countries, cities and places.
    pub places: Option<Database>,
    /// Autonomous systems.
    pub networks: Option<Database>,
    /// Lists, in the order in which their matches are named.
    pub lists: Vec<IndicatorList>,
}

/// Files to enrich with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// A City or Country database.
    pub geoip: Option<PathBuf>,
    /// An ASN database.
    pub asn: Option<PathBuf>,
    /// Lists; a list's name in documents is its file's, up to the first dot.
    pub indicators: Vec<PathBuf>,
}

/// Most lists of one deployment.
const MAX_LISTS: usize = 64;

/// A file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnrichmentError {
    /// A database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A list.
    #[error(transparent)]
    List(#[from] ListError),
    /// There are too many lists.
    #[error("{0} indicator lists are too many; the limit is {MAX_LISTS}: join some")]
    TooMany(usize),
}

impl Files {
    /// Opens them all; nothing when there are none.
    ///
    /// # Errors
    /// Names the first file that cannot be used, why, and what to do.
    pub fn open(&self) -> Result<Option<Enrichment>, EnrichmentError> {
        if *self == Self::default() {
            return Ok(None);
        }
        if self.indicators.len() > MAX_LISTS {
            return Err(EnrichmentError::TooMany(self.indicators.len()));
        }
        let database =
            |path: &Option<PathBuf>, kind| path.as_deref().map(|path| Database::open(path, kind)).transpose();
        let lists: Result<Vec<IndicatorList>, ListError> = self.indicators.iter().map(|path| open_list(path)).collect();
        Ok(Some(Enrichment {
            places: database(&self.geoip, DatabaseKind::Places)?,
            networks: database(&self.asn, DatabaseKind::Networks)?,
            lists: lists?,
        }))
    }
}

/// Errors name the path; the list is called by the file's name, up to the first dot.
fn open_list(path: &Path) -> Result<IndicatorList, ListError> {
    let shown = path.display().to_string();
    let file = File::open(path).map_err(|problem| ListError::Read {
        list: shown.clone(),
        problem,
    })?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.split('.').find(|part| !part.is_empty()).unwrap_or("indicators");
    Ok(IndicatorList::read(&shown, file)?.called(name))
}
