//! What `cargo xtask test` runs, in order: cheap first, so that a small mistake is told early.

use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::{
    bench, demo, opensearch,
    shell::{cargo, output, run, target},
    tools,
};

/// One step, with a name to run it alone by.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) run: fn() -> Result<()>,
}

/// Every step.
///
/// Clippy and the tests share one set of features (all of them), so that the dependencies are built once for each; the
/// release build has the default features, as people get them.
pub(crate) const ALL: &[Step] = &[
    Step {
        name: "tools",
        what: "install what the tests need",
        run: || tools::install().map(drop),
    },
    Step {
        name: "fmt",
        what: "the code is formatted",
        run: || run(&mut cargo(&["fmt", "--all", "--check"])),
    },
    Step {
        name: "clippy",
        what: "no warnings: all features, the default ones, none",
        run: clippy,
    },
    Step {
        name: "test",
        what: "unit, property, golden and end-to-end tests",
        run: || {
            let mut tests = cargo(&["test", "--workspace", "--all-features", "--all-targets", "--locked"]);
            tools::installed()?.announce(&mut tests);
            run(&mut tests)
        },
    },
    Step {
        name: "doctest",
        what: "the examples in the documentation",
        run: || {
            run(&mut cargo(&[
                "test",
                "--workspace",
                "--all-features",
                "--doc",
                "--locked",
            ]))
        },
    },
    Step {
        name: "doc",
        what: "the documentation builds without warnings",
        run: || {
            run(
                cargo(&["doc", "--workspace", "--all-features", "--no-deps", "--locked"])
                    .env("RUSTDOCFLAGS", "-D warnings"),
            )
        },
    },
    Step {
        name: "release",
        what: "the release build with default features",
        run: release,
    },
    Step {
        name: "harness",
        what: "2,000 schedules of faults against the responder, from a new seed that is printed",
        run: || harness(&["--schedules", "2000"]),
    },
    Step {
        name: "acceptance",
        what: "what the program promises, on the release build",
        run: acceptance,
    },
    Step {
        name: "bench",
        what: "the benches run, and every peer says what the transforms say; no gates",
        run: || {
            ["transforms", "responder", "index"]
                .iter()
                .try_for_each(|name| bench::bench(&[name, "--short"]))
        },
    },
    Step {
        name: "opensearch",
        what: "templates, roles, writer and every panel on a real OpenSearch",
        run: opensearch::prove,
    },
    Step {
        name: "browser",
        what: "every page of a running demo in Chromium",
        run: demo::smoke,
    },
];

fn clippy() -> Result<()> {
    for features in [
        &["--workspace", "--all-targets", "--all-features"][..],
        &["--workspace", "--all-targets"],
        &["--package", "portcullis", "--lib", "--no-default-features"],
        &[
            "--package",
            "portcullis",
            "--bin",
            "portcullis-index",
            "--no-default-features",
            "--features",
            "lambda",
        ],
        &["--package", "portcullis-transforms", "--lib"],
    ] {
        let mut arguments = vec!["clippy", "--locked"];
        arguments.extend(features);
        arguments.extend(["--", "-D", "warnings"]);
        run(&mut cargo(&arguments))?;
    }
    Ok(())
}

/// Builds what `cargo run --release` builds.
pub(crate) fn release() -> Result<()> {
    run(&mut cargo(&["build", "--release", "--locked"]))
}

/// Plays schedules; the harness is optimised, since a debug build is ten times slower.
pub(crate) fn harness(options: &[&str]) -> Result<()> {
    let mut program = vec![
        "run",
        "--quiet",
        "--locked",
        "--release",
        "--package",
        "portcullis-harness",
    ];
    let store = options.windows(2).find(|pair| pair[0] == "--store").map(|pair| pair[1]);
    program.extend(match store {
        Some("dynamodb") => ["--all-features"].as_slice(),
        Some("sqlite") => ["--features", "embedded"].as_slice(),
        _ => [].as_slice(),
    });
    program.push("--");
    let mut harness = cargo(&program);
    if store == Some("dynamodb") {
        tools::installed()?.announce(&mut harness);
    }
    run(harness.args(options))
}

/// The responder on the wire. The build is that of the tests: its checks of arithmetic are on, and the servers take the time.
pub(crate) fn e2e(options: &[&str]) -> Result<()> {
    let (mut events, mut acls) = (10_000, 10);
    for option in options.chunks(2) {
        let (into, words) = match option {
            ["--events", number] => (&mut events, number),
            ["--network-acls", number] => (&mut acls, number),
            _ => bail!("`{}` is not understood: --events N, --network-acls N", option.join(" ")),
        };
        *into = words
            .parse()
            .ok()
            .filter(|number: &u64| *number > 0)
            .with_context(|| format!("{}: write a number, 1 or more", option.join(" ")))?;
    }
    let mut test = cargo(&[
        "test",
        "--locked",
        "--package",
        "portcullis",
        "--all-features",
        "--test",
        "aws",
    ]);
    test.args([
        "--",
        "--nocapture",
        "--ignored",
        "--test-threads",
        "1",
        "e2e::",
        "kcl::",
    ])
    .env("PORTCULLIS_E2E_EVENTS", events.to_string())
    .env("PORTCULLIS_E2E_NETWORK_ACLS", acls.to_string());
    tools::installed()?.announce(&mut test);
    run(&mut test)
}

/// The servers that the responder stands on, to try it by hand; `docs/consume.md` says how.
pub(crate) fn stack() -> Result<()> {
    let folder = target().join("stack");
    let now = output("date", &["-u", "+%Y-%m-%dT%H:%M:%SZ"])?;
    let mut stack = cargo(&[
        "run",
        "--quiet",
        "--locked",
        "--package",
        "portcullis-servers",
        "--features",
        "front",
        "--bin",
        "stack",
        "--",
    ]);
    stack.arg(&folder).arg(now).stdin(Stdio::inherit());
    tools::installed()?.announce(&mut stack);
    run(&mut stack)
}

fn acceptance() -> Result<()> {
    run(cargo(&[
        "test",
        "--workspace",
        "--all-features",
        "--locked",
        "--test",
        "acceptance",
        "--",
        "--include-ignored",
    ])
    .env("PORTCULLIS_BIN", target().join("release/portcullis")))
}
