//! What is open now: the panels over the newest version of each finding, on both engines, beside a count that knows neither.

use std::collections::BTreeMap;

use portcullis::{
    dashboards::{self, PanelData, Scope, pages},
    generate::DEFAULT_UNTIL,
    index::Index,
};
use serde_json::{Value, json};

use super::{cluster::Cluster, documents::Demo, told::Told};

/// Checks that fail in the demo and then pass.
const MENDED: usize = 20;

/// For some of the checks that failed last, a later version that passed.
pub(crate) fn mended(documents: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let failed = newest(documents);
    let failed = failed.values().filter(|finding| status(finding) == Some("FAILED"));
    failed
        .take(MENDED)
        .map(|finding| {
            let mut finding = finding.clone();
            let id = finding["event"]["id"].as_str().unwrap_or_default().to_owned();
            finding["event"]["id"] = json!(format!("{id}-mended"));
            finding["@timestamp"] = json!(DEFAULT_UNTIL.to_rfc3339_opts(chrono::SecondsFormat::Millis, true));
            finding["aws"]["securityhub"]["compliance_status"] = json!("PASSED");
            finding.to_string().into_bytes()
        })
        .collect()
}

fn status(finding: &Value) -> Option<&str> {
    finding["aws"]["securityhub"]["compliance_status"].as_str()
}

/// The newest version of each finding.
fn newest(documents: &[Vec<u8>]) -> BTreeMap<String, Value> {
    let mut newest: BTreeMap<String, Value> = BTreeMap::new();
    for document in documents {
        let document: Value = serde_json::from_slice(document).unwrap_or_default();
        let Some(id) = document["aws"]["securityhub"]["finding_id"].as_str() else {
            continue;
        };
        let at = |document: &Value| document["@timestamp"].as_str().unwrap_or_default().to_owned();
        if newest.get(id).is_none_or(|known| at(known) < at(&document)) {
            newest.insert(id.to_owned(), document.clone());
        }
    }
    newest
}

/// Each tile of now with the number that the documents themselves give.
pub(crate) fn prove(cluster: &Cluster, demo: &Demo, told: &mut Told) -> Result<(), String> {
    let server = cluster.index("analyst")?;
    let documents = &demo.documents["securityhub"];
    let newest = newest(documents);
    let text = |finding: &Value, name: &str| {
        finding["aws"]["securityhub"][name]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let active = |finding: &Value| text(finding, "record_state") == "ACTIVE";
    let open = |finding: &Value| {
        active(finding)
            && !["RESOLVED", "SUPPRESSED"].contains(&text(finding, "workflow_status").as_str())
            && text(finding, "compliance_status") != "PASSED"
    };
    let count = |fits: &dyn Fn(&Value) -> bool| newest.values().filter(|finding| fits(finding)).count() as f64;
    // A range in which nothing happened: what is open is open all the same.
    let later = DEFAULT_UNTIL + chrono::TimeDelta::days(30);
    let scope = Scope::between(later, later + chrono::TimeDelta::hours(1));
    for (id, expected) in [
        ("open", count(&open)),
        (
            "open-critical",
            count(&|f| open(f) && text(f, "severity_label") == "CRITICAL"),
        ),
        (
            "failed-now",
            count(&|f| active(f) && text(f, "compliance_status") == "FAILED"),
        ),
        (
            "passed-now",
            count(&|f| active(f) && text(f, "compliance_status") == "PASSED"),
        ),
    ] {
        let engines: [&dyn Index; 2] = [demo.index.as_ref(), &server];
        let shown = engines.map(|index| tile(index, id, &scope));
        told.line(
            &format!("now: {id}"),
            if shown == [Some(expected); 2] && expected > 0.0 {
                Ok(format!("{expected} counted, the same on both"))
            } else {
                Err(format!("{expected} counted, {shown:?} shown"))
            },
        );
    }
    let parts = passed(&newest);
    let engines: [&dyn Index; 2] = [demo.index.as_ref(), &server];
    let shown = engines.map(|index| standards(index, &scope));
    let same = |shown: &BTreeMap<String, f64>| {
        shown.len() == parts.len()
            && parts
                .iter()
                .all(|(standard, part)| shown.get(standard).is_some_and(|other| (part - other).abs() < 1e-6))
    };
    told.line(
        "now: what part of each standard passes",
        if shown.iter().all(same) && parts.values().any(|part| *part > 0.0 && *part < 100.0) {
            Ok(format!("{} standards counted, the same on both", parts.len()))
        } else {
            Err(format!("{parts:?} counted, {shown:?} shown"))
        },
    );
    let mended = newest.values().filter(|finding| {
        let id = finding["event"]["id"].as_str().unwrap_or_default();
        id.ends_with("-mended") && status(finding) == Some("PASSED")
    });
    let ids: Vec<String> = mended.map(|finding| text(finding, "finding_id")).collect();
    let filter = json!({ "bool": { "filter": [
        { "terms": { "aws.securityhub.finding_id": ids } },
        { "term": { "aws.securityhub.compliance_status": "FAILED" } },
    ] } });
    let open_of = |index: &dyn Index| {
        let body = json!({ "size": 0, "track_total_hits": true, "query": filter });
        let answer = index
            .search("latest-securityhub", &body)
            .map_err(|error| error.to_string())?;
        answer["hits"]["total"]["value"].as_u64().ok_or("no total".to_owned())
    };
    let left = (open_of(demo.index.as_ref())?, open_of(&server)?);
    told.line(
        "now: failed, then passed",
        match (ids.len(), left) {
            (MENDED, (0, 0)) => Ok(format!("{MENDED} checks, none open on either")),
            (checks, left) => Err(format!("{checks} checks, {left:?} open")),
        },
    );
    Ok(())
}

/// Percent of each standard's checks with a result that passed, but for what is suppressed.
fn passed(newest: &BTreeMap<String, Value>) -> BTreeMap<String, f64> {
    let mut counted: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for finding in newest.values() {
        let own = &finding["aws"]["securityhub"];
        let counts = own["record_state"] == "ACTIVE" && own["workflow_status"] != "SUPPRESSED";
        let Some(status) = status(finding).filter(|status| counts && ["PASSED", "FAILED"].contains(status)) else {
            continue;
        };
        // A control may belong to several.
        let one = std::slice::from_ref(&own["standard"]);
        let standards = own["standard"].as_array().map_or(one, Vec::as_slice);
        for standard in standards.iter().filter_map(Value::as_str) {
            let (passed, all) = counted.entry(standard.to_owned()).or_default();
            *passed += f64::from(u8::from(status == "PASSED"));
            *all += 1.0;
        }
    }
    let part = |(standard, (passed, all)): (String, (f64, f64))| (standard, 100.0 * passed / all);
    counted.into_iter().map(part).collect()
}

/// The same as the page shows it.
fn standards(index: &dyn Index, scope: &Scope) -> BTreeMap<String, f64> {
    match panel(index, "standards", scope) {
        Some(PanelData::Heatmap {
            rows, columns, cells, ..
        }) => {
            let place = columns
                .iter()
                .position(|column| column == "PASSED")
                .unwrap_or(usize::MAX);
            let part = |line: &Vec<f64>| line.get(place).copied().unwrap_or_default();
            rows.into_iter().zip(cells.iter().map(part)).collect()
        }
        _ => BTreeMap::new(),
    }
}

fn tile(index: &dyn Index, id: &str, scope: &Scope) -> Option<f64> {
    match panel(index, id, scope)? {
        PanelData::Tile { value, .. } => Some(value),
        _ => None,
    }
}

fn panel(index: &dyn Index, id: &str, scope: &Scope) -> Option<PanelData> {
    let page = pages().iter().find(|page| page.id == "securityhub")?;
    let views = dashboards::run(page, index, scope);
    Some(views.into_iter().find(|view| view.id == id)?.data)
}
