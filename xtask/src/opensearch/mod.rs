//! `cargo xtask e2e opensearch`: everything that is said of OpenSearch, proved on one that runs.

pub(crate) mod install;
mod server;

use std::time::Instant;

use anyhow::Result;

use crate::{
    shell::{cargo, run},
    tools,
};

const TESTS: &[&str] = &[
    "test",
    "--package",
    "portcullis",
    "--all-features",
    "--locked",
    "--test",
    "opensearch",
];

/// Starts a server, and runs `tests/opensearch` against it.
pub(crate) fn prove() -> Result<()> {
    let tools = tools::installed()?;
    // Built first, so that no server waits for a compiler.
    run(cargo(TESTS).arg("--no-run"))?;
    let server = server::Server::start(&tools)?;
    let start = Instant::now();
    let mut test = cargo(TESTS);
    tools.announce(&mut test);
    test.arg("--quiet")
        .env("PORTCULLIS_TEST_OPENSEARCH", &server.endpoint)
        .env("PORTCULLIS_TEST_OPENSEARCH_CA", &server.ca);
    run(&mut test)?;
    println!("proved in {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// A server to try things on, until Enter is pressed.
pub(crate) fn serve() -> Result<()> {
    let server = server::Server::start(&tools::installed()?)?;
    println!("user admin, password admin; authority {}", server.ca.display());
    println!("Enter ends it.");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(())
}
