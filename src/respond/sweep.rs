//! Finishes what is pending: under a lease, one entry at a time, describe, call, confirm.
//!
//! Nothing here remembers anything: after a crash the next sweep reads the ledger, looks at what stands, and goes on. A
//! call whose answer was lost shows in the next description.

use chrono::{DateTime, TimeDelta, Utc};
use ipnet::IpNet;

use super::accept::ATTEMPTS;
use super::act::{Step, next_row, next_step};
use super::confirm;
use super::error::Error;
use super::guard;
use super::plan;
use super::responder::{Responder, Sweep};
use crate::ledger::{self, Draft, Ledger, Row, State};
use crate::network_acl::{Acl, AclKey, Code, Entry, NetworkAcls};

/// How long a lease lasts.
const LEASE: TimeDelta = TimeDelta::seconds(60);

/// Steps on one network ACL before the lease is taken anew.
const STEPS: usize = 400;

/// What one step came to.
enum Progress {
    /// There may be more.
    More,
    /// Nothing is pending.
    Quiet,
    /// Not now; says why.
    Later(String),
}

impl<L: Ledger, N: NetworkAcls> Responder<L, N> {
    /// Acts on everything that is pending and confirms it, then makes messages of the alerts.
    ///
    /// Safe to call at any time, from several tasks and processes. What cannot be done now stays pending.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn sweep(&self, now: DateTime<Utc>) -> Result<Sweep, Error> {
        let _one = self.sweeping.lock().await;
        let mut report = Sweep::default();
        for acl in self.ledger.pending(now).await? {
            if !self.ledger.lease(&acl, &self.owner, now, now + LEASE).await? {
                report.postponed += 1;
                report.last_error = Some(format!("another process acts on {}", acl.acl));
                continue;
            }
            let done = self.sweep_acl(&acl, now, &mut report).await;
            self.ledger.release(&acl, &self.owner).await?;
            done?;
        }
        self.gather(now).await?;
        Ok(report)
    }

    async fn sweep_acl(&self, acl: &AclKey, now: DateTime<Utc>, report: &mut Sweep) -> Result<(), Error> {
        for _ in 0..STEPS {
            match self.step(acl, now, report).await? {
                Progress::More => {}
                Progress::Quiet => return Ok(()),
                Progress::Later(why) => {
                    report.postponed += 1;
                    report.last_error = Some(why);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    async fn step(&self, acl: &AclKey, now: DateTime<Utc>, report: &mut Sweep) -> Result<Progress, Error> {
        let Some(mut draft) = self.leased(acl).await? else {
            return Ok(Progress::Later(format!("the lease on {} was lost", acl.acl)));
        };
        let knowledge = self.knowledge(draft.lists()).await;
        let guarded = |cidr: IpNet| guard::check(cidr, &knowledge, now).filter(|_| knowledge.available);
        if confirm::tidy(&mut draft, acl, &self.policy, guarded, now)? {
            return self.commit(draft).await;
        }
        let Some(row) = next_row(draft.rows(acl)).cloned() else {
            return Ok(Progress::Quiet);
        };
        if row.state == State::Planned && !knowledge.available {
            return Ok(Progress::Later(
                "the inventory cannot be read, so nothing is blocked".to_owned(),
            ));
        }
        let described = match self.acls.describe(acl).await {
            Ok(described) => described,
            Err(error) if may_pass(&row, error.code) => return Ok(Progress::Later(error.to_string())),
            Err(error) => {
                report.rejected += 1;
                settle_refused(&mut draft, row, None, error.code.name(), &error.to_string(), now)?;
                return self.commit(draft).await;
            }
        };
        let facts = plan::facts(&described, draft.rows(acl), now);
        if draft
            .meta(acl)
            .and_then(|meta| meta.facts.as_ref())
            .is_none_or(|known| known.foreign != facts.foreign)
        {
            draft.edit_meta(acl, |meta| meta.facts = Some(facts))?;
        }
        let Some(rule) = row.rule else {
            confirm::place(&mut draft, row, &self.policy, now)?;
            return self.commit(draft).await;
        };
        let standing = standing(&described, &row, rule);
        self.act(draft, row, rule, standing, now, report).await
    }

    async fn act(
        &self,
        mut draft: Draft,
        row: Row,
        rule: u16,
        standing: Option<Entry>,
        now: DateTime<Utc>,
        report: &mut Sweep,
    ) -> Result<Progress, Error> {
        let acl = row.acl.clone();
        let called = match next_step(&row, rule, standing.as_ref()) {
            Step::Create(entry) => self.acls.create(&acl, &entry).await,
            Step::Replace(entry) => self.acls.replace(&acl, &entry).await,
            Step::Delete(direction, rule) => self.acls.delete(&acl, direction, rule).await,
            Step::Confirm => Ok(()),
            Step::Cancel => {
                confirm::cancelled(&mut draft, row, standing.as_ref(), now)?;
                return self.commit(draft).await;
            }
            Step::Foreign => {
                report.foreign += 1;
                confirm::foreign(&mut draft, row, standing.as_ref(), &self.policy, now)?;
                return self.commit(draft).await;
            }
        };
        match called {
            Ok(()) => self.confirm(&row, now, report).await,
            // The description was old: look again. Success of an earlier attempt shows there, too.
            Err(error) if matches!(error.code, Code::EntryAlreadyExists | Code::EntryNotFound) => Ok(Progress::More),
            Err(error) if may_pass(&row, error.code) => Ok(Progress::Later(error.to_string())),
            Err(error) if error.code == Code::EntryLimitExceeded => {
                // EC2's word on the quota counts, not ours: the number is given up, and the oldest may have to go.
                draft.edit_meta(&acl, |meta| {
                    if let Some(facts) = &mut meta.facts {
                        facts.quota = facts.quota.saturating_sub(1);
                    }
                })?;
                confirm::foreign(&mut draft, row, standing.as_ref(), &self.policy, now)?;
                self.commit(draft).await
            }
            Err(error) => {
                report.rejected += 1;
                settle_refused(
                    &mut draft,
                    row,
                    standing.as_ref(),
                    error.code.name(),
                    &error.to_string(),
                    now,
                )?;
                self.commit(draft).await
            }
        }
    }

    /// Writes down that a call succeeded. Others may have committed meanwhile: then on what they left.
    async fn confirm(&self, acted: &Row, now: DateTime<Utc>, report: &mut Sweep) -> Result<Progress, Error> {
        for _ in 0..ATTEMPTS {
            let Some(mut draft) = self.leased(&acted.acl).await? else {
                return Ok(Progress::Later(format!("the lease on {} was lost", acted.acl.acl)));
            };
            let row = draft.row(&acted.acl, acted.direction, acted.cidr);
            let Some(row) = row
                .filter(|row| row.state == acted.state && row.rule == acted.rule)
                .cloned()
            else {
                return Ok(Progress::More);
            };
            let evicts = row.replaces.is_some();
            match row.state {
                State::Expiring => confirm::gone(&mut draft, row, now)?,
                _ => confirm::applied(&mut draft, row, now)?,
            }
            match self.ledger.commit(&draft.into_transaction()).await {
                Ok(()) => {
                    if acted.state == State::Expiring {
                        report.removed += 1;
                    } else {
                        report.applied += 1;
                        report.evicted += u64::from(evicts);
                    }
                    return Ok(Progress::More);
                }
                Err(ledger::Error::Conflict) => tokio::task::yield_now().await,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Progress::Later(format!("{} is too busy", acted.acl.acl)))
    }

    /// The network ACL as the ledger has it, if the lease is still ours.
    async fn leased(&self, acl: &AclKey) -> Result<Option<Draft>, Error> {
        let draft = Draft::new(self.view(std::slice::from_ref(acl), &[], &[]).await?);
        let owner = draft
            .meta(acl)
            .and_then(|meta| meta.lease.as_ref())
            .map(|lease| &lease.owner);
        Ok((owner == Some(&self.owner)).then_some(draft))
    }

    /// Commits a step that needs no second look: on a conflict the next step starts from what is there.
    async fn commit(&self, draft: Draft) -> Result<Progress, Error> {
        match self.ledger.commit(&draft.into_transaction()).await {
            Ok(()) | Err(ledger::Error::Conflict) => Ok(Progress::More),
            Err(error) => Err(error.into()),
        }
    }
}

fn standing(acl: &Acl, row: &Row, rule: u16) -> Option<Entry> {
    let at = acl
        .entries
        .iter()
        .find(|entry| entry.rule == rule && entry.direction == row.direction);
    at.cloned()
}

/// Whether an entry stays pending after such an error. One that may not be deleted still stands: only a network ACL that
/// is gone took its entries with it.
fn may_pass(row: &Row, code: Code) -> bool {
    code.is_transient() || (row.state == State::Expiring && code != Code::AclNotFound)
}

/// A refusal for good ends a plan; an entry of a network ACL that is gone is gone, too.
fn settle_refused(
    draft: &mut Draft,
    row: Row,
    standing: Option<&Entry>,
    word: &str,
    why: &str,
    now: DateTime<Utc>,
) -> Result<(), ledger::Error> {
    match row.state {
        State::Expiring => confirm::gone(draft, row, now),
        _ => confirm::rejected(draft, row, standing, word, why, now),
    }
}
