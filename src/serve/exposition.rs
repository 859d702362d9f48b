//! Prometheus' text format, version 0.0.4: the families that `serve` and `consume` share.

#[cfg(feature = "aws")]
use std::sync::Arc;

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use super::strip;
#[cfg(feature = "aws")]
use crate::consume::kinesis::{Meter, Reading};
use crate::respond::report::{AclReport, Mode, StatusReport};

/// An answer in that format.
pub(super) fn answer(text: String) -> Response {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

/// What the ledger says, or only that it says nothing.
pub(super) fn responder(status: Option<&StatusReport>) -> String {
    let mut out = String::new();
    family(
        &mut out,
        "portcullis_up",
        "gauge",
        "Whether the ledger can be read.",
        &[(String::new(), u64::from(status.is_some()))],
    );
    if let Some(status) = status {
        of_ledger(&mut out, status);
    }
    #[cfg(feature = "aws")]
    of_aws(&mut out);
    out
}

fn of_ledger(out: &mut String, status: &StatusReport) {
    let one = |value: u64| vec![(String::new(), value)];
    let acls = |value: &dyn Fn(&AclReport) -> usize| -> Vec<(String, u64)> {
        status
            .acls
            .iter()
            .map(|acl| {
                let labels = format!(
                    "{{account=\"{}\",region=\"{}\",nacl=\"{}\",direction=\"{}\"}}",
                    label(&acl.key.account),
                    label(&acl.key.region),
                    label(&acl.key.acl),
                    acl.direction
                );
                (labels, value(acl) as u64)
            })
            .collect()
    };
    let not_blocked: Vec<_> = status
        .not_blocked
        .iter()
        .map(|(reason, n)| (format!("{{reason=\"{}\"}}", label(reason)), *n))
        .collect();
    for (name, kind, help, samples) in [
        (
            "portcullis_enforcing",
            "gauge",
            "1 in enforce mode, 0 in shadow mode.",
            one(u64::from(status.mode == Mode::Enforce)),
        ),
        (
            "portcullis_paused",
            "gauge",
            "1 while a person has paused blocking.",
            one(u64::from(status.paused.is_some())),
        ),
        (
            "portcullis_entries",
            "gauge",
            "Managed entries that stand.",
            one(status.applied),
        ),
        (
            "portcullis_entries_pending",
            "gauge",
            "Entries planned and not confirmed.",
            one(status.pending),
        ),
        (
            "portcullis_pending_age_seconds",
            "gauge",
            "Age of the oldest pending entry.",
            one(status.pending_age_seconds),
        ),
        (
            "portcullis_blocked_total",
            "counter",
            "Transitions to applied.",
            one(status.blocked),
        ),
        ("portcullis_evicted_total", "counter", "Evictions.", one(status.evicted)),
        ("portcullis_expired_total", "counter", "Expiries.", one(status.expired)),
        (
            "portcullis_not_blocked_total",
            "counter",
            "Decisions that blocked nothing, by reason.",
            not_blocked,
        ),
        (
            "portcullis_findings_total",
            "counter",
            "Findings read, versions counted.",
            one(status.findings),
        ),
        (
            "portcullis_unreadable_total",
            "counter",
            "Records that could not be read as findings.",
            one(status.unreadable),
        ),
        ("portcullis_alerts_total", "counter", "Outbox rows.", one(status.alerts)),
        (
            "portcullis_messages_total",
            "counter",
            "Messages delivered.",
            one(status.messages),
        ),
        (
            "portcullis_messages_waiting",
            "gauge",
            "Messages not delivered yet.",
            one(status.messages_waiting),
        ),
        (
            "portcullis_acl_managed",
            "gauge",
            "Managed entries per network ACL and direction.",
            acls(&|acl| acl.managed.len()),
        ),
        (
            "portcullis_acl_foreign",
            "gauge",
            "Entries that others made.",
            acls(&|acl| acl.foreign.len()),
        ),
        (
            "portcullis_acl_free",
            "gauge",
            "Slots that can still be taken.",
            acls(&strip::free),
        ),
    ] {
        family(out, name, kind, help, &samples);
    }
}

/// Calls of AWS, of whatever this process is.
#[cfg(feature = "aws")]
fn of_aws(out: &mut String) {
    use crate::aws::{Calls, calls_by_service};

    let by_service = calls_by_service();
    let samples = |count: &dyn Fn(&Calls) -> u64| -> Vec<(String, u64)> {
        let of = by_service.iter();
        of.map(|(service, calls)| (format!("{{service=\"{service}\"}}"), count(calls)))
            .collect()
    };
    for (name, help, samples) in [
        (
            "portcullis_api_calls_total",
            "Calls of AWS, by service.",
            samples(&|calls| calls.calls),
        ),
        (
            "portcullis_api_retries_total",
            "Attempts of those calls beyond the first.",
            samples(&|calls| calls.retries),
        ),
    ] {
        family(out, name, "counter", help, &samples);
    }
}

/// A stream that is read, for metrics.
#[cfg(feature = "aws")]
#[derive(Clone)]
pub struct Stream {
    name: Arc<str>,
    meter: Arc<Meter>,
}

#[cfg(feature = "aws")]
impl Stream {
    /// The stream of that name, and what its reader counts.
    #[must_use]
    pub fn new(name: &str, meter: Arc<Meter>) -> Self {
        Self {
            name: name.into(),
            meter,
        }
    }

    /// What its reader counted.
    pub(super) fn metrics(&self, out: &mut String) {
        stream(out, &self.name, &self.meter.reading());
    }
}

#[cfg(feature = "aws")]
fn stream(out: &mut String, stream: &str, reading: &Reading) {
    let stream = label(stream);
    let one = |value: u64| vec![(format!("{{stream=\"{stream}\"}}"), value)];
    let decided = reading.decided.iter().map(|((verdict, reason), n)| {
        let labels = format!("{{stream=\"{stream}\",decision=\"{verdict}\",reason=\"{reason}\"}}");
        (labels, *n)
    });
    let calls = reading.calls.iter().map(|(operation, n)| {
        let labels = format!("{{stream=\"{stream}\",operation=\"{operation}\"}}");
        (labels, *n)
    });
    let faults = reading.faults.iter().map(|((operation, fault), n)| {
        let labels = format!("{{stream=\"{stream}\",operation=\"{operation}\",fault=\"{fault}\"}}");
        (labels, *n)
    });
    let behind = reading.behind.iter().map(|(shard, behind)| {
        let labels = format!("{{stream=\"{stream}\",shard=\"{}\"}}", label(shard));
        (labels, *behind)
    });
    for (name, kind, help, samples) in [
        (
            "portcullis_stream_records_total",
            "counter",
            "Records read from the stream.",
            one(reading.records),
        ),
        (
            "portcullis_stream_bytes_total",
            "counter",
            "Bytes read from the stream.",
            one(reading.bytes),
        ),
        (
            "portcullis_stream_received_total",
            "counter",
            "Findings in the records, those that cannot be read among them.",
            one(reading.received),
        ),
        (
            "portcullis_stream_retries_total",
            "counter",
            "Times that records waited for the ledger or EC2.",
            one(reading.retries),
        ),
        (
            "portcullis_stream_decided_total",
            "counter",
            "Decisions by verdict and reason, one for each address of a finding.",
            decided.collect(),
        ),
        (
            "portcullis_stream_calls_total",
            "counter",
            "Calls of Kinesis.",
            calls.collect(),
        ),
        (
            "portcullis_stream_faults_total",
            "counter",
            "Calls of Kinesis that failed.",
            faults.collect(),
        ),
        (
            "portcullis_stream_behind_milliseconds",
            "gauge",
            "How far the reader of a shard is behind its newest record.",
            behind.collect(),
        ),
    ] {
        family(out, name, kind, help, &samples);
    }
}

/// One family with its samples, of which there may be none yet.
pub(super) fn family(out: &mut String, name: &str, kind: &str, help: &str, samples: &[(String, u64)]) {
    out.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    for (labels, value) in samples {
        out.push_str(&format!(
            "{name}{labels} {value}
"
        ));
    }
}

/// A label's value with the three characters escaped that the format names.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
