//! Acting under a lease: taken, kept while there is work, given back; and no call begins that could outlast it.

use chrono::{DateTime, TimeDelta, Utc};

use super::accept::ATTEMPTS;
use super::agenda::is_fresh;
use super::clock::Clock;
use super::error::Error;
use super::responder::Responder;
use crate::ledger::{self, Ask, Draft, Lease, Ledger, Row};
use crate::network_acl::{AclKey, CALL, NetworkAcls};

/// How long a lease lasts. Whoever dies keeps others away for so long; a call and the clocks' difference take half of it.
const LEASE: TimeDelta = TimeDelta::seconds(30);

/// How long a lease lasts that a plan takes: long enough for a call that begins within five seconds. Later it is renewed first.
const WITH_PLAN: TimeDelta = TimeDelta::seconds(20);

/// The most by which the clocks of two processes may differ.
pub const SKEW: TimeDelta = TimeDelta::seconds(5);

/// The right to act on one network ACL.
pub(super) struct Hold {
    pub(super) acl: AclKey,
    until: DateTime<Utc>,
    /// When it was taken with a plan: what is remembered since is fresh enough to act on for a while.
    planned: Option<DateTime<Utc>>,
    /// It was given back with the last commit.
    pub(super) given_back: bool,
}

impl Hold {
    fn new(acl: &AclKey, taken: DateTime<Utc>, planned: Option<DateTime<Utc>>) -> Self {
        let lasts = if planned.is_some() { WITH_PLAN } else { LEASE };
        Self {
            acl: acl.clone(),
            until: taken + lasts,
            planned,
            given_back: false,
        }
    }

    /// Whether this is the lease that stands, and not an earlier or a later one under the same name.
    fn is(&self, lease: &Lease, owner: &str) -> bool {
        // A store may keep milliseconds.
        lease.owner == owner && lease.until.timestamp_millis() == self.until.timestamp_millis()
    }

    /// Whether what is remembered may be acted on.
    pub(super) fn may_recall(&self, now: DateTime<Utc>) -> bool {
        self.planned.is_some_and(|then| is_fresh(then, now))
    }

    /// Whether a call may begin: it ends before anybody else thinks that the lease has run out.
    pub(super) fn fits_a_call(&self, now: DateTime<Utc>) -> bool {
        self.until - now > CALL + SKEW || planted!(LeaseOverrun) || planted!(NoLease)
    }
}

impl<L: Ledger, N: NetworkAcls> Responder<L, N> {
    /// Takes the lease; `None` when another process acts.
    pub(super) async fn hold(&self, acl: &AclKey, clock: &impl Clock) -> Result<Option<Hold>, Error> {
        let now = clock.now();
        if let Some(planned) = self.agenda.lease(acl) {
            let hold = Hold::new(acl, planned, Some(planned));
            // Nothing was begun under it, so nothing is in doubt, however long it was ours.
            if hold.fits_a_call(now) {
                return Ok(Some(hold));
            }
            if self.ledger.renew(acl, &self.owner, now + LEASE).await? {
                return Ok(Some(Hold::new(acl, now, None)));
            }
        }
        let until = now + LEASE;
        let taken = self.ledger.lease(acl, &self.owner, now, until).await? || planted!(NoLease);
        Ok(taken.then(|| Hold::new(acl, now, None)))
    }

    /// Has a commit that plans entries take the leases as well, where they are free; says which. A plan that is acted on by
    /// whoever made it needs no other call for that.
    pub(super) fn lease_with_plan(&self, draft: &mut Draft, now: DateTime<Utc>) -> Result<Vec<AclKey>, ledger::Error> {
        let mut planned = draft.planned();
        if !self.ledger.lease_is_a_row() || !self.agenda.takes_leases(planned.len()) {
            return Ok(Vec::new());
        }
        planned.retain(|acl| draft.meta(acl).is_some_and(|meta| meta.lease.is_none()));
        for acl in &planned {
            draft.edit_meta(acl, |meta| {
                meta.lease = Some(Lease {
                    owner: self.owner.clone(),
                    until: now + WITH_PLAN,
                });
            })?;
        }
        Ok(planned)
    }

    /// Has a commit give the lease back as well, where nothing is left to do.
    pub(super) fn release_with(&self, draft: &mut Draft, hold: &Hold) -> Result<bool, ledger::Error> {
        if !self.ledger.lease_is_a_row() {
            return Ok(false);
        }
        draft.edit_meta(&hold.acl, |meta| meta.lease = None)?;
        Ok(true)
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
        if hold.given_back {
            return Ok(());
        }
        Ok(self.ledger.release(&hold.acl, &self.owner).await?)
    }

    /// The network ACL as the ledger has it, or as it is remembered, if the lease is still ours.
    pub(super) async fn leased(&self, hold: &Hold, recall: bool) -> Result<Option<Draft>, Error> {
        let ask = Ask {
            acls: std::slice::from_ref(&hold.acl),
            ..Ask::default()
        };
        let draft = Draft::new(self.known(ask, recall).await?);
        let lease = draft.meta(&hold.acl).and_then(|meta| meta.lease.as_ref());
        let ours = lease.is_some_and(|lease| hold.is(lease, &self.owner)) || planted!(NoLease);
        Ok(ours.then_some(draft))
    }

    /// Writes down that nobody knows what a call came to.
    pub(super) async fn unsure(&self, hold: &Hold, now: DateTime<Utc>) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let Some(mut draft) = self.leased(hold, false).await? else {
                // Whoever took the lease found it not given back, and knows.
                return Ok(());
            };
            draft.edit_meta(&hold.acl, |meta| meta.unsure = Some(now))?;
            match self.commit_draft(draft).await {
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
