//! Random queries and aggregations, answered by the engine and by the evaluator.

use std::collections::BTreeSet;

use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::{
    documents::{ACTIONS, ADDRESSES, PATHS, START, TAGS, WORDS, document, random, some, time},
    evaluator, scratch, write,
};
use crate::index::{Index, embedded::Embedded};

const DOCUMENTS: usize = 400;
const BLOCKS: &[&str] = &[
    "10.0.0.0/8",
    "10.0.0.0/24",
    "0.0.0.0/0",
    "2001:db8::/32",
    "::/0",
    "192.168.1.1/32",
    "8.0.0.0/6",
];

/// Documents in several segments.
fn loaded(seed: u64) -> (tempfile::TempDir, Embedded, Vec<Value>) {
    let (folder, index) = scratch();
    let mut random = random(seed);
    let documents: Vec<Value> = (0..DOCUMENTS).map(|n| document(&mut random, n)).collect();
    for part in documents.chunks(90) {
        let lines: Vec<_> = part.iter().map(Value::to_string).collect();
        write(&index, "waf", &lines);
        index.refresh().unwrap();
    }
    (folder, index, documents)
}

fn query(random: &mut ChaCha8Rng, depth: usize) -> Value {
    if depth > 0 && random.random_bool(0.4) {
        let mut list = |most: usize| -> Vec<Value> {
            (0..random.random_range(0..=most))
                .map(|_| query(random, depth - 1))
                .collect()
        };
        let (must, filter, should, must_not) = (list(1), list(2), list(3), list(2));
        let mut body = json!({ "must": must, "filter": filter, "should": should, "must_not": must_not });
        if random.random_bool(0.3) {
            body["minimum_should_match"] = random.random_range(0..3).into();
        }
        return json!({ "bool": body });
    }
    let at = |random: &mut ChaCha8Rng| time(START + random.random_range(0..3 * 3_600_000));
    match random.next_u32() % 17 {
        0 => json!({ "match_all": {} }),
        1 => json!({ "term": { "event.action": some(random, ACTIONS) } }),
        2 => json!({ "term": { "tags": { "value": some(random, TAGS) } } }),
        3 => json!({ "terms": { "destination.port": [22, some(random, &[80, 443, 1]), "3389"] } }),
        4 => json!({ "term": { "source.ip": some(random, ADDRESSES) } }),
        5 => json!({ "term": { some(random, &["source.ip", "related.ip"]): some(random, BLOCKS) } }),
        6 => {
            json!({ "range": { some(random, &["source.ip", "related.ip"]): { "gte": some(random, ADDRESSES), "lt": some(random, ADDRESSES) } } })
        }
        7 => json!({ "range": { "@timestamp": { "gte": at(random), "lt": at(random) } } }),
        8 => json!({ "range": { "event.start": { some(random, &["gt", "gte"]): at(random) } } }),
        9 => {
            json!({ "range": { "event.severity": { some(random, &["gt", "gte"]): random.random_range(0..10), "lte": random.random_range(0..100) as f64 / 10.0 } } })
        }
        10 => {
            json!({ "range": { "network.bytes": { "lt": random.random_range(-10i64..5_000_000_000), "gte": some(random, &[-3, 0, 1000]) } } })
        }
        11 => {
            json!({ "exists": { "field": some(random, &["event.severity", "tags", "message", "source.ip", "@timestamp", "nowhere", "url", "aws.waf.headers", "destination.port"]) } })
        }
        12 => json!({ "prefix": { "url.path": some(random, &["/admin", "/a*", "/ü", "", "/x"]) } }),
        13 => json!({ "wildcard": { "url.path": some(random, &["*", "/a*n", "/?dmin", "*.html", "*ß", "/admin*1"]) } }),
        14 => json!({ "term": { "aws.guardduty.archived": some(random, &[true, false]) } }),
        15 => {
            json!({ "term": { some(random, &["message", "message", "aws.waf.headers.x-test"]): some(random, &[WORDS, TAGS].concat()) } })
        }
        _ => {
            json!({ "range": { "url.path": { some(random, &["gte", "gt"]): some(random, PATHS), some(random, &["lte", "lt"]): some(random, PATHS) } } })
        }
    }
}

#[test]
fn random_queries_find_what_reading_every_document_finds() {
    for seed in 0..2 {
        let (_folder, index, documents) = loaded(seed);
        let mut random = random(seed + 100);
        for _ in 0..250 {
            let query = query(&mut random, 3);
            let answer = index.search("*", &json!({ "query": query, "size": 1000 })).unwrap();
            let found: BTreeSet<&str> = answer["hits"]["hits"]
                .as_array()
                .unwrap()
                .iter()
                .map(|hit| hit["_id"].as_str().unwrap())
                .collect();
            let expected: BTreeSet<&str> = documents
                .iter()
                .filter(|d| evaluator::matches(d, &query))
                .map(|d| d["event"]["id"].as_str().unwrap())
                .collect();
            assert_eq!(found, expected, "seed {seed}: {query}");
            assert_eq!(answer["hits"]["total"]["value"], expected.len(), "seed {seed}: {query}");
        }
    }
}

fn aggregation(random: &mut ChaCha8Rng) -> Value {
    let below = json!({
        "s": { "sum": { "field": "network.bytes" } },
        "a": { "avg": { "field": "event.severity" } },
        "l": { "min": { "field": "event.severity" } },
        "h": { "max": { "field": "network.bytes" } },
        "v": { "value_count": { "field": "tags" } },
        "c": { "cardinality": { "field": some(random, &["source.ip", "related.ip", "url.path", "destination.port"]) } },
    });
    let mut agg = match random.next_u32() % 6 {
        0 | 1 => {
            let field = some(
                random,
                &[
                    "event.action",
                    "tags",
                    "source.ip",
                    "related.ip",
                    "destination.port",
                    "url.path",
                ],
            );
            json!({ "terms": { "field": field, "size": 1000 } })
        }
        2 => {
            let length = some(random, &[60_000, 900_000, 7_777, 12_345, 3_600_000]);
            let offset = random.random_range(0..length);
            json!({ "date_histogram": { "field": some(random, &["@timestamp", "event.start"]), "fixed_interval": format!("{length}ms"), "offset": format!("{offset}ms") } })
        }
        3 => {
            json!({ "histogram": { "field": some(random, &["event.severity", "destination.port"]), "interval": some(random, &[2.5, 100.0, 1.0]) } })
        }
        4 => json!({ "range": { "field": "event.severity", "ranges": [
            { "to": 4.0, "key": "low" }, { "from": 4.0, "to": 7.0, "key": "medium" }, { "from": 7.0, "key": "high" } ] } }),
        _ => {
            json!({ "multi_terms": { "terms": [{ "field": "event.action" }, { "field": some(random, &["tags", "source.ip", "destination.port", "aws.guardduty.archived"]) }], "size": 1000 } })
        }
    };
    agg["aggs"] = below;
    agg
}

#[test]
fn random_aggregations_count_what_reading_every_document_counts() {
    for seed in 0..2 {
        let (_folder, index, documents) = loaded(seed);
        let mut random = random(seed + 200);
        for _ in 0..80 {
            let (query, agg) = (query(&mut random, 1), aggregation(&mut random));
            let body = json!({ "query": query, "size": 0, "aggs": { "x": agg } });
            let answer = index.search("*", &body).unwrap();
            let matching: Vec<&Value> = documents.iter().filter(|d| evaluator::matches(d, &query)).collect();
            let mut expected = evaluator::buckets(&matching, &agg);
            for bucket in answer["aggregations"]["x"]["buckets"].as_array().unwrap() {
                let key = match &bucket["key"] {
                    Value::Array(parts) => parts.iter().map(|p| format!("|{}", evaluator::plain(p))).collect(),
                    key => evaluator::plain(key),
                };
                let count = bucket["doc_count"].as_u64().unwrap();
                let Some((documents, below)) = expected.remove(&key) else {
                    assert_eq!(count, 0, "seed {seed}: {body}: bucket {bucket}");
                    continue;
                };
                assert_eq!(count, documents, "seed {seed}: {body}: {key}");
                for (name, value) in below.as_object().unwrap() {
                    let got = &bucket[name]["value"];
                    let near = match (got.as_f64(), value.as_f64()) {
                        (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * b.abs().max(1.0),
                        (None, None) => true,
                        _ => false,
                    };
                    assert!(near, "seed {seed}: {body}: {key}.{name}: {got} instead of {value}");
                }
            }
            assert!(
                expected.is_empty(),
                "seed {seed}: {body}: missing {expected:?} in {answer}"
            );
        }
    }
}

#[test]
fn what_people_type_means_the_same_as_the_query_it_stands_for() {
    let (_folder, index, _) = loaded(7);
    for (typed, stands_for) in [
        ("source.ip:10.0.0.0/8", json!({ "term": { "source.ip": "10.0.0.0/8" } })),
        (
            "source.ip:2001:db8::1",
            json!({ "term": { "source.ip": "2001:db8::1" } }),
        ),
        (
            "event.action:(block OR count)",
            json!({ "terms": { "event.action": ["block", "count"] } }),
        ),
        (
            "event.severity:>=7 AND event.severity:<9.5",
            json!({ "range": { "event.severity": { "gte": 7, "lt": 9.5 } } }),
        ),
        (
            "event.severity:[3 TO 5}",
            json!({ "range": { "event.severity": { "gte": 3, "lt": 5 } } }),
        ),
        (
            "destination.port:{80 TO *]",
            json!({ "range": { "destination.port": { "gt": 80 } } }),
        ),
        ("url.path:/admin*", json!({ "prefix": { "url.path": "/admin" } })),
        ("url.path:\"/a*b\"", json!({ "term": { "url.path": "/a*b" } })),
        ("url.path:/a\\*b", json!({ "term": { "url.path": "/a*b" } })),
        (
            "NOT tags:tor",
            json!({ "bool": { "must_not": [{ "term": { "tags": "tor" } }] } }),
        ),
        (
            "-tags:tor tags:pci",
            json!({ "bool": { "must_not": [{ "term": { "tags": "tor" } }], "must": [{ "term": { "tags": "pci" } }] } }),
        ),
        (
            "tags:tor OR tags:pci AND tags:new",
            json!({ "bool": { "should": [{ "term": { "tags": "tor" } }, { "bool": { "must": [{ "term": { "tags": "pci" } }, { "term": { "tags": "new" } }] } }] } }),
        ),
        (
            "(tags:tor OR tags:pci) tags:new",
            json!({ "bool": { "must": [{ "term": { "tags": "new" } }, { "terms": { "tags": ["tor", "pci"] } }] } }),
        ),
        ("_exists_:message", json!({ "exists": { "field": "message" } })),
        ("tags:*", json!({ "exists": { "field": "tags" } })),
        ("message:probe", json!({ "term": { "message": "probe" } })),
        ("PROBE", json!({ "term": { "message": "probe" } })),
        ("*", json!({ "match_all": {} })),
        ("  ", json!({ "match_all": {} })),
        (
            "10.0.0.0/8",
            json!({ "bool": { "should": [{ "term": { "source.ip": "10.0.0.0/8" } }, { "term": { "related.ip": "10.0.0.0/8" } }] } }),
        ),
        (
            "2001:db8::1",
            json!({ "bool": { "should": [{ "term": { "source.ip": "2001:db8::1" } }, { "term": { "related.ip": "2001:db8::1" } }] } }),
        ),
        (
            "@timestamp:[2026-03-01T01:00:00Z TO 2026-03-01T02:00:00Z}",
            json!({ "range": { "@timestamp": { "gte": "2026-03-01T01:00:00Z", "lt": "2026-03-01T02:00:00Z" } } }),
        ),
        ("unheard.of:7.5", json!({ "term": { "unheard.of": 7.5 } })),
    ] {
        let ids = |query: Value| -> BTreeSet<String> {
            let answer = index.search("waf", &json!({ "query": query, "size": 1000 })).unwrap();
            answer["hits"]["hits"]
                .as_array()
                .unwrap()
                .iter()
                .map(|hit| hit["_id"].as_str().unwrap().to_owned())
                .collect()
        };
        let found = ids(json!({ "query_string": { "query": typed, "default_operator": "AND" } }));
        assert_eq!(found, ids(stands_for), "{typed}");
        assert!(!found.is_empty(), "{typed} finds nothing, so the test says nothing");
    }
}
