//! What the pages ask of the rest of the house: the responder's state, the panels, the search. Two small traits, so that
//! the pages know neither ledger nor engine and can be drawn from plain values in a test.

use std::{net::IpAddr, sync::Arc};

use portcullis_transforms::{Field, Source};
use serde_json::Value;

use super::acts::Act;
use crate::{
    dashboards::{self, PanelView, Scope, SearchPage},
    index::{self, Index},
    ledger::Allowance,
    respond::{
        self, ActReport,
        report::{AuditReport, EntryReport, MessageReport, StatusReport},
    },
};

/// The responder's state cannot be read just now; the page says so in place and goes on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unavailable(pub String);

/// The responder as people see it: what stands on the network ACLs, what was decided, what was told.
///
/// Calls may block; the pages make them off the async threads.
pub trait Gate: Send + Sync {
    /// The whole state, one row per network ACL and direction, as the responder last saw it: every page and every scrape asks for
    /// it, so it must not ask EC2.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn status(&self) -> Result<StatusReport, Unavailable>;

    /// Every entry an address has or had, the newest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn entries_of(&self, address: IpAddr) -> Result<Vec<EntryReport>, Unavailable>;

    /// The newest audit rows, newest first, of one address when one is given.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn audit(&self, limit: usize, address: Option<IpAddr>) -> Result<Vec<AuditReport>, Unavailable>;

    /// What spares the address now: entries of the allow-list that people keep.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn allowances(&self, address: IpAddr) -> Result<Vec<Allowance>, Unavailable>;

    /// Does what a person asks for, and acts on the network ACLs at once as far as that is possible.
    ///
    /// # Errors
    /// When the ledger or EC2 cannot be reached; says what happened.
    fn act(&self, act: &Act) -> Result<Vec<ActReport>, Unavailable>;

    /// The newest messages of the outbox, newest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn messages(&self, limit: usize) -> Result<Vec<MessageReport>, Unavailable>;
}

/// The panels of a page and the documents behind them.
///
/// Calls may block; the pages make them off the async threads.
pub trait Views: Send + Sync {
    /// The panels of a page (`overview`, `guardduty`, `securityhub`, `waf`, `vpcflow`, `cloudtrail`, `response`, `address`, `search`), in
    /// drawing order; none when there is no such page. A panel whose request fails is `PanelData::Failed`.
    fn panels(&self, page: &str, scope: &Scope) -> Vec<PanelView>;

    /// One panel of a page; `None` when there is none of that name.
    fn panel(&self, page: &str, id: &str, scope: &Scope) -> Option<PanelView>;

    /// `size` documents that match, after the first `from`, newest first.
    ///
    /// # Errors
    /// [`index::Error::Query`] when the text cannot be read, else what failed.
    fn search(&self, scope: &Scope, from: usize, size: usize) -> Result<SearchPage, index::Error>;

    /// The document with this `event.id`, as a hit of [`Views::search`].
    ///
    /// # Errors
    /// When the engine fails.
    fn document(&self, id: &str) -> Result<Option<Value>, index::Error>;

    /// What the fields of an index mean.
    fn fields(&self, index: &str) -> Vec<&'static Field>;
}

/// The dashboards over an index.
pub struct Dashboards(pub Arc<dyn Index>);

impl Views for Dashboards {
    fn panels(&self, page: &str, scope: &Scope) -> Vec<PanelView> {
        dashboards::pages()
            .iter()
            .find(|dashboard| dashboard.id == page)
            .map(|dashboard| dashboards::run(dashboard, &*self.0, scope))
            .unwrap_or_default()
    }

    fn panel(&self, page: &str, id: &str, scope: &Scope) -> Option<PanelView> {
        let dashboard = dashboards::pages().iter().find(|dashboard| dashboard.id == page)?;
        let panel = dashboard.panels.iter().find(|panel| panel.id == id)?;
        let alone = dashboards::Dashboard {
            panels: vec![panel.clone()],
            ..dashboard.clone()
        };
        dashboards::run(&alone, &*self.0, scope).pop()
    }

    fn search(&self, scope: &Scope, from: usize, size: usize) -> Result<SearchPage, index::Error> {
        dashboards::search(&*self.0, scope, from, size)
    }

    fn document(&self, id: &str) -> Result<Option<Value>, index::Error> {
        dashboards::document(&*self.0, id)
    }

    fn fields(&self, index: &str) -> Vec<&'static Field> {
        match index::latest::base(index).parse() {
            Ok(source) => Source::fields(source),
            Err(_) => respond::document::fields().collect(),
        }
    }
}
