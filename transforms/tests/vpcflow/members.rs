//! Flow logs as JSON objects, lines that do not fit their columns, and what is only written on request.

use portcullis_transforms::{Options, Schema, document::KEYWORD_LIMIT, sources::vpcflow::Mapper};
use serde_json::{Value, json};

use crate::{document, mapper};

const HEADER: &str = "version srcaddr dstaddr srcport dstport protocol bytes start end action flow-direction";

fn ecs(record: &str) -> Value {
    let mut mapper = mapper(Schema::Ecs, None);
    document(&mut mapper, record.as_bytes())
        .expect("accepted")
        .expect("a document")
}

/// A document without the id, which is of the text and not of its meaning.
fn without_id(mut document: Value) -> Value {
    document["event"].as_object_mut().expect("an object").remove("id");
    document
}

#[test]
fn an_object_of_columns_says_what_the_line_says_however_its_names_are_spelt() {
    let line = "2 203.0.113.77 10.0.1.15 40022 22 6 156 1795258200 1795258257 REJECT ingress";
    let expected = without_id(ecs(&format!("{HEADER}\n{line}")));
    for object in [
        json!({"version": 2, "srcaddr": "203.0.113.77", "dstaddr": "10.0.1.15", "srcport": 40022, "dstport": 22,
            "protocol": 6, "bytes": 156, "start": 1_795_258_200, "end": 1_795_258_257, "action": "REJECT",
            "flow-direction": "ingress"}),
        json!({"flow_direction": "ingress", "action": "REJECT", "end": "1795258257", "start": "2026-11-21 10:50:00.000",
            "bytes": "156", "protocol": "6", "dstport": "22", "srcport": "40022", "dstaddr": "10.0.1.15",
            "srcaddr": "203.0.113.77", "version": "2", "vpc_id": null, "az-id": "-", "region": ""}),
        json!({"srcAddr": "203.0.113.77", "dstAddr": "10.0.1.15", "srcPort": 40022.0, "dstPort": 22.0, "protocol": 6.0,
            "bytes": 156.0, "startTime": 1_795_258_200_000_i64, "endTime": "2026-11-21T10:50:57Z", "action": "REJECT",
            "flowDirection": "ingress", "version": 2}),
    ] {
        for text in [
            object.to_string(),
            serde_json::to_string_pretty(&object).expect("JSON") + "\r\n",
        ] {
            assert_eq!(without_id(ecs(&text)), expected, "{text}");
        }
    }
}

#[test]
fn members_that_are_no_columns_go_to_the_rest_and_nothing_is_lost() {
    let document = ecs(
        r#"{"srcaddr":"10.0.0.1","srcAddr":"10.0.0.2","end":1795258257,"a \"b\"":{"c":[1,null]},"on":true,"text":"two words","srcaddr":"10.0.0.3"}"#,
    );
    assert_eq!(document["source"]["ip"], "10.0.0.3");
    assert_eq!(
        document["aws"]["vpcflow"]["rest"],
        json!({"srcAddr": "10.0.0.2", "a \"b\"": "{\"c\":[1,null]}", "on": "true", "text": "two words"})
    );
    assert_eq!(document["portcullis"]["unplaced"], 4);
}

#[test]
fn native_keeps_an_object_as_it_came_but_for_its_times() {
    let mut mapper = mapper(Schema::Native, None);
    let mut out = Vec::new();
    let record = r#"{"srcaddr":"10.0.0.1","start_time":null,"bytes":123456789012345678901234567890,"srcport":"22",
        "end":1795258257,"packets":1e999,"note":{"a" : "x\ny"}}"#;
    assert!(mapper.record(record.as_bytes(), &mut out).is_ok());
    assert_eq!(
        String::from_utf8_lossy(&out),
        "{\"srcaddr\":\"10.0.0.1\",\"start_time\":null,\"bytes\":123456789012345678901234567890,\"srcport\":\"22\",\
         \"end\":\"2026-11-21T10:50:57.000Z\",\"packets\":\"1e999\",\"note\":{\"a\" : \"x\\ny\"}}\n"
    );
}

#[test]
fn native_holds_no_key_twice_however_deep() {
    let mut mapper = mapper(Schema::Native, None);
    let mut out = Vec::new();
    let record = r#"{"srcaddr":"10.0.0.1","end":1795258257,"note":{"a" : "x", "b": [{"c":1,"c":2}], "a" : "z"}}"#;
    assert!(mapper.record(record.as_bytes(), &mut out).is_ok());
    assert_eq!(
        String::from_utf8_lossy(&out),
        "{\"srcaddr\":\"10.0.0.1\",\"end\":\"2026-11-21T10:50:57.000Z\",\"note\":{\"a\":\"z\",\"b\":[{\"c\":2}]}}\n"
    );
}

#[test]
fn a_value_that_its_column_cannot_hold_goes_to_the_rest_where_the_columns_are_named() {
    let line = "5 <script> 10.0.1.15 65536 ssh 6 -1 1795258200 1795258257 REJECT ingress more";
    let document = ecs(&format!("{HEADER}\n{line}"));
    assert_eq!(
        document["aws"]["vpcflow"]["rest"],
        json!({"srcaddr": "<script>", "srcport": "65536", "dstport": "ssh", "bytes": "-1", "Column-12": "more"})
    );
    assert_eq!(document["portcullis"]["unplaced"], 5);
    assert_eq!(document["related"]["ip"], json!(["10.0.1.15"]));
    assert!(document.get("source").is_none(), "{document}");
}

#[test]
fn what_is_too_long_is_cut_and_counted_and_native_keeps_it() {
    let long = "ü".repeat(6_000);
    let records = [
        format!("end interface-id srcaddr tomorrow\n1795258257 {long} {long} {long} {long}"),
        json!({"end": 1_795_258_257, "interface-id": long, "srcaddr": long, "tomorrow": long, "Column-5": long})
            .to_string(),
    ];
    for record in records {
        let document = ecs(&record);
        let own = &document["aws"]["vpcflow"];
        for value in [
            &own["interface_id"],
            &own["rest"]["srcaddr"],
            &own["rest"]["tomorrow"],
            &own["rest"]["Column-5"],
        ] {
            let text = value.as_str().expect("text");
            assert!(text.len() <= KEYWORD_LIMIT && text.ends_with('…'), "{}", text.len());
        }
        assert_eq!(document["portcullis"]["cut"], 4);
        let mut mapper = mapper(Schema::Native, None);
        let document = crate::document(&mut mapper, record.as_bytes())
            .expect("accepted")
            .expect("a document");
        for key in ["interface-id", "srcaddr", "tomorrow", "Column-5"] {
            assert_eq!(document[key], long, "{key}");
        }
    }
    let name = "n".repeat(5_000);
    let document = ecs(&json!({"end": 1_795_258_257, "srcaddr": "10.0.0.1", (name.as_str()): "x"}).to_string());
    assert_eq!(
        (&document["portcullis"]["cut"], &document["portcullis"]["unplaced"]),
        (&json!(1), &json!(1))
    );
}

#[test]
fn of_two_documented_formats_with_the_same_number_of_columns_the_one_that_fits_is_taken() {
    let line = "3 vpc-1 subnet-1 i-1 eni-1 111122223333 IPv4 198.51.100.24 10.0.1.15 43416 5001 198.51.100.24 10.0.1.15 6 568 8 \
                1795258200 1795258257 ACCEPT 2 OK";
    let document = ecs(line);
    assert_eq!(document["source"]["ip"], "198.51.100.24");
    assert_eq!(
        (&document["source"]["bytes"], &document["source"]["packets"]),
        (&json!(568), &json!(8))
    );
    assert_eq!(document["aws"]["vpcflow"]["tcp_flags"], json!(["SYN"]));
    let line = "3 111122223333 eni-1 198.51.100.24 10.0.1.15 43416 5001 6 8 568 1795258200 1795258257 ACCEPT OK vpc-1 subnet-1 \
                i-1 2 IPv4 198.51.100.24 10.0.1.15";
    assert_eq!(ecs(line)["source"]["bytes"], 568);
}

#[test]
fn the_community_id_is_written_on_request_for_flows_that_have_one() {
    let options = Options {
        community_id: true,
        ..Options::default()
    };
    let mut mapper = Mapper::new(&options).expect("options");
    let flow = "2 111122223333 eni-1 128.232.110.120 66.35.250.204 34855 80 6 12 1874 1795258200 1795258257 ACCEPT OK";
    let id = "1:LQU9qZlK+B5F3KDmev6m5PMibrg=";
    for (record, expected) in [
        (flow.to_owned(), json!(id)),
        (
            flow.replace(
                "128.232.110.120 66.35.250.204 34855 80",
                "66.35.250.204 128.232.110.120 80 34855",
            ),
            json!(id),
        ),
        (flow.replace(" 34855 80 6 ", " 0 0 1 "), Value::Null),
        (flow.replace(" 34855 ", " - "), Value::Null),
        (flow.replace("66.35.250.204", "2001:db8::1"), Value::Null),
        (
            "2 111122223333 eni-1 - - - - - - - 1795258200 1795258257 - NODATA".to_owned(),
            Value::Null,
        ),
    ] {
        let document = document(&mut mapper, record.as_bytes())
            .expect("accepted")
            .expect("a document");
        assert_eq!(document["network"]["community_id"], expected, "{record}");
    }
    assert_eq!(ecs(flow)["network"]["community_id"], Value::Null);
}
