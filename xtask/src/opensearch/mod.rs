//! `cargo xtask e2e opensearch`: everything that is said of OpenSearch, proved on one that runs.

pub(crate) mod install;
mod server;

use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::{
    shell::{cargo, run},
    tools,
};

const TESTS: &[&str] = &["test", "--package", "portcullis", "--locked", "--test", "opensearch"];

/// From so many documents, mutations or requests on, the program is optimised: the embedded index answers within ten seconds, and a
/// debug build is ten times slower. Below, what other tests have built is as good.
const LARGE: u64 = 20_000;

/// How much is proved: option, variable that tells the test, number.
#[derive(Default)]
pub(crate) struct Wish(Vec<(&'static str, u64)>);

const OPTIONS: &[(&str, &str)] = &[
    ("--documents", "PORTCULLIS_DOCUMENTS"),
    ("--requests", "PORTCULLIS_REQUESTS"),
    ("--mutations", "PORTCULLIS_MUTATIONS"),
];

impl Wish {
    /// How the program is built.
    fn build(&self) -> &'static [&'static str] {
        if self.0.iter().any(|(_, number)| *number >= LARGE) {
            &["--release", "--features", "lambda"]
        } else {
            &["--all-features"]
        }
    }

    /// Reads the options of the command line.
    pub(crate) fn read(words: &[&str]) -> Result<Self> {
        let mut wish = Self::default();
        for option in words.chunks(2) {
            let known = OPTIONS.iter().find(|(name, _)| *name == option[0]);
            let (Some((_, variable)), Some(number)) = (known, option.get(1)) else {
                bail!(
                    "`{}` is not understood; there are --documents N, --requests N, --mutations N",
                    option.join(" ")
                );
            };
            let number = number
                .parse()
                .with_context(|| format!("{} {number}: write a number", option[0]))?;
            wish.0.push((variable, number));
        }
        Ok(wish)
    }
}

/// The proof as a step of all tests.
pub(crate) fn prove() -> Result<()> {
    prove_with(&Wish::default())
}

/// Starts a server, and runs `tests/opensearch` against it.
pub(crate) fn prove_with(wish: &Wish) -> Result<()> {
    let tools = tools::installed()?;
    // Built first, so that no server waits for a compiler.
    run(cargo(TESTS).args(wish.build()).arg("--no-run"))?;
    let server = server::Server::start(&tools)?;
    let start = Instant::now();
    let mut test = cargo(TESTS);
    test.args(wish.build());
    tools.announce(&mut test);
    for (variable, number) in &wish.0 {
        test.env(variable, number.to_string());
    }
    test.arg("--quiet");
    server.announce(&mut test);
    run(&mut test)?;
    println!("proved in {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// A server for as long as the caller keeps it.
pub(crate) fn start() -> Result<server::Server> {
    server::Server::start(&tools::installed()?)
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
