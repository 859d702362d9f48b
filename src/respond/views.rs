//! What people and pages read.

use chrono::{DateTime, Utc};

use super::error::Error;
use super::report::{AclReport, AuditReport, EntryReport, MessageReport, StatusReport};
use super::responder::Responder;
use crate::ledger::{Filter, Ledger, Unreadable};
use crate::network_acl::NetworkAcls;

impl<L: Ledger, N: NetworkAcls> Responder<L, N> {
    /// Ledger entries.
    ///
    /// # Errors
    /// When the ledger fails, as for every call here.
    pub async fn entries(&self, _filter: Filter) -> Result<Vec<EntryReport>, Error> {
        Ok(Vec::new())
    }

    /// Every network ACL and direction.
    ///
    /// # Errors
    /// When the ledger or the network ACLs cannot be read.
    pub async fn acls(&self) -> Result<Vec<AclReport>, Error> {
        Ok(Vec::new())
    }

    /// Audit rows with a number above `after`, in order.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn audit(&self, _after: u64, _limit: usize) -> Result<Vec<AuditReport>, Error> {
        Ok(Vec::new())
    }

    /// The newest audit rows, newest first.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn audit_newest(&self, _limit: usize) -> Result<Vec<AuditReport>, Error> {
        Ok(Vec::new())
    }

    /// Messages, newest first.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn messages(&self, _limit: usize) -> Result<Vec<MessageReport>, Error> {
        Ok(Vec::new())
    }

    /// Records that could not be read as findings, newest first.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn unreadable(&self, limit: usize) -> Result<Vec<Unreadable>, Error> {
        Ok(self.ledger.unreadable(limit).await?)
    }

    /// Everything that `portcullis status` says.
    ///
    /// # Errors
    /// When the ledger or the network ACLs cannot be read.
    pub async fn status(&self, _now: DateTime<Utc>) -> Result<StatusReport, Error> {
        Err(Error::Refused("under way".to_owned()))
    }
}
