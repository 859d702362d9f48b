//! The responder behind the [`Gate`] that the pages look through.

use std::{net::IpAddr, sync::Arc};

use chrono::Utc;
use ipnet::IpNet;
use tokio::runtime::Handle;

use super::{
    Clock, Gate, Unavailable,
    acts::{Act, Verb},
};
use crate::{
    ledger::{Allowance, Filter, Ledger},
    network_acl::{Direction, NetworkAcls},
    respond::{
        ActReport, Block, Clock as _, Error, Responder, Unblock, WallClock,
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
        self.wait(self.responder.status_last_seen((self.clock)()))
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

    fn allowances(&self, address: IpAddr) -> Result<Vec<Allowance>, Unavailable> {
        let now = (self.clock)();
        let mut list = self.wait(self.responder.allow_list())?;
        list.retain(|entry| entry.cidr.contains(&address) && entry.until.is_none_or(|until| until > now));
        Ok(list)
    }

    fn act(&self, act: &Act) -> Result<Vec<ActReport>, Unavailable> {
        let now = WallClock.now();
        let cidr = IpNet::from(act.address.to_canonical());
        let responder = &self.responder;
        let (who, reason) = (act.who.as_str(), act.reason.as_str());
        self.wait(async {
            let reports = match act.verb {
                Verb::Block => {
                    let block = Block {
                        cidr,
                        acl: None,
                        directions: vec![Direction::Ingress],
                        until: act.until,
                        who: who.to_owned(),
                        reason: reason.to_owned(),
                        dry_run: false,
                    };
                    responder.block(&block, now).await?
                }
                Verb::Unblock => {
                    let target = Unblock::Address(cidr);
                    responder.unblock(target, None, who, reason, false, now).await?
                }
                Verb::Allow => responder.allow_add(cidr, act.until, who, reason, now).await?,
                Verb::Disallow => {
                    responder.allow_remove(cidr, who, reason, now).await?;
                    Vec::new()
                }
            };
            responder.sweep(&WallClock).await?;
            Ok(reports)
        })
    }

    fn messages(&self, limit: usize) -> Result<Vec<MessageReport>, Unavailable> {
        self.wait(self.responder.messages(limit))
    }
}
