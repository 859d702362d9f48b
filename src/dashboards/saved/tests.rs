//! The files hold, a mistake in them is told, and they are the ones that are committed.

use std::path::Path;

use serde_json::{Value, json};

use super::{files, problems};
use crate::dashboards::{definition::parse, pages};

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboards/saved_objects")
}

#[test]
fn every_file_is_what_dashboards_takes() {
    for (name, text) in files(pages()) {
        let found: Vec<String> = problems(&name, &text).iter().map(ToString::to_string).collect();
        assert!(found.is_empty(), "{found:#?}");
    }
}

#[test]
fn the_committed_files_are_the_ones_that_the_panels_give() {
    let remedy = "`portcullis dashboards build` writes them";
    let mut names = Vec::new();
    for (name, text) in files(pages()) {
        let committed = std::fs::read_to_string(folder().join(&name)).unwrap_or_default();
        assert!(committed == text, "dashboards/saved_objects/{name} is stale; {remedy}");
        names.push(name);
    }
    for entry in std::fs::read_dir(folder()).expect("the folder") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        assert!(
            names.contains(&name),
            "no page gives dashboards/saved_objects/{name}; remove it"
        );
    }
}

#[test]
fn every_panel_is_on_its_dashboard() {
    for page in pages() {
        let (_, text) = files(pages())
            .into_iter()
            .find(|(name, _)| *name == format!("{}.ndjson", page.id))
            .expect("a file");
        for panel in &page.panels {
            let id = format!("\"id\":\"portcullis-{}-{}\"", page.id, panel.id);
            assert_eq!(text.matches(&id).count(), 2, "the object and the reference: {id}");
        }
    }
}

/// The WAF file with one object changed.
fn with(kind: &str, change: impl Fn(&mut Value)) -> String {
    let (_, text) = files(pages())
        .into_iter()
        .find(|(name, _)| name == "waf.ndjson")
        .expect("WAF's");
    let mut done = false;
    text.lines()
        .map(|line| {
            let mut object: Value = serde_json::from_str(line).expect("JSON");
            if !done && object["type"] == kind && object["id"] != "portcullis-waf-menu" {
                change(&mut object);
                done = true;
            }
            format!("{object}\n")
        })
        .collect()
}

/// Changes JSON that stands in text.
fn inside(text: &mut Value, change: impl Fn(&mut Value)) {
    let mut inner: Value = serde_json::from_str(text.as_str().expect("text")).expect("JSON");
    change(&mut inner);
    *text = Value::String(inner.to_string());
}

#[test]
fn every_mistake_is_told() {
    let state = |change: fn(&mut Value)| {
        move |object: &mut Value| {
            if object["id"] == "portcullis-waf-controls" {
                return;
            }
            inside(&mut object["attributes"]["visState"], change);
        }
    };
    let tile = |change: fn(&mut Value)| {
        let (_, text) = files(pages())
            .into_iter()
            .find(|(name, _)| name == "waf.ndjson")
            .expect("WAF's");
        text.lines()
            .map(|line| {
                let mut object: Value = serde_json::from_str(line).expect("JSON");
                if object["id"] == "portcullis-waf-clients" {
                    state(change)(&mut object);
                }
                format!("{object}\n")
            })
            .collect::<String>()
    };
    let cases: Vec<(String, &str)> = vec![
        (
            with("visualization", |o| {
                o["migrationVersion"] = json!({ "visualization": "7.11.0" });
            }),
            "migrationVersion",
        ),
        (
            with("visualization", |o| o["attributes"]["colour"] = json!("red")),
            "`colour` is refused",
        ),
        (
            with("visualization", |o| o["attributes"]["visState"] = json!({})),
            "JSON in text",
        ),
        (
            with("visualization", |o| o["attributes"]["title"] = json!("")),
            "no title",
        ),
        (
            with("visualization", |o| o["references"] = json!([])),
            "names no reference",
        ),
        (
            with("index-pattern", |o| {
                o["references"] = json!([{ "name": "x", "type": "search", "id": "y" }]);
            }),
            "have to be []",
        ),
        (with("index-pattern", |o| o["id"] = json!("other")), "not in this file"),
        (with("search", |o| o["attributes"]["sort"] = json!([])), "sorts as"),
        (
            with("search", |o| o["attributes"]["columns"] = json!(["no.such"])),
            "`no.such` is in no mapping",
        ),
        (
            tile(|s| s["aggs"][0]["params"]["field"] = json!("event.original")),
            "cannot be aggregated",
        ),
        (
            tile(|s| s["aggs"][0]["params"]["field"] = json!("no.such")),
            "is in no mapping",
        ),
        (
            tile(|s| s["aggs"][0]["schema"] = json!("segment")),
            "takes no aggregation as `segment`",
        ),
        (tile(|s| s["aggs"] = json!([])), "takes 1 to"),
        (tile(|s| s["aggs"][0]["id"] = json!("10")), "single character"),
        (tile(|s| s["aggs"][0]["type"] = json!("sum")), "sum takes a number"),
        (tile(|s| s["type"] = json!("pie")), "not known here"),
        (
            with("dashboard", |o| {
                inside(&mut o["attributes"]["panelsJSON"], |p| p[1]["gridData"]["y"] = json!(0));
            }),
            "lies on another",
        ),
        (
            with("dashboard", |o| {
                inside(&mut o["attributes"]["panelsJSON"], |p| p[1]["panelIndex"] = json!("99"));
            }),
            "same as gridData.i",
        ),
        (
            with("dashboard", |o| {
                inside(&mut o["attributes"]["panelsJSON"], |p| {
                    p[1]["panelRefName"] = json!("panel_99");
                });
            }),
            "names no reference",
        ),
        (
            with("dashboard", |o| o["references"][0]["id"] = json!("gone")),
            "not in this file",
        ),
        ("{}\n".to_owned(), "is no saved object"),
    ];
    for (text, said) in cases {
        let found: Vec<String> = problems("waf.ndjson", &text).iter().map(ToString::to_string).collect();
        assert!(found.iter().any(|problem| problem.contains(said)), "{said}: {found:?}");
    }
    let (_, whole) = files(pages())
        .into_iter()
        .find(|(name, _)| name == "waf.ndjson")
        .expect("WAF's");
    let twice = format!("{whole}{}", whole.lines().next().expect("a line"));
    assert!(problems("waf.ndjson", &twice)[0].message.contains("twice"));
}

#[test]
fn a_broken_panel_file_is_told_with_panel_key_and_remedy() {
    let text = r#"
id = "mine"
title = "Mine"
question = "What?"
index = "waf"
[[panel]]
id = "a"
kind = "tiles"
title = "A"
question = "A?"
"#;
    let said = parse("mine.toml", text).expect_err("no such kind").to_string();
    for part in ["mine.toml", "panel `a`", "key `kind`", "did you mean `tile`"] {
        assert!(said.contains(part), "{said}");
    }
}
