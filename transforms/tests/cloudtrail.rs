//! What is CloudTrail's own: bodies of every shape, addresses in them, and files that hold no events.

mod support;

use std::{collections::BTreeSet, net::IpAddr};

use portcullis_transforms::{Options, RefusalKind, Schema, Source, document::KEYWORD_LIMIT};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{normalize, sample_records, schema_violation};

/// The places where services put what they like, in the record and in the document.
const BODIES: [(&str, &str); 5] = [
    ("requestParameters", "request_parameters"),
    ("responseElements", "response_elements"),
    ("additionalEventData", "additional_event_data"),
    ("serviceEventDetails", "service_event_details"),
    ("eventContext", "event_context"),
];

fn event() -> Value {
    json!({
        "eventVersion": "1.11", "eventTime": "2026-11-20T10:15:32Z", "eventSource": "s3.amazonaws.com",
        "eventName": "ListBuckets", "eventID": "0d9c8b7a-6f5e-4d3c-9b2a-10f1e2d3c401", "sourceIPAddress": "AWS Internal",
    })
}

fn ecs(record: &[u8]) -> Value {
    let (_, line) = normalize(Source::CloudTrail, Options::default(), record).expect("a document");
    assert_eq!(schema_violation(Source::CloudTrail, &line), None);
    serde_json::from_str(&line).expect("JSON")
}

fn refusal(record: &str) -> (RefusalKind, String) {
    let refusal = normalize(Source::CloudTrail, Options::default(), record.as_bytes()).expect_err(record);
    (refusal.kind, refusal.to_string())
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        any::<[u8; 4]>().prop_map(|octets| Value::from(IpAddr::from(octets).to_string())),
        any::<[u16; 8]>().prop_map(|parts| Value::from(IpAddr::from(parts).to_string())),
        Just(Value::from("AWS Internal")),
        Just(Value::from("10.0.0.0/8")),
        Just(Value::from(r#"{"Version":"2012-10-17","Statement":[]}"#)),
    ]
}

fn body() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(4, 32, 5, |inner| {
        let key = prop_oneof![
            "[a-zA-Z]{1,8}",
            Just("userName".to_owned()),
            Just("ConsoleLogin".to_owned()),
            Just("items".to_owned()),
            Just("instancesSet".to_owned()),
            ".{0,4}",
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..5).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn leaves(value: &Value) -> Vec<&Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(values) => values.iter().flat_map(leaves).collect(),
        Value::Object(members) => members.values().flat_map(leaves).collect(),
        leaf => vec![leaf],
    }
}

fn addresses<'v>(values: impl IntoIterator<Item = &'v Value>) -> BTreeSet<IpAddr> {
    let texts = values.into_iter().filter_map(Value::as_str);
    texts.filter_map(|text| text.parse().ok()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn a_body_of_any_shape_is_kept_whole_as_text_and_flat_with_every_address(
        bodies in prop::collection::vec(body(), BODIES.len()),
        pretty in any::<bool>(),
    ) {
        let mut record = event();
        for ((member, _), body) in BODIES.iter().zip(&bodies) {
            record[member] = body.clone();
        }
        let text = if pretty { serde_json::to_vec_pretty(&record) } else { serde_json::to_vec(&record) }.expect("JSON");
        let document = ecs(&text);
        let own = &document["aws"]["cloudtrail"];
        prop_assert!(own.get("rest").is_none(), "{}", own["rest"]);
        for ((member, field), body) in BODIES.iter().zip(&bodies) {
            if leaves(body).is_empty() || body == "" {
                prop_assert!(own.get(field).is_none() && own["flat"].get(member).is_none());
                continue;
            }
            let text = own[field].as_str().expect("text");
            match body {
                Value::Array(_) | Value::Object(_) => {
                    let read: Value = serde_json::from_str(text).expect("JSON text");
                    prop_assert_eq!(&read, body);
                }
                Value::String(expected) => prop_assert_eq!(text, expected),
                plain => prop_assert_eq!(text, plain.to_string()),
            }
            prop_assert_eq!(&own["flat"][member], body);
        }
        let related: &[Value] = document["related"]["ip"].as_array().map_or(&[], Vec::as_slice);
        prop_assert_eq!(addresses(related), addresses(bodies.iter().flat_map(leaves)));
    }
}

#[test]
fn a_name_that_is_no_address_is_in_source_address_only() {
    for name in [
        "AWS Internal",
        "cloudformation.amazonaws.com",
        "autoscaling.amazonaws.com",
    ] {
        let mut record = event();
        record["sourceIPAddress"] = name.into();
        let document = ecs(record.to_string().as_bytes());
        assert_eq!(document["source"], json!({ "address": name }));
        assert!(document["related"].get("ip").is_none());
    }
}

#[test]
fn what_a_sign_in_says_decides_its_outcome() {
    let cases = [
        (json!({ "responseElements": { "ConsoleLogin": "Failure" } }), "failure"),
        (json!({ "responseElements": { "ConsoleLogin": "Success" } }), "success"),
        (json!({ "responseElements": { "SwitchRole": "Failure" } }), "failure"),
        (
            json!({ "serviceEventDetails": { "UserAuthentication": "Failure" } }),
            "failure",
        ),
        (json!({ "errorMessage": "Failed authentication" }), "failure"),
        (json!({ "errorCode": "ThrottlingException" }), "failure"),
        (json!({ "errorCode": null, "responseElements": null }), "success"),
        (json!({ "requestParameters": { "ConsoleLogin": "Failure" } }), "success"),
    ];
    for (more, outcome) in cases {
        let mut record = event();
        for (key, value) in more.as_object().expect("an object") {
            record[key] = value.clone();
        }
        assert_eq!(
            ecs(record.to_string().as_bytes())["event"]["outcome"],
            outcome,
            "{more}"
        );
    }
}

#[test]
fn what_holds_no_events_is_refused_by_name() {
    let digest = r#"{"awsAccountId":"111122223333","digestStartTime":"2026-11-20T09:00:00Z","digestEndTime":"2026-11-20T10:00:00Z",
        "digestS3Bucket":"trail","digestS3Object":"AWSLogs/x.json.gz","digestPublicKeyFingerprint":"ab","digestSignatureAlgorithm":"SHA256withRSA",
        "newestEventTime":null,"oldestEventTime":null,"previousDigestS3Object":null,"logFiles":[]}"#;
    for (record, kind, says) in [
        (
            digest,
            RefusalKind::WrongSource,
            "a CloudTrail digest file, which holds no events",
        ),
        (
            r#"{"detail-type":"EC2 Instance State-change Notification","source":"aws.ec2","detail":{"state":"running"}}"#,
            RefusalKind::WrongSource,
            "another service",
        ),
        (
            r#"{"timestamp":1795170000000,"webaclId":"x","eventTime":"2026-11-20T10:15:32Z"}"#,
            RefusalKind::WrongSource,
            "WAF",
        ),
        (
            r#"{"eventTime":"2026-11-20T10:15:32Z"}"#,
            RefusalKind::MissingField,
            "eventName",
        ),
        (r#"{"eventName":"ListBuckets"}"#, RefusalKind::Time, "eventTime"),
        (
            r#"{"eventName":"ListBuckets","eventTime":"yesterday"}"#,
            RefusalKind::Time,
            "yesterday",
        ),
    ] {
        let (refused, message) = refusal(record);
        assert!(refused == kind && message.contains(says), "{refused:?} {message}");
    }
}

#[test]
fn the_same_event_has_the_same_id_in_every_envelope_and_another_event_another() {
    let id = |record: &str| ecs(record.as_bytes())["event"]["id"].clone();
    let bare = event().to_string();
    let mut other = event();
    other["eventID"] = "another".into();
    let enveloped = [
        format!(
            r#"{{"version":"0","id":"e","detail-type":"AWS API Call via CloudTrail","source":"aws.s3","time":"2020-01-01T00:00:00Z","detail":{bare}}}"#
        ),
        format!(r#"{{"Records":[{bare}]}}"#),
        serde_json::to_string_pretty(&event()).expect("JSON"),
    ];
    for record in enveloped {
        assert_eq!(id(&record), id(&bare), "{record}");
    }
    assert_ne!(id(&other.to_string()), id(&bare));
    other.as_object_mut().expect("an object").remove("eventID");
    assert!(
        id(&other.to_string()).is_string(),
        "without an id of its own, the whole record is hashed"
    );
}

/// Calls `change` on a copy of the value for every place in it.
fn at_every_place(value: &Value, change: &dyn Fn(&mut Value), visit: &mut dyn FnMut(Value)) {
    fn places(value: &Value, path: &str, all: &mut Vec<String>) {
        match value {
            Value::Object(members) => members.iter().for_each(|(key, value)| {
                let key = key.replace('~', "~0").replace('/', "~1");
                places(value, &format!("{path}/{key}"), all);
            }),
            Value::Array(values) => {
                (0..values.len()).for_each(|number| places(&values[number], &format!("{path}/{number}"), all));
            }
            _ => all.push(path.to_owned()),
        }
    }
    let mut all = Vec::new();
    places(value, "", &mut all);
    for path in all {
        let mut copy = value.clone();
        change(copy.pointer_mut(&path).expect("the place"));
        visit(copy);
    }
}

#[test]
fn a_text_of_forty_kilobytes_in_any_field_is_cut_and_counted() {
    let long = "x".repeat(40_000);
    let mut seen = 0;
    for sample in sample_records(Source::CloudTrail) {
        let sample: Value = serde_json::from_slice(&sample).expect("a sample");
        at_every_place(&sample, &|value| *value = long.as_str().into(), &mut |record| {
            let record = record.to_string();
            let Ok((_, line)) = normalize(Source::CloudTrail, Options::default(), record.as_bytes()) else {
                return;
            };
            seen += 1;
            assert_eq!(schema_violation(Source::CloudTrail, &line), None);
            assert!(!line.contains(&long[..=KEYWORD_LIMIT]), "{line}");
            let document: Value = serde_json::from_str(&line).expect("JSON");
            let kept = line.contains(&long[..KEYWORD_LIMIT - 8]);
            assert!(!kept || document["portcullis"]["cut"].as_u64() > Some(0), "{line}");
        });
    }
    assert!(seen > 500, "{seen}");
}

#[test]
fn native_rewrites_the_times_of_event_and_session_alone() {
    let record = r#"{"eventTime":"2026-11-20 11:15:32+01:00","eventName":"n","userIdentity":{"sessionContext":{"attributes":{"creationDate":"2026-11-20T09:58:41Z"}}},"requestParameters":{"startTime":1795170000}}"#;
    let options = Options {
        schema: Schema::Native,
        ..Options::default()
    };
    let (_, line) = normalize(Source::CloudTrail, options, record.as_bytes()).expect("a document");
    assert_eq!(
        line,
        r#"{"eventTime":"2026-11-20T10:15:32.000Z","eventName":"n","userIdentity":{"sessionContext":{"attributes":{"creationDate":"2026-11-20T09:58:41.000Z"}}},"requestParameters":{"startTime":1795170000}}"#.to_owned() + "\n"
    );
}
