//! Everything on the wire: two consumers of one stream that is split and merged, killed with -9 every two seconds; the ledger on
//! DynamoDB Local; moto's EC2 behind its manners, which throttles and loses answers; a Slack that fails; records in every form,
//! many versions of many findings, repeated, and poison among them. Nothing may be lost or doubled.
//!
//! What has to come of it is worked out here from what was put on the stream, and compared with the table, EC2 and the receiver.
//! `cargo xtask e2e responder` runs it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::NetworkAcl;
use chrono::{DateTime, TimeDelta, Utc};
use portcullis::ledger::dynamodb::DynamoDbLedger;
use portcullis::ledger::{Ask, Filter, Ledger, Row, State};
use portcullis::network_acl::{Direction, Ec2Settings, ec2::Ec2};
use portcullis::respond::policy::Policy;
use portcullis::respond::report::Mode;
use portcullis::respond::verify;
use portcullis_servers::front::{Fault, Front};
use serde_json::json;

use crate::account::{ACCOUNT, REGION, network};
use crate::consume::Consumer;
use crate::findings::{self, Kind, finding};
use crate::kinesis::Stream;
use crate::program::portcullis_with;
use crate::slack::Webhook;

/// Events without a word of the command.
const EVENTS: usize = 300;

/// Between two kills.
const LIFE: Duration = Duration::from_secs(2);

/// Versions of each finding.
const VERSIONS: usize = 25;

/// Addresses that attack, and network ACLs that they attack.
const ATTACKERS: usize = 150;
const GATES: usize = 10;

/// After the last fault: a lease that nobody gave back, a description that may be old, a lease that was taken meanwhile.
const DRAIN: Duration = Duration::from_secs(300);

/// A record, in one form after the other.
fn wrapped(n: usize, finding: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(finding).into_owned();
    match n % 10 {
        0 => format!("{{\"detail-type\":\"GuardDuty Finding\",\"detail\":{text}}}").into_bytes(),
        1 => {
            let subscription = json!({"messageType": "DATA_MESSAGE", "owner": ACCOUNT, "logGroup": "g", "logStream": "s",
                "subscriptionFilters": ["f"], "logEvents": [{"id": "1", "timestamp": 1, "message": text}]});
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(subscription.to_string().as_bytes()).expect("memory");
            gzip.finish().expect("memory")
        }
        _ => finding.to_vec(),
    }
}

/// The events in the order in which they are put: every finding's first versions before its later ones.
struct Events {
    count: usize,
    findings: usize,
    began: DateTime<Utc>,
    subnets: Vec<String>,
}

impl Events {
    fn id(&self, n: usize) -> String {
        format!("f{}", n % self.findings)
    }

    fn updated(&self, n: usize) -> DateTime<Utc> {
        let version = i64::try_from(n / self.findings).expect("a small number");
        self.began - TimeDelta::hours(1) + TimeDelta::seconds(version)
    }

    fn attacker(&self, n: usize) -> usize {
        n % self.findings % ATTACKERS
    }

    fn address(&self, n: usize) -> String {
        format!("185.220.{}.7", self.attacker(n))
    }

    /// The record of an event, with what else is put beside it.
    fn records(&self, n: usize) -> Vec<(String, Vec<u8>)> {
        let updated = self.updated(n);
        let subnet = self.subnets[self.attacker(n) % GATES].clone();
        let record = finding(
            &self.id(n),
            Kind::Inbound,
            &[self.address(n)],
            &[subnet],
            updated,
            updated,
        );
        let record = String::from_utf8_lossy(&record)
            .replace(findings::ACCOUNT, ACCOUNT)
            .replace(findings::REGION, REGION)
            .into_bytes();
        let key = self.id(n);
        let mut records = vec![(key.clone(), wrapped(n, &record))];
        if n % 20 == 3 {
            records.push((key.clone(), record));
        }
        if n % 50 == 7 {
            records.push((key, format!("poison {n}").into_bytes()));
        }
        records
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; `cargo xtask e2e responder` runs it"]
async fn no_event_is_lost_and_no_entry_doubled_while_everything_fails() {
    let count = std::env::var("PORTCULLIS_E2E_EVENTS")
        .ok()
        .and_then(|events| events.parse().ok())
        .unwrap_or(EVENTS);
    let patience = Duration::from_secs(120 + count as u64 / 10);
    let dir = tempfile::tempdir().expect("a folder");
    let (stream, dynamodb, moto) = (
        Stream::start(2).await,
        portcullis_servers::dynamodb_local(),
        portcullis_servers::moto(),
    );
    let front = Front::of(&moto.url()).await;
    let ec2 = client(&front).await;
    let (mut acls, mut subnets) = (Vec::new(), Vec::new());
    for _ in 0..GATES {
        let (acl, subnet) = network(&ec2).await;
        acls.push(acl);
        subnets.push(subnet);
    }
    let webhook = Webhook::start(7);
    let url = dynamodb.url();
    let known = stream.environment();
    let mut aws: Vec<(&str, &str)> = known.iter().map(|(name, value)| (*name, value.as_str())).collect();
    aws.extend([
        ("AWS_ENDPOINT_URL_DYNAMODB", url.as_str()),
        ("AWS_ENDPOINT_URL_EC2", front.url()),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("PORTCULLIS_SLACK_WEBHOOK", webhook.url.as_str()),
    ]);
    configure(dir.path());
    portcullis_with(dir.path(), &["setup", "ledger"], b"", &aws).ended(0);

    let events = Events {
        count,
        findings: (count / VERSIONS).max(1),
        began: Utc::now(),
        subnets,
    };
    let began = Instant::now();
    let mut consumers = [Consumer::with(dir.path(), &aws), Consumer::with(dir.path(), &aws)];
    let (mut put, mut kills) = (0, 0);
    let ledger = open(&url).await;
    let mut killed = Instant::now();
    loop {
        if put < count {
            let upto = count.min(put + 400);
            let records: Vec<(String, Vec<u8>)> = (put..upto).flat_map(|n| events.records(n)).collect();
            stream.put_keyed(&records).await;
            put = upto;
        }
        let counts = ledger.counts().await.expect("the table").findings;
        if put >= count && counts >= count as u64 {
            break;
        }
        assert!(
            began.elapsed() < patience,
            "{counts} of {count} findings in {patience:?}, {kills} kills"
        );
        if killed.elapsed() >= LIFE {
            let at = kills % 2;
            consumers[at] = Consumer::with(dir.path(), &aws);
            match kills {
                1 | 5 => stream.split().await,
                3 => stream.merge().await,
                4 => front.fail("CreateNetworkAclEntry", Fault::Lost, 1),
                _ => front.fail("ReplaceNetworkAclEntry", Fault::Throttled, 2),
            }
            (kills, killed) = (kills + 1, Instant::now());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let took = began.elapsed();
    println!(
        "{count} events decided on in {:.0} s ({:.0} a second), {kills} kills",
        took.as_secs_f64(),
        count as f64 / took.as_secs_f64()
    );
    // Faults stop; what is pending drains, and people are told of every address.
    let calm = Instant::now();
    loop {
        let pending = ledger.pending(Utc::now()).await.expect("the table").len();
        let counts = ledger.counts().await.expect("the table");
        let alerts = ledger.alerts_waiting(1).await.expect("the table").len();
        if pending == 0 && counts.waiting == 0 && alerts == 0 {
            break;
        }
        assert!(
            calm.elapsed() < DRAIN,
            "{pending} network ACLs have pending work, {} messages wait, {alerts} alerts",
            counts.waiting
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    println!("what was pending drained in {:.0} s", calm.elapsed().as_secs_f64());
    for consumer in consumers {
        let stopped = consumer.stop();
        assert!(stopped < Duration::from_secs(5), "{stopped:?}");
    }
    let lost = expected_findings(&events, &ledger).await;
    let rows = ledger.entries(Filter::All).await.expect("the table");
    expected_entries(&events, &rows, &acls, &ec2).await;
    let told: String = webhook.messages().iter().map(ToString::to_string).collect();
    let untold: Vec<&Row> = rows
        .iter()
        .filter(|row| !told.contains(&row.cidr.addr().to_string()))
        .collect();
    assert!(untold.is_empty(), "nobody was told of {untold:?}");
    let problems = verify(&ledger, &ec2_of(&front).await, &policy()).await;
    let problems = problems.expect("a comparison");
    assert!(problems.is_empty(), "{problems:?}");
    let applied = rows.iter().filter(|row| row.state == State::Applied).count();
    println!(
        "{count} events, {kills} kills, {} addresses, {applied} entries, {} messages: {lost} lost",
        rows.len(),
        webhook.messages().len()
    );
    assert_eq!(lost, 0);
}

/// Every finding stands at its newest version, and every version was processed once. How many were not.
async fn expected_findings(events: &Events, ledger: &DynamoDbLedger) -> usize {
    let mut expected: BTreeMap<String, (DateTime<Utc>, u64)> = BTreeMap::new();
    for n in 0..events.count {
        let newest = expected
            .entry(format!("{ACCOUNT}/{REGION}/{}", events.id(n)))
            .or_default();
        *newest = (newest.0.max(events.updated(n)), newest.1 + 1);
    }
    let ids: Vec<String> = expected.keys().cloned().collect();
    let mut lost = 0;
    for ids in ids.chunks(90) {
        let asked = Ask {
            findings: ids,
            ..Ask::default()
        };
        let view = ledger.read(asked).await.expect("the table");
        for id in ids {
            let (updated, versions) = expected[id];
            let row = view.findings.iter().find(|row| row.id == *id);
            let row = row.unwrap_or_else(|| panic!("{id} was never decided on"));
            assert_eq!(
                row.updated_at.timestamp_millis(),
                updated.timestamp_millis(),
                "{id} is at another version"
            );
            assert!(
                row.versions <= versions,
                "{id}: {} of {versions} versions",
                row.versions
            );
            lost += usize::try_from(versions - row.versions).expect("a small number");
        }
    }
    lost
}

/// Each address that attacked has one entry in the ledger, at the network ACL that it attacked; EC2 has those that are applied, each
/// once, and no other deny.
async fn expected_entries(events: &Events, rows: &[Row], acls: &[String], ec2: &Client) {
    let mut expected = BTreeSet::new();
    for n in 0..events.count {
        let gate = acls[events.attacker(n) % GATES].clone();
        expected.insert((gate, format!("{}/32", events.address(n))));
    }
    let found: Vec<(String, String)> = rows
        .iter()
        .map(|row| (row.acl.acl.clone(), row.cidr.to_string()))
        .collect();
    assert_eq!(found.len(), expected.len(), "an entry is doubled or missing");
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
    assert!(
        rows.iter()
            .all(|row| row.direction == Direction::Ingress && !row.state.is_pending())
    );
    for acl in acls {
        let mut applied: Vec<(Option<i32>, String)> = rows
            .iter()
            .filter(|row| row.acl.acl == *acl && row.state == State::Applied)
            .map(|row| (row.rule.map(i32::from), row.cidr.to_string()))
            .collect();
        applied.sort();
        let described = ec2.describe_network_acls().network_acl_ids(acl).send().await;
        let described = described.expect("described");
        let entries = described.network_acls().iter().flat_map(NetworkAcl::entries);
        let mut stands: Vec<(Option<i32>, String)> = entries
            .filter(|entry| entry.rule_number().is_some_and(|rule| (1..32_767).contains(&rule)))
            .map(|entry| (entry.rule_number(), entry.cidr_block().unwrap_or_default().to_owned()))
            .collect();
        stands.sort();
        assert_eq!(stands, applied, "{acl}");
    }
}

fn policy() -> Policy {
    let mut policy = Policy {
        mode: Mode::Enforce,
        accounts: vec![ACCOUNT.to_owned()],
        ..Policy::default()
    };
    policy.limits.evictions_per_hour = 3600;
    policy
}

fn settings() -> Ec2Settings {
    Ec2Settings {
        accounts: vec![ACCOUNT.to_owned()],
        regions: vec![REGION.to_owned()],
        ..Ec2Settings::default()
    }
}

fn configure(dir: &Path) {
    let text = format!(
        "[policy]\nmode = \"enforce\"\naccounts = [\"{ACCOUNT}\"]\n[ledger]\nstore = \"dynamodb\"\n[network_acls]\nstore = \"ec2\"\n\
         [network_acls.ec2]\naccounts = [\"{ACCOUNT}\"]\nregions = [\"{REGION}\"]\n"
    );
    std::fs::write(dir.join("portcullis.toml"), text).expect("written");
}

async fn reached(endpoint: &str) -> aws_config::SdkConfig {
    aws_config::defaults(aws_config::BehaviorVersion::latest())
        .region(aws_config::Region::new(REGION))
        .credentials_provider(aws_sdk_ec2::config::Credentials::new(
            "test", "test", None, None, "test",
        ))
        .endpoint_url(endpoint)
        .load()
        .await
}

async fn client(front: &Front) -> Client {
    Client::new(&reached(front.url()).await)
}

async fn ec2_of(front: &Front) -> Ec2 {
    Ec2::new(&reached(front.url()).await, settings()).expect("usable settings")
}

async fn open(url: &str) -> DynamoDbLedger {
    DynamoDbLedger::open(&reached(url).await, "portcullis-ledger")
        .await
        .expect("the table")
}
