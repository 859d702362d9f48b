//! Panels: their definition, their query, and the data that a page draws. Knows not where documents come from.
//!
//! A page is a [`Dashboard`], read from `dashboards/panels/*.toml`; [`run`] asks an index for its panels
//! under a [`Scope`] and returns them ready to draw.

mod answer;
pub mod data;
pub mod definition;
mod empty;
mod interval;
mod pages;
mod request;
pub mod saved;
pub mod scope;
mod source;

#[cfg(all(test, feature = "embedded"))]
mod tests;

use std::{num::NonZero, sync::Mutex, thread};

use serde_json::{Value, json};

use crate::index::{Error, Index};

pub use data::{PanelData, PanelView};
pub use definition::{Dashboard, Panel};
pub use pages::{FieldProblem, check_fields, pages};
pub use scope::{Filter, Scope};

/// One page of documents that match a scope, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchPage {
    /// Documents that match, on all pages.
    pub total: u64,
    /// `{"_index": ..., "_id": ..., "_source": {...}}` of each document of this page.
    pub hits: Vec<Value>,
}

/// Most panels that are asked for at the same time.
const AT_ONCE: usize = 4;

/// The search body that a panel asks its index for.
#[must_use]
pub fn request(panel: &Panel, scope: &Scope) -> Value {
    request::body(panel, scope)
}

/// Every panel of a page, in its order. A panel whose request fails says so; the others are drawn.
#[must_use]
pub fn run(dashboard: &Dashboard, index: &dyn Index, scope: &Scope) -> Vec<PanelView> {
    let known = empty::Known::default();
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(AT_ONCE);
    let queue = Mutex::new(dashboard.panels.iter().enumerate());
    let work = || {
        let mut done = Vec::new();
        loop {
            let next = queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next();
            let Some((position, panel)) = next else { return done };
            done.push((position, view(panel, index, scope, &known)));
        }
    };
    let mut views = thread::scope(|scope| {
        let helpers: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut views = work();
        for helper in helpers {
            views.extend(helper.join().unwrap_or_default());
        }
        views
    });
    views.sort_by_key(|(position, _)| *position);
    views.into_iter().map(|(_, view)| view).collect()
}

fn view(panel: &Panel, index: &dyn Index, scope: &Scope, known: &empty::Known) -> PanelView {
    let data = answered(panel, index, scope, known).unwrap_or_else(|error| PanelData::Failed {
        message: error.to_string(),
    });
    PanelView {
        id: panel.id.clone(),
        title: panel.title.clone(),
        question: panel.question.clone(),
        width: panel.width,
        data,
    }
}

fn answered(panel: &Panel, index: &dyn Index, scope: &Scope, known: &empty::Known) -> Result<PanelData, Error> {
    let answer = index.search(&panel.index, &request::body(panel, scope))?;
    match answer::data(panel, scope, &answer) {
        // A nought means something only when the source is connected.
        Some(PanelData::Tile { value: 0.0, .. }) if known.of(index, &panel.index)?.0 == 0 => {
            empty::why(panel, scope, index, known)
        }
        Some(mut data) => {
            if let PanelData::Tile { previous, .. } = &mut data
                && previous.is_some()
                && !known.covers_the_period_before(scope, index, &panel.index)?
            {
                *previous = None;
            }
            Ok(data)
        }
        None => empty::why(panel, scope, index, known),
    }
}

/// One page of the documents of all sources that match the scope, newest first. `size` is at most 1,000, and
/// `from` plus `size` at most 10,000.
///
/// # Errors
/// [`Error::Query`] when the text of the search box is malformed, with the position and what to write instead.
pub fn search(index: &dyn Index, scope: &Scope, from: usize, size: usize) -> Result<SearchPage, Error> {
    let body = json!({
        "query": scope.query_from(scope.from, ""),
        "from": from,
        "size": size,
        "sort": [{ "@timestamp": "desc" }],
        "track_total_hits": true,
    });
    let mut answer = index.search("*", &body)?;
    let total = answer["hits"]["total"]["value"].as_u64().unwrap_or_default();
    let hits = match answer["hits"]["hits"].take() {
        Value::Array(hits) => hits,
        _ => Vec::new(),
    };
    Ok(SearchPage { total, hits })
}

/// The document with this `event.id`, as a hit of [`search`].
///
/// # Errors
/// When the index fails.
pub fn document(index: &dyn Index, id: &str) -> Result<Option<Value>, Error> {
    let mut answer = index.search("*", &json!({ "query": { "term": { "_id": id } }, "size": 1 }))?;
    let hit = answer["hits"]["hits"].get_mut(0).map(Value::take);
    Ok(hit)
}
