//! `/healthz` for a load balancer, `/metrics` for Prometheus.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{
    extract::State as Shared,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use tokio::{task::spawn_blocking, time::timeout};

use super::{PATIENCE, State, strip};
use crate::respond::report::{Mode, StatusReport};

/// What was answered so far.
#[derive(Debug, Default)]
pub(super) struct Counters {
    /// By the first digit of the status, 1 to 5.
    answers: [AtomicU64; 5],
    micros: AtomicU64,
}

impl Counters {
    /// Counts one answer.
    pub(super) fn count(&self, status: StatusCode, took: Duration) {
        let class = usize::from(status.as_u16() / 100).clamp(1, 5) - 1;
        self.answers[class].fetch_add(1, Relaxed);
        self.micros
            .fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Relaxed);
    }
}

/// The responder's state, off the async threads and within bounds.
async fn status(state: &State) -> Result<StatusReport, String> {
    let gate = Arc::clone(&state.gate);
    let permit = Arc::clone(&state.drawing).acquire_owned();
    let work = async {
        let permit = permit.await.map_err(|_| "shutting down".to_owned())?;
        let read = spawn_blocking(move || {
            let _permit = permit;
            gate.status()
        });
        read.await
            .map_err(|_| "reading the ledger failed".to_owned())?
            .map_err(|error| error.to_string())
    };
    timeout(PATIENCE, work)
        .await
        .unwrap_or_else(|_| Err("reading the ledger took too long".to_owned()))
}

/// 200 while the ledger can be read.
pub(super) async fn healthz(Shared(state): Shared<State>) -> Response {
    match status(&state).await {
        Ok(_) => "ok\n".into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("ledger: {why}\n")).into_response(),
    }
}

/// Counters in Prometheus' text format, version 0.0.4.
pub(super) async fn metrics(Shared(state): Shared<State>) -> Response {
    let status = status(&state).await;
    let mut out = String::new();
    family(
        &mut out,
        "portcullis_up",
        "gauge",
        "Whether the ledger can be read.",
        &[(String::new(), u64::from(status.is_ok()))],
    );
    if let Ok(status) = &status {
        responder(&mut out, status);
    }
    pages(&mut out, &state.counters);
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], out).into_response()
}

fn responder(out: &mut String, status: &StatusReport) {
    let one = |value: u64| vec![(String::new(), value)];
    let acls = |value: &dyn Fn(&crate::respond::report::AclReport) -> usize| -> Vec<(String, u64)> {
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

#[expect(clippy::cast_precision_loss, reason = "a sum of page times")]
fn pages(out: &mut String, counters: &Counters) {
    let answers: Vec<_> = counters
        .answers
        .iter()
        .enumerate()
        .map(|(class, n)| (format!("{{status=\"{}xx\"}}", class + 1), n.load(Relaxed)))
        .collect();
    family(
        out,
        "portcullis_http_answers_total",
        "counter",
        "Answers by class of status.",
        &answers,
    );
    let seconds = counters.micros.load(Relaxed) as f64 / 1e6;
    out.push_str(
        "# HELP portcullis_http_seconds_total Time spent answering.\n# TYPE portcullis_http_seconds_total counter\n",
    );
    out.push_str(&format!("portcullis_http_seconds_total {seconds:.6}\n"));
}

fn family(out: &mut String, name: &str, kind: &str, help: &str, samples: &[(String, u64)]) {
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
