//! An OpenSearch of its own on free ports, with users and TLS, that ends when it is dropped.

use std::{
    fs::{self, File},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{
    shell::{command, find, output, run, succeeds},
    tools::Tools,
};

/// How long it may take until the server listens, and until the security plugin has its users.
const START: Duration = Duration::from_secs(180);

/// A running server. Its first user is `admin` with the password `admin`.
pub(crate) struct Server {
    process: Child,
    folder: PathBuf,
    /// Where it answers: `https://127.0.0.1:PORT`.
    pub(crate) endpoint: String,
    /// The authority that its certificate is from.
    pub(crate) ca: PathBuf,
}

impl Server {
    /// Starts one with an empty data folder below the target directory.
    pub(crate) fn start(tools: &Tools) -> Result<Self> {
        let (http, transport) = (free_port()?, free_port()?);
        // Another user than root has to reach the folder, which home folders do not allow.
        let folder = std::env::temp_dir().join(format!("portcullis-opensearch-{}-{http}", std::process::id()));
        let config = folder.join("config");
        fs::create_dir_all(config.join("opensearch-security"))
            .with_context(|| format!("cannot make {}", config.display()))?;
        let plugin = tools.opensearch.join("plugins/opensearch-security/config");
        for entry in fs::read_dir(&plugin).with_context(|| format!("cannot read {}", plugin.display()))? {
            let entry = entry?;
            fs::copy(entry.path(), config.join("opensearch-security").join(entry.file_name()))?;
        }
        certificates(&config)?;
        fs::write(config.join("opensearch.yml"), settings(&folder, http, transport))?;
        fs::write(config.join("log4j2.properties"), LOGGING)?;
        for name in ["modules", "plugins", "lib", "agent"] {
            copy(&tools.opensearch.join(name), &folder.join(name))?;
        }
        let log = File::create(folder.join("server.log"))?;
        let mut java = as_nobody(&folder, &tools.java)?;
        java.args(["-Xms1g", "-Xmx1g", "-XX:+UseSerialGC"])
            .arg(format!(
                "-javaagent:{}",
                folder
                    .join(format!("agent/opensearch-agent-{}.jar", super::install::VERSION))
                    .display()
            ))
            .arg(format!("-Dopensearch.path.home={}", folder.display()))
            .arg(format!("-Dopensearch.path.conf={}", config.display()))
            .arg("-cp")
            .arg(folder.join("lib/*"))
            .arg("org.opensearch.bootstrap.OpenSearch")
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let process = java.spawn().context("cannot start Java")?;
        let mut server = Self {
            process,
            endpoint: format!("https://127.0.0.1:{http}"),
            ca: config.join("ca.pem"),
            folder,
        };
        server.wait(http)?;
        Ok(server)
    }

    /// Tells a program where it is, whom it trusts, and which process it is.
    pub(crate) fn announce(&self, program: &mut Command) {
        program
            .env("PORTCULLIS_TEST_OPENSEARCH", &self.endpoint)
            .env("PORTCULLIS_TEST_OPENSEARCH_CA", &self.ca)
            .env("PORTCULLIS_TEST_OPENSEARCH_PROCESS", self.process.id().to_string());
    }

    fn wait(&mut self, port: u16) -> Result<()> {
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err()
            || !self.log().contains("Node 'portcullis-tests' initialized")
        {
            if let Some(status) = self.process.try_wait()? {
                bail!(
                    "OpenSearch ended with {status}; the end of its log:\n{}",
                    self.end_of_log()
                );
            }
            if start.elapsed() > START {
                bail!(
                    "OpenSearch did not start within {} s; the end of its log:\n{}",
                    START.as_secs(),
                    self.end_of_log()
                );
            }
            thread::sleep(Duration::from_millis(250));
        }
        println!(
            "OpenSearch {} answers on {} after {:.1} s",
            super::install::VERSION,
            self.endpoint,
            start.elapsed().as_secs_f64()
        );
        Ok(())
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("server.log")).unwrap_or_default()
    }

    fn end_of_log(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.process.kill().and_then(|()| self.process.wait()) {
            eprintln!("cannot end OpenSearch: {error}");
        }
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            eprintln!("cannot remove {}: {error}", self.folder.display());
        }
    }
}

/// OpenSearch refuses to run as root; then it runs as the user `nobody`, and the folder is made that user's.
fn as_nobody(folder: &Path, java: &Path) -> Result<Command> {
    if output("id", &["-u"])? != "0" {
        return Ok(Command::new(java));
    }
    run(&mut command("chown", &["-R", "nobody", &folder.to_string_lossy()]))?;
    // What Java is installed into may stand below a folder that only root can enter.
    let own = folder.join("java");
    let home = java.ancestors().nth(2).context("a path of three parts")?;
    if !succeeds(
        "setpriv",
        &[
            "--reuid=nobody",
            "--clear-groups",
            "test",
            "-x",
            &java.to_string_lossy(),
        ],
    ) {
        run(&mut command(
            "cp",
            &["-rL", &home.to_string_lossy(), &own.to_string_lossy()],
        ))?;
        run(&mut command("chown", &["-R", "nobody", &own.to_string_lossy()]))?;
    }
    let java = if own.exists() {
        own.join("bin/java")
    } else {
        java.to_owned()
    };
    let setpriv = find("setpriv").context("setpriv is missing; install util-linux")?;
    let mut command = Command::new(setpriv);
    command.args(["--reuid=nobody", "--clear-groups", "--"]).arg(java);
    Ok(command)
}

/// An authority and a certificate from it; keys in PKCS#8, as the plugin wants them.
fn certificates(config: &Path) -> Result<()> {
    let path = |name: &str| config.join(name).to_string_lossy().into_owned();
    let common = ["-newkey", "rsa:2048", "-nodes", "-days", "30"];
    let authority = [
        "req",
        "-x509",
        "-subj",
        "/CN=portcullis-tests authority",
        "-addext",
        "keyUsage=critical,keyCertSign",
        "-keyout",
        &path("ca.key"),
        "-out",
        &path("ca.pem"),
    ];
    quiet(command("openssl", &authority).args(common))?;
    let node = [
        "req",
        "-x509",
        "-CA",
        &path("ca.pem"),
        "-CAkey",
        &path("ca.key"),
        "-subj",
        "/CN=portcullis-tests",
        "-addext",
        "basicConstraints=critical,CA:FALSE",
        "-addext",
        "subjectAltName=IP:127.0.0.1,DNS:localhost",
        "-addext",
        "extendedKeyUsage=serverAuth,clientAuth",
        "-keyout",
        &path("node.key"),
        "-out",
        &path("node.pem"),
    ];
    quiet(command("openssl", &node).args(common))
}

fn quiet(command: &mut Command) -> Result<()> {
    let output = command.output().context("cannot start openssl")?;
    if !output.status.success() {
        bail!("openssl: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

fn settings(folder: &Path, http: u16, transport: u16) -> String {
    let folder = folder.display();
    format!(
        r#"cluster.name: portcullis-tests
node.name: portcullis-tests
discovery.type: single-node
network.host: 127.0.0.1
http.port: {http}
# As the smaller instances of Amazon OpenSearch Service have it.
http.max_content_length: 10mb
transport.port: {transport}
path.data: {folder}/data
path.logs: {folder}/logs
cluster.routing.allocation.disk.threshold_enabled: false
plugins.security.ssl.transport.pemcert_filepath: node.pem
plugins.security.ssl.transport.pemkey_filepath: node.key
plugins.security.ssl.transport.pemtrustedcas_filepath: ca.pem
plugins.security.ssl.transport.enforce_hostname_verification: false
plugins.security.ssl.http.enabled: true
plugins.security.ssl.http.pemcert_filepath: node.pem
plugins.security.ssl.http.pemkey_filepath: node.key
plugins.security.ssl.http.pemtrustedcas_filepath: ca.pem
plugins.security.allow_default_init_securityindex: true
plugins.security.nodes_dn: ["CN=portcullis-tests"]
plugins.security.authcz.admin_dn: ["CN=portcullis-tests admin"]
plugins.security.restapi.roles_enabled: ["all_access", "portcullis_setup"]
"#
    )
}

const LOGGING: &str = "appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %p %c{1.} %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
";

/// A port that is free now; when another program takes it first, the server says so.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
