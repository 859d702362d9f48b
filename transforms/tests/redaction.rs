//! What the policy takes out of a record is in no copy of it, however the record spells its names.

mod support;

use portcullis_transforms::{Normalizer, Options, Schema, Source, policy::redact};
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};
use support::{normalize, sample_records, schema_violation};

/// Stands nowhere else, and needs no escape.
const SECRET: &str = "s3cr3t-VALUE.0f9a";

fn every_output(source: Source, record: &[u8], names: &[&str]) -> Vec<String> {
    let shapes = [(Schema::Ecs, false), (Schema::Ecs, true), (Schema::Native, false)];
    shapes
        .iter()
        .map(|&(schema, keep_original)| {
            let options = Options {
                schema,
                keep_original,
                redact: names.iter().map(|&name| name.to_owned()).collect(),
                ..Options::default()
            };
            match normalize(source, options, record) {
                Ok((_, document)) => {
                    if schema == Schema::Ecs {
                        assert_eq!(schema_violation(source, &document), None, "{document}");
                    }
                    document
                }
                Err(refusal) => refusal.to_string(),
            }
        })
        .collect()
}

/// A WAF record with one more header, and whatever else stands there.
fn waf(header: &str, more: &str) -> String {
    format!(
        r#"{{"timestamp":1795170001000,"webaclId":"arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/a/b",{more}"action":"ALLOW","httpRequest":{{"clientIp":"198.51.100.7","httpMethod":"GET","uri":"/","args":"page=2&Token={SECRET}","headers":[{{"name":"Host","value":"example.com"}},{header}]}}}}"#
    )
}

#[test]
fn no_copy_holds_what_the_policy_takes_out() {
    let names = ["cookie", "authorization", "x-session", "?token"];
    let secret = format!("\"{SECRET}\"");
    let cases = [
        ("plain", waf(&format!(r#"{{"name":"Cookie","value":{secret}}}"#), "")),
        (
            "value first",
            waf(&format!(r#"{{"value":{secret},"name":"COOKIE"}}"#), ""),
        ),
        (
            "API spelling",
            waf(&format!(r#"{{"Name":"cookie","Value":{secret}}}"#), ""),
        ),
        (
            "escaped name",
            waf(&format!(r#"{{"name":"c\u006fokie","value":{secret}}}"#), ""),
        ),
        (
            "escaped key",
            waf(&format!(r#"{{"n\u0061me":"cookie","v\u0061lue":{secret}}}"#), ""),
        ),
        (
            "two names",
            waf(&format!(r#"{{"name":"cookie","name":"accept","value":{secret}}}"#), ""),
        ),
        (
            "two values",
            waf(&format!(r#"{{"name":"cookie","value":{secret},"value":"x"}}"#), ""),
        ),
        (
            "list of values",
            waf(&format!(r#"{{"name":"x-session","value":["a",{secret}]}}"#), ""),
        ),
        (
            "object as value",
            waf(&format!(r#"{{"name":"x-session","value":{{"a":{secret}}}}}"#), ""),
        ),
        (
            "the same header twice",
            waf(
                &format!(r#"{{"name":"cookie","value":"a"}},{{"name":"cookie","value":{secret}}}"#),
                "",
            ),
        ),
        (
            "pretty-printed",
            waf(
                &format!("{{\n \"name\" : \"cookie\" ,\r\n \"value\"\n:\t{secret} }}"),
                "",
            ),
        ),
        (
            "inserted",
            waf(
                r#"{"name":"a","value":"b"}"#,
                &format!(r#""requestHeadersInserted":[{{"name":"Authorization","value":{secret}}}],"#),
            ),
        ),
        (
            "as a key",
            waf(
                r#"{"name":"a","value":"b"}"#,
                &format!(r#""extra":{{"Authorization":["Bearer",{secret}]}},"#),
            ),
        ),
        (
            "an escaped key",
            waf(
                r#"{"name":"a","value":"b"}"#,
                &format!(r#""extra":{{"cook\u0069e":{secret}}},"#),
            ),
        ),
        (
            "matched by name",
            waf(
                r#"{"name":"a","value":"b"}"#,
                &format!(
                    r#""terminatingRuleMatchDetails":[{{"conditionType":"SQL_INJECTION","location":"HEADER","matchedData":["1",{secret}],"matchedFieldName":"authorization"}}],"#
                ),
            ),
        ),
        (
            "matched somewhere in the headers",
            waf(
                r#"{"name":"a","value":"b"}"#,
                &format!(
                    r#""terminatingRuleMatchDetails":[{{"conditionType":"XSS","location":"HEADER","matchedData":[{secret}]}}],"#
                ),
            ),
        ),
        (
            "matched in a cookie",
            waf(
                r#"{"name":"a","value":"b"}"#,
                &format!(
                    r#""nonTerminatingMatchingRules":[{{"ruleId":"r","action":"COUNT","ruleMatchDetails":[{{"location":"COOKIES","matchedData":[{secret}],"matchedFieldName":"sid"}}]}}],"#
                ),
            ),
        ),
        (
            "counted by",
            waf(
                r#"{"name":"a","value":"b"}"#,
                &format!(
                    r#""rateBasedRuleList":[{{"rateBasedRuleName":"r","customValues":[{{"key":"COOKIE","name":"sid","value":{secret}}}]}}],"#
                ),
            ),
        ),
        (
            "parameter in a referrer",
            waf(
                &format!(r#"{{"name":"Referer","value":"https://a.example/?x=1&%74oken={SECRET}#top"}}"#),
                "",
            ),
        ),
        (
            "parameter behind an escaped ampersand",
            waf(
                &format!(r#"{{"name":"Referer","value":"/?x=1\u0026token={SECRET}"}}"#),
                "",
            ),
        ),
        (
            "cut short",
            waf(&format!(r#"{{"name":"Cookie","value":"a {SECRET}"#), ""),
        ),
        (
            "control character",
            waf(&format!("{{\"name\":\"Cookie\",\"value\":\"a\u{1}{SECRET}\"}}"), ""),
        ),
    ];
    for (case, record) in &cases {
        assert!(record.contains(SECRET), "{case}");
        for output in every_output(Source::Waf, record.as_bytes(), &names) {
            assert!(!output.contains(SECRET), "{case}: {output}");
        }
    }
}

#[test]
fn the_document_counts_what_was_taken_out_and_keeps_the_rest() {
    let record = waf(
        &format!(r#"{{"name":"Cookie","value":"{SECRET}"}},{{"name":"Accept","value":"*/*"}}"#),
        "",
    );
    let (_, document) = normalize(Source::Waf, Options::default(), record.as_bytes()).expect("a document");
    let document: Value = serde_json::from_str(&document).expect("JSON");
    assert_eq!(document["portcullis"]["redacted"], 1);
    assert_eq!(
        document["aws"]["waf"]["headers"],
        json!({"accept": "*/*", "cookie": redact::MARK})
    );
    assert_eq!(
        document["aws"]["waf"]["header_names"],
        json!(["Host", "Cookie", "Accept"])
    );
    assert_eq!(
        document["url"]["query"],
        format!("page=2&Token={SECRET}"),
        "no parameter was named"
    );
}

#[test]
fn what_stands_beside_a_parameter_stays() {
    for (text, expected) in [
        ("/?x=1&token=S#top", "/?x=1&token=[redacted]#top"),
        ("/?token=S&x=token", "/?token=[redacted]&x=token"),
        ("/?TOKEN=S=&y=2", "/?TOKEN=[redacted]&y=2"),
        ("/?tokens=1&a=token=2;token=S", "/?tokens=1&a=token=2;token=[redacted]"),
        ("/?token=&token", "/?token=&token"),
        ("a sentence with token=S in it", "a sentence with token=S in it"),
    ] {
        let text = text.replace('S', SECRET);
        let record = waf(&format!(r#"{{"name":"Referer","value":"{text}"}}"#), "");
        let options = Options {
            redact: vec!["?token".to_owned()],
            ..Options::default()
        };
        let (_, document) = normalize(Source::Waf, options, record.as_bytes()).expect("a document");
        let document: Value = serde_json::from_str(&document).expect("JSON");
        let referrer = document["http"]["request"]["referrer"].as_str().expect("a referrer");
        assert_eq!(referrer.replace(SECRET, "S"), expected, "{text}");
        assert_eq!(document["url"]["query"], "page=2&Token=[redacted]");
    }
}

#[test]
fn a_record_with_nothing_to_take_out_is_as_without_a_policy() {
    for source in support::JSON_SOURCES {
        for record in sample_records(source) {
            if record.to_ascii_lowercase().windows(8).any(|part| part == b"\"cookie\"") {
                continue;
            }
            let off = Options {
                redact: Vec::new(),
                ..Options::default()
            };
            let with = normalize(source, Options::default(), &record).expect("a sample");
            assert_eq!(with, normalize(source, off, &record).expect("a sample"));
        }
    }
}

#[test]
fn the_id_of_a_record_does_not_depend_on_the_policy() {
    let record = waf(r#"{"name":"Cookie","value":"a"}"#, "");
    let id = |redact: Vec<String>| {
        let options = Options {
            redact,
            ..Options::default()
        };
        let (_, document) = normalize(Source::Waf, options, record.as_bytes()).expect("a document");
        let document: Value = serde_json::from_str(&document).expect("JSON");
        document["event"]["id"].clone()
    };
    assert_eq!(id(Vec::new()), id(redact::default_names()));
}

#[test]
fn what_is_no_name_is_refused_with_the_remedy() {
    for bad in ["", "x y", "cookie:", "na\u{ef}ve", "?", &"x".repeat(64)] {
        let options = Options {
            redact: vec![bad.to_owned()],
            ..Options::default()
        };
        let refusal = Normalizer::new(Source::Waf, options).map(drop).expect_err(bad);
        assert_eq!((refusal.kind.word(), refusal.field.as_str()), ("option", "redact"));
        assert!(refusal.message.contains("write the names"), "{refusal}");
    }
    assert!(
        redact::names(&vec!["name"; 300].join(",")).is_ok(),
        "one name, written often"
    );
    let many: Vec<String> = (0..300).map(|n| format!("x-{n}")).collect();
    assert!(redact::names(&many.join(",")).is_err());
}

/// A text of the record with some of its characters escaped, and some letters in the other case.
fn spelled(text: &str, folds: bool, choices: &[u8]) -> String {
    let mut out = String::new();
    for (character, choice) in text.chars().zip(choices.iter().cycle()) {
        let character = match choice & 1 {
            1 if folds => character.to_ascii_uppercase(),
            _ => character,
        };
        match choice & 6 {
            2 => out.push_str(&format!("\\u{:04x}", character as u32)),
            4 => out.push_str(&format!("\\u{:04X}", character as u32)),
            _ => out.push(character),
        }
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn however_a_name_is_spelled_its_value_is_gone(
        name in prop::sample::select(redact::DEFAULT),
        choices in vec(any::<u8>(), 1..30),
        key_choices in vec(any::<u8>().prop_map(|choice| choice & 6), 1..9),
        spaces in prop::sample::select(vec!["", " ", "\n", "\t\r\n  "]),
        order in any::<[bool; 3]>(),
        decoys in 0_usize..4,
        place in 0_usize..4,
    ) {
        let name = spelled(name, true, &choices);
        let (name_key, value_key) = if order[0] { ("Name", "Value") } else { ("name", "value") };
        let name_member = format!("\"{}\"{spaces}:\"{name}\"", spelled(name_key, false, &key_choices));
        let value_member = format!("\"{}\":{spaces}\"{SECRET}\"", spelled(value_key, false, &key_choices));
        let decoy = format!("\"name\":\"accept\",\"value\":\"x\"{}", if order[2] { "," } else { ",\"a\":1," });
        let decoys = decoy.repeat(decoys);
        let object = match order[1] {
            true => format!("{{{decoys}{name_member}{spaces},{value_member}}}"),
            false => format!("{{{value_member},{spaces}{decoys}{name_member}}}"),
        };
        let record = match place {
            0 => waf(&object, ""),
            1 => waf("{}", &format!("\"requestHeadersInserted\":[{object}],")),
            2 => waf("{}", &format!("\"unknown\":{{\"deep\":[[{object}]]}},")),
            _ => waf("{}", &format!("\"unknown\":{{\"{name}\":{{\"a\":[\"{SECRET}\"]}}}},")),
        };
        let record = record.replace(&format!("&Token={SECRET}"), "");
        for output in every_output(Source::Waf, record.as_bytes(), redact::DEFAULT) {
            prop_assert!(!output.contains(SECRET), "{record}\n{output}");
            prop_assert!(output.contains(redact::MARK), "{record}\n{output}");
        }
    }
}
