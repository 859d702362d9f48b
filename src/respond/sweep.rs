//! Finishes what is pending: under a lease, one entry at a time, describe, call, confirm.
//!
//! Nothing here remembers anything: after a crash the next sweep reads the ledger, looks at what stands, and goes on. A
//! call whose answer was lost shows in the next description.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use ipnet::IpNet;

use super::accept::ATTEMPTS;
use super::act::{Step, next_row, next_step};
use super::clock::Clock;
use super::confirm;
use super::error::Error;
use super::guard;
use super::lease::{Hold, settled};
use super::plan;
use super::reason::Reason;
use super::responder::{Responder, Sweep};
use crate::ledger::{self, Draft, Ledger, Row, State};
use crate::network_acl::{Acl, AclKey, Code, Direction, Entry, NetworkAcls};

/// Steps on one network ACL in one sweep.
const STEPS: usize = 400;

/// How often a call may say otherwise than the description did, before the rest is left for later.
const STALE_LOOKS: usize = 3;

/// What one step came to.
enum Progress {
    /// There may be more.
    More,
    /// Nothing is pending.
    Quiet,
    /// Nothing more on this network ACL now; says why.
    Later(String),
}

/// The work on one network ACL in one sweep.
struct Work<'a> {
    hold: Hold,
    /// Entries that have to wait, while others need not.
    skip: BTreeSet<(Direction, IpNet)>,
    stale: usize,
    report: &'a mut Sweep,
}

impl Work<'_> {
    /// Leaves one entry for a later sweep.
    fn skip(&mut self, row: &Row, why: impl Into<String>) -> Progress {
        self.skip.insert((row.direction, row.cidr));
        self.report.postponed += 1;
        self.report.last_error = Some(why.into());
        Progress::More
    }
}

impl<L: Ledger, N: NetworkAcls> Responder<L, N> {
    /// Acts on everything that is pending and confirms it, then makes messages of the alerts.
    ///
    /// Safe to call at any time, from several tasks and processes. What cannot be done now stays pending. A time stands for a
    /// clock that stands still.
    ///
    /// # Errors
    /// When the ledger fails: the first failure, after every network ACL had its turn.
    pub async fn sweep(&self, clock: impl Clock) -> Result<Sweep, Error> {
        let _one = self.sweeping.lock().await;
        let mut report = Sweep::default();
        let mut failed = None;
        let acls = match self.agenda.work(clock.now()) {
            Some(own) => own.into_iter().collect(),
            None => self.all_work(clock.now()).await?,
        };
        for acl in acls {
            if let Err(error) = Box::pin(self.sweep_acl(&acl, &clock, &mut report)).await {
                failed.get_or_insert(error);
            }
        }
        if !self.agenda.delivers() {
            self.gather(clock.now()).await?;
        }
        failed.map_or(Ok(report), Err)
    }

    /// What the ledger says, the longest waiting first, then what this process knows of besides: the ledger may say it a moment
    /// later.
    async fn all_work(&self, now: DateTime<Utc>) -> Result<Vec<AclKey>, Error> {
        let mut acls = self.ledger.pending(now).await?;
        let rest = self.agenda.rest();
        acls.extend(rest.into_iter().filter(|acl| !acls.contains(acl)).collect::<Vec<_>>());
        Ok(acls)
    }

    async fn sweep_acl(&self, acl: &AclKey, clock: &impl Clock, report: &mut Sweep) -> Result<(), Error> {
        let Some(hold) = self.hold(acl, clock).await? else {
            report.postponed += 1;
            report.last_error = Some(format!("another process acts on {}", acl.acl));
            return Ok(());
        };
        let mut work = Work {
            hold,
            skip: BTreeSet::new(),
            stale: 0,
            report,
        };
        let done = self.steps(&mut work, clock).await;
        self.give_back(work.hold, done).await
    }

    async fn steps(&self, work: &mut Work<'_>, clock: &impl Clock) -> Result<(), Error> {
        for _ in 0..STEPS {
            match self.step(work, clock).await? {
                Progress::More => {}
                Progress::Quiet => return Ok(()),
                Progress::Later(why) => {
                    work.report.postponed += 1;
                    work.report.last_error = Some(why);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    async fn step(&self, work: &mut Work<'_>, clock: &impl Clock) -> Result<Progress, Error> {
        let acl = &work.hold.acl.clone();
        let lost = || Progress::Later(format!("the lease on {} was lost", acl.acl));
        if !self.keep(&mut work.hold, clock).await? {
            return Ok(lost());
        }
        let recall = work.hold.may_recall(clock.now());
        let Some(mut draft) = self.leased(&work.hold, recall).await? else {
            return Ok(lost());
        };
        let knowledge = self.knowledge(draft.lists()).await;
        let now = clock.now();
        let guarded = |cidr: IpNet| guard::check(cidr, &knowledge, now).filter(|_| knowledge.available);
        if confirm::tidy(&mut draft, acl, &self.policy, guarded, now)? {
            return self.commit(draft).await;
        }
        let Some(row) = next_row(draft.rows(acl), &work.skip).cloned() else {
            return Ok(Progress::Quiet);
        };
        if row.state == State::Planned && !knowledge.available {
            return Ok(work.skip(&row, "the inventory cannot be read, so nothing is blocked"));
        }
        let asked = clock.now();
        let described = match self.acls.describe(acl).await {
            Ok(described) => described,
            Err(error) if may_pass(&row, error.code) => return Ok(Progress::Later(error.to_string())),
            Err(error) => {
                work.report.rejected += 1;
                settle_refused(&mut draft, row, None, error.code.name(), &error.to_string(), now)?;
                return self.commit(draft).await;
            }
        };
        learn(&mut draft, acl, &described, asked)?;
        let Some(rule) = row.rule else {
            confirm::place(&mut draft, row.clone(), &self.policy, now)?;
            let waits = draft.row(acl, row.direction, row.cidr);
            if waits.is_some_and(|row| row.state == State::Planned && row.rule.is_none()) {
                return Ok(work.skip(&row, "no rule number is free yet"));
            }
            return self.commit(draft).await;
        };
        // What counts is when the description was asked for: this process may have stood still since.
        let settled = settled(&draft, &row, rule, asked, self.acls.lag());
        let standing = standing(&described, &row, rule);
        let step = next_step(&row, rule, standing.as_ref(), settled);
        self.act(work, draft, row, (step, settled), standing, clock).await
    }

    async fn act(
        &self,
        work: &mut Work<'_>,
        mut draft: Draft,
        row: Row,
        (step, settled): (Step, bool),
        standing: Option<Entry>,
        clock: &impl Clock,
    ) -> Result<Progress, Error> {
        let acl = row.acl.clone();
        let now = clock.now();
        if !work.hold.fits_a_call(now) {
            // The next step renews the lease first.
            return Ok(Progress::More);
        }
        let replaces = matches!(step, Step::Replace(_));
        let called = match step {
            Step::Create(entry) => self.acls.create(&acl, &entry).await,
            Step::Replace(entry) => self.replace(&acl, &entry).await,
            Step::Delete(direction, rule) => self.acls.delete(&acl, direction, rule).await,
            Step::Confirm => Ok(()),
            Step::Wait => return Ok(work.skip(&row, "the description may be older than the last call")),
            Step::Cancel => {
                confirm::cancelled(&mut draft, row, standing.as_ref(), now)?;
                return self.commit(draft).await;
            }
            Step::Foreign => {
                work.report.foreign += 1;
                confirm::foreign(&mut draft, row, standing.as_ref(), &self.policy, now)?;
                return self.commit(draft).await;
            }
        };
        let error = match called {
            Ok(()) => return self.confirm(work, &row, clock).await,
            Err(error) => error,
        };
        let seen_ours = standing.is_some() && standing == row.entry();
        match error.code {
            // It is gone already, and it stands already: an earlier attempt whose answer was lost.
            Code::EntryNotFound if row.state == State::Expiring => self.confirm(work, &row, clock).await,
            Code::EntryAlreadyExists if seen_ours => self.confirm(work, &row, clock).await,
            Code::EntryAlreadyExists | Code::EntryNotFound => {
                work.stale += 1;
                if work.stale > STALE_LOOKS {
                    return Ok(work.skip(&row, format!("the description is old: {error}")));
                }
                Ok(Progress::More)
            }
            code if code.is_unknown() && !planted!(LostIsFailed) => {
                self.unsure(&work.hold, clock.now()).await?;
                Ok(Progress::Later(error.to_string()))
            }
            code if may_pass(&row, code) && !code.is_unknown() => Ok(Progress::Later(error.to_string())),
            // Nothing is given up while an earlier attempt may yet turn out to have succeeded.
            _ if !settled => Ok(work.skip(&row, error.to_string())),
            Code::EntryLimitExceeded => {
                // EC2's word on the quota counts, not ours: the number is given up, and the oldest may have to go.
                draft.edit_meta(&acl, |meta| {
                    if let Some(facts) = &mut meta.facts {
                        facts.quota = facts.quota.saturating_sub(1);
                    }
                })?;
                if replaces {
                    // A place of the other address family, which counts apart: there is none to be had.
                    work.report.rejected += 1;
                    let word = Reason::AclFull.word();
                    confirm::rejected(&mut draft, row, standing.as_ref(), word, &error.to_string(), now)?;
                } else {
                    confirm::foreign(&mut draft, row, standing.as_ref(), &self.policy, now)?;
                }
                self.commit(draft).await
            }
            code => {
                work.report.rejected += 1;
                settle_refused(&mut draft, row, standing.as_ref(), code.name(), &error.to_string(), now)?;
                self.commit(draft).await
            }
        }
    }

    /// Swaps one entry for another in one call.
    async fn replace(&self, acl: &AclKey, entry: &Entry) -> Result<(), crate::network_acl::Error> {
        if planted!(DeleteThenCreate) {
            self.acls.delete(acl, entry.direction, entry.rule).await?;
            return self.acls.create(acl, entry).await;
        }
        if planted!(CreateThenDelete) {
            let elsewhere = Entry {
                rule: entry.rule + 100,
                ..entry.clone()
            };
            self.acls.create(acl, &elsewhere).await?;
            self.acls.replace(acl, entry).await?;
            return self.acls.delete(acl, entry.direction, elsewhere.rule).await;
        }
        self.acls.replace(acl, entry).await
    }

    /// Writes down that a call succeeded. Others may have committed meanwhile: then on what they left.
    async fn confirm(&self, work: &mut Work<'_>, acted: &Row, clock: &impl Clock) -> Result<Progress, Error> {
        for attempt in 0..ATTEMPTS {
            let recall = attempt == 0 && work.hold.may_recall(clock.now());
            let Some(mut draft) = self.leased(&work.hold, recall).await? else {
                return Ok(Progress::Later(format!("the lease on {} was lost", acted.acl.acl)));
            };
            let row = draft.row(&acted.acl, acted.direction, acted.cidr);
            let Some(row) = row
                .filter(|row| row.state == acted.state && row.rule == acted.rule)
                .cloned()
            else {
                return Ok(Progress::More);
            };
            let (evicts, now) = (row.replaces.is_some(), clock.now());
            match row.state {
                State::Expiring => confirm::gone(&mut draft, row, now)?,
                _ => confirm::applied(&mut draft, row, now)?,
            }
            let over = next_row(draft.rows(&acted.acl), &work.skip).is_none();
            let released = over && self.release_with(&mut draft, &work.hold)?;
            match self.commit_draft(draft).await {
                Ok(()) => {
                    let report = &mut *work.report;
                    if acted.state == State::Expiring {
                        report.removed += 1;
                    } else {
                        report.applied += 1;
                        report.evicted += u64::from(evicts);
                    }
                    work.hold.given_back = released;
                    return Ok(if released { Progress::Quiet } else { Progress::More });
                }
                Err(ledger::Error::Conflict) => tokio::task::yield_now().await,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Progress::Later(format!("{} is too busy", acted.acl.acl)))
    }

    /// Commits a step that needs no second look: on a conflict the next step starts from what is there.
    async fn commit(&self, draft: Draft) -> Result<Progress, Error> {
        match self.commit_draft(draft).await {
            Ok(()) | Err(ledger::Error::Conflict) => Ok(Progress::More),
            Err(error) => Err(error.into()),
        }
    }
}

/// Writes down what limits planning, when it changed.
fn learn(draft: &mut Draft, acl: &AclKey, described: &Acl, asked: DateTime<Utc>) -> Result<(), ledger::Error> {
    let facts = plan::learned(draft, acl, described, asked);
    let known = draft.meta(acl).and_then(|meta| meta.facts.as_ref());
    if known.is_some_and(|known| known.foreign == facts.foreign && known.managed_by == facts.managed_by) {
        return Ok(());
    }
    draft.edit_meta(acl, |meta| meta.facts = Some(facts))
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
