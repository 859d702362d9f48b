//! Starts moto as a process that ends with the test.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// How long the server may take to listen.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running moto.
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
    /// Starts it with the Python that `PORTCULLIS_TEST_PYTHON` names.
    ///
    /// # Errors
    /// When there is none, or when it does not listen.
    pub fn start() -> Result<Self> {
        let python = std::env::var_os("PORTCULLIS_TEST_PYTHON").context(
            "set PORTCULLIS_TEST_PYTHON to a Python that has moto, as `cargo xtask test` does: `cargo xtask tools` installs it \
             and says where",
        )?;
        let free = TcpListener::bind("127.0.0.1:0")?;
        let address = free.local_addr()?;
        drop(free);
        let process = Command::new(python)
            .args([
                "-m",
                "moto.server",
                "-H",
                "127.0.0.1",
                "-p",
                &address.port().to_string(),
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("Python does not start")?;
        let mut server = Self {
            process,
            address: address.to_string(),
        };
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(&server.address).is_err() {
            if let Some(ended) = server.process.try_wait()? {
                bail!("moto ends at once ({ended}); `cargo xtask tools` installs it");
            }
            if Instant::now() > deadline {
                bail!("moto does not listen");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(server)
    }

    /// `http://127.0.0.1:...`
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}
