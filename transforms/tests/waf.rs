//! WAF logs: whose word about the client is believed behind proxies, how headers may be named, and which addresses are the
//! record's.

mod support;

use portcullis_transforms::{Normalizer, Options, Outcome, Source};
use serde_json::{Value, json};
use support::{normalize, schema_violation};

fn document(trusted: Option<&str>, peer: &str, headers: &Value) -> Value {
    let record = json!({
        "timestamp": 1_795_258_260_000_i64,
        "webaclId": "arn:aws:wafv2:eu-central-1:111122223333:regional/webacl/shop/aa",
        "clientAsn": 64_496,
        "httpRequest": { "clientIp": peer, "country": "IE", "headers": headers },
    });
    let options = Options {
        trusted_proxies: trusted.map(|text| text.parse().expect("proxies")),
        ..Options::default()
    };
    let (_, line) = normalize(Source::Waf, options, record.to_string().as_bytes()).expect("a document");
    assert_eq!(schema_violation(Source::Waf, &line), None);
    serde_json::from_str(&line).expect("JSON")
}

#[test]
fn a_forwarded_address_counts_only_behind_a_trusted_proxy() {
    let headers = json!([
        { "name": "X-Forwarded-For", "value": "192.0.2.66, 203.0.113.45" },
        { "name": "x-forwarded-for", "value": "10.20.30.40" },
    ]);
    let peer = "10.1.2.3";
    for (trusted, peer, client) in [
        (None, peer, None),
        (Some("192.168.0.0/16"), peer, None),
        (Some("10.0.0.0/8"), "198.51.100.9", None),
        (Some("10.0.0.0/8"), "no address", None),
        (Some("10.0.0.0/8"), peer, Some("203.0.113.45")),
        (Some("2"), peer, Some("203.0.113.45")),
        (Some("3"), peer, Some("192.0.2.66")),
        (Some("4"), peer, None),
    ] {
        let document = document(trusted, peer, &headers);
        let told = format!("{trusted:?} {peer}: {document}");
        let own = &document["aws"]["waf"];
        assert_eq!(
            own["forwarded_for"],
            json!(["192.0.2.66, 203.0.113.45", "10.20.30.40"]),
            "{told}"
        );
        assert_eq!(document["portcullis"]["unplaced"], Value::Null, "{told}");
        match client {
            Some(client) => {
                assert_eq!(document["source"], json!({ "ip": client }), "{told}");
                assert_eq!(
                    (&own["peer_ip"], &own["peer_country"], &own["peer_asn"]),
                    (&json!(peer), &json!("IE"), &json!(64_496)),
                    "{told}"
                );
                let mut both = [client, peer];
                both.sort_by_key(|ip| ip.parse::<std::net::IpAddr>().expect("an address"));
                assert_eq!(document["related"]["ip"], json!(both), "{told}");
            }
            None => {
                assert_eq!(document["source"]["geo"]["country_iso_code"], "IE", "{told}");
                assert_eq!(document["source"]["as"]["number"], 64_496, "{told}");
                assert_eq!(own["peer_ip"], Value::Null, "{told}");
                let place = if peer == "no address" { "address" } else { "ip" };
                assert_eq!(document["source"][place], peer, "{told}");
            }
        }
    }
}

#[test]
fn a_client_cannot_push_an_address_past_the_trusted_proxy() {
    let forged = [
        "203.0.113.1, ".repeat(50_000),
        "10.0.0.9, ".repeat(50_000),
        ",".repeat(50_000),
    ];
    for forged in forged {
        let headers = json!([{ "name": "X-Forwarded-For", "value": format!("{forged}198.51.100.7") }]);
        for trusted in ["10.0.0.0/8", "1"] {
            assert_eq!(
                document(Some(trusted), "10.1.1.1", &headers)["source"]["ip"],
                "198.51.100.7"
            );
        }
    }
}

#[test]
fn a_port_behind_the_host_is_a_field_of_its_own() {
    let cases = [
        ("shop.example.com:8443", "shop.example.com", json!(8443)),
        ("192.0.2.7:80", "192.0.2.7", json!(80)),
        ("[2001:db8::7]:443", "[2001:db8::7]", json!(443)),
        ("shop.example.com", "shop.example.com", Value::Null),
        ("[2001:db8::7]", "[2001:db8::7]", Value::Null),
        ("2001:db8::7", "2001:db8::7", Value::Null),
        ("shop.example.com:", "shop.example.com:", Value::Null),
        ("shop.example.com:+80", "shop.example.com:+80", Value::Null),
        ("shop.example.com:65536", "shop.example.com:65536", Value::Null),
        (":80", ":80", Value::Null),
    ];
    for (host, domain, port) in cases {
        let document = document(None, "198.51.100.1", &json!([{"name": "Host", "value": host}]));
        assert_eq!(document["url"]["domain"], domain, "{host}");
        assert_eq!(document["url"]["port"], port, "{host}");
        assert_eq!(document["related"]["hosts"], json!([domain]), "{host}");
    }
    let two = json!([{"name": "Host", "value": "a.example:80"}, {"name": "host", "value": "b.example:81"}]);
    assert_eq!(
        document(None, "198.51.100.1", &two)["url"]["domain"],
        json!(["a.example:80", "b.example:81"])
    );
}

#[test]
fn the_name_of_a_header_is_as_long_as_what_was_sent_and_not_as_its_escapes() {
    for (name, cut) in [
        ("\"".repeat(256), Value::Null),
        ("\u{1}".repeat(256), Value::Null),
        ("a".repeat(256), Value::Null),
        ("\"".repeat(257), json!(1)),
        ("a".repeat(257), json!(1)),
    ] {
        let headers = json!([{ "name": name, "value": "v" }]);
        let document = document(None, "198.51.100.9", &headers);
        assert_eq!(document["portcullis"]["cut"], cut, "{name}");
        let kept = document["aws"]["waf"]["headers"].as_object().expect("headers");
        assert_eq!(kept.contains_key(&name), cut.is_null(), "{name}");
        assert_eq!(kept.values().collect::<Vec<_>>(), [&json!("v")], "{name}");
    }
}

#[test]
fn an_address_that_a_client_claims_is_not_the_records_and_one_that_a_rule_inserts_is() {
    let record = json!({
        "timestamp": 1_795_258_260_000_i64,
        "webaclId": "arn:aws:wafv2:eu-central-1:111122223333:regional/webacl/shop/aa",
        "requestHeadersInserted": [{ "name": "203.0.113.1", "value": "203.0.113.2" }],
        "httpRequest": { "clientIp": "203.0.113.3", "headers": [{ "name": "203.0.113.4", "value": "203.0.113.5" }] },
    });
    let related = json!(["203.0.113.1", "203.0.113.2", "203.0.113.3"]);
    let mut normalizer = Normalizer::new(Source::Waf, Options::default()).expect("options");
    // A shape is known from the third record on, and from the fourth on a document is written by its script.
    for _ in 0..5 {
        let mut line = Vec::new();
        let outcome = normalizer.record(record.to_string().as_bytes(), &mut line);
        assert_eq!(outcome, Ok(Outcome::Document));
        let document: Value = serde_json::from_slice(&line).expect("JSON");
        assert_eq!(document["related"]["ip"], related);
    }
}

#[test]
fn a_header_is_known_by_its_name_however_that_is_spelled() {
    for name in ["host", "Host", r"H\u006fs\u0074", r"\u0068\u006f\u0073\u0074"] {
        let record = format!(
            r#"{{"timestamp":1795171200123,"webaclId":"acl","httpRequest":{{"headers":[{{"name":"{name}","value":"www.example.com"}}]}}}}"#
        );
        let (_, line) = normalize(Source::Waf, Options::default(), record.as_bytes()).expect("a document");
        let document: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(document["url"]["domain"], "www.example.com", "{name}: {line}");
    }
}

#[test]
fn a_version_is_no_address_and_what_stands_beside_one_is() {
    let cases: &[(&str, &[&str])] = &[
        (r#"{"engineVersion":"10.1.2.3"}"#, &[]),
        (r#"[{"version":"1.0.0"},"192.0.2.1"]"#, &["192.0.2.1"]),
        (
            r#"["192.0.2.1",{"version":"10.1.2.3"},"192.0.2.2",[{"a":{"bVersion":"1"}}],"192.0.2.3"]"#,
            &["192.0.2.1", "192.0.2.2", "192.0.2.3"],
        ),
        (
            r#"{"version":["10.1.2.3",{"a":"192.0.2.1"},"10.1.2.4"]}"#,
            &["192.0.2.1"],
        ),
    ];
    for (other, expected) in cases {
        let record = format!(r#"{{"timestamp":1795171200123,"action":"ALLOW","webaclId":"acl","other":{other}}}"#);
        let mut normalizer = Normalizer::new(Source::Waf, Options::default()).expect("default options");
        // The third is of a shape that came before.
        for _ in 0..4 {
            let mut line = Vec::new();
            normalizer.record(record.as_bytes(), &mut line).expect("a record");
            let document: Value = serde_json::from_slice(&line).expect("JSON");
            let found: Vec<&str> = document["related"]["ip"]
                .as_array()
                .map_or(Vec::new(), |found| found.iter().filter_map(Value::as_str).collect());
            assert_eq!(found, *expected, "{other}");
        }
    }
}
