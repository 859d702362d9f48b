//! The folder of a demo: made anew at each start, and never somebody else's.

use std::{
    env,
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

/// Its presence says that a folder is a demo's and may be emptied.
const MARK: &str = "portcullis-demo.lock";

/// What a demo leaves in its folder. Nothing else is ever deleted.
const CONTENT: &[&str] = &[
    "index",
    "ledger.lock",
    "ledger.sqlite",
    "ledger.sqlite-shm",
    "ledger.sqlite-wal",
    "network-acls.sqlite",
    "network-acls.sqlite-shm",
    "network-acls.sqlite-wal",
];

/// Why a folder cannot be the demo's.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It holds what no demo left there.
    #[error("{} holds other files; name an empty or new folder with --data", path.display())]
    NotADemo {
        /// The folder.
        path: PathBuf,
    },
    /// Another demo runs in it.
    #[error("another demo is running in {}; stop it, or name another folder with --data", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// It cannot be made or emptied.
    #[error("cannot use {}: {source}; name another folder with --data", path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// An empty folder that is ours until this is dropped.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// The folder asked for, else one below the user's cache folder. What an earlier demo left in it is deleted.
    ///
    /// # Errors
    /// When it is somebody else's, in use, or cannot be written.
    pub fn prepare(asked: Option<&Path>) -> Result<Self, Error> {
        let path = asked.map_or_else(usual, Path::to_owned);
        let fail = |source| Error::Io {
            path: path.clone(),
            source,
        };
        fs::create_dir_all(&path).map_err(fail)?;
        let mark = path.join(MARK);
        let is_empty = fs::read_dir(&path).map_err(fail)?.next().is_none();
        if !is_empty && !mark.exists() {
            return Err(Error::NotADemo { path });
        }
        let lock = File::create(&mark).map_err(fail)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::InUse { path }),
            Err(TryLockError::Error(source)) => return Err(fail(source)),
        }
        for name in CONTENT {
            let old = path.join(name);
            let removed = if old.is_dir() {
                fs::remove_dir_all(&old)
            } else {
                fs::remove_file(&old)
            };
            match removed {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fail(error)),
                _ => {}
            }
        }
        Ok(Self { path, _lock: lock })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn usual() -> PathBuf {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .unwrap_or_else(env::temp_dir)
        .join("portcullis/demo")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_others_is_refused_and_left_alone() -> io::Result<()> {
        let other = tempfile::tempdir()?;
        fs::write(other.path().join("ledger.sqlite"), "precious")?;
        let error = Folder::prepare(Some(other.path()))
            .map(|_| ())
            .expect_err("not a demo's");
        assert!(matches!(error, Error::NotADemo { .. }), "{error}");
        assert_eq!(fs::read(other.path().join("ledger.sqlite"))?, b"precious");
        Ok(())
    }

    #[test]
    fn one_demo_at_a_time_and_each_starts_anew() -> io::Result<()> {
        let place = tempfile::tempdir()?;
        let first = Folder::prepare(Some(place.path())).expect("empty");
        fs::write(first.path().join("ledger.sqlite"), "of the first")?;
        let error = Folder::prepare(Some(place.path())).map(|_| ()).expect_err("in use");
        assert!(matches!(error, Error::InUse { .. }), "{error}");
        drop(first);
        let second = Folder::prepare(Some(place.path())).expect("free again");
        assert!(!second.path().join("ledger.sqlite").exists());
        Ok(())
    }
}
