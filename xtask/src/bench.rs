//! `cargo xtask bench`: builds what is measured and what it is measured beside, and starts the driver.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, Result, bail};
use portcullis_transforms::Source;

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

/// Builds the Lambda functions, and first (unless short) those with `put-back`, which have the same names.
fn functions(driver: &mut Command, short: bool) -> Result<()> {
    let release = target().join("release");
    let build = |features: &str| {
        let package = "portcullis-transforms";
        run(&mut cargo(&[
            "build",
            "--release",
            "--locked",
            "--package",
            package,
            "--bins",
            "--features",
            features,
        ]))
    };
    if !short {
        build("put-back")?;
        let kept = release.join("put-back");
        fs::create_dir_all(&kept).with_context(|| format!("cannot make {}", kept.display()))?;
        for source in Source::ALL {
            let name = format!("portcullis-transform-{source}");
            fs::copy(release.join(&name), kept.join(&name)).with_context(|| format!("cannot copy {name}"))?;
        }
        driver.env("PORTCULLIS_BENCH_PUT_BACK", kept);
    }
    build("lambda")?;
    driver.env("PORTCULLIS_BENCH_FUNCTIONS", release);
    Ok(())
}

/// The benches by name.
pub(crate) fn bench(words: &[&str]) -> Result<()> {
    match words {
        ["transforms", options @ ..] => transforms(options),
        _ => bail!("`cargo xtask bench transforms` is the one there is"),
    }
}
