//! Makes ledger and network ACLs agree again, on start and on a schedule: [`super::drift`] says how.

mod others;

use chrono::{DateTime, TimeDelta, Utc};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::audit::{About, RESPONDER, alert_of, outboxed};
use super::clock::Clock;
use super::confirm::{self, CHANGED};
use super::drift::{self, Remedy};
use super::error::Error;
use super::guard;
use super::lease::{Hold, settled};
use super::notify::AlertKind;
use super::plan;
use super::reason::Reason;
use super::responder::Responder;
use crate::ledger::{self, AuditRow, Draft, Event, Ledger, Row, State};
use crate::network_acl::{Acl, AclKey, Code, Direction, Entry, NetworkAcls};
use others::{elsewhere, gone_with_its_acl, removed_by_others};

/// Who removed an entry that the responder did not.
const OTHERS: &str = "others";

/// One disagreement between ledger and network ACL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriftReport {
    /// Which network ACL.
    pub acl: AclKey,
    /// Which way.
    pub direction: Direction,
    /// Rule number.
    pub rule: u16,
    /// The address of the ledger's entry, or of what stands.
    pub cidr: IpNet,
    /// `doubt`, `removed_by_others`, `repaired`, `foreign`, `stray`, `allowed_first`.
    pub drift: String,
}

/// A call that follows from what was found.
struct Repair {
    entry: Entry,
    delete: bool,
}

impl<L: Ledger, N: NetworkAcls> Responder<L, N> {
    /// Compares every network ACL with the ledger and repairs what can be repaired. What is seen for the first time is only
    /// written down as a doubt; call again once descriptions no longer lag.
    ///
    /// # Errors
    /// When the ledger fails. A network ACL that cannot be described, or that another process acts on, is left out.
    pub async fn reconcile(&self, clock: impl Clock, dry_run: bool) -> Result<Vec<DriftReport>, Error> {
        self.reconcile_some(self.ledger.acls().await?, clock, dry_run).await
    }

    /// As [`Responder::reconcile`], but for network ACLs that anybody compared within `every`: many processes, or one that is started
    /// again and again, compare no more often than one does.
    ///
    /// # Errors
    /// As [`Responder::reconcile`].
    pub async fn reconcile_every(&self, every: TimeDelta, clock: impl Clock) -> Result<Vec<DriftReport>, Error> {
        let mut due = Vec::new();
        for acl in self.ledger.acls().await? {
            let known = Draft::new(self.view(std::slice::from_ref(&acl), &[]).await?);
            let facts = known.meta(&acl).and_then(|meta| meta.facts.as_ref());
            let age = facts.map(|facts| clock.now() - facts.at);
            if age.is_none_or(|age| age < TimeDelta::zero() || age >= every) {
                due.push(acl);
            }
        }
        self.reconcile_some(due, clock, false).await
    }

    async fn reconcile_some(
        &self,
        acls: Vec<AclKey>,
        clock: impl Clock,
        dry_run: bool,
    ) -> Result<Vec<DriftReport>, Error> {
        let _one = self.sweeping.lock().await;
        let mut found = Vec::new();
        let mut failed = None;
        for acl in acls {
            let done = if dry_run {
                self.reconcile_acl(&acl, None, &clock, &mut found).await
            } else {
                let Some(hold) = self.hold(&acl, &clock).await? else {
                    continue;
                };
                let done = self.reconcile_acl(&acl, Some(&hold), &clock, &mut found).await;
                self.give_back(hold, done).await
            };
            if let Err(error) = done {
                failed.get_or_insert(error);
            }
        }
        if !dry_run && !self.agenda.delivers() {
            self.gather(clock.now()).await?;
        }
        failed.map_or(Ok(found), Err)
    }

    /// Compares one network ACL; without a lease it only looks.
    async fn reconcile_acl(
        &self,
        acl: &AclKey,
        hold: Option<&Hold>,
        clock: &impl Clock,
        found: &mut Vec<DriftReport>,
    ) -> Result<(), Error> {
        let asked = clock.now();
        let described = match self.acls.describe(acl).await {
            Ok(described) => Some(described),
            Err(error) if error.code == Code::AclNotFound => None,
            Err(_) => return Ok(()),
        };
        let entries = described.as_ref().map_or(&[][..], |acl| &acl.entries);
        let cidrs: Vec<IpNet> = entries
            .iter()
            .filter(|entry| !entry.allow)
            .map(|entry| entry.cidr)
            .collect();
        let mut draft = Draft::new(self.view(std::slice::from_ref(acl), &cidrs).await?);
        let owner = draft
            .meta(acl)
            .and_then(|meta| meta.lease.as_ref())
            .map(|lease| &lease.owner);
        if hold.is_some() && owner != Some(&self.owner) {
            return Ok(());
        }
        let knowledge = self.knowledge(draft.lists()).await;
        let now = clock.now();
        let guarded = |cidr: IpNet| guard::check(cidr, &knowledge, now).filter(|_| knowledge.available);
        confirm::tidy(&mut draft, acl, &self.policy, guarded, now)?;
        let repairs = match &described {
            Some(described) => {
                self.look_around(&mut draft, acl, described, found, asked, now)?;
                self.compare(&mut draft, acl, described, found, (asked, now))?
            }
            None => {
                gone_with_its_acl(&mut draft, acl, self.acls.lag(), found, now)?;
                Vec::new()
            }
        };
        let Some(hold) = hold else {
            return Ok(());
        };
        match self.commit_draft(draft).await {
            Ok(()) => self.repair(hold, repairs, clock).await,
            // Somebody planned meanwhile: the next time.
            Err(ledger::Error::Conflict) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes down what was seen of others' entries, and tells of allows that match before a deny of ours.
    fn look_around(
        &self,
        draft: &mut Draft,
        acl: &AclKey,
        described: &Acl,
        found: &mut Vec<DriftReport>,
        asked: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let facts = plan::learned(draft, acl, described, asked);
        draft.edit_meta(acl, |meta| meta.facts = Some(facts))?;
        let rows: Vec<Row> = draft.rows(acl).to_vec();
        for mut row in rows.into_iter().filter(|row| row.state == State::Applied) {
            let allowed = confirm::allowed_before(draft, &row);
            let (Some(rule), true) = (row.rule, allowed != row.allowed_at) else {
                continue;
            };
            row.allowed_at = allowed;
            if let Some(first) = allowed {
                let mut told = alert_of(&row, AlertKind::Attention, Reason::AllowedFirst, now);
                told.note = Some(confirm::useless(first));
                draft.alert(outboxed(&told));
                found.push(report(&row, rule, "allowed_first"));
            }
            draft.edit(row)?;
        }
        Ok(())
    }

    /// Compares each applied entry with what stood when the description was asked for, and what stands with the ledger's history.
    fn compare(
        &self,
        draft: &mut Draft,
        acl: &AclKey,
        described: &Acl,
        found: &mut Vec<DriftReport>,
        (asked, now): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<Vec<Repair>, Error> {
        let mut repairs = Vec::new();
        // Planned anew only once every entry was looked at: whoever takes a place may evict one that is gone itself.
        let mut anew = Vec::new();
        let rows: Vec<Row> = draft.rows(acl).to_vec();
        let applied = rows.iter().filter(|row| row.state == State::Applied);
        for (row, rule) in applied.filter_map(|row| Some((row.clone(), row.rule?))) {
            let at = described.entries.iter();
            let standing = at
                .clone()
                .find(|entry| entry.rule == rule && entry.direction == row.direction);
            let once = standing.is_some_and(|entry| drift::was_ours(&rows, entry, now));
            let lag = self.acls.lag();
            let settled = settled(draft, &row, rule, asked, lag);
            let sure = row.doubt.is_some_and(|since| asked - since >= lag);
            match drift::remedy(&row, standing, settled, sure, once) {
                Remedy::Agrees if row.doubt.is_none() => {}
                Remedy::Agrees => draft.edit(Row { doubt: None, ..row })?,
                Remedy::Doubt => {
                    found.push(report(&row, rule, "doubt"));
                    let doubt = row.doubt.or(Some(now));
                    draft.edit(Row { doubt, ..row })?;
                }
                Remedy::PutRight => {
                    found.push(report(&row, rule, "repaired"));
                    repairs.extend(row.entry().map(|entry| Repair { entry, delete: false }));
                    draft.edit(Row {
                        doubt: None,
                        repaired: Some(now),
                        ..row
                    })?;
                }
                Remedy::Removed => {
                    found.push(report(&row, rule, "removed_by_others"));
                    anew.extend(removed_by_others(draft, &self.policy, row, now)?.map(|row| (row, "put_back")));
                }
                Remedy::Foreign => {
                    found.push(report(&row, rule, "foreign"));
                    anew.push((elsewhere(draft, row, now)?, CHANGED));
                }
            }
        }
        for (row, why) in anew {
            self.again(draft, row, why, now)?;
        }
        let known = draft.meta(acl).map_or_else(Vec::new, |meta| meta.strays.clone());
        let strays = drift::strays(draft.rows(acl), &described.entries, &known, now);
        for stray in &strays {
            let seen_before = known.iter().any(|known| known.entry == stray.entry);
            let (entry, sure) = (&stray.entry, seen_before && asked - stray.since >= self.acls.lag());
            found.push(DriftReport {
                acl: acl.clone(),
                direction: entry.direction,
                rule: entry.rule,
                cidr: entry.cidr,
                drift: if sure { "stray" } else { "doubt" }.to_owned(),
            });
            if sure {
                repairs.push(Repair {
                    entry: entry.clone(),
                    delete: true,
                });
            }
        }
        if strays != known {
            draft.edit_meta(acl, |meta| meta.strays = strays)?;
        }
        Ok(repairs)
    }

    /// Plans an entry anew that is not there any more.
    fn again(&self, draft: &mut Draft, former: Row, why: &str, now: DateTime<Utc>) -> Result<(), Error> {
        let about = About::of_row(&former);
        let held = draft
            .row(&former.acl, former.direction, former.cidr)
            .map_or_else(Vec::new, |row| row.held.clone());
        let row = Row {
            state: State::Planned,
            rule: None,
            replaces: None,
            seq: draft.next_seq(&former.acl)?,
            since: now,
            planned_at: now,
            doubt: None,
            removal: None,
            held,
            ..former
        };
        let who = row.who.clone();
        draft.transition(row.clone(), Event::Planned, confirm::note(&about, why, &who, now))?;
        if row.pinned {
            // A new life begins without a pin, but this one.
            draft.audit(AuditRow {
                acl: Some(row.acl.clone()),
                direction: Some(row.direction),
                cidr: Some(row.cidr),
                ..AuditRow::new(Event::Pinned, RESPONDER, why, now)
            });
        }
        Ok(confirm::place(draft, row, &self.policy, now)?)
    }

    /// The calls that put right what a late call of ours did.
    async fn repair(&self, hold: &Hold, repairs: Vec<Repair>, clock: &impl Clock) -> Result<(), Error> {
        for Repair { entry, delete } in repairs {
            if !hold.fits_a_call(clock.now()) {
                // The doubt is written down: the next time.
                return Ok(());
            }
            let called = if delete {
                self.acls.delete(&hold.acl, entry.direction, entry.rule).await
            } else {
                self.acls.replace(&hold.acl, &entry).await
            };
            match called {
                Err(error) if error.code.is_unknown() => self.unsure(hold, clock.now()).await?,
                // Gone already, throttled, refused: the next comparison says what is left to do.
                Err(_) => {}
                Ok(()) => self.repaired(hold, &entry, clock.now()).await?,
            }
        }
        Ok(())
    }

    async fn repaired(&self, hold: &Hold, entry: &Entry, now: DateTime<Utc>) -> Result<(), Error> {
        let Some(mut draft) = self.leased(hold, false).await? else {
            return Ok(());
        };
        draft.audit(AuditRow {
            acl: Some(hold.acl.clone()),
            direction: Some(entry.direction),
            rule: Some(entry.rule),
            cidr: Some(entry.cidr),
            ..AuditRow::new(Event::Repaired, RESPONDER, "late_call", now)
        });
        draft.edit_meta(&hold.acl, |meta| meta.strays.retain(|stray| stray.entry != *entry))?;
        match self.commit_draft(draft).await {
            Ok(()) | Err(ledger::Error::Conflict) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn report(row: &Row, rule: u16, drift: &str) -> DriftReport {
    DriftReport {
        acl: row.acl.clone(),
        direction: row.direction,
        rule,
        cidr: row.cidr,
        drift: drift.to_owned(),
    }
}
