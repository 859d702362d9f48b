//! What people and pages read: plain reports out of ledger, audit, outbox and network ACLs.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::slice;

use chrono::{DateTime, Utc};

use super::audit::About;
use super::error::Error;
use super::plan;
use super::reason::Reason;
use super::report::{AclReport, AuditReport, EntryReport, MessageReport, StatusReport};
use super::responder::Responder;
use crate::ledger::{AuditRow, Event, Facts, Filter, Ledger, MessageRow, Row, State, Unreadable};
use crate::network_acl::{Acl, AclKey, Direction, NetworkAcls};

impl<L: Ledger, N: NetworkAcls> Responder<L, N> {
    /// Ledger entries by network ACL, direction and order of planning.
    ///
    /// # Errors
    /// When the ledger fails, as for every call here.
    pub async fn entries(&self, filter: Filter) -> Result<Vec<EntryReport>, Error> {
        Ok(reports(&self.ledger.entries(filter).await?))
    }

    /// Every network ACL and direction: how full it is and who goes next.
    ///
    /// # Errors
    /// When the ledger or the network ACLs cannot be read.
    pub async fn acls(&self) -> Result<Vec<AclReport>, Error> {
        self.described(&self.ledger.entries(Filter::Active).await?).await
    }

    /// The same, with the live entries of the ledger.
    async fn described(&self, rows: &[Row]) -> Result<Vec<AclReport>, Error> {
        let mut known: BTreeMap<AclKey, Acl> = self.acls.describe_all().await?.into_iter().collect();
        for key in self.ledger.acls().await? {
            if let Entry::Vacant(place) = known.entry(key) {
                // One that is gone still shows what the ledger holds of it.
                let acl = self.acls.describe(place.key()).await.unwrap_or_default();
                place.insert(acl);
            }
        }
        let mut found = Vec::with_capacity(known.len() * 2);
        for (key, acl) in known {
            let rows: Vec<Row> = rows.iter().filter(|row| row.acl == key).cloned().collect();
            let facts = plan::facts(&acl, &rows, DateTime::<Utc>::MIN_UTC);
            found.extend(self.sides(&key, &facts, &rows));
        }
        Ok(found)
    }

    /// Both directions of a network ACL, out of its live entries and what limits planning there.
    fn sides(&self, key: &AclKey, facts: &Facts, rows: &[Row]) -> [AclReport; 2] {
        [Direction::Ingress, Direction::Egress].map(|direction| {
            let rows: Vec<Row> = rows.iter().filter(|row| row.direction == direction).cloned().collect();
            let mut managed = reports(&rows);
            managed.sort_by_key(|report| (report.eviction_order.is_none(), report.eviction_order));
            let foreign = facts.foreign.iter().filter(|entry| entry.direction == direction);
            let foreign: Vec<_> = foreign.cloned().collect();
            let limits = &self.policy.limits;
            AclReport {
                key: key.clone(),
                vpc: facts.vpc.clone(),
                subnets: facts.subnets.clone(),
                direction,
                range: (limits.first_rule, limits.last_rule),
                limit: limits
                    .entries_per_direction
                    .min(facts.quota.saturating_sub(foreign.len())),
                quota: facts.quota,
                managed,
                foreign,
            }
        })
    }

    /// Audit rows with a number above `after`, in order.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn audit(&self, after: u64, limit: usize) -> Result<Vec<AuditReport>, Error> {
        Ok(self
            .ledger
            .audit(after, limit)
            .await?
            .into_iter()
            .map(audited)
            .collect())
    }

    /// The newest audit rows, newest first.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn audit_newest(&self, limit: usize) -> Result<Vec<AuditReport>, Error> {
        Ok(self
            .ledger
            .audit_newest(limit)
            .await?
            .into_iter()
            .map(audited)
            .collect())
    }

    /// Messages, newest first.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn messages(&self, limit: usize) -> Result<Vec<MessageReport>, Error> {
        Ok(self.ledger.messages(limit).await?.into_iter().map(told).collect())
    }

    /// Records that could not be read as findings, newest first.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn unreadable(&self, limit: usize) -> Result<Vec<Unreadable>, Error> {
        Ok(self.ledger.unreadable(limit).await?)
    }

    /// Everything that `portcullis status` says.
    ///
    /// # Errors
    /// When the ledger or the network ACLs cannot be read.
    pub async fn status(&self, now: DateTime<Utc>) -> Result<StatusReport, Error> {
        let rows = self.ledger.entries(Filter::Active).await?;
        let acls = self.described(&rows).await?;
        self.summary(now, &rows, acls).await
    }

    /// The same from the ledger alone, for pages and machines that ask often: of the network ACLs that something was planned on, as the
    /// responder last saw them. Asks EC2 nothing.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn status_last_seen(&self, now: DateTime<Utc>) -> Result<StatusReport, Error> {
        let (mut rows, mut acls) = (Vec::new(), Vec::new());
        for key in self.ledger.acls().await? {
            for known in self.view(slice::from_ref(&key), &[]).await?.acls {
                let never_seen = || plan::facts(&Acl::default(), &[], now);
                let facts = known.meta.facts.unwrap_or_else(never_seen);
                acls.extend(self.sides(&key, &facts, &known.rows));
                rows.extend(known.rows);
            }
        }
        self.summary(now, &rows, acls).await
    }

    async fn summary(&self, now: DateTime<Utc>, rows: &[Row], acls: Vec<AclReport>) -> Result<StatusReport, Error> {
        let counts = self.ledger.counts().await?;
        let lists = self.view(&[], &[]).await?.lists;
        let pending = || rows.iter().filter(|row| row.state.is_pending());
        let oldest = pending().map(|row| row.planned_at).min();
        let event = |event: Event| counts.events.get(event.word()).copied().unwrap_or(0);
        let blocks = [Reason::Matched.word(), Reason::Manual.word()];
        let mut not_blocked: BTreeMap<String, u64> = counts.decided.clone();
        not_blocked.retain(|reason, _| !blocks.contains(&reason.as_str()));
        Ok(StatusReport {
            mode: self.policy.mode,
            paused: lists
                .paused(now)
                .map(|pause| format!("by {}: {}", pause.who, pause.reason)),
            applied: rows.iter().filter(|row| row.state == State::Applied).count() as u64,
            pending: pending().count() as u64,
            pending_age_seconds: oldest.map_or(0, |at| u64::try_from((now - at).num_seconds()).unwrap_or(0)),
            blocked: event(Event::Applied),
            evicted: event(Event::Evicted),
            expired: event(Event::Expired),
            not_blocked,
            findings: counts.findings,
            unreadable: counts.decided.get(Reason::Unreadable.word()).copied().unwrap_or(0),
            alerts: counts.alerts,
            messages: counts.sent,
            messages_waiting: counts.waiting,
            acls,
        })
    }
}

/// Reports of entries, each with its place in the order of eviction within its network ACL and direction.
fn reports(rows: &[Row]) -> Vec<EntryReport> {
    let mut order: BTreeMap<(&AclKey, Direction), Vec<(bool, u64)>> = BTreeMap::new();
    for row in rows.iter().filter(|row| evictable(row)) {
        let places = order.entry((&row.acl, row.direction)).or_default();
        places.push((row.state == State::Planned, row.seq));
    }
    order.values_mut().for_each(|places| places.sort_unstable());
    rows.iter()
        .map(|row| {
            let place = order
                .get(&(&row.acl, row.direction))
                .filter(|_| evictable(row))
                .and_then(|places| places.binary_search(&(row.state == State::Planned, row.seq)).ok());
            entry(row, place.and_then(|place| u32::try_from(place + 1).ok()))
        })
        .collect()
}

fn evictable(row: &Row) -> bool {
    matches!(row.state, State::Planned | State::Applied) && row.removal.is_none()
}

fn entry(row: &Row, eviction_order: Option<u32>) -> EntryReport {
    let about = About::of_row(row);
    EntryReport {
        account: row.acl.account.clone(),
        region: row.acl.region.clone(),
        nacl: row.acl.acl.clone(),
        direction: row.direction,
        rule: row.rule,
        cidr: row.cidr,
        state: row.state.name().to_owned(),
        since: row.since,
        expires: row.expires,
        hits: row.hits,
        last_seen: row.last_seen,
        findings: row.findings.clone(),
        finding_type: about.finding.map(|finding| finding.finding_type).unwrap_or_default(),
        severity: row.severity,
        country: about.origin.country,
        organisation: about.origin.organisation,
        removed_because: row.because.clone(),
        eviction_order,
    }
}

fn audited(row: AuditRow) -> AuditReport {
    AuditReport {
        number: row.number,
        at: row.at,
        event: row.event.word().to_owned(),
        acl: row.acl,
        direction: row.direction,
        rule: row.rule,
        cidr: row.cidr,
        reason: row.reason,
        finding: row.finding,
        who: row.who,
    }
}

fn told(row: MessageRow) -> MessageReport {
    MessageReport {
        number: row.number,
        at: row.at,
        sent: row.sent,
        attempts: row.attempts,
        last_error: row.last_error,
        addresses: row.addresses,
        payload: row.payload,
    }
}
