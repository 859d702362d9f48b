//! What is refused, by name and with a remedy, instead of being answered wrongly.

use serde_json::{Value, json};

use super::{scratch, write};
use crate::index::{Error, Index};

fn refusal(body: &Value) -> String {
    let (_folder, index) = scratch();
    write(
        &index,
        "waf",
        &[r#"{"@timestamp":"2026-03-01T00:00:00Z","url":{"path":"/"}}"#.to_owned()],
    );
    index.refresh().unwrap();
    match index.search("*", body) {
        Ok(answer) => panic!("{body} was answered: {answer}"),
        Err(Error::Engine(text)) => panic!("{body} reached the engine: {text}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn what_the_engine_would_answer_wrongly_is_refused_by_name() {
    for (body, names) in [
        (json!({ "query": { "match": { "message": "x" } } }), "`match`"),
        (json!({ "query": { "regexp": { "url.path": ".*" } } }), "`regexp`"),
        (
            json!({ "query": { "wildcard": { "source.ip": "10.*" } } }),
            "source.ip:10.0.0.0/8",
        ),
        (
            json!({ "query": { "range": { "@timestamp": { "gte": "now-1h" } } } }),
            "takes a time",
        ),
        (
            json!({ "query": { "range": { "@timestamp": { "gte": "2026-03-01", "time_zone": "+01:00" } } } }),
            "`time_zone`",
        ),
        (
            json!({ "query": { "term": { "source.ip": "AWS Internal" } } }),
            "takes an address",
        ),
        (
            json!({ "query": { "term": { "destination.port": "http" } } }),
            "takes a number",
        ),
        (json!({ "query": { "bool": { "musst": [] } } }), "`musst`"),
        (
            json!({ "aggs": { "x": { "filters": { "filters": {} } } } }),
            "`filters`",
        ),
        (
            json!({ "aggs": { "x": { "ip_range": { "field": "source.ip" } } } }),
            "`ip_range`",
        ),
        (
            json!({ "aggs": { "x": { "date_range": { "field": "@timestamp" } } } }),
            "`date_range`",
        ),
        (
            json!({ "aggs": { "x": { "date_histogram": { "field": "@timestamp", "calendar_interval": "month" } } } }),
            "`calendar_interval`",
        ),
        (
            json!({ "aggs": { "x": { "date_histogram": { "field": "@timestamp", "fixed_interval": "1h", "time_zone": "CET" } } } }),
            "`time_zone`",
        ),
        (
            json!({ "aggs": { "x": { "terms": { "field": "tags", "missing": "none" } } } }),
            "`missing`",
        ),
        (
            json!({ "aggs": { "x": { "terms": { "field": "message" } } } }),
            "cannot be aggregated",
        ),
        (
            json!({ "aggs": { "x": { "terms": { "field": "aws.waf.headers.host" } } } }),
            "flat object",
        ),
        (
            json!({ "aggs": { "x": { "sum": { "field": "url.path" } } } }),
            "is not a number",
        ),
        (
            json!({ "aggs": { "x": { "terms": { "field": "tags", "size": 10_001 } } } }),
            "size is 1 to 10000",
        ),
        (json!({ "size": 1001 }), "`size` is 0 to 1000"),
        (json!({ "from": 9_999, "size": 2 }), "at most 10000"),
        (json!({ "sort": [{ "message": "asc" }] }), "cannot be sorted"),
        (
            json!({ "sort": [{ "@timestamp": "asc" }, { "url.path": "asc" }] }),
            "several fields",
        ),
        (json!({ "knn": {} }), "`knn`"),
    ] {
        let refusal = refusal(&body);
        assert!(refusal.contains(names), "{body}: {refusal}");
    }
}

#[test]
fn a_malformed_search_text_is_refused_with_its_position_and_a_remedy() {
    for (typed, says) in [
        ("tags:\"tor", "character 6: a quote is not closed; add `\"`"),
        ("(tags:tor", "character 10: a `(` is not closed; add `)`"),
        ("tags:tor)", "character 9: a `)` without its `(`"),
        ("tags:", "character 6: a value is missing"),
        ("tags:a OR", "character 10: a value is missing"),
        ("AND tags:a", "joins nothing"),
        ("event.severity:[1 5]", "character 19: a range without TO"),
        ("event.severity:[1 TO 5", "a range is not closed"),
        ("tags:a\\", "a backslash at the end"),
        ("aws.*:x", "a pattern stands for the name of a field"),
        ("tags:a OR *.ip:10*", "character 11: a pattern stands"),
    ] {
        let refusal = refusal(&json!({ "query": { "query_string": { "query": typed } } }));
        assert!(refusal.contains(says), "{typed}: {refusal}");
    }
}

#[test]
fn a_search_text_is_bounded_in_length_depth_and_conditions() {
    let deep = format!("{}a{}", "(".repeat(500), ")".repeat(500));
    for typed in ["a ".repeat(5_000), deep, "a ".repeat(1_500), "NOT ".repeat(900)] {
        let text = refusal(&json!({ "query": { "query_string": { "query": typed } } }));
        assert!(text.starts_with("search"), "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn no_search_text_makes_the_parser_panic(text in "[a-z:\"()\\[\\]{}*?\\\\ANDORT0-9./ü<>=!+-]{0,60}") {
        for all in [true, false] {
            if let Err(error) = crate::index::embedded::query_string::parse(&text, all) {
                proptest::prop_assert!(error.to_string().starts_with("search"));
            }
        }
    }
}
