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
            self.agenda.told(&numbers);
            self.agenda.outbox_empty(None);
            match self.ledger.put_message(&numbers, &composed(&rows, now), None).await {
                // Another process made a message of them.
                Ok(_) | Err(ledger::Error::Conflict) => {}
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
        let _one = self.delivering.lock().await;
        let own = self.agenda.alerts(clock.now());
        if !own.is_empty() {
            return self.tell(own, sender, clock).await;
        }
        self.agenda.outbox_empty(None);
        self.gather(clock.now()).await?;
        let now = clock.now();
        if self.channel_waits().await?.is_some_and(|until| until > now) {
            return Ok(0);
        }
        let mut taken = 0;
        let unsent = self.ledger.unsent(now, BATCH).await?;
        let mut is_empty = unsent.len() < BATCH;
        for message in unsent {
            let result = sender.send(&message.payload).await;
            let outcome = retry::outcome(message.number, message.attempts, result, clock.now());
            taken += usize::from(matches!(outcome, Delivery::Sent(_)));
            is_empty &= !matches!(outcome, Delivery::Failed { next: Some(_), .. });
            self.ledger.delivered(message.number, &outcome).await?;
            match &outcome {
                // The others would meet the same channel: leave them their attempts.
                Delivery::Failed { next: Some(_), .. } => break,
                Delivery::Failed { next: None, error } => self.given_up(message.number, error, clock.now()).await?,
                Delivery::Sent(_) => {}
            }
        }
        self.agenda.outbox_empty(is_empty.then_some(now));
        Ok(taken)
    }

    /// Tells of alerts that this process wrote, while nothing else waits: the message is sent first, and written down with its
    /// outcome. After a crash between the two the alerts are still in the ledger, and are told of again.
    async fn tell(&self, mut own: Vec<AlertRow>, sender: &impl Sender, clock: impl Clock) -> Result<usize, Error> {
        let mut taken = 0;
        while let Some(first) = own.first() {
            let numbers: Vec<u64> = own.iter().map(|row| row.number).collect();
            let message = composed(&own, clock.now());
            let result = sender.send(&message.payload).await;
            let outcome = retry::outcome(first.number, 0, result, clock.now());
            let number = match self.ledger.put_message(&numbers, &message, Some(&outcome)).await {
                Ok(number) => number,
                Err(error) => {
                    self.agenda.outbox_empty(None);
                    return match error {
                        // Another process told of them, too.
                        ledger::Error::Conflict => Ok(taken),
                        error => Err(error.into()),
                    };
                }
            };
            match &outcome {
                Delivery::Sent(_) => taken += 1,
                Delivery::Failed { next: Some(_), .. } => self.agenda.outbox_empty(None),
                Delivery::Failed { next: None, error } => self.given_up(number, error, clock.now()).await?,
            }
            own = self.agenda.alerts(clock.now());
        }
        Ok(taken)
    }

    /// A message that nobody will read: in the audit, in the log, and in another message once an hour at most, so that a
    /// channel that refuses everything does not feed itself.
    async fn given_up(&self, message: u64, why: &str, now: DateTime<Utc>) -> Result<(), Error> {
        tracing::error!(message, why, "a message was given up");
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
                    "message {message} was given up ({why}); `portcullis status` and the audit have what it told"
                )),
                ..Alert::new(AlertKind::Attention, Reason::Undelivered, now)
            }));
        }
        self.write(&transaction).await?;
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
