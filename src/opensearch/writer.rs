//! Documents into a cluster: `_bulk`, compressed, at most a few requests at once.
//!
//! A document's id is its `event.id`, and its index the day that it happened, so that writing it again changes nothing. What
//! the cluster is too busy for is sent again, later and later; what it refuses is kept with the reason, and costs the others
//! nothing. <https://docs.opensearch.org/latest/api-reference/document-apis/bulk/>

use std::{
    io::Write as _,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use flate2::{Compression, write::GzEncoder};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    task::JoinSet,
    time::{Instant, timeout_at},
};

use super::{
    client::{Body, Client},
    error::{self, Error},
};

/// Requests on their way at the same time.
const AT_ONCE: usize = 2;
/// How often one request, or what is left of it, is sent.
const ATTEMPTS: u32 = 8;
/// The first wait before it is sent again; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// One document on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Where to.
    pub index: String,
    /// Its id; without one the cluster makes it one, and writing it again makes another.
    pub id: Option<String>,
    /// Milliseconds of the version that it holds: an older one never replaces a newer one.
    pub version: Option<i64>,
    /// One JSON object.
    pub document: Vec<u8>,
}

/// A document that the cluster refused for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The document.
    pub item: Item,
    /// The cluster's reason.
    pub reason: String,
}

/// What became of documents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// New ones.
    pub created: usize,
    /// Those that were there.
    pub updated: usize,
    /// Older versions of what is there.
    pub stale: usize,
    /// Those that the cluster refused.
    pub rejected: Vec<Rejected>,
}

impl Written {
    fn add(&mut self, other: Written) {
        self.created += other.created;
        self.updated += other.updated;
        self.stale += other.stale;
        self.rejected.extend(other.rejected);
    }
}

/// Writes to a cluster.
#[derive(Clone, Debug)]
pub struct Writer {
    client: Client,
    bulk_bytes: usize,
    first_wait: Duration,
    until: Option<Instant>,
}

impl Writer {
    /// A writer whose requests hold about `bulk_bytes` of documents.
    #[must_use]
    pub fn new(client: Client, bulk_bytes: usize) -> Self {
        Self {
            client,
            bulk_bytes: bulk_bytes.max(1),
            first_wait: FIRST_WAIT,
            until: None,
        }
    }

    /// The same writer for somebody who has until this moment: it sends again as often as there is time for, and no longer.
    #[must_use]
    pub fn until(&self, moment: Instant) -> Self {
        Self {
            until: Some(moment),
            ..self.clone()
        }
    }

    /// Writes all of these, and returns when the cluster has them: whoever brings more waits meanwhile.
    ///
    /// # Errors
    /// When the cluster does not take them for a reason that is not the documents'; then some may be there, and writing all
    /// of them again is harmless where they have ids.
    pub async fn write(&self, items: Vec<Item>) -> Result<Written, Error> {
        let mut written = Written::default();
        let mut requests: JoinSet<Result<Written, Error>> = JoinSet::new();
        for batch in batches(items, self.bulk_bytes) {
            if requests.len() >= AT_ONCE {
                written.add(next(&mut requests).await?);
            }
            let writer = self.clone();
            requests.spawn(async move { writer.batch(batch).await });
        }
        while !requests.is_empty() {
            written.add(next(&mut requests).await?);
        }
        Ok(written)
    }

    /// One request, and further ones for what the cluster was too busy for, or found too much at once.
    async fn batch(&self, batch: Vec<Item>) -> Result<Written, Error> {
        let mut written = Written::default();
        let mut waiting = vec![batch];
        let mut attempt = 0;
        let mut before = None;
        while let Some(mut batch) = waiting.pop() {
            let body = Body::Lines(compressed(&batch));
            let failure = match self.send(body).await {
                Ok(answer) => {
                    let (done, again) = judged(batch, &answer)?;
                    written.add(done);
                    if again.is_empty() {
                        (attempt, before) = (0, None);
                        continue;
                    }
                    waiting.push(again);
                    Error::Busy {
                        what: "POST /_bulk".to_owned(),
                    }
                }
                Err(Error::TooLarge { .. }) if batch.len() > 1 => {
                    waiting.push(batch.split_off(batch.len() / 2));
                    waiting.push(batch);
                    continue;
                }
                Err(error @ Error::TooLarge { .. }) => {
                    let reason = error.to_string();
                    written.rejected.extend(batch.into_iter().map(|item| Rejected {
                        item,
                        reason: reason.clone(),
                    }));
                    continue;
                }
                Err(error) if error.may_pass() => {
                    waiting.push(batch);
                    error
                }
                Err(error) => return Err(error),
            };
            attempt += 1;
            let wait = self
                .first_wait
                .saturating_mul(1 << (attempt - 1).min(16))
                .min(LONGEST_WAIT);
            let wait = spread(wait);
            if self.gives_up(attempt, wait) {
                // An attempt that only ran out of time says less than the one before it.
                return Err(before.filter(|_| self.is_late()).unwrap_or(failure));
            }
            tracing::warn!(error = %failure, attempt, ?wait, "the cluster did not take documents; they are sent again");
            before = Some(failure);
            tokio::time::sleep(wait).await;
        }
        Ok(written)
    }

    /// One request, for as long as there is time.
    async fn send(&self, body: Body) -> Result<Value, Error> {
        let sent = self.client.send(Method::POST, "/_bulk", Some(body));
        let Some(moment) = self.until else {
            return sent.await;
        };
        timeout_at(moment, sent).await.unwrap_or_else(|_| {
            Err(Error::Away {
                endpoint: self.client.endpoint().to_owned(),
                reason: "no answer in the time that was left".to_owned(),
            })
        })
    }

    /// Whether the time is up.
    fn is_late(&self) -> bool {
        self.until.is_some_and(|moment| Instant::now() >= moment)
    }

    /// Whether to stop after so many attempts, or because the next one would come too late.
    fn gives_up(&self, attempts: u32, wait: Duration) -> bool {
        match self.until {
            Some(moment) => Instant::now() + wait >= moment,
            None => attempts >= ATTEMPTS,
        }
    }
}

/// From half of the wait to all of it: those who were turned away at the same moment shall not come back at the same one.
fn spread(wait: Duration) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    wait.mul_f64(0.5 + f64::from(now.subsec_micros() % 1_000) / 2_000.0)
}

async fn next(requests: &mut JoinSet<Result<Written, Error>>) -> Result<Written, Error> {
    match requests.join_next().await {
        None => Ok(Written::default()),
        Some(Ok(done)) => done,
        Some(Err(error)) => Err(Error::Away {
            endpoint: "the writer".to_owned(),
            reason: error.to_string(),
        }),
    }
}

/// Runs of documents of about `limit` bytes; one larger document is a run of its own.
fn batches(items: Vec<Item>, limit: usize) -> Vec<Vec<Item>> {
    let mut batches: Vec<Vec<Item>> = Vec::new();
    let mut size = usize::MAX;
    for item in items {
        let bytes = item.document.len() + item.index.len() + 100;
        if size.saturating_add(bytes) > limit {
            batches.push(Vec::new());
            size = 0;
        }
        size += bytes;
        if let Some(batch) = batches.last_mut() {
            batch.push(item);
        }
    }
    batches
}

/// The lines of a bulk request, with gzip at its fastest: the network is dearer than what a better one costs.
fn compressed(batch: &[Item]) -> Vec<u8> {
    let bytes: usize = batch.iter().map(|item| item.document.len() + 200).sum();
    let mut lines = Vec::with_capacity(bytes);
    for item in batch {
        let mut action = json!({ "_index": item.index });
        if let Some(id) = &item.id {
            action["_id"] = json!(id);
        }
        if let Some(version) = item.version {
            action["version"] = json!(version);
            action["version_type"] = json!("external_gte");
        }
        lines.extend_from_slice(json!({ "index": action }).to_string().as_bytes());
        lines.push(b'\n');
        lines.extend_from_slice(item.document.trim_ascii());
        lines.push(b'\n');
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes / 5), Compression::fast());
    // Writing to memory does not fail; were it to, the cluster would refuse what is left, and say so.
    encoder
        .write_all(&lines)
        .and_then(|()| encoder.finish())
        .unwrap_or_default()
}

/// What an answer says of each document: done, refused, or to be sent again.
fn judged(batch: Vec<Item>, answer: &Value) -> Result<(Written, Vec<Item>), Error> {
    let unreadable = || Error::Unreadable {
        what: "POST /_bulk".to_owned(),
    };
    let results = answer["items"].as_array().ok_or_else(unreadable)?;
    if results.len() != batch.len() {
        return Err(unreadable());
    }
    let (mut written, mut again) = (Written::default(), Vec::new());
    for (item, result) in batch.into_iter().zip(results) {
        let result = &result["index"];
        match result["status"].as_u64().unwrap_or_default() {
            201 => written.created += 1,
            200 => written.updated += 1,
            409 if item.version.is_some() => written.stale += 1,
            429 | 502..=504 if !error::reason(result).contains("read-only") => again.push(item),
            status => {
                let failure = Error::of("", "POST /_bulk".to_owned(), "/_bulk", status as u16, result);
                // A disk that is full or a missing permission is not the document's fault.
                if matches!(
                    failure,
                    Error::ReadOnly { .. } | Error::Forbidden { .. } | Error::Unauthorized { .. }
                ) {
                    return Err(failure);
                }
                let reason = format!("{status}: {}", whole_reason(&result["error"]));
                written.rejected.push(Rejected { item, reason });
            }
        }
    }
    Ok((written, again))
}

/// The reason with its cause, which names the field.
fn whole_reason(error: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (reason, cause) = (text(&error["reason"]), text(&error["caused_by"]["reason"]));
    let whole = if cause.is_empty() {
        reason
    } else {
        format!("{reason}: {cause}")
    };
    whole.chars().take(1_000).collect()
}

#[cfg(all(test, feature = "embedded"))]
mod tests;
