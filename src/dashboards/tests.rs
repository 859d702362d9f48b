//! Every page against an index with documents of all sources, and numbers against an independent count.
#![allow(clippy::unwrap_used)]

use chrono::{DateTime, TimeDelta, Utc};
use rand::{RngExt, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::{
    definition::{Kind, parse},
    pages::FILES,
    *,
};
use crate::index::embedded::{Embedded, Options};

const SOURCES: [&str; 6] = ["guardduty", "securityhub", "waf", "vpcflow", "cloudtrail", "response"];

fn end() -> DateTime<Utc> {
    "2026-03-02T00:00:00Z".parse().unwrap()
}

fn day() -> Scope {
    Scope::between(end() - TimeDelta::days(1), end())
}

fn pick<'v>(random: &mut ChaCha8Rng, values: &[&'v str]) -> &'v str {
    values.choose(random).unwrap()
}

/// A document that has every field which the panels name, spread over the last two days.
fn document(random: &mut ChaCha8Rng, source: &str, number: usize) -> Value {
    let at = end() - TimeDelta::milliseconds(random.random_range(0..172_800_000));
    let mut document = json!({
        "@timestamp": scope::time(at),
        "event": { "id": format!("{source}-{number}"), "dataset": format!("aws.{source}") },
        "source": { "ip": format!("45.{}.0.{}", random.random_range(0..3), random.random_range(0..30)) },
        "destination": { "ip": "10.0.0.5", "port": random.random_range(20..30) },
        "cloud": { "account": { "id": pick(random, &["111122223333", "444455556666"]) }, "region": "eu-central-1" },
        "rule": { "name": pick(random, &["SQLi", "XSS", "Rate"]) },
        "message": "Unusual probe",
    });
    document["related"] = json!({ "ip": [document["source"]["ip"], "10.0.0.5"] });
    document["source"]["geo"] = json!({ "country_name": pick(random, &["Freedonia", "Sylvania"]), "country_iso_code": pick(random, &["FR", "SY"]) });
    let action = match source {
        "waf" => pick(random, &["allow", "allow", "block", "count"]),
        "vpcflow" => pick(random, &["accept", "accept", "reject"]),
        "cloudtrail" => pick(random, &["ConsoleLogin", "AssumeRole", "ListBuckets", "CreateUser"]),
        "response" => pick(random, &["decided", "applied", "evicted", "alerted"]),
        _ => "finding",
    };
    document["event"]["action"] = action.into();
    let own = match source {
        "guardduty" => json!({ "aws.guardduty": {
            "finding_id": format!("f{}", random.random_range(0..120)), "type": pick(random, &["Recon:EC2/PortProbe", "UnauthorizedAccess:EC2/SSHBruteForce"]),
            "severity_label": pick(random, &["Low", "Medium", "High", "Critical"]), "archived": random.random_bool(0.1), "resource_type": "Instance",
            "threat_purpose": "Recon", "family": "EC2", "direction": "INBOUND", "action_type": "PORT_PROBE", "count": 3 } }),
        "securityhub" => json!({ "aws.securityhub": {
            "finding_id": format!("h{}", random.random_range(0..80)), "severity_label": pick(random, &["CRITICAL", "HIGH", "LOW"]), "product": "Config",
            "standard": pick(random, &["cis/v/3.0.0", "foundational/v/1.0.0"]), "control_id": pick(random, &["EC2.1", "S3.2"]), "compliance_status": pick(random, &["PASSED", "FAILED"]), "types": ["a", "b"],
            "resource_id": format!("r{}", random.random_range(0..9)), "workflow_status": "NEW", "record_state": "ACTIVE" } }),
        "waf" => {
            json!({ "url": { "path": pick(random, &["/", "/login"]), "domain": "shop.example" }, "http.request.method": pick(random, &["GET", "POST"]), "aws.waf": { "labels": ["x:y", "x:z"] } })
        }
        "vpcflow" => {
            json!({ "network": { "bytes": random.random_range(40..9_000), "transport": "tcp", "direction": pick(random, &["inbound", "outbound"]) }, "aws.vpcflow": { "interface_id": "eni-1", "log_status": "OK", "tcp_flags": ["SYN"] } })
        }
        "cloudtrail" => {
            document["event"]["outcome"] = pick(random, &["success", "success", "failure"]).into();
            document["event"]["type"] =
                json!([pick(random, &["access", "creation"]), pick(random, &["info", "denied"])]);
            document["event"]["provider"] = pick(random, &["iam.amazonaws.com", "s3.amazonaws.com"]).into();
            json!({ "user": { "name": pick(random, &["alice", "ci-deploy"]) }, "aws.cloudtrail": {
                "user_identity": { "arn": format!("arn:{}", random.random_range(0..40)), "type": "IAMUser", "access_key_id": "AKIA" },
                "management_event": true, "bucket": "exports", "bytes_out": random.random_range(0..9_000), "mfa_used": random.random_bool(0.5) } })
        }
        _ => {
            json!({ "portcullis.response": { "decision": pick(random, &["block", "alert"]), "reason": pick(random, &["block", "sample"]), "nacl": "acl-1", "seconds_to_block": f64::from(random.random_range(1..90)) / 10.0, "finding_type": "Recon:EC2/PortProbe" } })
        }
    };
    for (key, value) in own.as_object().unwrap() {
        document[key] = value.clone();
    }
    document
}

fn loaded(each: usize) -> (tempfile::TempDir, Embedded, Vec<(&'static str, Value)>) {
    let folder = tempfile::tempdir().unwrap();
    let index = Embedded::open(
        folder.path(),
        Options {
            memory: 32 << 20,
            ..Options::default()
        },
    )
    .unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut all = Vec::new();
    for source in SOURCES {
        let documents: Vec<Value> = (0..each).map(|n| document(&mut random, source, n)).collect();
        let lines: Vec<String> = documents.iter().map(Value::to_string).collect();
        index.write(source, &mut lines.iter().map(String::as_bytes)).unwrap();
        all.extend(documents.into_iter().map(|d| (source, d)));
    }
    index.refresh().unwrap();
    (folder, index, all)
}

fn page(id: &str) -> &'static Dashboard {
    pages().iter().find(|page| page.id == id).unwrap()
}

fn shown(page_id: &str, panel: &str, index: &Embedded, scope: &Scope) -> PanelData {
    run(page(page_id), index, scope)
        .into_iter()
        .find(|view| view.id == panel)
        .unwrap()
        .data
}

/// The documents of a source in the last day, or the day before, that have the values.
fn counted<'d>(
    all: &'d [(&str, Value)],
    source: &str,
    days_ago: i64,
    holds: impl Fn(&Value) -> bool,
) -> Vec<&'d Value> {
    let (from, to) = (end() - TimeDelta::days(days_ago + 1), end() - TimeDelta::days(days_ago));
    let inside = |d: &Value| {
        let at: DateTime<Utc> = d["@timestamp"].as_str().unwrap().parse().unwrap();
        from <= at && at < to
    };
    all.iter()
        .filter(|(s, d)| *s == source && inside(d) && holds(d))
        .map(|(_, d)| d)
        .collect()
}

fn distinct(documents: &[&Value], value: impl Fn(&Value) -> Value) -> f64 {
    documents
        .iter()
        .map(|d| value(d).to_string())
        .collect::<std::collections::BTreeSet<_>>()
        .len() as f64
}

#[test]
fn every_file_is_read_strictly_and_has_enough_panels() {
    for (file, text) in FILES {
        let page = parse(file, text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(format!("{}.toml", page.id), *file);
        assert!(page.panels.len() >= 6, "{file} has {} panels", page.panels.len());
    }
    assert_eq!(pages().len(), FILES.len());
}

#[test]
fn every_field_of_every_panel_is_in_its_table_and_can_be_aggregated() {
    let response: Vec<_> = crate::respond::document::fields().copied().collect();
    let problems: Vec<String> = pages()
        .iter()
        .flat_map(|page| check_fields(page, &response))
        .map(|p| p.to_string())
        .collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn the_field_check_finds_fields_that_are_missing_or_cannot_be_aggregated() {
    let text = "id = \"x\"\ntitle = \"X\"\nquestion = \"?\"\nindex = \"waf\"\n[[panel]]\nid = \"p\"\nkind = \"list\"\ntitle = \"P\"\nquestion = \"?\"\nfield = \"FIELD\"\nquery = \"QUERY\"\n";
    for (field, query, problem) in [
        (
            "source.ip",
            "event.action:block AND NOT (tags:x OR _exists_:url.path)",
            None,
        ),
        (
            "sauce.ip",
            "event.action:block",
            Some("field `sauce.ip` is in no table of `waf`"),
        ),
        (
            "message",
            "event.action:block",
            Some("field `message` is of type text, which cannot be aggregated"),
        ),
        (
            "source.ip",
            "NOT (event.akshun:block)",
            Some("field `event.akshun` is in no table"),
        ),
    ] {
        let page = parse("x.toml", &text.replace("FIELD", field).replace("QUERY", query)).unwrap();
        let problems = check_fields(&page, &[]);
        match problem {
            None => assert_eq!(problems, []),
            Some(says) => assert!(problems[0].to_string().contains(says), "{problems:?}"),
        }
    }
}

#[test]
fn every_panel_of_every_page_is_answered() {
    let (_folder, index, _) = loaded(400);
    let mut filtered = day();
    filtered.query = "source.ip:45.0.0.0/8 OR nothing".to_owned();
    filtered.filters.push(Filter {
        field: "cloud.account.id".to_owned(),
        value: "111122223333".to_owned(),
        negated: false,
    });
    let mut address = day();
    address.address = Some("45.0.0.7".parse().unwrap());
    let tiny = Scope::between(end(), end());
    for page in pages() {
        for scope in [&day(), &filtered, &address, &tiny] {
            let views = run(page, &index, scope);
            assert_eq!(
                views.iter().map(|v| &v.id).collect::<Vec<_>>(),
                page.panels.iter().map(|p| &p.id).collect::<Vec<_>>()
            );
            for view in views {
                assert!(
                    !matches!(view.data, PanelData::Failed { .. }),
                    "{}/{}: {:?}",
                    page.id,
                    view.id,
                    view.data
                );
            }
        }
    }
}

#[test]
fn a_tile_shows_what_counting_shows_now_and_in_the_period_before() {
    let (_folder, index, all) = loaded(500);
    let blocked = |d: &Value| d["event"]["action"] == "block";
    let finding = |d: &Value| d["aws.guardduty"]["finding_id"].clone();
    let client = |d: &Value| d["source"]["ip"].clone();
    let denied = |d: &Value| d["event"]["type"][1] == "denied";
    let refused = |d: &Value| d["event"]["action"] == "ConsoleLogin" && d["event"]["outcome"] == "failure";
    let caller = |d: &Value| d["aws.cloudtrail"]["user_identity"]["arn"].clone();
    for (page, panel, now, before) in [
        (
            "waf",
            "requests",
            counted(&all, "waf", 0, |_| true).len() as f64,
            counted(&all, "waf", 1, |_| true).len() as f64,
        ),
        (
            "waf",
            "blocked",
            counted(&all, "waf", 0, blocked).len() as f64,
            counted(&all, "waf", 1, blocked).len() as f64,
        ),
        (
            "waf",
            "blocked-clients",
            distinct(&counted(&all, "waf", 0, blocked), client),
            distinct(&counted(&all, "waf", 1, blocked), client),
        ),
        (
            "cloudtrail",
            "denied",
            counted(&all, "cloudtrail", 0, denied).len() as f64,
            counted(&all, "cloudtrail", 1, denied).len() as f64,
        ),
        (
            "cloudtrail",
            "failed-sign-ins",
            counted(&all, "cloudtrail", 0, refused).len() as f64,
            counted(&all, "cloudtrail", 1, refused).len() as f64,
        ),
        (
            "cloudtrail",
            "callers",
            distinct(&counted(&all, "cloudtrail", 0, |_| true), caller),
            distinct(&counted(&all, "cloudtrail", 1, |_| true), caller),
        ),
        (
            "overview",
            "findings",
            distinct(&counted(&all, "guardduty", 0, |_| true), finding),
            distinct(&counted(&all, "guardduty", 1, |_| true), finding),
        ),
        (
            "vpcflow",
            "bytes",
            sum(&counted(&all, "vpcflow", 0, |_| true)),
            sum(&counted(&all, "vpcflow", 1, |_| true)),
        ),
    ] {
        let PanelData::Tile {
            value, previous, spark, ..
        } = shown(page, panel, &index, &day())
        else {
            panic!("{panel}")
        };
        assert_eq!((value, previous), (now, Some(before)), "{panel}");
        assert_eq!(spark.len(), 24);
        if ["requests", "blocked", "bytes"].contains(&panel) {
            assert_eq!(spark.iter().sum::<f64>(), now, "{panel}");
        }
    }
}

#[test]
fn a_tile_compares_with_no_period_that_the_documents_do_not_reach_back_to() {
    let (_folder, index, _) = loaded(300);
    let previous = |scope: &Scope| match shown("waf", "requests", &index, scope) {
        PanelData::Tile { previous, .. } => previous,
        other => panic!("{other:?}"),
    };
    let hours = |n| Scope::between(end() - TimeDelta::hours(n), end());
    assert!(previous(&hours(12)).is_some());
    assert_eq!(
        previous(&hours(30)),
        None,
        "the documents begin 48 hours before the end, the period before begins 60 before it"
    );
}

#[test]
fn what_a_panel_counts_is_said_in_a_word() {
    for page in pages() {
        for panel in &page.panels {
            let headed = matches!(
                panel.kind,
                Kind::List { .. } | Kind::Table { .. } | Kind::Timeline { .. }
            );
            assert!(
                !headed || !panel.counts.contains(['.', '_', ' ']),
                "{}/{}: `{}` is no word; add the key `counts`",
                page.id,
                panel.id,
                panel.counts
            );
        }
    }
}

fn sum(documents: &[&Value]) -> f64 {
    documents.iter().map(|d| d["network"]["bytes"].as_f64().unwrap()).sum()
}

#[test]
fn a_list_a_timeline_and_a_heatmap_add_up_to_what_counting_shows() {
    let (_folder, index, all) = loaded(500);
    let rejected = counted(&all, "vpcflow", 0, |d| d["event"]["action"] == "reject");
    let PanelData::List { rows, others, .. } = shown("vpcflow", "rejected-addresses", &index, &day()) else {
        panic!()
    };
    for row in &rows {
        let one = rejected
            .iter()
            .filter(|d| d["source"]["ip"] == row.value.as_str())
            .count();
        assert_eq!(row.number, one as f64, "{}", row.value);
    }
    assert_eq!(
        rows.iter().map(|r| r.number).sum::<f64>() + others,
        rejected.len() as f64
    );
    assert!(others > 0.0 && rows.windows(2).all(|pair| pair[0].number >= pair[1].number));

    let PanelData::List { rows, others, .. } = shown("vpcflow", "talkers", &index, &day()) else {
        panic!()
    };
    assert_eq!(
        rows.iter().map(|r| r.number).sum::<f64>() + others,
        sum(&counted(&all, "vpcflow", 0, |_| true))
    );

    let PanelData::Timeline {
        buckets,
        interval,
        series,
        ..
    } = shown("waf", "actions", &index, &day())
    else {
        panic!()
    };
    for one in &series {
        for (start, number) in buckets.iter().zip(&one.values) {
            let in_bucket = |d: &Value| {
                let at = d["@timestamp"]
                    .as_str()
                    .unwrap()
                    .parse::<DateTime<Utc>>()
                    .unwrap()
                    .timestamp_millis();
                d["event"]["action"] == one.name.as_str() && *start <= at && at < start + interval
            };
            assert_eq!(
                *number,
                counted(&all, "waf", 0, in_bucket).len() as f64,
                "{} at {start}",
                one.name
            );
        }
    }
    let PanelData::Timeline { series, .. } = shown("guardduty", "severity-over-time", &index, &day()) else {
        panic!()
    };
    assert_eq!(
        series.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(),
        ["Critical", "High", "Medium", "Low"]
    );

    let PanelData::Heatmap {
        rows, columns, cells, ..
    } = shown("vpcflow", "action-by-direction", &index, &day())
    else {
        panic!()
    };
    for (row, line) in rows.iter().zip(&cells) {
        for (column, cell) in columns.iter().zip(line) {
            let here = |d: &Value| d["network"]["direction"] == row.as_str() && d["event"]["action"] == column.as_str();
            assert_eq!(*cell, counted(&all, "vpcflow", 0, here).len() as f64, "{row} {column}");
        }
    }
}

#[test]
fn a_standard_shows_what_part_of_its_checks_pass_in_their_newest_result() {
    let (_folder, index, all) = loaded(500);
    let mut newest: std::collections::BTreeMap<String, &Value> = std::collections::BTreeMap::new();
    for (_, finding) in all.iter().filter(|(source, _)| *source == "securityhub") {
        // Which finding an event is a version of is read from where the normaliser writes it.
        let mut nested = finding.clone();
        nested["aws"] = json!({ "securityhub": nested["aws.securityhub"].take() });
        nested.as_object_mut().unwrap().remove("aws.securityhub");
        let line = nested.to_string();
        index
            .write("securityhub", &mut std::iter::once(line.as_bytes()))
            .unwrap();
        let known = newest
            .entry(finding["aws.securityhub"]["finding_id"].to_string())
            .or_insert(finding);
        if known["@timestamp"].as_str() < finding["@timestamp"].as_str() {
            *known = finding;
        }
    }
    index.refresh().unwrap();
    let data = shown("securityhub", "standards", &index, &day());
    let PanelData::Heatmap {
        rows,
        columns,
        cells,
        unit,
        ..
    } = data
    else {
        panic!("{data:?}")
    };
    assert_eq!((rows.len(), columns.len(), unit), (2, 2, super::data::Unit::Percent));
    for (row, line) in rows.iter().zip(&cells) {
        let of = |status: Option<&str>| {
            let fits = |f: &&&Value| {
                let own = &f["aws.securityhub"];
                own["standard"] == row.as_str() && status.is_none_or(|status| own["compliance_status"] == status)
            };
            newest.values().filter(fits).count() as f64
        };
        for (column, cell) in columns.iter().zip(line) {
            let expected = 100.0 * of(Some(column)) / of(None);
            assert!(
                (cell - expected).abs() < 1e-9,
                "{row} {column}: {cell}, {expected} counted"
            );
        }
        assert!((line.iter().sum::<f64>() - 100.0).abs() < 1e-9, "{line:?}");
    }
}

#[test]
fn a_table_counts_combinations_and_the_events_come_newest_first() {
    let (_folder, index, all) = loaded(500);
    let PanelData::Table { columns, rows, total } = shown("waf", "labels-hosts", &index, &day()) else {
        panic!()
    };
    assert_eq!((columns.len(), total), (4, None));
    for row in rows {
        let [label, host, path, number] = row.as_slice() else {
            panic!("{row:?}")
        };
        let here = |d: &Value| {
            d["aws.waf"]["labels"].as_array().unwrap().contains(&json!(label[0]))
                && d["url"]["domain"] == host[0].as_str()
                && d["url"]["path"] == path[0].as_str()
        };
        assert_eq!(number[0], counted(&all, "waf", 0, here).len().to_string());
    }
    let PanelData::Table { rows, total, .. } = shown("waf", "latest", &index, &day()) else {
        panic!()
    };
    let mut blocked = counted(&all, "waf", 0, |d| d["event"]["action"] == "block");
    blocked.sort_by_key(|d| std::cmp::Reverse(d["@timestamp"].as_str().unwrap()));
    assert_eq!(total, Some(blocked.len() as u64));
    assert_eq!(rows[0][0][0], blocked[0]["@timestamp"].as_str().unwrap());
    assert_eq!(rows.len(), 25);
}

#[test]
fn an_empty_panel_says_why_and_what_to_do() {
    let (_folder, index, _) = loaded(60);
    let why = |panel: &str, index: &dyn Index, scope: &Scope| match run(page("waf"), index, scope)
        .into_iter()
        .find(|v| v.id == panel)
        .unwrap()
        .data
    {
        PanelData::Empty { why, remedy } => format!("{why} {remedy}"),
        other => panic!("{other:?}"),
    };
    let folder = tempfile::tempdir().unwrap();
    let nothing = Embedded::open(folder.path(), Options::default()).unwrap();
    assert!(why("actions", &nothing, &day()).contains("not connected"));
    assert!(why("requests", &nothing, &day()).contains("not connected"));
    let early = Scope::between(end() - TimeDelta::days(30), end() - TimeDelta::days(29));
    assert!(why("actions", &index, &early).contains("The newest is of 2026-03-0"));
    let mut narrow = day();
    narrow.query = "source.ip:9.9.9.9".to_owned();
    assert!(why("actions", &index, &narrow).contains("Remove a filter"));
    assert!(why("ja3", &index, &day()).contains("None of the"));
}

#[test]
fn a_malformed_search_fails_the_panel_and_not_the_page() {
    let (_folder, index, _) = loaded(20);
    let mut scope = day();
    scope.query = "tags:\"open".to_owned();
    for view in run(page("waf"), &index, &scope) {
        assert!(
            matches!(&view.data, PanelData::Failed { message } if message.contains("character 6")),
            "{:?}",
            view.data
        );
    }
    assert!(matches!(search(&index, &scope, 0, 10), Err(Error::Query(_))));
}

#[test]
fn the_search_page_finds_pages_through_and_opens_documents() {
    let (_folder, index, all) = loaded(60);
    let mut scope = day();
    scope.filters.push(Filter {
        field: "event.dataset".to_owned(),
        value: "aws.waf".to_owned(),
        negated: true,
    });
    let expected: usize = SOURCES
        .iter()
        .filter(|s| **s != "waf")
        .map(|s| counted(&all, s, 0, |_| true).len())
        .sum();
    let first = search(&index, &scope, 0, 20).unwrap();
    let second = search(&index, &scope, 20, 20).unwrap();
    assert_eq!((first.total, first.hits.len()), (expected as u64, 20));
    assert!(first.hits[19]["_source"]["@timestamp"].as_str() >= second.hits[0]["_source"]["@timestamp"].as_str());
    let id = first.hits[0]["_id"].as_str().unwrap();
    assert_eq!(super::document(&index, id).unwrap().as_ref(), Some(&first.hits[0]));
    assert_eq!(super::document(&index, "no such id").unwrap(), None);
}

#[test]
fn a_broken_panel_file_is_refused_by_file_panel_and_key_with_the_nearest_word() {
    let page = "id = \"x\"\ntitle = \"X\"\nquestion = \"?\"\nindex = \"waf\"\n";
    let panel = "[[panel]]\nid = \"p\"\nkind = \"list\"\ntitle = \"P\"\nquestion = \"?\"\nfield = \"source.ip\"\n";
    assert!(parse("x.toml", &format!("{page}{panel}")).is_ok());
    for (text, says) in [
        (
            format!("{page}{panel}feild = \"a\"\n"),
            "x.toml, panel `p`, key `feild`: is not a key here; did you mean `field`?",
        ),
        (format!("{page}{panel}colums = [\"a\"]\n"), "key `colums`"),
        (
            format!("{page}{}", panel.replace("\"list\"", "\"lst\"")),
            "panel `p`, key `kind`: `lst` is none of its values; did you mean `list`?",
        ),
        (
            format!("{page}{}", panel.replace("field = \"source.ip\"\n", "")),
            "key `field`: is missing",
        ),
        (
            format!("{page}{panel}width = 13\n"),
            "key `width`: takes a number from 1 to 12",
        ),
        (
            format!("{page}{panel}metric = \"p95:x\"\n"),
            "percentiles cannot order rows",
        ),
        (
            format!("{page}{panel}metric = \"median:x\"\n"),
            "key `metric`: takes count",
        ),
        (format!("{page}{panel}unit = \"miles\"\n"), "key `unit`"),
        (
            format!(
                "{page}{}share = true\nmetric = \"distinct:x\"\n",
                panel
                    .replace("\"list\"", "\"heatmap\"")
                    .replace("field = \"source.ip\"", "fields = [\"source.ip\", \"event.action\"]")
            ),
            "key `share`: needs a number whose parts add up",
        ),
        (format!("{page}{panel}{panel}"), "key `id`: stands twice"),
        (format!("{page}{}", panel.replace("\"p\"", "\"P p\"")), "small letters"),
        (
            format!("titel = \"a\"\n{page}{panel}"),
            "x.toml, key `titel`: is not a key here; did you mean `title`?",
        ),
        (page.replace("waf", "web"), "key `index`: `web`"),
        (page.to_owned(), "at least one [[panel]]"),
        ("id = ".to_owned(), "x.toml: "),
    ] {
        let error = parse("x.toml", &text).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

/// Run with `--release -- --ignored --nocapture` to see how long pages take over 60,000 documents.
#[test]
#[ignore = "a measurement"]
fn how_long_the_pages_take() {
    let start = std::time::Instant::now();
    let (_folder, index, all) = loaded(
        std::env::var("EACH")
            .ok()
            .and_then(|n| n.parse().ok())
            .unwrap_or(12_000),
    );
    println!("{} documents made and loaded in {:?}", all.len(), start.elapsed());
    for page in pages() {
        let start = std::time::Instant::now();
        let views = run(page, &index, &day());
        println!("{:12} {:3} panels in {:?}", page.id, views.len(), start.elapsed());
    }
}
