//! Requests that nobody wrote: conditions and aggregations over the fields and values that the documents have, asked of the
//! embedded index and of the cluster. The same seed gives the same requests.

use std::collections::{BTreeMap, BTreeSet};

use portcullis::{
    index::{Index, limits},
    opensearch::remote::Remote,
};
use portcullis_transforms::{Field, Source, Type};
use serde_json::{Value, json};

use super::{
    cluster::Cluster,
    documents::{Demo, random::Random},
    told::Told,
};

/// Requests for each source, unless `PORTCULLIS_REQUESTS` says otherwise.
const REQUESTS: usize = 60;
/// Documents whose values are asked for.
const LOOKED_AT: usize = 400;
/// Longest value that is asked for.
const LONGEST: usize = 120;
/// What cardinalities may be off by where both count exactly, but for what falls together in the cluster's hashes.
const COUNTED: f64 = 0.002;
/// What they may be off by above that: three standard errors of the embedded index's estimate.
const ESTIMATED: f64 = 0.07;
/// Up to so many different values the cluster counts nearly exactly when it is asked to.
const EXACTLY: u64 = 40_000;
/// A float has 32 bits on the cluster, and 64 here.
const SINGLE: f64 = 1e-6;
/// What percentiles of many values may be off by; of few, see [`FEW`].
const PERCENTILE: f64 = 0.05;
/// Of fewer values than these one engine takes a value, and the other one between two.
const FEW: u64 = 200;

/// Every request on both; what differs is told with the request and both answers.
pub(crate) fn compare(cluster: &Cluster, demo: &Demo, told: &mut Told) -> Result<(), String> {
    let server = cluster.index("analyst")?;
    let requests = std::env::var("PORTCULLIS_REQUESTS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(REQUESTS);
    let mut compared = 0;
    for &source in Source::ALL {
        let known = Known::of(source, &demo.documents[source.name()]);
        let mut random = Random::new(7);
        let (mut differing, mut found) = (Vec::new(), 0);
        for _ in 0..requests {
            let body = known.request(&mut random);
            match differs(demo, &server, source.name(), &body) {
                Ok(hits) => found += usize::from(hits > 0),
                Err(difference) => differing.push(format!("{body}\n  {difference}")),
            }
        }
        compared += requests;
        told.line(
            &format!("generated requests: {source}"),
            match differing.first() {
                None => Ok(format!("{requests} the same, {found} of them with documents")),
                Some(first) => Err(format!("{} of {requests} differ, first {first}", differing.len())),
            },
        );
    }
    told.line("generated requests compared", Ok(compared.to_string()));
    Ok(())
}

/// The fields that a source's documents have, with values of each.
struct Known {
    fields: Vec<(Field, Vec<String>)>,
}

impl Known {
    fn of(source: Source, documents: &[Vec<u8>]) -> Self {
        let step = (documents.len() / LOOKED_AT).max(1);
        let mut values: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for document in documents.iter().step_by(step) {
            let document: Value = serde_json::from_slice(document).unwrap_or_default();
            flatten(&document, &mut String::new(), &mut values);
        }
        let of = |field: &&'static Field| {
            let found = values.get(field.name)?;
            let short = found.iter().filter(|value| !value.is_empty() && value.len() <= LONGEST);
            Some((**field, short.take(40).cloned().collect::<Vec<_>>()))
        };
        let mut fields: Vec<_> = source.fields().iter().filter_map(of).collect();
        fields.retain(|(field, values)| field.ty.is_aggregatable() && !values.is_empty());
        Self { fields }
    }

    fn request(&self, random: &mut Random) -> Value {
        let (field, _) = self.some(random, |ty| matches!(ty, Type::Keyword | Type::Ip | Type::Long));
        let mut aggs = json!({ "terms": { "terms": { "field": field.name, "size": 1 + random.below(30) } } });
        let (distinct, _) = self.some(random, |ty| matches!(ty, Type::Keyword | Type::Ip));
        aggs["distinct"] = json!({ "cardinality": { "field": distinct.name } });
        let is_number = |ty| matches!(ty, Type::Long | Type::Float);
        if self.fields.iter().any(|(field, _)| is_number(field.ty)) {
            let (number, _) = self.some(random, is_number);
            for kind in ["sum", "min", "max", "avg", "value_count"] {
                aggs[kind] = json!({ kind: { "field": number.name } });
            }
            aggs["percentiles"] = json!({ "percentiles": { "field": number.name, "percents": [50, 95] } });
        }
        aggs["time"] =
            json!({ "date_histogram": { "field": "@timestamp", "fixed_interval": "1h", "min_doc_count": 1 } });
        json!({ "query": self.condition(random, 2), "size": 0, "track_total_hits": true, "aggs": aggs })
    }

    fn some(&self, random: &mut Random, fits: impl Fn(Type) -> bool) -> (Field, String) {
        let fitting: Vec<_> = self.fields.iter().filter(|(field, _)| fits(field.ty)).collect();
        let (field, values) = fitting[random.below(fitting.len())];
        (*field, random.pick(values))
    }

    fn condition(&self, random: &mut Random, depth: usize) -> Value {
        if depth > 0 && random.one_in(2) {
            let mut list = |most: usize| -> Vec<Value> {
                (0..random.below(most + 1))
                    .map(|_| self.condition(random, depth - 1))
                    .collect()
            };
            let (filter, should, must_not) = (list(2), list(3), list(1));
            let least = usize::from(!should.is_empty());
            return json!({ "bool": { "filter": filter, "should": should, "must_not": must_not, "minimum_should_match": least } });
        }
        let (field, value) = self.some(random, |_| true);
        let name = field.name;
        let quoted = format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""));
        let (other, second) = self.some(random, |ty| ty == Type::Keyword);
        let second = format!(
            "{}:\"{}\"",
            other.name,
            second.replace('\\', "\\\\").replace('"', "\\\"")
        );
        match random.below(9) {
            0 => json!({ "term": { name: value } }),
            1 => json!({ "exists": { "field": name } }),
            2 => {
                let same = self.fields.iter().find(|(known, _)| known.name == name);
                let values = same.map(|(_, values)| values.clone()).unwrap_or_default();
                json!({ "terms": { name: [value, random.pick(&values)] } })
            }
            3 => text(&format!("{name}:{quoted}")),
            4 => text(&format!("NOT {name}:{quoted}")),
            5 => text(&format!("{name}:{quoted} OR {second}")),
            6 => text(&format!("_exists_:{name} AND NOT {second}")),
            7 if field.ty == Type::Ip && value.contains('.') => {
                let block: Vec<&str> = value.split('.').take(2).collect();
                text(&format!("{name}:\"{}.0.0/16\"", block.join(".")))
            }
            7 if field.ty == Type::Keyword => {
                let start: String = value.chars().take_while(char::is_ascii_alphanumeric).take(4).collect();
                if start.is_empty() {
                    text(&second)
                } else {
                    text(&format!("{name}:{start}*"))
                }
            }
            _ if matches!(field.ty, Type::Long | Type::Float | Type::Date) => {
                let end = if random.one_in(2) { "gte" } else { "lt" };
                json!({ "range": { name: { end: value } } })
            }
            _ => text(&second),
        }
    }
}

fn text(query: &str) -> Value {
    json!({ "query_string": { "query": query, "default_operator": "AND" } })
}

fn flatten(value: &Value, path: &mut String, out: &mut BTreeMap<String, BTreeSet<String>>) {
    match value {
        Value::Object(object) => {
            for (key, child) in object {
                let length = path.len();
                if length > 0 {
                    path.push('.');
                }
                path.push_str(key);
                flatten(child, path, out);
                path.truncate(length);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| flatten(value, path, out)),
        Value::Null => {}
        Value::String(text) => drop(out.entry(path.clone()).or_default().insert(text.clone())),
        other => drop(out.entry(path.clone()).or_default().insert(other.to_string())),
    }
}

/// How many documents both find, or where they differ.
fn differs(demo: &Demo, server: &Remote, index: &str, body: &Value) -> Result<u64, String> {
    let ours = demo
        .index
        .search(index, body)
        .map_err(|error| format!("embedded: {error}"))?;
    let mut exact = body.clone();
    exact["aggs"]["distinct"]["cardinality"]["precision_threshold"] = EXACTLY.into();
    let theirs = server
        .search(index, &exact)
        .map_err(|error| format!("server: {error}"))?;
    let total = |answer: &Value| answer["hits"]["total"]["value"].as_u64();
    let hits = total(&ours).ok_or("no total")?;
    if total(&ours) != total(&theirs) {
        return Err(format!(
            "embedded finds {:?}, server {:?}",
            total(&ours),
            total(&theirs)
        ));
    }
    let (a, b) = (&ours["aggregations"], &theirs["aggregations"]);
    let distinct = b["distinct"]["value"].as_u64().unwrap_or_default();
    let off = if distinct + distinct / 20 < limits::EXACT_CARDINALITY as u64 {
        COUNTED
    } else {
        ESTIMATED
    };
    let values = a["value_count"]["value"].as_u64().unwrap_or_default();
    for (name, within) in [
        ("sum", 1e-6),
        ("min", SINGLE),
        ("max", SINGLE),
        ("avg", 1e-6),
        ("value_count", 0.0),
        ("distinct", off),
    ] {
        // A sum of nothing is nought on one, and absent on the other.
        near(name, &a[name]["value"], &b[name]["value"], within, hits)?;
    }
    for percent in ["50.0", "95.0"] {
        let within = if values < FEW { 0.35 } else { PERCENTILE };
        if values > 20 {
            near(
                percent,
                &a["percentiles"]["values"][percent],
                &b["percentiles"]["values"][percent],
                within,
                hits,
            )?;
        }
    }
    let counts = |answer: &Value, name: &str| -> Vec<(String, u64)> {
        let buckets = answer[name]["buckets"].as_array().cloned().unwrap_or_default();
        let one = |bucket: &Value| {
            (
                bucket["key"].to_string(),
                bucket["doc_count"].as_u64().unwrap_or_default(),
            )
        };
        buckets.iter().map(one).collect()
    };
    if counts(a, "time") != counts(b, "time") {
        return Err(format!("time: {} and {}", a["time"], b["time"]));
    }
    let (x, y) = (counts(a, "terms"), counts(b, "terms"));
    let numbers = |buckets: &[(String, u64)]| buckets.iter().map(|(_, count)| *count).collect::<Vec<_>>();
    // Of values with the same count either choice is right for the last places.
    let sure = |buckets: &[(String, u64)]| {
        let least = buckets.last().map_or(0, |(_, count)| *count);
        let sure = buckets.iter().filter(|(_, count)| *count > least);
        sure.cloned().collect::<BTreeSet<_>>()
    };
    if numbers(&x) != numbers(&y) || sure(&x) != sure(&y) {
        return Err(format!("terms: {} and {}", a["terms"], b["terms"]));
    }
    Ok(hits)
}

fn near(name: &str, a: &Value, b: &Value, within: f64, hits: u64) -> Result<(), String> {
    let (a, b) = match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => (a, b),
        (None, None) => return Ok(()),
        (a, b) if hits == 0 && a.or(b) == Some(0.0) => return Ok(()),
        (a, b) => return Err(format!("{name}: embedded {a:?}, server {b:?}")),
    };
    if (a - b).abs() <= within * a.abs().max(b.abs()) {
        Ok(())
    } else {
        Err(format!("{name}: embedded {a}, server {b}"))
    }
}
