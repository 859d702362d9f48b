//! The same documents in SQLite, as somebody would keep them who knows it well: binary JSON in one table, an index on the time, and
//! indexes on the expressions that people filter by. It answers the panels' requests with the statements that one would write by hand.

mod condition;
mod statements;

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use portcullis::index::{Error, Index, latest};
use portcullis_transforms::{Source, Type};
use rusqlite::Connection;
use serde_json::Value;

/// A time in milliseconds, an index over one source's times, and the filters that most panels have.
const TABLES: &str = "
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA cache_size = -262144;
PRAGMA mmap_size = 17179869184;
PRAGMA temp_store = MEMORY;
CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, source TEXT NOT NULL, at INTEGER NOT NULL, doc BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS by_time ON events (at);
CREATE INDEX IF NOT EXISTS by_source ON events (source, at);
CREATE INDEX IF NOT EXISTS by_action ON events (source, json_extract(doc, '$.event.action'), at);
CREATE INDEX IF NOT EXISTS by_address ON events (json_extract(doc, '$.source.ip'), at);
CREATE TABLE IF NOT EXISTS latest (source TEXT NOT NULL, finding TEXT NOT NULL, at INTEGER NOT NULL, doc BLOB NOT NULL,
    PRIMARY KEY (source, finding));
";

const INSERT: &str =
    "INSERT INTO events (id, source, at, doc) VALUES (?1, ?2, ?3, jsonb(?4)) ON CONFLICT (id) DO NOTHING";
const NEWEST: &str = "INSERT INTO latest (source, finding, at, doc) VALUES (?1, ?2, ?3, jsonb(?4)) \
     ON CONFLICT (source, finding) DO UPDATE SET at = excluded.at, doc = excluded.doc WHERE excluded.at > latest.at";

/// The database.
pub(crate) struct Sqlite {
    file: PathBuf,
    connection: Mutex<Connection>,
    types: HashMap<&'static str, Type>,
    lists: Lists,
}

/// By index the fields that hold several values in some document; `*` has those of all.
pub(crate) type Lists = HashMap<&'static str, BTreeSet<String>>;

/// What one has to know of the fields of an index to write a statement.
pub(crate) struct Known<'k> {
    types: &'k HashMap<&'static str, Type>,
    lists: Option<&'k BTreeSet<String>>,
}

impl Known<'_> {
    fn is_list(&self, field: &str) -> bool {
        self.lists.is_some_and(|lists| lists.contains(field))
    }

    fn is_truth(&self, field: &str) -> bool {
        self.types.get(field) == Some(&Type::Boolean)
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

impl Sqlite {
    /// Makes the tables in a file.
    pub(crate) fn open(file: &Path, lists: Lists) -> Result<Self, Error> {
        let connection = Connection::open(file).map_err(failed)?;
        connection.execute_batch(TABLES).map_err(failed)?;
        connection.set_prepared_statement_cache_capacity(1_000);
        let response = portcullis::respond::document::fields();
        let types = Source::ALL
            .iter()
            .flat_map(|source| source.fields())
            .chain(response)
            .map(|field| (field.name, field.ty))
            .collect();
        Ok(Self {
            file: file.to_owned(),
            connection: Mutex::new(connection),
            types,
            lists,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a good keeper does after loading: statistics for the planner, and the log back into the file.
    pub(crate) fn settle(&self) -> Result<(), Error> {
        self.lock()
            .execute_batch("ANALYZE; PRAGMA wal_checkpoint(TRUNCATE);")
            .map_err(failed)
    }
}

pub(crate) fn failed(error: impl fmt::Display) -> Error {
    Error::Engine(format!("SQLite: {error}"))
}

impl Index for Sqlite {
    fn write(&self, index: &str, documents: &mut dyn Iterator<Item = &[u8]>) -> Result<usize, Error> {
        let mut connection = self.lock();
        let transaction = connection.transaction().map_err(failed)?;
        let mut new = 0;
        {
            let mut insert = transaction.prepare_cached(INSERT).map_err(failed)?;
            let mut newest = transaction.prepare_cached(NEWEST).map_err(failed)?;
            for document in documents {
                let text = std::str::from_utf8(document).map_err(failed)?;
                let head = latest::Head::of(index, document)?;
                let at = head.at.timestamp_millis();
                new += insert.execute((&head.event, index, at, text)).map_err(failed)?;
                if let Some(id) = head.finding {
                    newest.execute((index, id, at, text)).map_err(failed)?;
                }
            }
        }
        transaction.commit().map_err(failed)?;
        Ok(new)
    }

    fn refresh(&self) -> Result<(), Error> {
        Ok(())
    }

    fn search(&self, index: &str, body: &Value) -> Result<Value, Error> {
        let table = match (index, latest::source(index)) {
            (_, Some(source)) => format!("latest AS t WHERE source = '{source}'"),
            ("*", None) => "events AS t WHERE true".to_owned(),
            (name, None) => format!("events AS t WHERE source = '{name}'"),
        };
        let connection = self.lock();
        statements::Request {
            connection: &connection,
            fields: &Known {
                types: &self.types,
                lists: self.lists.get(latest::base(index)),
            },
            from: table,
        }
        .answer(body)
    }
}
