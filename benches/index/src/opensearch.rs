//! The real server, set up by the product and written to by the product's writer.

use std::{env, fs, path::PathBuf, time::Duration};

use anyhow::{Context, Result};
use portcullis::opensearch::{
    Auth, Client, Flavour, Wish, apply, client::Body, desired, remote::Remote, roles::Holders, templates::Layout,
};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// What the product's configuration says unless told otherwise.
pub(crate) const BULK_BYTES: usize = 5_000_000;

/// The server that `cargo xtask bench index` started.
pub(crate) struct Server {
    pub(crate) endpoint: String,
    pub(crate) ca: PathBuf,
    process: Option<u32>,
    pub(crate) runtime: Runtime,
    pub(crate) client: Client,
}

impl Server {
    /// The one that the environment names, if it names one; with the product's templates.
    pub(crate) fn from_environment() -> Result<Option<Self>> {
        let Ok(endpoint) = env::var("PORTCULLIS_TEST_OPENSEARCH") else {
            return Ok(None);
        };
        let ca: PathBuf = env::var_os("PORTCULLIS_TEST_OPENSEARCH_CA")
            .context("PORTCULLIS_TEST_OPENSEARCH_CA is not set")?
            .into();
        let process = env::var("PORTCULLIS_TEST_OPENSEARCH_PROCESS")
            .ok()
            .and_then(|id| id.parse().ok());
        let auth = Auth::Basic {
            user: "admin".to_owned(),
            password: "admin".to_owned(),
        };
        let client = Client::new(&endpoint, Some(&ca), auth)?;
        let server = Self {
            endpoint,
            ca,
            process,
            runtime: Runtime::new()?,
            client,
        };
        let wish = Wish {
            flavour: Flavour::Cluster,
            layout: Layout { shards: 1, replicas: 0 },
            days: 30,
            holders: Holders::default(),
        };
        server.runtime.block_on(async {
            let plan = apply::compare(&server.client, desired(&wish)).await?;
            for change in &plan.changes {
                apply::put(&server.client, change).await?;
            }
            anyhow::Ok(())
        })?;
        Ok(Some(server))
    }

    pub(crate) fn send(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
        Ok(self
            .runtime
            .block_on(self.client.send(method, path, body.map(Body::Json)))?)
    }

    /// The index that `serve` would use.
    pub(crate) fn index(&self, refused: PathBuf) -> Result<Remote> {
        Ok(Remote::new(self.client.clone(), BULK_BYTES, refused)?)
    }

    /// From now on every request is worked out anew: what is measured is a page that nobody asked for before.
    pub(crate) fn forget_answers(&self) -> Result<()> {
        let body = json!({ "index.requests.cache.enable": false });
        self.send(Method::PUT, "/siem-*,portcullis-latest-*/_settings", Some(body))
            .map(drop)
    }

    /// Bytes of all indices.
    pub(crate) fn bytes(&self) -> Result<u64> {
        self.send(Method::POST, "/_flush", None)?;
        let stats = self.send(Method::GET, "/siem-*,portcullis-latest-*/_stats/store", None)?;
        stats["_all"]["primaries"]["store"]["size_in_bytes"]
            .as_u64()
            .context("the server tells no size")
    }

    /// Waits until no merge is under way.
    pub(crate) fn rest(&self) -> Result<()> {
        for _ in 0..300 {
            let stats = self.send(Method::GET, "/siem-*/_stats/merge", None)?;
            if stats["_all"]["primaries"]["merges"]["current"] == 0 {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(500));
        }
        Ok(())
    }

    /// CPU seconds of the server so far, where its process is known.
    pub(crate) fn cpu(&self) -> Option<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process?)).ok()?;
        // The name in parentheses may hold anything; user and system time are the 12th and 13th after it.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
        let (user, system): (f64, f64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        Some((user + system) / rustix::param::clock_ticks_per_second() as f64)
    }
}
