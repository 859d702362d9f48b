//! A wrongly mapped index copied into one that is mapped as its template says, and deleted once the copy is whole.
//!
//! Written in an order in which nothing can be lost: no more writes to the old index, copy, count both, and only then one call
//! that deletes the old one. Ended in the middle, the same again goes on: a document has the same id in both.
//! <https://docs.opensearch.org/latest/im-plugin/reindex-data/>

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    client::{Body, Client},
    error::Error,
    names,
};

/// How often a copy is looked at.
const PAUSE: Duration = Duration::from_secs(1);
/// What the copy's name ends with.
const COPY: &str = "-again";

/// What became of one index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its documents are in the index of this name now.
    Copied {
        /// The new index.
        into: String,
        /// How many documents.
        documents: u64,
    },
    /// It may be written to today, and would be made again at once.
    InUse,
    /// The copy is not whole. Both are there, and the old one takes writes again.
    Incomplete {
        /// Documents of the old index.
        documents: u64,
        /// Of the copy.
        copied: u64,
        /// The first reason that the cluster gave.
        reason: String,
    },
}

/// Whether delivery streams or `serve` may write to an index: its name says today, or no day at all.
fn is_in_use(index: &str, now: DateTime<Utc>) -> bool {
    let day = |text: &str| {
        names::panel_index(text).and_then(|name| text.split_once(&format!("{name}-")).map(|(_, day)| day.to_owned()))
    };
    let rest = index.strip_prefix("siem-native-").map_or_else(
        || day(index),
        |rest| rest.split_once('-').map(|(_, day)| day.to_owned()),
    );
    let today = [
        now.format("%Y-%m-%d"),
        now.format("%Y-%m-%d-%H"),
        now.format("%Y-%m"),
        now.format("%G-w%V"),
    ];
    match rest {
        None => true,
        Some(rest) => {
            let has_a_day = rest.len() >= 7 && rest.as_bytes()[..4].iter().all(u8::is_ascii_digit);
            !has_a_day || today.iter().any(|today| rest == today.to_string())
        }
    }
}

/// Copies one index and deletes it.
///
/// # Errors
/// When the cluster does not answer, or this user may not; the old index is whole then.
pub async fn again(client: &Client, index: &str, now: DateTime<Utc>) -> Result<Outcome, Error> {
    if is_in_use(index, now) {
        return Ok(Outcome::InUse);
    }
    let copy = format!("{index}{COPY}");
    block(client, index, true).await?;
    let moved = moved(client, index, &copy).await;
    if !matches!(moved, Ok(Outcome::Copied { .. })) {
        block(client, index, false).await?;
    }
    moved
}

async fn moved(client: &Client, index: &str, copy: &str) -> Result<Outcome, Error> {
    let body = json!({ "source": { "index": index }, "dest": { "index": copy } });
    let path = "/_reindex?wait_for_completion=false&refresh=true";
    let begun = client.send(Method::POST, path, Some(Body::Json(body))).await?;
    let task = begun["task"].as_str().unwrap_or_default().to_owned();
    let done = loop {
        let state = client.send(Method::GET, &format!("/_tasks/{task}"), None).await?;
        if state["completed"] == true {
            break state;
        }
        sleep(PAUSE).await;
    };
    let (documents, copied) = (count(client, index).await?, count(client, copy).await?);
    let failure = [&done["error"], &done["response"]["failures"][0]]
        .into_iter()
        .find(|failure| !failure.is_null());
    if failure.is_some() || documents != copied {
        let reason = failure.map_or_else(|| "the numbers differ".to_owned(), Value::to_string);
        return Ok(Outcome::Incomplete {
            documents,
            copied,
            reason: reason.chars().take(300).collect(),
        });
    }
    let delete = json!({ "actions": [{ "remove_index": { "index": index } }] });
    client.send(Method::POST, "/_aliases", Some(Body::Json(delete))).await?;
    Ok(Outcome::Copied {
        into: copy.to_owned(),
        documents,
    })
}

async fn count(client: &Client, index: &str) -> Result<u64, Error> {
    let answer = client
        .send(Method::POST, &format!("/{index}/_count"), Some(Body::Json(json!({}))))
        .await?;
    Ok(answer["count"].as_u64().unwrap_or_default())
}

async fn block(client: &Client, index: &str, writes: bool) -> Result<(), Error> {
    let value = if writes { json!(true) } else { Value::Null };
    let body = Body::Json(json!({ "index.blocks.write": value }));
    client
        .send(Method::PUT, &format!("/{index}/_settings"), Some(body))
        .await
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_that_may_be_written_today_is_left() {
        let now: DateTime<Utc> = "2026-11-21T12:00:00Z".parse().expect("a time");
        for (index, in_use) in [
            ("siem-waf-2026-11-21", true),
            ("siem-waf-2026-11-20", false),
            ("siem-waf-2026-11", true),
            ("siem-waf-2026-10", false),
            ("siem-waf-2026-11-21-12", true),
            ("siem-waf-2026-11-21-11", false),
            ("siem-waf-2026-w47", true),
            ("siem-native-waf-2026-11-21", true),
            ("siem-native-waf-2026-11-20", false),
            ("siem-waf-old", true),
            ("siem-waf", true),
        ] {
            assert_eq!(is_in_use(index, now), in_use, "{index}");
        }
    }
}
