//! The three that keep documents: each is given the same day, and says what that took.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use portcullis::index::Index;
use portcullis_benches::cpu_nanoseconds;
use serde_json::Value;

use crate::{
    day,
    opensearch::Server,
    sqlite::{Lists, Sqlite},
};

/// Documents between two commits.
pub(crate) const AT_ONCE: u64 = 50_000;

/// One of them with the day in it.
pub(crate) struct Engine {
    pub(crate) name: &'static str,
    pub(crate) index: Arc<dyn Index>,
    /// Whether it does its work in this process, on the thread that asks.
    pub(crate) is_here: bool,
    pub(crate) written: Written,
}

/// What writing took.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) documents: u64,
    /// Until the last document was durable and could be found.
    pub(crate) seconds: f64,
    /// Until nothing was left to be tidied up; of the server too, where its process is known.
    pub(crate) cpu: f64,
    /// On disk.
    pub(crate) bytes: u64,
}

/// Every engine that is at hand, one after another.
pub(crate) fn load(folder: &Path, file: &Path, server: Option<&Server>) -> Result<Vec<Engine>> {
    let mut engines = Vec::new();
    let place = folder.join("embedded");
    let embedded = Arc::new(day::open(&place)?);
    let mut written = write(&*embedded, file, || Ok(0.0))?;
    // What was merged is deleted with a commit.
    embedded.refresh()?;
    written.bytes = size(&place)?;
    engines.push(Engine {
        name: "Portcullis, embedded",
        index: embedded,
        is_here: true,
        written,
    });

    let path = folder.join("documents.sqlite");
    let sqlite = Arc::new(Sqlite::open(&path, lists(file)?)?);
    let settle = || {
        sqlite.settle()?;
        Ok(0.0)
    };
    let mut written = write(&*sqlite, file, settle)?;
    written.bytes = fs::metadata(&path)?.len();
    engines.push(Engine {
        name: "SQLite with JSON functions",
        index: sqlite,
        is_here: true,
        written,
    });

    if let Some(server) = server {
        let index = Arc::new(server.index(folder.join("refused.ndjson"))?);
        let before = server.cpu();
        let spent = || {
            server.rest()?;
            Ok(before.zip(server.cpu()).map_or(0.0, |(before, after)| after - before))
        };
        let mut written = write(&*index, file, spent)?;
        written.bytes = server.bytes()?;
        server.forget_answers()?;
        engines.push(Engine {
            name: "OpenSearch 3.4",
            index,
            is_here: false,
            written,
        });
    }
    Ok(engines)
}

/// Writes the day; `settle` tidies up and tells what CPU time was spent elsewhere.
fn write(index: &dyn Index, file: &Path, settle: impl FnOnce() -> Result<f64>) -> Result<Written> {
    let cpu = cpu_nanoseconds();
    let (mut documents, mut spent) = (0, Duration::ZERO);
    day::replay(file, AT_ONCE, |batch| {
        let start = Instant::now();
        for (name, mut lines) in batch.indices() {
            index.write(name, &mut lines)?;
        }
        index.refresh()?;
        spent += start.elapsed();
        documents += batch.documents;
        Ok(())
    })?;
    rest();
    let elsewhere = settle()?;
    Ok(Written {
        documents,
        seconds: spent.as_secs_f64(),
        cpu: (cpu_nanoseconds() - cpu) as f64 / 1e9 + elsewhere,
        bytes: 0,
    })
}

/// Waits until this process does nothing any more, such as merging.
pub(crate) fn rest() {
    let mut quiet = 0;
    for _ in 0..1_000 {
        let before = cpu_nanoseconds();
        thread::sleep(Duration::from_millis(200));
        quiet = if cpu_nanoseconds() - before < 5_000_000 {
            quiet + 1
        } else {
            0
        };
        if quiet == 3 {
            return;
        }
    }
}

/// Bytes of everything below a folder.
pub(crate) fn size(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        let about = entry.metadata()?;
        bytes += if about.is_dir() {
            size(&entry.path())?
        } else {
            about.len()
        };
    }
    Ok(bytes)
}

/// Fields that hold several values in some document: whoever writes statements by hand knows them.
fn lists(file: &Path) -> Result<Lists> {
    let mut found = Lists::new();
    day::replay(file, AT_ONCE, |batch| {
        for (name, documents) in batch.indices() {
            for document in documents {
                let document: Value = serde_json::from_slice(document)?;
                arrays(&document, &mut String::new(), found.entry(name).or_default());
            }
        }
        Ok(())
    })?;
    let all = found.values().flatten().cloned().collect();
    found.insert("*", all);
    Ok(found)
}

fn arrays(value: &Value, path: &mut String, found: &mut BTreeSet<String>) {
    let Value::Object(object) = value else { return };
    for (key, child) in object {
        let length = path.len();
        if length > 0 {
            path.push('.');
        }
        path.push_str(key);
        if child.is_array() && !found.contains(path.as_str()) {
            found.insert(path.clone());
        }
        arrays(child, path, found);
        path.truncate(length);
    }
}
