//! The KCL's own daemon: it divides the shards of kinesis-local among workers, whose children are the real program, which acts on
//! moto's EC2.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use chrono::{DurationRound as _, TimeDelta, Utc};
use portcullis::ledger::Ledger as _;
use portcullis::network_acl::Direction;
use portcullis_servers::multilang_daemon;

use crate::account::{ACCOUNT, REGION};
use crate::e2e::{Expected, Stage, compare, of_account};
use crate::findings::{Kind, finding};

/// The daemon takes half a minute to begin, and as long again to take a lease over.
const PATIENCE: Duration = Duration::from_secs(180);

/// Network ACLs, few enough addresses for each that nobody is evicted.
const GATES: usize = 5;

/// A worker; killed with -9 when it is dropped, and its children end with their pipe.
struct Worker(Child);

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Worker {
    fn start(name: &str, stage: &Stage) -> Self {
        let properties = stage.dir.path().join(format!("{name}.properties"));
        let environment = stage.environment();
        let kinesis = &environment[0].1;
        let tables = stage.tables.url();
        let text = format!(
            "executableName = {} consume --multilang\nstreamName = findings\napplicationName = portcullis-test\nregionName = {REGION}\n\
             AwsCredentialsProvider = DefaultCredentialsProvider\ninitialPositionInStream = TRIM_HORIZON\nretrievalMode = POLLING\n\
             metricsLevel = NONE\nkinesisEndpoint = {kinesis}\ndynamoDBEndpoint = {tables}\nworkerId = {name}\nfailoverTimeMillis = 2000\n\
             leaseAssignmentIntervalMillis = 1000\nshardSyncIntervalMillis = 5000\nidleTimeBetweenReadsInMillis = 250\n",
            env!("CARGO_BIN_EXE_portcullis")
        );
        std::fs::write(&properties, text).expect("properties");
        let child = multilang_daemon(&properties)
            .current_dir(stage.dir.path())
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("Java starts");
        Self(child)
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; `cargo xtask e2e responder` runs it"]
async fn two_workers_of_the_kcl_read_every_shard_and_one_takes_over_when_the_other_is_killed() {
    let stage = Stage::new(GATES, 5).await;
    let ledger = stage.ledger().await;
    let now = Utc::now().duration_trunc(TimeDelta::seconds(1)).expect("a time");
    let address = |n: usize| format!("185.220.101.{n}");
    let put = async |from: usize| {
        let records: Vec<Vec<u8>> = (from..from + 10)
            .map(|n| {
                let (addresses, subnets) = ([address(n)], [stage.gates[n % GATES].subnet.clone()]);
                let record = finding(&format!("f{n}"), Kind::Inbound, &addresses, &subnets, now, now);
                of_account(&record)
            })
            .collect();
        stage.stream.put_all(&records).await;
    };
    let until = async |wanted: u64| {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let processed = ledger.counts().await.expect("the table").findings;
            if processed == wanted {
                return;
            }
            assert!(Instant::now() < deadline, "{processed} of {wanted} findings");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    put(10).await;
    let first = Worker::start("first", &stage);
    until(10).await;
    let _second = Worker::start("second", &stage);
    put(20).await;
    until(20).await;
    drop(first);
    put(30).await;
    until(30).await;
    stage.drained(&ledger).await;
    let all = || 10..40;
    let expected = Expected {
        findings: all()
            .map(|n| (format!("{ACCOUNT}/{REGION}/f{n}"), (now, 1)))
            .collect::<BTreeMap<_, _>>(),
        entries: all()
            .map(|n| {
                let acl = stage.gates[n % GATES].acl.clone();
                (acl, Direction::Ingress, format!("{}/32", address(n)))
            })
            .collect(),
        unreadable: BTreeSet::new(),
    };
    let found = compare(&expected, &stage, &ledger).await;
    assert!(found.problems.is_empty() && found.lost == 0, "{:#?}", found.problems);
    assert_eq!(found.standing, 30, "the emulator has an entry for each");
}
