//! Reads. What is read together is read in one transaction, or read until no version moved meanwhile.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_get_items::TransactGetItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Get, TransactGetItem};
use chrono::{DateTime, Utc};

use super::item::{self, Item, Key};
use super::table::{OPEN, WORK};
use super::{DynamoDbLedger, Log, write};
use crate::ledger::{AclView, Ask, AuditRow, Error, Filter, FindingRow, Lists, Meta, Position, Row, Unreadable, View};
use crate::network_acl::AclKey;

/// Items in one transaction.
pub(super) const MOST_ITEMS: usize = 100;

/// How often something is read again because it moved meanwhile.
const TRIES: usize = 8;

/// One question to one partition, or to an index.
pub(super) struct Question<'a> {
    pub(super) index: Option<&'a str>,
    /// With the values of `names`, such as `pk = :pk AND sk > :sk`.
    pub(super) condition: &'a str,
    pub(super) names: Vec<(&'a str, AttributeValue)>,
    pub(super) newest_first: bool,
    pub(super) limit: usize,
}

impl Question<'_> {
    /// Every item, or the first `limit`, over as many pages as it takes.
    pub(super) async fn ask(self, ledger: &DynamoDbLedger) -> Result<Vec<Item>, Error> {
        let mut items: Vec<Item> = Vec::new();
        let mut from = None;
        while items.len() < self.limit {
            let mut asked = ledger
                .client
                .query()
                .table_name(&ledger.place.table)
                .set_index_name(self.index.map(str::to_owned))
                // An index over all partitions is never consistent.
                .consistent_read(self.index != Some(WORK))
                .key_condition_expression(self.condition)
                .scan_index_forward(!self.newest_first)
                .set_limit(i32::try_from(self.limit - items.len()).ok())
                .set_exclusive_start_key(from.take());
            for (name, value) in &self.names {
                asked = asked.expression_attribute_values(*name, value.clone());
            }
            if self.index == Some(WORK) {
                // `work` is a reserved word.
                asked = asked.expression_attribute_names("#work", "work");
            }
            let answer = asked
                .send()
                .await
                .map_err(|error| ledger.place.failed("Query", error))?;
            items.extend(answer.items.unwrap_or_default());
            match answer.last_evaluated_key {
                Some(last) => from = Some(last),
                None => break,
            }
        }
        items.truncate(self.limit);
        Ok(items)
    }
}

/// What is open in one partition, in order.
pub(super) async fn open(ledger: &DynamoDbLedger, partition: &str, limit: usize) -> Result<Vec<Item>, Error> {
    let question = Question {
        index: Some(OPEN),
        condition: "pk = :pk",
        names: vec![(":pk", item::text(partition))],
        newest_first: false,
        limit,
    };
    question.ask(ledger).await
}

/// Everything in one partition, or the part whose sort keys begin with a prefix.
async fn partition(ledger: &DynamoDbLedger, pk: &str, prefix: &str) -> Result<Vec<Item>, Error> {
    let mut names = vec![(":pk", item::text(pk))];
    let condition = if prefix.is_empty() {
        "pk = :pk"
    } else {
        names.push((":prefix", item::text(prefix)));
        "pk = :pk AND begins_with(sk, :prefix)"
    };
    let question = Question {
        index: None,
        condition,
        names,
        newest_first: false,
        limit: usize::MAX,
    };
    question.ask(ledger).await
}

pub(super) async fn one(ledger: &DynamoDbLedger, key: Key) -> Result<Option<Item>, Error> {
    let asked = ledger
        .client
        .get_item()
        .table_name(&ledger.place.table)
        .consistent_read(true);
    let asked = asked.set_key(Some(item::keyed(key))).send().await;
    Ok(asked.map_err(|error| ledger.place.failed("GetItem", error))?.item)
}

/// Several items as they stood at one moment; `None` when one was just being written.
async fn several(ledger: &DynamoDbLedger, keys: &[Key]) -> Result<Option<HashMap<Key, Item>>, Error> {
    if let [key] = keys {
        let found = one(ledger, key.clone()).await?;
        return Ok(Some(found.into_iter().map(|item| (key.clone(), item)).collect()));
    }
    let mut gets = Vec::with_capacity(keys.len());
    for key in keys {
        let get = Get::builder()
            .table_name(&ledger.place.table)
            .set_key(Some(item::keyed(key.clone())))
            .build()
            .map_err(|_| ledger.place.says("a request is incomplete"))?;
        gets.push(TransactGetItem::builder().get(get).build());
    }
    let asked = ledger
        .client
        .transact_get_items()
        .set_transact_items(Some(gets))
        .send()
        .await;
    let answer = match asked {
        Ok(answer) => answer,
        Err(SdkError::ServiceError(error))
            if matches!(error.err(), TransactGetItemsError::TransactionCanceledException(_)) =>
        {
            write::pause(0).await;
            return Ok(None);
        }
        Err(error) => return Err(ledger.place.failed("TransactGetItems", error)),
    };
    let found = keys.iter().zip(answer.responses.unwrap_or_default());
    let found = found.filter_map(|(key, got)| Some((key.clone(), got.item.filter(|item| !item.is_empty())?)));
    Ok(Some(found.collect()))
}

pub(super) async fn view(ledger: &DynamoDbLedger, ask: Ask<'_>) -> Result<View, Error> {
    for _ in 0..TRIES {
        if let Some(view) = still(ledger, ask).await? {
            return Ok(view);
        }
    }
    Err(Error::Conflict)
}

/// Meta row and live entries of one network ACL. Only true if the meta row is still the same afterwards.
async fn live(ledger: &DynamoDbLedger, acl: &AclKey) -> Result<AclView, Error> {
    let mut view = AclView {
        meta: Meta::new(acl.clone()),
        rows: Vec::new(),
    };
    for found in open(ledger, &item::acl_partition(acl), usize::MAX).await? {
        if item::get_text(&found, "sk") == Some("META") {
            view.meta = item::to_meta(&found)?;
        } else {
            view.rows.push(item::body(&found)?);
        }
    }
    Ok(view)
}

/// One read; `None` when somebody wrote to one of the network ACLs meanwhile.
async fn still(ledger: &DynamoDbLedger, ask: Ask<'_>) -> Result<Option<View>, Error> {
    let mut acls: BTreeMap<&AclKey, AclView> = BTreeMap::new();
    for acl in ask.acls {
        if !acls.contains_key(acl) {
            acls.insert(acl, live(ledger, acl).await?);
        }
    }
    let mut keys: BTreeSet<Key> = ask.findings.iter().map(|id| item::finding_key(id)).collect();
    let wanted = ask.entries.iter();
    keys.extend(wanted.map(|(acl, direction, cidr)| item::row_key(acl, *direction, *cidr)));
    keys.insert(item::single("LISTS"));
    // In the last transaction: what was read before it is true if they have not moved.
    let mut keys: Vec<Key> = keys.into_iter().collect();
    keys.extend(acls.keys().map(|acl| item::meta_key(acl)));
    let mut found = HashMap::new();
    for part in keys.chunks(MOST_ITEMS) {
        match several(ledger, part).await? {
            Some(items) => found.extend(items),
            None => return Ok(None),
        }
    }
    for (acl, view) in &acls {
        let now = found.get(&item::meta_key(acl)).map_or(Ok(0), |known| {
            item::required(known, "version", item::get_number(known, "version"))
        })?;
        if view.meta.version != now {
            return Ok(None);
        }
    }
    let mut view = View {
        lists: lists(found.get(&item::single("LISTS")))?,
        ..View::default()
    };
    for acl in ask.acls {
        let mut known = acls.get(acl).cloned().unwrap_or(AclView {
            meta: Meta::new(acl.clone()),
            rows: Vec::new(),
        });
        for (acl, direction, cidr) in ask.entries_of(acl) {
            let asked = found.get(&item::row_key(acl, *direction, *cidr));
            let asked: Option<Row> = asked.map(item::body).transpose()?;
            known.rows.extend(asked.filter(|row| !row.state.is_live()));
        }
        view.acls.push(known);
    }
    for id in ask.findings {
        if let Some(known) = found.get(&item::finding_key(id)) {
            view.findings.push(finding(known)?);
        }
    }
    Ok(Some(view))
}

fn lists(found: Option<&Item>) -> Result<Lists, Error> {
    found.map_or_else(|| Ok(Lists::default()), item::body)
}

fn finding(found: &Item) -> Result<FindingRow, Error> {
    item::body(found)
}

/// The numbers given so far.
pub(super) async fn log(ledger: &DynamoDbLedger) -> Result<Log, Error> {
    let Some(found) = one(ledger, item::single("LOG")).await? else {
        return Ok(Log::default());
    };
    Ok(Log {
        version: item::required(&found, "version", item::get_number(&found, "version"))?,
        ..item::body(&found)?
    })
}

pub(super) async fn pending(ledger: &DynamoDbLedger, now: DateTime<Utc>) -> Result<Vec<AclKey>, Error> {
    let mut longest: BTreeMap<AclKey, i64> = BTreeMap::new();
    for (work, until) in [("pending", DateTime::<Utc>::MAX_UTC), ("expiry", now)] {
        let question = Question {
            index: Some(WORK),
            condition: "#work = :work AND due <= :until",
            names: vec![
                (":work", item::text(work)),
                (":until", item::number(until.timestamp_millis())),
            ],
            newest_first: false,
            limit: usize::MAX,
        };
        for found in question.ask(ledger).await? {
            let acl = item::get_text(&found, "pk").and_then(|pk| item::named(pk.strip_prefix("ACL#")?));
            let acl = item::required(&found, "pk", acl)?;
            let planned: i64 = item::required(&found, "planned_at", item::get_number(&found, "planned_at"))?;
            let first = longest.entry(acl).or_insert(planned);
            *first = planned.min(*first);
        }
    }
    let mut acls: Vec<(AclKey, i64)> = longest.into_iter().collect();
    acls.sort_by_key(|(_, planned)| *planned);
    Ok(acls.into_iter().map(|(acl, _)| acl).collect())
}

pub(super) async fn acls(ledger: &DynamoDbLedger) -> Result<Vec<AclKey>, Error> {
    let found = partition(ledger, "ACLS", "").await?;
    let mut acls = Vec::with_capacity(found.len());
    for known in &found {
        acls.push(item::required(
            known,
            "sk",
            item::get_text(known, "sk").and_then(item::named),
        )?);
    }
    acls.sort();
    Ok(acls)
}

pub(super) async fn entries(ledger: &DynamoDbLedger, filter: Filter) -> Result<Vec<Row>, Error> {
    let mut rows: Vec<Row> = Vec::new();
    for acl in acls(ledger).await? {
        let mut found = match filter {
            Filter::Active => live(ledger, &acl).await?.rows,
            Filter::All => {
                let items = partition(ledger, &item::acl_partition(&acl), "IP#").await?;
                items.iter().map(item::body).collect::<Result<Vec<Row>, Error>>()?
            }
        };
        found.sort_by_key(|row| (row.direction.name(), row.seq));
        rows.append(&mut found);
    }
    Ok(rows)
}

/// The audit rows of one item, which carries the number of the last.
fn audit_rows(found: &Item) -> Result<Vec<AuditRow>, Error> {
    let last: u64 = item::required(found, "sk", item::get_text(found, "sk").and_then(|sk| sk.parse().ok()))?;
    let mut rows: Vec<AuditRow> = item::body(found)?;
    for (back, row) in rows.iter_mut().rev().enumerate() {
        row.number = last.saturating_sub(back as u64);
    }
    Ok(rows)
}

async fn audit_items(
    ledger: &DynamoDbLedger,
    bucket: u64,
    after: u64,
    newest_first: bool,
    limit: usize,
) -> Result<Vec<Item>, Error> {
    let question = Question {
        index: None,
        condition: "pk = :pk AND sk > :after",
        names: vec![
            (":pk", item::text(item::audit_partition(bucket))),
            (":after", item::text(item::padded(after))),
        ],
        newest_first,
        limit,
    };
    question.ask(ledger).await
}

pub(super) async fn audit(ledger: &DynamoDbLedger, after: u64, limit: usize) -> Result<Vec<AuditRow>, Error> {
    let end = log(ledger).await?.audit;
    let mut rows = Vec::new();
    if after >= end {
        return Ok(rows);
    }
    for bucket in (after + 1) >> item::AUDIT_BITS..=end >> item::AUDIT_BITS {
        for found in audit_items(ledger, bucket, after, false, limit.saturating_sub(rows.len())).await? {
            rows.extend(audit_rows(&found)?.into_iter().filter(|row| row.number > after));
        }
        if rows.len() >= limit {
            break;
        }
    }
    rows.truncate(limit);
    Ok(rows)
}

pub(super) async fn audit_newest(ledger: &DynamoDbLedger, limit: usize) -> Result<Vec<AuditRow>, Error> {
    let end = log(ledger).await?.audit;
    let mut rows: Vec<AuditRow> = Vec::new();
    for bucket in (0..=end >> item::AUDIT_BITS).rev() {
        for found in audit_items(ledger, bucket, 0, true, limit.saturating_sub(rows.len())).await? {
            rows.extend(audit_rows(&found)?.into_iter().rev());
        }
        if rows.len() >= limit {
            break;
        }
    }
    rows.truncate(limit);
    Ok(rows)
}

pub(super) async fn unreadable(ledger: &DynamoDbLedger, limit: usize) -> Result<Vec<Unreadable>, Error> {
    let question = Question {
        index: Some(OPEN),
        condition: "pk = :pk",
        names: vec![(":pk", item::text("UNREADABLE"))],
        newest_first: true,
        limit,
    };
    let mut rows = Vec::new();
    for found in question.ask(ledger).await? {
        let first: Unreadable = item::body(&found)?;
        let times = item::required(&found, "times", item::get_number(&found, "times"))?;
        rows.push(Unreadable { times, ..first });
    }
    Ok(rows)
}

pub(super) async fn position(ledger: &DynamoDbLedger, reader: &str) -> Result<Position, Error> {
    let found = one(ledger, ("POSITION".to_owned(), reader.to_owned())).await?;
    found.map_or_else(
        || Ok(Position::default()),
        |known| {
            let place = item::get_text(&known, "place").and_then(|place| place.parse().ok());
            item::required(&known, "place", place)
        },
    )
}
