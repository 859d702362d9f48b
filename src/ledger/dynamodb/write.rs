//! Commits: one transaction each, on every condition at once.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Delete, Put, TransactWriteItem, Update};

use super::item::{self, Item, Key};
use super::read::{self, MOST_ITEMS};
use super::{DynamoDbLedger, Log};
use crate::ledger::{AuditRow, Error, Event, Lists, Meta, Row, Transaction, Unreadable, Written};
use crate::network_acl::AclKey;

/// How often a transaction is repeated that met another one.
const TRIES: u32 = 12;

/// Bytes of audit rows in one item; an item holds 400 KB.
const AUDIT_BYTES: usize = 200_000;

/// Days that findings are remembered: longer than any stream keeps them.
const FINDING_DAYS: i64 = 365;
/// Days that audit rows are kept.
const AUDIT_DAYS: i64 = 400;
/// Days that records are kept that cannot be read.
const UNREADABLE_DAYS: i64 = 30;

/// A little longer each time, and not the same for everybody.
pub(super) async fn pause(tried: u32) {
    let longest = 20_u64 << tried.min(5);
    let luck = u64::from(chrono::Utc::now().timestamp_subsec_micros());
    tokio::time::sleep(Duration::from_millis(longest / 2 + luck % (longest / 2 + 1))).await;
}

/// One operation, on one condition.
pub(super) struct Operation<'a> {
    pub(super) ledger: &'a DynamoDbLedger,
    pub(super) condition: Option<Condition>,
}

/// What must hold for an item to be written.
pub(super) enum Condition {
    /// Its version is this one; 0 is an item that is not there.
    Version(u64),
    /// It is there.
    Exists,
    /// A number of it is this one.
    Is(&'static str, u64),
}

type Expression = (
    &'static str,
    Option<HashMap<String, String>>,
    Option<HashMap<String, AttributeValue>>,
);

impl Condition {
    fn expression(&self) -> Expression {
        let compared = |name: &str, value: u64| {
            (
                "#c = :c",
                Some(HashMap::from([("#c".to_owned(), name.to_owned())])),
                Some(HashMap::from([(":c".to_owned(), item::number(value))])),
            )
        };
        match self {
            Condition::Version(0) => ("attribute_not_exists(pk)", None, None),
            Condition::Version(version) => compared("version", *version),
            Condition::Exists => ("attribute_exists(pk)", None, None),
            Condition::Is(name, value) => compared(name, *value),
        }
    }
}

impl Operation<'_> {
    fn incomplete(&self) -> Error {
        self.ledger.place.says("a request is incomplete")
    }

    pub(super) fn put(self, item: Item) -> Result<TransactWriteItem, Error> {
        let mut put = Put::builder().table_name(&self.ledger.place.table).set_item(Some(item));
        if let Some((text, names, values)) = self.condition.as_ref().map(Condition::expression) {
            put = put.condition_expression(text);
            put = put
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values);
        }
        let put = put.build().map_err(|_| self.incomplete())?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    pub(super) fn delete(self, key: Key) -> Result<TransactWriteItem, Error> {
        let mut delete = Delete::builder()
            .table_name(&self.ledger.place.table)
            .set_key(Some(item::keyed(key)));
        if let Some((text, names, values)) = self.condition.as_ref().map(Condition::expression) {
            delete = delete.condition_expression(text);
            delete = delete
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values);
        }
        let delete = delete.build().map_err(|_| self.incomplete())?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    fn check(self, key: Key) -> Result<TransactWriteItem, Error> {
        let mut check = ConditionCheck::builder()
            .table_name(&self.ledger.place.table)
            .set_key(Some(item::keyed(key)));
        if let Some((text, names, values)) = self.condition.as_ref().map(Condition::expression) {
            check = check.condition_expression(text);
            check = check
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values);
        }
        let check = check.build().map_err(|_| self.incomplete())?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }
}

/// How one attempt to write ended, when it did not fail.
enum Attempt {
    Done,
    /// A condition does not hold: its place in the transaction.
    Moved(Vec<usize>),
    /// Another transaction was at work on one of the items, or there was too much to do.
    Busy,
}

async fn attempt(ledger: &DynamoDbLedger, items: Vec<TransactWriteItem>) -> Result<Attempt, Error> {
    let asked = ledger
        .client
        .transact_write_items()
        .set_transact_items(Some(items))
        .send()
        .await;
    let Err(error) = asked else {
        return Ok(Attempt::Done);
    };
    if let SdkError::ServiceError(answer) = &error {
        match answer.err() {
            TransactWriteItemsError::TransactionCanceledException(cancelled) => {
                let code = |at: usize| cancelled.cancellation_reasons()[at].code().unwrap_or_default();
                let all = 0..cancelled.cancellation_reasons().len();
                let moved: Vec<usize> = all.clone().filter(|at| code(*at) == "ConditionalCheckFailed").collect();
                if !moved.is_empty() {
                    return Ok(Attempt::Moved(moved));
                }
                let waits = [
                    "TransactionConflict",
                    "ThrottlingError",
                    "ProvisionedThroughputExceeded",
                ];
                if all.into_iter().any(|at| waits.contains(&code(at))) {
                    return Ok(Attempt::Busy);
                }
            }
            TransactWriteItemsError::TransactionInProgressException(_) => return Ok(Attempt::Busy),
            _ => {}
        }
    }
    Err(ledger.place.failed("TransactWriteItems", error))
}

/// Writes everything or nothing. `build` is given the numbers to go on from and moves them; it is called again when somebody
/// else moved them first. Returns the numbers as they are then.
pub(super) async fn numbered(
    ledger: &DynamoDbLedger,
    build: impl Fn(&mut Log) -> Result<Vec<TransactWriteItem>, Error>,
) -> Result<Log, Error> {
    let mut known = ledger.log.lock().await;
    for tried in 0..TRIES {
        let before = match known.take() {
            Some(log) => log,
            None => read::log(ledger).await?,
        };
        let mut log = before.clone();
        let mut items = build(&mut log)?;
        let log_at = items.len();
        let moves = log != before;
        if moves {
            log.version += 1;
            let mut written = item::with_body(item::single("LOG"), &log)?;
            written.insert("version".to_owned(), item::number(log.version));
            let condition = Some(Condition::Version(before.version));
            items.push(Operation { ledger, condition }.put(written)?);
        }
        if items.is_empty() {
            *known = Some(log.clone());
            return Ok(log);
        }
        if items.len() > MOST_ITEMS {
            return Err(Error::Illegal {
                what: format!("a change of {} items; DynamoDB takes {MOST_ITEMS} at once", items.len()),
            });
        }
        match attempt(ledger, items).await? {
            Attempt::Done => {
                *known = Some(log.clone());
                return Ok(log);
            }
            // The numbers were another one's: whether the rest holds is told when they are right.
            Attempt::Moved(places) if places == [log_at] => pause(tried.saturating_sub(2)).await,
            Attempt::Moved(places) => {
                // The numbers were right.
                *known = Some(before).filter(|_| !places.contains(&log_at));
                return Err(Error::Conflict);
            }
            Attempt::Busy => pause(tried).await,
        }
    }
    Err(Error::Conflict)
}

pub(super) async fn commit(ledger: &DynamoDbLedger, transaction: &Transaction) -> Result<Written, Error> {
    let log = numbered(ledger, |log| operations(ledger, transaction, log)).await?;
    let alerts = transaction.alerts.len() as u64;
    Ok(Written {
        first_alert: (alerts > 0).then(|| log.alert + 1 - alerts),
    })
}

fn expected(transaction: &Transaction, meta: &Meta) -> u64 {
    let asked = transaction.expect_acls.iter().find(|(acl, _)| *acl == meta.acl);
    asked.map_or(meta.version.saturating_sub(1), |(_, version)| *version)
}

fn operations(
    ledger: &DynamoDbLedger,
    transaction: &Transaction,
    log: &mut Log,
) -> Result<Vec<TransactWriteItem>, Error> {
    let at = |version| Operation {
        ledger,
        condition: Some(Condition::Version(version)),
    };
    let free = || Operation {
        ledger,
        condition: None,
    };
    let mut items = Vec::new();
    for meta in &transaction.metas {
        let expected = expected(transaction, meta);
        items.push(at(expected).put(item::meta_item(meta)?)?);
        items.extend((expected == 0).then(|| first(ledger, &meta.acl)).transpose()?);
    }
    for (acl, version) in &transaction.expect_acls {
        if transaction.metas.iter().all(|meta| meta.acl != *acl) {
            items.push(at(*version).check(item::meta_key(acl))?);
        }
    }
    let is_new = |row: &Row| {
        let mut new = transaction.expect_new.iter();
        new.any(|(acl, direction, cidr)| *acl == row.acl && *direction == row.direction && *cidr == row.cidr)
    };
    for row in &transaction.rows {
        let operation = if is_new(row) { at(0) } else { free() };
        items.push(operation.put(item::row_item(row)?)?);
    }
    for (acl, direction, cidr) in &transaction.expect_new {
        let written = |row: &Row| row.acl == *acl && row.direction == *direction && row.cidr == *cidr;
        if !transaction.rows.iter().any(written) {
            items.push(at(0).check(item::row_key(acl, *direction, *cidr))?);
        }
    }
    for (id, version) in &transaction.expect_findings {
        if transaction.findings.iter().all(|row| row.id != *id) {
            items.push(at(*version).check(item::finding_key(id))?);
        }
    }
    for row in &transaction.findings {
        let mut found = item::with_body(item::finding_key(&row.id), row)?;
        found.insert("version".to_owned(), item::number(row.version));
        item::kept_for(&mut found, FINDING_DAYS);
        items.push(at(row.version.saturating_sub(1)).put(found)?);
    }
    log.findings += transaction.processed;
    match (&transaction.lists, transaction.expect_lists) {
        (Some(lists), expected) => {
            let next = Lists {
                version: lists.version + 1,
                ..lists.clone()
            };
            let mut written = item::with_body(item::single("LISTS"), &next)?;
            written.insert("version".to_owned(), item::number(next.version));
            items.push(at(expected.unwrap_or(lists.version)).put(written)?);
        }
        (None, Some(version)) => items.push(at(version).check(item::single("LISTS"))?),
        (None, None) => {}
    }
    for written in audit(&transaction.audit, log)? {
        items.push(free().put(written)?);
    }
    for row in &transaction.alerts {
        log.alert += 1;
        let mut written = item::with_body(("ALERT".to_owned(), item::padded(log.alert)), row)?;
        written.insert("open".to_owned(), item::number(log.alert));
        items.push(free().put(written)?);
    }
    // One operation per item: a record that came twice is counted twice by one.
    let mut records: BTreeMap<&str, (&Unreadable, u64)> = BTreeMap::new();
    for row in &transaction.unreadable {
        records.entry(&row.digest).or_insert((row, 0)).1 += 1;
    }
    for (row, times) in records.into_values() {
        items.push(unreadable(ledger, row, times)?);
    }
    Ok(items)
}

/// That a network ACL is written to for the first time.
pub(super) fn first(ledger: &DynamoDbLedger, acl: &AclKey) -> Result<TransactWriteItem, Error> {
    let item = item::keyed(("ACLS".to_owned(), item::name(acl)));
    Operation {
        ledger,
        condition: None,
    }
    .put(item)
}

/// The audit rows of one commit in as few items as hold them, each under the number of its last row.
fn audit(rows: &[AuditRow], log: &mut Log) -> Result<Vec<Item>, Error> {
    let mut items = Vec::new();
    let mut together: Vec<&AuditRow> = Vec::new();
    let mut bytes = 0;
    for (at, row) in rows.iter().enumerate() {
        log.audit += 1;
        *log.events.entry(row.event.word().to_owned()).or_default() += 1;
        if row.event == Event::Decided {
            *log.decided.entry(row.reason.clone()).or_default() += 1;
        }
        bytes += serde_json::to_string(row).map_or(0, |text| text.len());
        together.push(row);
        if bytes >= AUDIT_BYTES || at + 1 == rows.len() {
            let partition = item::audit_partition(log.audit >> item::AUDIT_BITS);
            let mut written = item::with_body((partition, item::padded(log.audit)), &together)?;
            item::kept_for(&mut written, AUDIT_DAYS);
            items.push(written);
            together.clear();
            bytes = 0;
        }
    }
    Ok(items)
}

/// Keeps a record, or counts it that many times more.
fn unreadable(ledger: &DynamoDbLedger, row: &Unreadable, times: u64) -> Result<TransactWriteItem, Error> {
    let key = ("UNREADABLE".to_owned(), row.digest.clone());
    let mut first = item::with_body(key.clone(), row)?;
    item::kept_for(&mut first, UNREADABLE_DAYS);
    let update = Update::builder()
        .table_name(&ledger.place.table)
        .set_key(Some(item::keyed(key)))
        .update_expression(
            "SET body = if_not_exists(body, :body), #open = if_not_exists(#open, :at), #ttl = :ttl ADD #times :times",
        )
        .expression_attribute_names("#open", "open")
        .expression_attribute_names("#ttl", "ttl")
        .expression_attribute_names("#times", "times")
        .set_expression_attribute_values(Some(HashMap::from([
            (":at".to_owned(), item::number(row.at.timestamp_millis())),
            (":times".to_owned(), item::number(times)),
        ])))
        .expression_attribute_values(":body", first.remove("body").unwrap_or(AttributeValue::Null(true)))
        .expression_attribute_values(":ttl", first.remove("ttl").unwrap_or(AttributeValue::Null(true)))
        .build()
        .map_err(|_| ledger.place.says("a request is incomplete"))?;
    Ok(TransactWriteItem::builder().update(update).build())
}
