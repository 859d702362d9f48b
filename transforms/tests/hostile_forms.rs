//! The same hostile things done to every source's samples: cut short, of the wrong source, without a time, with a text of
//! 40 KB in each field in turn, of 6 MB, and very many.

mod support;

use portcullis_transforms::{Normalizer, Options, Outcome, Refusal, RefusalKind, Schema, Source};
use support::{json::Json, moment, normalize, sample_inputs, schema_violation};

/// The samples that are one JSON record by themselves.
fn records(source: Source) -> Vec<Json> {
    let inputs = sample_inputs(source).into_iter();
    inputs
        .filter_map(|(record, _)| Json::parse(&record))
        .filter(|json| matches!(json, Json::Object(_)))
        .collect()
}

fn json_sources() -> impl Iterator<Item = Source> {
    Source::ALL.iter().copied().filter(|source| *source != Source::VpcFlow)
}

fn ecs(source: Source, record: &[u8]) -> Result<(Outcome, String), Refusal> {
    normalize(source, Options::default(), record)
}

/// A document that keeps to the schema, or a refusal that can be shown to a person.
fn holds(source: Source, record: &[u8], what: &str) {
    match ecs(source, record) {
        Ok((Outcome::Document, line)) => assert_eq!(schema_violation(source, &line), None, "{source}: {what}"),
        Ok((Outcome::Dropped, _)) => {}
        Err(refusal) => {
            let text = refusal.to_string();
            assert!(
                text.len() < 2_000 && text.chars().all(|c| !c.is_control()),
                "{source}: {what}: {text}"
            );
        }
    }
}

#[test]
fn a_record_of_another_source_is_refused_with_the_name_of_what_it_looks_like() {
    // A Security Hub copy of a finding, for instance, is of Security Hub whatever product wrote it.
    for &wanted in Source::ALL {
        let mut normalizer = Normalizer::new(wanted, Options::default()).expect("a normaliser");
        for given in json_sources().filter(|given| *given != wanted) {
            let mut named = 0;
            let records = records(given);
            for record in &records {
                let mut out = Vec::new();
                let refusal = normalizer
                    .record(&record.compact(), &mut out)
                    .expect_err("a record of another source is no document");
                assert!(out.is_empty());
                named +=
                    usize::from(refusal.kind == RefusalKind::WrongSource && refusal.message.contains(given.title()));
            }
            assert!(
                named * 2 >= records.len(),
                "{wanted} names {named} of {} records of {given}",
                records.len()
            );
        }
    }
}

#[test]
fn a_record_without_a_readable_time_is_refused_for_its_time() {
    for source in json_sources() {
        for (number, record) in records(source).iter().enumerate() {
            for garbage in [
                "",
                "soon",
                "-1",
                "1969-12-31T23:59:59Z",
                "2101-01-01T00:00:00Z",
                "NaN",
                "99999999999999999999999",
            ] {
                let mut record = record.clone();
                for place in 0..record.places() {
                    let value = record.place(place).expect("a place");
                    if value.plain().and_then(moment::read).is_some() {
                        *value = Json::Text(garbage.to_owned());
                    }
                }
                let refusal = ecs(source, &record.compact()).expect_err("no time is no document");
                let kinds = [
                    RefusalKind::Time,
                    RefusalKind::MissingField,
                    RefusalKind::Form,
                    RefusalKind::WrongSource,
                ];
                assert!(
                    kinds.contains(&refusal.kind),
                    "{source} {number} {garbage:?}: {refusal}"
                );
            }
        }
    }
}

#[test]
fn a_text_of_40_kb_in_each_field_in_turn_is_cut_or_refused() {
    let long = "ü".repeat(20_000);
    for source in json_sources() {
        for record in records(source).iter().take(3) {
            for place in 1..record.places() {
                let mut record = record.clone();
                let value = record.place(place).expect("a place");
                if value.plain().is_none() {
                    continue;
                }
                *value = Json::Text(long.clone());
                holds(source, &record.compact(), &format!("place {place}"));
            }
        }
    }
}

#[test]
fn a_record_that_ends_too_early_is_refused_wherever_it_ends() {
    for source in json_sources() {
        let records = records(source);
        let whole = records.first().expect("a sample").compact();
        for end in (1..whole.len()).step_by(7) {
            assert!(ecs(source, &whole[..end]).is_err(), "{source} {end}");
        }
    }
}

#[test]
fn white_space_and_a_byte_order_mark_around_a_record_change_nothing() {
    for source in json_sources() {
        for record in records(source) {
            let plain = record.compact();
            let expected = ecs(source, &plain);
            for around in [
                [b"\xef\xbb\xbf".as_slice(), &plain, b"\r\n"].concat(),
                [b" \t".as_slice(), &plain, b"\n\n"].concat(),
            ] {
                assert_eq!(ecs(source, &around), expected, "{source}");
            }
        }
    }
}

#[test]
fn what_is_no_record_of_anything_is_refused_by_every_source_and_schema() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let cases: [(&str, Vec<u8>); 13] = [
        ("NUL bytes", vec![0; 1_000]),
        ("invalid UTF-8", b"{\"a\":\"\xff\xfe\"}".to_vec()),
        (
            "truncated gzip",
            b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\x56".to_vec(),
        ),
        ("an empty object", b"{}".to_vec()),
        ("a number", b"17".to_vec()),
        ("a literal", b"null".to_vec()),
        ("NaN", b"{\"timestamp\":NaN}".to_vec()),
        ("Infinity", b"{\"timestamp\":Infinity}".to_vec()),
        ("a lone surrogate", b"{\"a\":\"\\ud800\"}".to_vec()),
        ("repeated keys", b"{\"a\":1,\"a\":2}".to_vec()),
        ("100,000 arrays deep", deep.clone().into_bytes()),
        ("100,000 arrays deep inside", format!("{{\"a\":{deep}}}").into_bytes()),
        ("markup", b"<html><body>503</body></html>".to_vec()),
    ];
    for &source in Source::ALL {
        for schema in [Schema::Ecs, Schema::Native] {
            let options = Options {
                schema,
                ..Options::default()
            };
            let mut normalizer = Normalizer::new(source, options).expect("a normaliser");
            for (name, record) in &cases {
                let mut out = Vec::new();
                let outcome = normalizer.record(record, &mut out);
                assert!(outcome.is_err() && out.is_empty(), "{source}: {name}: {outcome:?}");
            }
        }
    }
}

#[test]
fn a_record_of_6_mb_becomes_one_document_and_one_more_byte_is_refused() {
    for source in json_sources() {
        let record = records(source)
            .into_iter()
            .find(|record| ecs(source, &record.compact()).is_ok())
            .expect("a sample");
        let Json::Object(members) = record else {
            unreachable!("records are objects")
        };
        let filled = |bytes: usize| {
            let mut members = members.clone();
            let base = Json::Object(members.clone()).compact().len() + 10;
            members.push(("fill".to_owned(), Json::Text("f".repeat(bytes - base))));
            Json::Object(members).compact()
        };
        let limit = portcullis_transforms::normalize::RECORD_LIMIT;
        let largest = filled(limit);
        assert!(ecs(source, &largest).is_ok(), "{source}: {} bytes", largest.len());
        let refusal = ecs(source, &filled(limit + 10)).expect_err("too long");
        assert_eq!(refusal.kind, RefusalKind::Size, "{source}");
    }
}

#[test]
fn twenty_thousand_tiny_records_are_each_answered() {
    for &source in Source::ALL {
        let mut normalizer = Normalizer::new(source, Options::default()).expect("a normaliser");
        let mut out = Vec::new();
        let refused = (0..20_000)
            .filter(|_| normalizer.record(b"{}", &mut out).is_err())
            .count();
        assert_eq!((refused, out.len()), (20_000, 0), "{source}");
    }
}
