//! Every form in which a record may come, for every source, and the way back from each entry to a record of its own.

mod support;

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use portcullis_transforms::{
    Normalizer, Options, Outcome, RefusalKind, Schema, Source, Taken,
    forms::{self, Entries, Form, Limits},
};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{JSON_SOURCES, sample_records};

const FLOW: &str = "2 111122223333 eni-1 198.51.100.24 10.0.1.15 51514 22 6 12 1874 1795258200 1795258257 ACCEPT OK";
const HEADER: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).expect("memory");
    encoder.finish().expect("memory")
}

fn subscription(messages: &[&str]) -> String {
    let events: Vec<_> = messages
        .iter()
        .enumerate()
        .map(|(number, message)| json!({ "id": format!("{number:056}"), "timestamp": 1_795_258_260_000_i64, "message": message }))
        .collect();
    json!({
        "messageType": "DATA_MESSAGE", "owner": "111122223333", "logGroup": "logs", "logStream": "stream",
        "subscriptionFilters": ["all"], "logEvents": events,
    })
    .to_string()
}

fn open(record: &[u8]) -> Entries<'_> {
    match forms::open(None, record, &Limits::default()).expect("within the limits") {
        Form::Entries(entries) => entries,
        Form::Empty(why) => panic!("{why}"),
    }
}

fn texts(entries: &Entries<'_>) -> Vec<String> {
    entries
        .iter()
        .map(|entry| String::from_utf8_lossy(&entry.bytes()).into_owned())
        .collect()
}

#[test]
fn each_form_holds_what_stands_in_it() {
    let flow = |n: u32| FLOW.replace("1874", &n.to_string());
    let message = |text: &str| json!({ "message": text }).to_string();
    let cases: Vec<(&str, Vec<u8>, Vec<String>)> = vec![
        ("bare", br#"{"a":1}"#.to_vec(), vec![r#"{"a":1}"#.into()]),
        (
            "mark and line ends",
            b"\xef\xbb\xbf{\"a\":1}\r\n\r\n".to_vec(),
            vec![r#"{"a":1}"#.into()],
        ),
        ("a line", flow(1).into_bytes(), vec![flow(1)]),
        (
            "files with a mark each, and one with two",
            format!("\u{feff}{}\n\u{feff} \u{feff}{}\n\u{feff}\n", flow(1), flow(2)).into_bytes(),
            vec![flow(1), flow(2)],
        ),
        (
            "a line end in a text of a list",
            b"{\"Records\":[\"a\nb\"]}".to_vec(),
            vec!["\"a\nb\"".into()],
        ),
        (
            "a list of what is no JSON",
            b"{\"Records\":[x{\"a\":1,\r\n\"b\":2}]}".to_vec(),
            vec!["{\"Records\":[x{\"a\":1,\r\n\"b\":2}]}".into()],
        ),
        (
            "a list and something else under one name",
            br#"{"Records":[{"a":1},{"a":2}],"Records":{"b":3}}"#.to_vec(),
            vec![r#"{"Records":[{"a":1},{"a":2}],"Records":{"b":3}}"#.into()],
        ),
        (
            "one name in two spellings",
            br#"{"Records":[{"a":1},{"a":2}],"R\u0065cords":{"b":3}}"#.to_vec(),
            vec![r#"{"Records":[{"a":1},{"a":2}],"R\u0065cords":{"b":3}}"#.into()],
        ),
        (
            "another spelling",
            br#"{"R\u0065cords":[{"a":1},{"a":2}]}"#.to_vec(),
            vec![r#"{"a":1}"#.into(), r#"{"a":2}"#.into()],
        ),
        (
            "an object that is none",
            br#"{"message":"a":2}"#.to_vec(),
            vec![r#"{"message":"a":2}"#.into()],
        ),
        ("gzip", gzip(br#"{"a":1}"#), vec![r#"{"a":1}"#.into()]),
        ("gzip in gzip", gzip(&gzip(b"{\"a\":1}\n")), vec![r#"{"a":1}"#.into()]),
        (
            "a list",
            br#"[{"a":1}, {"a":2}]"#.to_vec(),
            vec![r#"{"a":1}"#.into(), r#"{"a":2}"#.into()],
        ),
        (
            "documents on lines",
            b"{\"a\":1}\r\n{\"a\":2}\n".to_vec(),
            vec![r#"{"a":1}"#.into(), r#"{"a":2}"#.into()],
        ),
        (
            "documents joined",
            br#"{"a":1}{"a":2}"#.to_vec(),
            vec![r#"{"a":1}"#.into(), r#"{"a":2}"#.into()],
        ),
        (
            "documents pretty-printed",
            b"{\n\"a\":1\n}\n{\n\"a\":2\n}".to_vec(),
            vec!["{\n\"a\":1\n}".into(), "{\n\"a\":2\n}".into()],
        ),
        (
            "a broken document among lines",
            b"{\"a\":1}\n{\"a\":\n{\"a\":3}".to_vec(),
            vec![r#"{"a":1}"#.into(), r#"{"a":"#.into(), r#"{"a":3}"#.into()],
        ),
        (
            "Records",
            br#"{"Records":[{"a":1},{"a":2}]}"#.to_vec(),
            vec![r#"{"a":1}"#.into(), r#"{"a":2}"#.into()],
        ),
        (
            "findings",
            br#"{"findings":[1,2]}"#.to_vec(),
            vec![r#"{"findings":[1]}"#.into(), r#"{"findings":[2]}"#.into()],
        ),
        (
            "one finding",
            br#"{"Findings":[{"Id":1}]}"#.to_vec(),
            vec![r#"{"Findings":[{"Id":1}]}"#.into()],
        ),
        (
            "findings in an event",
            br#"{"source":"aws.securityhub","detail":{"x":[],"findings":[{"Id":1},{"Id":2}]},"id":"e"}"#.to_vec(),
            (1..3)
                .map(|n| {
                    format!(r#"{{"source":"aws.securityhub","detail":{{"x":[],"findings":[{{"Id":{n}}}]}},"id":"e"}}"#)
                })
                .collect(),
        ),
        (
            "a subscription",
            gzip(subscription(&["{\"a\":\"b\\\\c\"}", "plain"]).as_bytes()),
            vec![r#"{"a":"b\\c"}"#.into(), "plain".into()],
        ),
        (
            "a subscription that was unpacked",
            subscription(&["plain", "{}"]).into_bytes(),
            vec!["plain".into(), "{}".into()],
        ),
        (
            "lists in a subscription",
            gzip(subscription(&[r#"{"detail":{"findings":[1,2]}}"#, &format!("{}\n{}", flow(1), flow(2))]).as_bytes()),
            vec![
                r#"{"detail":{"findings":[1]}}"#.into(),
                r#"{"detail":{"findings":[2]}}"#.into(),
                flow(1),
                flow(2),
            ],
        ),
        (
            "a log event without a message",
            br#"{"messageType":"DATA_MESSAGE","logEvents":[{"id":"1"},{"id":"2","message":"m"}]}"#.to_vec(),
            vec![r#"{"id":"1"}"#.into(), "m".into()],
        ),
        (
            "a message",
            message("{\"a\":\"\\n\"}").into_bytes(),
            vec!["{\"a\":\"\\n\"}".into()],
        ),
        (
            "a message of lines",
            message(&format!("{}\n{}\n", flow(1), flow(2))).into_bytes(),
            vec![flow(1), flow(2)],
        ),
        (
            "a record with a message of its own",
            br#"{"webaclId":"w","message":"{}"}"#.to_vec(),
            vec![r#"{"webaclId":"w","message":"{}"}"#.into()],
        ),
        (
            "lines",
            format!("{}\r\n\n{}\n", flow(1), flow(2)).into_bytes(),
            vec![flow(1), flow(2)],
        ),
        (
            "a header and a line",
            format!("{HEADER}\n{}\n", flow(1)).into_bytes(),
            vec![format!("{HEADER}\n{}", flow(1))],
        ),
        (
            "a header before every line",
            format!("{HEADER}\n{}\n{HEADER}\n{}\n{}", flow(1), flow(2), flow(3)).into_bytes(),
            (1..4).map(|n| format!("{HEADER}\n{}", flow(n))).collect(),
        ),
        (
            "a name twice",
            br#"{"findings":[1,2],"findings":[3]}"#.to_vec(),
            vec![r#"{"findings":[1,2],"findings":[3]}"#.into()],
        ),
        (
            "a list that does not end",
            br#"{"findings":[1,2"#.to_vec(),
            vec![r#"{"findings":[1,2"#.into()],
        ),
        (
            "not a list",
            br#"{"Records":{"a":1}}"#.to_vec(),
            vec![r#"{"Records":{"a":1}}"#.into()],
        ),
    ];
    for (name, record, expected) in cases {
        let entries = open(&record);
        assert_eq!(texts(&entries), expected, "{name}");
        for entry in entries.iter() {
            let alone = entry.alone();
            let again = open(&alone);
            assert_eq!(again.len(), 1, "{name}");
            assert_eq!(texts(&again), [String::from_utf8_lossy(&entry.bytes())], "{name}");
            let is_packed = record.starts_with(&[0x1f, 0x8b]);
            assert_eq!(
                alone.starts_with(&[0x1f, 0x8b]),
                is_packed,
                "{name}: what came as gzip goes back as gzip"
            );
        }
    }
}

#[test]
fn what_goes_back_is_what_aws_would_have_sent() {
    let record = subscription(&["first", "second \"quoted\""]);
    let entries = open(record.as_bytes());
    let alone: Vec<Value> = entries
        .iter()
        .map(|entry| serde_json::from_slice(&entry.alone()).expect("JSON"))
        .collect();
    let mut expected: Value = serde_json::from_str(&record).expect("JSON");
    let last = expected["logEvents"].as_array_mut().expect("a list").remove(1);
    assert_eq!(alone[0], expected);
    expected["logEvents"] = json!([last]);
    assert_eq!(alone[1], expected);
}

#[test]
fn what_holds_nothing_is_dropped_for_every_source() {
    let control = subscription(&["CWL CONTROL MESSAGE: Checking health of destination Firehose."])
        .replace("DATA_MESSAGE", "CONTROL_MESSAGE");
    let records = [
        Vec::new(),
        b" \r\n".to_vec(),
        b"\xef\xbb\xbf\n".to_vec(),
        gzip(b""),
        gzip(control.as_bytes()),
        control.into_bytes(),
        subscription(&[]).into_bytes(),
        subscription(&["", " "]).into_bytes(),
        b"[]".to_vec(),
        b"[[], []]".to_vec(),
        br#"{"findings":[]}"#.to_vec(),
        br#"{"Findings":[],"NextToken":"x"}"#.to_vec(),
        br#"{"detail-type":"Security Hub Findings - Imported","source":"aws.securityhub","detail":{"findings":[]}}"#
            .to_vec(),
        br#"{"Records":[]}"#.to_vec(),
    ];
    for source in Source::ALL {
        for record in &records {
            let mut out = Vec::new();
            let outcome = Normalizer::new(*source, Options::default())
                .expect("options")
                .record(record, &mut out);
            let shown = String::from_utf8_lossy(record);
            assert_eq!(outcome, Ok(Outcome::Dropped), "{source}: {shown}");
            assert!(out.is_empty());
        }
    }
}

#[test]
fn limits_are_kept() {
    let limits = Limits {
        unpacked: 4 << 20,
        ratio: 50,
        entries: 100,
    };
    let refused = |record: &[u8]| forms::open(None, record, &limits).expect_err("refused").kind;
    let zeros = format!("{{\"a\":\"{}\"}}", "0".repeat(2 << 20));
    assert!(zeros.len() < limits.unpacked, "the proportion alone stops it");
    assert_eq!(refused(&gzip(zeros.as_bytes())), RefusalKind::Size, "a bomb");
    let incompressible: String = (0..600_000_u64)
        .map(|n| format!("{:016x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
        .collect();
    assert_eq!(refused(&gzip(incompressible.as_bytes())), RefusalKind::Size, "large");
    assert_eq!(
        refused(format!("[{}0]", "0,".repeat(100)).as_bytes()),
        RefusalKind::Size,
        "elements"
    );
    assert_eq!(refused("x\n".repeat(101).as_bytes()), RefusalKind::Size, "lines");
    assert_eq!(refused("{}".repeat(101).as_bytes()), RefusalKind::Size, "documents");
    assert_eq!(
        refused(subscription(&["a"; 101]).as_bytes()),
        RefusalKind::Size,
        "log events"
    );
    let nested = format!("[{}]", format!("[{}],", "1,".repeat(60) + "1").repeat(2) + "[]");
    assert_eq!(
        refused(nested.as_bytes()),
        RefusalKind::Size,
        "elements of several lists"
    );
    let wide = format!(
        "{{\"x\":\"{}\",\"findings\":[{}0]}}",
        "x".repeat(100_000),
        "0,".repeat(90)
    );
    assert_eq!(
        refused(wide.as_bytes()),
        RefusalKind::Size,
        "entries with their envelopes"
    );
    assert_eq!(
        refused(&(0..10).fold(b"x".to_vec(), |inner, _| gzip(&inner))),
        RefusalKind::Depth,
        "gzip"
    );
    assert_eq!(
        refused(format!("{}1{}", "[".repeat(10), "]".repeat(10)).as_bytes()),
        RefusalKind::Depth,
        "lists"
    );
    let empties = format!("[{}[]]", "{\"Records\":[]},".repeat(90))
        .replace("[]}", &format!("[{}[]]}}", "{\"Records\":[]},".repeat(90)));
    assert_eq!(refused(empties.as_bytes()), RefusalKind::Size, "layers around nothing");
}

#[test]
fn a_message_that_is_not_utf_8_stays_where_it_is() {
    let broken = b"{\"id\":\"1\",\"message\":\"a\xff\"}";
    let listed = [b"{\"messageType\":\"DATA_MESSAGE\",\"logEvents\":[", &broken[..], b"]}"].concat();
    for record in [broken.to_vec(), listed] {
        let entries = open(&record);
        assert_eq!(entries.len(), 1);
        let entry = entries.iter().next().expect("one");
        assert_eq!(&*entry.bytes(), broken);
        assert_eq!(entry.alone(), record, "goes back byte for byte");
    }
}

#[test]
fn damaged_gzip_is_refused_by_every_source_and_none_panics() {
    let whole = gzip(subscription(&[FLOW]).as_bytes());
    for source in Source::ALL {
        let mut normalizer = Normalizer::new(*source, Options::default()).expect("options");
        for cut in 2..whole.len() {
            let refusal = normalizer
                .record(&whole[..cut], &mut Vec::new())
                .expect_err("cut short");
            assert_eq!(refusal.kind, RefusalKind::Gzip, "{source}, {cut} bytes");
        }
    }
}

/// Records of a source as it is delivered bare.
fn bare(source: Source) -> Vec<Vec<u8>> {
    match source {
        Source::VpcFlow => (0..3)
            .map(|n| FLOW.replace("1874", &(1874 + n).to_string()).into_bytes())
            .collect(),
        _ => sample_records(source)
            .into_iter()
            .map(|record| {
                let value: Value = serde_json::from_slice(&record).expect("JSON");
                value.to_string().into_bytes()
            })
            .collect(),
    }
}

#[test]
fn a_document_is_the_same_in_whatever_form_its_record_comes() {
    for source in JSON_SOURCES.into_iter().chain([Source::VpcFlow]) {
        let mut normalizer = Normalizer::new(source, Options::default()).expect("options");
        let records = bare(source);
        let mut alone = Vec::new();
        for record in &records {
            assert_eq!(normalizer.record(record, &mut alone), Ok(Outcome::Document), "{source}");
        }
        let texts: Vec<&str> = records
            .iter()
            .map(|record| std::str::from_utf8(record).expect("text"))
            .collect();
        let joined = texts.join("\r\n");
        let mut forms = vec![
            subscription(&texts).into_bytes(),
            gzip(subscription(&texts).as_bytes()),
            gzip(joined.as_bytes()),
            format!("\u{feff}{joined}\n\n").into_bytes(),
            texts
                .iter()
                .flat_map(|text| gzip(subscription(&[text]).as_bytes()))
                .collect(),
        ];
        if source != Source::VpcFlow {
            forms.push(format!("[{}]", texts.join(" , ")).into_bytes());
            forms.push(
                serde_json::to_vec_pretty(
                    &records
                        .iter()
                        .map(|r| serde_json::from_slice::<Value>(r).expect("JSON"))
                        .collect::<Vec<_>>(),
                )
                .expect("JSON"),
            );
        }
        for form in forms {
            let mut documents = Vec::new();
            let Ok(Taken::Several(entries)) = normalizer.take(&form, &mut Vec::new()) else {
                panic!("{source}: several entries")
            };
            for entry in entries.iter() {
                normalizer.record(&entry.bytes(), &mut documents).expect("a record");
                let mut again = Vec::new();
                normalizer.record(&entry.alone(), &mut again).expect("one entry");
                assert!(documents.ends_with(&again), "{source}");
            }
            if form.first() == Some(&b'[') && form.get(1) == Some(&b'\n') {
                assert_eq!(
                    documents.len(),
                    alone.len(),
                    "{source}: pretty-printed, the ids of logs differ"
                );
            } else {
                assert_eq!(
                    String::from_utf8(documents),
                    String::from_utf8(alone.clone()),
                    "{source}"
                );
            }
        }
    }
}

#[test]
fn native_keeps_the_envelope_of_one_finding_and_nothing_of_a_list() {
    let mut normalizer = Normalizer::new(
        Source::SecurityHub,
        Options {
            schema: Schema::Native,
            ..Options::default()
        },
    )
    .expect("options");
    let mut finding: Value = serde_json::from_slice(&sample_records(Source::SecurityHub)[0]).expect("JSON");
    if finding.get("detail").is_some() {
        finding = finding["detail"]["findings"][0].take();
    }
    for (record, pointer) in [
        (
            json!({ "source": "aws.securityhub", "detail": { "findings": [finding, finding] } }),
            "/detail/findings/0/Id",
        ),
        (json!([finding, finding]), "/Id"),
    ] {
        let record = record.to_string();
        let Ok(Taken::Several(entries)) = normalizer.take(record.as_bytes(), &mut Vec::new()) else {
            panic!("two")
        };
        for entry in entries.iter() {
            let mut out = Vec::new();
            normalizer.record(&entry.bytes(), &mut out).expect("a finding");
            let document: Value = serde_json::from_slice(&out).expect("JSON");
            assert_eq!(document.pointer(pointer), finding.get("Id"));
        }
    }
}

/// Pieces from which hostile records are put together.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let words = [
        "{",
        "}",
        "[",
        "]",
        ",",
        "\"",
        "\\",
        "\n",
        " ",
        "1",
        "null",
        "{}",
        "\"message\":",
        "\"messageType\":\"DATA_MESSAGE\",",
        "\"logEvents\":[",
        "\"findings\":[",
        "\"Records\":[",
        "\"detail\":{",
        "{\"message\":\"x\"}",
        "version account-id srcaddr\n",
        "2 a b\n",
    ];
    prop_oneof![
        8 => prop::sample::select(words.to_vec()).prop_map(|word| word.as_bytes().to_vec()),
        1 => any::<u8>().prop_map(|byte| vec![byte]),
        1 => prop::collection::vec(any::<u8>(), 0..20).prop_map(|content| gzip(&content)),
    ]
}

fn nested() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(piece(), 0..24)
        .prop_map(|pieces| pieces.concat())
        .prop_recursive(4, 16, 3, |inner| {
            prop_oneof![
                inner.clone().prop_map(|content| gzip(&content)),
                prop::collection::vec(inner.clone(), 0..3).prop_map(|messages| {
                    let texts: Vec<_> = messages
                        .iter()
                        .map(|message| String::from_utf8_lossy(message).into_owned())
                        .collect();
                    subscription(&texts.iter().map(String::as_str).collect::<Vec<_>>()).into_bytes()
                }),
                prop::collection::vec(inner.clone(), 0..3).prop_map(|parts| [
                    b"[".to_vec(),
                    parts.join(&b','),
                    b"]".to_vec()
                ]
                .concat()),
                prop::collection::vec(inner.clone(), 0..3).prop_map(|parts| [
                    b"{\"findings\":[".to_vec(),
                    parts.join(&b','),
                    b"]}".to_vec()
                ]
                .concat()),
                prop::collection::vec(inner, 0..3).prop_map(|parts| parts.join(&b'\n')),
            ]
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// What makes a loop impossible: an entry alone is one entry, the same one.
    #[test]
    fn an_entry_alone_holds_itself_and_nothing_else(record in nested(), source in prop::sample::select(Source::ALL.to_vec())) {
        if let Ok(Form::Entries(entries)) = forms::open(Some(source), &record, &Limits::default()) {
            prop_assert!(entries.len() >= 1);
            for entry in entries.iter() {
                let alone = entry.alone();
                match forms::open(Some(source), &alone, &Limits::default()) {
                    Ok(Form::Entries(again)) => {
                        let again = texts(&again);
                        prop_assert_eq!(again.len(), 1, "{}", String::from_utf8_lossy(&alone));
                        let expected = String::from_utf8_lossy(&entry.bytes()).into_owned();
                        prop_assert_eq!(&again[0], &expected);
                    }
                    other => prop_assert!(false, "{:?} of {}", other, String::from_utf8_lossy(&alone)),
                }
            }
        }
    }
}
