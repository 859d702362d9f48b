//! The product's writer beside a loop that does nothing but send: bodies made and compressed beforehand, of the size and as
//! many at once as this server takes them fastest.

use std::{fs, io::Write as _, path::Path, time::Instant};

use anyhow::{Context, Result, ensure};
use flate2::{Compression, write::GzEncoder};
use portcullis::opensearch::writer::{Item, Writer};
use reqwest::{Certificate, Method, header};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    day,
    opensearch::{BULK_BYTES, Server},
};

/// Bytes of a body before compression, and bodies on their way at the same time.
const SHAPES: &[(usize, usize)] = &[
    (1_000_000, 2),
    (1_000_000, 4),
    (2_500_000, 2),
    (2_500_000, 4),
    (5_000_000, 1),
    (5_000_000, 2),
    (5_000_000, 3),
    (10_000_000, 1),
    (10_000_000, 2),
];

/// What was measured.
pub(crate) struct Bulk {
    pub(crate) documents: usize,
    /// Bytes of a body and bodies at once.
    pub(crate) best: (usize, usize),
    /// Documents a second of the loop and of the writer, round by round.
    pub(crate) rounds: Vec<(f64, f64)>,
    /// CPU microseconds per document of client and server together, the same way.
    pub(crate) cpu: Vec<(f64, f64)>,
}

/// Finds the best shape for the loop, then lets both write the same documents in turns, each time into new indices.
pub(crate) fn measure(server: &Server, file: &Path, documents: usize, rounds: usize) -> Result<Bulk> {
    let all = items(file, documents)?;
    let peer = Peer::new(server)?;
    let some: Vec<Item> = all.iter().take(documents / 2).cloned().collect();
    // The first one of a server is slow, whatever its shape.
    peer.write(server, bodies(&some, 5_000_000, "warm")?, 2)?;
    let mut best = (0.0, SHAPES[0]);
    for (number, &(bytes, at_once)) in SHAPES.iter().enumerate() {
        let bodies = bodies(&some, bytes, &format!("try{number}"))?;
        let start = Instant::now();
        peer.write(server, bodies, at_once)?;
        let rate = some.len() as f64 / start.elapsed().as_secs_f64();
        if rate > best.0 {
            best = (rate, (bytes, at_once));
        }
        remove(server)?;
    }
    let best = best.1;
    let mut bulk = Bulk {
        documents: all.len(),
        best,
        rounds: Vec::new(),
        cpu: Vec::new(),
    };
    for round in 0..rounds {
        let (mut rates, mut cpu) = ([0.0; 2], [0.0; 2]);
        for turn in 0..2 {
            let who = (turn + round) % 2;
            let run = format!("round{round}{who}");
            let prepared = (who == 0).then(|| bodies(&all, best.0, &run)).transpose()?;
            let items: Vec<Item> = if who == 1 {
                all.iter().map(|item| renamed(item, &run)).collect()
            } else {
                Vec::new()
            };
            let before = spent(server);
            let start = Instant::now();
            match prepared {
                Some(bodies) => peer.write(server, bodies, best.1)?,
                None => {
                    let writer = Writer::new(server.client.clone(), BULK_BYTES);
                    let written = server.runtime.block_on(writer.write(items))?;
                    ensure!(
                        written.created == all.len(),
                        "the writer wrote {} of {}",
                        written.created,
                        all.len()
                    );
                }
            }
            rates[who] = all.len() as f64 / start.elapsed().as_secs_f64();
            cpu[who] = (spent(server) - before) * 1e6 / all.len() as f64;
            remove(server)?;
        }
        bulk.rounds.push((rates[0], rates[1]));
        bulk.cpu.push((cpu[0], cpu[1]));
    }
    Ok(bulk)
}

/// CPU seconds of this process and the server.
fn spent(server: &Server) -> f64 {
    portcullis_benches::cpu_nanoseconds() as f64 / 1e9 + server.cpu().unwrap_or_default()
}

/// The first documents of the day.
fn items(file: &Path, count: usize) -> Result<Vec<Item>> {
    let mut items = Vec::with_capacity(count);
    day::replay(file, 10_000, |batch| {
        for (name, documents) in batch.indices() {
            for document in documents.take(count.saturating_sub(items.len())) {
                let value: Value = serde_json::from_slice(document)?;
                items.push(Item {
                    index: format!("siem-{name}-bulk"),
                    id: value["event"]["id"].as_str().map(str::to_owned),
                    version: None,
                    document: document.to_vec(),
                });
            }
        }
        Ok(())
    })?;
    Ok(items)
}

fn renamed(item: &Item, run: &str) -> Item {
    Item {
        index: format!("{}-{run}", item.index),
        ..item.clone()
    }
}

/// Compressed bodies of about so many bytes, with how many documents each has.
fn bodies(items: &[Item], limit: usize, run: &str) -> Result<Vec<Vec<u8>>> {
    let mut bodies = Vec::new();
    let mut lines = Vec::new();
    for (number, item) in items.iter().enumerate() {
        let index = format!("{}-{run}", item.index);
        lines.extend(
            json!({ "index": { "_index": index, "_id": item.id } })
                .to_string()
                .bytes(),
        );
        lines.push(b'\n');
        lines.extend_from_slice(&item.document);
        lines.push(b'\n');
        if lines.len() >= limit || number + 1 == items.len() {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&lines)?;
            bodies.push(encoder.finish()?);
            lines.clear();
        }
    }
    Ok(bodies)
}

fn remove(server: &Server) -> Result<()> {
    for source in portcullis_transforms::Source::ALL {
        for run in ["try", "round", "warm"] {
            server.send(
                Method::DELETE,
                &format!("/siem-{source}-bulk-{run}*?allow_no_indices=true"),
                None,
            )?;
        }
    }
    Ok(())
}

/// The loop.
struct Peer {
    client: reqwest::Client,
    url: String,
}

impl Peer {
    fn new(server: &Server) -> Result<Self> {
        let pem = fs::read(&server.ca)?;
        let client = reqwest::Client::builder()
            .tls_certs_only(Certificate::from_pem_bundle(&pem)?)
            .build()?;
        Ok(Self {
            client,
            url: format!("{}/_bulk", server.endpoint),
        })
    }

    fn write(&self, server: &Server, bodies: Vec<Vec<u8>>, at_once: usize) -> Result<()> {
        let mut waiting = bodies.into_iter();
        server.runtime.block_on(async {
            let mut requests: JoinSet<Result<()>> = JoinSet::new();
            loop {
                while requests.len() < at_once
                    && let Some(body) = waiting.next()
                {
                    requests.spawn(send(self.client.clone(), self.url.clone(), body));
                }
                match requests.join_next().await {
                    Some(done) => done??,
                    None => return Ok(()),
                }
            }
        })
    }
}

async fn send(client: reqwest::Client, url: String, body: Vec<u8>) -> Result<()> {
    let answer = client
        .post(url)
        .basic_auth("admin", Some("admin"))
        .header(header::CONTENT_TYPE, "application/x-ndjson")
        .header(header::CONTENT_ENCODING, "gzip")
        .body(body)
        .send()
        .await?
        .error_for_status()?
        .bytes()
        .await?;
    let start = String::from_utf8_lossy(answer.get(..60).context("a short answer")?).into_owned();
    ensure!(
        start.contains("\"errors\":false"),
        "some documents were refused: {start}"
    );
    Ok(())
}
