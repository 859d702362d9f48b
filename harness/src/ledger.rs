//! The ledger in memory: the conditions, the lease and the order of a real store, and none of its durability.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use portcullis::ledger::{
    AclView, AlertRow, Ask, AuditRow, Counts, Delivery, Error, Event, Filter, FindingRow, Lease, Lists, MessageRow,
    Meta, Position, Row, State, Transaction, Unreadable, View, Written,
};
use portcullis::network_acl::{AclKey, Direction};

/// Everything that the ledger holds.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// By network ACL.
    pub metas: BTreeMap<AclKey, Meta>,
    /// By network ACL, direction and address.
    pub rows: BTreeMap<(AclKey, Direction, IpNet), Row>,
    /// By id.
    pub findings: BTreeMap<String, FindingRow>,
    /// Allow-list, hold-offs, pause.
    pub lists: Lists,
    /// In order; numbers are places plus one.
    pub audit: Vec<AuditRow>,
    /// With the message that each is in.
    pub alerts: Vec<(AlertRow, Option<u64>)>,
    /// With whether each was given up.
    pub messages: Vec<(MessageRow, bool)>,
    /// By digest.
    pub unreadable: BTreeMap<String, Unreadable>,
    /// By reader.
    pub positions: BTreeMap<String, Position>,
}

fn clashes(what: String) -> Error {
    Error::Illegal { what }
}

impl Memory {
    fn meta(&self, acl: &AclKey) -> Meta {
        self.metas.get(acl).cloned().unwrap_or_else(|| Meta::new(acl.clone()))
    }

    /// The entries of a network ACL in the order of planning.
    pub fn of<'a>(&'a self, acl: &'a AclKey) -> impl Iterator<Item = &'a Row> {
        let from = (acl.clone(), Direction::Ingress, IpNet::default());
        let rows = self.rows.range(from..).map(|(_, row)| row);
        rows.take_while(move |row| row.acl == *acl)
    }

    /// See `Ledger::read`.
    #[must_use]
    pub fn read(&self, ask: &Ask<'_>) -> View {
        let acls = ask.acls.iter().map(|acl| {
            let mut rows: Vec<Row> = self.of(acl).filter(|row| row.state.is_live()).cloned().collect();
            rows.sort_by_key(|row| row.seq);
            for (_, direction, cidr) in ask.entries_of(acl) {
                let place = (*direction, *cidr);
                let asked = self
                    .of(acl)
                    .filter(|row| (row.direction, row.cidr) == place && !row.state.is_live());
                rows.extend(asked.cloned());
            }
            AclView {
                meta: self.meta(acl),
                rows,
            }
        });
        View {
            acls: acls.collect(),
            findings: ask
                .findings
                .iter()
                .filter_map(|id| self.findings.get(id).cloned())
                .collect(),
            lists: self.lists.clone(),
            ..View::default()
        }
    }

    /// See `Ledger::commit`.
    ///
    /// # Errors
    /// A version moved, or two entries would hold one rule number.
    pub fn commit(&mut self, transaction: &Transaction) -> Result<Written, Error> {
        for (acl, version) in &transaction.expect_acls {
            if self.metas.get(acl).map_or(0, |meta| meta.version) != *version {
                return Err(Error::Conflict);
            }
        }
        for (id, version) in &transaction.expect_findings {
            if self.findings.get(id).map_or(0, |row| row.version) != *version {
                return Err(Error::Conflict);
            }
        }
        if transaction
            .expect_lists
            .is_some_and(|version| version != self.lists.version)
        {
            return Err(Error::Conflict);
        }
        if transaction.expect_new.iter().any(|key| self.rows.contains_key(key)) {
            return Err(Error::Conflict);
        }
        self.one_number_one_entry(transaction)?;
        for row in &transaction.rows {
            self.rows
                .insert((row.acl.clone(), row.direction, row.cidr), row.clone());
        }
        for meta in &transaction.metas {
            self.metas.insert(meta.acl.clone(), meta.clone());
        }
        for row in &transaction.findings {
            self.findings.insert(row.id.clone(), row.clone());
        }
        if let Some(lists) = &transaction.lists {
            self.lists = Lists {
                version: lists.version + 1,
                ..lists.clone()
            };
        }
        for row in &transaction.audit {
            let number = self.audit.len() as u64 + 1;
            self.audit.push(AuditRow { number, ..row.clone() });
        }
        let first = self.alerts.len() as u64 + 1;
        for row in &transaction.alerts {
            let number = self.alerts.len() as u64 + 1;
            self.alerts.push((AlertRow { number, ..row.clone() }, None));
        }
        for row in &transaction.unreadable {
            self.unreadable
                .entry(row.digest.clone())
                .and_modify(|known| known.times += 1)
                .or_insert_with(|| row.clone());
        }
        Ok(Written {
            first_alert: (!transaction.alerts.is_empty()).then_some(first),
        })
    }

    /// No two entries would hold one rule number.
    fn one_number_one_entry(&self, transaction: &Transaction) -> Result<(), Error> {
        let holds = |row: &&Row| matches!(row.state, State::Planned | State::Applied | State::Expiring);
        let written: BTreeSet<_> = transaction
            .rows
            .iter()
            .map(|row| (&row.acl, row.direction, row.cidr))
            .collect();
        let acls: BTreeSet<&AclKey> = transaction.rows.iter().map(|row| &row.acl).collect();
        let stays = |row: &&Row| !written.contains(&(&row.acl, row.direction, row.cidr));
        let stand = acls.into_iter().flat_map(|acl| self.of(acl)).filter(stays);
        let mut held = BTreeMap::new();
        for row in stand.chain(&transaction.rows).filter(holds) {
            if let Some(rule) = row.rule
                && let Some(other) = held.insert((&row.acl, row.direction, rule), row.cidr)
            {
                return Err(clashes(format!("rule {rule} for both {other} and {}", row.cidr)));
            }
        }
        Ok(())
    }

    /// See `Ledger::pending`.
    #[must_use]
    pub fn pending(&self, now: DateTime<Utc>) -> Vec<AclKey> {
        let mut oldest: BTreeMap<&AclKey, DateTime<Utc>> = BTreeMap::new();
        let due = |row: &Row| row.state == State::Applied && row.expires.is_some_and(|at| at <= now);
        for row in self.rows.values().filter(|row| row.state.is_pending() || due(row)) {
            let at = oldest.entry(&row.acl).or_insert(row.planned_at);
            *at = row.planned_at.min(*at);
        }
        let mut acls: Vec<_> = oldest.into_iter().collect();
        acls.sort_by_key(|(acl, at)| (*at, (*acl).clone()));
        acls.into_iter().map(|(acl, _)| acl.clone()).collect()
    }

    /// See `Ledger::lease`.
    pub fn lease(&mut self, acl: &AclKey, owner: &str, now: DateTime<Utc>, until: DateTime<Utc>) -> bool {
        let mut meta = self.meta(acl);
        let held = meta.lease.as_ref();
        if held.is_some_and(|lease| lease.owner != owner && lease.until > now) {
            return false;
        }
        if meta.lease.is_some() {
            meta.unsure = Some(now);
        }
        meta.lease = Some(Lease {
            owner: owner.to_owned(),
            until,
        });
        meta.version += 1;
        self.metas.insert(acl.clone(), meta);
        true
    }

    /// See `Ledger::renew`.
    pub fn renew(&mut self, acl: &AclKey, owner: &str, until: DateTime<Utc>) -> bool {
        let Some(meta) = self.metas.get_mut(acl) else {
            return false;
        };
        let Some(lease) = meta.lease.as_mut().filter(|lease| lease.owner == owner) else {
            return false;
        };
        lease.until = until;
        meta.version += 1;
        true
    }

    /// See `Ledger::release`.
    pub fn release(&mut self, acl: &AclKey, owner: &str) {
        if let Some(meta) = self.metas.get_mut(acl)
            && meta.lease.as_ref().is_some_and(|lease| lease.owner == owner)
        {
            meta.lease = None;
            meta.version += 1;
        }
    }

    /// See `Ledger::entries`.
    #[must_use]
    pub fn entries(&self, filter: Filter) -> Vec<Row> {
        let wanted = |row: &&Row| filter == Filter::All || row.state.is_live();
        let mut rows: Vec<Row> = self.rows.values().filter(wanted).cloned().collect();
        rows.sort_by_key(|row| (row.acl.clone(), row.direction.name(), row.seq));
        rows
    }

    /// See `Ledger::audit`.
    #[must_use]
    pub fn audit(&self, after: u64, limit: usize) -> Vec<AuditRow> {
        let rows = self.audit.iter().filter(|row| row.number > after);
        rows.take(limit).cloned().collect()
    }

    /// See `Ledger::alerts_waiting`.
    #[must_use]
    pub fn alerts_waiting(&self, limit: usize) -> Vec<AlertRow> {
        let waiting = self.alerts.iter().filter(|(_, message)| message.is_none());
        waiting.take(limit).map(|(row, _)| row.clone()).collect()
    }

    /// See `Ledger::put_message`.
    ///
    /// # Errors
    /// One of the alerts is in a message already.
    pub fn put_message(
        &mut self,
        alerts: &[u64],
        message: &MessageRow,
        first: Option<&Delivery>,
    ) -> Result<u64, Error> {
        let number = self.messages.len() as u64 + 1;
        let waits = |wanted: &u64| {
            self.alerts
                .iter()
                .any(|(row, message)| row.number == *wanted && message.is_none())
        };
        if !alerts.iter().all(waits) {
            return Err(Error::Conflict);
        }
        for (row, message) in &mut self.alerts {
            if alerts.contains(&row.number) {
                *message = Some(number);
            }
        }
        let row = MessageRow {
            number,
            next: message.at,
            sent: None,
            attempts: 0,
            last_error: None,
            ..message.clone()
        };
        self.messages.push((row, false));
        first.into_iter().for_each(|outcome| self.delivered(number, outcome));
        Ok(number)
    }

    /// See `Ledger::messages`.
    #[must_use]
    pub fn messages(&self, limit: usize) -> Vec<MessageRow> {
        self.messages
            .iter()
            .rev()
            .take(limit)
            .map(|(row, _)| row.clone())
            .collect()
    }

    /// See `Ledger::unsent`.
    #[must_use]
    pub fn unsent(&self, now: DateTime<Utc>, limit: usize) -> Vec<MessageRow> {
        let waits = |(row, given_up): &&(MessageRow, bool)| row.sent.is_none() && !given_up && row.next <= now;
        let found = self.messages.iter().filter(waits);
        found.take(limit).map(|(row, _)| row.clone()).collect()
    }

    /// See `Ledger::delivered`.
    pub fn delivered(&mut self, number: u64, outcome: &Delivery) {
        let Some((row, given_up)) = self.messages.iter_mut().find(|(row, _)| row.number == number) else {
            return;
        };
        match outcome {
            Delivery::Sent(at) => {
                row.sent = Some(*at);
                row.attempts += 1;
                row.last_error = None;
            }
            Delivery::Failed { error, next } if row.sent.is_none() && !*given_up => {
                row.attempts += 1;
                row.last_error = Some(error.clone());
                *given_up = next.is_none();
                row.next = next.unwrap_or(row.next);
            }
            Delivery::Failed { .. } => {}
        }
    }

    /// See `Ledger::counts`.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts {
            findings: self.findings.values().map(|row| row.versions).sum(),
            alerts: self.alerts.len() as u64,
            ..Counts::default()
        };
        for row in &self.audit {
            *counts.events.entry(row.event.word().to_owned()).or_default() += 1;
            if row.event == Event::Decided {
                *counts.decided.entry(row.reason.clone()).or_default() += 1;
            }
        }
        for (row, given_up) in &self.messages {
            counts.sent += u64::from(row.sent.is_some());
            counts.dead += u64::from(*given_up);
            counts.waiting += u64::from(row.sent.is_none() && !given_up);
        }
        counts
    }

    /// See `Ledger::set_position`.
    pub fn set_position(&mut self, reader: &str, reached: &Position) {
        let position = self.positions.entry(reader.to_owned()).or_default();
        *position = reached.clone().max(position.clone());
    }
}
