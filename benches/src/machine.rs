//! When and on what it was measured.

use std::fs;

use chrono::{SecondsFormat, Utc};

/// The present, to the second.
#[must_use]
pub fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Model of the CPU, how many of them, and the system.
#[must_use]
pub fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let value = |key: &str| {
        let line = info.lines().find(|line| line.starts_with(key))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let cores = info.lines().filter(|line| line.starts_with("processor")).count();
    let model = value("model name").unwrap_or_else(|| "unknown CPU".to_owned());
    let family = value("cpu family")
        .zip(value("model\t"))
        .map(|(family, model)| format!(" (family {family}, model {model})"));
    let system = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!(
        "{model}{}, {cores} cores, Linux {}",
        family.unwrap_or_default(),
        system.trim()
    )
}
