//! `cargo xtask bench`: builds what is measured and what it is measured beside, and starts the driver.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::{
    shell::{cargo, command, root, run, target},
    steps, tools,
};

/// `cargo xtask bench transforms [--short] [--only CASE]...`; the driver knows the options.
pub(crate) fn transforms(options: &[&str]) -> Result<()> {
    let python = tools::bench_python()?;
    let portcullis = match std::env::var_os("PORTCULLIS_BIN") {
        Some(program) => PathBuf::from(program),
        None => {
            steps::release()?;
            target().join("release/portcullis")
        }
    };
    run(&mut cargo(&[
        "build",
        "--release",
        "--locked",
        "--package",
        "portcullis-benches",
    ]))?;
    let mut driver = command(target().join("release/portcullis-benches"), &["drive"]);
    driver
        .args(options)
        .env("PORTCULLIS_BIN", portcullis)
        .env("PORTCULLIS_BENCH_PYTHON", python)
        .env("PORTCULLIS_BENCH_FOLDER", target().join("bench"));
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

/// The benches by name.
pub(crate) fn bench(words: &[&str]) -> Result<()> {
    match words {
        ["transforms", options @ ..] => transforms(options),
        _ => bail!("`cargo xtask bench transforms` is the one there is"),
    }
}
