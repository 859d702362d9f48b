//! Serves the pages over HTTP/1.1 with bounds that a public server would have: connections, header size, header time,
//! connection age. `axum::serve` sets none of them, so the connection is driven here.

use std::{future::Future, io, pin::pin, sync::Arc, time::Duration};

use axum::Router;
use hyper::{
    Request,
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, sync::Semaphore, time};

use super::{State, access::Peer, router};

const CONNECTIONS: usize = 256;
const HEADER_BYTES: usize = 16 * 1024;
const HEADER_TIME: Duration = Duration::from_secs(10);
const CONNECTION_AGE: Duration = Duration::from_secs(600);
const FAREWELL: Duration = Duration::from_secs(5);

/// Serves until `shutdown` resolves; then lets answers in flight finish, for a few seconds at most.
///
/// # Errors
/// When the listener itself fails; a failing connection ends alone.
pub async fn run(listener: TcpListener, state: State, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    drive(listener, router(state), shutdown).await
}

/// As [`run`], for any routes.
pub(super) async fn drive(listener: TcpListener, routes: Router, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let service = TowerToHyperService::new(routes);
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accept = async {
            let slot = Arc::clone(&slots).acquire_owned().await.map_err(io::Error::other)?;
            listener.accept().await.map(|(stream, peer)| (slot, stream, peer))
        };
        let (slot, stream, peer) = tokio::select! {
            () = &mut shutdown => break,
            accepted = accept => match accepted {
                Ok(accepted) => accepted,
                Err(error) if is_passing(&error) => {
                    // Out of file descriptors: accepting again at once would only spin.
                    time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
                Err(error) => return Err(error),
            },
        };
        let answering = service.clone();
        let named = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer.ip()));
            answering.call(request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIME)
            .max_buf_size(HEADER_BYTES)
            .serve_connection(TokioIo::new(stream), named);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            match time::timeout(CONNECTION_AGE, connection).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(%error, "a connection ended"),
                Err(_) => tracing::debug!("a connection was closed for its age"),
            }
            drop(slot);
        });
    }
    drop(listener);
    if time::timeout(FAREWELL, graceful.shutdown()).await.is_err() {
        tracing::debug!("connections were still open at the end");
    }
    Ok(())
}

/// Errors of one connection attempt, or of a moment; anything else ends the listener.
fn is_passing(error: &io::Error) -> bool {
    const EMFILE: i32 = 24;
    const ENFILE: i32 = 23;
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    ) || matches!(error.raw_os_error(), Some(EMFILE | ENFILE))
}
