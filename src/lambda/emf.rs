//! Metrics as lines of the log, in CloudWatch's embedded metric format: no call, no agent.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

const NAMESPACE: &str = "Portcullis";

/// What one invocation counted.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    /// By name and unit; each line has them all.
    values: BTreeMap<&'static str, (&'static str, f64)>,
    /// Decisions by verdict and reason, each a line of its own: they have dimensions.
    decided: BTreeMap<(&'static str, &'static str), u64>,
}

impl Metrics {
    /// Adds to a count.
    #[expect(clippy::cast_precision_loss, reason = "counts of one invocation")]
    pub(super) fn count(&mut self, name: &'static str, n: u64) {
        self.values.entry(name).or_insert(("Count", 0.0)).1 += n as f64;
    }

    /// Says how something stands.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds and seconds")]
    pub(super) fn gauge(&mut self, name: &'static str, unit: &'static str, value: u64) {
        self.values.insert(name, (unit, value as f64));
    }

    /// Counts decisions.
    #[cfg(feature = "aws")]
    pub(super) fn decided(&mut self, decisions: &[crate::respond::Decision]) {
        for decision in decisions {
            let words = (decision.verdict.word(), decision.reason.word());
            *self.decided.entry(words).or_default() += 1;
        }
    }

    /// The lines.
    pub(super) fn lines(&self, function: &str, at: DateTime<Utc>) -> String {
        let mut lines = String::new();
        if !self.values.is_empty() {
            push(&mut lines, at, &[("FunctionName", function)], &self.values);
        }
        for ((verdict, reason), n) in &self.decided {
            let dimensions = [("FunctionName", function), ("Decision", *verdict), ("Reason", *reason)];
            #[expect(clippy::cast_precision_loss, reason = "counts of one invocation")]
            let values = BTreeMap::from([("Decided", ("Count", *n as f64))]);
            push(&mut lines, at, &dimensions, &values);
        }
        lines
    }
}

fn push(
    lines: &mut String,
    at: DateTime<Utc>,
    dimensions: &[(&str, &str)],
    values: &BTreeMap<&'static str, (&'static str, f64)>,
) {
    let metrics: Vec<Value> = values
        .iter()
        .map(|(name, (unit, _))| json!({"Name": name, "Unit": unit}))
        .collect();
    let names: Vec<&str> = dimensions.iter().map(|(name, _)| *name).collect();
    let mut line = Map::new();
    line.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": at.timestamp_millis(),
            "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": [names], "Metrics": metrics}],
        }),
    );
    for (name, value) in dimensions {
        line.insert((*name).to_owned(), json!(value));
    }
    for (name, (_, value)) in values {
        line.insert((*name).to_owned(), json!(value));
    }
    lines.push_str(&Value::Object(line).to_string());
    lines.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_that_is_named_has_its_value_and_its_dimensions_beside_it() {
        let mut metrics = Metrics::default();
        metrics.count("Received", 2);
        metrics.count("Received", 1);
        metrics.gauge("IteratorAge", "Milliseconds", 1500);
        metrics.decided.insert(("block", "matched"), 4);
        let lines = metrics.lines("respond", DateTime::UNIX_EPOCH);
        let lines: Vec<Value> = lines
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        assert_eq!(lines.len(), 2);
        for line in &lines {
            let directive = &line["_aws"]["CloudWatchMetrics"][0];
            assert_eq!(directive["Namespace"], "Portcullis");
            for name in directive["Dimensions"][0].as_array().expect("names") {
                assert!(line[name.as_str().expect("text")].is_string(), "{name} in {line}");
            }
            for metric in directive["Metrics"].as_array().expect("metrics") {
                assert!(
                    line[metric["Name"].as_str().expect("text")].is_number(),
                    "{metric} in {line}"
                );
            }
        }
        assert_eq!(
            (&lines[0]["Received"], &lines[0]["IteratorAge"]),
            (&json!(3.0), &json!(1500.0))
        );
        assert_eq!(
            (&lines[1]["Decided"], &lines[1]["Reason"]),
            (&json!(4.0), &json!("matched"))
        );
        assert_eq!(Metrics::default().lines("respond", DateTime::UNIX_EPOCH), "");
    }
}
