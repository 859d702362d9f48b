//! The lines that a peer is asked by, the same for every language.
//!
//! | line | answer |
//! |---|---|
//! | `load FILE` | `ok`: the event is in memory |
//! | `answer FILE` | `ok`: the response to the event is in the file |
//! | `run N` | nanoseconds of CPU time that N invocations took |
//! | `memory` | bytes resident before an invocation, and the most during one |

use std::{
    fs,
    hint::black_box,
    io::{BufRead, Write},
    path::Path,
};

use anyhow::{Context, Result, bail};
use portcullis_benches::cpu_nanoseconds;

use crate::{case::Case, peers};

/// Serves one peer until standard input ends.
pub(crate) fn serve(name: &str, case: &'static Case) -> Result<()> {
    let mut peer = peers::find(name, case)?;
    let mut event = Vec::new();
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let answer = match line.split_once(' ').unwrap_or((&line, "")) {
            ("load", file) => {
                event = fs::read(file).with_context(|| format!("cannot read {file}"))?;
                peer.prepare(&event)?;
                "ok".to_owned()
            }
            ("answer", file) => {
                fs::write(file, peer.invoke(&event)?).with_context(|| format!("cannot write {file}"))?;
                "ok".to_owned()
            }
            ("run", count) => {
                let count: u32 = count.parse().context("`run` needs a number")?;
                let start = cpu_nanoseconds();
                for _ in 0..count {
                    black_box(peer.invoke(black_box(&event))?);
                }
                (cpu_nanoseconds() - start).to_string()
            }
            ("memory", _) => {
                let status = Path::new("/proc/self/status");
                let (before, _) = resident(status)?;
                fs::write("/proc/self/clear_refs", "5").context("cannot reset the peak")?;
                black_box(peer.invoke(black_box(&event))?);
                format!("{before} {}", resident(status)?.1)
            }
            _ => bail!("`{line}` is not understood"),
        };
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

/// Bytes resident now, and the most since the peak was reset, from a process's `status`.
pub(crate) fn resident(status: &Path) -> Result<(u64, u64)> {
    let status = fs::read_to_string(status).context("memory is read from /proc")?;
    let value = |key: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(key))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok()
    };
    let (now, peak) = value("VmRSS:").zip(value("VmHWM:")).context("no VmRSS and VmHWM")?;
    Ok((now * 1024, peak * 1024))
}
