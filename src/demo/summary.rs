//! What a demo came to, and whether everything happened that should have.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use portcullis_transforms::Source;
use serde::Serialize;
use serde_json::json;

use super::{Demo, Error};
use crate::{
    index::Index,
    ledger::Filter,
    network_acl::Direction,
    respond::{
        report::{AclReport, EntryReport},
        verify,
    },
};

/// Reasons not to block that every story tells of.
const EXPECTED: &[&str] = &[
    "sample",
    "unspecified",
    "own_address",
    "allow_listed",
    "aws_service",
    "stale",
    "api_call",
];

/// What `demo --once --json` prints.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The folder with ledger, model and index, for `list --data` and the like.
    pub data: String,
    /// What the events were made from.
    pub seed: u64,
    /// Documents in the index, by source.
    pub indexed: BTreeMap<String, u64>,
    /// Records that were refused.
    pub refused_records: u64,
    /// Findings read, versions counted.
    pub findings: u64,
    /// Transitions to applied.
    pub blocked: u64,
    /// Evictions.
    pub evicted: u64,
    /// Expiries.
    pub expired: u64,
    /// Decisions that blocked nothing, by reason.
    pub not_blocked: BTreeMap<String, u64>,
    /// Outbox rows: what a person should know.
    pub alerts: u64,
    /// Messages that told of them.
    pub messages: u64,
    /// Network ACLs, per direction.
    pub nacls: Vec<Standing>,
}

/// How one network ACL and direction stands at the end.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Standing {
    /// `acl-...`
    pub id: String,
    /// Which way.
    pub direction: Direction,
    /// Managed entries, the next to be evicted first.
    pub managed: Vec<Managed>,
    /// How many entries others made.
    pub foreign: usize,
}

/// One managed entry.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Managed {
    /// Rule number.
    pub rule: Option<u16>,
    /// What is denied.
    pub cidr: IpNet,
    /// Since when.
    pub since: DateTime<Utc>,
}

impl From<&AclReport> for Standing {
    fn from(acl: &AclReport) -> Self {
        let managed = acl.managed.iter().map(|entry| Managed {
            rule: entry.rule,
            cidr: entry.cidr,
            since: entry.since,
        });
        Self {
            id: acl.key.acl.clone(),
            direction: acl.direction,
            managed: managed.collect(),
            foreign: acl.foreign.len(),
        }
    }
}

impl Demo {
    /// Counts everything, from the stores and not from what was remembered on the way.
    ///
    /// # Errors
    /// When a store fails.
    pub async fn summary(&self, data: &str, seed: u64, now: DateTime<Utc>) -> Result<Summary, Error> {
        let status = self.responder.status(now).await?;
        let mut indexed = BTreeMap::new();
        for source in Source::ALL.iter().map(|source| source.name()).chain(["response"]) {
            indexed.insert(source.to_owned(), self.count(source, &json!({ "match_all": {} }))?);
        }
        let tally = self.tally();
        let refused = tally
            .lock()
            .map(|tally| tally.refused.values().sum())
            .unwrap_or_default();
        Ok(Summary {
            data: data.to_owned(),
            seed,
            indexed,
            refused_records: refused,
            findings: status.findings,
            blocked: status.blocked,
            evicted: status.evicted,
            expired: status.expired,
            not_blocked: status.not_blocked,
            alerts: status.alerts,
            messages: status.messages,
            nacls: status.acls.iter().map(Standing::from).collect(),
        })
    }

    fn count(&self, index: &str, query: &serde_json::Value) -> Result<u64, Error> {
        let found = self
            .index
            .search(index, &json!({ "size": 0, "track_total_hits": true, "query": query }))?;
        Ok(found["hits"]["total"]["value"].as_u64().unwrap_or_default())
    }

    /// What should have happened and did not, each in a sentence; empty when all is well.
    ///
    /// # Errors
    /// When a store fails.
    pub async fn shortfalls(&self, summary: &Summary) -> Result<Vec<String>, Error> {
        let mut wrong = verify(
            self.responder.ledger(),
            self.responder.network_acls(),
            self.responder.policy(),
        )
        .await?;
        for source in Source::ALL {
            if summary.indexed.get(source.name()).is_none_or(|count| *count == 0) {
                wrong.push(format!("no document of {source} is in the index"));
            }
        }
        if summary.refused_records > 0 {
            wrong.push(format!("{} generated records were refused", summary.refused_records));
        }
        if summary.blocked < 11 || summary.evicted < 1 {
            let Summary { blocked, evicted, .. } = summary;
            wrong.push(format!(
                "{blocked} blocked and {evicted} evicted, where at least 11 and 1 should be"
            ));
        }
        for reason in EXPECTED {
            if !summary.not_blocked.contains_key(*reason) {
                wrong.push(format!("nothing was refused as {reason}"));
            }
        }
        let alerted: BTreeSet<IpNet> = self
            .responder
            .messages(usize::MAX)
            .await?
            .into_iter()
            .flat_map(|message| message.addresses)
            .collect();
        for entry in self.responder.entries(Filter::All).await? {
            if !alerted.contains(&entry.cidr) {
                wrong.push(format!("no message tells of {}", entry.cidr));
            }
        }
        wrong.extend(self.leaks().await?);
        Ok(wrong)
    }

    /// Flow records that began after an address was denied, and were accepted all the same: the proof that a block works is
    /// that there are none.
    async fn leaks(&self) -> Result<Vec<String>, Error> {
        let mut leaks = Vec::new();
        for entry in self.responder.entries(Filter::Active).await? {
            let Some(interfaces) = self.interfaces.get(&entry.nacl) else {
                continue;
            };
            let remote = match entry.direction {
                Direction::Ingress => "source.ip",
                Direction::Egress => "destination.ip",
            };
            let accepted = self.count(
                "vpcflow",
                &json!({ "bool": { "filter": [
                    { "term": { remote: entry.cidr.addr().to_string() } },
                    { "term": { "event.action": "accept" } },
                    { "terms": { "aws.vpcflow.interface_id": interfaces } },
                    { "range": { "event.start": { "gte": entry.since.to_rfc3339() } } },
                ] } }),
            )?;
            if accepted > 0 {
                let EntryReport {
                    cidr, nacl, direction, ..
                } = entry;
                leaks.push(format!(
                    "{accepted} flows of {cidr} were accepted after {nacl} denied it on {direction}"
                ));
            }
        }
        Ok(leaks)
    }
}
