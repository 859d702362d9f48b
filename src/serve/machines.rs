//! `/healthz` and `/metrics` alone, for a consumer that has no pages.

use std::{future::Future, io, sync::Arc};

use axum::{Router, extract::State as Shared, response::Response, routing::get};
use tokio::{net::TcpListener, sync::Semaphore};

use super::{Gate, exposition, health, listen};
use crate::consume::kinesis::Meter;

/// What is shown.
#[derive(Clone)]
struct Shown {
    gate: Arc<dyn Gate>,
    stream: Arc<str>,
    meter: Arc<Meter>,
    at_once: Arc<Semaphore>,
}

/// Serves both until `shutdown` resolves.
///
/// # Errors
/// When the listener itself fails.
pub async fn run_metrics(
    listener: TcpListener,
    gate: Arc<dyn Gate>,
    stream: &str,
    meter: Arc<Meter>,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let shown = Shown {
        gate,
        stream: stream.into(),
        meter,
        // The ledger is asked by one at a time.
        at_once: Arc::new(Semaphore::new(1)),
    };
    let routes = Router::new()
        .route("/healthz", get(healthz))
        .route("/metrics", get(metrics))
        .with_state(shown);
    listen::drive(listener, routes, shutdown).await
}

async fn healthz(Shared(shown): Shared<Shown>) -> Response {
    health::health(&health::status(&shown.gate, &shown.at_once).await)
}

async fn metrics(Shared(shown): Shared<Shown>) -> Response {
    let status = health::status(&shown.gate, &shown.at_once).await;
    let mut out = exposition::responder(status.as_ref().ok());
    exposition::stream(&mut out, &shown.stream, &shown.meter.reading());
    exposition::answer(out)
}
