//! What panels are answered: by the cluster alone, and by the cluster beside the embedded index over the same documents.

use chrono::{DateTime, Utc};
use portcullis::{
    dashboards::{self, Dashboard, Panel, PanelData, Scope, definition::Metric, pages},
    index::Index,
    opensearch::remote::Remote,
};
use serde_json::Value;

use super::{
    alike::{alike, near},
    cluster::Cluster,
    documents::Demo,
    told::Told,
};

/// Hits and buckets that are not empty.
pub(crate) fn asked(index: &Remote, panel: &Panel, scope: &Scope) -> Result<String, String> {
    let answer = index
        .search(&panel.index, &dashboards::request(panel, scope))
        .map_err(|error| error.to_string())?;
    let hits = answer["hits"]["total"]["value"].as_u64().ok_or("no total")?;
    let buckets = filled(&answer["aggregations"]);
    Ok(format!("{hits:>8} hits {buckets:>6} buckets"))
}

/// Buckets with documents, at every depth.
fn filled(value: &Value) -> usize {
    match value {
        Value::Object(object) => {
            let own = usize::from(
                object
                    .get("doc_count")
                    .and_then(Value::as_u64)
                    .is_some_and(|count| count > 0),
            );
            own + object.values().map(filled).sum::<usize>()
        }
        Value::Array(values) => values.iter().map(filled).sum(),
        _ => 0,
    }
}

/// The demo's day, whole and narrowed in the ways in which the pages narrow it.
fn scopes() -> Result<Vec<(&'static str, Scope)>, String> {
    let at = |text: &str| text.parse::<DateTime<Utc>>().map_err(|error| error.to_string());
    let until = portcullis::generate::DEFAULT_UNTIL;
    let day = Scope::between(until - chrono::TimeDelta::hours(24), until);
    let query = |text: &str| Scope {
        query: text.to_owned(),
        ..day.clone()
    };
    let narrowed = |field: &str, value: &str, negated: bool| Scope {
        filters: vec![dashboards::Filter {
            field: field.to_owned(),
            value: value.to_owned(),
            negated,
        }],
        ..day.clone()
    };
    Ok(vec![
        ("an hour", Scope::between(until - chrono::TimeDelta::hours(1), until)),
        (
            "everything",
            Scope::between(at("2000-01-01T00:00:00Z")?, until + chrono::TimeDelta::days(1)),
        ),
        ("a word", query("event.outcome:failure")),
        ("an exclusion", query("NOT event.action:accept")),
        ("a network", query("source.ip:\"10.0.0.0/8\"")),
        ("a range", query("destination.port:[1 TO 1023]")),
        ("a wildcard", query("rule.name:*SQL*")),
        ("a list", query("event.action:(block OR reject OR applied)")),
        ("what is there", query("_exists_:source.geo.country_iso_code")),
        ("a value", narrowed("event.action", "block", false)),
        ("not a value", narrowed("event.action", "accept", true)),
        ("a country", narrowed("source.geo.country_iso_code", "US", false)),
        ("the day", day),
    ])
}

/// Every panel under every scope on both; what differs is told with both answers.
pub(crate) fn compare(cluster: &Cluster, demo: &Demo, told: &mut Told) -> Result<(), String> {
    let server = cluster.index("analyst")?;
    let mut compared = 0;
    for (name, scope) in scopes()? {
        let mut differing: Vec<String> = Vec::new();
        for page in pages() {
            compared += page.panels.len();
            differing.extend(differences(page, &scope, demo, &server));
        }
        told.line(
            &format!("both indices, {name}"),
            match differing.as_slice() {
                [] => Ok("the same".to_owned()),
                several => Err(format!("{} panels differ: {}", several.len(), several.join("\n"))),
            },
        );
    }
    told.line("requests compared", Ok(compared.to_string()));
    Ok(())
}

fn differences(page: &Dashboard, scope: &Scope, demo: &Demo, server: &Remote) -> Vec<String> {
    let ours = dashboards::run(page, demo.index.as_ref(), scope);
    let theirs = dashboards::run(page, server, scope);
    let mut differing = Vec::new();
    for (a, b) in ours.iter().zip(&theirs) {
        let percentile = page
            .panels
            .iter()
            .any(|p| p.id == a.id && matches!(p.metric, Metric::Percentile(..)));
        let same = alike(&a.data, &b.data) || (percentile && near(&a.data, &b.data));
        if !same {
            let (a_data, b_data) = (short(&a.data), short(&b.data));
            differing.push(format!(
                "{}/{}:\n  embedded {a_data}\n  server   {b_data}",
                page.id, a.id
            ));
        }
    }
    differing
}

fn short(data: &PanelData) -> String {
    format!("{data:?}").chars().take(900).collect()
}
