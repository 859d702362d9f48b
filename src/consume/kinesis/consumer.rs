//! Starts and ends the readers of a stream's shards.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::api::{Fault, Kinesis, Shard, Start};
use super::meter::Meter;
use super::pace::Pace;
use super::reader::{End, Reader, SKEW, Shared, asked};
use super::{From, shards};
use crate::consume::{Documents, told};
use crate::ledger::{self, Ledger, Position};
use crate::network_acl::NetworkAcls;
use crate::respond::{Clock, Decision, Responder, WallClock};

/// How often the shards are listed when none ends.
const LIST: Duration = Duration::from_secs(30);

/// A stream cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Kinesis refuses, for good; says what and the remedy.
    #[error("{0}")]
    Refused(String),
    /// There is no such stream, or there is none any more.
    #[error("{0}; check its name, the account and the region")]
    Gone(String),
    /// A reader ended with a panic.
    #[error("a reader ended unexpectedly: {0}")]
    Reader(#[from] tokio::task::JoinError),
}

/// One host's consumer of one stream.
pub struct Consumer<K, L, N> {
    shared: Arc<Shared<K, L, N>>,
    from: From,
}

/// What is known before the first shard is read.
struct Beginning {
    /// Of the ledger's positions for this stream.
    prefix: String,
    /// When the first consumer began, where reading begins with what arrives.
    at: DateTime<Utc>,
    /// Whether that is this one.
    first: bool,
}

impl<K, L, N> Consumer<K, L, N>
where
    K: Kinesis + 'static,
    L: Ledger + 'static,
    N: NetworkAcls + 'static,
{
    /// A consumer that gives what it reads to the responder. `from` is for shards of which the ledger knows no position.
    pub fn new(kinesis: K, responder: Arc<Responder<L, N>>, from: From) -> Self {
        let meter = Arc::default();
        Self {
            shared: Arc::new(Shared {
                kinesis,
                responder,
                meter,
                told: Box::new(told::log),
                documents: None,
            }),
            from,
        }
    }

    /// Has each decision told to `told` as well as to the log, once it is durable.
    #[must_use]
    pub fn telling(mut self, told: impl Fn(&Decision) + Send + Sync + 'static) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            shared.told = Box::new(move |decision| {
                told::log(decision);
                told(decision);
            });
        }
        self
    }

    /// Has the document of each finding written as well. What is not durable there is read again, like what is not decided.
    #[must_use]
    pub fn documenting(mut self, documents: Documents) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            shared.documents = Some(Arc::new(documents));
        }
        self
    }

    /// What it counts; shared, so that it can be shown.
    #[must_use]
    pub fn meter(&self) -> Arc<Meter> {
        Arc::clone(&self.shared.meter)
    }

    /// Reads until `stop` says `true`, which takes less than five seconds from then. Nothing that was taken is lost then: what
    /// was not durable comes again.
    ///
    /// # Errors
    /// Only when waiting does not help: the stream is not there, or may not be read.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) -> Result<(), Error> {
        let (halt, halted) = watch::channel(false);
        let mut readers = JoinSet::new();
        let ran = tokio::select! {
            ran = self.keep(&mut readers, &halted) => ran,
            () = asked(&mut stop) => Ok(()),
        };
        halt.send_replace(true);
        while let Some(ended) = readers.join_next().await {
            drop(ended?);
        }
        ran
    }

    async fn keep(&self, readers: &mut JoinSet<(String, End)>, halted: &watch::Receiver<bool>) -> Result<(), Error> {
        let mut beginning = self.beginning().await?;
        let mut running = BTreeSet::new();
        let mut ended = BTreeSet::new();
        loop {
            let listed = self.listed().await?;
            for shard in self.look(&listed, &running, &mut ended, &beginning).await {
                tracing::info!(shard = shard.shard, from = ?shard.start, "reading");
                running.insert(shard.shard.clone());
                let reader = Reader {
                    shared: Arc::clone(&self.shared),
                    name: shard.name,
                    shard: shard.shard.clone(),
                    start: shard.start,
                    stop: halted.clone(),
                };
                readers.spawn(async move { (shard.shard, reader.run().await) });
            }
            beginning.first = false;
            let next = tokio::select! {
                Some(next) = readers.join_next() => next?,
                () = sleep(LIST) => continue,
            };
            running.remove(&next.0);
            match next {
                (shard, End::Over) => {
                    tracing::info!(shard, "read to its end");
                    ended.insert(shard);
                }
                (shard, End::Gone(why)) => {
                    tracing::warn!(shard, why, "the stream does not keep what was not read of it");
                    sleep(Duration::from_secs(1)).await;
                }
                (_, End::Refused(why)) => return Err(Error::Refused(why)),
                (_, End::Stopped) => return Ok(()),
            }
        }
    }

    /// The shards that are to be read from now on, and where each begins.
    async fn look(
        &self,
        listed: &[Shard],
        running: &BTreeSet<String>,
        ended: &mut BTreeSet<String>,
        beginning: &Beginning,
    ) -> Vec<Next> {
        let mut begun = Vec::new();
        let mut known = Vec::new();
        for shard in listed.iter().filter(|shard| !running.contains(&shard.id)) {
            if ended.contains(&shard.id) {
                continue;
            }
            let name = format!("{}/{}", beginning.prefix, shard.id);
            let position = self.position(&name).await;
            if position == Position::end() {
                ended.insert(shard.id.clone());
            } else {
                known.push((shard.id.as_str(), name, position));
            }
        }
        ended.retain(|id| listed.iter().any(|shard| shard.id == *id));
        for shard in shards::readable(listed, ended) {
            let Some((id, name, position)) = known.iter().find(|(id, ..)| *id == shard.id) else {
                continue;
            };
            begun.push(Next {
                shard: (*id).to_owned(),
                name: name.clone(),
                start: self.start(position, beginning),
            });
        }
        begun
    }

    fn start(&self, position: &Position, beginning: &Beginning) -> Start {
        if *position != Position::default() {
            return Start::After(position.clone());
        }
        match self.from {
            From::TrimHorizon => Start::TrimHorizon,
            From::At(at) => Start::At(at),
            From::Latest if beginning.first => Start::Latest,
            // A shard that came since, or one of which nothing was read before a restart.
            From::Latest => Start::At(beginning.at - SKEW),
        }
    }

    async fn beginning(&self) -> Result<Beginning, Error> {
        let mut pace = Pace::new("");
        let identity = loop {
            let asked = self.shared.kinesis.identity().await;
            self.shared.meter.call("DescribeStreamSummary", asked.as_ref().err());
            match asked {
                Ok(identity) => break identity,
                Err(fault) => passes(fault, &mut pace).await?,
            }
        };
        // Whoever only decides must not pass over what an index has yet to read.
        let prefix = match &self.shared.documents {
            Some(documents) => format!("kinesis/{identity}/to/{}", documents.place()),
            None => format!("kinesis/{identity}"),
        };
        let name = format!("{prefix}/began");
        let now = WallClock.now();
        let known = self.position(&name).await;
        let first = known == Position::default();
        let mut at = now;
        if self.from == From::Latest && first {
            let millis = u64::try_from(now.timestamp_millis()).unwrap_or_default();
            while let Err(error) = self.shared.responder.ledger().set_position(&name, &millis.into()).await {
                later(&error, &mut pace).await;
            }
        } else if !first {
            let millis = i64::try_from(known.number()).unwrap_or_default();
            at = DateTime::from_timestamp_millis(millis).unwrap_or(now);
        }
        Ok(Beginning { prefix, at, first })
    }

    async fn listed(&self) -> Result<Vec<Shard>, Error> {
        let mut pace = Pace::new("");
        loop {
            let asked = self.shared.kinesis.shards().await;
            self.shared.meter.call("ListShards", asked.as_ref().err());
            match asked {
                Ok(listed) => return Ok(listed),
                Err(fault) => passes(fault, &mut pace).await?,
            }
        }
    }

    async fn position(&self, name: &str) -> Position {
        let mut pace = Pace::new(name);
        loop {
            match self.shared.responder.ledger().position(name).await {
                Ok(position) => return position,
                Err(error) => later(&error, &mut pace).await,
            }
        }
    }
}

/// A shard that nobody reads yet.
struct Next {
    shard: String,
    name: String,
    start: Start,
}

/// Waits after a fault that may pass.
async fn passes(fault: Fault, pace: &mut Pace) -> Result<(), Error> {
    match fault {
        Fault::Gone(why) => Err(Error::Gone(why)),
        Fault::Refused(why) => Err(Error::Refused(why)),
        fault => {
            tracing::warn!(%fault, "the stream waits");
            sleep(pace.after_fault()).await;
            Ok(())
        }
    }
}

async fn later(error: &ledger::Error, pace: &mut Pace) {
    tracing::warn!(%error, "the stream waits for the ledger");
    sleep(pace.after_fault()).await;
}
