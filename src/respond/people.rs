//! People in the loop.

use chrono::{DateTime, Utc};
use ipnet::IpNet;

use super::error::Error;
use super::responder::{ActReport, Block, Responder, Unblock};
use crate::ledger::{Allowance, Ledger};
use crate::network_acl::NetworkAcls;

impl<L: Ledger, N: NetworkAcls> Responder<L, N> {
    /// Plans deny entries on a person's word. The guards bind here, too. Call [`Responder::sweep`] to act.
    ///
    /// # Errors
    /// [`Error::Refused`] when the network ACL is not known; otherwise transient ones.
    pub async fn block(&self, _block: &Block, _now: DateTime<Utc>) -> Result<Vec<ActReport>, Error> {
        Ok(Vec::new())
    }

    /// Takes entries away on a person's word, and holds off new ones. Call [`Responder::sweep`] to act.
    ///
    /// # Errors
    /// Transient ones.
    pub async fn unblock(
        &self,
        _target: Unblock,
        _acl: Option<&str>,
        _who: &str,
        _reason: &str,
        _dry_run: bool,
        _now: DateTime<Utc>,
    ) -> Result<Vec<ActReport>, Error> {
        Ok(Vec::new())
    }

    /// Puts a network on the allow-list and takes existing denies that overlap it away.
    ///
    /// # Errors
    /// Transient ones.
    pub async fn allow_add(
        &self,
        _cidr: IpNet,
        _until: Option<DateTime<Utc>>,
        _who: &str,
        _reason: &str,
        _now: DateTime<Utc>,
    ) -> Result<Vec<ActReport>, Error> {
        Ok(Vec::new())
    }

    /// Takes a network off the allow-list; `false` when it was not on it.
    ///
    /// # Errors
    /// Transient ones.
    pub async fn allow_remove(
        &self,
        _cidr: IpNet,
        _who: &str,
        _reason: &str,
        _now: DateTime<Utc>,
    ) -> Result<bool, Error> {
        Ok(false)
    }

    /// The allow-list that people keep, with ends; ended ones too until they are removed.
    ///
    /// # Errors
    /// Transient ones.
    pub async fn allow_list(&self) -> Result<Vec<Allowance>, Error> {
        Ok(Vec::new())
    }
}
