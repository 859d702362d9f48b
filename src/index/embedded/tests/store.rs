//! The index as a store: durable at refresh, free of doubles, closed to other versions.

use chrono::{TimeZone, Utc};
use serde_json::{Value, json};

use super::{options, scratch, write};
use crate::index::{
    Error, Index,
    embedded::{Embedded, Options},
};

fn line(id: &str, at: &str) -> String {
    json!({ "@timestamp": at, "event": { "id": id }, "url": { "path": "/" } }).to_string()
}

#[test]
fn a_document_written_twice_is_there_once_before_and_after_a_refresh() {
    let (folder, index) = scratch();
    let lines = [
        line("a", "2026-03-01T00:00:00Z"),
        line("b", "2026-03-01T00:00:00Z"),
        line("a", "2026-03-01T00:00:00Z"),
    ];
    assert_eq!(write(&index, "waf", &lines), 2);
    index.refresh().unwrap();
    assert_eq!(write(&index, "waf", &lines), 0);
    index.refresh().unwrap();
    assert_eq!(index.count("*").unwrap(), 2);
    drop(index);
    let index = Embedded::open(folder.path(), options()).unwrap();
    assert_eq!(write(&index, "waf", &lines), 0);
    assert_eq!(index.count("waf").unwrap(), 2);
}

#[test]
fn what_was_not_refreshed_is_gone_when_the_program_dies_and_can_be_written_again() {
    let (folder, index) = scratch();
    write(&index, "waf", &[line("a", "2026-03-01T00:00:00Z")]);
    index.refresh().unwrap();
    write(&index, "waf", &[line("b", "2026-03-01T00:00:00Z")]);
    drop(index);
    let index = Embedded::open(folder.path(), options()).unwrap();
    assert_eq!(index.count("*").unwrap(), 1);
    assert_eq!(write(&index, "waf", &[line("b", "2026-03-01T00:00:00Z")]), 1);
    index.refresh().unwrap();
    assert_eq!(index.count("*").unwrap(), 2);
}

#[test]
fn the_first_and_the_last_time_are_milliseconds() {
    let (_folder, index) = scratch();
    let at = |at: &str, id: &str| json!({ "@timestamp": at, "event": { "id": id, "start": at } }).to_string();
    write(
        &index,
        "waf",
        &[at("2026-03-01T00:00:00.001Z", "1"), at("2026-03-02T00:00:00.000Z", "2")],
    );
    index.refresh().unwrap();
    for field in ["@timestamp", "event.start"] {
        let of = |kind: &str| json!({ kind: { "field": field } });
        let body = json!({ "size": 0, "aggs": { "first": of("min"), "last": of("max") } });
        let answer = &index.search("waf", &body).unwrap()["aggregations"];
        assert_eq!(answer["first"]["value"].as_f64(), Some(1_772_323_200_001.0), "{field}");
        assert_eq!(answer["last"]["value"].as_f64(), Some(1_772_409_600_000.0), "{field}");
    }
}

#[test]
fn an_index_name_keeps_to_its_documents() {
    let (_folder, index) = scratch();
    write(&index, "waf", &[line("a", "2026-03-01T00:00:00Z")]);
    write(
        &index,
        "vpcflow",
        &[line("b", "2026-03-01T00:00:00Z"), line("c", "2026-03-01T00:00:00Z")],
    );
    index.refresh().unwrap();
    for (name, count) in [
        ("waf", 1),
        ("vpcflow", 2),
        ("*", 3),
        ("waf,vpcflow", 3),
        ("response", 0),
    ] {
        assert_eq!(index.count(name).unwrap(), count, "{name}");
    }
    let hits = index.search("waf", &json!({})).unwrap()["hits"]["hits"].take();
    assert_eq!(hits[0]["_index"], "waf");
    assert_eq!(hits[0]["_id"], "a");
    assert_eq!(hits[0]["_source"]["url"]["path"], "/");
}

#[test]
fn old_documents_are_removed_by_age_and_may_come_back() {
    let (_folder, index) = scratch();
    write(
        &index,
        "waf",
        &[line("old", "2026-01-01T00:00:00Z"), line("new", "2026-03-01T00:00:00Z")],
    );
    index.refresh().unwrap();
    index
        .delete_before(Utc.with_ymd_and_hms(2026, 2, 1, 0, 0, 0).unwrap())
        .unwrap();
    index.refresh().unwrap();
    assert_eq!(index.count("*").unwrap(), 1);
    assert_eq!(write(&index, "waf", &[line("old", "2026-01-01T00:00:00Z")]), 1);
}

#[test]
fn an_index_of_another_version_is_refused_with_a_remedy() {
    let (folder, index) = scratch();
    drop(index);
    std::fs::write(folder.path().join("portcullis.json"), r#"{"layout":99}"#).unwrap();
    let refused = Embedded::open(folder.path(), Options::default())
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("version 99") && refused.contains("load the records again"),
        "{refused}"
    );
}

#[test]
fn a_second_writer_is_told_who_is_in_the_way() {
    let (folder, index) = scratch();
    write(&index, "waf", &[line("a", "2026-03-01T00:00:00Z")]);
    let second = Embedded::open(folder.path(), options()).unwrap();
    let refused = second
        .write("waf", &mut [b"{}" as &[u8]].into_iter())
        .unwrap_err()
        .to_string();
    assert!(refused.contains("another program writes"), "{refused}");
}

#[test]
fn a_line_that_is_no_object_is_refused_and_hostile_ones_are_survived() {
    let (_folder, index) = scratch();
    for bad in [&b"not json"[..], b"[1]", b"", b"\xff\xfe"] {
        assert!(matches!(
            index.write("waf", &mut [bad].into_iter()),
            Err(Error::Query(_))
        ));
    }
    let long = "x".repeat(100_000);
    let many: serde_json::Map<String, Value> = (0..3_000).map(|n| (format!("field{n}"), json!(n))).collect();
    let hostile = [
        json!({ "event": { "id": "long" }, "url": { "path": long }, "message": long }),
        json!({ "event": { "id": "many" }, "more": many }),
        json!({ "event": { "id": "odd" }, "a\u{0}b": 1, "\u{1}": { "": [] }, "": "", "a..b": 1, ".": { ".": 2 } }),
        json!({ "event": { "id": "types" }, "@timestamp": "yesterday", "source": { "ip": "cloudformation.amazonaws.com" }, "destination": { "port": "x" } }),
    ];
    for document in hostile {
        assert_eq!(write(&index, "waf", &[document.to_string()]), 1);
    }
    index.refresh().unwrap();
    assert_eq!(index.count("*").unwrap(), 4);
}

#[test]
fn hits_come_newest_first_and_in_pages() {
    let (_folder, index) = scratch();
    let lines: Vec<_> = (10..40)
        .map(|n| line(&n.to_string(), &format!("2026-03-01T00:00:{n}Z")))
        .collect();
    write(&index, "waf", &lines);
    index.refresh().unwrap();
    let ids = |body: Value| -> Vec<String> {
        let answer = index.search("*", &body).unwrap();
        answer["hits"]["hits"]
            .as_array()
            .unwrap()
            .iter()
            .map(|h| h["_id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids(json!({ "size": 2 })), ["39", "38"]);
    assert_eq!(ids(json!({ "size": 2, "from": 2 })), ["37", "36"]);
    assert_eq!(
        ids(json!({ "size": 2, "sort": [{ "@timestamp": { "order": "asc" } }] })),
        ["10", "11"]
    );
    assert_eq!(ids(json!({ "size": 1, "sort": [{ "event.id": "desc" }] })), ["39"]);
}

#[test]
fn an_event_is_found_by_its_id_in_the_search_box_whole_or_by_its_beginning() {
    let (_folder, index) = scratch();
    let lines = ["0A1e-77", "0a1e-78"].map(|id| line(id, "2026-03-01T00:00:00Z"));
    write(&index, "waf", &lines);
    index.refresh().unwrap();
    for (query, count) in [
        ("\"0A1e-77\"", 1),
        ("0a1e-78", 1),
        ("0A1e-7*", 1),
        ("0a1e-79", 0),
        ("event.id:0a1e-7?", 1),
        ("nothing OR 0a1e-78", 1),
    ] {
        let body = json!({ "query": { "query_string": { "query": query, "default_operator": "AND" } } });
        let answer = index.search("*", &body).unwrap();
        assert_eq!(answer["hits"]["total"]["value"], count, "{query}");
    }
}
