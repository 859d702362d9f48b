//! Pages, health and metrics: what the responder did and what the sources say, drawn on the server.
//!
//! [`router`] builds everything from a [`State`]; [`run`] serves it until told to stop. Pages are only read (GET), work
//! without JavaScript, ask no other host for anything, and carry a Content-Security-Policy that allows no inline script or
//! style. Two traits ([`Gate`], [`Views`]) are all they know of the rest of the house.
//!
//! | path | page |
//! |---|---|
//! | `/` | Overview |
//! | `/guardduty`, `/securityhub`, `/waf`, `/vpcflow`, `/dns`, `/cloudtrail` | one source each |
//! | `/response` | the gate, alerts, audit, refusals |
//! | `/address/{ip}` | one address across everything |
//! | `/search`, `/document/{id}` | documents |
//! | `/healthz`, `/metrics` | for machines |

mod answers;
mod assets;
mod chart;
mod document;
mod error;
mod exposition;
mod gate;
mod guard;
mod health;
mod layout;
mod listen;
#[cfg(feature = "aws")]
mod machines;
mod pages;
mod panel;
pub mod params;
mod responder;
mod slack;
mod strip;
#[cfg(test)]
mod tests;
mod text;
mod told;
mod values;

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Path, State as Shared},
    http::Uri,
    middleware,
    response::Html,
    routing::get,
};
use chrono::{DateTime, Utc};
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};

pub use gate::{Dashboards, Gate, Unavailable, Views};
pub use guard::Hosts;
pub use listen::run;
#[cfg(feature = "aws")]
pub use machines::run_metrics;
pub use responder::Watched;

use error::PageError;
use layout::{Context, Page};
use params::{Invalid, Query};

/// Pages drawn at once; more wait their turn within [`PATIENCE`].
const DRAWN_AT_ONCE: usize = 8;
/// How long one page may take, waiting included.
const PATIENCE: Duration = Duration::from_secs(15);

/// What time it is for the pages: the wall clock, or the arrival times of a demo.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// Everything that the pages are drawn from. Cheap to clone.
#[derive(Clone)]
pub struct State {
    /// The responder.
    pub gate: Arc<dyn Gate>,
    /// Panels and search.
    pub views: Arc<dyn Views>,
    /// The clock.
    pub clock: Clock,
    /// Whether events are generated and the network ACLs are a model; every page says so.
    pub demo: bool,
    /// Whether a Slack webhook is configured.
    pub slack: bool,
    /// Names under which the pages answer.
    pub hosts: Hosts,
    drawing: Arc<Semaphore>,
    counters: Arc<health::Counters>,
}

impl State {
    /// A state on the wall clock, not a demo, without Slack, for loopback names only; set the fields to say otherwise.
    #[must_use]
    pub fn new(gate: Arc<dyn Gate>, views: Arc<dyn Views>) -> Self {
        Self {
            gate,
            views,
            clock: Arc::new(Utc::now),
            demo: false,
            slack: false,
            hosts: Hosts::Loopback,
            drawing: Arc::new(Semaphore::new(DRAWN_AT_ONCE)),
            counters: Arc::default(),
        }
    }
}

/// All routes over a state.
pub fn router(state: State) -> Router {
    let mut router = Router::new()
        .route("/", get(overview))
        .route("/response", get(response))
        .route("/search", get(search))
        .route("/address/{address}", get(address))
        .route("/document/{id}", get(document))
        .route("/healthz", get(health::healthz))
        .route("/metrics", get(health::metrics))
        .route("/assets/{name}", get(assets::serve));
    for (name, ..) in pages::board::BOARDS {
        let draw = move |Shared(state), uri| draw(state, uri, move |context| pages::board::page(context, name));
        router = router.route(&format!("/{name}"), get(draw));
    }
    router
        .fallback(|| async { PageError::NotFound("such page".to_owned()) })
        .method_not_allowed_fallback(|| async { PageError::Method })
        .layer(middleware::from_fn_with_state(state.clone(), guard::guard))
        .with_state(state)
}

type Drawn = Result<Html<String>, PageError>;

async fn overview(Shared(state): Shared<State>, uri: Uri) -> Drawn {
    draw(state, uri, pages::overview::page).await
}

async fn response(Shared(state): Shared<State>, uri: Uri) -> Drawn {
    draw(state, uri, pages::response::page).await
}

async fn search(Shared(state): Shared<State>, uri: Uri) -> Drawn {
    draw(state, uri, pages::search::page).await
}

async fn address(Shared(state): Shared<State>, Path(address): Path<String>, uri: Uri) -> Drawn {
    let address: IpAddr = address.parse().map_err(|_| {
        Invalid::new(
            "address",
            &address,
            "write an IPv4 or IPv6 address, such as /address/45.83.64.11",
        )
    })?;
    draw(state, uri, move |context| pages::address::page(context, address)).await
}

async fn document(Shared(state): Shared<State>, Path(id): Path<String>, uri: Uri) -> Drawn {
    draw(state, uri, move |context| pages::document::page(context, &id)).await
}

/// Draws a page off the async threads, a bounded number at once and for a bounded time.
async fn draw<F>(state: State, uri: Uri, page: F) -> Drawn
where
    F: FnOnce(&Context<'_>) -> Result<Page, PageError> + Send + 'static,
{
    let query = Query::parse(uri.query().unwrap_or_default())?;
    let work = async move {
        // The permit goes along: a page that outlives its patience still counts until it is done.
        let permit = Arc::clone(&state.drawing)
            .acquire_owned()
            .await
            .map_err(|_| PageError::Slow)?;
        let drawn = spawn_blocking(move || {
            let _permit = permit;
            let context = Context {
                state: &state,
                query: &query,
                path: uri.path(),
                now: (state.clock)(),
                status: state.gate.status(),
            };
            page(&context).map(|page| Html(layout::whole(&context, &page).into_string()))
        });
        drawn
            .await
            .map_err(|_| PageError::Unavailable("Drawing this page failed.".to_owned()))?
    };
    timeout(PATIENCE, work).await.map_err(|_| PageError::Slow)?
}
