//! One configuration file, `portcullis.toml`, policy included, with environment overrides.
//!
//! ```
//! let config: portcullis::config::Config = toml::from_str("[serve]\nlisten = '127.0.0.1:9000'").unwrap();
//! assert_eq!(config.serve.listen.port(), 9000);
//! ```

mod check;
mod explain;
mod load;
mod opensearch;
#[cfg(test)]
mod tests;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

use ipnet::IpNet;
use portcullis_transforms::{
    Options, Source, TrustedProxies,
    forms::Limits,
    policy::{
        enrich::{self, EnrichmentError},
        redact,
    },
};
use serde::{Deserialize, Serialize};

pub use load::{Effective, Error, FILE, Origin, PREFIX, environment, load};
pub use opensearch::{AuthKind, OpenSearch};

use crate::{
    ledger, network_acl,
    respond::{
        notify::{SlackSettings, SnsSettings},
        policy::Policy,
    },
};

/// A commented file with every setting at its default: what `portcullis config init` writes.
pub const TEMPLATE: &str = include_str!("template.toml");

/// The whole configuration. Every key has a default; unknown keys are refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Ledger, network ACL model, index and read positions live here. Relative paths start at the file's own folder.
    pub data: PathBuf,
    /// Pages.
    pub serve: Serve,
    /// Where events come from, in the order in which they are opened.
    pub sources: Vec<Input>,
    /// What documents hold.
    pub normalize: Normalize,
    /// What may be blocked.
    pub policy: Policy,
    /// Where the ledger is kept.
    pub ledger: ledger::Settings,
    /// Where entries are made.
    pub network_acls: network_acl::Settings,
    /// Messages to Slack.
    pub slack: SlackSettings,
    /// Messages to a topic of Amazon SNS.
    pub sns: SnsSettings,
    /// How long documents are kept.
    pub retention: Retention,
    /// Where response documents go.
    pub responses: Responses,
    /// A cluster of OpenSearch.
    pub opensearch: OpenSearch,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("portcullis-data"),
            serve: Serve::default(),
            sources: Vec::new(),
            normalize: Normalize::default(),
            policy: Policy::default(),
            ledger: ledger::Settings::default(),
            network_acls: network_acl::Settings::default(),
            slack: SlackSettings::default(),
            sns: SnsSettings::default(),
            retention: Retention::default(),
            responses: Responses::default(),
            opensearch: OpenSearch::default(),
        }
    }
}

/// `[serve]`: the pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Serve {
    /// Address and port to listen on; the default is this machine only. Beyond it a token or a proxy's header is required.
    pub listen: SocketAddr,
    /// Name of the environment variable with the token that opens the pages.
    pub token_env: String,
    /// Header in which a proxy in front says who is signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_header: Option<String>,
    /// Where that proxy's connections come from.
    pub proxies: Vec<IpNet>,
    /// Whether the Address page blocks, unblocks and allows.
    pub acts: bool,
}

impl Default for Serve {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8600)),
            token_env: "PORTCULLIS_SERVE_TOKEN".to_owned(),
            user_header: None,
            proxies: Vec::new(),
            acts: false,
        }
    }
}

/// One `[[sources]]`: where events come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// A file, a directory, a pattern such as `logs/*.gz`, or `-` for standard input.
    pub path: String,
    /// What the records are; `auto` tells by shape.
    #[serde(default)]
    pub source: SourceChoice,
    /// Flow-log format string, such as `${version} ${srcaddr} ...`, for flow logs without a header line.
    #[serde(default)]
    pub flow_format: Option<String>,
    /// WAF: the proxies in front of the web ACL, as networks or as their number; `source.ip` is then who stands behind them.
    #[serde(default)]
    pub trusted_proxies: Option<TrustedProxies>,
    /// Flow logs: add `network.community_id`.
    #[serde(default)]
    pub community_id: bool,
    /// Go on reading what is appended, and files that appear later.
    #[serde(default)]
    pub follow: bool,
}

/// `[normalize]`: what is taken out of documents, which are not kept, what is added, and how much a record may hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Normalize {
    /// Headers whose values are not kept, beside the default list; `?name` for a query parameter; `none` first leaves the
    /// default list out.
    pub redact: Vec<String>,
    /// Documents that are not kept, as expressions of [`filter`](portcullis_transforms::policy::filter).
    pub drop: Vec<String>,
    /// City or Country database in MaxMind's format.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub geoip_db: Option<PathBuf>,
    /// ASN database in MaxMind's format.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asn_db: Option<PathBuf>,
    /// Indicator lists: addresses, networks, domains.
    pub indicators: Vec<PathBuf>,
    /// The most bytes that one gzip record may unpack to.
    pub unpacked_limit: usize,
    /// How many times its size it may unpack to, above 1 MiB.
    pub ratio_limit: usize,
    /// The most entries of one record.
    pub entries_limit: usize,
}

/// `[normalize]` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NormalizeError {
    /// What is redacted is no list of names.
    #[error(transparent)]
    Redact(#[from] redact::NameError),
    /// A database or an indicator list.
    #[error(transparent)]
    Enrichment(#[from] EnrichmentError),
}

impl Default for Normalize {
    fn default() -> Self {
        let Limits {
            unpacked,
            ratio,
            entries,
        } = Limits::default();
        Self {
            redact: Vec::new(),
            drop: Vec::new(),
            geoip_db: None,
            asn_db: None,
            indicators: Vec::new(),
            unpacked_limit: unpacked,
            ratio_limit: ratio,
            entries_limit: entries,
        }
    }
}

impl Normalize {
    /// The normaliser's options, with every file opened.
    ///
    /// # Errors
    /// When a name is none or a file cannot be used; names it and the remedy.
    pub fn options(&self) -> Result<Options, NormalizeError> {
        let files = enrich::Files {
            geoip: self.geoip_db.clone(),
            asn: self.asn_db.clone(),
            indicators: self.indicators.clone(),
        };
        Ok(Options {
            redact: redact::names(&self.redact.join(","))?,
            drop: self.drop.clone(),
            enrichment: files.open()?.map(Arc::new),
            limits: Limits {
                unpacked: self.unpacked_limit,
                ratio: self.ratio_limit,
                entries: self.entries_limit,
            },
            ..Options::default()
        })
    }
}

/// `auto`, or the name of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum SourceChoice {
    /// Told by each record's shape.
    #[default]
    Auto,
    /// Told by the operator; a record of another source is refused.
    Named(Source),
}

impl TryFrom<String> for SourceChoice {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text == "auto" {
            return Ok(SourceChoice::Auto);
        }
        text.parse().map(SourceChoice::Named).map_err(|_| {
            let names: Vec<_> = Source::ALL.iter().map(|source| source.name()).collect();
            format!("unknown source `{text}`; choose auto, {}", names.join(", "))
        })
    }
}

impl From<SourceChoice> for String {
    fn from(choice: SourceChoice) -> Self {
        match choice {
            SourceChoice::Auto => "auto".to_owned(),
            SourceChoice::Named(source) => source.name().to_owned(),
        }
    }
}

/// `[responses]`: where `consume` and the Lambda function bring response documents. `serve` writes them to its own index.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Responses {
    /// Whether to the cluster of `[opensearch]`; `consume` only.
    pub opensearch: bool,
    /// Name of a delivery stream of Amazon Data Firehose that takes them (Direct PUT).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firehose: Option<String>,
}

/// `[retention]`: how long documents are kept. The ledger and its audit are kept for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Days for which documents stay in the index.
    pub days: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { days: 30 }
    }
}
