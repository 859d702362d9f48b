//! Templates and roles by the program itself, and what each role is refused.

use std::{fs, process::Command};

use portcullis::opensearch::{Error, Kind, roles, writer::Item};
use reqwest::Method;
use serde_json::{Value, json};

use super::{cluster::Cluster, told::Told};

/// The delivery streams' IAM role, as the configuration names it.
const FIREHOSE_ARN: &str = "arn:aws:iam::111122223333:role/delivery";

/// Users of every role, made by the server's first user. The one that sets up has what is needed for that and no more.
pub(crate) fn users(cluster: &Cluster) -> Result<(), String> {
    let security = "/_plugins/_security/api";
    let put = |path: String, body: Value| cluster.must("admin", Method::PUT, &path, Some(body)).map(drop);
    put(format!("{security}/roles/portcullis_setup"), roles::setup())?;
    put(
        format!("{security}/rolesmapping/portcullis_setup"),
        json!({ "users": ["setup", "reindexer"] }),
    )?;
    put(format!("{security}/roles/portcullis_reindexing"), roles::reindexing())?;
    put(
        format!("{security}/rolesmapping/portcullis_reindexing"),
        json!({ "users": ["reindexer"] }),
    )?;
    for (user, backend) in [
        ("setup", vec![]),
        ("reindexer", vec![]),
        ("firehose", vec![FIREHOSE_ARN]),
        ("analyst", vec!["analysts"]),
        ("writer", vec!["portcullis"]),
    ] {
        put(
            format!("{security}/internalusers/{user}"),
            json!({ "password": Cluster::password(user), "backend_roles": backend }),
        )?;
    }
    Ok(())
}

/// Runs `portcullis opensearch` as the user who sets up; its JSON and whether it succeeded.
fn program(cluster: &Cluster, words: &[&str]) -> Result<(Value, bool), String> {
    program_as(cluster, "setup", words)
}

fn program_as(cluster: &Cluster, user: &str, words: &[&str]) -> Result<(Value, bool), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let config = folder.path().join("portcullis.toml");
    let text = format!(
        "[opensearch]\nendpoint = {:?}\nca = {:?}\nreplicas = 0\nfirehose_roles = [{FIREHOSE_ARN:?}]\n\
         analyst_roles = [\"analysts\"]\nwriter_roles = [\"portcullis\"]\n",
        cluster.endpoint,
        cluster.ca.display().to_string()
    );
    fs::write(&config, text).map_err(|error| error.to_string())?;
    let output = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(["opensearch"])
        .args(words)
        .args(["--json", "--config"])
        .arg(&config)
        .env("PORTCULLIS_OPENSEARCH_USER", user)
        .env("PORTCULLIS_OPENSEARCH_PASSWORD", Cluster::password(user))
        .output()
        .map_err(|error| error.to_string())?;
    let said: Value = serde_json::from_slice(&output.stdout)
        .map_err(|_| format!("`{}`: {}", words.join(" "), String::from_utf8_lossy(&output.stderr)))?;
    Ok((said, output.status.success()))
}

fn states<'s>(said: &'s Value, state: &str) -> Vec<&'s Value> {
    let changes = said["changes"].as_array().map(Vec::as_slice).unwrap_or_default();
    changes.iter().filter(|change| change["state"] == state).collect()
}

/// Apply, apply again, an edit, and the edit replaced.
pub(crate) fn applied(cluster: &Cluster, told: &mut Told) -> Result<(), String> {
    // From before the templates: OpenSearch guesses text where an address belongs.
    let guessed = json!({ "@timestamp": "2020-01-01T00:00:00.000Z", "source": { "ip": "192.0.2.1" } });
    cluster.must("admin", Method::PUT, "/siem-waf-2020-01-01/_doc/1", Some(guessed))?;
    let (before, _) = program(cluster, &["diff"])?;
    let (said, done) = program(cluster, &["apply"])?;
    let all = said["changes"].as_array().map_or(0, Vec::len);
    told.line(
        "diff changes nothing",
        match states(&before, "missing").len() == all {
            true => Ok(format!("{all} missing")),
            false => Err(before.to_string()),
        },
    );
    let wrong = &before["wrongly_mapped"][0];
    told.line(
        "an index from before the templates is told",
        match wrong["index"] == "siem-waf-2020-01-01" {
            true => Ok(format!("{} fields", wrong["count"])),
            false => Err(before["wrongly_mapped"].to_string()),
        },
    );
    told.line(
        "apply on an empty cluster",
        match done && said["applied"] == all && all > 30 {
            true => Ok(format!("{all} applied, skipped {}", said["skipped"][0]["what"])),
            false => Err(said.to_string()),
        },
    );
    let (said, done) = program(cluster, &["apply"])?;
    told.line(
        "apply again",
        match done && states(&said, "same").len() == all && said["applied"] == 0 {
            true => Ok("nothing to do".to_owned()),
            false => Err(format!("{:?}", states(&said, "edited"))),
        },
    );
    reindexed(cluster, told)?;
    edited(cluster, told)
}

/// The old index is copied into one that is mapped right, and goes.
fn reindexed(cluster: &Cluster, told: &mut Told) -> Result<(), String> {
    let (said, done) = program_as(cluster, "reindexer", &["apply", "--reindex"])?;
    let (after, _) = program(cluster, &["diff"])?;
    let network = json!({ "query": { "term": { "source.ip": "192.0.2.0/24" } } });
    let found = cluster.must("admin", Method::POST, "/siem-waf/_search", Some(network))?;
    let gone = cluster
        .send("admin", Method::GET, "/siem-waf-2020-01-01", None)
        .is_err();
    let whole = done && gone && after["wrongly_mapped"] == json!([]) && found["hits"]["total"]["value"] == 1;
    told.line(
        "apply --reindex",
        match whole {
            true => Ok(said["reindexed"][0].as_str().unwrap_or_default().to_owned()),
            false => Err(format!("{said}\n{after}\n{found}")),
        },
    );
    cluster.must("admin", Method::DELETE, "/siem-waf-2020-01-01-again", None)?;
    Ok(())
}

fn edited(cluster: &Cluster, told: &mut Told) -> Result<(), String> {
    let path = format!("{}portcullis_analyst", Kind::Role.path());
    let mut role = cluster.must("admin", Method::GET, &path, None)?["portcullis_analyst"].take();
    for key in ["reserved", "hidden", "static"] {
        role.as_object_mut().ok_or("no role")?.remove(key);
    }
    role["cluster_permissions"] = json!(["cluster_all"]);
    cluster.must("admin", Method::PUT, &path, Some(role))?;
    let (said, done) = program(cluster, &["apply"])?;
    let left = !done && said["left"] == 1 && states(&said, "edited").len() == 1;
    told.line(
        "apply leaves what somebody edited",
        match left {
            true => Ok(format!("{}", states(&said, "edited")[0]["differences"][0]["path"])),
            false => Err(said.to_string()),
        },
    );
    let (forced, done) = program(cluster, &["apply", "--force"])?;
    let (after, _) = program(cluster, &["diff"])?;
    told.line(
        "apply --force replaces it",
        match done && forced["applied"] == 1 && states(&after, "edited").is_empty() {
            true => Ok("replaced".to_owned()),
            false => Err(forced.to_string()),
        },
    );
    Ok(())
}

/// What each role has to be refused: user, method, path, body.
fn forbidden() -> Vec<(&'static str, Method, &'static str, Option<Value>)> {
    let document = || Some(json!({ "@timestamp": "2026-11-21T00:00:00.000Z" }));
    let mapping = || Some(json!({ "properties": { "x": { "type": "long" } } }));
    vec![
        ("firehose", Method::POST, "/siem-waf-*/_search", Some(json!({}))),
        ("firehose", Method::GET, "/siem-waf-2026-11-21/_doc/1", None),
        ("firehose", Method::DELETE, "/siem-waf-2026-11-21", None),
        ("firehose", Method::DELETE, "/siem-waf-2026-11-21/_doc/1", None),
        ("firehose", Method::PUT, "/siem-waf-2026-11-21/_mapping", mapping()),
        ("firehose", Method::PUT, "/other/_doc/1", document()),
        (
            "firehose",
            Method::PUT,
            "/portcullis-latest-guardduty/_doc/1",
            document(),
        ),
        ("firehose", Method::GET, "/_cluster/settings", None),
        ("firehose", Method::GET, "/_plugins/_security/api/roles", None),
        ("firehose", Method::GET, "/_index_template/siem-waf", None),
        ("analyst", Method::PUT, "/siem-waf-2026-11-21/_doc/1", document()),
        ("analyst", Method::PUT, "/siem-other/_doc/1", document()),
        ("analyst", Method::DELETE, "/siem-waf-2026-11-21", None),
        (
            "analyst",
            Method::POST,
            "/siem-waf-*/_delete_by_query",
            Some(json!({ "query": { "match_all": {} } })),
        ),
        ("analyst", Method::PUT, "/siem-waf-2026-11-21/_mapping", mapping()),
        ("analyst", Method::GET, "/_plugins/_security/api/roles", None),
        ("writer", Method::DELETE, "/siem-waf-2026-11-21", None),
        ("writer", Method::PUT, "/siem-waf-2026-11-21/_mapping", mapping()),
        ("writer", Method::PUT, "/other/_doc/1", document()),
        ("setup", Method::POST, "/siem-waf-*/_search", Some(json!({}))),
        ("setup", Method::DELETE, "/siem-waf-2026-11-21", None),
        ("setup", Method::GET, "/_cluster/settings", None),
    ]
}

/// Asks for each, and wants 403.
pub(crate) fn refusals(cluster: &Cluster, told: &mut Told) {
    for (user, method, path, body) in forbidden() {
        let what = format!("{user} may not {method} {path}");
        told.line(
            &what,
            match cluster.send(user, method, path, body) {
                Err(Error::Forbidden { .. }) => Ok("403".to_owned()),
                Ok(answer) => Err(format!("it could: {answer}").chars().take(200).collect()),
                Err(error) => Err(error.to_string()),
            },
        );
    }
    // What Firehose asks for besides writing.
    for path in [
        "/siem-waf-2026-11-21/_settings",
        "/siem-waf-2026-11-21/_mapping",
        "/siem-waf-2026-11-21/_stats",
        "/_nodes/stats",
        "/_cluster/stats",
        "/",
    ] {
        let found = cluster.send("firehose", Method::GET, path, None);
        told.line(
            &format!("firehose may GET {path}"),
            found.map(|_| "200".to_owned()).map_err(|error| error.to_string()),
        );
    }
    let item = Item {
        index: "siem-waf-2026-11-21".to_owned(),
        id: None,
        version: None,
        document: b"{\"@timestamp\":\"2026-11-21T00:00:00.000Z\"}".to_vec(),
    };
    told.line(
        "analyst may not write in bulk",
        match cluster.bulk("analyst", vec![item]) {
            Err(_) => Ok("403".to_owned()),
            Ok(written) => Err(format!("{written:?}")),
        },
    );
}
