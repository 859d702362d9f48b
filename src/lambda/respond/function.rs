//! One invocation: findings to decisions, and what follows from them within the time that is left.

use std::time::SystemTime;

use serde_json::{Value, json};
use tokio::time::timeout;

use super::event::{self, Event, Record, Unknown};
use crate::aws;
use crate::consume::kinesis::aggregate;
use crate::consume::shard::{self, take};
use crate::consume::{told, unpack};
use crate::lambda::{Metrics, left};
use crate::ledger::{self, Ledger};
use crate::network_acl::NetworkAcls;
use crate::respond::notify::Sender;
use crate::respond::{self, Clock, Decision, Place, Responder, Verdict, WallClock};

/// The ledger's reader of audit rows that metrics were made of.
const READER: &str = "metrics";

/// Audit rows that are read at once.
const ROWS: usize = 1_000;

/// The invocation has to be repeated.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Unknown(#[from] Unknown),
    #[error(transparent)]
    Respond(#[from] respond::Error),
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    #[error("the time was over before the finding was durable")]
    Late,
}

/// The function, warm.
pub(super) struct Function<L, N, S, P> {
    responder: Responder<L, N>,
    channel: Option<S>,
    /// Where response documents go.
    place: Option<P>,
}

impl<L: Ledger, N: NetworkAcls, S: Sender, P: Place> Function<L, N, S, P> {
    pub(super) fn new(responder: Responder<L, N>, channel: Option<S>, place: Option<P>) -> Self {
        Self {
            responder,
            channel,
            place,
        }
    }

    /// Answers one event before `deadline`.
    ///
    /// # Errors
    /// When Lambda should repeat the invocation.
    pub(super) async fn answer(
        &self,
        event: &[u8],
        deadline: SystemTime,
        metrics: &mut Metrics,
    ) -> Result<Value, Error> {
        let before = aws::calls();
        let answer = match event::read(event)? {
            Event::Kinesis(records) => Ok(self.batch(&records, deadline, metrics).await),
            Event::Schedule => within(deadline, self.scheduled(metrics)).await,
            Event::Finding(record) => self.finding(record, deadline, metrics).await,
        };
        let calls = aws::calls().since(before);
        metrics.count("ApiCalls", calls.calls);
        metrics.count("ApiRetries", calls.retries);
        answer
    }

    /// The answer to the event source mapping. All records before the one that it names are durable.
    async fn batch(&self, records: &[Record], deadline: SystemTime, metrics: &mut Metrics) -> Value {
        if let Some(oldest) = records.iter().filter_map(|record| record.arrived).min() {
            let age = (WallClock.now() - oldest).num_milliseconds();
            metrics.gauge("IteratorAge", "Milliseconds", u64::try_from(age).unwrap_or_default());
        }
        let mut is_new = false;
        let mut failed = None;
        for record in records {
            match within(deadline, self.record(record, metrics)).await {
                Ok(new) => is_new |= new,
                Err(error) => {
                    tracing::warn!(record = record.name, %error, "this record and those behind it have to come again");
                    metrics.count("Retried", 1);
                    failed = Some(record);
                    break;
                }
            }
        }
        if is_new {
            self.follow_up(deadline, metrics).await;
        }
        let failures: Vec<Value> = failed
            .iter()
            .map(|record| json!({"itemIdentifier": record.name}))
            .collect();
        json!({"batchItemFailures": failures})
    }

    /// Whether there is something to do or to tell after it.
    async fn record(&self, record: &Record, metrics: &mut Metrics) -> Result<bool, Error> {
        let mut is_new = false;
        for part in aggregate::split(&record.data) {
            for finding in unpack(&part) {
                is_new |= self.take(&finding, record, metrics).await?;
            }
        }
        Ok(is_new)
    }

    async fn take(&self, finding: &[u8], record: &Record, metrics: &mut Metrics) -> Result<bool, Error> {
        let one = shard::Record {
            number: record.number.clone(),
            bytes: finding,
        };
        let taken = take(&self.responder, &[one], WallClock.now()).await;
        match taken.failed {
            Some((_, error)) => Err(error.into()),
            None => Ok(counted(&taken.decisions, metrics)),
        }
    }

    async fn finding(&self, record: &[u8], deadline: SystemTime, metrics: &mut Metrics) -> Result<Value, Error> {
        let mut is_new = false;
        for finding in unpack(record) {
            let accepted = async { Ok(self.responder.accept(&finding, WallClock.now()).await?) };
            is_new |= counted(&within(deadline, accepted).await?, metrics);
        }
        if is_new {
            self.follow_up(deadline, metrics).await;
        }
        Ok(Value::Null)
    }

    /// Acts and tells, as far as the time goes. What is left is the schedule's: nothing of it makes a record come again.
    async fn follow_up(&self, deadline: SystemTime, metrics: &mut Metrics) {
        let work = async {
            self.act(metrics).await?;
            Ok(())
        };
        if let Err(error) = within(deadline, work).await {
            tracing::warn!(%error, "pending work and messages wait for the schedule");
        }
    }

    async fn act(&self, metrics: &mut Metrics) -> Result<(), Error> {
        let swept = self.responder.sweep(WallClock).await?;
        metrics.count("Postponed", swept.postponed);
        if let Some(channel) = &self.channel {
            let messages = self.responder.deliver(channel, WallClock).await?;
            metrics.count("Messages", messages as u64);
        }
        Ok(())
    }

    async fn scheduled(&self, metrics: &mut Metrics) -> Result<Value, Error> {
        let disagreed = self.responder.reconcile(WallClock, false).await?;
        metrics.count("Disagreements", disagreed.len() as u64);
        self.act(metrics).await?;
        self.transitions(metrics).await?;
        self.carry(metrics).await;
        let status = self.responder.status_last_seen(WallClock.now()).await?;
        metrics.gauge("Pending", "Count", status.pending);
        metrics.gauge("PendingAge", "Seconds", status.pending_age_seconds);
        metrics.gauge("MessagesWaiting", "Count", status.messages_waiting);
        Ok(Value::Null)
    }

    /// Response documents to their place. That it cannot be reached is a metric and no failure of the schedule: they wait.
    async fn carry(&self, metrics: &mut Metrics) {
        let Some(place) = &self.place else { return };
        match self.responder.carry(place).await {
            Ok(documents) => metrics.count("Responses", documents),
            Err(error) => {
                tracing::error!(%error);
                metrics.count("ResponsesFailed", 1);
            }
        }
    }

    /// What happened in the ledger since the last time, by whichever function, command or person.
    async fn transitions(&self, metrics: &mut Metrics) -> Result<(), Error> {
        let ledger = self.responder.ledger();
        let mut after = ledger.position(READER).await?.number();
        loop {
            let rows = ledger.audit(after, ROWS).await?;
            for row in &rows {
                let name = match row.event {
                    ledger::Event::Planned => "Planned",
                    ledger::Event::Applied => "Applied",
                    ledger::Event::Evicted => "Evicted",
                    ledger::Event::Expired => "Expired",
                    ledger::Event::Unblocked | ledger::Event::Removed => "Removed",
                    ledger::Event::Rejected => "Rejected",
                    ledger::Event::Alerted => "Alerts",
                    ledger::Event::Undelivered => "Undelivered",
                    _ => continue,
                };
                metrics.count(name, 1);
            }
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.number;
            ledger.set_position(READER, &after.into()).await?;
        }
    }
}

/// Logs and counts; whether any of it leaves something to do or to tell.
fn counted(decisions: &[Decision], metrics: &mut Metrics) -> bool {
    decisions.iter().for_each(told::log);
    metrics.count("Received", 1);
    metrics.decided(decisions);
    decisions.iter().any(|decision| decision.verdict != Verdict::Ignore)
}

/// Work that is given up when the answer is due. Whatever was under way is as after a crash, which does no harm.
async fn within<T>(deadline: SystemTime, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    timeout(left(deadline), work).await.unwrap_or(Err(Error::Late))
}
