//! Taking over entries that something else made: those of the widely copied Python Lambda, with or without its table.
//!
//! Only the ledger changes. An entry is taken over when it is exactly what the responder itself would have written, within its rule
//! numbers and limits, and no guard speaks for the address; everything else stays whose it is.

use chrono::{DateTime, Utc};
use ipnet::IpNet;

use super::accept::ATTEMPTS;
use super::audit::{About, RESPONDER, carried};
use super::error::Error;
use super::guard::{self, Knowledge};
use super::people::chosen;
use super::plan;
use super::reason::Reason;
use super::responder::{ActReport, Responder};
use crate::ledger::draft::Note;
use crate::ledger::{self, Draft, Event, Ledger, Listed, Row, State};
use crate::network_acl::{AclKey, Direction, Entry, NetworkAcls};

/// What a person wants taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adopt {
    /// Only on the network ACL with this id; `None` on every one that is known.
    pub acl: Option<String>,
    /// Only what stands in the other program's table; `None` takes over every entry within the responder's rule numbers.
    pub listed: Option<Vec<Listed>>,
    /// They stand until then; `None` until evicted or unblocked.
    pub until: Option<DateTime<Utc>>,
    /// Who asks.
    pub who: String,
    /// Why, in that person's words.
    pub reason: String,
    /// Say what would be done and touch nothing.
    pub dry_run: bool,
}

/// One entry that may be taken over.
struct Found {
    entry: Entry,
    since: Option<DateTime<Utc>>,
}

impl<L: Ledger, N: NetworkAcls> Responder<L, N> {
    /// Takes entries over into the ledger, the oldest first, so that it is the first to be evicted. Says what became of each; what the
    /// table lists and does not stand is `missing`, what stands at no number of ours is `out_of_range`, and what is on a network ACL that
    /// is gone or not reached is `unknown_acl`.
    ///
    /// # Errors
    /// [`Error::Refused`] when the network ACL is not known; otherwise transient ones. Network ACLs before it are taken over then.
    pub async fn adopt(&self, adopt: &Adopt, now: DateTime<Utc>) -> Result<Vec<ActReport>, Error> {
        let mut reports = Vec::new();
        let acls = chosen(self.acls.list().await?, adopt.acl.as_deref())?;
        let rows = adopt.listed.as_deref();
        let meant = |row: &&Listed| adopt.acl.as_ref().is_none_or(|id| *id == row.acl);
        for row in rows.unwrap_or_default().iter().filter(meant) {
            if !acls.iter().any(|acl| is_of(row, acl)) {
                reports.push(unknown(row));
            }
        }
        for acl in acls {
            if rows.is_none_or(|rows| rows.iter().any(|row| is_of(row, &acl))) {
                reports.extend(self.adopt_on(&acl, adopt, now).await?);
            }
        }
        Ok(reports)
    }

    async fn adopt_on(&self, acl: &AclKey, adopt: &Adopt, now: DateTime<Utc>) -> Result<Vec<ActReport>, Error> {
        for _ in 0..ATTEMPTS {
            let described = self.acls.describe(acl).await?;
            let cidrs: Vec<IpNet> = described.entries.iter().map(|entry| entry.cidr).collect();
            let mut draft = Draft::new(self.view(std::slice::from_ref(acl), &cidrs).await?);
            let knowledge = self.knowledge(draft.lists()).await;
            let facts = plan::learned(&draft, acl, &described, now);
            draft.edit_meta(acl, |meta| meta.facts = Some(facts))?;
            let (found, mut reports) = self.candidates(&draft, acl, &described.entries, adopt, now);
            let mut changed = false;
            for found in found {
                let refused = self.refusal(&draft, acl, &found.entry, &knowledge, now);
                if refused.is_none() {
                    take_over(&mut draft, acl, &found, adopt, now)?;
                    changed = true;
                }
                reports.push(report(acl, &found.entry, refused));
            }
            if !changed || adopt.dry_run {
                return Ok(reports);
            }
            let facts = plan::learned(&draft, acl, &described, now);
            draft.edit_meta(acl, |meta| meta.facts = Some(facts))?;
            match self.commit_draft(draft).await {
                Err(ledger::Error::Conflict) => tokio::task::yield_now().await,
                done => return Ok(done.map(|()| reports)?),
            }
        }
        Err(ledger::Error::Conflict.into())
    }

    /// What may be taken over, the oldest first, and what the table lists and does not stand. What the ledger holds is left out, and
    /// what a description that lags may still show of it.
    fn candidates(
        &self,
        draft: &Draft,
        acl: &AclKey,
        standing: &[Entry],
        adopt: &Adopt,
        now: DateTime<Utc>,
    ) -> (Vec<Found>, Vec<ActReport>) {
        let limits = &self.policy.limits;
        let range = limits.first_rule..=limits.last_rule;
        let ours = |entry: &Entry| {
            draft.rows(acl).iter().any(|row| {
                let holds = row.state.is_live() && row.entry().as_ref() == Some(entry);
                let leaves = row.direction == entry.direction && row.cidr == entry.cidr;
                holds || leaves && row.left(entry.rule).is_some_and(|at| now - at < self.acls.lag())
            })
        };
        let free = |entry: &&Entry| {
            let plain = Entry::deny(entry.rule, entry.direction, entry.cidr);
            **entry == plain && range.contains(&entry.rule) && !ours(entry)
        };
        let Some(listed) = &adopt.listed else {
            let found = standing.iter().filter(free).cloned();
            return (found.map(|entry| Found { entry, since: None }).collect(), Vec::new());
        };
        let mut listed: Vec<&Listed> = listed.iter().filter(|row| is_of(row, acl)).collect();
        listed.sort_by_key(|row| row.created);
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        for row in listed {
            let entry = Entry::deny(row.rule, Direction::Ingress, guard::canonical(row.cidr));
            if standing.iter().filter(free).any(|free| *free == entry) {
                found.push(Found {
                    entry,
                    since: row.created,
                });
            } else if !ours(&entry) {
                missing.push(ActReport {
                    outcome: if standing.contains(&entry) {
                        "out_of_range"
                    } else {
                        "missing"
                    }
                    .to_owned(),
                    ..report(acl, &entry, None)
                });
            }
        }
        (found, missing)
    }

    /// Why an entry is not taken over.
    fn refusal(
        &self,
        draft: &Draft,
        acl: &AclKey,
        entry: &Entry,
        knowledge: &Knowledge,
        now: DateTime<Utc>,
    ) -> Option<Reason> {
        let live = || draft.rows(acl).iter().filter(|row| row.state.is_live());
        let same_way = || live().filter(|row| row.direction == entry.direction);
        let guarded = guard::check(entry.cidr, knowledge, now);
        let blocked = same_way().any(|row| row.cidr == entry.cidr);
        let full = same_way().count() >= self.policy.limits.entries_per_direction;
        let facts = draft.meta(acl).and_then(|meta| meta.facts.as_ref());
        let managed = facts.is_some_and(|facts| facts.managed_by.is_some());
        let elsewhere = self.policy.holds_back(&acl.account);
        guarded
            .or_else(|| elsewhere.filter(|reason| *reason == Reason::AccountNotEnforced))
            .or_else(|| managed.then_some(Reason::ManagedElsewhere))
            .or_else(|| blocked.then_some(Reason::AlreadyBlocked))
            .or_else(|| full.then_some(Reason::AclFull))
    }
}

fn unknown(row: &Listed) -> ActReport {
    ActReport {
        acl: None,
        direction: Some(Direction::Ingress),
        cidr: row.cidr,
        outcome: "unknown_acl".to_owned(),
        reason: Reason::Manual,
        rule: Some(row.rule),
        evicts: None,
    }
}

fn is_of(listed: &Listed, acl: &AclKey) -> bool {
    listed.acl == acl.acl && listed.region == acl.region
}

fn take_over(
    draft: &mut Draft,
    acl: &AclKey,
    found: &Found,
    adopt: &Adopt,
    now: DateTime<Utc>,
) -> Result<(), ledger::Error> {
    let (entry, since) = (&found.entry, found.since.unwrap_or(now));
    let about = About {
        note: Some(adopt.reason.clone()),
        ..About::default()
    };
    let former = draft.row(acl, entry.direction, entry.cidr);
    let row = Row {
        acl: acl.clone(),
        direction: entry.direction,
        cidr: entry.cidr,
        state: State::Applied,
        rule: Some(entry.rule),
        replaces: None,
        seq: 0,
        since,
        planned_at: since,
        last_seen: since,
        hits: former.map_or(0, |row| row.hits),
        expires: adopt.until,
        findings: former.map_or_else(Vec::new, |row| row.findings.clone()),
        severity: former.map_or(0.0, |row| row.severity),
        removal: None,
        gone_at: None,
        because: None,
        // A program's work, which makes way for a newer entry as the responder's own does.
        who: RESPONDER.to_owned(),
        pinned: false,
        held: former.map_or_else(Vec::new, |row| row.held.clone()),
        doubt: None,
        repaired: None,
        allowed_at: None,
        about: carried(&about).into(),
    };
    let seq = draft.next_seq(acl)?;
    let note = Note {
        at: now,
        reason: &adopt.reason,
        finding: None,
        who: &adopt.who,
        about: carried(&about.detail()),
    };
    draft.transition(Row { seq, ..row }, Event::Adopted, note)
}

fn report(acl: &AclKey, entry: &Entry, refused: Option<Reason>) -> ActReport {
    ActReport {
        acl: Some(acl.clone()),
        direction: Some(entry.direction),
        cidr: entry.cidr,
        outcome: if refused.is_some() { "refused" } else { "adopted" }.to_owned(),
        reason: refused.unwrap_or(Reason::Manual),
        rule: Some(entry.rule),
        evicts: None,
    }
}
