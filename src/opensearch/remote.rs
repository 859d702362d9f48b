//! A cluster behind the trait of the embedded index, so that pages, pipeline and responder need not know which it is.
//!
//! The trait is called from threads and from within tasks, so requests run on a runtime of their own and the caller waits.

use std::{
    fmt,
    fs::OpenOptions,
    io::Write as _,
    path::PathBuf,
    sync::{Mutex, PoisonError, mpsc},
};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use super::{
    client::{Body, Client},
    error, names,
    writer::{Item, Rejected, Writer, Written},
};
use crate::index::{Error, Index, latest::Head};

/// Longest id that a cluster takes, in bytes.
const ID: usize = 512;
/// Bytes of refused documents that are kept; later ones are counted in the log only.
const KEPT: u64 = 256 << 20;

/// An index on a cluster.
pub struct Remote {
    client: Client,
    writer: Writer,
    rejects: Mutex<PathBuf>,
    runtime: Option<Runtime>,
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Remote {
    /// An index on the cluster of this client. Documents that it refuses are appended to the file `rejects`, as NDJSON.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn new(client: Client, bulk_bytes: usize, rejects: PathBuf) -> Result<Self, Error> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("opensearch")
            .enable_all()
            .build()
            .map_err(|error| Error::Engine(error.to_string()))?;
        Ok(Self {
            writer: Writer::new(client.clone(), bulk_bytes),
            client,
            rejects: Mutex::new(rejects),
            runtime: Some(runtime),
        })
    }

    /// Runs a request to its end, from wherever the caller is.
    fn wait<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Result<T, Error> {
        let gone = || Error::Engine("the connection to the cluster was closed".to_owned());
        let (done, waiting) = mpsc::sync_channel(1);
        let task = async move {
            // Nobody waits any more when the program ends.
            drop(done.send(work.await));
        };
        self.runtime.as_ref().ok_or_else(gone)?.spawn(task);
        waiting.recv().map_err(|_| gone())
    }

    fn send(&self, path: String, body: Value) -> Result<Value, Error> {
        let client = self.client.clone();
        let request = async move { client.send(Method::POST, &path, Some(Body::Json(body))).await };
        self.wait(request)?.map_err(|failure| match failure {
            error::Error::Refused {
                status: 400, reason, ..
            } => Error::Query(reason),
            other => Error::Engine(other.to_string()),
        })
    }

    fn keep(&self, rejected: &[Rejected]) -> Result<(), Error> {
        let path = self.rejects.lock().unwrap_or_else(PoisonError::into_inner);
        let told = |error: std::io::Error| {
            Error::Engine(format!("cannot keep refused documents in {}: {error}", path.display()))
        };
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&*path)
            .map_err(told)?;
        for Rejected { item, reason } in rejected {
            tracing::warn!(index = item.index, %reason, "the cluster refused a document");
            if file.metadata().map_err(told)?.len() > KEPT {
                continue;
            }
            let document = String::from_utf8_lossy(&item.document);
            let line = json!({ "index": item.index, "id": item.id, "reason": reason, "document": document });
            writeln!(file, "{line}").map_err(told)?;
        }
        Ok(())
    }
}

/// Writes events, and beside them the newest versions of findings; the counts are of events, what is rejected is of both.
///
/// # Errors
/// As [`Writer::write`].
pub(crate) async fn write(writer: &Writer, items: Vec<Item>) -> Result<Written, error::Error> {
    let latest = names::latest_pattern();
    let beside = |item: &Item| item.index.starts_with(latest.trim_end_matches('*'));
    let (newest, events): (Vec<Item>, Vec<Item>) = items.into_iter().partition(beside);
    let mut written = writer.write(events).await?;
    written.rejected.extend(writer.write(newest).await?.rejected);
    Ok(written)
}

/// A document on its way to its day, and to the newest version of its finding.
///
/// # Errors
/// When it is no document: it has no time or no id.
pub(crate) fn items(index: &str, document: &[u8]) -> Result<Vec<Item>, Error> {
    let head = Head::of(index, document)?;
    let mut items = vec![Item {
        index: names::daily(index, head.at),
        id: Some(bounded(&head.event)),
        version: None,
        document: document.to_vec(),
    }];
    if let Some(id) = head.finding
        && let Some(&source) = names::VERSIONED.iter().find(|source| source.name() == index)
    {
        items.push(Item {
            index: names::latest(source),
            id: Some(bounded(&id)),
            version: Some(head.at.timestamp_millis()),
            document: document.to_vec(),
        });
    }
    Ok(items)
}

/// An id that the cluster takes, the same for the same text.
fn bounded(id: &str) -> String {
    if id.len() <= ID {
        id.to_owned()
    } else {
        blake3::hash(id.as_bytes()).to_hex().to_string()
    }
}

impl Index for Remote {
    /// Returns how many are new or newer; a document that the cluster refuses is kept in the file of refused ones.
    fn write(&self, index: &str, documents: &mut dyn Iterator<Item = &[u8]>) -> Result<usize, Error> {
        let mut all = Vec::new();
        for document in documents {
            all.extend(items(index, document)?);
        }
        if all.is_empty() {
            return Ok(0);
        }
        let writer = self.writer.clone();
        let written = self.wait(async move { write(&writer, all).await })?;
        let written = written.map_err(|failure| Error::Engine(failure.to_string()))?;
        if !written.rejected.is_empty() {
            self.keep(&written.rejected)?;
        }
        Ok(written.created)
    }

    /// What was written is durable already; this makes it searchable at once.
    fn refresh(&self) -> Result<(), Error> {
        let path = format!(
            "/{},{}/_refresh?ignore_unavailable=true&allow_no_indices=true",
            names::pattern("*"),
            names::latest_pattern()
        );
        self.send(path, json!({})).map(drop)
    }

    fn search(&self, index: &str, body: &Value) -> Result<Value, Error> {
        let path = format!(
            "/{}/_search?ignore_unavailable=true&allow_no_indices=true",
            names::pattern(index)
        );
        let mut body = body.clone();
        body["timeout"] = json!(format!("{}s", crate::index::limits::TIME.as_secs()));
        let mut answer = self.send(path, body)?;
        if answer["_shards"]["failed"].as_u64() != Some(0) {
            let reason = &answer["_shards"]["failures"][0]["reason"]["reason"];
            return Err(Error::Engine(format!("a shard failed: {reason}")));
        }
        if answer["timed_out"] != false {
            return Err(Error::Engine(
                "the search took too long; choose a shorter time range".to_owned(),
            ));
        }
        for hit in answer["hits"]["hits"].as_array_mut().into_iter().flatten() {
            if let Some(name) = hit["_index"].as_str().and_then(names::panel_index) {
                hit["_index"] = json!(name);
            }
        }
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(finding: &str) -> Vec<u8> {
        json!({
            "@timestamp": "2026-11-21T10:50:57.999Z",
            "event": { "id": "e1" },
            "aws": { "guardduty": { "finding_id": finding } },
        })
        .to_string()
        .into_bytes()
    }

    #[test]
    fn an_event_goes_to_its_day_and_a_finding_to_its_newest_version_too() {
        let items = items("guardduty", &document("f\"1")).expect("items");
        let told: Vec<_> = items
            .iter()
            .map(|i| (i.index.as_str(), i.id.as_deref(), i.version))
            .collect();
        assert_eq!(
            told,
            [
                ("siem-guardduty-2026-11-21", Some("e1"), None),
                ("portcullis-latest-guardduty", Some("f\"1"), Some(1_795_258_257_999)),
            ]
        );
        assert_eq!(super::items("waf", &document("f")).expect("items").len(), 1);
    }

    #[test]
    fn an_id_is_never_longer_than_the_cluster_takes() {
        let items = items("guardduty", &document(&"f".repeat(600))).expect("items");
        assert_eq!(items[1].id.as_ref().map(String::len), Some(64));
    }

    #[test]
    fn a_line_that_is_no_document_is_refused_by_name() {
        for line in ["{}", "[]", "{\"@timestamp\":\"x\",\"event\":{\"id\":\"1\"}}"] {
            assert!(
                items("waf", line.as_bytes())
                    .expect_err(line)
                    .to_string()
                    .contains("event.id")
            );
        }
    }
}
