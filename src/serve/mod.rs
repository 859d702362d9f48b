//! Pages, health and metrics: what the responder did and what the sources say, drawn on the server.
//!
//! [`router`] builds everything from a [`State`]; [`run`] serves it until told to stop. Pages work without JavaScript, ask no
//! other host for anything, and carry a Content-Security-Policy that allows no inline script or style. All are read; only the
//! Address page has forms, where they are enabled ([`acts`]). Beyond loopback a visitor has to be known ([`Access`]). Two traits ([`Gate`], [`Views`]) are all they know of the rest of the house.
//!
//! | path | page |
//! |---|---|
//! | `/` | Overview |
//! | `/guardduty`, `/securityhub`, `/waf`, `/vpcflow`, `/dns`, `/cloudtrail` | one source each |
//! | `/response` | the gate, alerts, audit, refusals |
//! | `/pipeline` | what was read, what was not and why, what comes late |
//! | `/address/{ip}` | one address across everything; `POST` blocks, unblocks, allows |
//! | `/data/{page}/{panel}.csv`, `.json` | one panel's numbers; of an address `/address/{ip}/data/{panel}.csv` |
//! | `/search`, `/document/{id}` | documents |
//! | `/healthz`, `/metrics` | for machines |

mod access;
pub mod acts;
mod answers;
mod assets;
mod chart;
mod document;
mod error;
mod export;
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
mod sign_in;
mod slack;
mod strip;
mod syntax;
#[cfg(test)]
mod tests;
mod text;
mod told;
mod values;

use std::{
    io,
    net::IpAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Extension, Path, State as Shared},
    http::Uri,
    middleware,
    response::Html,
    routing::{get, post},
};
use chrono::{DateTime, Utc};
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};

pub use access::{Access, Unguarded};
#[cfg(feature = "aws")]
pub use exposition::Stream;
pub use gate::{Dashboards, Gate, Unavailable, Views};
pub use guard::Hosts;
pub use listen::run;
#[cfg(feature = "aws")]
pub use machines::run_metrics;
pub use responder::Watched;

use crate::consume::pipeline::Tally;
use access::Visitor;
use error::PageError;
use layout::{Context, Page};
use params::{Invalid, Query};

/// Pages drawn at once; more wait their turn within [`PATIENCE`].
const DRAWN_AT_ONCE: usize = 8;
/// How long one page may take, waiting included.
const PATIENCE: Duration = Duration::from_secs(15);
/// Bytes of a form.
const LARGEST_FORM: usize = 16 * 1024;

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
    /// Who may open them.
    pub access: Access,
    /// Whether the Address page blocks, unblocks and allows.
    pub acts: bool,
    /// What was read since the start, when this program reads.
    pub tally: Option<Arc<Mutex<Tally>>>,
    /// The stream that this program reads beside its inputs, for `/metrics`.
    #[cfg(feature = "aws")]
    pub stream: Option<Stream>,
    /// Seals forms, so that no page elsewhere can write one.
    forms: [u8; 32],
    drawing: Arc<Semaphore>,
    counters: Arc<health::Counters>,
}

impl State {
    /// A state on the wall clock, not a demo, without Slack, for loopback names only, to be read only; set the fields to say
    /// otherwise.
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub fn new(gate: Arc<dyn Gate>, views: Arc<dyn Views>) -> io::Result<Self> {
        Ok(Self {
            gate,
            views,
            clock: Arc::new(Utc::now),
            demo: false,
            slack: false,
            hosts: Hosts::Loopback,
            access: Access::Open,
            acts: false,
            tally: None,
            #[cfg(feature = "aws")]
            stream: None,
            forms: access::secret()?,
            drawing: Arc::new(Semaphore::new(DRAWN_AT_ONCE)),
            counters: Arc::default(),
        })
    }
}

/// All routes over a state.
pub fn router(state: State) -> Router {
    let mut router = Router::new()
        .route("/", get(overview))
        .route("/response", get(response))
        .route("/search", get(search))
        .route("/pipeline", get(pipeline))
        .route("/address/{address}", get(address).post(acts::act))
        .route("/address/{address}/data/{file}", get(export::of_address))
        .route("/data/{page}/{file}", get(export::of_page))
        .route(sign_in::PATH, post(sign_in::sign_in))
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
        .layer(DefaultBodyLimit::max(LARGEST_FORM))
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

async fn pipeline(Shared(state): Shared<State>, uri: Uri) -> Drawn {
    draw(state, uri, pages::pipeline::page).await
}

fn address_of(text: &str) -> Result<IpAddr, Invalid> {
    let remedy = "write an IPv4 or IPv6 address, such as /address/45.83.64.11";
    text.parse().map_err(|_| Invalid::new("address", text, remedy))
}

async fn address(
    Shared(state): Shared<State>,
    Extension(visitor): Extension<Visitor>,
    Path(address): Path<String>,
    uri: Uri,
) -> Drawn {
    let address = address_of(&address)?;
    draw(state, uri, move |context| {
        pages::address::page(context, address, &visitor)
    })
    .await
}

async fn document(Shared(state): Shared<State>, Path(id): Path<String>, uri: Uri) -> Drawn {
    draw(state, uri, move |context| pages::document::page(context, &id)).await
}

/// Draws a page.
async fn draw<F>(state: State, uri: Uri, page: F) -> Drawn
where
    F: FnOnce(&Context<'_>) -> Result<Page, PageError> + Send + 'static,
{
    let mut query = Query::parse(uri.query().unwrap_or_default())?;
    // Of this page alone: no link may carry it on.
    let done = query.done.take();
    aside(state, move |state| {
        let context = Context {
            state,
            query: &query,
            done,
            path: uri.path(),
            now: (state.clock)(),
            status: state.gate.status(),
        };
        page(&context).map(|page| Html(layout::whole(&context, &page).into_string()))
    })
    .await
}

/// Works off the async threads, a bounded number at once and for a bounded time.
async fn aside<T, F>(state: State, work: F) -> Result<T, PageError>
where
    T: Send + 'static,
    F: FnOnce(&State) -> Result<T, PageError> + Send + 'static,
{
    let work = async move {
        // The permit goes along: a page that outlives its patience still counts until it is done.
        let permit = Arc::clone(&state.drawing)
            .acquire_owned()
            .await
            .map_err(|_| PageError::Slow)?;
        let drawn = spawn_blocking(move || {
            let _permit = permit;
            work(&state)
        });
        drawn
            .await
            .map_err(|_| PageError::Unavailable("Drawing this page failed.".to_owned()))?
    };
    timeout(PATIENCE, work).await.map_err(|_| PageError::Slow)?
}
