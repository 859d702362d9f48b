//! A function as a process: started as Lambda starts it, and what it takes of CPU and memory.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use portcullis_benches::runtime_api::RuntimeApi;

use crate::processor;

/// A running function, ended when dropped.
pub(super) struct Function {
    process: Child,
    api: RuntimeApi,
    /// From its start to its first question for an event.
    pub(super) cold_start: Duration,
}

/// Bytes resident, now and at most since the last reset.
#[derive(Clone, Copy)]
pub(super) struct Resident {
    pub(super) now: u64,
    pub(super) peak: u64,
}

impl Function {
    pub(super) fn start(command: &mut Command) -> Result<Self> {
        let api = RuntimeApi::start()?;
        command
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "transform")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "stream")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "group")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let started = Instant::now();
        let process = command
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().to_string_lossy()))?;
        let mut function = Self {
            process,
            api,
            cold_start: Duration::ZERO,
        };
        function.cold_start = function.api.asked()? - started;
        Ok(function)
    }

    pub(super) fn invoke(&self, event: &Arc<Vec<u8>>) -> Result<Vec<u8>> {
        self.api.invoke(event)
    }

    /// Nanoseconds of CPU that its threads took so far.
    pub(super) fn cpu(&self) -> Result<f64> {
        let mut nanoseconds = 0.0;
        for thread in processor::threads(self.process.id())? {
            let text = fs::read_to_string(self.file(&format!("task/{thread}/schedstat")))?;
            nanoseconds += text.split(' ').next().unwrap_or_default().parse::<f64>()?;
        }
        Ok(nanoseconds)
    }

    /// Keeps it on one processor from now on.
    pub(super) fn run_on(&self, processor: usize) -> Result<()> {
        processor::keep(self.process.id(), processor)
    }

    pub(super) fn resident(&self) -> Result<Resident> {
        let status = self.file("status");
        let (now, peak) = crate::worker::resident(&status)?;
        Ok(Resident { now, peak })
    }

    pub(super) fn reset_peak(&self) -> Result<()> {
        fs::write(self.file("clear_refs"), "5").context("cannot reset the peak")
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        Path::new("/proc").join(self.process.id().to_string()).join(name)
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        if let Err(error) = self.process.kill().and_then(|()| self.process.wait()) {
            eprintln!("cannot end a function: {error}");
        }
    }
}
