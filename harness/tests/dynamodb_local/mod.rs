//! DynamoDB Local, reached directly or on a wire that counts.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use portcullis::ledger::dynamodb::DynamoDbLedger;
use portcullis_servers::Server;
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

/// The server.
pub(crate) struct DynamoDbLocal {
    server: Server,
    tables: AtomicUsize,
}

impl DynamoDbLocal {
    pub(crate) fn start() -> Self {
        Self {
            server: portcullis_servers::dynamodb_local(),
            tables: AtomicUsize::new(0),
        }
    }

    /// How to reach it; its keys open nothing else.
    pub(crate) fn config(&self) -> SdkConfig {
        Self::reached_at(self.server.address())
    }

    /// How to reach it on a wire that counts.
    pub(crate) async fn counted(&self) -> (SdkConfig, Wire) {
        let wire = Wire::to(self.server.address()).await;
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
