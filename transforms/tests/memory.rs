//! What a normaliser allocates, counted: a constant per record once its buffers have grown, and nothing that stays.

mod support;

use allocation_counter::measure;
use portcullis_transforms::{Normalizer, Options, Outcome, Schema, Source, firehose::transform};
use support::{fuzz::event, sample_inputs};

/// The most allocations that a record of ordinary size may take: what each source's derivation needs for its texts.
const PER_RECORD: u64 = 16;

/// The same for a flow-log line whose order of columns has to be guessed, because neither a header nor a format tells it.
const PER_GUESS: u64 = 80;

fn normalizer(source: Source, schema: Schema, flow_format: Option<String>) -> Normalizer {
    let options = Options {
        schema,
        flow_format,
        ..Options::default()
    };
    Normalizer::new(source, options).expect("a normaliser")
}

#[test]
fn a_record_takes_a_few_allocations_and_leaves_none_behind() {
    for &source in Source::ALL {
        for schema in [Schema::Ecs, Schema::Native] {
            for (record, format) in sample_inputs(source) {
                let is_guess = source == Source::VpcFlow && format.is_none();
                let mut normalizer = normalizer(source, schema, format);
                let mut out = Vec::new();
                // A pretty-printed sample is rewritten first, which no record of AWS needs.
                let record = match serde_json::from_slice::<serde_json::Value>(&record) {
                    Ok(value) => serde_json::to_vec(&value).expect("JSON"),
                    Err(_) => record,
                };
                for _ in 0..20 {
                    out.clear();
                    normalizer.record(&record, &mut out).ok();
                }
                // Header lines, which are read once for many records, and refusals may take more.
                out.clear();
                if normalizer.record(&record, &mut out) != Ok(Outcome::Document) {
                    continue;
                }
                let counted = measure(|| {
                    for _ in 0..100 {
                        out.clear();
                        normalizer.record(&record, &mut out).ok();
                    }
                });
                let limit = if is_guess { PER_GUESS } else { PER_RECORD };
                let what = format!("{source} {schema:?}: {}", String::from_utf8_lossy(&record));
                assert!(
                    counted.count_total <= 100 * limit,
                    "{} for 100 of {what}",
                    counted.count_total
                );
                assert_eq!(counted.bytes_current, 0, "{what}");
            }
        }
    }
}

/// A Firehose event of at most `bytes`, filled with a source's samples.
fn full_event(source: Source, bytes: usize) -> Vec<u8> {
    let samples = sample_inputs(source);
    let mut records: Vec<&[u8]> = Vec::new();
    let mut size = 0;
    for (record, _) in samples.iter().cycle() {
        size += record.len() * 4 / 3 + 60;
        if size > bytes {
            break;
        }
        records.push(record);
    }
    event(&records)
}

/// Runs invocations and says what they left behind: bytes after the tenth, and at the end.
fn growth(source: Source, bytes: usize, invocations: u32) -> (i64, i64) {
    let event = full_event(source, bytes);
    let mut normalizer = normalizer(source, Schema::Ecs, None);
    let run = |normalizer: &mut Normalizer, times: u32| {
        for _ in 0..times {
            let (response, report) = transform(normalizer, &event).expect("an event");
            assert!(!response.is_empty() && report.ok > 0);
        }
    };
    let early = measure(|| run(&mut normalizer, 10)).bytes_current;
    let late = measure(|| run(&mut normalizer, invocations - 10)).bytes_current;
    (early, late)
}

#[test]
fn memory_is_flat_from_one_invocation_to_the_next() {
    for &source in Source::ALL {
        let (_, late) = growth(source, 60_000, 20);
        assert_eq!(late, 0, "{source} keeps {late} bytes more after its tenth invocation");
    }
}

#[test]
#[ignore = "takes minutes: run it on a release build"]
fn memory_is_flat_from_invocation_10_to_1_000_at_6_mb() {
    for &source in Source::ALL {
        let (early, late) = growth(source, 5_900_000, 1_000);
        println!("{source}: {early} bytes after 10 invocations, {late} more after 1,000");
        assert_eq!(late, 0, "{source}");
    }
}

#[test]
fn a_record_of_6_mb_is_given_back() {
    let long = format!(
        r#"{{"timestamp":1795170000000,"webaclId":"x","httpRequest":{{"clientIp":"198.51.100.1"}},"a":[{}1]}}"#,
        "{\"k\":\"198.51.100.2\"},".repeat(270_000)
    );
    let mut normalizer = normalizer(Source::Waf, Schema::Ecs, None);
    let counted = measure(|| {
        let mut out = Vec::new();
        assert_eq!(normalizer.record(long.as_bytes(), &mut out), Ok(Outcome::Document));
    });
    assert!(
        counted.bytes_current < 2_000_000,
        "{} bytes are kept",
        counted.bytes_current
    );
    assert!(counted.bytes_max < 100_000_000, "{} bytes at once", counted.bytes_max);
}
