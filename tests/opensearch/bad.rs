//! What goes wrong with a cluster that is there, and what is said of it: each failure is made on the server itself, told with
//! its remedy, and over when its cause is.

use std::time::{Duration, Instant};

use portcullis::{
    index::Index as _,
    opensearch::{
        Auth, Client,
        remote::Remote,
        writer::{Item, Written},
    },
};
use reqwest::Method;
use serde_json::{Value, json};

use super::{cluster::Cluster, told::Told};

/// More than the server takes in one request: it was started with 10 MB.
const LARGE: usize = 12_000_000;

/// For how long it takes none.
const BUSY: Duration = Duration::from_millis(1_500);

/// A day that nothing else here writes to.
const INDEX: &str = "/siem-waf-2031-02-01";

/// All of it.
pub(crate) fn prove(cluster: &Cluster, told: &mut Told) -> Result<(), String> {
    let index = cluster.index("writer")?;
    let blocked = |is: Value| {
        let settings = json!({ "index.blocks.read_only_allow_delete": is });
        cluster.must("admin", Method::PUT, &format!("{INDEX}/_settings"), Some(settings))
    };
    let write = |id: &str| written(&index, id);
    write("before")?;
    blocked(json!(true))?;
    let refused = write("meanwhile");
    blocked(Value::Null)?;
    told.line(
        "bad: a read-only index, as a full disk makes it",
        says(refused, "free some space"),
    );
    told.line("bad: writable again", write("meanwhile").map(|()| "written".to_owned()));
    cluster.must("admin", Method::DELETE, INDEX, None)?;
    too_much(cluster, told)?;

    let most = |buckets: &Value| limit(cluster, "search.max_buckets", buckets);
    most(&json!(2))?;
    let heavy = json!({ "size": 0, "aggs": { "t": { "terms": { "field": "source.ip", "size": 1_000 } } } });
    let answer = cluster.index("analyst")?.search("waf", &heavy);
    most(&Value::Null)?;
    let answer = answer.map(drop).map_err(|error| error.to_string());
    told.line("bad: a request with too many buckets", says(answer, "too many buckets"));

    for (what, endpoint, password, said) in [
        (
            "away",
            "https://127.0.0.1:1",
            Cluster::password("writer"),
            "does not answer",
        ),
        (
            "a wrong password",
            cluster.endpoint.as_str(),
            "wrong",
            "does not know us (401)",
        ),
    ] {
        let auth = Auth::Basic {
            user: "writer".to_owned(),
            password: password.to_owned(),
        };
        let client = Client::new(endpoint, Some(cluster.ca.as_path()), auth).map_err(|error| error.to_string())?;
        let nowhere = std::env::temp_dir().join("portcullis-refused-nothing.ndjson");
        let index = Remote::new(client, 5_000_000, nowhere).map_err(|error| error.to_string())?;
        let answer = index
            .search("waf", &json!({}))
            .map(drop)
            .map_err(|error| error.to_string());
        told.line(&format!("bad: {what}"), says(answer, said));
    }
    Ok(())
}

/// A request that is larger than the server takes (413), and a server that takes none for a while (429): nothing is lost.
fn too_much(cluster: &Cluster, told: &mut Told) -> Result<(), String> {
    let large = json!({ "query": { "match": { "message": "x".repeat(LARGE) } } });
    let answer = cluster.send("writer", Method::POST, "/siem-waf/_search", Some(large));
    told.line(
        "bad: a request that is too large",
        says(answer.map(drop).map_err(|error| error.to_string()), "413"),
    );
    let all = |count: usize, bytes: usize| -> Vec<Item> {
        let one = |number: usize| Item {
            index: INDEX.trim_start_matches('/').to_owned(),
            id: Some(format!("{bytes}-{number}")),
            version: None,
            document: json!({ "@timestamp": "2031-02-01T10:00:00.000Z", "message": "x".repeat(bytes) })
                .to_string()
                .into_bytes(),
        };
        (0..count).map(one).collect()
    };
    let halves = cluster.bulk_of(2 * LARGE, "writer", all(24, LARGE / 12))?;
    told.line("bad: documents that are too many for a request", created(&halves, 24));

    let most = |bytes: &Value| limit(cluster, "network.breaker.inflight_requests.limit", bytes);
    most(&json!("1kb"))?;
    let busy = std::thread::scope(|scope| {
        let later = scope.spawn(|| {
            std::thread::sleep(BUSY);
            most(&Value::Null)
        });
        let began = Instant::now();
        let written = cluster.bulk("writer", all(24, 4_000));
        let took = began.elapsed();
        later.join().map_err(|_| "the limit stays".to_owned())??;
        if took < BUSY {
            return Err(format!("it took {took:?} and was not busy"));
        }
        written
    })?;
    told.line("bad: a cluster that is busy for a while", created(&busy, 24));
    cluster.must("admin", Method::DELETE, INDEX, None).map(drop)
}

/// Sets a limit of the cluster; null takes it away.
fn limit(cluster: &Cluster, name: &str, value: &Value) -> Result<(), String> {
    let settings = json!({ "transient": { name: value } });
    cluster
        .must("admin", Method::PUT, "/_cluster/settings", Some(settings))
        .map(drop)
}

fn created(written: &Written, count: usize) -> Result<String, String> {
    if (written.created, written.rejected.len()) == (count, 0) {
        Ok(format!("{count} documents written"))
    } else {
        Err(format!("{} of {count} written: {written:?}", written.created)
            .chars()
            .take(300)
            .collect())
    }
}

fn written(index: &Remote, id: &str) -> Result<(), String> {
    let document = json!({ "@timestamp": "2031-02-01T10:00:00.000Z", "event": { "id": id } }).to_string();
    let mut documents = std::iter::once(document.as_bytes());
    index
        .write("waf", &mut documents)
        .map(drop)
        .map_err(|error| error.to_string())
}

/// Success is the failure that was made.
fn says(answer: Result<(), String>, said: &str) -> Result<String, String> {
    match answer {
        Err(error) if error.contains(said) => Ok(said.to_owned()),
        Err(error) => Err(error),
        Ok(()) => Err("nothing went wrong".to_owned()),
    }
}
