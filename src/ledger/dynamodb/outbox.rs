//! Alerts and messages. An alert is an item until a message tells it; a message is open until it was sent or given up.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::DynamoDbLedger;
use super::item::{self, Item};
use super::read::{self, Question};
use super::write::{self, Condition, Operation};
use crate::ledger::{AlertRow, Delivery, Error, MessageRow};

/// Days that messages are kept that were sent or given up.
const MESSAGE_DAYS: i64 = 90;

/// How often the outcome of a delivery is written that meets another one.
const TRIES: u32 = 5;

/// A message as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    row: MessageRow,
    given_up: bool,
}

impl Kept {
    fn waits(&self) -> bool {
        self.row.sent.is_none() && !self.given_up
    }

    /// Counts a message that is new.
    fn count(&self, log: &mut super::Log) {
        log.waiting += u64::from(self.waits());
        log.sent += u64::from(self.row.sent.is_some());
        log.dead += u64::from(self.given_up);
    }

    fn item(&self) -> Result<Item, Error> {
        let key = ("MESSAGE".to_owned(), item::padded(self.row.number));
        let mut written = item::with_body(key, self)?;
        written.insert("attempts".to_owned(), item::number(self.row.attempts));
        if self.waits() {
            written.insert("open".to_owned(), item::number(self.row.number));
        } else {
            item::kept_for(&mut written, MESSAGE_DAYS);
        }
        Ok(written)
    }
}

pub(super) async fn alerts_waiting(ledger: &DynamoDbLedger, limit: usize) -> Result<Vec<AlertRow>, Error> {
    let mut rows = Vec::new();
    for found in read::open(ledger, "ALERT", limit).await? {
        let number = item::required(&found, "open", item::get_number(&found, "open"))?;
        rows.push(AlertRow {
            number,
            ..item::body(&found)?
        });
    }
    Ok(rows)
}

pub(super) async fn put_message(
    ledger: &DynamoDbLedger,
    alerts: &[u64],
    message: &MessageRow,
    first: Option<&Delivery>,
) -> Result<u64, Error> {
    let build = |log: &mut super::Log| {
        log.message += 1;
        let fresh = Kept {
            row: MessageRow {
                number: log.message,
                next: message.at,
                sent: None,
                attempts: 0,
                last_error: None,
                ..message.clone()
            },
            given_up: false,
        };
        let kept = match first {
            Some(outcome) => told(fresh, outcome),
            None => Some(fresh),
        };
        let kept = kept.ok_or(Error::Conflict)?;
        kept.count(log);
        let mut items = Vec::with_capacity(alerts.len() + 1);
        for alert in alerts {
            let condition = Some(Condition::Exists);
            items.push(Operation { ledger, condition }.delete(("ALERT".to_owned(), item::padded(*alert)))?);
        }
        let condition = Some(Condition::Version(0));
        items.push(Operation { ledger, condition }.put(kept.item()?)?);
        Ok(items)
    };
    Ok(write::numbered(ledger, build).await?.message)
}

pub(super) async fn messages(ledger: &DynamoDbLedger, limit: usize) -> Result<Vec<MessageRow>, Error> {
    let question = Question {
        index: None,
        condition: "pk = :pk",
        names: vec![(":pk", item::text("MESSAGE"))],
        newest_first: true,
        limit,
    };
    let found = question.ask(ledger).await?;
    found.iter().map(|known| Ok(item::body::<Kept>(known)?.row)).collect()
}

pub(super) async fn unsent(
    ledger: &DynamoDbLedger,
    now: DateTime<Utc>,
    limit: usize,
) -> Result<Vec<MessageRow>, Error> {
    let mut rows = Vec::new();
    for found in read::open(ledger, "MESSAGE", usize::MAX).await? {
        let row = item::body::<Kept>(&found)?.row;
        if row.next <= now && rows.len() < limit {
            rows.push(row);
        }
    }
    Ok(rows)
}

pub(super) async fn delivered(ledger: &DynamoDbLedger, number: u64, outcome: &Delivery) -> Result<(), Error> {
    for tried in 0..TRIES {
        let Some(found) = read::one(ledger, ("MESSAGE".to_owned(), item::padded(number))).await? else {
            return Ok(());
        };
        let before: Kept = item::body(&found)?;
        let Some(after) = told(item::body(&found)?, outcome) else {
            return Ok(());
        };
        let build = |log: &mut super::Log| {
            log.sent += u64::from(after.row.sent.is_some() && before.row.sent.is_none());
            log.dead += u64::from(after.given_up && !before.given_up);
            if before.waits() && !after.waits() {
                log.waiting = log.waiting.saturating_sub(1);
            }
            let condition = Some(Condition::Is("attempts", before.row.attempts.into()));
            Ok(vec![Operation { ledger, condition }.put(after.item()?)?])
        };
        match write::numbered(ledger, build).await {
            Err(Error::Conflict) => write::pause(tried).await,
            done => return done.map(drop),
        }
    }
    Err(Error::Conflict)
}

/// The message after an attempt; `None` when the attempt changes nothing.
fn told(mut kept: Kept, outcome: &Delivery) -> Option<Kept> {
    let row = &mut kept.row;
    match outcome {
        Delivery::Sent(at) => {
            row.sent = Some(*at);
            row.last_error = None;
        }
        Delivery::Failed { .. } if row.sent.is_some() || kept.given_up => return None,
        Delivery::Failed { error, next } => {
            row.last_error = Some(error.clone());
            row.next = next.unwrap_or(row.next);
            kept.given_up = next.is_none();
        }
    }
    kept.row.attempts += 1;
    Some(kept)
}
