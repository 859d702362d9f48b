//! Databases in the MaxMind format: where an address is, and whose network it is in.
//!
//! Format: <https://maxmind.github.io/MaxMind-DB/>. A database is not trusted: what cannot be read in it is as if it were
//! not there, and one that is damaged as a whole is refused when it is opened.

use std::{fmt, fs::File, io::Read as _, net::IpAddr, path::Path};

use maxminddb::Reader;
use mmap_io::MemoryMappedFile;
use serde::Deserialize;

/// A database cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// The file cannot be read.
    #[error("{path}: cannot be read ({problem}); check its path and who may read it")]
    Read {
        /// Which file.
        path: String,
        /// Why.
        problem: std::io::Error,
    },
    /// It is no database, or a damaged one.
    #[error("{path}: is no MaxMind database, or a damaged one ({problem}); fetch it again, and unpack it (.mmdb)")]
    Damaged {
        /// Which file.
        path: String,
        /// What its reader said.
        problem: String,
    },
    /// It holds something else.
    #[error("{path}: is a database of type {found}, not of {wanted}")]
    Kind {
        /// Which file.
        path: String,
        /// Its type, as it says itself.
        found: String,
        /// What was expected.
        wanted: &'static str,
    },
}

/// What a database is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseKind {
    /// Country, city and place: GeoLite2-City, GeoLite2-Country and what is built like them.
    Places,
    /// Autonomous systems: GeoLite2-ASN and what is built like it.
    Networks,
}

/// An open database.
pub struct Database {
    reader: Reader<Bytes>,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let metadata = self.reader.metadata();
        f.debug_struct("Database")
            .field("type", &metadata.database_type)
            .finish_non_exhaustive()
    }
}

enum Bytes {
    Held(Vec<u8>),
    Mapped(MemoryMappedFile),
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        match self {
            Bytes::Held(bytes) => bytes,
            Bytes::Mapped(map) => map.as_slice_bytes(0, map.len()).unwrap_or_default(),
        }
    }
}

impl Database {
    /// Maps a file into memory. It has to be replaced by renaming, not by writing into it.
    ///
    /// # Errors
    /// When it cannot be read, is damaged, or is of the other kind.
    pub fn open(path: &Path, kind: DatabaseKind) -> Result<Self, DatabaseError> {
        let name = path.display().to_string();
        let unreadable = |problem| DatabaseError::Read {
            path: name.clone(),
            problem,
        };
        // What is short or cannot be mapped, such as a pipe, is read; it also gives the better error.
        let mut file = File::open(path).map_err(unreadable)?;
        let bytes = match MemoryMappedFile::open_ro(path) {
            Ok(map) => Bytes::Mapped(map),
            Err(_) => {
                let mut bytes = Vec::new();
                file.read_to_end(&mut bytes).map_err(unreadable)?;
                Bytes::Held(bytes)
            }
        };
        Self::new(&name, bytes, kind)
    }

    /// A database that is in memory; `name` is for messages.
    ///
    /// # Errors
    /// When it is damaged, or is of the other kind.
    pub fn from_bytes(name: &str, bytes: Vec<u8>, kind: DatabaseKind) -> Result<Self, DatabaseError> {
        Self::new(name, Bytes::Held(bytes), kind)
    }

    fn new(name: &str, bytes: Bytes, kind: DatabaseKind) -> Result<Self, DatabaseError> {
        let damaged = |problem: String| DatabaseError::Damaged {
            path: name.to_owned(),
            problem,
        };
        let reader = Reader::from_source(bytes).map_err(|error| damaged(error.to_string()))?;
        let database = Self { reader };
        let found = database.reader.metadata().database_type.clone();
        let has = |words: &[&str]| words.iter().any(|word| found.contains(word));
        let wanted = match kind {
            DatabaseKind::Places if has(&["ASN", "ISP"]) && !has(&["City", "Country"]) => "countries or cities",
            DatabaseKind::Networks if has(&["City", "Country"]) && !has(&["ASN", "ISP"]) => "autonomous systems",
            _ => {
                // Damage that every look-up meets is told now, not by documents without places.
                for address in ["198.51.100.7", "8.8.8.8", "2001:4860:4860::8888"] {
                    if let Ok(address) = address.parse() {
                        let read = match kind {
                            DatabaseKind::Places => database.look_up::<Place<'_>>(address).map(drop),
                            DatabaseKind::Networks => database.look_up::<Network<'_>>(address).map(drop),
                        };
                        read.map_err(damaged)?;
                    }
                }
                return Ok(database);
            }
        };
        Err(DatabaseError::Kind {
            path: name.to_owned(),
            found: found.chars().take(80).collect(),
            wanted,
        })
    }

    fn look_up<'a, T: Deserialize<'a>>(&'a self, address: IpAddr) -> Result<Option<T>, String> {
        if address.is_ipv6() && self.reader.metadata().ip_version == 4 {
            return Ok(None);
        }
        self.reader
            .lookup(address)
            .and_then(|found| found.decode())
            .map_err(|error| error.to_string())
    }

    pub(super) fn place(&self, address: IpAddr) -> Option<Place<'_>> {
        self.look_up(address).ok().flatten()
    }

    pub(super) fn network(&self, address: IpAddr) -> Option<Network<'_>> {
        self.look_up(address).ok().flatten()
    }
}

/// What is read of a place. The names are those of the format's city and country databases.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Place<'a> {
    #[serde(borrow)]
    pub(super) country: Named<'a>,
    #[serde(borrow)]
    pub(super) city: Named<'a>,
    pub(super) location: Location,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Named<'a> {
    pub(super) iso_code: Option<&'a str>,
    #[serde(borrow)]
    pub(super) names: Names<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Names<'a> {
    pub(super) en: Option<&'a str>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Location {
    latitude: Option<f64>,
    longitude: Option<f64>,
}

impl Location {
    /// Latitude and longitude, when both are on the globe.
    pub(super) fn degrees(&self) -> Option<(f64, f64)> {
        let (latitude, longitude) = (self.latitude?, self.longitude?);
        (latitude.abs() <= 90.0 && longitude.abs() <= 180.0).then_some((latitude, longitude))
    }
}

/// What is read of a network.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Network<'a> {
    pub(super) autonomous_system_number: Option<u32>,
    pub(super) autonomous_system_organization: Option<&'a str>,
}
