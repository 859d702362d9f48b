//! Input that no flow log should be: each is refused with its reason, and nothing ever panics.

use portcullis_transforms::{Options, RefusalKind, Schema, sources::vpcflow::Mapper};
use proptest::prelude::*;

use crate::{document, mapper};

const GOOD: &str = "2 111122223333 eni-1 198.51.100.24 10.0.1.15 51514 22 6 12 1874 1795258200 1795258257 ACCEPT OK";

#[test]
fn each_kind_of_bad_record_is_refused_with_its_reason_and_field() {
    use RefusalKind::{Depth, Encoding, Form, Size, Syntax, Time, WrongSource};
    let with = |from: &str, to: &str| GOOD.replace(from, to).into_bytes();
    let cases: Vec<(&str, Vec<u8>, RefusalKind, &str)> = vec![
        ("invalid UTF-8", b"\xff\xfe2 111122223333".to_vec(), Encoding, ""),
        (
            "invalid UTF-8 in a value",
            [GOOD.as_bytes(), b"\xc3"].concat(),
            Encoding,
            "",
        ),
        (
            "invalid UTF-8 in JSON",
            b"{\"message\":1,\"a\":\"\xff\"}".to_vec(),
            Encoding,
            "",
        ),
        ("gzip", b"\x1f\x8b\x08\x00\x00".to_vec(), Form, ""),
        ("NUL bytes", vec![0; 100], Syntax, ""),
        ("one word", b"hello".to_vec(), Syntax, ""),
        ("one value too few", with(" OK", ""), Syntax, ""),
        ("one value too many", format!("{GOOD} x").into_bytes(), Syntax, ""),
        ("more columns than any format", "2 ".repeat(200).into_bytes(), Size, ""),
        ("a line of 10 MB", "2 ".repeat(5_000_000).into_bytes(), Size, ""),
        (
            "an account where an address belongs",
            with("198.51.100.24", "111122223333"),
            Syntax,
            "srcaddr",
        ),
        (
            "an address with markup",
            with("10.0.1.15", "<script>"),
            Syntax,
            "dstaddr",
        ),
        ("a port above 65535", with("51514", "65536"), Syntax, "srcport"),
        ("a negative count", with(" 12 ", " -12 "), Syntax, "packets"),
        (
            "a count beyond a long",
            with("1874", "9223372036854775808"),
            Syntax,
            "bytes",
        ),
        ("a protocol above 255", with(" 6 ", " 256 "), Syntax, "protocol"),
        ("a negative time", with("1795258257", "-1795258257"), Time, "end"),
        ("a time after 2100", with("1795258200", "9795258200"), Time, "start"),
        ("NaN", with("1795258200", "NaN"), Time, "start"),
        ("no time at all", with("1795258200 1795258257", "- -"), Time, "end"),
        (
            "columns in another order",
            with("ACCEPT OK", "OK ACCEPT"),
            Syntax,
            "action",
        ),
        ("two lines", format!("{GOOD}\n{GOOD}").into_bytes(), Form, ""),
        (
            "a column twice in a header",
            b"srcaddr dstaddr srcaddr".to_vec(),
            Syntax,
            "srcaddr",
        ),
        ("an array", b"[1,2]".to_vec(), Form, ""),
        ("broken JSON", b"{\"message\":".to_vec(), Syntax, ""),
        (
            "JSON 10,000 deep",
            [b"{\"a\":".repeat(10_000), b"1".to_vec(), b"}".repeat(10_000)].concat(),
            WrongSource,
            "message",
        ),
        ("a lone surrogate", br#"{"message":"\ud800"}"#.to_vec(), Syntax, ""),
        (
            "a message that is a number",
            br#"{"message":2}"#.to_vec(),
            Form,
            "message",
        ),
        (
            "two messages",
            br#"{"message":"a","message":"b"}"#.to_vec(),
            Form,
            "message",
        ),
        (
            "a WAF log",
            br#"{"timestamp":1,"webaclId":"arn"}"#.to_vec(),
            WrongSource,
            "",
        ),
        (
            "an EventBridge event",
            br#"{"version":"0","detail-type":"x","detail":{}}"#.to_vec(),
            WrongSource,
            "",
        ),
        (
            "a Security Hub finding",
            br#"{"ProductArn":"arn"}"#.to_vec(),
            WrongSource,
            "",
        ),
        (
            "columns as JSON without a time",
            br#"{"srcaddr":"10.0.0.1"}"#.to_vec(),
            Time,
            "end",
        ),
        (
            "columns as JSON with a time that is none",
            br#"{"srcaddr":"10.0.0.1","start":1795258200,"end":{"at":1795258257}}"#.to_vec(),
            Time,
            "end",
        ),
        (
            "columns as JSON, nested 10,000 deep",
            [
                b"{\"srcaddr\":\"10.0.0.1\",\"end\":1795258257,\"deep\":".to_vec(),
                b"[".repeat(10_000),
                b"]".repeat(10_000),
                b"}".to_vec(),
            ]
            .concat(),
            Depth,
            "",
        ),
        (
            "an object of more members than any flow log",
            format!(
                "{{\"srcaddr\":1{}}}",
                (0..200).map(|n| format!(",\"k{n}\":{n}")).collect::<String>()
            )
            .into_bytes(),
            Size,
            "",
        ),
        (
            "a log status that AWS does not write",
            with(" OK", " FINE"),
            Syntax,
            "log-status",
        ),
    ];
    let mut mapper = mapper(Schema::Ecs, None);
    for (what, record, kind, field) in cases {
        let refusal = document(&mut mapper, &record).expect_err(what);
        assert_eq!(
            (refusal.kind, refusal.field.as_str()),
            (kind, field),
            "{what}: {refusal}"
        );
        assert!(refusal.message.len() < 500, "{what}: {refusal}");
        assert!(refusal.message.chars().all(|c| !c.is_control()), "{what}: {refusal:?}");
        assert!(document(&mut mapper, GOOD.as_bytes()).is_ok(), "after {what}");
    }
}

#[test]
fn nothing_to_index_is_dropped() {
    let mut mapper = mapper(Schema::Ecs, None);
    for record in [
        "",
        "\n",
        " \r\n\t",
        "{\"message\":\"\"}",
        "{\"message\":\" \\n\"}",
        "srcaddr dstaddr end",
        "\u{feff}",
    ] {
        assert_eq!(document(&mut mapper, record.as_bytes()), Ok(None), "{record:?}");
    }
}

#[test]
fn a_header_holds_until_the_next_one_or_the_next_input() {
    let mut mapper = mapper(Schema::Native, Some("end bytes"));
    let line = b"1795258257 12";
    let key = |document: Option<serde_json::Value>| {
        let members = document.expect("a document");
        members.as_object().expect("an object").keys().next_back().cloned()
    };
    assert_eq!(
        key(document(&mut mapper, line).expect("configured")).as_deref(),
        Some("bytes")
    );
    assert_eq!(document(&mut mapper, b"end packets"), Ok(None));
    assert_eq!(
        key(document(&mut mapper, line).expect("header")).as_deref(),
        Some("packets")
    );
    assert_eq!(
        key(document(&mut mapper, b"end srcport\n1795258257 12").expect("both")).as_deref(),
        Some("srcport")
    );
    mapper.begin();
    assert_eq!(
        key(document(&mut mapper, line).expect("configured again")).as_deref(),
        Some("bytes")
    );
}

#[test]
fn a_value_without_a_name_never_gets_the_name_of_a_column() {
    for schema in [Schema::Ecs, Schema::Native] {
        let mut mapper = mapper(schema, Some("end column-3 column-4"));
        let mut out = Vec::new();
        assert!(mapper.record(b"1795258257 a b c", &mut out).is_ok());
        let text = String::from_utf8(out).expect("UTF-8");
        assert_eq!(text.matches("\"column-4\":\"b\"").count(), 1, "{text}");
        assert_eq!(text.matches("\"Column-4\":\"c\"").count(), 1, "{text}");
    }
}

#[test]
fn a_format_that_cannot_be_meant_is_refused_and_the_right_name_offered() {
    for (format, words) in [
        ("", "names no column"),
        ("   ", "names no column"),
        ("${version} ${srcadr}", "did you mean `srcaddr`"),
        ("${version} ${acount-id}", "did you mean `account-id`"),
        ("${vesrion}", "did you mean `version`"),
        ("${tpye}", "did you mean `type`"),
        ("${protocoll}", "did you mean `protocol`"),
        ("${version} version", "twice"),
        ("account_id account-id", "twice"),
        ("${version", "no name"),
        ("VERSION", "no name"),
        ("a\"b", "no name"),
        ("<script>", "no name"),
    ] {
        let options = Options {
            flow_format: Some(format.to_owned()),
            ..Options::default()
        };
        let refusal = Mapper::new(&options).expect_err(format);
        assert!(refusal.message.contains(words), "{format}: {refusal}");
    }
    let many: Vec<String> = (0..129).map(|n| format!("column-{n}")).collect();
    let options = Options {
        flow_format: Some(many.join(" ")),
        ..Options::default()
    };
    assert_eq!(Mapper::new(&options).expect_err("too many").kind, RefusalKind::Size);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn no_bytes_make_it_panic_or_write_what_is_not_one_line_of_json(record in proptest::collection::vec(any::<u8>(), 0..300)) {
        for schema in [Schema::Ecs, Schema::Native] {
            drop(document(&mut mapper(schema, None), &record));
            drop(document(&mut mapper(schema, Some("end a b c d")), &record));
        }
    }

    #[test]
    fn a_good_line_with_some_bytes_changed_is_refused_or_still_valid_json(
        changes in proptest::collection::vec((0..GOOD.len(), any::<u8>()), 1..6)
    ) {
        let mut record = GOOD.as_bytes().to_vec();
        for (at, byte) in changes {
            record[at] = byte;
        }
        for schema in [Schema::Ecs, Schema::Native] {
            drop(document(&mut mapper(schema, None), &record));
        }
    }

    #[test]
    fn any_text_survives_the_journey_to_the_rest(text in "[^ \r\n\t\u{b}\u{c}-][^ \r\n]{0,60}") {
        let record = format!("1795258257 {text}");
        let got = document(&mut mapper(Schema::Ecs, Some("end tomorrow")), record.as_bytes());
        let got = got.expect("accepted").expect("a document");
        prop_assert_eq!(got["aws"]["vpcflow"]["rest"]["tomorrow"].as_str(), Some(text.trim_ascii_end()));
    }
}
