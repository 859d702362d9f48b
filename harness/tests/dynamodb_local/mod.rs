//! DynamoDB as AWS ships it for tests: a server of its own, in memory, that ends with the test.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use portcullis::ledger::dynamodb::DynamoDbLedger;

/// How long the server may take to listen.
const PATIENCE: Duration = Duration::from_secs(60);

/// The server.
pub(crate) struct DynamoDbLocal {
    process: Child,
    address: String,
    tables: AtomicUsize,
}

impl Drop for DynamoDbLocal {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl DynamoDbLocal {
    /// Starts it from the folder that `PORTCULLIS_TEST_DYNAMODB` names.
    pub(crate) async fn start() -> Self {
        let Some(jars) = std::env::var_os("PORTCULLIS_TEST_DYNAMODB") else {
            panic!(
                "set PORTCULLIS_TEST_DYNAMODB to a folder with the jars of DynamoDB Local, as `cargo xtask test` does: \
                 `cargo xtask tools` installs it and says where"
            );
        };
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = free.local_addr().expect("an address");
        drop(free);
        let process = Command::new("java")
            .current_dir(&jars)
            .args(["-Xmx256m", "-Djava.library.path=.", "-cp", "*"])
            .arg("com.amazonaws.services.dynamodbv2.local.main.ServerRunner")
            .args(["-inMemory", "-disableTelemetry", "-port", &address.port().to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("Java starts");
        let mut server = Self {
            process,
            address: address.to_string(),
            tables: AtomicUsize::new(0),
        };
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(&server.address).is_err() {
            let ended = server.process.try_wait().expect("a process");
            assert!(
                ended.is_none() && Instant::now() < deadline,
                "DynamoDB Local does not start ({ended:?}); `cargo xtask tools` installs it"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        server
    }

    /// How to reach it; its keys open nothing else.
    pub(crate) fn config(&self) -> SdkConfig {
        let keys = Credentials::new("test", "test", None, None, "test");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(SharedCredentialsProvider::new(keys))
            .endpoint_url(format!("http://{}", self.address))
            .build()
    }

    /// A name that no table has.
    pub(crate) fn table(&self) -> String {
        format!("ledger-{}", self.tables.fetch_add(1, Ordering::Relaxed))
    }

    /// A ledger in a table of its own.
    pub(crate) async fn ledger(&self) -> DynamoDbLedger {
        let (config, table) = (self.config(), self.table());
        let made = DynamoDbLedger::setup(&config, &table, false).await;
        assert!(!made.expect("set up").steps.is_empty());
        DynamoDbLedger::open(&config, &table).await.expect("a ledger")
    }
}
