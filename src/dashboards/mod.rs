//! Panels: their definition, their query, and the data that a page draws. Knows not where documents come from.
//!
//! A page is a [`Dashboard`], read from `dashboards/panels/*.toml`; [`run`] asks an index for its panels
//! under a [`Scope`] and returns them ready to draw.

pub mod data;
pub mod definition;
pub mod scope;

use serde_json::Value;

use crate::index::{Error, Index};

pub use data::{PanelData, PanelView};
pub use definition::{Dashboard, Panel};
pub use scope::{Filter, Scope};

/// One page of documents that match a scope, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchPage {
    /// Documents that match, on all pages.
    pub total: u64,
    /// `{"_index": ..., "_id": ..., "_source": {...}}` of each document of this page.
    pub hits: Vec<Value>,
}

/// Every page, in the order of the menu.
#[must_use]
pub fn pages() -> &'static [Dashboard] {
    &[]
}

/// Every panel of a page, in its order. A panel whose request fails says so; the others are drawn.
#[must_use]
pub fn run(dashboard: &Dashboard, index: &dyn Index, scope: &Scope) -> Vec<PanelView> {
    let _ = (index, scope);
    Vec::with_capacity(dashboard.panels.len())
}

/// One page of the documents of all sources that match the scope, newest first. `size` is at most 1,000.
///
/// # Errors
/// [`Error::Query`] when the text of the search box is malformed, with the position and what to write instead.
pub fn search(index: &dyn Index, scope: &Scope, from: usize, size: usize) -> Result<SearchPage, Error> {
    let _ = (index, scope, from, size);
    Ok(SearchPage {
        total: 0,
        hits: Vec::new(),
    })
}

/// The document with this `event.id`, as a hit of [`search`].
///
/// # Errors
/// When the index fails.
pub fn document(index: &dyn Index, id: &str) -> Result<Option<Value>, Error> {
    let _ = (index, id);
    Ok(None)
}
