//! Peers of a round run on the same processor: what else a machine does can make one of its processors slower by half for
//! seconds while the next one is idle.

use std::fs;

use anyhow::{Context, Result};
use rustix::thread::{CpuSet, Pid, sched_getaffinity, sched_setaffinity};

/// The processors on which this process may run, in turns.
pub(crate) struct Processors(Vec<usize>);

impl Processors {
    pub(crate) fn allowed() -> Result<Self> {
        let allowed = sched_getaffinity(None).context("cannot tell the processors")?;
        let processors = (0..CpuSet::MAX_CPU).filter(|processor| allowed.is_set(*processor));
        Ok(Self(processors.collect()))
    }

    /// That of a round: two rounds each, since who comes first changes with every round.
    pub(crate) fn of(&self, round: usize) -> usize {
        self.0[round / 2 % self.0.len()]
    }
}

/// Keeps all threads of a process on one processor from now on.
pub(crate) fn keep(process: u32, processor: usize) -> Result<()> {
    let mut only = CpuSet::new();
    only.set(processor);
    for thread in threads(process)? {
        sched_setaffinity(Pid::from_raw(thread), &only).context("cannot choose a processor")?;
    }
    Ok(())
}

/// The threads of a process.
pub(crate) fn threads(process: u32) -> Result<Vec<i32>> {
    let folder = format!("/proc/{process}/task");
    let threads = fs::read_dir(&folder).with_context(|| format!("cannot read {folder}"))?;
    threads
        .map(|thread| Ok(thread?.file_name().to_string_lossy().parse()?))
        .collect()
}
