//! The whole Overview page, asked for over HTTP as a browser does.

use std::{
    net::Ipv4Addr,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use portcullis::{index::Index, respond, serve};
use portcullis_benches::cpu_nanoseconds;
use tokio::{net::TcpListener, runtime::Runtime, sync::oneshot};

use crate::day;

/// Requests before anything is timed: files are mapped, connections open.
const WARM: usize = 3;

/// What the page took.
pub(crate) struct Page {
    /// Milliseconds of each request.
    pub(crate) wall: Vec<f64>,
    /// CPU milliseconds of this process for one request.
    pub(crate) cpu: f64,
    /// Size of the page.
    pub(crate) bytes: usize,
}

/// Serves the pages of the day from an index, and asks for the Overview so many times. Nothing of an answer is kept.
pub(crate) fn ask(index: &Arc<dyn Index>, responder: &Arc<respond::Embedded>, times: usize) -> Result<Page> {
    let runtime = Runtime::new()?;
    runtime.block_on(async {
        let views = Arc::new(serve::Dashboards(Arc::clone(index)));
        let gate = Arc::new(serve::Watched::new(Arc::clone(responder)));
        let mut state = serve::State::new(gate, views)?;
        state.clock = Arc::new(|| day::END);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}/", listener.local_addr()?);
        let (stop, stopped) = oneshot::channel::<()>();
        let server = tokio::spawn(serve::run(listener, state, async move { drop(stopped.await) }));
        let client = reqwest::Client::new();
        let mut page = Page {
            wall: Vec::with_capacity(times),
            cpu: 0.0,
            bytes: 0,
        };
        let mut cpu = 0;
        for number in 0..WARM + times {
            if number == WARM {
                cpu = cpu_nanoseconds();
            }
            let start = Instant::now();
            let text = client.get(&url).send().await?.error_for_status()?.text().await?;
            if number >= WARM {
                page.wall.push(start.elapsed().as_secs_f64() * 1e3);
            }
            ensure!(text.contains("Events by source"), "this is not the Overview");
            page.bytes = text.len();
        }
        page.cpu = (cpu_nanoseconds() - cpu) as f64 / 1e6 / times as f64;
        drop(stop);
        drop(tokio::time::timeout(Duration::from_secs(5), server).await);
        Ok(page)
    })
}
