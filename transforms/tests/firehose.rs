//! The Firehose contract, against the types of `aws_lambda_events` and under generated batches.

use std::ops::Range;

use aws_lambda_events::firehose::{KinesisFirehoseEvent, KinesisFirehoseEventRecord, KinesisFirehoseResponse};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use portcullis_transforms::{
    Normalizer, Options, Schema, Source,
    firehose::{EventError, RESPONSE_LIMIT, Report, transform},
};
use proptest::prelude::*;
use serde_json::json;

const GOOD: &str = "2 111122223333 eni-1 198.51.100.24 10.0.1.15 51514 22 6 12 1874 1795258200 1795258257 ACCEPT OK";

fn normalizer(schema: Schema) -> Normalizer {
    let options = Options {
        schema,
        ..Options::default()
    };
    Normalizer::new(Source::VpcFlow, options).expect("default options")
}

fn answer(event: &[u8]) -> (KinesisFirehoseResponse, Report, usize) {
    let (response, report) = transform(&mut normalizer(Schema::Ecs), event).expect("an event");
    (
        serde_json::from_slice(&response).expect("the contract's response"),
        report,
        response.len(),
    )
}

fn event(records: &[(&str, &[u8])]) -> Vec<u8> {
    let records: Vec<_> = records
        .iter()
        .map(|(id, data)| {
            json!({ "recordId": id, "approximateArrivalTimestamp": 1_795_258_260_000_i64, "data": BASE64_STANDARD.encode(data) })
        })
        .collect();
    json!({ "invocationId": "i", "deliveryStreamArn": "arn", "region": "eu-central-1", "records": records })
        .to_string()
        .into_bytes()
}

#[test]
fn an_event_of_the_published_types_is_answered_in_the_published_types() {
    let mut event = KinesisFirehoseEvent::default();
    event.invocation_id = Some("invocation".to_owned());
    event.delivery_stream_arn = Some("arn:aws:firehose:eu-central-1:111122223333:deliverystream/flow".to_owned());
    event.region = Some("eu-central-1".to_owned());
    for (id, data) in [("49578", GOOD), ("49579", ""), ("49580", "no flow log")] {
        let mut record = KinesisFirehoseEventRecord::default();
        record.record_id = Some(id.to_owned());
        record.data = serde_json::from_value(json!(BASE64_STANDARD.encode(data))).expect("base64");
        event.records.push(record);
    }
    let body = serde_json::to_vec(&event).expect("JSON");
    let (response, report, _) = answer(&body);
    let results: Vec<_> = response
        .records
        .iter()
        .map(|r| {
            (
                r.record_id.as_deref().unwrap_or_default(),
                r.result.as_deref().unwrap_or_default(),
            )
        })
        .collect();
    assert_eq!(
        results,
        [("49578", "Ok"), ("49579", "Dropped"), ("49580", "ProcessingFailed")]
    );
    let document: serde_json::Value = serde_json::from_slice(&response.records[0].data).expect("one document");
    assert_eq!(document["source"]["ip"], "198.51.100.24");
    assert_eq!(response.records[0].data.last(), Some(&b'\n'));
    assert_eq!(response.records[2].data.0, b"no flow log");
    assert_eq!((report.ok, report.dropped, report.failed), (1, 1, 1));
    assert_eq!(report.reasons[0].record_id, "49580");
}

#[test]
fn escapes_nulls_and_pretty_printing_change_nothing() {
    // The bytes 0xff 0xff 0xff are `////` in base64, which some writers escape.
    let plain = event(&[("a", GOOD.as_bytes()), ("b", b"\xff\xff\xff")]);
    let text = String::from_utf8(plain.clone()).expect("UTF-8");
    let pretty =
        serde_json::to_vec_pretty(&serde_json::from_slice::<serde_json::Value>(&plain).expect("JSON")).expect("JSON");
    let variants = [
        text.replace('/', "\\/"),
        text.replace("recordId", "record\\u0049d"),
        text.replace("{\"approx", "{\"kinesisRecordMetadata\":null,\"approx"),
        text.replace(
            "\"region\"",
            "\"sourceKinesisStreamArn\":null,\"x\":[{},[\"]}\"]],\"region\"",
        ),
        String::from_utf8(pretty).expect("UTF-8"),
        format!(" {text}\r\n"),
    ];
    let expected = answer(&plain).0;
    for variant in variants {
        assert_eq!(answer(variant.as_bytes()).0, expected, "{variant}");
    }
}

#[test]
fn ids_with_quotes_and_other_alphabets_come_back_as_they_were() {
    let ids = [
        "",
        "a\"b",
        "back\\slash",
        "line\nbreak",
        "schön",
        "\u{1f}",
        "same",
        "same",
    ];
    let records: Vec<_> = ids.iter().map(|id| (*id, GOOD.as_bytes())).collect();
    let (response, ..) = answer(&event(&records));
    let got: Vec<_> = response
        .records
        .iter()
        .map(|r| r.record_id.as_deref().unwrap_or(""))
        .collect();
    assert_eq!(got, ids);
}

#[test]
fn a_record_without_readable_data_is_refused_alone_and_the_answer_is_still_base64() {
    for data in [
        json!("not base64!"),
        json!("YQ"),
        json!("YQ==="),
        json!("é"),
        json!("a\"b"),
        json!(null),
    ] {
        let mut body: serde_json::Value =
            serde_json::from_slice(&event(&[("a", GOOD.as_bytes()), ("b", b""), ("c", GOOD.as_bytes())]))
                .expect("JSON");
        body["records"][1]["data"] = data.clone();
        let (response, report, _) = answer(body.to_string().as_bytes());
        let results: Vec<_> = response.records.iter().filter_map(|r| r.result.as_deref()).collect();
        let expected = if data.is_null() { "Dropped" } else { "ProcessingFailed" };
        assert_eq!(results, ["Ok", expected, "Ok"], "{data}");
        if let Some(text) = data.as_str() {
            assert_eq!(response.records[1].data.0, text.as_bytes());
            assert_eq!(report.reasons[0].word, "base64");
        }
    }
}

#[test]
fn what_is_no_event_is_an_error_and_never_a_panic() {
    let bodies: &[&[u8]] = &[
        b"",
        b"null",
        b"[]",
        b"{}",
        b"{\"records\":{}}",
        b"{\"records\":[1]}",
        b"{\"records\":[{\"data\":\"\"}]}",
        b"{\"records\":[{\"recordId\":1,\"data\":\"\"}]}",
        b"{\"records\":[{\"recordId\":\"a\",\"data\":1}]}",
        b"{\"records\":[]",
        b"{\"records\":[]}x",
        b"{\"records\":[],\"records\":[]}",
        b"{\"records\":[{\"recordId\":\"a\",\"recordId\":\"b\",\"data\":\"\"}]}",
        b"{\"a\":]}",
        b"\xff",
        &[b'['; 100_000],
    ];
    for body in bodies {
        let error = transform(&mut normalizer(Schema::Ecs), body).expect_err("no event");
        assert!(matches!(error, EventError::NotAnEvent(_)), "{error}");
        assert!(error.to_string().len() < 2_000);
    }
}

#[test]
fn documents_fill_the_response_up_to_its_limit_and_the_others_are_refused_with_their_data() {
    // 12,000 lines of about 90 bytes become documents of about 900: some 15 MB of response if all were taken.
    let lines: Vec<String> = (0..12_000)
        .map(|n| GOOD.replace("1874", &(10_000 + n).to_string()))
        .collect();
    let ids: Vec<String> = (0..lines.len()).map(|n| format!("{n:056}")).collect();
    let records: Vec<_> = ids
        .iter()
        .zip(&lines)
        .map(|(id, line)| (id.as_str(), line.as_bytes()))
        .collect();
    let (response, report, len) = answer(&event(&records));
    assert!(len <= RESPONSE_LIMIT, "{len}");
    assert!(len > RESPONSE_LIMIT * 9 / 10, "only {len} bytes are used");
    assert_eq!(report.ok + report.failed, lines.len());
    assert!(report.ok > 1_000, "only {} fit", report.ok);
    assert_eq!(report.reasons.len(), 1);
    assert_eq!(report.reasons[0].word, "response_full");
    for ((record, id), line) in response.records.iter().zip(&ids).zip(&lines) {
        assert_eq!(record.record_id.as_deref(), Some(id.as_str()));
        if record.result.as_deref() == Some("ProcessingFailed") {
            assert_eq!(record.data.0, line.as_bytes());
        }
    }
}

#[test]
fn an_event_larger_than_a_response_is_answered_by_ids_and_one_of_ids_alone_is_an_error() {
    let large = vec![b'x'; 1_000_000];
    let names = ["0", "1", "2", "3", "4", "5"];
    let records: Vec<_> = names.iter().map(|id| (*id, large.as_slice())).collect();
    let (response, report, len) = answer(&event(&records));
    assert!(len <= RESPONSE_LIMIT);
    assert_eq!((response.records.len(), report.failed), (6, 6));
    let many = format!(
        "{{\"records\":[{}]}}",
        vec!["{\"recordId\":\"\",\"data\":\"\"}"; 200_000].join(",")
    );
    let error = transform(&mut normalizer(Schema::Ecs), many.as_bytes()).expect_err("too many");
    assert!(
        matches!(error, EventError::TooManyRecords { records: 200_000, .. }),
        "{error}"
    );
}

/// A record that is a document, dropped or refused; never a header, which speaks of the records after it.
fn record() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => (0..u32::MAX).prop_map(|n| GOOD.replace("1874", &n.to_string()).into_bytes()),
        1 => Just(format!("{{\"message\":\"{GOOD}\"}}").into_bytes()),
        1 => Just(Vec::new()),
        2 => proptest::collection::vec(128_u8.., 0..200),
        1 => "[ -~]{0,80}".prop_filter("a header", |t| !t.starts_with(|c: char| c.is_ascii_lowercase())).prop_map(String::into_bytes),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn base64_is_read_to_the_last_character_and_nothing_else_is_taken_for_it(
        interface in "eni-[a-z0-9]{0,300}",
        at in any::<prop::sample::Index>(),
        other in "[ -!#-\\[\\]-~]",
        cut in 0_usize..4,
    ) {
        let text = BASE64_STANDARD.encode(GOOD.replace("eni-1", &interface));
        let mut changed = text.clone();
        let at = at.index(text.len());
        changed.replace_range(at..=at, &other);
        for text in [&text, &changed, &text[..text.len() - cut]] {
            let body = json!({ "records": [{ "recordId": "a", "data": text }] });
            let (response, report, _) = answer(body.to_string().as_bytes());
            match BASE64_STANDARD.decode(text) {
                Err(_) => prop_assert_eq!(report.reasons[0].word, "base64", "{}", text),
                Ok(line) if line == GOOD.replace("eni-1", &interface).as_bytes() => {
                    let document: serde_json::Value = serde_json::from_slice(&response.records[0].data).expect("a document");
                    prop_assert_eq!(&document["aws"]["vpcflow"]["interface_id"], &interface);
                }
                Ok(_) => prop_assert!(report.reasons.iter().all(|reason| reason.word != "base64"), "{}", text),
            }
        }
    }

    #[test]
    fn every_record_is_answered_once_in_order_and_as_if_it_were_alone(
        records in proptest::collection::vec(("\\PC{0,12}", record()), 0..12),
        native in any::<bool>(),
    ) {
        let schema = if native { Schema::Native } else { Schema::Ecs };
        let all: Vec<_> = records.iter().map(|(id, data)| (id.as_str(), data.as_slice())).collect();
        let run = |range: Range<usize>| {
            let (response, report) = transform(&mut normalizer(schema), &event(&all[range])).expect("an event");
            assert!(response.len() <= RESPONSE_LIMIT);
            let response: KinesisFirehoseResponse = serde_json::from_slice(&response).expect("the contract's response");
            (response.records, report)
        };
        let (together, report) = run(0..all.len());
        prop_assert_eq!(together.len(), all.len());
        prop_assert_eq!(report.ok + report.dropped + report.failed, all.len());
        for (at, answered) in together.iter().enumerate() {
            prop_assert_eq!(answered.record_id.as_deref(), Some(all[at].0));
            prop_assert_eq!(answered, &run(at..at + 1).0[0]);
            match answered.result.as_deref() {
                Some("Ok") => prop_assert!(serde_json::from_slice::<serde_json::Value>(&answered.data).is_ok()),
                Some("Dropped") => prop_assert!(answered.data.is_empty()),
                Some("ProcessingFailed") => prop_assert_eq!(&answered.data.0, all[at].1),
                other => prop_assert!(false, "{:?}", other),
            }
        }
    }

    #[test]
    fn no_body_makes_it_panic(
        mut body in Just(event(&[("a", GOOD.as_bytes()), ("b", b"x")])),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..5),
        cut in any::<proptest::sample::Index>(),
    ) {
        for (at, byte) in changes {
            let at = at.index(body.len());
            body[at] = byte;
        }
        for body in [&body[..], &body[..cut.index(body.len())]] {
            if let Ok((response, _)) = transform(&mut normalizer(Schema::Ecs), body) {
                let response: KinesisFirehoseResponse = serde_json::from_slice(&response).expect("the contract's response");
                prop_assert!(response.records.len() <= 2);
            }
        }
    }
}
