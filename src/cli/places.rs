//! Where the response documents of a ledger go, beside what `serve` shows.

use std::path::Path;
use std::sync::Arc;

use super::{Failure, operator};
use crate::config::Config;
use crate::consume::Responses;
use crate::ledger::{Ledger, Store};
use crate::network_acl::NetworkAcls;
use crate::opensearch::remote::Remote;
use crate::respond::{CarryError, Responder};

/// The places that `[responses]` names.
pub(crate) struct Places {
    cluster: Option<Responses>,
    #[cfg(feature = "aws")]
    firehose: Option<crate::respond::carry::Firehose>,
}

impl Places {
    /// Those of the configuration. What the cluster refuses is kept in `data`.
    ///
    /// # Errors
    /// When one cannot be used; nothing is asked of it yet.
    pub(crate) async fn open(config: &Config, data: &Path) -> Result<Self, Failure> {
        let cluster = match config.responses.opensearch {
            true => Some(Responses::new(
                Arc::new(cluster(config, data).await?),
                on_cluster(config),
            )),
            false => None,
        };
        #[cfg(not(feature = "aws"))]
        if config.responses.firehose.is_some() {
            return Err(Failure::without_aws("write to Firehose"));
        }
        Ok(Self {
            cluster,
            #[cfg(feature = "aws")]
            firehose: match &config.responses.firehose {
                Some(stream) => Some(
                    crate::respond::carry::Firehose::open(stream)
                        .await
                        .map_err(Failure::usage)?,
                ),
                None => None,
            },
        })
    }

    /// Brings each what it does not have yet. That one cannot be reached keeps nothing from the other.
    ///
    /// # Errors
    /// The first one; the documents wait in the ledger.
    pub(crate) async fn carry<L: Ledger, N: NetworkAcls>(&self, responder: &Responder<L, N>) -> Result<(), CarryError> {
        let mut carried = Ok(0);
        if let Some(cluster) = &self.cluster {
            carried = responder.carry(cluster).await;
        }
        #[cfg(feature = "aws")]
        if let Some(firehose) = &self.firehose {
            carried = carried.and(responder.carry(firehose).await);
        }
        carried.map(drop)
    }
}

/// The cluster of `[opensearch]` as an index.
///
/// # Errors
/// When it is not named well enough to be reached.
pub(crate) async fn cluster(config: &Config, data: &Path) -> Result<Remote, Failure> {
    let client = super::opensearch::client(&config.opensearch, None).await?;
    let rejects = data.join("refused-by-opensearch.ndjson");
    let bytes = config.opensearch.bulk_bytes;
    Ok(Remote::new(client, bytes, rejects)?)
}

/// The name of the cluster as a place.
pub(crate) fn on_cluster(config: &Config) -> String {
    format!(
        "opensearch/{}",
        config.opensearch.endpoint.as_deref().unwrap_or_default()
    )
}

/// The name of the embedded index as a place. Where the ledger is beside it nobody else takes from it; of a ledger that several
/// share, each machine's index takes everything.
pub(crate) fn embedded(config: &Config, data: &Path) -> String {
    match config.ledger.store {
        Store::Embedded => String::new(),
        Store::DynamoDb => {
            let data = std::path::absolute(data).unwrap_or_else(|_| data.to_owned());
            format!("embedded/{}{}", operator::host(), data.display())
        }
    }
}
