//! Several entries in one record, against a stream that throttles and fails in part: every entry is in the response, or
//! back on the stream, or its record is `ProcessingFailed`; and however often the stream comes round, it comes to an end.
#![cfg(feature = "put-back")]

use std::{collections::VecDeque, io::Write as _, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use flate2::{Compression, write::GzEncoder};
use portcullis_transforms::{
    Normalizer, Options, Source,
    firehose::{Back, LARGEST, Patience, PutError, PutRecords, Report, Returned, Stream, prepare, put_all},
};
use proptest::prelude::*;
use serde_json::{Value, json};

const DELIVERY: &str = "arn:aws:firehose:eu-central-1:111122223333:deliverystream/flow";
const KINESIS: &str = "arn:aws:kinesis:eu-central-1:111122223333:stream/flow";

fn line(number: u32) -> String {
    format!("2 111122223333 eni-1 198.51.100.24 10.0.1.15 51514 22 6 12 {number} 1795258200 1795258257 ACCEPT OK")
}

fn event(kinesis: bool, records: &[(String, Vec<u8>)]) -> Vec<u8> {
    let records: Vec<_> = records
        .iter()
        .map(|(id, data)| {
            let metadata = kinesis.then(|| json!({ "partitionKey": format!("key of {id}"), "shardId": "s" }));
            let mut record = json!({ "recordId": id, "data": BASE64_STANDARD.encode(data) });
            if let Some(metadata) = metadata {
                record["kinesisRecordMetadata"] = metadata;
            }
            record
        })
        .collect();
    let mut event = json!({ "invocationId": "i", "deliveryStreamArn": DELIVERY, "records": records });
    if kinesis {
        event["sourceKinesisStreamArn"] = KINESIS.into();
    }
    event.to_string().into_bytes()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).expect("memory");
    encoder.finish().expect("memory")
}

/// What the stream does with the next call.
#[derive(Clone, Debug)]
enum Mood {
    Takes,
    /// Takes only records whose number, counted over all calls, is no multiple of this.
    Throttles(usize),
    /// Takes everything and loses the answer.
    Forgets,
    FailsForNow,
    FailsForGood,
    /// Answers for fewer records than it got.
    AnswersShort,
    Hangs,
}

/// A stream with the limits of the real ones.
#[derive(Debug, Default)]
struct Fake {
    moods: VecDeque<Mood>,
    seen: usize,
    calls: usize,
    taken: Vec<(Vec<u8>, Option<String>)>,
}

impl PutRecords for Fake {
    async fn put(&mut self, stream: &Stream, batch: &[&Back]) -> Result<Vec<Result<(), String>>, PutError> {
        self.calls += 1;
        let (records, bytes) = match stream {
            Stream::DirectPut { name, .. } if name == "flow" => (500, 4 << 20),
            Stream::Kinesis { arn, .. } if arn == KINESIS => (500, 5 << 20),
            other => panic!("{other:?}"),
        };
        assert!(!batch.is_empty() && batch.len() <= records);
        assert!(
            batch
                .iter()
                .map(|back| back.data().len() + back.partition_key().map_or(256, str::len))
                .sum::<usize>()
                <= bytes
        );
        assert!(
            batch
                .iter()
                .all(|back| back.data().len() <= LARGEST && !back.is_withdrawn())
        );
        let failed = |is_transient, message: &str| {
            Err(PutError {
                is_transient,
                message: message.to_owned(),
            })
        };
        let mood = self.moods.pop_front().unwrap_or(Mood::Takes);
        let nth = match mood {
            Mood::FailsForNow => return failed(true, "ServiceUnavailableException"),
            Mood::FailsForGood => return failed(false, "AccessDeniedException"),
            Mood::Hangs => {
                tokio::time::sleep(Duration::from_secs(3600)).await;
                return failed(true, "timeout");
            }
            Mood::Throttles(nth) => nth,
            _ => usize::MAX,
        };
        let mut answers = Vec::new();
        for back in batch {
            self.seen += 1;
            if self.seen.is_multiple_of(nth) {
                answers.push(Err("ProvisionedThroughputExceededException: slow down".to_owned()));
            } else {
                self.taken
                    .push((back.data().to_vec(), back.partition_key().map(str::to_owned)));
                answers.push(Ok(()));
            }
        }
        match mood {
            Mood::Forgets => failed(true, "the connection broke"),
            Mood::AnswersShort => {
                answers.pop();
                Ok(answers)
            }
            _ => Ok(answers),
        }
    }
}

/// One invocation: the answers, in order, and the report.
fn invoke(fake: &mut Fake, source: Source, event: &[u8]) -> (Vec<(String, Vec<u8>)>, Report) {
    invoke_with(fake, source, Options::default(), event)
}

fn invoke_with(fake: &mut Fake, source: Source, options: Options, event: &[u8]) -> (Vec<(String, Vec<u8>)>, Report) {
    let mut normalizer = Normalizer::new(source, options).expect("options");
    let prepared = prepare(&mut normalizer, event).expect("an event");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let returned = match prepared.stream() {
        Some(stream) => runtime.block_on(async {
            let start = tokio::time::Instant::now();
            let patience = Patience::default();
            let returned = put_all(fake, stream, prepared.back(), patience).await;
            assert!(
                start.elapsed() <= patience.total + Duration::from_millis(10),
                "took {:?}",
                start.elapsed()
            );
            returned
        }),
        None => Returned::nothing("no stream"),
    };
    let (response, report) = prepared.finish(&returned);
    assert!(response.len() <= 6_000_000, "{} bytes: {report:?}", response.len());
    let response: Value = serde_json::from_slice(&response).expect("JSON");
    let answers = response["records"].as_array().expect("answers").iter().map(|answer| {
        let data = BASE64_STANDARD
            .decode(answer["data"].as_str().expect("text"))
            .expect("base64");
        (answer["result"].as_str().expect("text").to_owned(), data)
    });
    (answers.collect(), report)
}

/// The `network.bytes` of a document, which tells the lines apart.
fn number(document: &[u8]) -> u32 {
    let document: Value = serde_json::from_slice(document).expect("JSON");
    u32::try_from(document["network"]["bytes"].as_u64().expect("bytes")).expect("small")
}

/// The numbers of the lines that are in a record.
fn numbers(record: &[u8]) -> Vec<u32> {
    let text = String::from_utf8_lossy(record);
    text.lines()
        .filter_map(|line| line.split(' ').nth(9)?.parse().ok())
        .collect()
}

#[test]
fn an_envelope_is_dropped_once_each_of_its_entries_is_back_alone() {
    let lines: Vec<String> = (1..=3).map(line).collect();
    let records = [
        ("a".to_owned(), line(10).into_bytes()),
        ("b".to_owned(), lines.join("\n").into_bytes()),
        ("c".to_owned(), line(11).into_bytes()),
    ];
    for kinesis in [false, true] {
        let mut fake = Fake::default();
        let (answers, report) = invoke(&mut fake, Source::VpcFlow, &event(kinesis, &records));
        let results: Vec<_> = answers.iter().map(|(result, _)| result.as_str()).collect();
        assert_eq!(results, ["Ok", "Dropped", "Ok"]);
        let key = kinesis.then(|| "key of b".to_owned());
        let expected: Vec<_> = lines
            .iter()
            .map(|line| (line.clone().into_bytes(), key.clone()))
            .collect();
        assert_eq!(fake.taken, expected);
        assert_eq!(
            (report.ok, report.dropped, report.failed, report.put_back),
            (2, 1, 0, 3)
        );
        assert_eq!(
            report.log_lines(&[]),
            [r#"{"level":"INFO","message":"put back on the stream","count":3}"#]
        );
    }
}

#[test]
fn an_envelope_that_cannot_go_back_whole_is_refused_with_its_data() {
    let good = [line(1), line(2)].join("\n").into_bytes();
    let large = format!("{}\n{} {}", line(3), line(4), "x".repeat(LARGEST)).into_bytes();
    let garbage = b"not a flow log\nnor this".to_vec();
    let records = [
        ("a".to_owned(), good),
        ("b".to_owned(), large.clone()),
        ("c".to_owned(), garbage.clone()),
    ];
    let mut fake = Fake::default();
    let (answers, report) = invoke(&mut fake, Source::VpcFlow, &event(false, &records));
    assert_eq!(answers[0].0, "Dropped");
    assert_eq!(answers[1], ("ProcessingFailed".to_owned(), large));
    assert_eq!(
        answers[2],
        ("ProcessingFailed".to_owned(), garbage),
        "nothing in it would become a document"
    );
    assert_eq!(fake.taken.len(), 2);
    assert_eq!(report.reasons.len(), 2);
    assert!(
        report.reasons[0].message.contains("more than 1024000 bytes"),
        "{}",
        report.reasons[0].message
    );
}

#[test]
fn a_call_carries_no_more_bytes_and_no_more_records_than_the_stream_takes() {
    // 75 lines of 60 KB, which are more than 4 MiB together but less than Kinesis' 5, and 1,200 short ones.
    let long: Vec<String> = (1..=75)
        .map(|n| format!("{} {}", line(n), "x".repeat(60_000)))
        .collect();
    let many: Vec<String> = (1_000..2_200).map(line).collect();
    for (lines, kinesis, calls) in [(&long, false, 2), (&long, true, 1), (&many, false, 3), (&many, true, 3)] {
        let header = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";
        let records = [("a".to_owned(), format!("{header}\n{}", lines.join("\n")).into_bytes())];
        let mut fake = Fake::default();
        let (answers, report) = invoke(&mut fake, Source::VpcFlow, &event(kinesis, &records));
        assert_eq!((answers[0].0.as_str(), report.put_back), ("Dropped", lines.len()));
        assert_eq!((fake.taken.len(), fake.calls), (lines.len(), calls), "{kinesis}");
    }
}

#[test]
fn what_a_stream_throttles_is_tried_again_and_nothing_else_is() {
    let lines: Vec<String> = (1..=10).map(line).collect();
    let records = [("a".to_owned(), lines.join("\n").into_bytes())];
    let never: Vec<Mood> = vec![Mood::FailsForNow; 20];
    let once: Vec<Mood> = vec![Mood::Throttles(2), Mood::FailsForNow, Mood::Throttles(3)];
    for (moods, result, calls, taken) in [(once, "Dropped", 4, 10), (never, "ProcessingFailed", 6, 0)] {
        let mut fake = Fake {
            moods: moods.into(),
            ..Fake::default()
        };
        let (answers, report) = invoke(&mut fake, Source::VpcFlow, &event(true, &records));
        assert_eq!(
            (answers[0].0.as_str(), fake.calls),
            (result, calls),
            "{:?}",
            report.reasons
        );
        let mut put: Vec<u32> = fake.taken.iter().flat_map(|(data, _)| numbers(data)).collect();
        put.sort_unstable();
        assert_eq!(put, (1..=taken).collect::<Vec<_>>(), "each once");
    }
}

#[test]
fn what_the_stream_refuses_for_good_is_tried_once_and_told() {
    let records = [("a".to_owned(), [line(1), line(2)].join("\n").into_bytes())];
    let mut fake = Fake {
        moods: [Mood::FailsForGood].into(),
        ..Fake::default()
    };
    let (answers, report) = invoke(&mut fake, Source::VpcFlow, &event(false, &records));
    assert_eq!((answers[0].0.as_str(), fake.calls), ("ProcessingFailed", 1));
    assert_eq!(report.reasons[0].word, "form");
    assert!(
        report.reasons[0].message.contains("AccessDeniedException"),
        "{}",
        report.reasons[0].message
    );
}

#[test]
fn a_header_from_an_earlier_record_goes_back_with_the_line_that_needs_it() {
    let header = "bytes srcaddr dstaddr start end action log-status";
    let row = |n: u32| format!("{n} 198.51.100.24 10.0.1.15 1795258200 1795258257 ACCEPT OK");
    let records = [
        ("a".to_owned(), header.as_bytes().to_vec()),
        ("b".to_owned(), [row(1), row(2)].join("\n").into_bytes()),
    ];
    let mut fake = Fake::default();
    let (answers, _) = invoke(&mut fake, Source::VpcFlow, &event(false, &records));
    assert_eq!(answers[1].0, "Dropped");
    let back: Vec<_> = fake
        .taken
        .iter()
        .map(|(data, _)| String::from_utf8_lossy(data).into_owned())
        .collect();
    assert_eq!(back, [format!("{header}\n{}", row(1)), format!("{header}\n{}", row(2))]);
    let alone: Vec<_> = fake.taken.into_iter().map(|(data, _)| ("x".to_owned(), data)).collect();
    let (answers, _) = invoke(&mut Fake::default(), Source::VpcFlow, &event(false, &alone));
    assert!(
        answers.iter().all(|(result, _)| result == "Ok"),
        "each is understood alone"
    );
}

#[test]
fn a_header_speaks_of_what_stands_behind_it_and_of_nothing_before() {
    let (first, second) = (
        "bytes srcaddr dstaddr start end action log-status",
        "srcaddr dstaddr bytes start end action log-status",
    );
    let old = |n: u32| format!("{n} 198.51.100.24 10.0.1.15 1795258200 1795258257 ACCEPT OK");
    let new = |n: u32| format!("198.51.100.24 10.0.1.15 {n} 1795258200 1795258257 ACCEPT OK");
    for (drop, held) in [
        // A header between lines, the same with the line before it dropped by a filter, and one behind a single line.
        ("", vec![old(1), second.to_owned(), new(2)]),
        ("network.bytes == 1", vec![old(1), second.to_owned(), new(2)]),
        ("", vec![old(1), second.to_owned()]),
    ] {
        let records = [
            ("a".to_owned(), first.as_bytes().to_vec()),
            ("b".to_owned(), held.join("\n").into_bytes()),
            ("c".to_owned(), new(3).into_bytes()),
        ];
        let options = Options {
            drop: vec![drop.to_owned()],
            ..Options::default()
        };
        let mut fake = Fake::default();
        let (answers, report) = invoke_with(&mut fake, Source::VpcFlow, options, &event(false, &records));
        assert_eq!(report.failed, 0, "{:?}", report.reasons);
        let back: Vec<_> = fake
            .taken
            .iter()
            .map(|(data, _)| String::from_utf8_lossy(data).into_owned())
            .collect();
        if held.len() == 3 {
            assert_eq!(answers[1].0, "Dropped");
            assert_eq!(back, [format!("{first}\n{}", old(1)), format!("{second}\n{}", new(2))]);
        } else {
            assert_eq!(number(&answers[1].1), 1);
        }
        assert_eq!(number(&answers[2].1), 3, "and of the later records");
    }
}

#[test]
fn what_names_its_own_columns_goes_back_whatever_header_came_before() {
    let header = "bytes srcaddr dstaddr start end action log-status";
    let row = |n: u32| format!("{n} 198.51.100.24 10.0.1.15 1795258200 1795258257 ACCEPT OK");
    let object = |n: u32| json!({ "bytes": n, "srcaddr": "198.51.100.24", "end": 1_795_258_257 }).to_string();
    let file = |n: u32| gzip(format!("{header}\n{}\n{}", row(n), row(n + 1)).as_bytes());
    let records = [
        ("a".to_owned(), header.as_bytes().to_vec()),
        ("b".to_owned(), file(1)),
        ("c".to_owned(), file(3)),
        ("d".to_owned(), format!("{}\n{}", object(5), object(6)).into_bytes()),
    ];
    let mut fake = Fake::default();
    let (answers, report) = invoke(&mut fake, Source::VpcFlow, &event(false, &records));
    assert!(
        answers.iter().all(|(result, _)| result == "Dropped"),
        "{:?}",
        report.reasons
    );
    let alone: Vec<_> = fake.taken.into_iter().map(|(data, _)| ("x".to_owned(), data)).collect();
    let (answers, _) = invoke(&mut Fake::default(), Source::VpcFlow, &event(false, &alone));
    let numbers: Vec<u32> = answers.iter().map(|(_, document)| number(document)).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
}

#[test]
fn what_does_not_fit_the_response_goes_back_and_comes_round_to_its_end() {
    // 12,000 lines of about 90 bytes become some 15 MB of response: three invocations.
    let mut waiting: Vec<(String, Vec<u8>)> = (0..12_000)
        .map(|n| (format!("{n:056}"), line(10_000 + n).into_bytes()))
        .collect();
    let mut delivered = Vec::new();
    let mut rounds = 0;
    while !waiting.is_empty() {
        rounds += 1;
        assert!(rounds <= 5, "it goes round and round");
        let mut fake = Fake::default();
        let (answers, report) = invoke(&mut fake, Source::VpcFlow, &event(false, &waiting));
        assert_eq!(report.failed, 0, "{:?}", report.reasons);
        delivered.extend(
            answers
                .iter()
                .filter(|(result, _)| result == "Ok")
                .map(|(_, data)| number(data)),
        );
        waiting = fake
            .taken
            .into_iter()
            .map(|(data, _)| ("again".to_owned(), data))
            .collect();
    }
    assert!(rounds > 1);
    delivered.sort_unstable();
    assert_eq!(delivered, (10_000..22_000).collect::<Vec<_>>(), "each once");
}

#[test]
fn a_document_that_no_response_holds_is_refused_and_never_goes_back() {
    let finding: Value = serde_json::from_slice(
        &std::fs::read(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../samples/waf/allowed-default.in.json"
        ))
        .expect("a sample"),
    )
    .expect("JSON");
    // Each name of a header is kept in the list and in the flat object, so the document is larger than the record.
    let mut large = finding.clone();
    large["httpRequest"]["headers"] = (0..50_000)
        .map(|n| json!({ "name": format!("x-{n:050}"), "value": "v" }))
        .collect();
    let records = [
        ("a".to_owned(), large.to_string().into_bytes()),
        ("b".to_owned(), finding.to_string().into_bytes()),
    ];
    let mut fake = Fake::default();
    let (answers, report) = invoke(&mut fake, Source::Waf, &event(false, &records));
    let results: Vec<_> = answers.iter().map(|(result, _)| result.as_str()).collect();
    assert_eq!(results, ["ProcessingFailed", "Ok"]);
    assert!(answers[0].1 == records[0].1, "with its data");
    assert_eq!((report.reasons[0].word, fake.calls), ("response_full", 0));
}

/// A WAF record with so many headers that its document is larger than itself.
fn with_headers(count: u32) -> Vec<u8> {
    let headers: Vec<_> = (0..count)
        .map(|n| json!({ "name": format!("x-{n:050}"), "value": "v" }))
        .collect();
    json!({ "timestamp": 1_795_170_000_000_i64, "webaclId": "x", "httpRequest": { "headers": headers } })
        .to_string()
        .into_bytes()
}

#[test]
fn where_nothing_was_delivered_nothing_goes_back_for_want_of_room() {
    // It would find the same neighbours again, and again.
    let (large, garbage) = (with_headers(12_500), vec![b'{'; 3_200_000]);
    let records = [("a".to_owned(), large.clone()), ("b".to_owned(), garbage)];
    let mut fake = Fake::default();
    let (answers, report) = invoke(&mut fake, Source::Waf, &event(false, &records));
    assert!(answers.iter().all(|(result, _)| result == "ProcessingFailed"));
    assert!(answers[0].1 == large, "with its data");
    let words: Vec<_> = report.reasons.iter().map(|reason| reason.word).collect();
    assert_eq!((words, fake.calls), (vec!["syntax", "response_full"], 0));
    // With a document delivered, what is left becomes less each time.
    let small = ("c".to_owned(), with_headers(1));
    let [first, second] = records;
    let (answers, _) = invoke(&mut fake, Source::Waf, &event(false, &[small, first, second]));
    let results: Vec<_> = answers.iter().map(|(result, _)| result.as_str()).collect();
    assert_eq!(results, ["Ok", "Dropped", "ProcessingFailed"]);
    assert_eq!(fake.taken, [(large, None)]);
}

#[test]
fn an_event_puts_back_no_more_than_fits_into_memory() {
    // Each finding goes back with all that is around it: sixty times 460 KB.
    let finding = |n: u32| json!({ "Id": n.to_string(), "ProductArn": "p", "UpdatedAt": "2026-11-20T10:00:00Z" });
    let findings = |count| (0..count).map(finding).collect::<Vec<_>>();
    let record = |count| json!({ "pad": "x".repeat(460_000), "findings": findings(count) }).to_string();
    let records = [
        ("a".to_owned(), record(60).into_bytes()),
        ("b".to_owned(), record(2).into_bytes()),
    ];
    let mut fake = Fake::default();
    let (answers, report) = invoke(&mut fake, Source::SecurityHub, &event(false, &records));
    let results: Vec<_> = answers.iter().map(|(result, _)| result.as_str()).collect();
    assert_eq!((results, fake.taken.len()), (vec!["ProcessingFailed", "Dropped"], 2));
    assert!(report.reasons[0].message.contains("all of this event more than"));
}

/// What a record of the batch holds.
#[derive(Clone, Debug)]
enum Held {
    Line,
    Lines(usize),
    Subscription(usize),
    Nothing,
    Garbage,
}

fn held() -> impl Strategy<Value = Held> {
    prop_oneof![
        3 => Just(Held::Line),
        3 => (2_usize..40).prop_map(Held::Lines),
        2 => (0_usize..20).prop_map(Held::Subscription),
        1 => Just(Held::Nothing),
        1 => Just(Held::Garbage),
    ]
}

fn mood() -> impl Strategy<Value = Mood> {
    prop_oneof![
        3 => Just(Mood::Takes),
        4 => (1_usize..6).prop_map(Mood::Throttles),
        1 => Just(Mood::Forgets),
        2 => Just(Mood::FailsForNow),
        1 => Just(Mood::FailsForGood),
        1 => Just(Mood::AnswersShort),
        1 => Just(Mood::Hangs),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_entry_is_delivered_or_back_or_its_record_is_refused(
        batch in prop::collection::vec(held(), 0..20),
        moods in prop::collection::vec(mood(), 0..12),
        kinesis in any::<bool>(),
    ) {
        let mut next = 1_000_u32;
        let mut lines = |count: usize| -> Vec<String> {
            (0..count).map(|_| { next += 1; line(next) }).collect()
        };
        let mut holds = Vec::new();
        let records: Vec<_> = batch.iter().enumerate().map(|(id, held)| {
            let (lines, data) = match held {
                Held::Line => { let lines = lines(1); (lines.clone(), lines[0].clone().into_bytes()) }
                Held::Lines(count) => { let lines = lines(*count); (lines.clone(), lines.join("\r\n").into_bytes()) }
                Held::Subscription(count) => {
                    let lines = lines(*count);
                    let events: Vec<_> = lines.iter().map(|line| json!({ "id": "1", "timestamp": 1, "message": line })).collect();
                    let message = json!({ "messageType": "DATA_MESSAGE", "logGroup": "g", "logEvents": events });
                    (lines, message.to_string().into_bytes())
                }
                Held::Nothing => (Vec::new(), b"\n".to_vec()),
                Held::Garbage => (Vec::new(), b"no flow log".to_vec()),
            };
            holds.push(lines.iter().map(|line| numbers(line.as_bytes())[0]).collect::<Vec<_>>());
            (id.to_string(), data)
        }).collect();
        let forgets = moods.iter().any(|mood| matches!(mood, Mood::Forgets | Mood::AnswersShort));
        let mut fake = Fake { moods: moods.into(), ..Fake::default() };
        let (answers, report) = invoke(&mut fake, Source::VpcFlow, &event(kinesis, &records));
        prop_assert_eq!(answers.len(), records.len());
        prop_assert_eq!(report.ok + report.dropped + report.failed, records.len());
        prop_assert!(fake.calls <= 6 * 2, "{} calls", fake.calls);
        let back: Vec<u32> = fake.taken.iter().flat_map(|(data, _)| {
            let text = String::from_utf8_lossy(data).replace("\\\"", "\"");
            text.split('"').flat_map(|part| numbers(part.as_bytes())).collect::<Vec<_>>()
        }).collect();
        for (((result, data), held), (id, record)) in answers.iter().zip(&holds).zip(&records) {
            let times = |n: &u32| back.iter().filter(|known| *known == n).count();
            match result.as_str() {
                "Ok" => {
                    prop_assert_eq!(&vec![number(data)], held);
                    prop_assert_eq!(times(&held[0]), 0);
                }
                "Dropped" => for n in held {
                    prop_assert!(times(n) >= 1, "{} of record {} is lost", n, id);
                    prop_assert!(forgets || times(n) == 1, "{} of record {} is back twice", n, id);
                },
                _ => prop_assert_eq!(data, record),
            }
        }
    }
}
