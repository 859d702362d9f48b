//! What a finding costs, from its record to a confirmed entry, in ledgers of more and more rows.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta, Utc};
use portcullis::{
    ledger::Ledger as _,
    respond::{
        Embedded, open_embedded,
        policy::{Limits, Policy},
        report::Mode,
    },
};
use portcullis_benches::cpu_nanoseconds;
use serde_json::json;
use tempfile::TempDir;

/// Network ACLs, each behind one subnet.
const ACLS: u64 = 10;
/// Findings between two sweeps, as a busy stream brings them.
const BATCH: u64 = 50;
/// Copies of each ledger in which a batch is measured.
const COPIES: usize = 15;

/// One size of the ledger.
pub(crate) struct Level {
    /// Rows of the audit, of which a new block writes three.
    pub(crate) rows: u64,
    /// Nanoseconds of CPU per new finding, copy by copy.
    pub(crate) nanoseconds: Vec<f64>,
}

/// Measures at 10^2 rows, and at ten times as many, up to 10^6.
///
/// The ledger grows with every finding, a small one manyfold, so each batch is measured in a copy of the same size.
pub(crate) fn levels(short: bool) -> Result<Vec<Level>> {
    let (most, copies) = if short { (1_000, 2) } else { (1_000_000, COPIES) };
    let folder = tempfile::tempdir().context("no room for a ledger")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (mut number, mut at) = (0, "2026-11-21T12:00:00Z".parse()?);
        let mut levels = Vec::new();
        let mut rows = 100;
        while rows <= most {
            let mut feed = Feed::open(folder.path(), number, at)?;
            while feed.rows().await? < rows {
                feed.batch().await?;
            }
            (number, at) = (feed.number, feed.at);
            drop(feed);
            let mut level = Level {
                rows: 0,
                nanoseconds: Vec::new(),
            };
            for _ in 0..copies {
                let copy = copied(folder.path())?;
                let mut feed = Feed::open(copy.path(), number, at)?;
                // The first batch finds nothing in memory.
                feed.batch().await?;
                level.rows = feed.rows().await?;
                let began = cpu_nanoseconds();
                feed.batch().await?;
                level
                    .nanoseconds
                    .push((cpu_nanoseconds() - began) as f64 / BATCH as f64);
            }
            levels.push(level);
            rows *= 10;
        }
        Ok(levels)
    })
}

/// A ledger that nobody has open, once more.
fn copied(folder: &Path) -> Result<TempDir> {
    let copy = tempfile::tempdir().context("no room for a copy of the ledger")?;
    for file in fs::read_dir(folder)? {
        let file = file?;
        fs::copy(file.path(), copy.path().join(file.file_name()))?;
    }
    Ok(copy)
}

/// New findings, one address each, spread over the network ACLs.
struct Feed {
    responder: Embedded,
    number: u64,
    at: DateTime<Utc>,
}

impl Feed {
    fn open(folder: &Path, number: u64, at: DateTime<Utc>) -> Result<Self> {
        let policy = Policy {
            mode: Mode::Enforce,
            // What is measured is a stream of new addresses, each of which takes the place of the oldest.
            limits: Limits {
                // All places are taken before anything is measured, so that every level does the same work.
                entries_per_direction: 2,
                flood_addresses: usize::MAX,
                ..Limits::default()
            },
            ..Policy::default()
        };
        let responder = open_embedded(folder, policy, true)?;
        // What is measured is the work, not the disk.
        responder.ledger().flush_commits(false)?;
        responder.network_acls().flush_commits(false)?;
        Ok(Self { responder, number, at })
    }

    async fn batch(&mut self) -> Result<()> {
        for _ in 0..BATCH {
            self.number += 1;
            // Six an hour for each network ACL, which remembers its evictions of the last hour: as many in a small ledger as in a large one.
            self.at += TimeDelta::minutes(1);
            let record = finding(self.number, self.at);
            self.responder.accept(&record, self.at).await?;
        }
        self.responder.sweep(self.at).await?;
        Ok(())
    }

    async fn rows(&self) -> Result<u64> {
        let counts = self.responder.ledger().counts().await?;
        Ok(counts.events.values().sum())
    }
}

fn finding(number: u64, at: DateTime<Utc>) -> Vec<u8> {
    let at = at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    // Public, of nobody's list, and a new one each time.
    let address = std::net::Ipv4Addr::from(0x2d00_0000 + number as u32);
    json!({
        "schemaVersion": "2.0", "accountId": "111122223333", "region": "eu-west-1", "partition": "aws",
        "id": format!("{number:032x}"), "type": "UnauthorizedAccess:EC2/SSHBruteForce", "severity": 2.0,
        "title": "SSH brute force", "description": "An address tries passwords.", "createdAt": at, "updatedAt": at,
        "resource": {"resourceType": "Instance", "instanceDetails": {"instanceId": "i-1",
            "networkInterfaces": [{"subnetId": format!("subnet-{}", number % ACLS)}]}},
        "service": {"serviceName": "guardduty", "resourceRole": "TARGET", "archived": false, "count": 1,
            "eventFirstSeen": at, "eventLastSeen": at, "action": {"actionType": "NETWORK_CONNECTION",
                "networkConnectionAction": {"connectionDirection": "INBOUND", "protocol": "TCP", "blocked": false,
                    "remoteIpDetails": {"ipAddressV4": address.to_string()}}}},
    })
    .to_string()
    .into_bytes()
}
