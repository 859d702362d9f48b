//! The fuzz targets' bodies. `fuzz/` runs them on what libFuzzer invents, `fuzz_corpus.rs` on the inputs that are
//! committed, so that both check the same.
//!
//! The first byte of an input chooses the options, the rest is the record, the event or the text.

use std::{cell::RefCell, collections::HashMap, sync::OnceLock};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use portcullis_transforms::{
    Normalizer, Options, Schema, Source,
    firehose::{RESPONSE_LIMIT, transform},
    time,
};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, json};

use super::{
    fuzz_forms::forms,
    invariants::{Checked, Depth},
    json::Json,
    moment, mutate,
    random::Random,
    sample_inputs,
};

/// Of so many inputs, a fuzzer checks one in full.
const FULL_ONE_IN: usize = 64;

/// What a target does with an input.
type Body = fn(&[u8], Depth);

/// A sample, and the flow-log format that it needs.
type Sample = (Vec<u8>, Option<String>);

/// Every target with its body.
pub(crate) const TARGETS: &[(&str, Body)] = &[
    ("envelope", |input, _| envelope(input)),
    ("forms", |input, _| forms(input)),
    ("guardduty", |input, depth| source(Source::GuardDuty, input, depth)),
    ("securityhub", |input, depth| source(Source::SecurityHub, input, depth)),
    ("waf", |input, depth| source(Source::Waf, input, depth)),
    ("vpcflow", |input, depth| source(Source::VpcFlow, input, depth)),
    ("dns", |input, depth| source(Source::Dns, input, depth)),
    ("cloudtrail", |input, depth| source(Source::CloudTrail, input, depth)),
    ("time", |input, _| moments(input)),
    ("differential", |input, depth| differential(input, depth)),
];

/// Runs a target's body.
pub(crate) fn run(target: &str, input: &[u8], depth: Depth) {
    let (_, body) = TARGETS.iter().find(|(name, _)| *name == target).expect("a target");
    body(input, depth);
}

/// Runs a target's body at a fuzzer's pace: the slow reading takes a hundred times as long as the fast one, so it is done
/// for some inputs only, always the same.
pub(crate) fn run_fast(target: &str, input: &[u8]) {
    let depth = match Random::from_sum(input).below(FULL_ONE_IN) {
        0 => Depth::Full,
        _ => Depth::Quick,
    };
    run(target, input, depth);
}

/// Formats of flow logs: none, AWS's default, columns in another order, one that AWS does not know.
const FLOW_FORMATS: [Option<&str>; 4] = [
    None,
    Some("${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${end}"),
    Some("${end} ${start} ${pkt-dstaddr} ${pkt-srcaddr} ${tcp-flags} ${traffic-path} ${bytes}"),
    Some("end tomorrow srcaddr"),
];

/// Options by the bits of a byte.
pub(crate) fn options(bits: u8) -> Options {
    Options {
        schema: if bits & 1 == 0 { Schema::Ecs } else { Schema::Native },
        keep_original: bits & 2 != 0,
        id_key: [bits & 4; 32],
        flow_format: FLOW_FORMATS[usize::from(bits >> 3 & 3)].map(str::to_owned),
        redact: if bits & 32 == 0 {
            Vec::new()
        } else {
            Options::default().redact
        },
        community_id: bits & 64 != 0,
        ..Options::default()
    }
}

/// Checks a record with normalisers that are kept, because making them takes longer than a record does.
fn checked(source: Source, bits: u8, record: &[u8], depth: Depth) {
    thread_local!(static KEPT: RefCell<HashMap<(Source, u8), Checked>> = RefCell::default());
    // The format of flow logs is nothing to the others: they would only be made, and kept, four times as often.
    let bits = match source {
        Source::VpcFlow => bits & 127,
        _ => bits & 0b0110_0111,
    };
    KEPT.with_borrow_mut(|kept| {
        kept.entry((source, bits))
            .or_insert_with(|| Checked::new(source, options(bits)))
            .record(record, neighbour(source), depth);
    });
}

/// A sample of each source, read once.
fn samples(source: Source) -> &'static [Sample] {
    static SAMPLES: OnceLock<HashMap<Source, Vec<Sample>>> = OnceLock::new();
    SAMPLES.get_or_init(|| {
        Source::ALL
            .iter()
            .map(|&source| (source, sample_inputs(source)))
            .collect()
    })[&source]
        .as_slice()
}

fn neighbour(source: Source) -> &'static [u8] {
    let shortest = samples(source).iter().min_by_key(|(record, _)| record.len());
    shortest.map_or(b"{}", |(record, _)| record)
}

fn source(source: Source, input: &[u8], depth: Depth) {
    if let Some((bits, record)) = input.split_first() {
        checked(source, *bits, record, depth);
    }
}

/// A sample, changed by structure as the input says, against the slow reading of its table.
fn differential(input: &[u8], depth: Depth) {
    let [which, sample, changes @ ..] = input else {
        return;
    };
    let source = Source::ALL[usize::from(*which) % Source::ALL.len()];
    let samples = samples(source);
    let Some((record, _)) = samples.get(usize::from(*sample) % samples.len().max(1)) else {
        return;
    };
    mutated(source, record, &mut Random::from_bytes(changes), depth);
}

/// Checks a record made from `record`, in both schemas; at a fuzzer's pace, three in four only against the slow reading.
pub(crate) fn mutated(source: Source, record: &[u8], random: &mut Random, depth: Depth) {
    let record = match Json::parse(record) {
        Some(json) => mutate::mutate(&json, random),
        None => {
            let mut record = record.to_vec();
            mutate::line(&mut record, random);
            record
        }
    };
    let bits = random.next() as u8;
    if depth == Depth::Quick && !random.one_in(4) {
        return checked(source, bits & !1, &record, Depth::Compared);
    }
    checked(source, bits & !1, &record, Depth::Full);
    checked(source, bits | 1, &record, Depth::Full);
}

/// The timestamp reader against decimals and `chrono`, and the writer against both.
fn moments(input: &[u8]) {
    let read = time::parse(input).ok();
    let expected = std::str::from_utf8(input).ok().and_then(moment::read);
    assert_eq!(read, expected, "{}", input.escape_ascii());
    if let Some(millis) = read {
        let mut written = Vec::new();
        time::push_rfc3339(millis, &mut written);
        assert_eq!(String::from_utf8_lossy(&written), moment::shown(millis));
        assert_eq!(time::parse(&written), Ok(millis));
    }
}

/// Firehose events: any body, or (by the fourth bit) one whose records are the input's lines.
fn envelope(input: &[u8]) {
    let Some((bits, body)) = input.split_first() else {
        return;
    };
    let source = Source::ALL[usize::from(bits >> 4) % Source::ALL.len()];
    let made: Vec<&[u8]> = body.split(|byte| *byte == b'\n').collect();
    let event = if bits & 8 == 0 { body.to_vec() } else { event(&made) };
    thread_local!(static KEPT: RefCell<HashMap<(Source, u8), Normalizer>> = RefCell::default());
    let answer = KEPT.with_borrow_mut(|kept| {
        let normalizer = kept
            .entry((source, bits & 7))
            .or_insert_with(|| Normalizer::new(source, options(bits & 7)).expect("options that are accepted"));
        transform(normalizer, &event)
    });
    let Ok((response, report)) = answer else {
        assert!(bits & 8 == 0, "an event as Firehose writes it was refused");
        return;
    };
    assert!(response.len() <= RESPONSE_LIMIT);
    // What stands beside the records may be anything that is skipped, a lone surrogate for instance.
    let Ok(event) = serde_json::from_slice::<Event>(&event) else {
        return;
    };
    let response: Response = serde_json::from_slice(&response).expect("a response is JSON");
    let (asked, answered) = (event.records, response.records);
    assert_eq!(asked.len(), answered.len());
    assert_eq!(report.ok + report.dropped + report.failed, asked.len());
    let refused = |word| report.reasons.iter().find(|reason| reason.word == word);
    if refused("other").is_none() {
        let is_none = |asked: &&Asked| asked.data.as_ref().is_some_and(|data| STANDARD.decode(data).is_err());
        let count = refused("base64").map_or(0, |reason| reason.count);
        assert_eq!(count, asked.iter().filter(is_none).count(), "of records without base64");
    }
    for (asked, answered) in asked.into_iter().zip(answered) {
        assert_eq!(asked.record_id, answered.record_id);
        let data = answered.data;
        match answered.result.as_str() {
            "Ok" => {
                let line = STANDARD.decode(&data).expect("base64");
                assert!(line.ends_with(b"\n"));
                serde_json::from_slice::<IgnoredAny>(&line).expect("a document");
            }
            "Dropped" => assert_eq!(data, ""),
            "ProcessingFailed" => {
                let original = asked.data.unwrap_or_default();
                let same = data == original || STANDARD.encode(&original) == data;
                assert!(same || data.is_empty(), "a refused record's data changed");
            }
            other => panic!("a record was answered {other:?}"),
        }
    }
}

#[derive(Deserialize)]
struct Event {
    records: Vec<Asked>,
}

#[derive(Deserialize)]
struct Asked {
    #[serde(rename = "recordId")]
    record_id: String,
    data: Option<String>,
}

#[derive(Deserialize)]
struct Response {
    records: Vec<Answered>,
}

#[derive(Deserialize)]
struct Answered {
    #[serde(rename = "recordId")]
    record_id: String,
    result: String,
    data: String,
}

/// A Firehose event of these records.
pub(crate) fn event(records: &[&[u8]]) -> Vec<u8> {
    let records: Vec<Value> = records
        .iter()
        .enumerate()
        .map(|(number, data)| json!({ "recordId": number.to_string(), "data": STANDARD.encode(data) }))
        .collect();
    json!({ "invocationId": "i", "region": "eu-central-1", "records": records })
        .to_string()
        .into_bytes()
}
