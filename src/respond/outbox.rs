//! From alerts to messages, and from messages to a channel, at least once.
//!
//! What the channel says about one message counts for all: while it asks to wait, or does not answer, nothing else is sent,
//! and the alerts that come meanwhile become one message.

use chrono::{DateTime, TimeDelta, Utc};
use ipnet::IpNet;
use serde::Deserialize;

use super::audit::{RESPONDER, outboxed};
use super::clock::Clock;
use super::error::Error;
use super::notify::{Alert, AlertKind, MOST_ALERTS, Sender, message, retry};
use super::reason::Reason;
use super::responder::Responder;
use crate::ledger::{self, AlertRow, AuditRow, Delivery, Event, Ledger, MessageRow, Transaction};
use crate::network_acl::NetworkAcls;

/// Messages that one call delivers.
const BATCH: usize = 50;

/// People are told at most once in this time that messages were given up.
const ALARM_EVERY: TimeDelta = TimeDelta::hours(1);

/// Where the ledger keeps when people were last told so.
const ALARMED: &str = "outbox/alarmed";

impl<L: Ledger, N: NetworkAcls> Responder<L, N> {
    /// Makes messages of the alerts that are in none, unless the channel is known not to take any now.
    pub(super) async fn gather(&self, now: DateTime<Utc>) -> Result<(), Error> {
        loop {
            let rows = self
                .ledger
                .alerts_waiting(MOST_ALERTS.min(ledger::MOST_IN_MESSAGE))
                .await?;
            if rows.is_empty() || self.channel_waits().await?.is_some() {
                return Ok(());
            }
            let numbers: Vec<u64> = rows.iter().map(|row| row.number).collect();
            match self.ledger.put_message(&numbers, &composed(&rows, now)).await {
                // Another process made a message of them.
                Ok(()) | Err(ledger::Error::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Until when the channel is left alone, when an attempt failed that is to be repeated.
    async fn channel_waits(&self) -> Result<Option<DateTime<Utc>>, Error> {
        let unsent = self.ledger.unsent(DateTime::<Utc>::MAX_UTC, BATCH).await?;
        Ok(unsent
            .iter()
            .filter(|message| message.attempts > 0)
            .map(|message| message.next)
            .max())
    }

    /// Delivers what waits and whose time has come; returns how many messages the channel took. At least once: a crash between
    /// the channel's answer and the ledger's sends a message again.
    ///
    /// # Errors
    /// When the ledger fails. A channel's failure is recorded, and tried again later.
    pub async fn deliver(&self, sender: &impl Sender, clock: impl Clock) -> Result<usize, Error> {
        self.gather(clock.now()).await?;
        let now = clock.now();
        if self.channel_waits().await?.is_some_and(|until| until > now) {
            return Ok(0);
        }
        let mut taken = 0;
        for message in self.ledger.unsent(now, BATCH).await? {
            let result = sender.send(&message.payload).await;
            let outcome = retry::outcome(message.number, message.attempts, result, clock.now());
            taken += usize::from(matches!(outcome, Delivery::Sent(_)));
            self.ledger.delivered(message.number, &outcome).await?;
            match &outcome {
                // The others would meet the same channel: leave them their attempts.
                Delivery::Failed { next: Some(_), .. } => break,
                Delivery::Failed { next: None, error } => self.given_up(&message, error, clock.now()).await?,
                Delivery::Sent(_) => {}
            }
        }
        Ok(taken)
    }

    /// A message that nobody will read: in the audit, in the log, and in another message once an hour at most, so that a
    /// channel that refuses everything does not feed itself.
    async fn given_up(&self, message: &MessageRow, why: &str, now: DateTime<Utc>) -> Result<(), Error> {
        tracing::error!(message = message.number, why, "a message was given up");
        let mut transaction = Transaction {
            audit: vec![AuditRow::new(
                Event::Undelivered,
                RESPONDER,
                Reason::Undelivered.word(),
                now,
            )],
            ..Transaction::default()
        };
        let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
        let last = self.ledger.position(ALARMED).await?.number();
        let alarm = seconds.saturating_sub(last) >= ALARM_EVERY.num_seconds().unsigned_abs();
        if alarm {
            transaction.alerts.push(outboxed(&Alert {
                note: Some(format!(
                    "message {} was given up ({why}); `portcullis status` and the audit have what it told",
                    message.number
                )),
                ..Alert::new(AlertKind::Attention, Reason::Undelivered, now)
            }));
        }
        self.ledger.commit(&transaction).await?;
        if alarm {
            self.ledger.set_position(ALARMED, &seconds.into()).await?;
        }
        Ok(())
    }
}

fn composed(rows: &[AlertRow], now: DateTime<Utc>) -> MessageRow {
    let alerts: Vec<Alert> = rows
        .iter()
        .filter_map(|row| Alert::deserialize(&row.body).ok())
        .collect();
    let mut addresses: Vec<IpNet> = rows.iter().filter_map(|row| row.address).collect();
    addresses.sort();
    addresses.dedup();
    MessageRow {
        number: 0,
        at: now,
        addresses,
        payload: message(&alerts),
        sent: None,
        next: now,
        attempts: 0,
        last_error: None,
    }
}
