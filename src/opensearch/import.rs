//! Saved objects into OpenSearch Dashboards, through the API that its *Import* button uses.
//!
//! What is there and the same is left; what is there and differs was edited, or is of another version, which nobody can tell
//! apart: it is replaced only when a person says so. No public package has OpenSearch Dashboards, so this is held against its
//! public source and a server that is played in the tests.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    client::{Body, Client},
    error::Error,
};

/// Objects that are asked for at once.
const AT_ONCE: usize = 100;
/// What separates the parts of the form; no saved object has a line of it, because each is one line of JSON.
const BOUNDARY: &str = "portcullis-saved-objects";

/// How Dashboards' objects stand to ours.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    /// `type:id` with the whole object: not there.
    pub missing: BTreeMap<String, Value>,
    /// There, and another.
    pub differing: BTreeMap<String, Value>,
    /// There, and the same.
    pub same: usize,
}

/// Compares the objects of some files with those of Dashboards. Changes nothing.
///
/// # Errors
/// When Dashboards does not answer or does not let us look.
pub async fn compare(client: &Client, files: &[(String, String)]) -> Result<Standing, Error> {
    let mut ours: BTreeMap<String, Value> = BTreeMap::new();
    for object in files
        .iter()
        .flat_map(|(_, text)| text.lines())
        .filter_map(|line| serde_json::from_str(line).ok())
    {
        ours.insert(name(&object), object);
    }
    let mut standing = Standing::default();
    let all: Vec<(String, Value)> = ours.into_iter().collect();
    for some in all.chunks(AT_ONCE) {
        let wanted: Vec<Value> = some
            .iter()
            .map(|(_, o)| json!({ "type": o["type"], "id": o["id"] }))
            .collect();
        let body = Body::Form(
            "application/json".to_owned(),
            Value::from(wanted).to_string().into_bytes(),
        );
        let answer = client
            .send(Method::POST, "/api/saved_objects/_bulk_get", Some(body))
            .await?;
        let found: BTreeMap<String, &Value> = answer["saved_objects"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|object| object["error"].is_null())
            .map(|object| (name(object), object))
            .collect();
        for (name, object) in some {
            match found.get(name) {
                None => drop(standing.missing.insert(name.clone(), object.clone())),
                Some(found) if is_same(found, object) => standing.same += 1,
                Some(_) => drop(standing.differing.insert(name.clone(), object.clone())),
            }
        }
    }
    Ok(standing)
}

/// Puts these objects there, over what has their names.
///
/// # Errors
/// When Dashboards refuses one; then it took none.
pub async fn put(client: &Client, objects: &[&Value]) -> Result<(), Error> {
    let lines: String = objects.iter().map(|object| format!("{object}\n")).collect();
    let form = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"portcullis.ndjson\"\r\n\
         Content-Type: application/ndjson\r\n\r\n{lines}\r\n--{BOUNDARY}--\r\n"
    );
    let body = Body::Form(format!("multipart/form-data; boundary={BOUNDARY}"), form.into_bytes());
    let answer = client
        .send(Method::POST, "/api/saved_objects/_import?overwrite=true", Some(body))
        .await?;
    if answer["success"] == true {
        return Ok(());
    }
    let first = &answer["errors"][0];
    Err(Error::Refused {
        what: format!("import of {}", name(first)),
        status: 200,
        reason: first["error"].to_string().chars().take(400).collect(),
    })
}

fn name(object: &Value) -> String {
    let text = |key: &str| object[key].as_str().unwrap_or_default();
    format!("{}:{}", text("type"), text("id"))
}

/// The same content; versions and times of writing are Dashboards' own, and a pattern's fields it adds by itself.
fn is_same(found: &Value, ours: &Value) -> bool {
    let attributes = ours["attributes"].as_object();
    let same = attributes
        .into_iter()
        .flatten()
        .all(|(key, value)| found["attributes"].get(key) == Some(value));
    let names = |object: &Value| {
        let references = object["references"].as_array().cloned().unwrap_or_default();
        let mut told: Vec<String> = references
            .iter()
            .map(|one| format!("{} {}", one["name"], name(one)))
            .collect();
        told.sort();
        told
    };
    same && names(found) == names(ours)
}

#[cfg(all(test, feature = "embedded"))]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};

    use super::*;
    use crate::{
        dashboards::{pages, saved},
        opensearch::Auth,
    };

    type Store = Arc<Mutex<BTreeMap<String, Value>>>;

    async fn bulk_get(State(store): State<Store>, headers: HeaderMap, body: Bytes) -> String {
        assert_eq!(headers["osd-xsrf"], "true");
        let wanted: Vec<Value> = serde_json::from_slice(&body).expect("a list");
        let store = store.lock().expect("store");
        let found: Vec<Value> = wanted
            .iter()
            .map(|one| match store.get(&name(one)) {
                Some(object) => object.clone(),
                None => json!({ "type": one["type"], "id": one["id"], "error": { "statusCode": 404 } }),
            })
            .collect();
        json!({ "saved_objects": found }).to_string()
    }

    async fn import(State(store): State<Store>, headers: HeaderMap, body: Bytes) -> String {
        let kind = headers["content-type"].to_str().expect("text");
        let boundary = kind.split("boundary=").nth(1).expect("a boundary");
        let text = String::from_utf8(body.to_vec()).expect("text");
        assert!(text.starts_with(&format!("--{boundary}\r\n")) && text.ends_with(&format!("--{boundary}--\r\n")));
        let mut store = store.lock().expect("store");
        for object in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            store.insert(name(&object), object);
        }
        json!({ "success": true }).to_string()
    }

    #[tokio::test]
    async fn what_is_missing_is_put_there_once_and_an_edit_is_told() {
        let store = Store::default();
        let router = Router::new()
            .route("/api/saved_objects/_bulk_get", post(bulk_get))
            .route("/api/saved_objects/_import", post(import))
            .with_state(Arc::clone(&store));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let client = Client::new(&endpoint, None, Auth::None).expect("a client");
        let files = saved::files(pages());

        let before = compare(&client, &files).await.expect("compared");
        assert!(before.missing.len() > 200 && before.same == 0);
        put(&client, &before.missing.values().collect::<Vec<_>>())
            .await
            .expect("put");
        let after = compare(&client, &files).await.expect("compared");
        assert_eq!(
            (after.missing.len(), after.differing.len(), after.same),
            (0, 0, before.missing.len())
        );

        let edited = "visualization:portcullis-waf-clients";
        store.lock().expect("store").get_mut(edited).expect("there")["attributes"]["title"] = json!("mine");
        let told = compare(&client, &files).await.expect("compared");
        assert_eq!(told.differing.keys().collect::<Vec<_>>(), [edited]);
    }
}
