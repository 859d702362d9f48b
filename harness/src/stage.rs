//! The real stores that schedules can be played on beside the one in memory, as `--store` names them.

use anyhow::{Result, bail};

use crate::beside::Beside;

/// Where a ledger for each schedule comes from.
pub enum Stage {
    /// From nowhere: the one in memory alone.
    Memory,
    /// SQLite, as on one machine.
    #[cfg(feature = "embedded")]
    Sqlite,
    /// DynamoDB Local, as AWS ships it for tests.
    #[cfg(feature = "aws")]
    DynamoDb(Box<dynamodb::Tables>),
}

impl Stage {
    /// Starts what is needed for this store.
    ///
    /// # Errors
    /// When there is no such store, or this program was built without it.
    pub fn open(name: &str) -> Result<Self> {
        match name {
            "memory" => Ok(Self::Memory),
            #[cfg(feature = "embedded")]
            "sqlite" => Ok(Self::Sqlite),
            #[cfg(feature = "aws")]
            "dynamodb" => Ok(Self::DynamoDb(Box::new(dynamodb::Tables::start()))),
            #[cfg(not(all(feature = "embedded", feature = "aws")))]
            "sqlite" | "dynamodb" => bail!("--store {name}: build the harness with `--all-features`"),
            other => bail!("--store {other}: there are memory, sqlite and dynamodb"),
        }
    }

    /// Whether nothing but the one in memory is asked.
    #[must_use]
    pub fn is_memory(&self) -> bool {
        matches!(self, Self::Memory)
    }

    /// How many schedules are worth playing at once: while a server works for one, another can go on.
    #[must_use]
    pub fn at_once(&self) -> usize {
        let of_each_core = match self {
            Self::Memory => 0,
            #[cfg(feature = "embedded")]
            Self::Sqlite => 1,
            #[cfg(feature = "aws")]
            Self::DynamoDb(_) => 2,
        };
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        usize::max(1, of_each_core * cores)
    }

    /// An empty ledger of that store.
    ///
    /// # Errors
    /// When the store cannot make one.
    pub fn beside(&self) -> Result<Option<Beside>> {
        match self {
            Self::Memory => Ok(None),
            #[cfg(feature = "embedded")]
            Self::Sqlite => {
                let ledger = portcullis::ledger::embedded::SqliteLedger::in_memory()?;
                let block = crate::beside::AtOnce;
                Ok(Some(Beside::new(Box::new(crate::beside::Blocking { ledger, block }))))
            }
            #[cfg(feature = "aws")]
            Self::DynamoDb(tables) => tables.next().map(Some),
        }
    }
}

#[cfg(feature = "aws")]
mod dynamodb {
    use std::sync::{Arc, Mutex, PoisonError};

    use anyhow::Result;
    use aws_config::{BehaviorVersion, Region, SdkConfig};
    use aws_credential_types::Credentials;
    use aws_credential_types::provider::SharedCredentialsProvider;
    use aws_sdk_dynamodb::Client;
    use portcullis::ledger::dynamodb::DynamoDbLedger;
    use portcullis_servers::Server;
    use tokio::runtime::Runtime;

    use crate::beside::{Beside, Block, Blocking};

    /// A server, in which each schedule gets a table of its own. It keeps a database for each access key, which works on one call at a time.
    pub struct Tables {
        _server: Server,
        url: String,
        free: Arc<Mutex<Free>>,
    }

    /// What the next schedule may have.
    #[derive(Default)]
    struct Free {
        tables: usize,
        keys: Vec<Arc<Key>>,
        made: usize,
    }

    /// One access key, and the thread's way to wait.
    struct Key {
        config: SdkConfig,
        runtime: Runtime,
    }

    /// A table, which goes with the schedule: what stays makes the server slower.
    struct On {
        key: Arc<Key>,
        table: String,
        free: Arc<Mutex<Free>>,
    }

    impl Block for On {
        fn on<F: Future>(&self, future: F) -> F::Output {
            self.key.runtime.block_on(future)
        }
    }

    impl Drop for On {
        fn drop(&mut self) {
            let client = Client::new(&self.key.config);
            let table = self.table.clone();
            drop(self.key.runtime.block_on(async {
                let open = client
                    .update_table()
                    .table_name(&table)
                    .deletion_protection_enabled(false);
                open.send().await.ok()?;
                client.delete_table().table_name(&table).send().await.ok()
            }));
            let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
            free.keys.push(Arc::clone(&self.key));
        }
    }

    impl Tables {
        pub(super) fn start() -> Self {
            let server = portcullis_servers::dynamodb_local();
            Self {
                url: server.url(),
                _server: server,
                free: Arc::default(),
            }
        }

        fn key(&self) -> Result<(Arc<Key>, String)> {
            let (known, number, table) = {
                let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
                free.tables += 1;
                let known = free.keys.pop();
                free.made += usize::from(known.is_none());
                (known, free.made, format!("ledger-{}", free.tables))
            };
            if let Some(key) = known {
                return Ok((key, table));
            }
            let keys = Credentials::new(format!("key{number}"), "test", None, None, "test");
            let config = SdkConfig::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new("eu-central-1"))
                .credentials_provider(SharedCredentialsProvider::new(keys))
                .endpoint_url(&self.url)
                .build();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            Ok((Arc::new(Key { config, runtime }), table))
        }

        pub(super) fn next(&self) -> Result<Beside> {
            let (key, table) = self.key()?;
            let ledger = key.runtime.block_on(async {
                DynamoDbLedger::setup(&key.config, &table, false).await?;
                DynamoDbLedger::open(&key.config, &table).await
            })?;
            let free = Arc::clone(&self.free);
            let block = On { key, table, free };
            Ok(Beside::new(Box::new(Blocking { ledger, block })))
        }
    }
}
