//! What the program promises, checked from outside: exit codes, numbers that can be recomputed, memory, reproducible bytes.
//!
//! `PORTCULLIS_BIN` names the program to check; `cargo xtask test --only acceptance` gives the release build, and then the
//! sizes are those of the promise. Without it the build of this test run is checked, on smaller inputs.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
};

use serde_json::Value;

#[path = "acceptance/normalize.rs"]
mod normalize;

/// Every source, by its name.
const SOURCES: [&str; 6] = ["guardduty", "securityhub", "waf", "vpcflow", "dns", "cloudtrail"];

fn release() -> Option<PathBuf> {
    std::env::var_os("PORTCULLIS_BIN").map(PathBuf::from)
}

/// The program, in a folder of its own and without the caller's configuration.
fn portcullis(folder: &Path, arguments: &[&str]) -> Command {
    let program = release().unwrap_or_else(|| env!("CARGO_BIN_EXE_portcullis").into());
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PORTCULLIS_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).current_dir(folder);
    command
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Runs to the end with `input` on standard input.
fn ask(folder: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut child = portcullis(folder, arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("piped");
    let input = input.to_vec();
    let writer = thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().expect("the program ends");
    // A program that stops reading early is judged by its exit code.
    drop(writer.join().expect("the writer ends"));
    output
}

/// The harness plants mistakes in the responder; no build that people run may have them.
#[test]
fn the_program_holds_no_planted_mistake() {
    let Some(program) = release() else { return };
    let program = fs::read(program).expect("the program can be read");
    let word = b"checkpoint-first";
    assert!(!program.windows(word.len()).any(|bytes| bytes == word));
}

fn lines(output: &Output) -> Vec<Value> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).expect("one JSON document per line"))
        .collect()
}

fn demo(folder: &Path, seed: &str) -> Value {
    let arguments = ["demo", "--once", "--json", "--data", "demo", "--seed", seed];
    let output = ask(folder, &arguments, b"");
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut printed = lines(&output);
    assert_eq!(
        printed.len(),
        1,
        "one JSON document on standard output and nothing else"
    );
    printed.remove(0)
}

fn number(value: &Value, name: &str) -> u64 {
    value[name]
        .as_u64()
        .unwrap_or_else(|| panic!("{name} is a number in {value}"))
}

#[test]
#[ignore = "minutes on a build without optimisation; `cargo xtask test --only acceptance` runs it"]
fn the_demo_shows_the_gate_close_and_its_numbers_can_be_recomputed() {
    let folder = folder();
    let summary = demo(folder.path(), "7");

    for source in SOURCES {
        assert!(number(&summary["indexed"], source) > 0, "{source} is indexed");
    }
    assert_eq!(number(&summary, "refused_records"), 0);
    assert!(
        number(&summary, "blocked") >= 11 && number(&summary, "evicted") >= 1,
        "{summary}"
    );
    for reason in [
        "sample",
        "unspecified",
        "own_address",
        "allow_listed",
        "aws_service",
        "stale",
        "api_call",
    ] {
        assert!(
            number(&summary["not_blocked"], reason) > 0,
            "{reason} stands in not_blocked"
        );
    }

    let entries = lines(&ask(folder.path(), &["list", "--json", "--data", "demo"], b""));
    let mut standing: BTreeMap<(String, String), BTreeSet<(u64, String)>> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry["state"] == "applied") {
        let place = (text(entry, "nacl"), text(entry, "direction"));
        let rule = number(entry, "rule");
        assert!((71..=99).contains(&rule), "{entry}");
        assert!(
            standing.entry(place).or_default().insert((rule, text(entry, "cidr"))),
            "{entry} stands once"
        );
    }
    let mut told = BTreeMap::new();
    for nacl in summary["nacls"].as_array().expect("a list") {
        let managed: BTreeSet<(u64, String)> = nacl["managed"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|entry| (number(entry, "rule"), text(entry, "cidr")))
            .collect();
        assert!(managed.len() <= 10, "at most ten stand in {nacl}");
        let addresses: BTreeSet<&String> = managed.iter().map(|(_, cidr)| cidr).collect();
        assert_eq!(addresses.len(), managed.len(), "no address stands twice in {nacl}");
        if !managed.is_empty() {
            told.insert((text(nacl, "id"), text(nacl, "direction")), managed);
        }
    }
    assert_eq!(told, standing, "the summary and the ledger tell the same entries");

    let audit = lines(&ask(
        folder.path(),
        &["list", "--audit", "--json", "--data", "demo"],
        b"",
    ));
    let of = |event: &str| audit.iter().filter(|row| row["event"] == event).count() as u64;
    assert_eq!(
        number(&summary, "blocked"),
        of("applied"),
        "blocked counts transitions to applied"
    );
    assert_eq!(number(&summary, "evicted"), of("evicted"));
    let numbers: Vec<u64> = audit.iter().map(|row| number(row, "number")).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "the audit is a total order");
}

fn text(value: &Value, name: &str) -> String {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("{name} is text in {value}"))
        .to_owned()
}

#[test]
#[ignore = "minutes on a build without optimisation; `cargo xtask test --only acceptance` runs it"]
fn the_same_seed_tells_the_same_day_and_another_seed_another() {
    let (first, again, other) = (folder(), folder(), folder());
    let without_place = |mut summary: Value| {
        summary.as_object_mut().expect("an object").remove("data");
        summary
    };
    let told = without_place(demo(first.path(), "7"));
    assert_eq!(told, without_place(demo(again.path(), "7")));
    let mut another = without_place(demo(other.path(), "8"));
    another["seed"] = told["seed"].clone();
    assert_ne!(told, another);
}

#[test]
fn the_same_seed_generates_the_same_bytes() {
    let folder = folder();
    for source in SOURCES {
        let generate = |seed: &str| {
            let arguments = ["generate", "--source", source, "--count", "500", "--seed", seed];
            let output = ask(folder.path(), &arguments, b"");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            output.stdout
        };
        let bytes = generate("7");
        assert_eq!(bytes.split(|byte| *byte == b'\n').count(), 501, "{source}");
        assert!(bytes == generate("7"), "{source}: the same seed gives the same bytes");
        assert!(bytes != generate("8"), "{source}: another seed gives others");
    }
}

#[test]
fn what_is_generated_is_normalised_whole_and_auto_tells_it_by_its_shape() {
    let folder = folder();
    for source in SOURCES {
        let generated = ask(
            folder.path(),
            &["generate", "--source", source, "--count", "300", "--seed", "3"],
            b"",
        );
        let named = ask(
            folder.path(),
            &["normalize", "--source", source, "--json"],
            &generated.stdout,
        );
        let told = String::from_utf8_lossy(&named.stderr).into_owned();
        assert_eq!(named.status.code(), Some(0), "{source}: {told}");
        let documents = lines(&named);
        assert!(documents.len() >= 299, "{source}: {told}");
        for document in &documents {
            assert_eq!(document["event"]["dataset"], format!("aws.{source}"));
        }
        let auto = ask(folder.path(), &["normalize", "--source", "auto"], &generated.stdout);
        assert!(auto.stdout == named.stdout, "{source}: auto writes the same");
    }
}

/// The peak of a running process's resident memory in KiB, as Linux counts it.
fn peak(process: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok())
        .unwrap_or(0)
}

/// Normalises `count` generated WAF records and returns documents written and peak memory in KiB.
fn peak_over(folder: &Path, count: u64) -> (u64, u64) {
    let count = count.to_string();
    let mut generate = portcullis(
        folder,
        &["generate", "--source", "waf", "--seed", "7", "--count", &count],
    )
    .stdout(Stdio::piped())
    .spawn()
    .expect("generate starts");
    let mut normalize = portcullis(folder, &["normalize", "--source", "waf"])
        .stdin(generate.stdout.take().expect("piped"))
        .stdout(Stdio::piped())
        .spawn()
        .expect("normalize starts");
    let mut out = normalize.stdout.take().expect("piped");
    let mut buffer = vec![0; 1 << 18];
    let (mut documents, mut highest) = (0, 0);
    loop {
        let read = out.read(&mut buffer).expect("a pipe can be read");
        if read == 0 {
            break;
        }
        documents += buffer[..read].iter().filter(|byte| **byte == b'\n').count() as u64;
        highest = highest.max(peak(&normalize));
    }
    assert!(normalize.wait().expect("normalize ends").success());
    assert!(generate.wait().expect("generate ends").success());
    (documents, highest)
}

#[test]
#[cfg(target_os = "linux")]
fn memory_stays_below_64_mb_and_does_not_grow_with_the_input() {
    let folder = folder();
    let sizes = if release().is_some() {
        [100_000, 1_000_000]
    } else {
        [1_000, 10_000]
    };
    for count in sizes {
        let (documents, highest) = peak_over(folder.path(), count);
        println!("{count} records: {documents} documents, peak {highest} KiB");
        assert_eq!(documents, count);
        assert!(highest > 0 && highest <= 64 * 1024, "{count} records: {highest} KiB");
    }
}

#[test]
fn wrong_usage_ends_with_2_and_a_reader_that_goes_away_is_no_error() {
    let folder = folder();
    fs::write(folder.path().join("bad.toml"), "[serve]\nlistn = 1\n").expect("writable");
    for arguments in [
        &["normalize", "--source", "wafs"][..],
        &["normalize", "no-such-file"],
        &["normalize", "--schema", "xml"],
        &["normalize", "--config", "bad.toml"],
        &["normalize", "--config", "no-such.toml"],
        &["normalize", "--geoip-db", "no-such.mmdb"],
        &["normalize", "--entries-limit", "0"],
        &["config", "check", "--config", "bad.toml"],
        &["no-such-command"],
        &["list", "--log-level", "loud"],
    ] {
        let output = ask(folder.path(), arguments, b"");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {told}");
        assert!(!told.is_empty(), "{arguments:?}");
    }
    for (option, value) in [
        ("--flow-format", "${srcadr}"),
        ("--flow-format", ""),
        ("--drop", "event.acton == a"),
    ] {
        let output = ask(folder.path(), &["normalize", "--source", "vpcflow", option, value], b"");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{option} {value}: {told}");
        assert!(
            told.contains(&format!("{option}: ")) && !told.contains("send the record"),
            "{told}"
        );
    }
    for option in ["--geoip-db", "--asn-db", "--indicators"] {
        let told = ask(folder.path(), &["normalize", option, "no-such-file"], b"").stderr;
        let told = String::from_utf8_lossy(&told).into_owned();
        assert_eq!(told.matches("os error 2").count(), 1, "{option} is told once: {told}");
    }

    let mut generate = portcullis(
        folder.path(),
        &["generate", "--source", "vpcflow", "--count", "1000000"],
    )
    .stdout(Stdio::piped())
    .stderr(Stdio::piped())
    .spawn()
    .expect("starts");
    let mut some = [0; 100];
    generate
        .stdout
        .take()
        .expect("piped")
        .read_exact(&mut some)
        .expect("some output");
    let output = generate.wait_with_output().expect("ends");
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn completions_and_manual_pages_are_written_and_settings_shown() {
    let folder = folder();
    for shell in ["bash", "zsh", "fish"] {
        let script = ask(folder.path(), &["completions", shell], b"").stdout;
        assert!(String::from_utf8_lossy(&script).contains("normalize"), "{shell}");
    }
    assert!(ask(folder.path(), &["man", "--dir", "man1"], b"").status.success());
    assert!(folder.path().join("man1/portcullis-normalize.1").is_file());

    assert!(ask(folder.path(), &["config", "init"], b"").status.success());
    assert_eq!(ask(folder.path(), &["config", "init"], b"").status.code(), Some(2));
    let checked = lines(&ask(folder.path(), &["config", "check", "--json"], b""));
    assert_eq!(checked[0]["values"]["serve.listen"]["value"], "127.0.0.1:8600");
    assert_eq!(checked[0]["values"]["serve.listen"]["from"], "default");
}
