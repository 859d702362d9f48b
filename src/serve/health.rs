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
    http::StatusCode,
    response::{IntoResponse, Response},
};
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};

use super::{
    Gate, PATIENCE, State,
    exposition::{self, family},
};
use crate::respond::report::StatusReport;

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
pub(super) async fn status(gate: &Arc<dyn Gate>, at_once: &Arc<Semaphore>) -> Result<StatusReport, String> {
    let gate = Arc::clone(gate);
    let permit = Arc::clone(at_once).acquire_owned();
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
    health(&status(&state.gate, &state.drawing).await)
}

/// What a load balancer is told.
pub(super) fn health(status: &Result<StatusReport, String>) -> Response {
    match status {
        Ok(_) => "ok\n".into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("ledger: {why}\n")).into_response(),
    }
}

/// Counters in Prometheus' text format, version 0.0.4.
pub(super) async fn metrics(Shared(state): Shared<State>) -> Response {
    let mut out = exposition::responder(status(&state.gate, &state.drawing).await.as_ref().ok());
    #[cfg(feature = "aws")]
    if let Some(stream) = &state.stream {
        stream.metrics(&mut out);
    }
    pages(&mut out, &state.counters);
    exposition::answer(out)
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
