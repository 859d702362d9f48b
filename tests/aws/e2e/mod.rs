//! Everything on the wire: two consumers of one stream that is split and merged, killed with -9 every two to three seconds; the ledger
//! on DynamoDB Local; moto's EC2 behind its manners, which throttles and loses answers; a Slack that fails; records in every form, many
//! versions of many findings, repeated, late, hostile, and poison among them. Nothing may be lost or doubled.
//!
//! [`events`] says what is put on the stream and what has to come of it; [`expected`] compares that with the table, EC2 and the
//! receiver. `cargo xtask e2e responder` runs it.

mod events;
mod expected;
mod odd;

use std::path::Path;
use std::time::{Duration, Instant};

use chrono::Utc;
use portcullis::ledger::Ledger as _;
use portcullis::ledger::dynamodb::DynamoDbLedger;
use portcullis::network_acl::{Ec2Settings, ec2::Ec2};
use portcullis_servers::Server;
use portcullis_servers::front::{Fault, Front};
use portcullis_servers::network::guarded_subnet;

use self::events::{Events, Gate};
pub(crate) use self::events::{Expected, of_account};
pub(crate) use self::expected::compare;
use crate::account::{ACCOUNT, REGION};
use crate::consume::Consumer;
use crate::kinesis::Stream;
use crate::program::portcullis_with;
use crate::slack::Webhook;

/// Events and network ACLs without a word of the command.
const EVENTS: usize = 400;
const GATES: usize = 10;

/// Records that are put at a time, and how many events may lie on the stream undecided.
const AT_ONCE: usize = 400;
const AHEAD: usize = 4_000;

/// After the last fault: a lease that nobody gave back, a description that may be old, a lease that was taken meanwhile.
const DRAIN: Duration = Duration::from_secs(600);

/// A number that the command says.
fn said(variable: &str, otherwise: usize) -> usize {
    let said = std::env::var(variable).ok().and_then(|said| said.parse().ok());
    said.unwrap_or(otherwise)
}

/// The servers, and what the program has to know of them.
pub(crate) struct Stage {
    pub(crate) stream: Stream,
    pub(crate) tables: Server,
    _moto: Server,
    pub(crate) front: Front,
    pub(crate) webhook: Webhook,
    pub(crate) gates: Vec<Gate>,
    pub(crate) dir: tempfile::TempDir,
}

impl Stage {
    /// A stream of two shards, network ACLs that guard a subnet each, a Slack that refuses every `refuses`th message, and a ledger.
    pub(crate) async fn new(gates: usize, refuses: usize) -> Self {
        let moto = portcullis_servers::moto();
        let front = Front::of(&moto.url()).await;
        let mut made = Vec::new();
        for _ in 0..gates {
            let (acl, subnet) = guarded_subnet(front.url()).await;
            made.push(Gate { acl, subnet });
        }
        let dir = tempfile::tempdir().expect("a folder");
        configure(dir.path());
        let stage = Self {
            stream: Stream::start(2).await,
            tables: portcullis_servers::dynamodb_local(),
            _moto: moto,
            front,
            webhook: Webhook::refusing(refuses),
            gates: made,
            dir,
        };
        let environment = stage.environment();
        portcullis_with(stage.dir.path(), &["setup", "ledger"], b"", &borrowed(&environment)).ended(0);
        stage
    }

    /// What the program finds in its environment.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let mut environment = self.stream.environment();
        environment.extend([
            ("AWS_ENDPOINT_URL_DYNAMODB", self.tables.url()),
            ("AWS_ENDPOINT_URL_EC2", self.front.url().to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("PORTCULLIS_SLACK_WEBHOOK", self.webhook.url.clone()),
            ("PORTCULLIS__POLICY__LIMITS__EVICTIONS_PER_HOUR", "3600".to_owned()),
        ]);
        environment
    }

    /// The ledger, beside the program.
    pub(crate) async fn ledger(&self) -> DynamoDbLedger {
        let ledger = DynamoDbLedger::open(&reached(&self.tables.url()).await, "portcullis-ledger").await;
        ledger.expect("the table")
    }

    /// EC2, beside the program.
    pub(crate) async fn ec2(&self) -> Ec2 {
        let settings = Ec2Settings {
            accounts: vec![ACCOUNT.to_owned()],
            regions: vec![REGION.to_owned()],
            ..Ec2Settings::default()
        };
        Ec2::new(&reached(self.front.url()).await, settings).expect("usable settings")
    }

    /// Until nothing is pending and people were told of everything; how long that took.
    pub(crate) async fn drained(&self, ledger: &DynamoDbLedger) -> Duration {
        let calm = Instant::now();
        loop {
            let pending = ledger.pending(Utc::now()).await.expect("the table").len();
            let counts = ledger.counts().await.expect("the table");
            let alerts = ledger.alerts_waiting(1).await.expect("the table").len();
            if pending == 0 && counts.waiting == 0 && alerts == 0 {
                return calm.elapsed();
            }
            assert!(
                calm.elapsed() < DRAIN,
                "{pending} network ACLs have pending work, {} messages wait, {alerts} alerts",
                counts.waiting
            );
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

/// As processes take it.
pub(crate) fn borrowed<'a>(environment: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    environment
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect()
}

/// What goes wrong beside the kills.
async fn disturb(stage: &Stage, kills: usize) {
    match kills {
        1 | 5 => stage.stream.split().await,
        3 => stage.stream.merge().await,
        kill if kill % 100 == 50 => stage.stream.split().await,
        kill if kill % 100 == 99 => stage.stream.merge().await,
        kill if kill % 5 == 4 => stage.front.fail("CreateNetworkAclEntry", Fault::Lost, 1),
        kill if kill % 5 == 2 => stage.front.fail("ReplaceNetworkAclEntry", Fault::Lost, 1),
        _ => stage.front.fail("ReplaceNetworkAclEntry", Fault::Throttled, 2),
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; `cargo xtask e2e responder` runs it"]
async fn no_event_is_lost_and_no_entry_doubled_while_everything_fails() {
    let (count, gates) = (
        said("PORTCULLIS_E2E_EVENTS", EVENTS),
        said("PORTCULLIS_E2E_NETWORK_ACLS", GATES),
    );
    let patience = Duration::from_secs(180 + count as u64 / 8);
    let stage = Stage::new(gates, 5).await;
    let events = Events {
        count,
        began: Utc::now(),
        gates: stage.gates.clone(),
    };
    let expected = events.expected();
    let environment = stage.environment();
    let consumer = || Consumer::begin(stage.dir.path(), &borrowed(&environment));
    let ledger = stage.ledger().await;
    let began = Instant::now();
    let mut consumers = [consumer(), consumer()];
    let (mut put, mut kills, mut told) = (0, 0, Instant::now());
    let mut next = began + Duration::from_secs(2);
    loop {
        let decided = usize::try_from(ledger.counts().await.expect("the table").findings).expect("a number");
        if decided >= count {
            break;
        }
        if put < count && put < decided + AHEAD {
            let upto = count.min(put + AT_ONCE);
            let records: Vec<(String, Vec<u8>)> = (put..upto).flat_map(|n| events.records(n)).collect();
            stage.stream.put_keyed(&records).await;
            put = upto;
        }
        let took = began.elapsed();
        assert!(
            took < patience,
            "{decided} of {count} events in {took:?}, {kills} kills"
        );
        if Instant::now() >= next {
            // Dropping kills with -9.
            consumers[kills % 2] = consumer();
            disturb(&stage, kills).await;
            kills += 1;
            next = Instant::now() + Duration::from_millis(2_000 + 250 * (kills as u64 % 5));
        }
        if told.elapsed() > Duration::from_secs(60) {
            println!("{decided} events after {:.0} s, {kills} kills", took.as_secs_f64());
            told = Instant::now();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let took = began.elapsed().as_secs_f64();
    println!(
        "{count} events decided on in {took:.0} s ({:.0} a second), {kills} kills",
        count as f64 / took
    );
    // Faults stop; what is pending drains, and people are told of every address.
    println!(
        "what was pending drained in {:.0} s",
        stage.drained(&ledger).await.as_secs_f64()
    );
    for consumer in consumers {
        let stopped = consumer.stop();
        assert!(stopped < Duration::from_secs(5), "{stopped:?}");
    }
    let found = compare(&expected, &stage, &ledger).await;
    println!(
        "{count} events, {kills} kills, {gates} network ACLs, {} entries planned, {} standing, {} messages: {} lost, {} problems",
        found.planned,
        found.standing,
        stage.webhook.messages().len(),
        found.lost,
        found.problems.len()
    );
    assert!(found.problems.is_empty(), "{:#?}", found.problems);
    assert_eq!(found.lost, 0);
}

/// Enforcing on the emulator's account, on AWS's stores.
fn configure(dir: &Path) {
    let text = format!(
        "[policy]\nmode = \"enforce\"\naccounts = [\"{ACCOUNT}\"]\n[ledger]\nstore = \"dynamodb\"\n[network_acls]\nstore = \"ec2\"\n\
         [network_acls.ec2]\naccounts = [\"{ACCOUNT}\"]\nregions = [\"{REGION}\"]\n"
    );
    std::fs::write(dir.join("portcullis.toml"), text).expect("written");
}

async fn reached(endpoint: &str) -> aws_config::SdkConfig {
    let credentials = aws_sdk_ec2::config::Credentials::new("test", "test", None, None, "test");
    aws_config::defaults(aws_config::BehaviorVersion::latest())
        .region(aws_config::Region::new(REGION))
        .credentials_provider(credentials)
        .endpoint_url(endpoint)
        .load()
        .await
}
