//! The responder behind the [`Gate`] that the pages look through.

use std::{net::IpAddr, sync::Arc};

use chrono::Utc;
use tokio::runtime::Handle;

use super::{Clock, Gate, Unavailable};
use crate::{
    ledger::{Filter, Ledger},
    network_acl::NetworkAcls,
    respond::{
        Error, Responder,
        report::{AuditReport, EntryReport, MessageReport, StatusReport},
    },
};

/// Audit rows that are looked through for those of one address.
const LOOKED_THROUGH: usize = 10_000;

/// Lets pages, which are drawn off the async threads, wait for a responder.
pub struct Watched<L, N> {
    responder: Arc<Responder<L, N>>,
    runtime: Handle,
    clock: Clock,
}

impl<L: Ledger, N: NetworkAcls> Watched<L, N> {
    /// Watches a responder from within a runtime, by the wall clock.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    #[must_use]
    pub fn new(responder: Arc<Responder<L, N>>) -> Self {
        Self {
            responder,
            runtime: Handle::current(),
            clock: Arc::new(Utc::now),
        }
    }

    fn wait<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Unavailable> {
        self.runtime
            .block_on(work)
            .map_err(|error| Unavailable(error.to_string()))
    }
}

impl<L: Ledger, N: NetworkAcls> Gate for Watched<L, N> {
    fn status(&self) -> Result<StatusReport, Unavailable> {
        self.wait(self.responder.status((self.clock)()))
    }

    fn entries_of(&self, address: IpAddr) -> Result<Vec<EntryReport>, Unavailable> {
        let mut entries = self.wait(self.responder.entries(Filter::All))?;
        entries.retain(|entry| entry.cidr.contains(&address));
        entries.reverse();
        Ok(entries)
    }

    fn audit(&self, limit: usize, address: Option<IpAddr>) -> Result<Vec<AuditReport>, Unavailable> {
        let Some(address) = address else {
            return self.wait(self.responder.audit_newest(limit));
        };
        let mut rows = self.wait(self.responder.audit_newest(LOOKED_THROUGH))?;
        rows.retain(|row| row.cidr.is_some_and(|cidr| cidr.contains(&address)));
        rows.truncate(limit);
        Ok(rows)
    }

    fn messages(&self, limit: usize) -> Result<Vec<MessageReport>, Unavailable> {
        self.wait(self.responder.messages(limit))
    }
}
