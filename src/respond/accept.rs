//! Records in, decisions out: parse, decide, plan, one ledger transaction.
//!
//! What a person should know of, and does not know yet, goes to the outbox in the same transaction.

use chrono::{DateTime, TimeDelta, Utc};
use ipnet::IpNet;

use super::audit::{About, Detail, RESPONDER, carried, decided, outboxed};
use super::decide::decide;
use super::decision::{Decision, FindingSummary, RemoteOrigin, Verdict};
use super::error::Error;
use super::flood;
use super::notify::{Alert, AlertKind};
use super::plan::{self, Outcome, Wanted};
use super::reason::Reason;
use super::report::Mode;
use super::responder::Responder;
use crate::finding::{self, Finding};
use crate::ledger::{self, Ask, AuditRow, Draft, Event, FindingRow, Ledger, Unreadable};
use crate::network_acl::{self, Acl, AclKey, Code, Database, Direction, NetworkAcls, Place};

/// How often a change is prepared again when somebody else commits first.
pub(super) const ATTEMPTS: usize = 20;

/// What was last seen of a network ACL is looked at again after this time.
const FACTS_AGE: TimeDelta = TimeDelta::hours(1);

/// Bytes that are kept of a record that cannot be read.
const KEPT_BYTES: usize = 64 * 1024;

/// What people were told about one finding is remembered up to this many.
const MAX_TOLD: usize = 32;

type Parsed<'a> = (&'a [u8], DateTime<Utc>, Result<Finding, finding::Error>);

/// One decision with the network ACLs that it is about.
struct Judged {
    decision: Decision,
    acls: Vec<AclKey>,
}

impl Judged {
    /// The entries that are meant.
    fn entries(&self) -> Vec<(AclKey, Direction, IpNet)> {
        let cidr = self.decision.address.map(IpNet::from);
        let ways = || self.decision.directions.iter().zip(cidr.into_iter().cycle());
        let on = |acl: &AclKey| ways().map(|(way, cidr)| (acl.clone(), *way, cidr)).collect::<Vec<_>>();
        self.acls.iter().flat_map(on).collect()
    }
}

/// What was decided about one record.
struct Case<'a> {
    record: &'a [u8],
    now: DateTime<Utc>,
    finding: Result<Vec<Judged>, &'a finding::Error>,
}

impl<L: Ledger, N: NetworkAcls> Responder<L, N> {
    /// Decides on one record and plans; durable when it returns. Call [`Responder::sweep`] to act.
    ///
    /// One decision per address, or one for the record as a whole. A record that is no readable finding is kept and comes
    /// back as [`Reason::Unreadable`].
    ///
    /// # Errors
    /// Transient ones only: deliver the record again.
    pub async fn accept(&self, record: &[u8], now: DateTime<Utc>) -> Result<Vec<Decision>, Error> {
        self.accept_many(&[(record, now)]).await
    }

    /// As [`Responder::accept`], for many records in one transaction, each with its own present.
    ///
    /// # Errors
    /// Transient ones only: nothing was accepted, deliver all of them again.
    pub async fn accept_many(&self, records: &[(&[u8], DateTime<Utc>)]) -> Result<Vec<Decision>, Error> {
        let parsed = parse(records);
        for attempt in 0..ATTEMPTS {
            // What is remembered is tried once, since only a read can tell more.
            match self.try_accept(&parsed, attempt == 0).await {
                Err(Error::Ledger(ledger::Error::Conflict)) => tokio::task::yield_now().await,
                done => return done,
            }
        }
        Err(ledger::Error::Conflict.into())
    }

    /// What [`Responder::accept`] would decide; touches nothing.
    ///
    /// # Errors
    /// Transient ones only.
    pub async fn preview(&self, record: &[u8], now: DateTime<Utc>) -> Result<Vec<Decision>, Error> {
        Ok(self.judge(&parse(&[(record, now)]), false, false).await?.1)
    }

    async fn try_accept(&self, parsed: &[Parsed<'_>], recall: bool) -> Result<Vec<Decision>, Error> {
        let (mut draft, decisions) = Box::pin(self.judge(parsed, true, recall)).await?;
        if recall {
            draft.all_holds_still();
        }
        let now = parsed.iter().map(|(_, now, _)| *now).min();
        let leased = now.map_or(Ok(Vec::new()), |now| self.lease_with_plan(&mut draft, now))?;
        self.commit_draft(draft).await?;
        for (acl, at) in leased.into_iter().zip(now.into_iter().cycle()) {
            self.agenda.took_lease(acl, at);
        }
        Ok(decisions)
    }

    async fn judge(&self, parsed: &[Parsed<'_>], act: bool, recall: bool) -> Result<(Draft, Vec<Decision>), Error> {
        let lists = self.known(Ask::default(), recall).await?.lists;
        let knowledge = self.knowledge(&lists).await;
        let mut cases = Vec::with_capacity(parsed.len());
        for (record, now, finding) in parsed {
            let finding = match finding {
                Ok(finding) => {
                    let database = finding.resource.database.as_deref();
                    let decisions = decide(finding, &self.policy, &knowledge, *now);
                    Ok(self.locate(decisions, database, act).await?)
                }
                Err(error) => Err(error),
            };
            cases.push(Case {
                record,
                now: *now,
                finding,
            });
        }
        let judged = || cases.iter().flat_map(|case| case.finding.iter().flatten());
        let mut acls: Vec<AclKey> = judged().flat_map(|judged| judged.acls.iter().cloned()).collect();
        acls.sort();
        acls.dedup();
        let mut entries: Vec<(AclKey, Direction, IpNet)> = judged().flat_map(Judged::entries).collect();
        entries.sort();
        entries.dedup();
        let mut ids: Vec<String> = judged().map(|judged| finding_key(&judged.decision.finding)).collect();
        ids.sort();
        ids.dedup();
        let ask = Ask {
            acls: &acls,
            entries: &entries,
            findings: &ids,
        };
        let view = self.known(ask, recall).await?;
        if view.lists.version != lists.version {
            return Err(ledger::Error::Conflict.into());
        }
        let mut draft = Draft::new(view);
        let Some(first) = cases.first().map(|case| case.now) else {
            return Ok((draft, Vec::new()));
        };
        for acl in &acls {
            self.look_at(&mut draft, acl, first).await?;
        }
        let mut decisions = Vec::new();
        for case in &cases {
            match &case.finding {
                Ok(judged) => decisions.extend(self.settle(&mut draft, judged, case.now)?),
                Err(error) => decisions.push(keep(&mut draft, case.record, error, self.policy.mode, case.now)),
            }
        }
        Ok((draft, decisions))
    }

    /// Finds the network ACLs that a block is about.
    async fn locate(&self, decisions: Vec<Decision>, database: Option<&str>, act: bool) -> Result<Vec<Judged>, Error> {
        let mut located = Vec::with_capacity(decisions.len());
        for mut decision in decisions {
            let mut acls = Vec::new();
            let mut inside = false;
            if let (Verdict::Block, true, Some(database)) = (decision.verdict, decision.subnets.is_empty(), database) {
                self.locate_database(&mut decision, database).await?;
            }
            if decision.verdict == Verdict::Block {
                for subnet in &decision.subnets {
                    let place = Place {
                        account: &decision.finding.account,
                        region: &decision.finding.region,
                        vpc: None,
                        subnet,
                    };
                    let Some(acl) = reached(self.acls.acl_of(&place).await)?.flatten() else {
                        continue;
                    };
                    if let Some(address) = decision.address {
                        match reached(self.acls.reaches_internet(&place, address).await)? {
                            Some(true) => {}
                            Some(false) => {
                                inside = true;
                                continue;
                            }
                            None => continue,
                        }
                    }
                    if act && self.policy.mode == Mode::Enforce {
                        self.acls.ensure(&place).await?;
                    }
                    if !acls.contains(&acl) {
                        acls.push(acl);
                    }
                }
            }
            if inside && acls.is_empty() {
                set(&mut decision, Verdict::Alert, Reason::NotInternet);
            }
            located.push(Judged { decision, acls });
        }
        Ok(located)
    }

    /// Finds the subnets of a database, which no finding names. In doubt nothing is blocked.
    async fn locate_database(&self, decision: &mut Decision, database: &str) -> Result<(), Error> {
        let FindingSummary { account, region, .. } = &decision.finding;
        match reached(self.acls.database(account, region, database).await)?.unwrap_or_default() {
            Database::In(subnets) => decision.subnets = subnets,
            Database::NotPublic => set(decision, Verdict::Alert, Reason::DatabaseNotPublic),
            Database::Unknown => set(decision, Verdict::Alert, Reason::DatabaseUnknown),
        }
        Ok(())
    }

    /// Describes a network ACL when nothing recent is known of it.
    pub(super) async fn look_at(&self, draft: &mut Draft, acl: &AclKey, now: DateTime<Utc>) -> Result<(), Error> {
        let known = draft.meta(acl).and_then(|meta| meta.facts.as_ref());
        if known.is_some_and(|facts| facts.at + FACTS_AGE > now) {
            return Ok(());
        }
        let described = match self.acls.describe(acl).await {
            Err(error) if error.code == Code::AclNotFound => Acl {
                quota: usize::MAX,
                ..Acl::default()
            },
            // What is known, though old, is enough to plan on: acting looks again.
            Err(_) if known.is_some() => return Ok(()),
            other => other?,
        };
        let facts = plan::facts(&described, draft.rows(acl), now);
        Ok(draft.edit_meta(acl, |meta| meta.facts = Some(facts))?)
    }

    /// Plans what was decided about one finding, and records every decision with its reason.
    fn settle(&self, draft: &mut Draft, judged: &[Judged], now: DateTime<Utc>) -> Result<Vec<Decision>, Error> {
        let Some(summary) = judged.first().map(|judged| &judged.decision.finding) else {
            return Ok(Vec::new());
        };
        let id = finding_key(summary);
        let known = draft.finding(&id).cloned();
        let repeated = known.as_ref().is_some_and(|row| row.updated_at >= summary.updated_at) && !planted!(ReplayStale);
        let mut row = known.unwrap_or_else(|| FindingRow {
            id,
            version: 0,
            updated_at: summary.updated_at,
            slots: 0,
            versions: 0,
            told: Vec::new(),
        });
        let mut decisions = Vec::with_capacity(judged.len());
        for Judged { decision, acls } in judged {
            let mut decision = decision.clone();
            let place = draft.audit_place();
            if repeated {
                set(&mut decision, Verdict::Ignore, Reason::Duplicate);
            } else if decision.verdict == Verdict::Block {
                self.plan_all(draft, &mut decision, acls, &mut row.slots, now)?;
            }
            draft.audit_before(place, decided(&decision, self.policy.mode, now));
            if decision.verdict == Verdict::Alert {
                let crowded = matches!(
                    decision.reason,
                    Reason::EvictionRate | Reason::AclFull | Reason::FindingSlots | Reason::Outranked
                );
                let limits = &self.policy.limits;
                if !(crowded && acls.iter().any(|acl| flood::rages(draft, acl, limits, now))) {
                    tell(draft, &mut row.told, &decision, acls, self.policy.mode, now);
                }
            }
            decisions.push(decision);
        }
        if !repeated {
            row.updated_at = summary.updated_at;
            row.versions += 1;
            draft.put_finding(row);
        }
        Ok(decisions)
    }

    /// Plans one address on every network ACL and in every direction meant; the decision says what came of it.
    fn plan_all(
        &self,
        draft: &mut Draft,
        decision: &mut Decision,
        acls: &[AclKey],
        slots: &mut usize,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let Some(address) = decision.address else {
            set(decision, Verdict::Alert, Reason::NoRemoteAddress);
            return Ok(());
        };
        if acls.is_empty() {
            set(decision, Verdict::Alert, Reason::UnknownSubnet);
            return Ok(());
        }
        let about = About::of(decision);
        let mut planned = false;
        let mut refusals = Vec::new();
        for acl in acls {
            for direction in decision.directions.clone() {
                let wanted = Wanted {
                    acl,
                    direction,
                    cidr: IpNet::from(address),
                    about: &about,
                    reason: Reason::Matched.word(),
                    who: RESPONDER,
                    expires: None,
                    slots_left: Some(self.policy.limits.slots_per_finding.saturating_sub(*slots)),
                    now,
                };
                match plan::plan(draft, &self.policy, &wanted)? {
                    Outcome::Planned { .. } => {
                        planned = true;
                        *slots += 1;
                    }
                    Outcome::Refused(reason) => {
                        if reason != Reason::AlreadyBlocked {
                            draft.audit(refused(&wanted, reason, self.policy.mode));
                        }
                        refusals.push(reason);
                    }
                }
            }
        }
        // What keeps an address unblocked somewhere matters more than that it is blocked elsewhere already.
        let worst = refusals
            .iter()
            .find(|reason| **reason != Reason::AlreadyBlocked)
            .or(refusals.first());
        if let (false, Some(reason)) = (planned, worst) {
            set(decision, verdict_of(*reason), *reason);
        }
        Ok(())
    }
}

/// An answer, or `None` where the account does not let us look: a person mends that, and to deliver the record again does not.
fn reached<T>(answer: Result<T, network_acl::Error>) -> Result<Option<T>, network_acl::Error> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.code.is_transient() => Err(error),
        Err(error) => {
            tracing::warn!(%error, "a subnet or database cannot be looked at, so nothing is blocked there");
            Ok(None)
        }
    }
}

fn parse<'a>(records: &[(&'a [u8], DateTime<Utc>)]) -> Vec<Parsed<'a>> {
    records
        .iter()
        .map(|(record, now)| (*record, *now, Finding::parse(record)))
        .collect()
}

/// Finding ids are unique within a detector only.
fn finding_key(finding: &FindingSummary) -> String {
    format!("{}/{}/{}", finding.account, finding.region, finding.id)
}

fn set(decision: &mut Decision, verdict: Verdict, reason: Reason) {
    decision.verdict = verdict;
    decision.reason = reason;
    decision.directions.clear();
}

/// Whether people should hear of a refusal at planning.
fn verdict_of(reason: Reason) -> Verdict {
    match reason {
        Reason::AlreadyBlocked | Reason::EvictedBefore | Reason::HeldOff => Verdict::Ignore,
        _ => Verdict::Alert,
    }
}

/// The audit row of a refusal at one network ACL and direction.
pub(super) fn refused(wanted: &Wanted<'_>, reason: Reason, mode: Mode) -> AuditRow {
    AuditRow {
        acl: Some(wanted.acl.clone()),
        direction: Some(wanted.direction),
        cidr: Some(wanted.cidr),
        finding: wanted.about.finding_id().map(str::to_owned),
        about: carried(&Detail {
            mode: Some(mode),
            ..wanted.about.detail()
        }),
        ..AuditRow::new(Event::Refused, wanted.who, reason.word(), wanted.now)
    }
}

/// Tells people, once per finding, address and reason.
fn tell(
    draft: &mut Draft,
    told: &mut Vec<String>,
    decision: &Decision,
    acls: &[AclKey],
    mode: Mode,
    now: DateTime<Utc>,
) {
    let address = decision.address.map(|address| address.to_string()).unwrap_or_default();
    let words = format!("{} {address}", decision.reason);
    if told.contains(&words) || told.len() >= MAX_TOLD {
        return;
    }
    told.push(words);
    let kind = match decision.reason {
        Reason::Shadow => AlertKind::WouldBlock,
        _ => AlertKind::NotBlocked,
    };
    let alert = Alert {
        address: decision.address.map(IpNet::from),
        origin: decision.origin.clone(),
        finding: Some(decision.finding.clone()),
        note: (!acls.is_empty()).then(|| acls.iter().map(|acl| acl.acl.as_str()).collect::<Vec<_>>().join(", ")),
        ..Alert::new(kind, decision.reason, now)
    };
    draft.alert(outboxed(&alert));
    draft.audit(AuditRow {
        event: Event::Alerted,
        ..decided(decision, mode, now)
    });
}

/// Keeps a record that is no finding, so that it neither blocks anything nor is lost.
fn keep(draft: &mut Draft, record: &[u8], error: &finding::Error, mode: Mode, now: DateTime<Utc>) -> Decision {
    draft.keep_unreadable(Unreadable {
        digest: blake3::hash(record).to_hex().to_string(),
        at: now,
        times: 1,
        reason: error.to_string(),
        length: record.len(),
        bytes: record[..record.len().min(KEPT_BYTES)].to_vec(),
    });
    let decision = Decision {
        finding: FindingSummary {
            id: String::new(),
            finding_type: String::new(),
            severity: 0.0,
            account: String::new(),
            region: String::new(),
            partition: String::new(),
            title: error.to_string(),
            description: String::new(),
            updated_at: now,
            last_seen: now,
            count: 0,
            resource: None,
        },
        address: None,
        origin: RemoteOrigin::default(),
        verdict: Verdict::Ignore,
        reason: Reason::Unreadable,
        directions: Vec::new(),
        subnets: Vec::new(),
    };
    draft.audit(decided(&decision, mode, now));
    decision
}
