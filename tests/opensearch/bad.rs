//! What goes wrong with a cluster that is there, and what is said of it: each failure is made on the server itself, told with
//! its remedy, and over when its cause is.

use portcullis::{
    index::Index as _,
    opensearch::{Auth, Client, remote::Remote},
};
use reqwest::Method;
use serde_json::{Value, json};

use super::{cluster::Cluster, told::Told};

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

    let most = |buckets: Value| {
        let settings = json!({ "transient": { "search.max_buckets": buckets } });
        cluster.must("admin", Method::PUT, "/_cluster/settings", Some(settings))
    };
    most(json!(2))?;
    let heavy = json!({ "size": 0, "aggs": { "t": { "terms": { "field": "source.ip", "size": 1_000 } } } });
    let answer = cluster.index("analyst")?.search("waf", &heavy);
    most(Value::Null)?;
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
