//! What is written: the demo's documents by the program's own writer; samples and mutations as a delivery stream does.

#[path = "../../transforms/tests/support/json.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    reason = "of the transforms' tests, which use all of it"
)]
mod json;
#[path = "../../transforms/tests/support/mutate.rs"]
#[allow(dead_code, reason = "of the transforms' tests, which use all of it")]
mod mutate;
#[path = "../../transforms/tests/support/random.rs"]
#[allow(dead_code, reason = "of the transforms' tests, which use all of it")]
pub(crate) mod random;

use std::{
    collections::{BTreeMap, HashMap, hash_map::Entry},
    env, fs,
    path::Path,
    sync::Arc,
    time::Instant,
};

use chrono::TimeDelta;

use portcullis::{
    demo,
    generate::{DEFAULT_UNTIL, Story, Volume},
    index::{Index, embedded::Embedded},
    opensearch::{
        names,
        writer::{Item, Rejected},
    },
};
use portcullis_transforms::{Normalizer, Options, Outcome, Schema, Source};
use reqwest::Method;
use serde_json::{Value, json as value};
use tempfile::TempDir;

use self::{json::Json, random::Random};
use super::{cluster::Cluster, now, told::Told};

/// Mutations per source, unless `PORTCULLIS_MUTATIONS` says otherwise.
const MUTATIONS: u64 = 2_000;
/// Documents of one page of the embedded index.
const PAGE: usize = 1_000;
/// The day on which the delivery stream delivers.
const DAY: &str = "2026-11-21";

/// The demo's day with fewer log records, in an embedded index of its own.
pub(crate) struct Demo {
    _folder: TempDir,
    /// The index.
    pub(crate) index: Arc<Embedded>,
    /// Its documents by index.
    pub(crate) documents: BTreeMap<&'static str, Vec<Vec<u8>>>,
}

impl Demo {
    /// Plays the day and reads its documents back.
    pub(crate) fn load() -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
        let index = runtime
            .block_on(play(folder.path()))
            .map_err(|error| error.to_string())?;
        let findings = all(&index, "securityhub")?;
        let mended = now::mended(&findings);
        let mut lines = mended.iter().map(Vec::as_slice);
        index
            .write("securityhub", &mut lines)
            .map_err(|error| error.to_string())?;
        index.refresh().map_err(|error| error.to_string())?;
        let mut documents = BTreeMap::new();
        for name in Source::ALL.iter().map(|source| source.name()).chain(["response"]) {
            documents.insert(name, all(&index, name)?);
        }
        Ok(Self {
            _folder: folder,
            index,
            documents,
        })
    }
}

/// Documents of the day, about, unless `PORTCULLIS_DOCUMENTS` says otherwise.
const DOCUMENTS: u64 = 9_000;

/// Fewer log records than the demo has, or more; the attacks are all there.
fn volume() -> Volume {
    let asked = env::var("PORTCULLIS_DOCUMENTS").ok().and_then(|text| text.parse().ok());
    // What does not follow from the volume is about a thousand documents.
    let logs = asked.unwrap_or(DOCUMENTS).saturating_sub(1_000).max(1_000);
    Volume::of(logs)
}

async fn play(folder: &Path) -> Result<Arc<Embedded>, demo::Error> {
    let mut story = Story::with_volume(1, DEFAULT_UNTIL, TimeDelta::hours(24), volume());
    let mut demo = demo::Demo::new(folder, story.environment())?;
    demo.flush_commits(false)?;
    while let Some(event) = story.next() {
        demo.take(&event, &mut story).await?;
    }
    demo.settle(DEFAULT_UNTIL).await?;
    Ok(Arc::clone(demo.index()))
}

/// Every document of an index, five minutes at a time, because pages do not reach deep.
fn all(index: &Embedded, name: &str) -> Result<Vec<Vec<u8>>, String> {
    let mut documents = Vec::new();
    let histogram = value!({ "field": "@timestamp", "fixed_interval": "5m", "min_doc_count": 1 });
    let body = value!({ "size": 0, "aggs": { "t": { "date_histogram": histogram } } });
    let answer = index.search(name, &body).map_err(|error| error.to_string())?;
    for bucket in answer["aggregations"]["t"]["buckets"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
    {
        let start = bucket["key"].as_f64().unwrap_or_default() as i64;
        let mut from = 0;
        loop {
            let body = value!({
                "query": { "range": { "@timestamp": { "gte": rfc3339(start), "lt": rfc3339(start + 300_000) } } },
                "from": from,
                "size": PAGE,
                "sort": [{ "@timestamp": "asc" }],
            });
            let answer = index.search(name, &body).map_err(|error| error.to_string())?;
            let hits = answer["hits"]["hits"].as_array().cloned().unwrap_or_default();
            documents.extend(hits.iter().map(|hit| hit["_source"].to_string().into_bytes()));
            from += PAGE;
            if hits.len() < PAGE {
                break;
            }
        }
    }
    Ok(documents)
}

fn rfc3339(millis: i64) -> String {
    let at = chrono::DateTime::from_timestamp_millis(millis).unwrap_or_default();
    at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// The demo's documents through the program's own writer, twice: the second time nothing is new.
pub(crate) fn write(cluster: &Cluster, demo: &Demo, told: &mut Told) -> Result<(), String> {
    let index = cluster.index("writer")?;
    let start = Instant::now();
    let mut total = 0;
    for (name, documents) in &demo.documents {
        let mut lines = documents.iter().map(Vec::as_slice);
        let written = index.write(name, &mut lines).map_err(|error| error.to_string())?;
        total += written;
        let mut again = documents.iter().take(500).map(Vec::as_slice);
        let twice = index.write(name, &mut again).map_err(|error| error.to_string())?;
        let whole = written == documents.len() && twice == 0;
        told.line(
            &format!("writer: {name}"),
            match whole {
                true => Ok(format!("{written} documents, none new the second time")),
                false => Err(format!("{written} of {} new, {twice} new again", documents.len())),
            },
        );
    }
    index.refresh().map_err(|error| error.to_string())?;
    let seconds = start.elapsed().as_secs_f64();
    told.line(
        "writer: speed",
        Ok(format!(
            "{total} in {seconds:.1} s, {:.0} a second",
            total as f64 / seconds
        )),
    );
    for &source in names::VERSIONED {
        told.line(
            &format!("newest version of each finding: {source}"),
            latest(cluster, source),
        );
    }
    Ok(())
}

/// As many documents as there are different findings.
fn latest(cluster: &Cluster, source: Source) -> Result<String, String> {
    let field = format!("aws.{source}.finding_id");
    let count = value!({ "size": 0, "track_total_hits": true, "aggs": { "n": { "cardinality": { "field": field, "precision_threshold": 40_000 } } } });
    cluster.must(
        "admin",
        Method::POST,
        &format!("/{}/_refresh", names::latest(source)),
        None,
    )?;
    let ask = |index: &str| {
        cluster.must(
            "analyst",
            Method::POST,
            &format!("/{index}/_search"),
            Some(count.clone()),
        )
    };
    let (newest, history) = (ask(&names::latest(source))?, ask(&names::pattern(source.name()))?);
    let (have, distinct) = (
        &newest["hits"]["total"]["value"],
        &history["aggregations"]["n"]["value"],
    );
    match have == distinct {
        true => Ok(format!("{have} of {} events", history["hits"]["total"]["value"])),
        false => Err(format!("{have} documents for {distinct} findings")),
    }
}

/// Samples and mutations in both schemas, as the Firehose role writes them: the day's index, no ids.
pub(crate) fn deliver(cluster: &Cluster, told: &mut Told) -> Result<(), String> {
    let mutations = env::var("PORTCULLIS_MUTATIONS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(MUTATIONS);
    for &source in Source::ALL {
        for schema in [Schema::Ecs, Schema::Native] {
            let index = format!("{}-{DAY}", names::stream(source, schema));
            let before = mapping(cluster, &index);
            let (documents, refused) = made(source, schema, mutations)?;
            let count = documents.len();
            let items = documents
                .into_iter()
                .map(|document| Item {
                    index: index.clone(),
                    id: None,
                    version: None,
                    document,
                })
                .collect();
            let mut written = cluster.bulk("firehose", items)?;
            let nameless = without_nameless(schema, &mut written.rejected);
            let ignored = ignored(cluster, &index, schema)?;
            let what = format!("firehose: {}", names::stream(source, schema));
            let grown = before.is_some() && before != mapping(cluster, &index);
            told.line(
                &what,
                match (written.rejected.first(), ignored, grown) {
                    (None, 0, false) => Ok(format!(
                        "{count} documents, 0 conflicts, rejected: {nameless} without a name ({refused} records refused before)"
                    )),
                    (Some(rejected), _, _) => Err(format!(
                        "{} of {count} rejected: {}\n  {}",
                        written.rejected.len(),
                        reasons(&written.rejected),
                        String::from_utf8_lossy(&rejected.item.document)
                            .chars()
                            .take(300)
                            .collect::<String>()
                    )),
                    (None, _, true) => Err("the mapping grew".to_owned()),
                    (None, ignored, _) => Err(format!("{ignored} documents have values that the mapping did not take")),
                },
            );
        }
    }
    Ok(())
}

/// A `native` record keeps the keys that it came with, and OpenSearch takes no document whose own keys are empty or of dots,
/// whatever the mapping. Below them, where nothing is mapped, it takes any: whoever picks keys of a request cannot keep its event out.
/// AWS picks the first, and writes none such. Takes these out and says how many.
fn without_nameless(schema: Schema, rejected: &mut Vec<Rejected>) -> usize {
    let all = rejected.len();
    if schema == Schema::Native {
        rejected.retain(|one| !one.reason.contains("field name cannot"));
    }
    all - rejected.len()
}

/// Every reason with how often it was given.
fn reasons(rejected: &[Rejected]) -> String {
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    for one in rejected {
        let start: String = one.reason.chars().take(90).collect();
        *counted.entry(start).or_default() += 1;
    }
    counted
        .iter()
        .map(|(reason, count)| format!("\n  {count} x {reason}"))
        .collect()
}

fn mapping(cluster: &Cluster, index: &str) -> Option<Value> {
    cluster
        .must("admin", Method::GET, &format!("/{index}/_mapping"), None)
        .ok()
}

/// Documents with a value that the mapping did not take. A `native` record may say anything where its time should stand.
fn ignored(cluster: &Cluster, index: &str, schema: Schema) -> Result<u64, String> {
    if schema == Schema::Native {
        return Ok(0);
    }
    cluster.must("admin", Method::POST, &format!("/{index}/_refresh"), None)?;
    let body = value!({ "size": 0, "track_total_hits": true, "query": { "exists": { "field": "_ignored" } } });
    let answer = cluster.must("admin", Method::POST, &format!("/{index}/_search"), Some(body))?;
    Ok(answer["hits"]["total"]["value"].as_u64().unwrap_or(u64::MAX))
}

/// Documents of every sample, and of records made from them; and how many records the normaliser refused.
fn made(source: Source, schema: Schema, mutations: u64) -> Result<(Vec<Vec<u8>>, u64), String> {
    let samples = samples(source)?;
    let mut documents = Vec::new();
    let mut refused = 0;
    let mut normalizers: HashMap<Option<String>, Normalizer> = HashMap::new();
    let mut take = |record: &[u8], format: Option<&String>| -> Result<(), String> {
        let mut out = Vec::new();
        let normalizer = match normalizers.entry(format.cloned()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let options = Options {
                    schema,
                    flow_format: format.cloned(),
                    ..Options::default()
                };
                place.insert(Normalizer::new(source, options).map_err(|error| error.message)?)
            }
        };
        match normalizer.record(record, &mut out) {
            Ok(Outcome::Document) => documents.push(out),
            Ok(_) => {}
            Err(_) => refused += 1,
        }
        Ok(())
    };
    for (record, format) in &samples {
        take(record, format.as_ref())?;
    }
    for number in 0..mutations {
        let (record, format) = &samples[number as usize % samples.len()];
        let mut random = Random::new(number);
        let mutated = match Json::parse(record) {
            Some(json) => mutate::mutate(&json, &mut random),
            None => {
                let mut line = record.clone();
                mutate::line(&mut line, &mut random);
                line
            }
        };
        take(&mutated, format.as_ref())?;
    }
    Ok((documents, refused))
}

/// A record, and the flow-log format that goes with it.
type Sample = (Vec<u8>, Option<String>);

/// Every record of the samples.
fn samples(source: Source) -> Result<Vec<Sample>, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("samples")
        .join(source.name());
    let told = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).map_err(told)? {
        names.push(entry.map_err(told)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    let mut samples = Vec::new();
    for name in &names {
        let Some((case, form)) = name.split_once(".in.") else {
            continue;
        };
        let text = fs::read(folder.join(name)).map_err(told)?;
        let format = fs::read_to_string(folder.join(format!("{case}.format.txt"))).ok();
        let format = format.map(|text| text.trim().to_owned());
        if form == "json" {
            samples.push((text, format));
        } else {
            let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
            samples.extend(lines.map(|line| (line.to_vec(), format.clone())));
        }
    }
    Ok(samples)
}
