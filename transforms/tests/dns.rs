//! What is particular to DNS query logs: the text form, what is refused and how, and names against a slow reference.

mod support;

use std::net::IpAddr;

use portcullis_transforms::{Options, Outcome, RefusalKind, Schema, Source, normalize::RECORD_LIMIT};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{normalize, schema_violation};

const LINE: &str = "1.0 2026-11-21T10:51:00.130Z Z1 www.example.com A NOERROR UDP FRA6 192.0.2.53 -";

fn ecs(record: &[u8]) -> Value {
    let options = Options {
        keep_original: true,
        ..Options::default()
    };
    let (outcome, line) = normalize(Source::Dns, options, record).expect("a document");
    assert_eq!(outcome, Outcome::Document);
    assert_eq!(schema_violation(Source::Dns, &line), None);
    serde_json::from_str(&line).expect("JSON")
}

#[test]
fn a_line_is_kept_and_named_as_it_came() {
    let document = ecs(LINE.as_bytes());
    assert_eq!(document["event"]["original"], LINE);
    for other in [format!("\u{feff}{LINE}\r\n"), format!("  {LINE}\n\n")] {
        assert_eq!(ecs(other.as_bytes()), document, "{other:?}");
    }
    let object =
        json!({"version": "1.0", "query_timestamp": "2026-11-21T10:51:00.130Z", "query_name": "www.example.com"});
    assert_ne!(
        ecs(object.to_string().as_bytes())["event"]["id"],
        document["event"]["id"]
    );
}

#[test]
fn a_line_and_an_object_by_turns_do_not_meet() {
    let object = br#"{"query_timestamp":"2026-11-21T10:51:01Z","query_name":"a.example.org."}"#;
    let mut normalizer = portcullis_transforms::Normalizer::new(Source::Dns, Options::default()).expect("a normaliser");
    let mut together = Vec::new();
    for record in [LINE.as_bytes(), object, b"nothing of the kind", LINE.as_bytes(), object] {
        let refused = normalizer.record(record, &mut together).is_err();
        assert_eq!(refused, record.starts_with(b"nothing"));
    }
    let alone = |record| {
        normalize(Source::Dns, Options::default(), record)
            .expect("a document")
            .1
    };
    let expected = (alone(LINE.as_bytes()) + &alone(object)).repeat(2);
    assert_eq!(String::from_utf8(together).expect("UTF-8"), expected);
}

#[test]
fn what_is_refused_is_refused_with_its_reason() {
    let two = format!("{LINE}\n{LINE}");
    let long = format!("{LINE} {}", "a".repeat(20_000));
    let huge = "1".repeat(RECORD_LIMIT + 1);
    let cases: &[(&[u8], RefusalKind, &str)] = &[
        (two.as_bytes(), RefusalKind::Form, "becomes one document"),
        (long.as_bytes(), RefusalKind::Size, "20080 bytes"),
        (huge.as_bytes(), RefusalKind::Size, "limit"),
        (
            b"1.0 2017-03-16T19:20:177Z Z1 example.com A NOERROR UDP FRA6 192.0.2.53 -",
            RefusalKind::Time,
            "2017-03-16T19:20:177Z",
        ),
        (
            br#"{"query_name":"example.com.","query_timestamp":"yesterday"}"#,
            RefusalKind::Time,
            "yesterday",
        ),
        (br#"{"query_name":"example.com."}"#, RefusalKind::Time, "no timestamp"),
        (
            br#"{"query_timestamp":"2026-11-21T10:51:00Z"}"#,
            RefusalKind::MissingField,
            "query_name",
        ),
        (
            br#"{"timestamp":1795258260000,"webaclId":"arn"}"#,
            RefusalKind::WrongSource,
            "WAF",
        ),
        (
            b"2 123456789010 eni-1 192.0.2.1 192.0.2.2 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK",
            RefusalKind::WrongSource,
            "flow log",
        ),
        (b"www.example.com A", RefusalKind::Syntax, "not JSON"),
        (b"1.0 \xff", RefusalKind::Encoding, "byte 4"),
    ];
    for schema in [Schema::Ecs, Schema::Native] {
        for (record, kind, words) in cases {
            let options = Options {
                schema,
                ..Options::default()
            };
            let refusal = normalize(Source::Dns, options, record).expect_err("a refusal");
            assert_eq!(refusal.kind, *kind, "{refusal}");
            assert!(refusal.to_string().contains(words), "{refusal}");
        }
    }
    let refusal = normalize(
        Source::Waf,
        Options::default(),
        br#"{"query_timestamp":"2026-11-21T10:51:00Z","query_name":"a."}"#,
    )
    .expect_err("a refusal");
    assert!(
        refusal.to_string().contains("Route 53 Resolver query logs"),
        "{refusal}"
    );
}

#[test]
fn a_native_line_is_its_columns_with_the_time_made_whole() {
    let options = Options {
        schema: Schema::Native,
        ..Options::default()
    };
    let line = "1.0 2026-11-21T10:51:00Z Z1 www.Example.com A NOERROR UDP FRA6 192.0.2.53 -";
    let (_, document) = normalize(Source::Dns, options, line.as_bytes()).expect("a document");
    let expected = concat!(
        r#"{"version":"1.0","query_timestamp":"2026-11-21T10:51:00.000Z","hosted_zone_id":"Z1","#,
        r#""query_name":"www.Example.com","query_type":"A","rcode":"NOERROR","transport":"UDP","edge_location":"FRA6","#,
        r#""resolver_ip":"192.0.2.53","edns_client_subnet":null}"#,
        "\n"
    );
    assert_eq!(document, expected);
}

#[test]
fn a_thousand_answers_are_all_there() {
    let answers: Vec<Value> = (0..1000)
        .map(|n| json!({"Rdata": format!("10.9.{}.{}", n / 250, n % 250), "Type": "A", "Class": "IN"}))
        .chain([json!({"Rdata": "Edge.Example.NET.", "Type": "CNAME", "Class": "IN"})])
        .collect();
    let record = json!({"query_timestamp": "2026-11-21T10:51:00Z", "query_name": "a.example.com.", "answers": answers});
    let document = ecs(record.to_string().as_bytes());
    let list = |pointer: &str| document.pointer(pointer).and_then(Value::as_array).map(Vec::len);
    assert_eq!(list("/dns/answers/data"), Some(1001));
    assert_eq!(list("/dns/answers/type"), Some(1001));
    assert_eq!(list("/dns/resolved_ip"), Some(1000));
    assert_eq!(list("/related/ip"), Some(1000));
    assert_eq!(document["dns"]["answers"]["data"][1000], "edge.example.net");
    assert_eq!(
        document["related"]["hosts"],
        json!(["a.example.com", "edge.example.net"])
    );
}

/// A name that somebody could ask for, now and then with capitals, a last dot or under `in-addr.arpa`.
fn name() -> impl Strategy<Value = String> {
    let label = "[a-zA-Z0-9_-]{1,8}";
    let suffix = prop::sample::select(vec!["com", "co.uk", "Example.ORG", "compute.internal", "xn--p1ai"]);
    let usual = (prop::collection::vec(label, 1..4), suffix, any::<bool>())
        .prop_map(|(labels, suffix, dot)| format!("{}.{suffix}{}", labels.join("."), if dot { "." } else { "" }));
    let reverse = any::<[u8; 4]>().prop_map(|[a, b, c, d]| format!("{a}.{b}.{c}.{d}.in-addr.arpa."));
    prop_oneof![8 => usual, 1 => reverse]
}

fn answer() -> impl Strategy<Value = (String, &'static str)> {
    prop_oneof![
        any::<[u8; 4]>().prop_map(|octets| (IpAddr::from(octets).to_string(), "A")),
        any::<[u8; 16]>().prop_map(|octets| (IpAddr::from(octets).to_string(), "AAAA")),
        name().prop_map(|name| (name, "CNAME")),
        name().prop_map(|name| (format!("10 {name}"), "MX")),
        "\"[ -!#-\\[\\]-~]{0,12}\"".prop_map(|text| (text, "TXT")),
    ]
}

fn spelled(name: &str) -> String {
    name.to_lowercase().trim_end_matches('.').to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn names_and_addresses_are_where_a_slow_look_finds_them(
        asked in name(),
        answers in prop::collection::vec(answer(), 0..5),
        client in any::<[u8; 4]>(),
    ) {
        let client = IpAddr::from(client);
        let listed: Vec<Value> = answers
            .iter()
            .map(|(data, kind)| json!({"Rdata": data, "Type": kind, "Class": "IN"}))
            .collect();
        let record = json!({
            "query_timestamp": "2026-11-21T10:51:00Z",
            "query_name": asked,
            "answers": listed,
            "srcaddr": client.to_string(),
        });
        let document = ecs(record.to_string().as_bytes());
        let texts = |pointer: &str| -> Vec<String> {
            let values = document.pointer(pointer).and_then(Value::as_array).cloned().unwrap_or_default();
            values.iter().map(|value| value.as_str().expect("text").to_owned()).collect()
        };

        let name = spelled(&asked);
        prop_assert_eq!(&document["dns"]["question"]["name"], &name);
        let question = document["dns"]["question"].as_object().expect("an object");
        if let Some(registered) = question.get("registered_domain").and_then(Value::as_str) {
            let subdomain = question.get("subdomain").and_then(Value::as_str);
            let whole = subdomain.map_or(registered.to_owned(), |subdomain| format!("{subdomain}.{registered}"));
            prop_assert_eq!(&whole, &name);
            let suffix = question["top_level_domain"].as_str().expect("a suffix");
            let label = registered.strip_suffix(suffix).and_then(|rest| rest.strip_suffix('.'));
            prop_assert!(label.is_some_and(|label| !label.contains('.')), "{registered} {suffix}");
        }

        let data: Vec<String> = answers
            .iter()
            .map(|(data, kind)| match *kind {
                "CNAME" => spelled(data),
                "MX" => format!("10 {}", spelled(&data[3..])),
                _ => data.clone(),
            })
            .collect();
        prop_assert_eq!(texts("/dns/answers/data"), data.clone());

        let mut names: Vec<&str> = data
            .iter()
            .zip(&answers)
            .filter(|(_, (_, kind))| matches!(*kind, "CNAME" | "MX"))
            .map(|(data, _)| data.trim_start_matches("10 "))
            .collect();
        names.push(&name);
        let (reverse, hosts): (Vec<&str>, Vec<&str>) = names.iter().partition(|name| name.ends_with(".in-addr.arpa"));
        let mut addresses: Vec<IpAddr> = data.iter().filter_map(|text| text.parse().ok()).collect();
        addresses.push(client);
        for name in reverse {
            let mut octets: Vec<&str> = name.trim_end_matches(".in-addr.arpa").split('.').collect();
            octets.reverse();
            addresses.push(octets.join(".").parse().expect("an address"));
        }
        addresses.sort_unstable();
        addresses.dedup();
        let related: Vec<IpAddr> = texts("/related/ip").iter().map(|text| text.parse().expect("an address")).collect();
        prop_assert_eq!(related, addresses);
        let mut related = texts("/related/hosts");
        related.sort_unstable();
        let mut hosts = hosts;
        hosts.sort_unstable();
        hosts.dedup();
        prop_assert_eq!(related, hosts);
    }
}
