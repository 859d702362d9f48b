//! The server that was started for this, and the users on it.

use std::{env, path::PathBuf};

use portcullis::opensearch::{
    Auth, Client, Error,
    client::Body,
    remote::Remote,
    writer::{Item, Writer, Written},
};
use reqwest::Method;
use serde_json::Value;
use tokio::runtime::Runtime;

/// The server, and a runtime to wait for it on.
pub(crate) struct Cluster {
    /// Where it is.
    pub(crate) endpoint: String,
    /// The authority of its certificate.
    pub(crate) ca: PathBuf,
    runtime: Runtime,
}

impl Cluster {
    /// The server that `cargo xtask e2e opensearch` started.
    pub(crate) fn from_environment() -> Option<Self> {
        Some(Self {
            endpoint: env::var("PORTCULLIS_TEST_OPENSEARCH").ok()?,
            ca: env::var_os("PORTCULLIS_TEST_OPENSEARCH_CA")?.into(),
            runtime: Runtime::new().ok()?,
        })
    }

    /// The password of a user: the server's first one has its own.
    pub(crate) fn password(user: &str) -> &'static str {
        // The others' may not be like their names, and have to be hard to guess.
        if user == "admin" {
            "admin"
        } else {
            "Kq7-vellum-Tarn-59!"
        }
    }

    pub(crate) fn client(&self, user: &str) -> Result<Client, String> {
        let auth = Auth::Basic {
            user: user.to_owned(),
            password: Self::password(user).to_owned(),
        };
        Client::new(&self.endpoint, Some(self.ca.as_path()), auth).map_err(|error| error.to_string())
    }

    /// A request as a user.
    pub(crate) fn send(&self, user: &str, method: Method, path: &str, body: Option<Value>) -> Result<Value, Error> {
        let client = self.client(user).expect("a client");
        self.runtime.block_on(client.send(method, path, body.map(Body::Json)))
    }

    /// The same, where only success is of use.
    pub(crate) fn must(&self, user: &str, method: Method, path: &str, body: Option<Value>) -> Result<Value, String> {
        self.send(user, method, path, body)
            .map_err(|error| format!("as {user}: {error}"))
    }

    /// Documents as a user, whatever comes of them.
    pub(crate) fn bulk(&self, user: &str, items: Vec<Item>) -> Result<Written, String> {
        self.bulk_of(4_000_000, user, items)
    }

    /// The same, with so many bytes in a request.
    pub(crate) fn bulk_of(&self, bytes: usize, user: &str, items: Vec<Item>) -> Result<Written, String> {
        let writer = Writer::new(self.client(user)?, bytes);
        self.runtime
            .block_on(writer.write(items))
            .map_err(|error| format!("as {user}: {error}"))
    }

    /// The index that `serve` would use.
    pub(crate) fn index(&self, user: &str) -> Result<Remote, String> {
        let rejects = env::temp_dir().join(format!("portcullis-refused-{}.ndjson", std::process::id()));
        Remote::new(self.client(user)?, 5_000_000, rejects).map_err(|error| error.to_string())
    }
}
