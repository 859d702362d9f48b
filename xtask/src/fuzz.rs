//! `cargo xtask fuzz`: every fuzz target for so many seconds, and what came of it.
//!
//! New inputs are kept below the target folder. The committed ones (`fuzz/corpus`) are read and never written to; `--keep`
//! adds what covers more than they do.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, bail};

use crate::{
    shell::{command, find, output, root, run, succeeds, target},
    tools::cache,
};

const CARGO_FUZZ: &str = "0.13.2";
const TOOLCHAIN: &str = "nightly";

/// The longest input: a record beyond this takes long and shows nothing new.
const MAX_LEN: u32 = 16 * 1024;
/// The target whose inputs are choices: how often each line ran with which of them says little, and keeping account of it
/// takes half of its time.
const CHOICES: &str = "differential";
/// The longest input of choices, of two bytes each: longer ones make ever larger records, and a tenth of the executions.
const CHOICES_LEN: u32 = 1024;
/// The longest input worth committing.
const KEPT_LEN: u64 = 6 * 1024;
/// The most bytes that are committed for one target.
const KEPT_TOTAL: u64 = 28 * 1024;

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Wish {
    seconds: u32,
    targets: Vec<String>,
    keep: bool,
}

impl Wish {
    /// Reads `--seconds N`, `--target T` (again for several) and `--keep`.
    pub(crate) fn read(words: &[&str]) -> Result<Self> {
        let mut wish = Wish {
            seconds: 60,
            targets: Vec::new(),
            keep: false,
        };
        let known = targets()?;
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().copied().with_context(|| format!("{word} needs a value"));
            match *word {
                "--seconds" => {
                    let text = value()?;
                    wish.seconds = text
                        .parse()
                        .with_context(|| format!("`{text}` is no number of seconds"))?;
                }
                "--target" => {
                    let name = value()?;
                    if !known.iter().any(|target| target == name) {
                        bail!("there is no target `{name}`; the targets are {}", known.join(", "));
                    }
                    wish.targets.push(name.to_owned());
                }
                "--keep" => wish.keep = true,
                other => bail!("`{other}` is not understood; see `cargo xtask help`"),
            }
        }
        if wish.targets.is_empty() {
            wish.targets = known;
        }
        Ok(wish)
    }
}

/// The targets, by their files.
fn targets() -> Result<Vec<String>> {
    let folder = root().join("fuzz/fuzz_targets");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if let Some(name) = path.file_stem().and_then(|name| name.to_str()) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// What a target's run came to.
struct Outcome {
    target: String,
    executions: String,
    seconds: f32,
    /// Inputs that broke something.
    findings: Vec<PathBuf>,
}

/// Runs the targets one after another; fails when one of them found something.
pub(crate) fn fuzz(wish: &Wish) -> Result<()> {
    let cargo_fuzz = install()?;
    run(&mut cargo(&cargo_fuzz, "build", &[]))?;
    let mut outcomes = Vec::new();
    for target in &wish.targets {
        outcomes.push(one(&cargo_fuzz, target, wish)?);
    }
    println!();
    println!("{:<14} {:>14} {:>8}  findings", "target", "executions", "seconds");
    for Outcome {
        target,
        executions,
        seconds,
        findings,
    } in &outcomes
    {
        println!("{target:<14} {executions:>14} {seconds:>8.0}  {}", findings.len());
    }
    let found: Vec<&Outcome> = outcomes.iter().filter(|outcome| !outcome.findings.is_empty()).collect();
    for outcome in &found {
        for path in &outcome.findings {
            println!("\n{}", path.display());
            println!(
                "  again:   RUSTUP_TOOLCHAIN={TOOLCHAIN} {} fuzz run --sanitizer none --no-trace-compares {} {}",
                cargo_fuzz.display(),
                outcome.target,
                path.display()
            );
            println!("  to keep: cp {} fuzz/corpus/{}/", path.display(), outcome.target);
        }
    }
    match found.len() {
        0 => Ok(()),
        many => bail!("{many} of {} targets found something", outcomes.len()),
    }
}

fn one(cargo_fuzz: &Path, target: &str, wish: &Wish) -> Result<Outcome> {
    let grown = work().join("corpus").join(target);
    let artifacts = work().join("findings").join(target);
    for folder in [&grown, &artifacts] {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let before = files(&artifacts)?;
    let committed = root().join("fuzz/corpus").join(target);
    fs::create_dir_all(&committed)?;
    let dictionary = root().join("fuzz/dict").join(format!("{target}.dict"));
    let mut command = cargo(cargo_fuzz, "run", &[target]);
    command.arg(&grown).arg(&committed).arg("--");
    command.arg(format!("-max_total_time={}", wish.seconds));
    let (max_len, also): (u32, &[&str]) = match target {
        CHOICES => (CHOICES_LEN, &["-entropic=0", "-use_counters=0"]),
        _ => (MAX_LEN, &[]),
    };
    command.arg(format!("-max_len={max_len}")).args(also);
    command.arg(format!("-artifact_prefix={}/", artifacts.display()));
    command.args([
        "-timeout=10",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
        "-verbosity=0",
    ]);
    if dictionary.exists() {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    println!("\n━━ {target}: {} s", wish.seconds);
    let log = work().join(format!("{target}.log"));
    let file = fs::File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    let started = Instant::now();
    let status = command
        .stdout(Stdio::null())
        .stderr(file)
        .status()
        .context("cannot start cargo-fuzz")?;
    let seconds = started.elapsed().as_secs_f32();
    let told = fs::read_to_string(&log).unwrap_or_default();
    let findings: Vec<PathBuf> = files(&artifacts)?
        .into_iter()
        .filter(|path| !before.contains(path))
        .collect();
    if !status.success() && findings.is_empty() {
        bail!("{target} ended with {status}; {} says why", log.display());
    }
    if let Some(reason) = told.lines().find(|line| line.contains("panicked at")) {
        println!("{reason}");
    }
    let stat = |name: &str| {
        let line = told.lines().find(|line| line.contains(name));
        line.and_then(|line| line.split_whitespace().last())
            .unwrap_or("?")
            .to_owned()
    };
    if wish.keep && findings.is_empty() {
        keep(cargo_fuzz, target, &grown, &committed)?;
    }
    Ok(Outcome {
        target: target.to_owned(),
        executions: stat("stat::number_of_executed_units"),
        seconds,
        findings,
    })
}

/// Adds the inputs that cover what the committed ones do not, smallest first, as far as there is room.
fn keep(cargo_fuzz: &Path, target: &str, grown: &Path, committed: &Path) -> Result<()> {
    let smallest = work().join("smallest").join(target);
    if smallest.exists() {
        fs::remove_dir_all(&smallest)?;
    }
    fs::create_dir_all(&smallest)?;
    let mut merge = cargo(cargo_fuzz, "run", &[target]);
    merge.arg(&smallest).arg(committed).arg(grown);
    merge.args(["--", "-merge=1", "-verbosity=0", &format!("-max_len={KEPT_LEN}")]);
    let status = merge.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    if !status.success() {
        bail!("the inputs of {target} cannot be merged");
    }
    let mut sized = Vec::new();
    for path in files(&smallest)? {
        sized.push((fs::metadata(&path)?.len(), path));
    }
    sized.sort();
    for old in files(committed)? {
        fs::remove_file(old)?;
    }
    let mut total = 0;
    for (size, path) in sized {
        total += size;
        if total > KEPT_TOTAL {
            break;
        }
        let name = path.file_name().context("a file has a name")?;
        fs::copy(&path, committed.join(name))?;
    }
    Ok(())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        files.push(entry?.path());
    }
    Ok(files)
}

/// Where runs leave what they grow and find.
fn work() -> PathBuf {
    target().join("fuzz-work")
}

fn cargo(cargo_fuzz: &Path, verb: &str, arguments: &[&str]) -> Command {
    let mut command = command(cargo_fuzz, &["fuzz", verb, "--target-dir"]);
    // The crates are safe Rust, so an address sanitizer would find nothing of theirs, at a third of the speed. Following each
    // comparison halves it again; the words that it would find are in the dictionaries.
    command
        .arg(target().join("fuzz"))
        .args(["--sanitizer", "none", "--no-trace-compares"])
        .args(arguments);
    command.env("RUSTUP_TOOLCHAIN", TOOLCHAIN).env_remove("CARGO");
    command
}

/// cargo-fuzz and a nightly compiler; the former is installed into the cache, the latter has to be there.
fn install() -> Result<PathBuf> {
    if !succeeds("rustup", &["run", TOOLCHAIN, "rustc", "--version"]) {
        bail!("fuzzing needs a nightly compiler: rustup toolchain install {TOOLCHAIN} --profile minimal");
    }
    if find("c++").is_none() && find("clang++").is_none() {
        bail!("libFuzzer is built with a C++ compiler; on Debian or Ubuntu: apt-get install g++");
    }
    let folder = cache()?.join(format!("cargo-fuzz-{CARGO_FUZZ}"));
    let program = folder.join("bin/cargo-fuzz");
    if !program.exists() {
        println!("installing cargo-fuzz {CARGO_FUZZ} into {}", folder.display());
        let mut install = command(
            "cargo",
            &["install", "cargo-fuzz", "--locked", "--version", CARGO_FUZZ, "--root"],
        );
        run(install.arg(&folder))?;
    }
    println!("{}", output("rustup", &["run", TOOLCHAIN, "rustc", "--version"])?);
    Ok(program)
}
