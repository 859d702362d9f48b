//! `/healthz` and `/metrics` alone, for a consumer that has no pages.

use std::{future::Future, io, sync::Arc};

use axum::{Router, extract::State as Shared, response::Response, routing::get};
use tokio::{net::TcpListener, sync::Semaphore};

use super::{Gate, Stream, exposition, health, listen};

/// What is shown.
#[derive(Clone)]
struct Shown {
    gate: Arc<dyn Gate>,
    stream: Stream,
    at_once: Arc<Semaphore>,
}

/// Serves both until `shutdown` resolves.
///
/// # Errors
/// When the listener itself fails.
pub async fn run_metrics(
    listener: TcpListener,
    gate: Arc<dyn Gate>,
    stream: Stream,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let shown = Shown {
        gate,
        stream,
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
    shown.stream.metrics(&mut out);
    exposition::answer(out)
}
