//! A running demo, and a browser that looks at it.

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{
    shell::{command, root, run, target},
    steps, tools,
};

/// How long the demo may take to load its day of history.
const START: Duration = Duration::from_secs(120);

/// Opens each page at 1280 and 390 pixels, light and dark, and checks it.
pub(crate) fn smoke() -> Result<()> {
    let demo = Demo::start()?;
    browse(&demo, &[])
}

/// The same from nothing, as `cargo xtask e2e browser` does it; the pictures stay in `target/screenshots`, to be looked at.
pub(crate) fn prove() -> Result<()> {
    steps::release()?;
    tools::install()?;
    pictured(&target().join("screenshots"))
}

/// Takes pictures of every page into `folder`, and the README's one into `docs/images`.
pub(crate) fn screenshots(folder: &Path) -> Result<()> {
    steps::release()?;
    tools::install()?;
    let folder = root().join(folder);
    pictured(&folder)?;
    let images = root().join("docs/images");
    fs::create_dir_all(&images)?;
    fs::copy(folder.join("overview-1280-light.png"), images.join("overview.png"))
        .context("no picture of the Overview page was taken")?;
    println!("pictures are in {} and {}", folder.display(), images.display());
    Ok(())
}

fn pictured(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let demo = Demo::start()?;
    browse(&demo, &["--screenshots", &folder.to_string_lossy()])
}

fn browse(demo: &Demo, options: &[&str]) -> Result<()> {
    let mut node = command("node", &["tests/browser/pages.mjs", &demo.url]);
    node.args(options);
    tools::installed()?.announce(&mut node);
    run(&mut node)
}

/// `portcullis demo` on a free port, ended when dropped.
struct Demo {
    process: Child,
    url: String,
    data: std::path::PathBuf,
}

impl Demo {
    fn start() -> Result<Self> {
        // Between closing this listener and the demo's own, another program could take the port; then the demo says so.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let data = target().join(format!("demo-{port}"));
        let mut command = Command::new(target().join("release/portcullis"));
        command
            .args(["demo", "--port", &port.to_string(), "--data"])
            .arg(&data)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let process = command
            .spawn()
            .context("cannot start target/release/portcullis; build it with `cargo build --release`")?;
        let mut demo = Self {
            process,
            url: format!("http://127.0.0.1:{port}"),
            data,
        };
        let start = Instant::now();
        while !answers(port) {
            if let Some(status) = demo.process.try_wait()? {
                bail!("the demo ended with {status} before it served a page");
            }
            if start.elapsed() > START {
                bail!("the demo served no page within {} s", START.as_secs());
            }
            thread::sleep(Duration::from_millis(200));
        }
        println!(
            "the demo serves {} after {:.1} s",
            demo.url,
            start.elapsed().as_secs_f64()
        );
        Ok(demo)
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        if let Err(error) = self.process.kill().and_then(|()| self.process.wait()) {
            eprintln!("cannot end the demo: {error}");
        }
        if let Err(error) = fs::remove_dir_all(&self.data) {
            eprintln!("cannot remove {}: {error}", self.data.display());
        }
    }
}

fn answers(port: u16) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(
            stream,
            "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
        )?;
        let mut start = [0; 12];
        stream.read_exact(&mut start)?;
        Ok(&start == b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}
