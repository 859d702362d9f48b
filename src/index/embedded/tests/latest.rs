//! The newest version of each finding: order of arrival, commits and crashes make no difference.

use serde_json::{Value, json};

use crate::index::{
    Index,
    embedded::{Embedded, Options},
};

fn version(finding: &str, at: &str, status: &str) -> Vec<u8> {
    let document = json!({
        "@timestamp": at,
        "event": { "id": format!("{finding}-{at}-{status}"), "dataset": "aws.securityhub" },
        "aws": { "securityhub": { "finding_id": finding, "compliance_status": status } },
    });
    document.to_string().into_bytes()
}

fn open(dir: &std::path::Path) -> Embedded {
    Embedded::open(dir, Options::default()).expect("an index")
}

fn write(index: &Embedded, source: &str, document: &[u8]) {
    index.write(source, &mut [document].into_iter()).expect("written");
}

fn count(index: &Embedded, name: &str, query: &str) -> u64 {
    let body = json!({ "size": 0, "query": { "query_string": { "query": query } } });
    let answer: Value = index.search(name, &body).expect("answered");
    answer["hits"]["total"]["value"].as_u64().expect("a total")
}

const FAILED: &str = "aws.securityhub.compliance_status:FAILED";
const PASSED: &str = "aws.securityhub.compliance_status:PASSED";

#[test]
fn a_control_that_failed_and_then_passed_is_open_no_more() {
    let dir = tempfile::tempdir().expect("a folder");
    let index = open(dir.path());
    write(
        &index,
        "securityhub",
        &version("c1", "2026-03-01T10:00:00.000Z", "FAILED"),
    );
    index.refresh().expect("committed");
    assert_eq!(count(&index, "latest-securityhub", FAILED), 1);
    write(
        &index,
        "securityhub",
        &version("c1", "2026-03-01T11:00:00.000Z", "PASSED"),
    );
    index.refresh().expect("committed");
    assert_eq!(count(&index, "latest-securityhub", FAILED), 0);
    assert_eq!(count(&index, "latest-securityhub", PASSED), 1);
    assert_eq!(count(&index, "securityhub", "*:*"), 2, "history stays");
    assert_eq!(
        count(&index, "*", "*:*"),
        2,
        "a search over everything finds no finding twice"
    );
}

#[test]
fn the_order_of_arrival_and_a_restart_make_no_difference() {
    let times = [
        "2026-03-01T09:00:00.000Z",
        "2026-03-01T10:00:00.000Z",
        "2026-03-01T11:00:00.000Z",
    ];
    let states = ["FAILED", "FAILED", "PASSED"];
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
        for restarts in [false, true] {
            let dir = tempfile::tempdir().expect("a folder");
            let mut index = open(dir.path());
            for at in order {
                write(&index, "securityhub", &version("c1", times[at], states[at]));
                if restarts {
                    index.refresh().expect("committed");
                    drop(index);
                    index = open(dir.path());
                }
            }
            index.refresh().expect("committed");
            let now = (
                count(&index, "latest-securityhub", FAILED),
                count(&index, "latest-securityhub", PASSED),
            );
            assert_eq!(now, (0, 1), "{order:?} {restarts}");
        }
    }
}

#[test]
fn one_source_never_replaces_the_finding_of_another() {
    let dir = tempfile::tempdir().expect("a folder");
    let index = open(dir.path());
    let guardduty = json!({
        "@timestamp": "2026-03-01T10:00:00.000Z",
        "event": { "id": "g" },
        "aws": { "guardduty": { "finding_id": "same" } },
    });
    write(&index, "guardduty", guardduty.to_string().as_bytes());
    write(
        &index,
        "securityhub",
        &version("same", "2026-03-01T11:00:00.000Z", "PASSED"),
    );
    write(&index, "waf", &version("same", "2026-03-01T12:00:00.000Z", "FAILED"));
    index.refresh().expect("committed");
    assert_eq!(count(&index, "latest-guardduty", "*:*"), 1);
    assert_eq!(count(&index, "latest-securityhub", PASSED), 1);
    assert_eq!(count(&index, "latest-securityhub", "*:*"), 1);
}
