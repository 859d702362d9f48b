//! DynamoDB as AWS ships it for tests: a server of its own, in memory, that ends with the test.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use portcullis::ledger::dynamodb::DynamoDbLedger;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Counts calls on the wire, by passing them on: what goes from the program to the server, by action.
pub(crate) struct Wire {
    address: String,
    calls: Arc<Mutex<Vec<String>>>,
}

impl Wire {
    async fn to(server: &str) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let calls: Arc<Mutex<Vec<String>>> = Arc::default();
        let (server, told) = (server.to_owned(), Arc::clone(&calls));
        tokio::spawn(async move {
            while let Ok((program, _)) = listener.accept().await {
                let server = tokio::net::TcpStream::connect(&server).await.expect("a server");
                let (mut from, mut back) = program.into_split();
                let (mut answers, mut to) = server.into_split();
                tokio::spawn(async move { tokio::io::copy(&mut answers, &mut back).await });
                let told = Arc::clone(&told);
                tokio::spawn(async move {
                    let (mut buffer, mut seen) = (vec![0; 65_536], String::new());
                    while let Ok(length @ 1..) = from.read(&mut buffer).await {
                        seen.push_str(&String::from_utf8_lossy(&buffer[..length]));
                        if to.write_all(&buffer[..length]).await.is_err() {
                            return;
                        }
                        while let Some(at) = seen.find("DynamoDB_20120810.") {
                            let rest = seen.split_off(at + "DynamoDB_20120810.".len());
                            let Some(end) = rest.find('\r') else {
                                seen.push_str(&rest);
                                break;
                            };
                            told.lock().expect("calls").push(rest[..end].to_owned());
                            seen = rest[end..].to_owned();
                        }
                    }
                });
            }
        });
        Self { address, calls }
    }

    /// The calls since this was last asked.
    pub(crate) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.calls.lock().expect("calls"))
    }
}

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
        Self::reached_at(&self.address)
    }

    /// How to reach it on a wire that counts.
    pub(crate) async fn counted(&self) -> (SdkConfig, Wire) {
        let wire = Wire::to(&self.address).await;
        (Self::reached_at(&wire.address), wire)
    }

    fn reached_at(address: &str) -> SdkConfig {
        let keys = Credentials::new("test", "test", None, None, "test");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(SharedCredentialsProvider::new(keys))
            .endpoint_url(format!("http://{address}"))
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
