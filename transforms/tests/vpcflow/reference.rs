//! A second mapper, slow and obvious, written from NORMALIZE's words; both must say the same about generated lines.

use chrono::{DateTime, SecondsFormat, Utc};
use portcullis_transforms::Schema;
use proptest::{prelude::*, sample::Index};
use serde_json::{Map, Value, json};

use crate::{document, mapper};

/// Columns to draw formats from, each with texts of which some are accepted.
const COLUMNS: &[(&str, &[&str])] = &[
    ("version", &["2", "5", "-", "x"]),
    ("account-id", &["111122223333", "012345678901", "unknown", "-"]),
    ("interface-id", &["eni-0a1", "-"]),
    (
        "srcaddr",
        &[
            "10.0.0.1",
            "203.0.113.9",
            "2001:db8::1",
            "::ffff:10.0.0.1",
            "-",
            "10.0.0",
            "010.0.0.1",
            "256.0.0.1",
        ],
    ),
    (
        "dstaddr",
        &["10.0.0.1", "198.51.100.7", "fe80::1", "-", "1.2.3.4.5", "::1%eth0"],
    ),
    ("srcport", &["0", "22", "65535", "-", "65536", "-1", "022"]),
    ("dstport", &["443", "-", "1e3"]),
    ("protocol", &["6", "17", "1", "58", "253", "-", "256", "tcp"]),
    ("packets", &["1", "9223372036854775807", "-", "9223372036854775808"]),
    ("bytes", &["0", "1874", "-", "18446744073709551616", "1.5"]),
    (
        "start",
        &[
            "1795258200",
            "1795258200123",
            "2026-11-21T11:50:00+01:00",
            "-",
            "0",
            "NaN",
            "-5",
            "99999999999",
        ],
    ),
    ("end", &["1795258257", "1795258199", "-", "yesterday"]),
    ("action", &["ACCEPT", "REJECT", "-", "LATER"]),
    ("log-status", &["OK", "NODATA", "SKIPDATA", "-"]),
    ("vpc-id", &["vpc-1", "-"]),
    ("instance-id", &["i-1", "-"]),
    ("tcp-flags", &["0", "1", "2", "3", "4", "18", "19", "255", "-", "256"]),
    ("type", &["IPv4", "IPv6", "EFA", "-"]),
    ("pkt-srcaddr", &["10.0.0.1", "203.0.113.80", "-", "here"]),
    ("pkt-dstaddr", &["198.51.100.7", "2001:db8::2", "-"]),
    ("region", &["eu-central-1", "-"]),
    ("flow-direction", &["ingress", "egress", "sideways", "-"]),
    ("traffic-path", &["1", "7", "8", "9", "-", "a"]),
    ("encryption-status", &["0", "1", "3", "4", "a\"é", "-"]),
    ("reject-reason", &["BPA", "-"]),
    ("packets-lost-blackhole", &["0", "3", "-", "many"]),
    ("tomorrow", &["x", "a\"b", "c\\d", "é", "\u{7f}", "-"]),
];

fn rfc3339(millis: i64) -> String {
    DateTime::<Utc>::from_timestamp_millis(millis)
        .expect("in range")
        .to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Epoch seconds or milliseconds, or RFC 3339.
fn time(text: &str) -> Option<i64> {
    let millis = match text.parse::<i64>() {
        Ok(number) if number < 100_000_000_000 => number * 1_000,
        Ok(number) => number,
        Err(_) => DateTime::parse_from_rfc3339(text).ok()?.timestamp_millis(),
    };
    (0..4_133_980_800_000).contains(&millis).then_some(millis)
}

fn number(text: &str, max: i64) -> Option<i64> {
    let number: i64 = text.parse().ok()?;
    (number >= 0 && number <= max && number.to_string() == text).then_some(number)
}

fn address(text: &str) -> Option<std::net::IpAddr> {
    text.parse().ok()
}

fn flag_names(mask: i64) -> Vec<&'static str> {
    let mut names = Vec::new();
    match (mask & 2 != 0, mask & 16 != 0) {
        (true, true) => names.push("SYN-ACK"),
        (true, false) => names.push("SYN"),
        _ => {}
    }
    for (bit, name) in [
        (1, "FIN"),
        (4, "RST"),
        (8, "PSH"),
        (16, "ACK"),
        (32, "URG"),
        (64, "ECE"),
        (128, "CWR"),
    ] {
        if mask & bit != 0 && !(bit == 16 && mask & 2 != 0) {
            names.push(name);
        }
    }
    names
}

fn put(document: &mut Value, name: &str, value: impl Into<Value>) {
    let mut place = document;
    for part in name.split('.') {
        place = &mut place[part];
    }
    *place = value.into();
}

/// Whether a column takes a text that is not `-`.
fn fits(name: &str, text: &str) -> bool {
    match name {
        "srcaddr" | "dstaddr" | "pkt-srcaddr" | "pkt-dstaddr" => address(text).is_some(),
        "srcport" | "dstport" => number(text, 65_535).is_some(),
        "protocol" | "tcp-flags" => number(text, 255).is_some(),
        name if NUMBERS.contains(&name) => number(text, i64::MAX).is_some(),
        _ => true,
    }
}

/// The document without `event.id`, or nothing if the line must be refused.
fn ecs(columns: &[(&str, &str)]) -> Option<Value> {
    let (columns, misfits): (Vec<_>, Vec<_>) = columns
        .iter()
        .copied()
        .partition(|(name, text)| *text == "-" || fits(name, text));
    let get = |name: &str| columns.iter().find(|(n, v)| *n == name && *v != "-").map(|(_, v)| *v);
    // A column's value through a check: absent is fine, unreadable refuses the line.
    macro_rules! checked {
        ($name:literal, $check:expr) => {
            match get($name) {
                None => None,
                Some(text) => Some($check(text)?),
            }
        };
    }
    let long = |text: &str| number(text, i64::MAX);
    let mut d = json!({});
    let (start, end) = (checked!("start", time), checked!("end", time));
    let at = end.or(start);
    for (name, value) in [("event.start", start), ("event.end", end), ("@timestamp", at)] {
        if let Some(millis) = value {
            put(&mut d, name, rfc3339(millis));
        }
    }
    if let (Some(start), Some(end)) = (start, end)
        && end >= start
    {
        put(&mut d, "event.duration", (end - start) * 1_000_000);
    }
    let (source, destination) = (checked!("srcaddr", address), checked!("dstaddr", address));
    let (pkt_source, pkt_destination) = (checked!("pkt-srcaddr", address), checked!("pkt-dstaddr", address));
    let first = source.or(destination).or(pkt_source).or(pkt_destination);
    let mut related: Vec<&str> = Vec::new();
    for name in ["srcaddr", "dstaddr", "pkt-srcaddr", "pkt-dstaddr"] {
        related.extend(get(name).filter(|a| !related.contains(a)));
    }
    if !related.is_empty() {
        put(&mut d, "related.ip", json!(related));
    }
    for (side, column, pkt) in [
        ("source", "srcaddr", "pkt-srcaddr"),
        ("destination", "dstaddr", "pkt-dstaddr"),
    ] {
        if let Some(text) = get(column) {
            put(&mut d, &format!("{side}.address"), text);
            put(&mut d, &format!("{side}.ip"), text);
        }
        if let Some(text) = get(pkt) {
            put(&mut d, &format!("aws.vpcflow.{}", pkt.replace('-', "_")), text);
            if get(column) != Some(text) {
                put(&mut d, &format!("{side}.nat.ip"), text);
            }
        }
    }
    let numbers = [
        (checked!("srcport", |t| number(t, 65_535)), &["source.port"][..]),
        (checked!("dstport", |t| number(t, 65_535)), &["destination.port"]),
        (checked!("bytes", long), &["source.bytes", "network.bytes"]),
        (checked!("packets", long), &["source.packets", "network.packets"]),
        (checked!("version", long), &["aws.vpcflow.version"]),
        (
            checked!("packets-lost-blackhole", long),
            &["aws.vpcflow.packets_lost_blackhole"],
        ),
    ];
    for (value, names) in numbers {
        for name in names.iter().filter(|_| value.is_some()) {
            put(&mut d, name, value);
        }
    }
    if let Some(protocol) = checked!("protocol", |t| number(t, 255)) {
        put(&mut d, "network.iana_number", protocol.to_string());
        let names = [(6, "tcp"), (17, "udp"), (1, "icmp"), (58, "ipv6-icmp")];
        if let Some((_, name)) = names.iter().find(|(n, _)| *n == protocol) {
            put(&mut d, "network.transport", *name);
        }
    }
    match (get("type"), first) {
        (Some(kind), _) => put(&mut d, "network.type", kind.to_lowercase()),
        (None, Some(address)) => put(&mut d, "network.type", if address.is_ipv6() { "ipv6" } else { "ipv4" }),
        (None, None) => {}
    }
    if let Some(mask) = checked!("tcp-flags", |t| number(t, 255)).filter(|mask| *mask != 0) {
        put(&mut d, "aws.vpcflow.tcp_flags", json!(flag_names(mask)));
    }
    if let Some(path) = checked!("traffic-path", long) {
        let name = match path {
            1 => "same_vpc".to_owned(),
            7 => "gateway_endpoint".to_owned(),
            8 => "internet_gateway".to_owned(),
            other => other.to_string(),
        };
        put(&mut d, "aws.vpcflow.traffic_path", name);
    }
    if let Some(status) = get("encryption-status") {
        let name = match status {
            "0" => "not_encrypted",
            "1" => "nitro",
            "3" => "nitro_and_application",
            other => other,
        };
        put(&mut d, "aws.vpcflow.encryption_status", name);
    }
    for (column, name) in [
        ("account-id", "cloud.account.id"),
        ("region", "cloud.region"),
        ("instance-id", "cloud.instance.id"),
        ("interface-id", "aws.vpcflow.interface_id"),
        ("action", "aws.vpcflow.action"),
        ("log-status", "aws.vpcflow.log_status"),
        ("vpc-id", "aws.vpcflow.vpc_id"),
        ("flow-direction", "aws.vpcflow.flow_direction"),
        ("reject-reason", "aws.vpcflow.reject_reason"),
        ("tomorrow", "aws.vpcflow.rest.tomorrow"),
    ] {
        if let Some(text) = get(column) {
            put(&mut d, name, text);
        }
    }
    if let Some(direction @ ("ingress" | "egress")) = get("flow-direction") {
        put(&mut d, "network.direction", direction);
    }
    let types = match get("action") {
        Some("ACCEPT") => json!(["connection", "allowed"]),
        Some("REJECT") => json!(["connection", "denied"]),
        _ if first.is_some() => json!(["connection"]),
        _ => json!(["info"]),
    };
    put(&mut d, "event.type", types);
    if let Some(action @ ("ACCEPT" | "REJECT")) = get("action") {
        put(&mut d, "event.action", action.to_lowercase());
        put(
            &mut d,
            "event.outcome",
            if action == "ACCEPT" { "success" } else { "failure" },
        );
    }
    put(&mut d, "event.kind", "event");
    put(&mut d, "event.category", json!(["network"]));
    put(&mut d, "event.dataset", "aws.vpcflow");
    put(&mut d, "event.module", "aws");
    put(&mut d, "cloud.provider", "aws");
    put(&mut d, "ecs.version", "8.11.0");
    put(
        &mut d,
        "portcullis.normalizer",
        concat!("portcullis-transforms/", env!("CARGO_PKG_VERSION")),
    );
    for (name, text) in &misfits {
        put(&mut d, &format!("aws.vpcflow.rest.{name}"), *text);
    }
    let unplaced = misfits.len() + usize::from(get("tomorrow").is_some());
    if unplaced > 0 {
        put(&mut d, "portcullis.unplaced", unplaced);
    }
    at.map(|_| d)
}

const NUMBERS: &[&str] = &[
    "version",
    "srcport",
    "dstport",
    "protocol",
    "packets",
    "bytes",
    "tcp-flags",
    "traffic-path",
    "packets-lost-blackhole",
];

fn native(columns: &[(&str, &str)]) -> Value {
    let mut members = Map::new();
    for (name, text) in columns {
        let value = match *text {
            "-" => Value::Null,
            text if NUMBERS.contains(name) && fits(name, text) => text.parse::<i64>().expect("checked").into(),
            text if matches!(*name, "start" | "end") => rfc3339(time(text).expect("checked")).into(),
            text => text.into(),
        };
        members.insert((*name).to_owned(), value);
    }
    Value::Object(members)
}

/// A format and a line of it. Most lines take each column's accepted texts, so that refusals do not hide the rest.
fn format_and_line() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    let order = Just((0..COLUMNS.len()).collect::<Vec<_>>()).prop_shuffle();
    (
        order,
        1..=COLUMNS.len(),
        proptest::collection::vec(any::<Index>(), COLUMNS.len()),
        any::<bool>(),
    )
        .prop_map(|(order, count, picks, wild)| {
            let pick = |column: usize| {
                let (name, texts) = COLUMNS[column];
                let tame = texts
                    .iter()
                    .position(|text| *text == "-")
                    .map_or(texts.len(), |dash| dash + 1);
                let from = if wild { texts } else { &texts[..tame] };
                (name, from[picks[column].index(from.len())])
            };
            order[..count].iter().map(|&column| pick(column)).collect()
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn the_mapper_says_what_the_reference_says(columns in format_and_line(), as_header in any::<bool>()) {
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let line = columns.iter().map(|(_, value)| *value).collect::<Vec<_>>().join(" ");
        // A header is known by its published names; the others can only be configured.
        let as_header = as_header && names != ["tomorrow"];
        let expected = ecs(&columns);
        for schema in [Schema::Ecs, Schema::Native] {
            let mut mapper = mapper(schema, (!as_header).then(|| names.join(" ")).as_deref());
            if as_header {
                prop_assert_eq!(document(&mut mapper, names.join(" ").as_bytes()), Ok(None));
            }
            // One word of lower-case letters is a header in either case, as the words of a four-column format may be.
            let got = document(&mut mapper, line.as_bytes());
            match (&expected, schema) {
                (None, _) => prop_assert!(got.is_err(), "{} accepted: {:?}", line, got),
                (Some(expected), Schema::Ecs) => {
                    let mut got = got.expect("accepted").expect("a document");
                    got["event"].as_object_mut().expect("an object").remove("id");
                    prop_assert_eq!(&got, expected, "{}", line);
                }
                (Some(_), Schema::Native) => {
                    prop_assert_eq!(got.expect("accepted").expect("a document"), native(&columns), "{}", line);
                }
            }
        }
    }
}
