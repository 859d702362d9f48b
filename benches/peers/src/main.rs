//! The transforms in VRL, Vector's language, as people write them for its `remap` transform: the record is in `.message`,
//! and the program makes the whole document of it.
//!
//! Beside the programs there is only what Firehose needs, as fast as it can be had: events are read in place, Base64 is
//! decoded with SIMD, one buffer is written.

#![forbid(unsafe_code)]

use std::{
    fs,
    hint::black_box,
    io::{BufRead, Write},
};

use anyhow::{Context, Result, anyhow, bail};
use rustix::time::{ClockId, clock_gettime};
use serde::Deserialize;
use vrl::{
    compiler::{self, CompileConfig, Program, TargetValue, TimeZone, runtime::Runtime},
    value::{ObjectMap, Secrets, Value},
};

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    records: Vec<Record<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    record_id: &'a str,
    data: &'a str,
}

struct Peer {
    program: Program,
    runtime: Runtime,
    document: Vec<u8>,
}

impl Peer {
    fn new(case: &str) -> Result<Self> {
        let source = match case {
            "waf" => include_str!("../programs/waf.vrl"),
            "guardduty" => include_str!("../programs/guardduty.vrl"),
            "vpcflow-v2" => include_str!("../programs/vpcflow-v2.vrl"),
            "vpcflow-v5" => include_str!("../programs/vpcflow-v5.vrl"),
            _ => bail!("there is no program for `{case}`"),
        };
        let state = compiler::state::TypeState::default();
        let compiled = compiler::compile_with_state(source, &vrl::stdlib::all(), &state, CompileConfig::default())
            .map_err(|faults| {
                let shown = vrl::diagnostic::Formatter::new(source, faults);
                anyhow!("{case}: {shown}")
            })?;
        Ok(Self {
            program: compiled.program,
            runtime: Runtime::default(),
            document: Vec::new(),
        })
    }

    fn invoke(&mut self, event: &[u8]) -> Result<Vec<u8>> {
        let event: Event<'_> = serde_json::from_slice(event)?;
        let mut out = Vec::with_capacity(6 << 20);
        out.extend_from_slice(b"{\"records\":[");
        for record in &event.records {
            let message = base64_simd::STANDARD.decode_to_vec(record.data)?;
            let value = self.document(message)?;
            self.document.clear();
            serde_json::to_writer(&mut self.document, &value)?;
            self.document.push(b'\n');
            write!(out, "{{\"recordId\":\"{}\",\"result\":\"Ok\",\"data\":\"", record.record_id)?;
            base64_simd::STANDARD.encode_append(&self.document, &mut out);
            out.extend_from_slice(b"\"},");
        }
        out.pop();
        out.extend_from_slice(b"]}");
        Ok(out)
    }

    fn document(&mut self, message: Vec<u8>) -> Result<Value> {
        let mut event = ObjectMap::new();
        event.insert("message".into(), Value::Bytes(message.into()));
        let mut target = TargetValue {
            value: Value::Object(event),
            metadata: Value::Object(ObjectMap::new()),
            secrets: Secrets::default(),
        };
        let resolved = self.runtime.resolve(&mut target, &self.program, &TimeZone::default());
        self.runtime.clear();
        resolved.map_err(|fault| anyhow!("{}", fault.get_expression_error()))?;
        Ok(target.value)
    }
}

/// The lines are those of `benches/src/worker.rs`.
fn main() -> Result<()> {
    let case = std::env::args().nth(1).context("which case?")?;
    let mut peer = Peer::new(&case)?;
    let mut event = Vec::new();
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let mut answer = "ok".to_owned();
        match line.split_once(' ').unwrap_or((&line, "")) {
            ("load", file) => event = fs::read(file).with_context(|| format!("cannot read {file}"))?,
            ("answer", file) => fs::write(file, peer.invoke(&event)?)?,
            ("run", count) => {
                let start = cpu_nanoseconds();
                for _ in 0..count.parse::<u32>()? {
                    black_box(peer.invoke(black_box(&event))?);
                }
                answer = (cpu_nanoseconds() - start).to_string();
            }
            _ => bail!("`{line}` is not understood"),
        }
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn cpu_nanoseconds() -> i64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}
