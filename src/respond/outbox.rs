//! From alerts to messages, and from messages to a channel, at least once.

use chrono::{DateTime, TimeDelta, Utc};
use ipnet::IpNet;
use serde::Deserialize;

use super::error::Error;
use super::notify::{Alert, SendError, Sender, message};
use super::responder::Responder;
use crate::ledger::{self, AlertRow, Delivery, Ledger, MessageRow};
use crate::network_acl::NetworkAcls;

/// Alerts that one message tells of: a burst is read as one.
const BURST: usize = 10;

/// Messages that one call delivers.
const BATCH: usize = 50;

/// The longest wait between two attempts.
const LONGEST_WAIT: TimeDelta = TimeDelta::minutes(15);

impl<L: Ledger, N: NetworkAcls> Responder<L, N> {
    /// Makes messages of the alerts that are in none, several alerts to a message.
    pub(super) async fn gather(&self, now: DateTime<Utc>) -> Result<(), Error> {
        loop {
            let rows = self.ledger.alerts_waiting(BURST).await?;
            if rows.is_empty() {
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

    /// Delivers what waits and whose time has come; returns how many messages the channel took. At least once: a crash between
    /// the channel's answer and the ledger's sends a message again.
    ///
    /// # Errors
    /// When the ledger fails. A channel's failure is recorded, and tried again later.
    pub async fn deliver(&self, sender: &impl Sender, now: DateTime<Utc>) -> Result<usize, Error> {
        self.gather(now).await?;
        let mut taken = 0;
        for message in self.ledger.unsent(now, BATCH).await? {
            let outcome = match sender.send(&message.payload).await {
                Ok(()) => Delivery::Sent(now),
                Err(SendError::Permanent { why }) => Delivery::Failed { error: why, next: None },
                Err(SendError::Retry { after, why }) => {
                    let asked = after.and_then(|after| TimeDelta::from_std(after).ok());
                    let wait = asked.unwrap_or_else(|| backoff(message.attempts));
                    Delivery::Failed {
                        error: why,
                        next: Some(now + wait),
                    }
                }
            };
            let down = matches!(&outcome, Delivery::Failed { next: Some(_), .. });
            taken += usize::from(matches!(outcome, Delivery::Sent(_)));
            self.ledger.delivered(message.number, &outcome).await?;
            if down {
                // The others would meet the same channel: leave them their attempts.
                break;
            }
        }
        Ok(taken)
    }
}

fn backoff(attempts: u32) -> TimeDelta {
    TimeDelta::seconds(1 << attempts.min(10)).min(LONGEST_WAIT)
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
        attempts: 0,
        last_error: None,
    }
}
