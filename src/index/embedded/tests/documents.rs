//! Documents made from a seed: every type, missing fields, arrays, both ways of nesting.

use portcullis_transforms::{Field, Type, schema::field};
use rand::{Rng, RngExt, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

pub(super) const FIELDS: &[Field] = &[
    field("event.id", Type::Keyword, "", ""),
    field("event.action", Type::Keyword, "", ""),
    field("tags", Type::Keyword, "", ""),
    field("url.path", Type::Keyword, "", ""),
    field("destination.port", Type::Long, "", ""),
    field("network.bytes", Type::Long, "", ""),
    field("aws.guardduty.archived", Type::Boolean, "", ""),
];

/// 2026-03-01T00:00:00Z.
pub(super) const START: i64 = 1_772_323_200_000;

pub(super) const ACTIONS: &[&str] = &[
    "allow",
    "block",
    "count",
    "captcha",
    "2026-03-01T00:00:00Z",
    "443",
    "true",
];
pub(super) const PATHS: &[&str] = &[
    "/",
    "/admin",
    "/admin/login",
    "/index.html",
    "/a*b",
    "/Admin",
    "/ü/ß",
    "/admin?x=1",
];
pub(super) const TAGS: &[&str] = &["scanner", "tor", "known", "new", "pci"];
pub(super) const WORDS: &[&str] = &["Unusual", "port", "probe", "from", "Berlin", "SSH", "brute", "force"];
pub(super) const ADDRESSES: &[&str] = &[
    "10.0.0.1",
    "10.0.0.255",
    "10.1.2.3",
    "9.255.255.255",
    "11.0.0.0",
    "192.168.1.1",
    "2.3.4.5",
    "100.64.0.1",
    "2001:db8::1",
    "2001:db8::ffff",
    "2001:db9::1",
    "fe80::1",
    "::1",
];

pub(super) fn random(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

pub(super) fn some<T: Copy>(random: &mut ChaCha8Rng, values: &[T]) -> T {
    *values.choose(random).unwrap()
}

pub(super) fn document(random: &mut ChaCha8Rng, id: usize) -> Value {
    let at = START + random.random_range(0..3 * 3_600_000);
    let mut document = json!({ "@timestamp": time(at), "event": { "id": format!("id-{id}") } });
    if random.random_bool(0.9) {
        document["event"]["action"] = some(random, ACTIONS).into();
    }
    if random.random_bool(0.8) {
        document["event"]["severity"] = json!(f64::from(random.random_range(0..100)) / 10.0);
    }
    if random.random_bool(0.7) {
        document["event"]["start"] = time(at - random.random_range(0..5_000)).into();
    }
    if random.random_bool(0.8) {
        document["source.ip"] = some(random, ADDRESSES).into();
    }
    if random.random_bool(0.8) {
        let several: Vec<_> = (0..random.random_range(0..4))
            .map(|_| some(random, ADDRESSES))
            .collect();
        document["related"] = json!({ "ip": several });
    }
    if random.random_bool(0.8) {
        document["destination"] = json!({ "port": some(random, &[22, 80, 443, 3389, 65535]) });
    }
    if random.random_bool(0.8) {
        document["network"] = json!({ "bytes": random.random_range(-5i64..5_000_000_000) });
    }
    if random.random_bool(0.7) {
        document["tags"] = (0..random.random_range(0..4)).map(|_| some(random, TAGS)).collect();
    }
    if random.random_bool(0.7) {
        document["url"] = json!({ "path": some(random, PATHS) });
    }
    if random.random_bool(0.5) {
        document["aws.guardduty.archived"] = random.random_bool(0.5).into();
    }
    if random.random_bool(0.6) {
        let words: Vec<_> = (0..random.random_range(1..6)).map(|_| some(random, WORDS)).collect();
        document["message"] = words.join(" ").into();
    }
    if random.random_bool(0.4) {
        document["aws"] = json!({ "waf": { "headers": { "x-test": some(random, TAGS), "host": "example.com" } } });
    }
    if random.random_bool(0.4) {
        document["unheard"] = match random.next_u32() % 3 {
            0 => json!({ "of": 7 }),
            1 => json!({ "of": "7" }),
            _ => json!({ "of": 7.5 }),
        };
    }
    document
}

pub(super) fn time(at: i64) -> String {
    chrono::DateTime::from_timestamp_millis(at)
        .unwrap()
        .to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}
