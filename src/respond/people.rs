//! People in the loop: block, unblock, allow, pause, pin. Every act is audited with who and why, and the guards bind here, too.

use chrono::{DateTime, TimeDelta, Utc};
use ipnet::IpNet;

use super::accept::{ATTEMPTS, refused};
use super::audit::About;
use super::confirm;
use super::error::Error;
use super::guard;
use super::plan::{self, Outcome, Wanted};
use super::reason::Reason;
use super::responder::{ActReport, Block, Responder, Unblock};
use crate::ledger::{self, Allowance, AuditRow, Draft, Event, HoldOff, Ledger, Pause, Removal, Row, State};
use crate::network_acl::{AclKey, NetworkAcls};

impl<L: Ledger, N: NetworkAcls> Responder<L, N> {
    /// Plans deny entries on a person's word. Call [`Responder::sweep`] to act.
    ///
    /// # Errors
    /// [`Error::Refused`] when the network ACL is not known; otherwise transient ones.
    pub async fn block(&self, block: &Block, now: DateTime<Utc>) -> Result<Vec<ActReport>, Error> {
        let acls = chosen(self.acls.list().await?, block.acl.as_deref())?;
        for _ in 0..ATTEMPTS {
            let (draft, reports) = self.plan_block(block, &acls, now).await?;
            if self.done(draft, block.dry_run).await? {
                return Ok(reports);
            }
        }
        Err(ledger::Error::Conflict.into())
    }

    async fn plan_block(
        &self,
        block: &Block,
        acls: &[AclKey],
        now: DateTime<Utc>,
    ) -> Result<(Draft, Vec<ActReport>), Error> {
        let cidr = guard::canonical(block.cidr);
        let mut draft = Draft::new(self.view(acls, &[cidr]).await?);
        let knowledge = self.knowledge(draft.lists()).await;
        let guarded = guard::check(cidr, &knowledge, now);
        let about = About {
            note: Some(block.reason.clone()),
            ..About::default()
        };
        let mut reports = Vec::new();
        for acl in acls {
            self.look_at(&mut draft, acl, now).await?;
            for direction in &block.directions {
                let wanted = Wanted {
                    acl,
                    direction: *direction,
                    cidr,
                    about: &about,
                    reason: &block.reason,
                    who: &block.who,
                    expires: block.until,
                    slots_left: None,
                    now,
                };
                let outcome = match guarded {
                    Some(reason) => Outcome::Refused(reason),
                    None => plan::plan(&mut draft, &self.policy, &wanted)?,
                };
                if let Outcome::Refused(reason) = outcome {
                    draft.audit(refused(&wanted, reason, self.policy.mode));
                } else {
                    draft.end_hold_off(cidr);
                }
                reports.push(report_of(&wanted, outcome));
            }
        }
        Ok((draft, reports))
    }

    /// Takes entries away on a person's word, and holds off new ones for the policy's time. Call [`Responder::sweep`] to act.
    ///
    /// An address that has no entry is held off all the same.
    ///
    /// # Errors
    /// [`Error::Refused`] when the network ACL is not known; otherwise transient ones.
    pub async fn unblock(
        &self,
        target: Unblock,
        acl: Option<&str>,
        who: &str,
        reason: &str,
        dry_run: bool,
        now: DateTime<Utc>,
    ) -> Result<Vec<ActReport>, Error> {
        let mut known = self.acls.list().await?;
        known.extend(self.ledger.acls().await?);
        known.sort();
        known.dedup();
        let acls = chosen(known, acl)?;
        let only: Vec<Option<AclKey>> = match acl {
            Some(_) => acls.iter().cloned().map(Some).collect(),
            None => vec![None],
        };
        for _ in 0..ATTEMPTS {
            let mut draft = Draft::new(self.view(&acls, &[]).await?);
            let removal = Removal {
                event: Event::Unblocked,
                who: who.to_owned(),
                reason: reason.to_owned(),
            };
            let wanted = |cidr: IpNet| match target {
                Unblock::Address(net) => overlap(cidr, guard::canonical(net)),
                Unblock::All => true,
            };
            let (mut reports, mut cidrs) = take_away(&mut draft, &acls, wanted, &removal, now)?;
            if let Unblock::Address(net) = target {
                cidrs = vec![guard::canonical(net)];
                if reports.is_empty() {
                    reports.push(held_off(cidrs[0]));
                }
            }
            cidrs.sort();
            cidrs.dedup();
            for cidr in cidrs {
                for acl in &only {
                    let hold = HoldOff {
                        cidr,
                        acl: acl.clone(),
                        until: now
                            .checked_add_signed(TimeDelta::hours(i64::from(self.policy.limits.hold_off_hours)))
                            .unwrap_or(DateTime::<Utc>::MAX_UTC),
                        who: who.to_owned(),
                        reason: reason.to_owned(),
                    };
                    draft.hold_off(hold, now);
                    draft.audit(manual(Event::HeldOff, acl.clone(), cidr, who, reason, now));
                }
            }
            if self.done(draft, dry_run).await? {
                if !dry_run {
                    reports.extend(self.take_away_rest(&acls, acl, wanted, &removal, now).await?);
                }
                return Ok(reports);
            }
        }
        Err(ledger::Error::Conflict.into())
    }

    /// Puts a network on the allow-list and takes existing denies that overlap it away, in one transaction. Call
    /// [`Responder::sweep`] to act.
    ///
    /// # Errors
    /// Transient ones.
    pub async fn allow_add(
        &self,
        cidr: IpNet,
        until: Option<DateTime<Utc>>,
        who: &str,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<Vec<ActReport>, Error> {
        let cidr = guard::canonical(cidr);
        let acls = self.ledger.acls().await?;
        for _ in 0..ATTEMPTS {
            let mut draft = Draft::new(self.view(&acls, &[]).await?);
            draft.allow(Allowance {
                cidr,
                until,
                who: who.to_owned(),
                reason: reason.to_owned(),
                at: now,
            });
            draft.audit(manual(Event::Allowed, None, cidr, who, reason, now));
            let removal = Removal {
                event: Event::Removed,
                who: who.to_owned(),
                reason: Reason::AllowListed.word().to_owned(),
            };
            let meant = |net: IpNet| overlap(net, cidr) && !planted!(AllowWithoutRemoval);
            let (mut reports, _) = take_away(&mut draft, &acls, meant, &removal, now)?;
            if self.done(draft, false).await? {
                reports.extend(self.take_away_rest(&acls, None, meant, &removal, now).await?);
                return Ok(reports);
            }
        }
        Err(ledger::Error::Conflict.into())
    }

    /// What a finding planned on a network ACL that nobody knew of, between the look at the ledger and the commit. From that
    /// commit on nothing more is planned, since lists moved.
    async fn take_away_rest(
        &self,
        looked_at: &[AclKey],
        only: Option<&str>,
        meant: impl Fn(IpNet) -> bool + Copy + Send + Sync,
        removal: &Removal,
        now: DateTime<Utc>,
    ) -> Result<Vec<ActReport>, Error> {
        for _ in 0..ATTEMPTS {
            let mut rest = self.ledger.acls().await?;
            rest.retain(|acl| !looked_at.contains(acl) && only.is_none_or(|id| id == acl.acl));
            if rest.is_empty() {
                return Ok(Vec::new());
            }
            let mut draft = Draft::new(self.view(&rest, &[]).await?);
            let (reports, _) = take_away(&mut draft, &rest, meant, removal, now)?;
            if reports.is_empty() || self.done(draft, false).await? {
                return Ok(reports);
            }
        }
        Err(ledger::Error::Conflict.into())
    }

    /// Takes a network off the allow-list; `false` when it was not on it.
    ///
    /// # Errors
    /// Transient ones.
    pub async fn allow_remove(&self, cidr: IpNet, who: &str, reason: &str, now: DateTime<Utc>) -> Result<bool, Error> {
        let cidr = guard::canonical(cidr);
        for _ in 0..ATTEMPTS {
            let mut draft = Draft::new(self.view(&[], &[]).await?);
            if !draft.disallow(cidr) {
                return Ok(false);
            }
            draft.audit(manual(Event::Disallowed, None, cidr, who, reason, now));
            if self.done(draft, false).await? {
                return Ok(true);
            }
        }
        Err(ledger::Error::Conflict.into())
    }

    /// The allow-list that people keep beside the policy's; an entry whose end has passed stands there until it is removed.
    ///
    /// # Errors
    /// Transient ones.
    pub async fn allow_list(&self) -> Result<Vec<Allowance>, Error> {
        Ok(self.view(&[], &[]).await?.lists.allow)
    }

    /// Lets findings make nothing new until `until`, or until somebody resumes. What is planned and not made yet is dropped;
    /// what a person asks for, and every removal, goes on.
    ///
    /// # Errors
    /// Transient ones.
    pub async fn pause(
        &self,
        until: Option<DateTime<Utc>>,
        who: &str,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let mut draft = Draft::new(self.view(&[], &[]).await?);
            draft.pause(Some(Pause {
                who: who.to_owned(),
                reason: reason.to_owned(),
                at: now,
                until,
            }));
            draft.audit(AuditRow::new(Event::Paused, who, reason, now));
            if self.done(draft, false).await? {
                return Ok(());
            }
        }
        Err(ledger::Error::Conflict.into())
    }

    /// Ends the pause, or lets entries be made again on a network ACL where others kept removing them; `false` when neither
    /// stood.
    ///
    /// # Errors
    /// [`Error::Refused`] when the network ACL is not known; otherwise transient ones.
    pub async fn resume(&self, acl: Option<&str>, who: &str, reason: &str, now: DateTime<Utc>) -> Result<bool, Error> {
        let acls = match acl {
            Some(_) => chosen(self.ledger.acls().await?, acl)?,
            None => Vec::new(),
        };
        for _ in 0..ATTEMPTS {
            let mut draft = Draft::new(self.view(&acls, &[]).await?);
            let mut stood = false;
            if acls.is_empty() {
                stood = draft.lists().pause.is_some();
                draft.pause(None);
            }
            for acl in &acls {
                stood |= draft.meta(acl).is_some_and(|meta| meta.stopped.is_some());
                draft.edit_meta(acl, |meta| {
                    meta.stopped = None;
                    meta.removals.clear();
                })?;
            }
            if !stood {
                return Ok(false);
            }
            draft.audit(AuditRow {
                acl: acls.first().cloned(),
                ..AuditRow::new(Event::Resumed, who, reason, now)
            });
            if self.done(draft, false).await? {
                return Ok(true);
            }
        }
        Err(ledger::Error::Conflict.into())
    }

    /// Pins every entry of an address, or takes the pins away: a pinned entry is neither evicted nor does it expire. The guards
    /// bind it as every other. Says how many entries changed.
    ///
    /// # Errors
    /// Transient ones.
    pub async fn pin(
        &self,
        cidr: IpNet,
        pin: bool,
        who: &str,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<usize, Error> {
        let cidr = guard::canonical(cidr);
        let acls = self.ledger.acls().await?;
        for _ in 0..ATTEMPTS {
            let mut draft = Draft::new(self.view(&acls, &[]).await?);
            let event = if pin { Event::Pinned } else { Event::Unpinned };
            let mut changed = 0;
            for acl in &acls {
                let stands = |row: &&Row| matches!(row.state, State::Planned | State::Applied) && row.removal.is_none();
                let rows: Vec<Row> = draft.rows(acl).iter().filter(stands).cloned().collect();
                for row in rows.into_iter().filter(|row| row.cidr == cidr && row.pinned != pin) {
                    draft.audit(AuditRow {
                        direction: Some(row.direction),
                        rule: row.rule,
                        ..manual(event, Some(acl.clone()), cidr, who, reason, now)
                    });
                    draft.edit(Row { pinned: pin, ..row })?;
                    changed += 1;
                }
            }
            if changed == 0 || self.done(draft, false).await? {
                return Ok(changed);
            }
        }
        Err(ledger::Error::Conflict.into())
    }

    /// Commits, unless it is a dry run; `false` says to prepare the change again.
    async fn done(&self, draft: Draft, dry_run: bool) -> Result<bool, Error> {
        if dry_run {
            return Ok(true);
        }
        match self.commit_draft(draft).await {
            Ok(()) => Ok(true),
            Err(ledger::Error::Conflict) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

fn overlap(a: IpNet, b: IpNet) -> bool {
    a.contains(&b) || b.contains(&a)
}

pub(super) fn chosen(known: Vec<AclKey>, id: Option<&str>) -> Result<Vec<AclKey>, Error> {
    let Some(id) = id else {
        return Ok(known);
    };
    let acls: Vec<AclKey> = known.iter().filter(|acl| acl.acl == id).cloned().collect();
    if acls.is_empty() {
        let names: Vec<&str> = known.iter().map(|acl| acl.acl.as_str()).take(10).collect();
        return Err(Error::Refused(format!(
            "network ACL `{id}` is not known; known are: {}",
            names.join(", ")
        )));
    }
    Ok(acls)
}

fn report_of(wanted: &Wanted<'_>, outcome: Outcome) -> ActReport {
    let (word, reason, rule, evicts) = match outcome {
        Outcome::Planned { rule, evicts } => ("planned", Reason::Manual, rule, evicts),
        Outcome::Refused(reason) => ("refused", reason, None, None),
    };
    ActReport {
        acl: Some(wanted.acl.clone()),
        direction: Some(wanted.direction),
        cidr: wanted.cidr,
        outcome: word.to_owned(),
        reason,
        rule,
        evicts,
    }
}

fn held_off(cidr: IpNet) -> ActReport {
    ActReport {
        acl: None,
        direction: None,
        cidr,
        outcome: "held_off".to_owned(),
        reason: Reason::HeldOff,
        rule: None,
        evicts: None,
    }
}

/// Begins to take every live entry away that is meant; says which, and their addresses.
fn take_away(
    draft: &mut Draft,
    acls: &[AclKey],
    meant: impl Fn(IpNet) -> bool,
    removal: &Removal,
    now: DateTime<Utc>,
) -> Result<(Vec<ActReport>, Vec<IpNet>), ledger::Error> {
    let mut reports = Vec::new();
    for acl in acls {
        // What is planned meanwhile is meant, too.
        draft.holds_still(acl);
        let rows: Vec<Row> = draft.rows(acl).iter().filter(|row| meant(row.cidr)).cloned().collect();
        for row in rows {
            let waits = row.state == State::Planned && row.rule.is_none();
            reports.push(ActReport {
                acl: Some(acl.clone()),
                direction: Some(row.direction),
                cidr: row.cidr,
                outcome: if waits { "removed" } else { "removing" }.to_owned(),
                reason: Reason::Manual,
                rule: row.rule,
                evicts: None,
            });
            confirm::expire(draft, row, removal, now)?;
        }
    }
    let cidrs = reports.iter().map(|report| report.cidr).collect();
    Ok((reports, cidrs))
}

fn manual(event: Event, acl: Option<AclKey>, cidr: IpNet, who: &str, reason: &str, now: DateTime<Utc>) -> AuditRow {
    AuditRow {
        acl,
        cidr: Some(cidr),
        ..AuditRow::new(event, who, reason, now)
    }
}
