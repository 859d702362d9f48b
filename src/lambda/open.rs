//! The responder and the channels that the function's variables describe.

use std::path::Path;

use lambda_runtime::Error;

use crate::config::{self, Config, Origin};
use crate::ledger::{AnyLedger, Store};
use crate::network_acl::{self, AnyNetworkAcls};
use crate::respond::carry::Firehose;
use crate::respond::notify::Channels;
use crate::respond::{self, Responder};

/// The only place in a function where files can be written.
const SCRATCH: &str = "/tmp/portcullis";

/// What the function's variables, and its file, say.
pub(super) fn settings() -> Result<Config, Error> {
    let file = std::env::var_os("PORTCULLIS_CONFIG");
    let mut effective = config::load(file.as_deref().map(Path::new), config::environment())?;
    if matches!(effective.origin("ledger.store"), Origin::Default) {
        effective.config.ledger.store = Store::DynamoDb;
    }
    if matches!(effective.origin("network_acls.store"), Origin::Default) {
        effective.config.network_acls.store = network_acl::Store::Ec2;
    }
    if matches!(effective.origin("data"), Origin::Default) {
        effective.config.data = SCRATCH.into();
    }
    Ok(effective.config)
}

/// The responder.
pub(super) async fn responder(config: Config) -> Result<Responder<AnyLedger, AnyNetworkAcls>, Error> {
    if let Err(errors) = config.policy.validate() {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        return Err(format!("the policy cannot work: {}", lines.join("; ")).into());
    }
    std::fs::create_dir_all(&config.data)?;
    let ledger = AnyLedger::open(&config.ledger, &config.data).await?;
    let acls = AnyNetworkAcls::open(&config.network_acls, &config.data).await?;
    if let Err(error) = acls.prepare().await {
        tracing::warn!(%error, "nothing is blocked until the inventory can be read");
    }
    Ok(Responder::new(ledger, acls, config.policy, respond::owner()))
}

/// The delivery stream for response documents, when one is named.
pub(super) async fn firehose(config: &Config) -> Result<Option<Firehose>, Error> {
    let responses = &config.responses;
    if responses.opensearch {
        return Err(
            "responses.opensearch is for `portcullis consume`; name a delivery stream in responses.firehose".into(),
        );
    }
    Ok(match &responses.firehose {
        Some(stream) => Some(Firehose::open(stream).await?),
        None => None,
    })
}

/// The channels, when some are configured.
pub(super) async fn channels(config: &Config) -> Result<Option<Channels>, Error> {
    Ok(Channels::open(&config.slack, &config.sns).await?)
}
