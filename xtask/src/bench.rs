//! `cargo xtask bench`: builds what is measured and what it is measured beside, and starts the driver.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, Result, bail};

use crate::{
    opensearch,
    shell::{cargo, command, root, run, target},
    steps, tools,
};

/// `cargo xtask bench transforms [--short] [--only CASE]...`; the driver knows the options.
fn transforms(options: &[&str]) -> Result<()> {
    let python = tools::bench_python()?;
    let portcullis = match std::env::var_os("PORTCULLIS_BIN") {
        Some(program) => PathBuf::from(program),
        None => {
            steps::release()?;
            target().join("release/portcullis")
        }
    };
    // As one, as the functions are deployed, unless in a hurry.
    let profile = if options.contains(&"--short") {
        "release"
    } else {
        "measured"
    };
    run(&mut cargo(&[
        "build",
        "--locked",
        "--profile",
        profile,
        "--package",
        "portcullis-benches",
    ]))?;
    let mut driver = command(target().join(profile).join("portcullis-benches"), &["drive"]);
    driver
        .args(options)
        .env("PORTCULLIS_BIN", portcullis)
        .env("PORTCULLIS_BENCH_PYTHON", python)
        .env("PORTCULLIS_BENCH_FOLDER", target().join("bench"));
    functions(&mut driver, options.contains(&"--short"))?;
    let manifest = root().join("benches/peers/Cargo.toml");
    if manifest.exists() && !options.contains(&"--short") {
        // A workspace of its own: VRL is large, and its licence stays out of this one's lock file.
        let manifest = manifest.to_string_lossy();
        run(&mut cargo(&[
            "build",
            "--release",
            "--locked",
            "--manifest-path",
            &manifest,
        ]))?;
        driver.env("PORTCULLIS_BENCH_VRL", target().join("release/portcullis-bench-vrl"));
    }
    run(&mut driver)
}

/// Builds the Lambda functions. Unless short, as they are deployed; and first one of them with `put-back`, for its size.
fn functions(driver: &mut Command, short: bool) -> Result<()> {
    let profile = if short { "release" } else { "lambda" };
    let folder = target().join(profile);
    let build = |what: &[&str]| {
        let package = [
            "build",
            "--locked",
            "--profile",
            profile,
            "--package",
            "portcullis-transforms",
        ];
        run(cargo(&package).args(what))
    };
    if !short {
        let name = "portcullis-transform-waf";
        build(&["--features", "put-back", "--bin", name])?;
        let kept = folder.join("put-back");
        fs::create_dir_all(&kept).with_context(|| format!("cannot make {}", kept.display()))?;
        fs::copy(folder.join(name), kept.join(name)).with_context(|| format!("cannot copy {name}"))?;
        driver.env("PORTCULLIS_BENCH_PUT_BACK", kept);
    }
    build(&["--features", "lambda", "--bins"])?;
    driver.env("PORTCULLIS_BENCH_FUNCTIONS", folder);
    Ok(())
}

/// `cargo xtask bench responder [--short]`.
fn responder(options: &[&str]) -> Result<()> {
    let package = "portcullis-bench-responder";
    run(&mut cargo(&["build", "--release", "--locked", "--package", package]))?;
    let mut bench = command(target().join("release").join(package), options);
    if !options.contains(&"--short") {
        let name = "portcullis-respond";
        let features = ["--no-default-features", "--features", "aws"];
        run(cargo(&["build", "--locked", "--profile", "lambda", "--bin", name]).args(features))?;
        bench.env("PORTCULLIS_BENCH_RESPOND", target().join("lambda").join(name));
    }
    run(&mut bench)
}

/// `cargo xtask bench index [--documents N] [--large N] [--rounds N] [--only PART]... [--short]`, beside an OpenSearch that it starts
/// and ends; the short one goes without.
fn index(options: &[&str]) -> Result<()> {
    let package = "portcullis-bench-index";
    run(&mut cargo(&["build", "--release", "--locked", "--package", package]))?;
    let mut bench = command(target().join("release").join(package), options);
    bench.env("PORTCULLIS_BENCH_FOLDER", target().join("bench"));
    if options.contains(&"--short") {
        return run(&mut bench);
    }
    let server = opensearch::start()?;
    server.announce(&mut bench);
    run(&mut bench)
}

/// The benches by name.
pub(crate) fn bench(words: &[&str]) -> Result<()> {
    match words {
        ["transforms", options @ ..] => transforms(options),
        ["responder", options @ ..] => responder(options),
        ["index", options @ ..] => index(options),
        _ => bail!(
            "there are three: `cargo xtask bench transforms`, `cargo xtask bench responder`, `cargo xtask bench index`"
        ),
    }
}
