//! Input that was made to hurt: refused with a reason, or mapped within the limits; never a panic.

mod support;

use portcullis_transforms::{Normalizer, Options, Outcome, RefusalKind, Schema, Source};
use serde::de::IgnoredAny;
use support::{JSON_SOURCES, normalize, sample_records, schema_violation};

/// A WAF record with `extra` members at its top.
fn waf(extra: &str) -> Vec<u8> {
    format!(r#"{{"timestamp":1795170000000,"webaclId":"x","httpRequest":{{"clientIp":"198.51.100.1"}}{extra}}}"#)
        .into_bytes()
}

fn nested(depth: usize) -> Vec<u8> {
    waf(&format!(r#","deep":{}{}"#, "[".repeat(depth), "]".repeat(depth)))
}

#[test]
fn what_cannot_be_read_is_refused_with_its_reason() {
    use RefusalKind::{Depth, Encoding, Form, Gzip, MissingField, Size, Syntax, Time, WrongSource};
    let ten_megabytes = vec![b'a'; 10_000_000];
    let cases: Vec<(&str, Vec<u8>, RefusalKind)> = vec![
        (
            "binary garbage",
            (0..=255).cycle().skip(128).take(4096).collect(),
            Encoding,
        ),
        ("gzip", vec![0x1f, 0x8b, 8, 0, 0, 0], Gzip),
        ("invalid UTF-8 inside", [&waf("")[..40], b"\xff\"}"].concat(), Encoding),
        ("a UTF-8 surrogate", b"{\"a\":\"\xed\xa0\x80\"}".to_vec(), Encoding),
        ("10 MB on one line", ten_megabytes, Size),
        ("10,000 deep", nested(10_000), Depth),
        ("one deeper than the limit", nested(64), Depth),
        (
            "10,000 deep and not closed",
            "[{\"a\":".repeat(5000).into_bytes(),
            Syntax,
        ),
        (
            "10,000 objects deep and not closed",
            "{\"a\":".repeat(5000).into_bytes(),
            Depth,
        ),
        ("text", b"hello".to_vec(), Syntax),
        ("an array", b"[1]".to_vec(), Syntax),
        ("NaN", waf(r#","n":NaN"#), Syntax),
        ("Infinity", waf(r#","n":-Infinity"#), Syntax),
        ("a leading zero", waf(r#","n":01"#), Syntax),
        ("a bare point", waf(r#","n":1."#), Syntax),
        ("an unknown escape", waf(r#","n":"\x41""#), Syntax),
        ("a broken \\u escape", waf(r#","n":"\u12g4""#), Syntax),
        ("a control character in a string", waf(",\"n\":\"a\u{1}b\""), Syntax),
        ("a line break in a string", waf(",\"n\":\"a\nb\""), Syntax),
        ("single quotes", b"{'timestamp':1}".to_vec(), Syntax),
        ("a trailing comma", waf(","), Syntax),
        ("two records", [waf(""), waf("")].concat(), Form),
        ("an end in the middle", waf("")[..50].to_vec(), Syntax),
        ("a backslash at the end", b"{\"a\":\"\\".to_vec(), Syntax),
        (
            "a flow-log line",
            b"2 123456789010 eni-1 10.0.0.1 10.0.0.2 1 2 6 1 1 1 2 ACCEPT OK".to_vec(),
            WrongSource,
        ),
        (
            "a GuardDuty event",
            sample_records(Source::GuardDuty)[7].clone(),
            WrongSource,
        ),
        (
            "a Security Hub finding",
            sample_records(Source::SecurityHub)[2].clone(),
            WrongSource,
        ),
        (
            "an object of nothing known",
            b"{\"timestamp\":1795170000000}".to_vec(),
            MissingField,
        ),
        ("no timestamp", br#"{"webaclId":"x"}"#.to_vec(), Time),
        (
            "an unreadable timestamp",
            br#"{"webaclId":"x","timestamp":"soon"}"#.to_vec(),
            Time,
        ),
        (
            "a negative timestamp",
            br#"{"webaclId":"x","timestamp":-1}"#.to_vec(),
            Time,
        ),
        (
            "a huge timestamp",
            br#"{"webaclId":"x","timestamp":1e308}"#.to_vec(),
            Time,
        ),
        (
            "a timestamp that is an object",
            br#"{"webaclId":"x","timestamp":{}}"#.to_vec(),
            Time,
        ),
    ];
    for schema in [Schema::Ecs, Schema::Native] {
        for (name, record, kind) in &cases {
            let options = Options {
                schema,
                ..Options::default()
            };
            let mut out = b"before".to_vec();
            let refusal = Normalizer::new(Source::Waf, options)
                .expect("a normaliser")
                .record(record, &mut out)
                .expect_err(name);
            assert_eq!(refusal.kind, *kind, "{name}: {refusal}");
            assert_eq!(out, b"before", "{name}");
            assert!(
                refusal.message.len() < 300 && refusal.message.chars().all(|c| !c.is_control()),
                "{name}: {refusal}"
            );
            assert!(!refusal.remedy().is_empty());
        }
    }
    let two = br#"{"detail-type":"x","source":"aws.securityhub","detail":{"findings":[{"Id":"1","ProductArn":"p"},{"Id":"2","ProductArn":"p"}]}}"#;
    let refusal = normalize(Source::SecurityHub, Options::default(), two).expect_err("two findings");
    assert_eq!(refusal.kind, Form, "{refusal}");
    assert!(refusal.message.contains("2 entries"));
}

#[test]
fn what_is_only_odd_is_mapped_within_the_limits() {
    let long = "x".repeat(100_000);
    let escapes = "\\u00fc".repeat(9_000);
    let many: String = (0..20_000).map(|number| format!(r#","k{number}":{number}"#)).collect();
    let repeated: String = (0..20_000).map(|_| r#","same":1"#.to_owned()).collect();
    let headers: String = vec![r#"{"name":"X","value":"v","other":1}"#; 20_000].join(",");
    let cases = [
        ("nothing odd", String::new()),
        ("the deepest that is read", format!(r#","deep":{}{}"#, "[".repeat(63), "]".repeat(63))),
        ("lone surrogates", r#","a":"\ud800","b":"\udc00\ud800","labels":[{"name":"\ud83d"}]"#.to_owned()),
        ("repeated keys", r#","a":1,"a":2,"b":{"c":1,"c":2},"action":"ALLOW","action":"BLOCK""#.to_owned()),
        ("a repeated key that no field knows", r#","b":{"c":1,"d":3,"c":2}"#.to_owned()),
        (
            "a repeated key among many",
            r#","b":[{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1,"a":2}]"#.to_owned(),
        ),
        ("escaped keys", r#","\u0061ction":"BLOCK","a\"b":{"c\\":1}"#.to_owned()),
        ("an escaped key that repeats a plain one", r#","action":"ALLOW","\u0061ction":"BLOCK""#.to_owned()),
        ("keys of nothing, dots and line breaks", r#","":1,".":2,"a\nb":3,"a.b":4,"a":{"b":5}"#.to_owned()),
        ("huge numbers", r#","a":1e999,"b":123456789012345678901234567890,"clientAsn":1e400,"responseCodeSent":99999999999999999999"#.to_owned()),
        ("a long unknown text", format!(r#","a":"{long}","b":{{"c":["{long}"]}}"#)),
        ("a long known text", format!(r#","action":"{long}","labels":[{{"name":"{escapes}"}}]"#)),
        ("long keys", format!(r#","{long}":1,"{long}2":{{"{long}":"{long}"}}"#)),
        ("20,000 unknown keys", many),
        ("20,000 times the same key", repeated),
        ("20,000 headers", format!(r#","httpRequest":{{"headers":[{headers}]}}"#)),
        ("wrong types everywhere", r#","action":{"a":1},"labels":"x","ruleGroupList":[[1],{"terminatingRule":[true,"y"]}],"responseCodeSent":"many""#.to_owned()),
        ("line breaks between tokens", ",\r\n\t\"a\" :\n[ 1 ,\n2 ]\n".to_owned()),
    ];
    for (name, extra) in cases {
        for schema in [Schema::Ecs, Schema::Native] {
            let options = Options {
                schema,
                keep_original: true,
                ..Options::default()
            };
            let (outcome, line) =
                normalize(Source::Waf, options, &waf(&extra)).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
            assert_eq!(outcome, Outcome::Document, "{name}");
            if schema == Schema::Ecs {
                assert_eq!(schema_violation(Source::Waf, &line), None, "{name}");
            } else {
                assert_eq!(line.lines().count(), 1, "{name}");
                assert!(serde_json::from_str::<IgnoredAny>(&line).is_ok(), "{name}");
            }
        }
    }
}

#[test]
fn native_keeps_each_number_and_text_as_it_was_written() {
    let kept = concat!(
        r#","big":18446744073709551616,"bigger":123456789012345678901234567890,"exact":0.10000000000000000001,"#,
        r#""spelt":1.50e+02,"text":"007","minus":-0.0,"wide":"\u00fc\/","odd":"2026-11-20T10:00:00+01:00""#
    );
    let options = || Options {
        schema: Schema::Native,
        ..Options::default()
    };
    let (_, line) = normalize(Source::Waf, options(), &waf(kept)).expect("a document");
    assert!(line.contains(kept), "{line}");
    // On several lines the record is written anew, and its numbers are not.
    let (_, line) = normalize(Source::Waf, options(), &waf(&kept.replace(',', ",\r\n"))).expect("a document");
    let numbers = &kept[..kept.find(r#","wide""#).expect("a member")];
    assert!(line.contains(numbers), "{line}");
}

#[test]
fn a_place_is_where_it_was_written_to_be_and_nowhere_beyond_the_earth() {
    let digits = format!("35.{}9", "5".repeat(60));
    let cases = [
        (r#"{"lat":35.69,"lon":139.69}"#, Some(r#"{"lat":35.69,"lon":139.69}"#)),
        (r#"{"lon":-0.5e1,"lat":9e1}"#, Some(r#"{"lat":90,"lon":-5}"#)),
        (
            &format!(r#"{{"lat":{digits},"lon":0}}"#),
            Some(r#"{"lat":35.55555555555556,"lon":0}"#),
        ),
        (r#"{"lat":90.1,"lon":0}"#, None),
        (r#"{"lat":1e999,"lon":0}"#, None),
        (r#"{"lat":"35","lon":0}"#, None),
        (r#"{"lat":null,"lon":0}"#, None),
    ];
    for (place, expected) in cases {
        let record = format!(
            r#"{{"schemaVersion":"2.0","accountId":"111122223333","region":"eu-west-1","id":"x","type":"Recon:EC2/Portscan","severity":5,"createdAt":"2026-11-20T10:00:00Z","updatedAt":"2026-11-20T10:00:00Z","service":{{"action":{{"actionType":"NETWORK_CONNECTION","networkConnectionAction":{{"remoteIpDetails":{{"ipAddressV4":"198.51.100.1","geoLocation":{place}}}}}}}}}}}"#
        );
        let (_, line) = normalize(Source::GuardDuty, Options::default(), record.as_bytes()).expect("a document");
        let written = line
            .split_once(r#""location":"#)
            .map(|(_, rest)| &rest[..=rest.find('}').expect("an end")]);
        assert_eq!(written, expected, "{place}: {line}");
    }
}

#[test]
fn the_last_of_repeated_keys_counts_however_it_is_spelt() {
    for extra in [
        r#","action":"ALLOW","action":"BLOCK""#,
        r#","action":"ALLOW","\u0061ction":"BLOCK""#,
    ] {
        let (_, line) = normalize(Source::Waf, Options::default(), &waf(extra)).expect("a document");
        assert!(
            line.contains(r#""action":"block""#) && !line.contains("allow"),
            "{line}"
        );
    }
}

#[test]
fn a_document_says_how_much_was_cut() {
    let long = "x".repeat(10_000);
    let extra = format!(r#","{long}":1,"a":"{long}","action":"{long}""#);
    let (_, line) = normalize(Source::Waf, Options::default(), &waf(&extra)).expect("a document");
    let document: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(document["portcullis"]["cut"], 3);
    assert_eq!(document["portcullis"]["unplaced"], 2);
}

#[test]
fn nothing_and_white_space_are_dropped_and_a_byte_order_mark_is_not_seen() {
    for source in JSON_SOURCES {
        for empty in [&b""[..], b"\n", b" \r\n", b"\xef\xbb\xbf"] {
            let (outcome, line) = normalize(source, Options::default(), empty).expect("no refusal");
            assert_eq!((outcome, line.as_str()), (Outcome::Dropped, ""));
        }
    }
    let marked = [b"\xef\xbb\xbf", waf("").as_slice(), b"\r\n"].concat();
    assert_eq!(
        normalize(Source::Waf, Options::default(), &marked),
        normalize(Source::Waf, Options::default(), &waf(""))
    );
}

#[test]
fn event_id_depends_on_the_key_for_logs_and_on_the_version_for_findings() {
    let id = |source, options, record: &[u8]| {
        let (_, line) = normalize(source, options, record).expect("a document");
        let document: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        document["event"]["id"].as_str().expect("an id").to_owned()
    };
    let keyed = Options {
        id_key: [7; 32],
        ..Options::default()
    };
    assert_ne!(
        id(Source::Waf, Options::default(), &waf("")),
        id(Source::Waf, keyed.clone(), &waf(""))
    );
    assert_ne!(
        id(Source::Waf, keyed.clone(), &waf("")),
        id(Source::Waf, keyed.clone(), &waf(" "))
    );
    let finding = |updated: &str, title: &str| {
        format!(r#"{{"id":"f","type":"Recon:EC2/Portscan","updatedAt":"{updated}","title":"{title}"}}"#).into_bytes()
    };
    let first = id(Source::GuardDuty, keyed, &finding("2026-11-20T10:00:00Z", "a"));
    assert_eq!(
        first,
        id(
            Source::GuardDuty,
            Options::default(),
            &finding("2026-11-20T11:00:00+01:00", "b")
        )
    );
    assert_ne!(
        first,
        id(
            Source::GuardDuty,
            Options::default(),
            &finding("2026-11-20T10:00:01Z", "a")
        )
    );
}
