//! `[opensearch]`: the cluster, and the way to it. Secrets are in environment variables, which the file names.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// `[opensearch]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OpenSearch {
    /// Address of the cluster, without a path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// As whom requests are made.
    pub auth: AuthKind,
    /// Environment variable with the user of `basic`.
    pub user_env: String,
    /// Environment variable with the password of `basic`.
    pub password_env: String,
    /// Whether the endpoint is a collection of OpenSearch Serverless.
    pub serverless: bool,
    /// Certificates to trust instead of the system's, in PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// Whether `serve` writes to the cluster and searches it, instead of the embedded index.
    pub serve: bool,
    /// Largest bulk request, in bytes before compression.
    pub bulk_bytes: usize,
    /// Primary shards of each index.
    pub shards: u32,
    /// Copies of each shard.
    pub replicas: u32,
    /// ARNs of the delivery streams' IAM roles.
    pub firehose_roles: Vec<String>,
    /// Backend roles of analysts.
    pub analyst_roles: Vec<String>,
    /// Backend roles that `serve` runs as.
    pub writer_roles: Vec<String>,
}

impl Default for OpenSearch {
    fn default() -> Self {
        Self {
            endpoint: None,
            auth: AuthKind::Basic,
            user_env: "PORTCULLIS_OPENSEARCH_USER".to_owned(),
            password_env: "PORTCULLIS_OPENSEARCH_PASSWORD".to_owned(),
            serverless: false,
            ca: None,
            serve: false,
            bulk_bytes: 5_000_000,
            shards: 1,
            replicas: 1,
            firehose_roles: Vec::new(),
            analyst_roles: Vec::new(),
            writer_roles: Vec::new(),
        }
    }
}

impl OpenSearch {
    /// The service that requests are signed for.
    #[must_use]
    pub fn service(&self) -> &'static str {
        if self.serverless { "aoss" } else { "es" }
    }
}

/// As whom requests are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthKind {
    /// As nobody: a cluster without the security plugin.
    None,
    /// User and password.
    #[default]
    Basic,
    /// As an IAM role or user, by signature.
    SigV4,
}
