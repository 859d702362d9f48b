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
            "dynamodb" => Ok(Self::DynamoDb(Box::new(dynamodb::Tables::start()?))),
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
    use std::cell::Cell;
    use std::sync::Arc;

    use anyhow::Result;
    use aws_config::{BehaviorVersion, Region, SdkConfig};
    use aws_credential_types::Credentials;
    use aws_credential_types::provider::SharedCredentialsProvider;
    use portcullis::ledger::dynamodb::DynamoDbLedger;
    use portcullis_servers::Server;
    use tokio::runtime::Runtime;

    use crate::beside::{Beside, Block, Blocking};

    /// A server, in which each schedule gets a table.
    pub struct Tables {
        _server: Server,
        config: SdkConfig,
        runtime: Arc<Runtime>,
        made: Cell<u32>,
    }

    struct On(Arc<Runtime>);

    impl Block for On {
        fn on<F: Future>(&self, future: F) -> F::Output {
            self.0.block_on(future)
        }
    }

    impl Tables {
        pub(super) fn start() -> Result<Self> {
            let server = portcullis_servers::dynamodb_local();
            let keys = Credentials::new("test", "test", None, None, "test");
            let config = SdkConfig::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new("eu-central-1"))
                .credentials_provider(SharedCredentialsProvider::new(keys))
                .endpoint_url(server.url())
                .build();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            Ok(Self {
                _server: server,
                config,
                runtime: Arc::new(runtime),
                made: Cell::new(0),
            })
        }

        pub(super) fn next(&self) -> Result<Beside> {
            let table = format!("ledger-{}", self.made.replace(self.made.get() + 1));
            let ledger = self.runtime.block_on(async {
                DynamoDbLedger::setup(&self.config, &table, false).await?;
                DynamoDbLedger::open(&self.config, &table).await
            })?;
            let block = On(Arc::clone(&self.runtime));
            Ok(Beside::new(Box::new(Blocking { ledger, block })))
        }
    }
}
