//! The facade: everything that commands, pages and consumers ask of the responder.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::agenda::Agenda;
use super::error::Error;
use super::guard::Knowledge;
use super::known::Known;
use super::policy::Policy;
use super::reason::Reason;
use crate::ledger::{self, Ask, Draft, Ledger, Lists, Transaction, View};
use crate::network_acl::{AclKey, Direction, NetworkAcls};

/// Decides on findings, keeps the ledger, and acts on network ACLs. Share it by reference or in an [`Arc`].
pub struct Responder<L, N> {
    pub(super) ledger: L,
    pub(super) acls: N,
    pub(super) policy: Arc<Policy>,
    pub(super) owner: String,
    /// One sweep at a time within the process; the ledger's lease is between processes.
    pub(super) sweeping: Mutex<()>,
    guards: Known,
    /// One delivery at a time within the process, for the same reason.
    pub(super) delivering: Mutex<()>,
    pub(super) agenda: Agenda,
}

/// What a person wants unblocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unblock {
    /// Every entry that overlaps this network.
    Address(IpNet),
    /// Every entry.
    All,
}

/// What a person asks for with `portcullis block`.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// What to deny.
    pub cidr: IpNet,
    /// Only on the network ACL with this id; `None` on every one that is known.
    pub acl: Option<String>,
    /// Which ways.
    pub directions: Vec<Direction>,
    /// Until then; `None` until evicted or unblocked.
    pub until: Option<DateTime<Utc>>,
    /// Who asks.
    pub who: String,
    /// Why, in that person's words.
    pub reason: String,
    /// Say what would be done and touch nothing.
    pub dry_run: bool,
}

/// What came of one entry that a person asked about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActReport {
    /// Which network ACL; `None` when the refusal is about no particular one.
    pub acl: Option<AclKey>,
    /// Which way.
    pub direction: Option<Direction>,
    /// The address.
    pub cidr: IpNet,
    /// `planned`, `refused`, `removing`, `removed`, `held_off`; of what is taken over: `adopted`, `missing`, `out_of_range`, `unknown_acl`.
    pub outcome: String,
    /// Why it was refused, or `manual`.
    pub reason: Reason,
    /// Rule number, when one is or was held.
    pub rule: Option<u16>,
    /// The address whose entry has to go.
    pub evicts: Option<IpNet>,
}

/// What one sweep did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sweep {
    /// Entries confirmed.
    pub applied: u64,
    /// Of these, by replacing another.
    pub evicted: u64,
    /// Entries deleted.
    pub removed: u64,
    /// Entries that EC2 refused for good.
    pub rejected: u64,
    /// Entries that had to take another rule number, because somebody else's content stood there.
    pub foreign: u64,
    /// Network ACLs left for later: another process acts on them, or EC2 throttles.
    pub postponed: u64,
    /// Why, the last one.
    pub last_error: Option<String>,
}

impl<L: Ledger, N: NetworkAcls> Responder<L, N> {
    /// A responder over a ledger and network ACLs. `owner` names this process in leases.
    pub fn new(ledger: L, acls: N, policy: Policy, owner: impl Into<String>) -> Self {
        let guards = Known::of(&policy);
        Self {
            ledger,
            acls,
            policy: Arc::new(policy),
            owner: owner.into(),
            sweeping: Mutex::new(()),
            guards,
            delivering: Mutex::new(()),
            agenda: Agenda::default(),
        }
    }

    /// The policy it follows.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The ledger, for checks and tests.
    #[must_use]
    pub fn ledger(&self) -> &L {
        &self.ledger
    }

    /// The network ACLs, for checks and tests.
    #[must_use]
    pub fn network_acls(&self) -> &N {
        &self.acls
    }

    /// What the guards know now: the policy's lists, the inventory and the allow-list.
    pub(super) async fn knowledge(&self, lists: &Lists) -> Knowledge {
        self.guards.now(&self.acls, lists).await
    }

    /// What to begin from: what is remembered, where it may be and answers the question, else what stands.
    pub(super) async fn known(&self, ask: Ask<'_>, recall: bool) -> Result<View, Error> {
        if recall && let Some(view) = self.ledger.recall(ask) {
            return Ok(view);
        }
        Ok(self.ledger.read(ask).await?)
    }

    /// Commits, and remembers what follows from it.
    pub(super) async fn write(&self, transaction: &Transaction) -> Result<(), ledger::Error> {
        let written = self.ledger.commit(transaction).await?;
        self.agenda.follow(transaction, written);
        Ok(())
    }

    pub(super) async fn commit_draft(&self, draft: Draft) -> Result<(), ledger::Error> {
        self.write(&draft.into_transaction()).await
    }

    /// What stands of these network ACLs, and of each address on each of them in either direction.
    pub(super) async fn view(&self, acls: &[AclKey], cidrs: &[IpNet]) -> Result<View, Error> {
        let ways = [Direction::Ingress, Direction::Egress];
        let each = |acl: &AclKey| {
            let (acl, ways) = (acl.clone(), ways.into_iter());
            ways.flat_map(move |way| cidrs.iter().map(move |cidr| (way, *cidr)))
                .map(move |(way, cidr)| (acl.clone(), way, cidr))
        };
        let entries: Vec<_> = acls.iter().flat_map(each).collect();
        let ask = Ask {
            acls,
            entries: &entries,
            findings: &[],
        };
        Ok(self.ledger.read(ask).await?)
    }
}

/// A responder on one machine: the ledger and the model of network ACLs in `dir`, which is created.
///
/// `discover` gives a subnet that is not known a network ACL of its own on first sight: for a person's own findings.
///
/// # Errors
/// When the directory or a file in it cannot be opened.
#[cfg(feature = "embedded")]
pub fn open_embedded(dir: &std::path::Path, policy: Policy, discover: bool) -> Result<Embedded, Error> {
    use crate::ledger::embedded::SqliteLedger;
    use crate::network_acl::model::Model;

    std::fs::create_dir_all(dir).map_err(|error| Error::Refused(format!("{}: {error}", dir.display())))?;
    Ok(Responder::new(
        SqliteLedger::open(dir)?,
        Model::open(dir)?.discover(discover),
        policy,
        owner(),
    ))
}

/// A name for this process in leases that no other has. A process number comes again after a restart, in a container always.
#[must_use]
pub fn owner() -> String {
    format!("portcullis-{}-{:x}", std::process::id(), Utc::now().timestamp_micros())
}

/// A responder whose ledger and network ACLs are both on this machine.
#[cfg(feature = "embedded")]
pub type Embedded = Responder<crate::ledger::embedded::SqliteLedger, crate::network_acl::model::Model>;
