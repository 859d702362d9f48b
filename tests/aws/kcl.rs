//! The KCL's own daemon: it divides the shards of kinesis-local among workers, whose children are the real program.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use portcullis_servers::{Server, dynamodb_local, multilang_daemon};

use crate::findings::inbound;
use crate::kinesis::{REGION, Stream};
use crate::program::portcullis_with;

/// The daemon takes half a minute to begin, and as long again to take a lease over.
const PATIENCE: Duration = Duration::from_secs(180);

/// A worker; killed with -9 when it is dropped, and its children end with their pipe.
struct Worker(Child);

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Worker {
    fn start(dir: &Path, name: &str, stream: &Stream, dynamodb: &Server) -> Self {
        let properties = dir.join(format!("{name}.properties"));
        let environment = stream.environment();
        let kinesis = &environment[0].1;
        let text = format!(
            "executableName = {} consume --multilang\nstreamName = findings\napplicationName = portcullis-test\nregionName = {REGION}\n\
             AwsCredentialsProvider = DefaultCredentialsProvider\ninitialPositionInStream = TRIM_HORIZON\nretrievalMode = POLLING\n\
             metricsLevel = NONE\nkinesisEndpoint = {kinesis}\ndynamoDBEndpoint = {}\nworkerId = {name}\nfailoverTimeMillis = 2000\n\
             leaseAssignmentIntervalMillis = 1000\nshardSyncIntervalMillis = 5000\nidleTimeBetweenReadsInMillis = 250\n",
            env!("CARGO_BIN_EXE_portcullis"),
            dynamodb.url()
        );
        std::fs::write(&properties, text).expect("properties");
        let child = multilang_daemon(&properties)
            .current_dir(dir)
            .envs(environment)
            .env("AWS_ENDPOINT_URL_DYNAMODB", dynamodb.url())
            .env("PORTCULLIS__LEDGER__STORE", "dynamodb")
            .env("PORTCULLIS__POLICY__LIMITS__EVICTIONS_PER_HOUR", "3600")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("Java starts");
        Self(child)
    }
}

#[tokio::test]
#[ignore = "takes minutes; `cargo xtask e2e responder` runs it"]
async fn two_workers_of_the_kcl_read_every_shard_and_one_takes_over_when_the_other_is_killed() {
    let dir = tempfile::tempdir().expect("a folder");
    let (stream, dynamodb) = (Stream::start(2).await, dynamodb_local());
    let url = dynamodb.url();
    let aws = [
        ("AWS_ENDPOINT_URL_DYNAMODB", url.as_str()),
        ("AWS_REGION", REGION),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("PORTCULLIS__LEDGER__STORE", "dynamodb"),
    ];
    portcullis_with(dir.path(), &["setup", "ledger"], b"", &aws).ended(0);
    let put = async |from: u64| {
        let records: Vec<Vec<u8>> = (from..from + 10)
            .map(|n| inbound(&format!("f{n}"), format!("185.220.101.{n}")))
            .collect();
        stream.put_all(&records).await;
    };
    let processed = || {
        let status = portcullis_with(dir.path(), &["status", "--json"], b"", &aws);
        status
            .lines()
            .first()
            .and_then(|status| status["findings"].as_u64())
            .unwrap_or_default()
    };
    let until = async |wanted: u64| {
        let deadline = Instant::now() + PATIENCE;
        while processed() != wanted {
            assert!(Instant::now() < deadline, "{} of {wanted} findings", processed());
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    put(10).await;
    let first = Worker::start(dir.path(), "first", &stream, &dynamodb);
    until(10).await;
    let _second = Worker::start(dir.path(), "second", &stream, &dynamodb);
    put(20).await;
    until(20).await;
    drop(first);
    put(30).await;
    until(30).await;
}
