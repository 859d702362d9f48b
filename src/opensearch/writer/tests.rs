//! The writer against a cluster that is played by a few lines: busy, partly busy, refusing, too small.

use std::{
    io::Read as _,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use flate2::read::GzDecoder;

use super::*;
use crate::opensearch::client::Auth;

/// Decides about one document by its action and its text: status and reason.
type Decide = fn(calls: usize, document: &str) -> (u16, &'static str);

struct Played {
    decide: Decide,
    most_bytes: usize,
    seen: Mutex<Vec<Vec<(Value, String)>>>,
}

async fn bulk(State(played): State<Arc<Played>>, body: Bytes) -> (StatusCode, String) {
    let mut text = String::new();
    GzDecoder::new(&body[..]).read_to_string(&mut text).expect("gzip");
    if text.len() > played.most_bytes {
        return (StatusCode::PAYLOAD_TOO_LARGE, "too large".to_owned());
    }
    let lines: Vec<&str> = text.lines().collect();
    let pairs: Vec<(Value, String)> = lines
        .chunks(2)
        .map(|pair| (serde_json::from_str(pair[0]).expect("an action"), pair[1].to_owned()))
        .collect();
    let calls = {
        let mut seen = played.seen.lock().expect("seen");
        seen.push(pairs.clone());
        seen.len()
    };
    let mut items = Vec::new();
    for (_, document) in &pairs {
        let (status, reason) = (played.decide)(calls, document);
        if status == 999 {
            return (StatusCode::TOO_MANY_REQUESTS, "{}".to_owned());
        }
        items.push(json!({ "index": { "status": status, "error": { "reason": reason } } }));
    }
    (StatusCode::OK, json!({ "items": items }).to_string())
}

async fn played(decide: Decide, most_bytes: usize) -> (Arc<Played>, Writer) {
    let played = Arc::new(Played {
        decide,
        most_bytes,
        seen: Mutex::default(),
    });
    let router = Router::new()
        .route("/_bulk", post(bulk))
        .with_state(Arc::clone(&played));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let client = Client::new(&endpoint, None, Auth::None).expect("a client");
    let mut writer = Writer::new(client, 100_000);
    writer.first_wait = Duration::from_millis(1);
    (played, writer)
}

fn items(count: usize) -> Vec<Item> {
    (0..count)
        .map(|number| Item {
            index: "siem-waf-2026-11-21".to_owned(),
            id: Some(format!("id-{number}")),
            version: None,
            document: format!("{{\"n\":{number}}}").into_bytes(),
        })
        .collect()
}

#[tokio::test]
async fn only_what_the_cluster_was_too_busy_for_is_sent_again() {
    let decide: Decide = |calls, document| match (calls, document) {
        (1, "{\"n\":1}") => (429, "rejected execution"),
        (_, "{\"n\":2}") => (400, "failed to parse"),
        _ => (201, ""),
    };
    let (played, writer) = played(decide, usize::MAX).await;
    let written = writer.write(items(4)).await.expect("written");
    assert_eq!((written.created, written.rejected.len()), (3, 1));
    assert_eq!(written.rejected[0].item.document, b"{\"n\":2}");
    assert!(written.rejected[0].reason.contains("failed to parse"));
    let seen = played.seen.lock().expect("seen");
    assert_eq!(seen.iter().map(Vec::len).collect::<Vec<_>>(), [4, 1]);
    assert_eq!(seen[1][0].0["index"]["_id"], "id-1");
}

#[tokio::test]
async fn a_cluster_that_stays_busy_is_an_error_and_not_a_loss() {
    let (played, writer) = played(|_, _| (999, ""), usize::MAX).await;
    let error = writer.write(items(2)).await.expect_err("busy");
    assert!(matches!(error, Error::Busy { .. }), "{error}");
    assert_eq!(played.seen.lock().expect("seen").len(), ATTEMPTS as usize);
}

#[tokio::test]
async fn a_writer_with_little_time_sends_again_for_as_long_as_it_has() {
    let (cluster, mut writer) = played(
        |calls, _| if calls < 12 { (429, "busy") } else { (201, "") },
        usize::MAX,
    )
    .await;
    writer.first_wait = Duration::from_micros(1);
    let enough = writer.until(Instant::now() + Duration::from_secs(30));
    assert_eq!(enough.write(items(1)).await.expect("written").created, 1);
    assert!(cluster.seen.lock().expect("seen").len() > ATTEMPTS as usize);

    let (_, mut busy) = played(|_, _| (999, ""), usize::MAX).await;
    // Without a pause the last attempt is always cut short, and what the cluster said before is still what is told.
    busy.first_wait = Duration::ZERO;
    let error = busy
        .until(Instant::now() + Duration::from_secs(2))
        .write(items(1))
        .await;
    assert!(matches!(error, Err(Error::Busy { .. })), "{error:?}");

    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", silent.local_addr().expect("an address"));
    let client = Client::new(&endpoint, None, Auth::None).expect("a client");
    let late = Writer::new(client, 1_000).until(Instant::now() + Duration::from_millis(50));
    let error = late.write(items(1)).await.expect_err("no answer").to_string();
    assert!(error.contains("in the time that was left"), "{error}");
}

#[tokio::test]
async fn a_request_that_is_too_large_is_halved_until_it_fits() {
    let (played, writer) = played(|_, _| (201, ""), 200).await;
    let mut several = items(8);
    several[3].document = format!("{{\"n\":\"{}\"}}", "x".repeat(300)).into_bytes();
    let written = writer.write(several).await.expect("written");
    assert_eq!((written.created, written.rejected.len()), (7, 1));
    assert!(played.seen.lock().expect("seen").iter().all(|batch| batch.len() <= 2));
}

#[tokio::test]
async fn a_full_disk_or_a_missing_permission_is_not_the_documents_fault() {
    for (decide, said) in [
        (
            (|_, _| {
                (
                    403,
                    "index [x] blocked by: [FORBIDDEN/12/index read-only / allow delete (api)];",
                )
            }) as Decide,
            "free some space",
        ),
        (
            |_, _| (403, "no permissions for [indices:data/write/index]"),
            "permission",
        ),
    ] {
        let (_, writer) = played(decide, usize::MAX).await;
        let error = writer.write(items(1)).await.expect_err("refused").to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[tokio::test]
async fn an_older_version_replaces_nothing_and_is_no_mistake() {
    let (played, writer) = played(|_, _| (409, "version conflict"), usize::MAX).await;
    let mut one = items(1);
    one[0].version = Some(1_795_255_200_000);
    let written = writer.write(one).await.expect("written");
    assert_eq!((written.stale, written.rejected.len()), (1, 0));
    let seen = played.seen.lock().expect("seen");
    assert_eq!(seen[0][0].0["index"]["version_type"], "external_gte");
}

#[test]
fn every_document_is_in_one_batch_and_in_order() {
    let all = items(1_000);
    let batches = batches(all.clone(), 5_000);
    assert!(batches.len() > 10 && batches.iter().all(|batch| !batch.is_empty()));
    assert_eq!(batches.concat(), all);
}
