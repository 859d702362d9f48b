//! The slow, obvious evaluator: the query DSL and aggregations read straight off JSON documents.

use std::{collections::BTreeMap, net::IpAddr};

use serde_json::{Value, json};

/// Every value of a dotted field, whether nested or not.
pub(super) fn values<'d>(document: &'d Value, field: &str) -> Vec<&'d Value> {
    let mut found = Vec::new();
    walk(document, "", &mut |path, value| {
        if path == field {
            found.push(value);
        }
    });
    found
}

fn walk<'d>(value: &'d Value, path: &str, visit: &mut impl FnMut(&str, &'d Value)) {
    match value {
        Value::Object(object) => {
            for (key, child) in object {
                let dot = if path.is_empty() { "" } else { "." };
                walk(child, &format!("{path}{dot}{key}"), visit);
            }
        }
        Value::Array(several) => several.iter().for_each(|v| walk(v, path, visit)),
        Value::Null => {}
        leaf => visit(path, leaf),
    }
}

/// Whether the document satisfies the query.
pub(super) fn matches(document: &Value, query: &Value) -> bool {
    let (kind, body) = query.as_object().unwrap().iter().next().unwrap();
    let one = || {
        body.as_object()
            .unwrap()
            .iter()
            .next()
            .map(|(k, v)| (k.as_str(), v))
            .unwrap()
    };
    match kind.as_str() {
        "match_all" => true,
        "bool" => {
            let list = |key: &str| body.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
            let (must, filter, should, must_not) = (list("must"), list("filter"), list("should"), list("must_not"));
            let default = usize::from(must.is_empty() && filter.is_empty() && !should.is_empty());
            let least = body
                .get("minimum_should_match")
                .and_then(Value::as_u64)
                .map_or(default, |n| n as usize);
            must.iter().chain(&filter).all(|q| matches(document, q))
                && !must_not.iter().any(|q| matches(document, q))
                && should.iter().filter(|q| matches(document, q)).count() >= least
        }
        "term" => values(document, one().0)
            .iter()
            .any(|v| equal(one().0, v, one().1.get("value").unwrap_or(one().1))),
        "terms" => {
            let wanted = one().1.as_array().unwrap();
            values(document, one().0)
                .iter()
                .any(|v| wanted.iter().any(|w| equal(one().0, v, w)))
        }
        "exists" => {
            let field = body["field"].as_str().unwrap();
            let mut found = false;
            walk(document, "", &mut |path, _| {
                found |= path == field || path.starts_with(&format!("{field}."));
            });
            found
        }
        "range" => {
            let (field, ends) = one();
            values(document, field).iter().any(|v| {
                ends.as_object().unwrap().iter().all(|(end, limit)| {
                    let (a, b) = (rank(field, v), rank(field, limit));
                    match end.as_str() {
                        "gte" => a >= b,
                        "gt" => a > b,
                        "lte" => a <= b,
                        _ => a < b,
                    }
                })
            })
        }
        "prefix" => values(document, one().0)
            .iter()
            .any(|v| v.as_str().is_some_and(|v| v.starts_with(one().1.as_str().unwrap()))),
        "wildcard" => {
            let pattern: Vec<char> = one().1.as_str().unwrap().chars().collect();
            values(document, one().0).iter().any(|v| {
                v.as_str()
                    .is_some_and(|v| like(&v.chars().collect::<Vec<_>>(), &pattern))
            })
        }
        other => panic!("{other}"),
    }
}

fn like(text: &[char], pattern: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('*', rest)) => (0..=text.len()).any(|n| like(&text[n..], rest)),
        Some(('?', rest)) => text.split_first().is_some_and(|(_, text)| like(text, rest)),
        Some((c, rest)) => text
            .split_first()
            .is_some_and(|(first, text)| first == c && like(text, rest)),
    }
}

fn equal(field: &str, value: &Value, wanted: &Value) -> bool {
    let (value_text, text) = (plain(value), plain(wanted));
    match field {
        "source.ip" | "related.ip" => {
            let block = text
                .parse::<ipnet::IpNet>()
                .unwrap_or_else(|_| text.parse::<IpAddr>().unwrap().into());
            let Rank::Address(address) = rank(field, value) else {
                unreachable!()
            };
            // Addresses are 128 bits wide, as in OpenSearch: ::/0 holds the IPv4 addresses too.
            match block {
                ipnet::IpNet::V6(block) => block.contains(&address),
                ipnet::IpNet::V4(block) => address.to_ipv4_mapped().is_some_and(|v4| block.contains(&v4)),
            }
        }
        "message" => value_text
            .to_lowercase()
            .split(' ')
            .any(|word| word == text.to_lowercase()),
        "event.action" | "tags" | "url.path" | "event.id" | "aws.waf.headers.x-test" => value_text == text,
        _ => rank(field, value) == rank(field, wanted),
    }
}

/// A key that sorts as the field's values do.
#[derive(Debug, PartialEq, PartialOrd)]
enum Rank {
    Number(f64),
    Address(std::net::Ipv6Addr),
    Time(i64),
    Text(String),
}

fn rank(field: &str, value: &Value) -> Rank {
    let text = plain(value);
    match field {
        "@timestamp" | "event.start" => Rank::Time(milliseconds(&text)),
        "source.ip" | "related.ip" => Rank::Address(match text.parse().unwrap() {
            IpAddr::V4(v4) => v4.to_ipv6_mapped(),
            IpAddr::V6(v6) => v6,
        }),
        "event.severity" | "destination.port" | "network.bytes" => Rank::Number(text.parse().unwrap()),
        _ => Rank::Text(text),
    }
}

fn milliseconds(text: &str) -> i64 {
    chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis()
}

pub(super) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Buckets of an aggregation by key, with their document counts and the answers below.
pub(super) fn buckets(documents: &[&Value], agg: &Value) -> BTreeMap<String, (u64, Value)> {
    let (kind, body) = agg.as_object().unwrap().iter().find(|(k, _)| *k != "aggs").unwrap();
    let mut groups: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for document in documents {
        let mut keys: Vec<String> = match kind.as_str() {
            "multi_terms" => {
                let mut keys = vec![String::new()];
                for term in body["terms"].as_array().unwrap() {
                    let values = distinct(document, term["field"].as_str().unwrap());
                    keys = keys
                        .iter()
                        .flat_map(|k| values.iter().map(move |v| format!("{k}|{v}")))
                        .collect();
                }
                keys
            }
            "terms" => distinct(document, body["field"].as_str().unwrap()),
            _ => {
                let field = body["field"].as_str().unwrap();
                values(document, field)
                    .iter()
                    .flat_map(|v| bucket_keys(kind, body, field, v))
                    .collect()
            }
        };
        keys.sort();
        keys.dedup();
        for key in keys {
            groups.entry(key).or_default().push(document);
        }
    }
    let below = |group: &[&Value]| agg.get("aggs").map_or(Value::Null, |aggs| metrics(group, aggs));
    groups
        .into_iter()
        .map(|(key, group)| (key, (group.len() as u64, below(&group))))
        .collect()
}

fn distinct(document: &Value, field: &str) -> Vec<String> {
    let mut values: Vec<_> = values(document, field).into_iter().map(plain).collect();
    values.sort();
    values.dedup();
    values
}

fn bucket_keys(kind: &str, body: &Value, field: &str, value: &Value) -> Vec<String> {
    match kind {
        "date_histogram" => {
            let read = |key: &str| {
                body.get(key).map_or(0, |v| {
                    v.as_str().unwrap().trim_end_matches("ms").parse::<i64>().unwrap()
                })
            };
            let (length, offset) = (read("fixed_interval"), read("offset"));
            let at = milliseconds(&plain(value));
            vec![((at - offset).div_euclid(length) * length + offset).to_string()]
        }
        "histogram" => {
            let (number, length) = (value.as_f64().unwrap(), body["interval"].as_f64().unwrap());
            vec![((number / length).floor() * length).to_string()]
        }
        "range" => body["ranges"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|r| {
                let number = value.as_f64().unwrap();
                r.get("from").is_none_or(|f| number >= f.as_f64().unwrap())
                    && r.get("to").is_none_or(|t| number < t.as_f64().unwrap())
            })
            .map(|r| r["key"].as_str().unwrap().to_owned())
            .collect(),
        other => panic!("{other} on {field}"),
    }
}

/// Metric aggregations over a group of documents: `{name: value or null}`.
pub(super) fn metrics(documents: &[&Value], aggs: &Value) -> Value {
    let mut out = json!({});
    for (name, agg) in aggs.as_object().unwrap() {
        let (kind, body) = agg.as_object().unwrap().iter().next().unwrap();
        let field = body["field"].as_str().unwrap();
        let all: Vec<&Value> = documents.iter().flat_map(|d| values(d, field)).collect();
        let numbers: Vec<f64> = all.iter().filter_map(|v| v.as_f64()).collect();
        out[name] = match kind.as_str() {
            "sum" => json!(numbers.iter().sum::<f64>()),
            "avg" if numbers.is_empty() => Value::Null,
            "avg" => json!(numbers.iter().sum::<f64>() / numbers.len() as f64),
            "min" => numbers.iter().copied().reduce(f64::min).into(),
            "max" => numbers.iter().copied().reduce(f64::max).into(),
            // A keyword that stands twice in a document is one value of it, there as here.
            "value_count" => json!(documents.iter().map(|d| distinct(d, field).len() as f64).sum::<f64>()),
            "cardinality" => {
                let mut all: Vec<_> = all.into_iter().map(plain).collect();
                all.sort();
                all.dedup();
                json!(all.len() as f64)
            }
            other => panic!("{other}"),
        };
    }
    out
}
