//! The real servers that tests run against: each on a free port of this machine, waited for until it listens, and ended when
//! it is dropped.
//!
//! `cargo xtask tools` installs them, pinned, and `cargo xtask test` says by environment variables where they are. A test
//! that needs one that is not there fails and says how to get it.

#[cfg(feature = "front")]
pub mod front;
#[cfg(feature = "front")]
pub mod network;
#[cfg(feature = "front")]
pub mod stack;

use std::{
    ffi::OsString,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// How long a server may take to listen.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that runs until this is dropped.
#[derive(Debug)]
pub struct Server {
    process: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Server {
    /// Starts what `command` makes of a free port, and waits until it listens there.
    ///
    /// # Panics
    /// When it does not start within a minute, or ends.
    pub fn start(name: &str, command: impl FnOnce(u16) -> Command) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = free.local_addr().expect("an address");
        drop(free);
        let process = command(address.port())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{name} cannot be started: {error}; `cargo xtask tools` installs it"));
        let mut server = Self {
            process,
            address: address.to_string(),
        };
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(&server.address).is_err() {
            let ended = server.process.try_wait().expect("a process");
            assert!(
                ended.is_none() && Instant::now() < deadline,
                "{name} does not start ({ended:?}); `cargo xtask tools` installs it"
            );
            thread::sleep(Duration::from_millis(50));
        }
        server
    }

    /// `127.0.0.1:PORT`
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// For `AWS_ENDPOINT_URL`: `http://127.0.0.1:PORT`
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// DynamoDB as AWS ships it for tests, in memory, from the folder of jars that `PORTCULLIS_TEST_DYNAMODB` names.
///
/// # Panics
/// When the variable is not set, and as [`Server::start`].
#[must_use]
pub fn dynamodb_local() -> Server {
    let jars = told("PORTCULLIS_TEST_DYNAMODB");
    Server::start("DynamoDB Local", |port| {
        let mut java = Command::new("java");
        java.current_dir(jars)
            .args(["-Xmx768m", "-Djava.library.path=.", "-cp", "*"])
            .arg("com.amazonaws.services.dynamodbv2.local.main.ServerRunner")
            .args(["-inMemory", "-disableTelemetry", "-port", &port.to_string()]);
        java
    })
}

/// moto, which plays the AWS services that have no server of their own, with the Python that `PORTCULLIS_TEST_PYTHON` names.
///
/// # Panics
/// When the variable is not set, and as [`Server::start`].
#[must_use]
pub fn moto() -> Server {
    let python = told("PORTCULLIS_TEST_PYTHON");
    Server::start("moto", |port| {
        let mut moto = Command::new(python);
        moto.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()]);
        moto
    })
}

/// A Kinesis that splits and merges, from the npm package that `PORTCULLIS_TEST_KINESIS` names.
///
/// # Panics
/// When the variable is not set, and as [`Server::start`].
#[must_use]
pub fn kinesis_local() -> Server {
    let package = told("PORTCULLIS_TEST_KINESIS");
    Server::start("kinesis-local", |port| {
        let mut node = Command::new("node");
        node.current_dir(package)
            .arg("main.js")
            .env("KINESIS_MOCK_PLAIN_PORT", port.to_string())
            // It insists on a port with TLS too: any.
            .env("KINESIS_MOCK_TLS_PORT", "0")
            .env("KINESIS_MOCK_CERT_PATH", "server.json")
            .env("LOG_LEVEL", "ERROR");
        node
    })
}

/// The KCL's MultiLangDaemon on these properties, from the folder of jars that `PORTCULLIS_TEST_KCL` names, to be started.
///
/// # Panics
/// When the variable is not set.
#[must_use]
pub fn multilang_daemon(properties: &Path) -> Command {
    let jars = PathBuf::from(told("PORTCULLIS_TEST_KCL")).join("*");
    let mut java = Command::new("java");
    java.args(["-Xmx256m", "-Daws.cborEnabled=false", "-cp"])
        .arg(jars)
        .args(["software.amazon.kinesis.multilang.MultiLangDaemon", "--properties-file"])
        .arg(properties);
    java
}

fn told(variable: &str) -> OsString {
    std::env::var_os(variable).unwrap_or_else(|| {
        panic!("{variable} is not set; `cargo xtask test` sets it, and `cargo xtask tools` installs what it names")
    })
}
