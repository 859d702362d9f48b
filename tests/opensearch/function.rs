//! `portcullis-index`, the real function, on the real cluster: as the writer it brings log events in and nothing twice; a record
//! that the cluster refuses costs the others nothing; whoever may not write is told what is missing.

use std::{io::Read as _, net::TcpListener, process::Stdio};

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    cluster::Cluster,
    runtime_api::{serve, started},
    subscription::{control, delivery, trail},
    told::Told,
};

/// Days that nothing else here writes to.
const DAY: &str = "2031-01-01";
const CHANGED: &str = "2031-01-02";

/// What the function did with some events, and what it printed: metrics and log.
struct Run {
    answers: Vec<(bool, String)>,
    metrics: Vec<Value>,
    log: String,
}

impl Run {
    fn of(cluster: &Cluster, user: &str, events: &[Vec<u8>]) -> Result<Self, String> {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
        let address = listener.local_addr().map_err(|error| error.to_string())?.to_string();
        let ca = cluster.ca.to_string_lossy();
        let settings = [
            ("PORTCULLIS__OPENSEARCH__ENDPOINT", cluster.endpoint.as_str()),
            ("PORTCULLIS__OPENSEARCH__CA", ca.as_ref()),
            // The server knows no IAM.
            ("PORTCULLIS__OPENSEARCH__AUTH", "basic"),
            ("PORTCULLIS_OPENSEARCH_USER", user),
            ("PORTCULLIS_OPENSEARCH_PASSWORD", Cluster::password(user)),
        ];
        let binary = env!("CARGO_BIN_EXE_portcullis-index");
        let mut function = started(binary, &address, &settings, Stdio::piped());
        let answers = serve(&listener, events)
            .into_iter()
            .map(|(line, body)| {
                let succeeded = line.ends_with("/response HTTP/1.1");
                (succeeded, String::from_utf8_lossy(&body).into_owned())
            })
            .collect();
        function.0.kill().map_err(|error| error.to_string())?;
        let mut out = String::new();
        if let Some(mut stdout) = function.0.stdout.take() {
            stdout.read_to_string(&mut out).map_err(|error| error.to_string())?;
        }
        let metrics = out.lines().map(serde_json::from_str).collect::<Result<_, _>>();
        Ok(Self {
            answers,
            metrics: metrics.map_err(|error| format!("{error} in {out}"))?,
            log: function.log(),
        })
    }

    fn succeeded(&self) -> Result<(), String> {
        match self.answers.iter().find(|(succeeded, _)| !succeeded) {
            None => Ok(()),
            Some((_, answer)) => Err(format!("failed: {answer}\n{}", self.log)),
        }
    }

    fn metric(&self, name: &str) -> u64 {
        self.metrics.iter().filter_map(|line| line[name].as_f64()).sum::<f64>() as u64
    }

    /// Metrics are these, or what they are.
    fn counted(&self, wanted: &[(&str, u64)]) -> Result<String, String> {
        self.succeeded()?;
        let found: Vec<_> = wanted.iter().map(|(name, _)| (*name, self.metric(name))).collect();
        match found == wanted {
            true => Ok(found
                .iter()
                .map(|(name, n)| format!("{n} {name}"))
                .collect::<Vec<_>>()
                .join(", ")),
            false => Err(format!("{found:?}, expected {wanted:?}\n{}", self.log)),
        }
    }
}

/// All of it.
pub(crate) fn prove(cluster: &Cluster, told: &mut Told) -> Result<(), String> {
    let messages: Vec<String> = (0..200).map(|number| trail(&format!("e-{number}"), DAY)).collect();
    let events = [control(), delivery("trail", &messages), delivery("trail", &messages)];
    let run = Run::of(cluster, "writer", &events)?;
    told.line(
        "function: log events, and the same again",
        run.counted(&[("Indexed", 200), ("Repeated", 200), ("Refused", 0), ("Rejected", 0)]),
    );
    told.line("function: each once, under its event.id", once(cluster, messages.len()));

    // As if somebody had made the index by hand before the first event came.
    // By the template's settings a value that does not fit would be ignored.
    let made = json!({
        "settings": { "index.mapping.ignore_malformed": false },
        "mappings": { "properties": { "event": { "properties": { "action": { "type": "boolean" } } } } },
    });
    let changed = format!("/siem-cloudtrail-{CHANGED}");
    cluster.must("admin", Method::PUT, &changed, Some(made))?;
    let mixed = [
        trail("well-1", DAY),
        "no event".to_owned(),
        trail("sick-1", CHANGED),
        trail("well-2", DAY),
    ];
    let run = Run::of(cluster, "writer", &[delivery("trail", &mixed)])?;
    let counted = run.counted(&[("Indexed", 2), ("Refused", 1), ("Rejected", 1)]);
    told.line(
        "function: a changed mapping costs its own record only",
        counted.and_then(|counted| {
            match ["\"log-1\"", "\"log-2\"", "[event.action]"]
                .iter()
                .find(|text| !run.log.contains(**text))
            {
                None => Ok(counted),
                Some(text) => Err(format!("{text} is not in {}", run.log)),
            }
        }),
    );
    cluster.must("admin", Method::DELETE, &changed, None)?;

    for (user, said) in [("analyst", "indices:data/write/bulk"), ("nobody-here", "(401)")] {
        let run = Run::of(cluster, user, &[delivery("trail", &mixed[..1])])?;
        let (succeeded, answer) = &run.answers[0];
        told.line(
            &format!("function: as {user} it fails and says why"),
            match !succeeded && answer.contains(said) {
                true => Ok(said.to_owned()),
                false => Err(format!("{answer}\n{}", run.log)),
            },
        );
    }
    let day = format!("/siem-cloudtrail-{DAY}");
    cluster.must("admin", Method::DELETE, &day, None).map(drop)
}

/// As many documents as events, each under the id that it says of itself.
fn once(cluster: &Cluster, events: usize) -> Result<String, String> {
    let index = format!("/siem-cloudtrail-{DAY}");
    cluster.must("admin", Method::POST, &format!("{index}/_refresh"), None)?;
    let body = json!({ "size": 1_000, "track_total_hits": true });
    let answer = cluster.must("admin", Method::POST, &format!("{index}/_search"), Some(body))?;
    let hits = answer["hits"]["hits"].as_array().ok_or("no hits")?;
    let own = hits
        .iter()
        .filter(|hit| hit["_id"] == hit["_source"]["event"]["id"])
        .count();
    match own == events && answer["hits"]["total"]["value"] == events {
        true => Ok(format!("{events} documents")),
        false => Err(format!("{own} of {} under their own id, {events} expected", hits.len())),
    }
}
