//! What stands below a field of many values is asked for in two steps, and the answer is that of one.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{documents::ACTIONS, scratch, write};
use crate::index::Index;

/// More than the engine is asked for in one step.
const ADDRESSES: usize = 1_500;

/// Two addresses each, one of them more and more frequent.
fn documents() -> Vec<Value> {
    let address = |n: usize| format!("10.0.{}.{}", n / 250, n % 250);
    let one = |n: usize| {
        let (first, second) = (n % ADDRESSES, (n * n) % 90);
        json!({
            "@timestamp": "2026-03-01T00:00:00.000Z",
            "event": { "id": n.to_string(), "action": ACTIONS[n % 4] },
            "related": { "ip": [address(first), address(second)] },
            "network": { "bytes": n },
        })
    };
    (0..2 * ADDRESSES).map(one).collect()
}

#[test]
fn what_stands_below_the_values_shown_is_counted_over_all_their_documents() {
    let (_folder, index) = scratch();
    let documents = documents();
    for part in documents.chunks(2_000) {
        write(&index, "waf", &part.iter().map(Value::to_string).collect::<Vec<_>>());
        index.refresh().unwrap();
    }
    let sum = json!({ "sum": { "field": "network.bytes" } });
    let actions = json!({ "terms": { "field": "event.action", "size": 10 }, "aggs": { "n": sum } });
    let rows = json!({ "field": "related.ip", "size": 7, "order": { "n": "desc" } });
    let aggs = json!({ "rows": { "terms": rows, "aggs": { "n": sum, "actions": actions } } });
    let query = json!({ "range": { "network.bytes": { "gte": 100 } } });
    let answer = index
        .search("waf", &json!({ "size": 0, "query": query, "aggs": aggs }))
        .unwrap();

    let mut expected: BTreeMap<&str, (u64, BTreeMap<&str, u64>)> = BTreeMap::new();
    for document in &documents {
        let bytes = document["network"]["bytes"].as_u64().unwrap();
        let mut addresses: Vec<&str> = document["related"]["ip"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(Value::as_str)
            .collect();
        addresses.dedup();
        for address in addresses.into_iter().filter(|_| bytes >= 100) {
            let (whole, by_action) = expected.entry(address).or_default();
            *whole += bytes;
            *by_action
                .entry(document["event"]["action"].as_str().unwrap())
                .or_default() += bytes;
        }
    }
    let mut ranked: Vec<_> = expected.iter().collect();
    ranked.sort_by_key(|(_, (whole, _))| std::cmp::Reverse(*whole));
    let shown = answer["aggregations"]["rows"]["buckets"].as_array().unwrap();
    assert_eq!(shown.len(), 7);
    for (bucket, (address, (whole, by_action))) in shown.iter().zip(ranked) {
        assert_eq!(bucket["key"], *address);
        assert_eq!(bucket["n"]["value"].as_f64(), Some(*whole as f64), "{address}");
        let actions = bucket["actions"]["buckets"].as_array().unwrap();
        let actions: BTreeMap<&str, u64> = actions
            .iter()
            .map(|one| (one["key"].as_str().unwrap(), one["n"]["value"].as_f64().unwrap() as u64))
            .collect();
        assert_eq!(actions, *by_action, "{address}");
    }
}

#[test]
fn nothing_found_is_an_answer_without_buckets() {
    let (_folder, index) = scratch();
    write(
        &index,
        "waf",
        &documents().iter().map(Value::to_string).collect::<Vec<_>>(),
    );
    index.refresh().unwrap();
    let below = json!({ "t": { "date_histogram": { "field": "@timestamp", "fixed_interval": "1h" } } });
    let aggs = json!({ "rows": { "terms": { "field": "related.ip" }, "aggs": below } });
    let query = json!({ "term": { "network.bytes": -1 } });
    let answer = index
        .search("waf", &json!({ "size": 0, "query": query, "aggs": aggs }))
        .unwrap();
    assert_eq!(answer["aggregations"]["rows"]["buckets"], json!([]));
}
