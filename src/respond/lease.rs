//! Acting under a lease: taken, kept while there is work, given back; and no call begins that could outlast it.

use chrono::{DateTime, TimeDelta, Utc};

use super::accept::ATTEMPTS;
use super::clock::Clock;
use super::error::Error;
use super::responder::Responder;
use crate::ledger::{self, Draft, Ledger, Row};
use crate::network_acl::{AclKey, CALL, NetworkAcls};

/// How long a lease lasts.
const LEASE: TimeDelta = TimeDelta::seconds(60);

/// The most by which the clocks of two processes may differ.
pub const SKEW: TimeDelta = TimeDelta::seconds(5);

/// The right to act on one network ACL.
pub(super) struct Hold {
    pub(super) acl: AclKey,
    until: DateTime<Utc>,
}

impl Hold {
    /// Whether a call may begin: it ends before anybody else thinks that the lease has run out.
    pub(super) fn fits_a_call(&self, now: DateTime<Utc>) -> bool {
        self.until - now > CALL + SKEW || planted!(LeaseOverrun) || planted!(NoLease)
    }
}

impl<L: Ledger, N: NetworkAcls> Responder<L, N> {
    /// Takes the lease; `None` when another process acts.
    pub(super) async fn hold(&self, acl: &AclKey, clock: &impl Clock) -> Result<Option<Hold>, Error> {
        let now = clock.now();
        let until = now + LEASE;
        let taken = self.ledger.lease(acl, &self.owner, now, until).await? || planted!(NoLease);
        Ok(taken.then(|| Hold {
            acl: acl.clone(),
            until,
        }))
    }

    /// Keeps the lease while there is work; `false` when it was lost.
    pub(super) async fn keep(&self, hold: &mut Hold, clock: &impl Clock) -> Result<bool, Error> {
        let now = clock.now();
        if hold.until - now > LEASE / 2 || planted!(NoLease) || planted!(LeaseOverrun) {
            return Ok(true);
        }
        let until = now + LEASE;
        let kept = self.ledger.renew(&hold.acl, &self.owner, until).await?;
        if kept {
            hold.until = until;
        }
        Ok(kept)
    }

    /// Gives the lease back. After a failure it is left to run out: whoever takes it next is to know that work may be half done.
    pub(super) async fn give_back(&self, hold: Hold, done: Result<(), Error>) -> Result<(), Error> {
        done?;
        Ok(self.ledger.release(&hold.acl, &self.owner).await?)
    }

    /// The network ACL as the ledger has it, if the lease is still ours.
    pub(super) async fn leased(&self, acl: &AclKey) -> Result<Option<Draft>, Error> {
        let draft = Draft::new(self.view(std::slice::from_ref(acl), &[], &[]).await?);
        let owner = draft
            .meta(acl)
            .and_then(|meta| meta.lease.as_ref())
            .map(|lease| &lease.owner);
        Ok((owner == Some(&self.owner) || planted!(NoLease)).then_some(draft))
    }

    /// Writes down that nobody knows what a call came to.
    pub(super) async fn unsure(&self, acl: &AclKey, now: DateTime<Utc>) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let Some(mut draft) = self.leased(acl).await? else {
                // Whoever took the lease found it not given back, and knows.
                return Ok(());
            };
            draft.edit_meta(acl, |meta| meta.unsure = Some(now))?;
            match self.ledger.commit(&draft.into_transaction()).await {
                Err(ledger::Error::Conflict) => tokio::task::yield_now().await,
                done => return Ok(done?),
            }
        }
        Err(ledger::Error::Conflict.into())
    }
}

/// Whether a description of now shows what the last call on this rule number did, when descriptions lag by up to `lag`.
#[must_use]
pub fn settled(draft: &Draft, row: &Row, rule: u16, now: DateTime<Utc>, lag: TimeDelta) -> bool {
    let victim = row.replaces.and_then(|cidr| draft.row(&row.acl, row.direction, cidr));
    let stood = |row: &Row| row.state != ledger::State::Planned;
    let at_number = draft
        .rows(&row.acl)
        .iter()
        .filter(|other| other.direction == row.direction)
        .filter_map(|other| other.left(rule));
    let last = draft
        .meta(&row.acl)
        .and_then(|meta| meta.unsure)
        .into_iter()
        .chain(victim.filter(|row| stood(row)).map(Row::confirmed_at))
        .chain(stood(row).then(|| row.confirmed_at()))
        .chain(at_number)
        .max();
    last.is_none_or(|last| now - last >= lag)
}
