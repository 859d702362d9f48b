//! Everything at once on generated events: a day of history, then live, on the model of EC2 and never on AWS.
//!
//! The clock follows the arrival of events, so that ages, hold-offs and eviction limits mean what they mean in earnest. What
//! the responder does is told back to the story: from a confirmed deny on, the address is rejected.

mod estate;
mod folder;
mod summary;

use std::{collections::BTreeMap, path::Path, sync::Arc};

use chrono::{DateTime, Utc};
use portcullis_transforms::{Options, Source};

use crate::{
    config::SourceChoice,
    consume::{Pipeline, Tally, pipeline},
    generate::{Environment, Event, Live, Story},
    index::{Index, embedded},
    input::Normalizers,
    ledger::embedded::SqliteLedger,
    network_acl::model::Model,
    respond::{
        self, Embedded, Responder,
        notify::{Sender, Sending},
        policy::{Limits, Policy},
        report::{AuditReport, Mode},
    },
};

pub use folder::{Error as FolderError, Folder};
pub use summary::{Standing, Summary};

/// Why the demo cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The ledger or the network ACL model.
    #[error(transparent)]
    Respond(#[from] respond::Error),
    /// The index.
    #[error(transparent)]
    Index(#[from] crate::index::Error),
    /// A record could not be taken.
    #[error(transparent)]
    Pipeline(#[from] pipeline::Error),
    /// The network ACL model cannot be set up.
    #[error(transparent)]
    Model(#[from] crate::network_acl::Error),
}

/// The demo's parts, which are the product's.
pub struct Demo {
    responder: Arc<Embedded>,
    index: Arc<embedded::Embedded>,
    pipeline: Pipeline<SqliteLedger, Model>,
    normalizers: BTreeMap<Source, Normalizers>,
    /// Interfaces that each network ACL guards.
    interfaces: BTreeMap<String, Vec<String>>,
    /// Number of the last audit row that the story was told of.
    told: u64,
}

/// Whoever makes the events: the history or what goes on after it.
pub trait Feed {
    /// A network ACL denies an address from then on.
    fn denied(&mut self, row: &AuditReport);
    /// It no longer does.
    fn undenied(&mut self, row: &AuditReport);
}

macro_rules! feed {
    ($($maker:ty),+) => {$(
        impl Feed for $maker {
            fn denied(&mut self, row: &AuditReport) {
                if let (Some(cidr), Some(key), Some(direction)) = (row.cidr, &row.acl, row.direction) {
                    <$maker>::denied(self, cidr, &key.acl, direction, row.at);
                }
            }

            fn undenied(&mut self, row: &AuditReport) {
                if let (Some(cidr), Some(key), Some(direction)) = (row.cidr, &row.acl, row.direction) {
                    <$maker>::undenied(self, cidr, &key.acl, direction);
                }
            }
        }
    )+};
}

feed!(Story, Live);

/// The demo has no Slack: its Response page is where messages are read.
#[derive(Debug)]
struct Page;

impl Sender for Page {
    fn send<'a>(&'a self, _payload: &'a serde_json::Value) -> Sending<'a> {
        Box::pin(std::future::ready(Ok(())))
    }
}

impl Demo {
    /// Sets up ledger, model and index in an empty folder. The policy enforces, on the model.
    ///
    /// # Errors
    /// When one of the stores cannot be made.
    pub fn new(data: &Path, environment: &Environment) -> Result<Self, Error> {
        let policy = Policy {
            mode: Mode::Enforce,
            lists: estate::lists(environment),
            // Attackers come much faster here than in earnest; the gate should go on closing while somebody looks.
            limits: Limits {
                evictions_per_hour: 1_000,
                ..Limits::default()
            },
            ..Policy::default()
        };
        let model = Model::open(data)?;
        estate::define(&model, environment)?;
        let ledger = SqliteLedger::open(data).map_err(respond::Error::from)?;
        let responder = Arc::new(Responder::new(ledger, model, policy, "demo".to_owned()));
        let index = Arc::new(embedded::Embedded::open(
            &data.join("index"),
            embedded::Options {
                fields: respond::document::fields().collect(),
                ..embedded::Options::default()
            },
        )?);
        let normalizers = Source::ALL.iter().filter_map(|&source| {
            // Without options there is nothing that a normaliser could refuse.
            let normalizers = Normalizers::new(SourceChoice::Named(source), Options::default()).ok()?;
            Some((source, normalizers))
        });
        Ok(Self {
            normalizers: normalizers.collect(),
            pipeline: Pipeline::new(Arc::clone(&index) as Arc<dyn Index>, "", Arc::clone(&responder)),
            responder,
            index,
            interfaces: estate::interfaces(environment),
            told: 0,
        })
    }

    /// The responder, for pages and for the summary.
    #[must_use]
    pub fn responder(&self) -> &Arc<Embedded> {
        &self.responder
    }

    /// The index, for pages and for the summary.
    #[must_use]
    pub fn index(&self) -> &Arc<embedded::Embedded> {
        &self.index
    }

    /// What was read, shared with the pages.
    #[must_use]
    pub fn tally(&self) -> Arc<std::sync::Mutex<Tally>> {
        self.pipeline.tally()
    }

    /// Whether ledger and model flush each commit to disk. Loading the history goes without: should the machine fail, the
    /// demo is made anew.
    ///
    /// # Errors
    /// When a store fails.
    pub fn flush_commits(&self, flush: bool) -> Result<(), Error> {
        self.responder
            .ledger()
            .flush_commits(flush)
            .map_err(respond::Error::from)?;
        self.responder.network_acls().flush_commits(flush)?;
        Ok(())
    }

    /// Takes one event; a finding is acted on at once. Returns what changed on the network ACLs.
    ///
    /// # Errors
    /// When a store fails.
    pub async fn take(&mut self, event: &Event, feed: &mut impl Feed) -> Result<Vec<AuditReport>, Error> {
        if let Some(normalizers) = self.normalizers.get_mut(&event.source) {
            let taken = self.pipeline.take(normalizers, &event.line, event.at).await?;
            for refused in taken.refused {
                tracing::warn!(source = %event.source, refusal = %refused.refusal, "a generated record was refused");
            }
        }
        if event.source != Source::GuardDuty {
            return Ok(Vec::new());
        }
        self.responder.sweep(event.at).await?;
        self.responder.deliver(&Page, event.at).await?;
        self.tell(feed).await
    }

    /// Makes everything taken so far searchable, as of `now`.
    ///
    /// # Errors
    /// When a store fails.
    pub async fn settle(&mut self, now: DateTime<Utc>) -> Result<(), Error> {
        self.pipeline.settle(now).await?;
        self.responder.deliver(&Page, now).await?;
        Ok(())
    }

    /// Tells the story what changed, and returns it.
    async fn tell(&mut self, feed: &mut impl Feed) -> Result<Vec<AuditReport>, Error> {
        let rows = self.responder.audit(self.told, 1_000).await?;
        for row in &rows {
            self.told = row.number;
            match row.event.as_str() {
                "applied" => feed.denied(row),
                "evicted" | "removed" | "expired" => feed.undenied(row),
                _ => {}
            }
        }
        Ok(rows)
    }
}
