//! A change in preparation: a copy of what was read, and what is to be written on the condition that it still holds.
//!
//! Planning several addresses of one finding, or several findings, works on one draft, so each step sees the one
//! before. [`Draft::transition`] is the only way from one state to the next: it checks the table and writes the audit row.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use serde_json::Value;

use super::Error;
use super::rows::{
    AclView, AlertRow, Allowance, AuditRow, FindingRow, HoldOff, Lists, Meta, Pause, Row, SupposedNew, Unreadable, View,
};
use super::state::{Event, State, is_legal};
use crate::network_acl::{AclKey, Direction};

/// Everything that is written together, and on which condition.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transaction {
    /// Versions of the network ACLs as they were read; each grows by one where its meta row is written, too.
    pub expect_acls: Vec<(AclKey, u64)>,
    /// Versions of the findings as they were read, 0 for one not known; each grows by one where it is written, too.
    pub expect_findings: Vec<(String, u64)>,
    /// Version of the lists as it was read.
    pub expect_lists: Option<u64>,
    /// Entries that must not be there yet, in any state.
    pub expect_new: Vec<(AclKey, Direction, IpNet)>,
    /// Meta rows to write, with their new versions.
    pub metas: Vec<Meta>,
    /// Entries to write, those that leave a rule number first.
    pub rows: Vec<Row>,
    /// Findings to write, with their new versions.
    pub findings: Vec<FindingRow>,
    /// Versions of findings that were processed for the first time.
    pub processed: u64,
    /// The lists to write, when they change; the store gives them the next version.
    pub lists: Option<Lists>,
    /// Audit rows to append, in this order.
    pub audit: Vec<AuditRow>,
    /// Alerts to append, in this order.
    pub alerts: Vec<AlertRow>,
    /// Records to keep.
    pub unreadable: Vec<Unreadable>,
}

impl Transaction {
    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.metas.is_empty()
            && self.findings.is_empty()
            && self.lists.is_none()
            && self.audit.is_empty()
            && self.alerts.is_empty()
            && self.unreadable.is_empty()
    }
}

/// What an audit row says beside the transition itself.
#[derive(Clone, Debug)]
pub struct Note<'a> {
    /// When.
    pub at: DateTime<Utc>,
    /// A word, or a person's words.
    pub reason: &'a str,
    /// Finding id.
    pub finding: Option<&'a str>,
    /// `responder` or a person.
    pub who: &'a str,
    /// For response documents.
    pub about: Value,
}

/// A change in preparation.
#[derive(Clone, Debug)]
pub struct Draft {
    acls: Vec<AclView>,
    findings: Vec<FindingRow>,
    lists: Lists,
    supposed_new: SupposedNew,
    processed: u64,
    guarded: bool,
    lists_changed: bool,
    changed_acls: BTreeSet<AclKey>,
    unmoved_acls: BTreeSet<AclKey>,
    all_unmoved: bool,
    changed_rows: BTreeSet<(AclKey, Direction, IpNet)>,
    changed_findings: BTreeSet<String>,
    audit: Vec<AuditRow>,
    alerts: Vec<AlertRow>,
    unreadable: Vec<Unreadable>,
}

impl Draft {
    /// Starts from what was read. Whatever was asked for twice counts once: two copies of a row would overwrite each other.
    #[must_use]
    pub fn new(mut view: View) -> Self {
        let mut seen = BTreeSet::new();
        view.findings.retain(|row| seen.insert(row.id.clone()));
        let mut seen = BTreeSet::new();
        view.acls.retain(|acl| seen.insert(acl.meta.acl.clone()));
        for acl in &mut view.acls {
            let mut seen = BTreeSet::new();
            acl.rows.retain(|row| seen.insert((row.direction, row.cidr)));
        }
        Self {
            acls: view.acls,
            findings: view.findings,
            lists: view.lists,
            supposed_new: view.supposed_new,
            processed: 0,
            guarded: false,
            lists_changed: false,
            changed_acls: BTreeSet::new(),
            unmoved_acls: BTreeSet::new(),
            all_unmoved: false,
            changed_rows: BTreeSet::new(),
            changed_findings: BTreeSet::new(),
            audit: Vec::new(),
            alerts: Vec::new(),
            unreadable: Vec::new(),
        }
    }

    /// Allow-list and hold-offs.
    #[must_use]
    pub fn lists(&self) -> &Lists {
        &self.lists
    }

    /// The meta row of a network ACL that was asked for.
    #[must_use]
    pub fn meta(&self, acl: &AclKey) -> Option<&Meta> {
        self.acl(acl).map(|view| &view.meta)
    }

    /// The entries that were read of a network ACL.
    #[must_use]
    pub fn rows(&self, acl: &AclKey) -> &[Row] {
        self.acl(acl).map_or(&[], |view| view.rows.as_slice())
    }

    /// One entry.
    #[must_use]
    pub fn row(&self, acl: &AclKey, direction: Direction, cidr: IpNet) -> Option<&Row> {
        self.rows(acl)
            .iter()
            .find(|row| row.direction == direction && row.cidr == cidr)
    }

    /// What is remembered of a finding.
    #[must_use]
    pub fn finding(&self, id: &str) -> Option<&FindingRow> {
        self.findings.iter().find(|row| row.id == id)
    }

    /// Alerts prepared so far.
    #[must_use]
    pub fn alerts(&self) -> &[AlertRow] {
        &self.alerts
    }

    /// Network ACLs with an entry that this draft plans and that has a rule number.
    #[must_use]
    pub fn planned(&self) -> Vec<AclKey> {
        let new = |row: &&Row| {
            row.state == State::Planned
                && row.rule.is_some()
                && self.changed_rows.contains(&(row.acl.clone(), row.direction, row.cidr))
        };
        let of = self.acls.iter().filter(|view| view.rows.iter().any(|row| new(&row)));
        of.map(|view| view.meta.acl.clone()).collect()
    }

    fn acl(&self, acl: &AclKey) -> Option<&AclView> {
        self.acls.iter().find(|view| view.meta.acl == *acl)
    }

    fn acl_mut(&mut self, acl: &AclKey) -> Result<&mut AclView, Error> {
        self.changed_acls.insert(acl.clone());
        self.acls
            .iter_mut()
            .find(|view| view.meta.acl == *acl)
            .ok_or_else(|| Error::Illegal {
                what: format!("a change of {}, which was not read", acl.acl),
            })
    }

    /// Changes the meta row.
    ///
    /// # Errors
    /// [`Error::Illegal`] when the network ACL was not read.
    pub fn edit_meta(&mut self, acl: &AclKey, change: impl FnOnce(&mut Meta)) -> Result<(), Error> {
        change(&mut self.acl_mut(acl)?.meta);
        Ok(())
    }

    /// Commits only if nobody else writes to this network ACL meanwhile, also when this draft does not: what was *not* found
    /// there matters.
    pub fn holds_still(&mut self, acl: &AclKey) {
        self.unmoved_acls.insert(acl.clone());
    }

    /// Commits only if nothing of what was read has moved, and what was supposed to be new is: what was read may have been old.
    pub fn all_holds_still(&mut self) {
        self.all_unmoved = true;
    }

    /// Takes the next place in the order of planning.
    ///
    /// # Errors
    /// [`Error::Illegal`] when the network ACL was not read.
    pub fn next_seq(&mut self, acl: &AclKey) -> Result<u64, Error> {
        let meta = &mut self.acl_mut(acl)?.meta;
        let seq = meta.next_seq;
        meta.next_seq += 1;
        Ok(seq)
    }

    /// Changes an entry without moving its state.
    ///
    /// # Errors
    /// [`Error::Illegal`] when the entry was not read or the state would move.
    pub fn edit(&mut self, row: Row) -> Result<(), Error> {
        let known = self.row(&row.acl, row.direction, row.cidr).map(|row| row.state);
        if known != Some(row.state) {
            return Err(Error::Illegal {
                what: format!(
                    "{} {} from {known:?} to {:?} in passing",
                    row.direction, row.cidr, row.state
                ),
            });
        }
        self.put(row)
    }

    /// Moves an entry to the state that it now carries, and writes the audit row.
    ///
    /// # Errors
    /// [`Error::Illegal`] when the table names no such transition.
    pub fn transition(&mut self, row: Row, event: Event, note: Note<'_>) -> Result<(), Error> {
        let before = self.row(&row.acl, row.direction, row.cidr);
        let from = before.map(|row| row.state);
        if !is_legal(from, row.state, event) {
            return Err(Error::Illegal {
                what: format!(
                    "{} {} from {from:?} to {:?} by {}",
                    row.direction,
                    row.cidr,
                    row.state,
                    event.word()
                ),
            });
        }
        // The number that was left is what a reader of the audit looks for.
        let rule = row.rule.or_else(|| before.and_then(|row| row.rule));
        self.guarded |= row.state == State::Planned || event == Event::Adopted;
        self.audit.push(AuditRow {
            acl: Some(row.acl.clone()),
            direction: Some(row.direction),
            rule,
            cidr: Some(row.cidr),
            finding: note.finding.map(str::to_owned),
            about: note.about,
            ..AuditRow::new(event, note.who, note.reason, note.at)
        });
        self.put(row)
    }

    fn put(&mut self, row: Row) -> Result<(), Error> {
        self.one_number_one_entry(&row)?;
        self.changed_rows.insert((row.acl.clone(), row.direction, row.cidr));
        let view = self.acl_mut(&row.acl)?;
        match view
            .rows
            .iter_mut()
            .find(|known| known.direction == row.direction && known.cidr == row.cidr)
        {
            Some(known) => *known = row,
            None => view.rows.push(row),
        }
        Ok(())
    }

    /// No other entry that was read holds the same rule number. That the network ACL's version holds still makes it last.
    fn one_number_one_entry(&self, row: &Row) -> Result<(), Error> {
        let holds = |row: &Row| matches!(row.state, State::Planned | State::Applied | State::Expiring);
        if row.rule.is_none() || !holds(row) {
            return Ok(());
        }
        let mut others = self.rows(&row.acl).iter().filter(|other| {
            holds(other) && (other.direction, other.rule) == (row.direction, row.rule) && other.cidr != row.cidr
        });
        others.next().map_or(Ok(()), |other| {
            Err(Error::Illegal {
                what: format!("rule {:?} for both {} and {}", row.rule, other.cidr, row.cidr),
            })
        })
    }

    /// Appends an audit row that tells of no transition.
    pub fn audit(&mut self, row: AuditRow) {
        self.audit.push(row);
    }

    /// A place in the audit: what is appended later comes after it.
    #[must_use]
    pub fn audit_place(&self) -> usize {
        self.audit.len()
    }

    /// Writes an audit row before what was appended since `place`: a cause that is known only after its effects.
    pub fn audit_before(&mut self, place: usize, row: AuditRow) {
        self.audit.insert(place.min(self.audit.len()), row);
    }

    /// Appends an alert.
    pub fn alert(&mut self, row: AlertRow) {
        self.alerts.push(row);
    }

    /// Writes what is remembered of a finding.
    pub fn put_finding(&mut self, row: FindingRow) {
        self.changed_findings.insert(row.id.clone());
        let before = self.finding(&row.id).map_or(0, |known| known.versions);
        self.processed += row.versions.saturating_sub(before);
        match self.findings.iter_mut().find(|known| known.id == row.id) {
            Some(known) => *known = row,
            None => self.findings.push(row),
        }
    }

    /// Keeps a record that cannot be read.
    pub fn keep_unreadable(&mut self, row: Unreadable) {
        self.unreadable.push(row);
    }

    /// Puts a network on the allow-list, or changes its end.
    pub fn allow(&mut self, allowance: Allowance) {
        self.lists_changed = true;
        self.lists.allow.retain(|known| known.cidr != allowance.cidr);
        self.lists.allow.push(allowance);
    }

    /// Takes a network off the allow-list; `false` when it was not there.
    pub fn disallow(&mut self, cidr: IpNet) -> bool {
        let before = self.lists.allow.len();
        self.lists.allow.retain(|known| known.cidr != cidr);
        self.lists_changed |= self.lists.allow.len() != before;
        self.lists.allow.len() != before
    }

    /// Pauses, or ends the pause.
    pub fn pause(&mut self, pause: Option<Pause>) {
        self.lists_changed |= self.lists.pause != pause;
        self.lists.pause = pause;
    }

    /// Lets a person's unblock hold, and drops what no longer holds.
    pub fn hold_off(&mut self, hold: HoldOff, now: DateTime<Utc>) {
        self.lists_changed = true;
        self.lists
            .holds
            .retain(|known| known.until > now && (known.cidr != hold.cidr || known.acl != hold.acl));
        self.lists.holds.push(hold);
    }

    /// Ends hold-offs that overlap a network, because a person blocks it.
    pub fn end_hold_off(&mut self, cidr: IpNet) {
        let before = self.lists.holds.len();
        self.lists
            .holds
            .retain(|hold| !(hold.cidr.contains(&cidr) || cidr.contains(&hold.cidr)));
        self.lists_changed |= self.lists.holds.len() != before;
    }

    /// What is to be written, and on which condition.
    #[must_use]
    pub fn into_transaction(self) -> Transaction {
        let mut transaction = Transaction {
            // A new entry was checked against the lists, so they must not have moved.
            expect_lists: (self.guarded || self.lists_changed || self.all_unmoved).then_some(self.lists.version),
            lists: self.lists_changed.then_some(self.lists),
            audit: self.audit,
            alerts: self.alerts,
            unreadable: self.unreadable,
            processed: self.processed,
            ..Transaction::default()
        };
        for view in self.acls {
            if !self.changed_acls.contains(&view.meta.acl) {
                if self.all_unmoved || self.unmoved_acls.contains(&view.meta.acl) {
                    transaction.expect_acls.push((view.meta.acl, view.meta.version));
                }
                continue;
            }
            let mut meta = view.meta;
            transaction.expect_acls.push((meta.acl.clone(), meta.version));
            meta.version += 1;
            transaction.metas.push(meta);
            transaction.rows.extend(
                view.rows
                    .into_iter()
                    .filter(|row| self.changed_rows.contains(&(row.acl.clone(), row.direction, row.cidr))),
            );
        }
        // A store may hold each rule number to one entry at every step of the transaction.
        transaction
            .rows
            .sort_by_key(|row| matches!(row.state, State::Planned | State::Applied | State::Expiring));
        for mut row in self.findings {
            if self.changed_findings.contains(&row.id) {
                transaction.expect_findings.push((row.id.clone(), row.version));
                row.version += 1;
                transaction.findings.push(row);
            } else if self.all_unmoved {
                transaction.expect_findings.push((row.id, row.version));
            }
        }
        if self.all_unmoved && !planted!(SupposeNew) {
            let known = |id: &String| transaction.expect_findings.iter().any(|(expected, _)| expected == id);
            let mut new = self.supposed_new.findings;
            new.retain(|id| !known(id));
            transaction.expect_findings.extend(new.into_iter().map(|id| (id, 0)));
            transaction.expect_new = self.supposed_new.entries;
        }
        if planted!(NoConditions) || (self.all_unmoved && planted!(BelieveMemory)) {
            transaction.expect_new.clear();
            transaction.expect_acls.clear();
            transaction.expect_findings.clear();
            transaction.expect_lists = None;
        }
        transaction
    }
}
