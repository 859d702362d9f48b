//! How far each file was read. Saved only after what was read is durable, so a crash reads some records twice and none never.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

/// How far one file was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Device and inode, so that a rotated file with the same name starts anew.
    pub file: (u64, u64),
    /// Bytes that were read and dealt with.
    pub offset: u64,
}

/// The positions of all files of one data directory, in `positions.json`.
#[derive(Debug)]
pub struct Positions {
    path: PathBuf,
    files: BTreeMap<PathBuf, Position>,
}

impl Positions {
    /// Reads `positions.json` of a data directory; a missing file is a first start.
    ///
    /// # Errors
    /// When it cannot be read, or is no positions file: deleting it reads every file again, which does no harm.
    pub fn open(data: &Path) -> io::Result<Self> {
        let path = data.join("positions.json");
        let files = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                let path = path.display();
                io::Error::other(format!(
                    "{path}: {error}; delete it to read every file again (nothing is doubled)"
                ))
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error),
        };
        Ok(Self { path, files })
    }

    /// Where to go on reading `path`, whose device and inode are `file`: 0 for a file that is new or was replaced.
    #[must_use]
    pub fn of(&self, path: &Path, file: (u64, u64)) -> u64 {
        self.files
            .get(path)
            .filter(|position| position.file == file)
            .map_or(0, |position| position.offset)
    }

    /// Remembers how far `path` was read; durable after [`Positions::save`].
    pub fn set(&mut self, path: &Path, position: Position) {
        self.files.insert(path.to_owned(), position);
    }

    /// Writes the file anew, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self) -> io::Result<()> {
        let next = self.path.with_extension("json.next");
        let mut file = File::create(&next)?;
        serde_json::to_writer_pretty(&mut file, &self.files)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&next, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_outlives_a_restart_and_not_a_rotation() -> io::Result<()> {
        let data = tempfile::tempdir()?;
        let log = Path::new("/var/log/waf.ndjson");
        let mut positions = Positions::open(data.path())?;
        assert_eq!(positions.of(log, (1, 2)), 0);
        positions.set(
            log,
            Position {
                file: (1, 2),
                offset: 4096,
            },
        );
        positions.save()?;
        let positions = Positions::open(data.path())?;
        assert_eq!(positions.of(log, (1, 2)), 4096);
        assert_eq!(
            positions.of(log, (1, 3)),
            0,
            "another inode under the same name is another file"
        );
        Ok(())
    }

    #[test]
    fn a_broken_positions_file_is_named_with_its_remedy() -> io::Result<()> {
        let data = tempfile::tempdir()?;
        fs::write(data.path().join("positions.json"), "{")?;
        let message = Positions::open(data.path())
            .map(|_| ())
            .expect_err("broken")
            .to_string();
        assert!(
            message.contains("positions.json") && message.contains("delete it"),
            "{message}"
        );
        Ok(())
    }
}
