//! Everything on the wire: two consumers of one stream that is split and merged, killed with -9 every two seconds; the ledger on
//! DynamoDB Local; a Slack that fails; records in every form, repeated, and poison among them. Nothing may be lost or doubled.
//!
//! `cargo xtask e2e responder` runs it.

use std::io::Write as _;
use std::time::{Duration, Instant};

use chrono::Utc;
use portcullis::ledger::dynamodb::DynamoDbLedger;
use portcullis::ledger::{Filter, Ledger, State};
use portcullis::network_acl::model::Model;
use portcullis::respond::policy::Policy;
use portcullis::respond::verify;
use serde_json::json;

use crate::consume::Consumer;
use crate::findings::{Kind, finding};
use crate::kinesis::{REGION, Stream};
use crate::program::portcullis_with;
use crate::slack::Webhook;

/// Events without a word of the command.
const EVENTS: usize = 300;

/// Between two kills.
const LIFE: Duration = Duration::from_secs(2);

/// A record, in one form after the other.
fn wrapped(n: usize, finding: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(finding).into_owned();
    match n % 10 {
        0 => format!("{{\"detail-type\":\"GuardDuty Finding\",\"detail\":{text}}}").into_bytes(),
        1 => {
            let subscription = json!({"messageType": "DATA_MESSAGE", "owner": "111122223333", "logGroup": "g", "logStream": "s",
                "subscriptionFilters": ["f"], "logEvents": [{"id": "1", "timestamp": 1, "message": text}]});
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(subscription.to_string().as_bytes()).expect("memory");
            gzip.finish().expect("memory")
        }
        _ => finding.to_vec(),
    }
}

#[tokio::test]
#[ignore = "takes minutes; `cargo xtask e2e responder` runs it"]
async fn no_event_is_lost_and_no_entry_doubled_while_everything_fails() {
    let events = std::env::var("PORTCULLIS_E2E_EVENTS")
        .ok()
        .and_then(|events| events.parse().ok())
        .unwrap_or(EVENTS);
    let patience = Duration::from_secs(120 + events as u64 / 5);
    let dir = tempfile::tempdir().expect("a folder");
    let (stream, dynamodb) = (Stream::start(2).await, portcullis_servers::dynamodb_local());
    let webhook = Webhook::start(7);
    let url = dynamodb.url();
    let known = stream.environment();
    let mut aws: Vec<(&str, &str)> = known.iter().map(|(name, value)| (*name, value.as_str())).collect();
    aws.extend([
        ("AWS_ENDPOINT_URL_DYNAMODB", url.as_str()),
        ("PORTCULLIS__LEDGER__STORE", "dynamodb"),
        ("PORTCULLIS_SLACK_WEBHOOK", webhook.url.as_str()),
    ]);
    portcullis_with(dir.path(), &["setup", "ledger"], b"", &aws).ended(0);

    let began = Instant::now();
    let mut consumers = [Consumer::with(dir.path(), &aws), Consumer::with(dir.path(), &aws)];
    let (mut put, mut kills) = (0, 0);
    let ledger = open(&url).await;
    let mut killed = Instant::now();
    loop {
        if put < events {
            let now = Utc::now();
            let records: Vec<Vec<u8>> = (put..events.min(put + 200))
                .flat_map(|n| {
                    // Attackers come back; each has many findings, on one of ten network ACLs.
                    let address = format!("185.{}.{}.7", 100 + n % 97 / 50, n % 97);
                    let subnet = format!("subnet-{}", n % 10);
                    let record = finding(&format!("f{n}"), Kind::Inbound, &[address], &[subnet], now, now);
                    let mut records = vec![wrapped(n, &record)];
                    if n % 20 == 3 {
                        records.push(record);
                    }
                    if n % 50 == 7 {
                        records.push(format!("poison {n}").into_bytes());
                    }
                    records
                })
                .collect();
            stream.put_all(&records).await;
            put = events.min(put + 200);
        }
        let counts = ledger.ledger_counts().await;
        if put >= events && counts >= events as u64 {
            break;
        }
        assert!(
            began.elapsed() < patience,
            "{counts} of {events} findings in {patience:?}"
        );
        if killed.elapsed() >= LIFE {
            let at = kills % 2;
            consumers[at] = Consumer::with(dir.path(), &aws);
            match kills {
                1 | 5 => stream.split().await,
                3 => stream.merge().await,
                _ => {}
            }
            (kills, killed) = (kills + 1, Instant::now());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    // Faults stop; what is pending drains, and people are told of every address.
    let told = loop {
        let told: String = webhook.messages().iter().map(ToString::to_string).collect();
        let pending = ledger.0.pending(Utc::now()).await.expect("the table").len();
        let status = portcullis_with(dir.path(), &["status", "--json"], b"", &aws).ended(0);
        if pending == 0 && status.lines()[0]["messages_waiting"] == 0 && status.lines()[0]["pending"] == 0 {
            break told;
        }
        assert!(began.elapsed() < patience, "{pending} network ACLs have pending work");
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    let took = began.elapsed();
    for consumer in consumers {
        let stopped = consumer.stop();
        assert!(stopped < Duration::from_secs(5), "{stopped:?}");
    }
    let rows = ledger.0.entries(Filter::All).await.expect("the table");
    let applied = rows.iter().filter(|row| row.state == State::Applied).count();
    let untold = rows
        .iter()
        .filter(|row| !told.contains(&row.cidr.addr().to_string()))
        .count();
    assert_eq!(untold, 0, "each address is told of");
    let model = Model::open(&dir.path().join("portcullis-data")).expect("the model");
    let problems = verify(&ledger.0, &model, &Policy::default())
        .await
        .expect("a comparison");
    // Its third invariant is that no address stands twice.
    assert!(problems.is_empty(), "{problems:?}");
    assert!(applied > 0, "something was denied");
    let lost = events as u64 - ledger.ledger_counts().await;
    println!(
        "{events} events in {:.0} s, {kills} kills, {} entries, {} messages: {lost} lost",
        took.as_secs_f64(),
        applied,
        webhook.messages().len()
    );
    assert_eq!(lost, 0);
}

struct Table(DynamoDbLedger);

impl Table {
    async fn ledger_counts(&self) -> u64 {
        self.0.counts().await.expect("the table").findings
    }
}

async fn open(url: &str) -> Table {
    let keys = aws_sdk_dynamodb::config::Credentials::new("test", "test", None, None, "test");
    let config = aws_config::SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(aws_config::Region::new(REGION))
        .credentials_provider(aws_sdk_dynamodb::config::SharedCredentialsProvider::new(keys))
        .endpoint_url(url)
        .build();
    Table(
        DynamoDbLedger::open(&config, "portcullis-ledger")
            .await
            .expect("the table"),
    )
}
