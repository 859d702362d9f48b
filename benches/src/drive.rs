//! Starts the peers, checks that they say the same, and times them in turns.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, bail};

use crate::{
    case::{self, Case},
    events, growth, lambda,
    processor::{self, Processors},
    report::{self, Measured, Memory, Results, Timing},
    same::{self, Promise},
    tables,
};

/// What a run is asked for.
pub(crate) struct Settings {
    /// The program whose `generate` writes the records.
    pub(crate) portcullis: PathBuf,
    /// A Python with the packages of the Python peers.
    pub(crate) python: PathBuf,
    /// The VRL peer, if it was built.
    pub(crate) vrl: Option<PathBuf>,
    /// The folder of the Lambda functions' binaries, if they were built.
    pub(crate) functions: Option<PathBuf>,
    /// The same with the feature `put-back`.
    pub(crate) put_back: Option<PathBuf>,
    /// For events and responses.
    pub(crate) folder: PathBuf,
    /// Few rounds, no gates: that every peer still works, and roughly how fast.
    pub(crate) short: bool,
    pub(crate) cases: Vec<&'static Case>,
}

/// One peer of the table.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    how: How,
    promise: Option<Promise>,
    /// CPU milliseconds that an invocation may be expected to take: how many make up one round.
    weight: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    This,
    Python,
    Vrl,
}

const fn peer(name: &'static str, title: &'static str, how: How, promise: Option<Promise>, weight: u32) -> Peer {
    Peer {
        name,
        title,
        how,
        promise,
        weight,
    }
}

/// Every peer, in the order of the tables. The product is the first.
pub(crate) const PEERS: &[Peer] = &[
    peer("product", "Portcullis, `ecs`", How::This, Some(Promise::Whole), 8),
    peer(
        "native",
        "Portcullis, `native`",
        How::This,
        Some(Promise::OwnDocument),
        8,
    ),
    peer(
        "workshop",
        "Python, the workshop's handler (timestamps only)",
        How::Python,
        Some(Promise::OwnDocument),
        200,
    ),
    peer(
        "json",
        "Python, the whole document",
        How::Python,
        Some(Promise::OwnId),
        300,
    ),
    peer(
        "orjson",
        "Python with orjson and pybase64, the whole document",
        How::Python,
        Some(Promise::OwnId),
        100,
    ),
    peer(
        "vrl",
        "VRL (Vector's language), the whole document",
        How::Vrl,
        Some(Promise::OwnId),
        200,
    ),
    peer(
        "value",
        "Rust with serde_json::Value, the whole document",
        How::This,
        Some(Promise::Whole),
        50,
    ),
    peer(
        "floor",
        "floor: base64 both ways, UTF-8, the envelope",
        How::This,
        None,
        4,
    ),
    peer("memcpy", "as many bytes copied", How::This, None, 2),
];

/// The cases that `benches/peers/programs` has a program for.
const VRL_CASES: &[&str] = &["waf", "guardduty", "vpcflow-v2", "vpcflow-v5"];

/// Measures every case; the answer is whether all gates held.
pub(crate) fn drive(settings: &Settings) -> Result<bool> {
    fs::create_dir_all(&settings.folder).with_context(|| format!("cannot make {}", settings.folder.display()))?;
    tables::write(&settings.folder)?;
    let started = Instant::now();
    let mut results = Results::default();
    for case in &settings.cases {
        results.measured.push(measure(settings, case)?);
    }
    for case in &settings.cases {
        results.growth.push(growth::of_case(settings, case)?);
    }
    results.growth.extend(growth::of_extremes(settings)?);
    if let Some(functions) = &settings.functions {
        for case in &settings.cases {
            println!("{}: the Lambda function", case.title);
            results.lambdas.push(lambda::measure(settings, functions, case)?);
        }
    }
    let passed = report::show(&results, settings.short);
    let is_complete = settings.cases.len() == case::ALL.len() && settings.functions.is_some();
    match (settings.short, is_complete) {
        (true, _) => {}
        (false, true) => report::write(&results, settings)?,
        (false, false) => println!("the results are left alone: not everything was measured"),
    }
    println!("\nmeasured in {:.0} s", started.elapsed().as_secs_f64());
    Ok(passed || settings.short)
}

fn measure(settings: &Settings, case: &'static Case) -> Result<Measured> {
    let records = events::records(&settings.portcullis, case, case.bytes)?;
    let event = events::event(case, &records, case.bytes)?;
    let event_file = settings.folder.join(format!("{}.event.json", case.name));
    fs::write(&event_file, &event)?;
    let mut workers = Vec::new();
    for peer in PEERS {
        if let Some(worker) = Worker::start(settings, peer, case)? {
            workers.push(worker);
        }
    }
    let mut product = Vec::new();
    for worker in &mut workers {
        worker.load(&event_file)?;
        let response = worker.answer(&settings.folder.join(format!("{}.{}.json", case.name, worker.peer.name)))?;
        if worker.peer.name == "product" {
            product = response;
        } else if let Some(promise) = worker.peer.promise {
            same::check(&product, &response, promise)
                .with_context(|| format!("{}: {} does not say what the product says", case.name, worker.peer.name))?;
        }
    }
    let records = same::check(&product, &product, Promise::Whole)?;
    println!(
        "\n{}: {records} records, an event of {} bytes, a response of {}; all peers agree",
        case.title,
        event.len(),
        product.len()
    );
    let timings = time(&mut workers, settings.short)?;
    let memory = memory(settings, case, &event_file, product.len())?;
    Ok(Measured {
        case,
        records,
        event: event.len(),
        response: product.len(),
        timings,
        memory,
    })
}

/// CPU nanoseconds per invocation, one value per round; the order turns round by round.
fn time(workers: &mut [Worker], short: bool) -> Result<Vec<Timing>> {
    // Many short rounds: what else a machine does comes and goes within a second, and the peers of a round share it.
    let (rounds, budget) = if short { (3, 60) } else { (31, 100) };
    let mut timings: Vec<Timing> = workers
        .iter()
        .map(|worker| Timing {
            peer: worker.peer,
            rounds: Vec::new(),
        })
        .collect();
    for worker in workers.iter_mut() {
        worker.run(1)?;
    }
    let processors = Processors::allowed()?;
    for round in 0..rounds {
        let count = workers.len();
        for turn in 0..count {
            let at = if round % 2 == 0 { turn } else { count - 1 - turn };
            let worker = &mut workers[at];
            processor::keep(worker.process.id(), processors.of(round))?;
            let invocations = (budget / worker.peer.weight).max(1);
            let nanoseconds = worker.run(invocations)?;
            timings[at].rounds.push(nanoseconds / f64::from(invocations));
        }
    }
    Ok(timings)
}

/// In a process that has not answered anything yet, so that nothing of an earlier invocation is at hand.
fn memory(settings: &Settings, case: &Case, event_file: &Path, response: usize) -> Result<Memory> {
    let peer = PEERS.iter().find(|peer| peer.name == "product").context("no product")?;
    let mut product = Worker::start(settings, peer, case)?.context("the product knows every case")?;
    product.load(event_file)?;
    let answer = product.ask("memory")?;
    let (before, peak) = answer.split_once(' ').context("no memory")?;
    let (before, peak): (u64, u64) = (before.parse()?, peak.parse()?);
    let event = fs::metadata(event_file)?.len();
    // The event itself was there before.
    Ok(Memory {
        taken: peak.saturating_sub(before) + event,
        bytes: event + response as u64,
        bar: crate::gates::memory(event, response as u64),
    })
}

/// A running peer, ended when dropped.
struct Worker {
    peer: &'static Peer,
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Worker {
    /// Nothing when the peer cannot be had, or does not know the case.
    fn start(settings: &Settings, peer: &'static Peer, case: &Case) -> Result<Option<Self>> {
        let mut command = match peer.how {
            How::This => {
                let mut command = Command::new(std::env::current_exe()?);
                command.args(["work", peer.name, case.name]);
                command
            }
            How::Python => {
                let mut command = Command::new(&settings.python);
                command
                    .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("python/worker.py"))
                    .args([peer.name, case.name])
                    .arg(settings.folder.join(tables::FILE));
                command.env("PYTHONDONTWRITEBYTECODE", "1");
                command
            }
            How::Vrl => match &settings.vrl {
                Some(program) if VRL_CASES.contains(&case.name) => {
                    let mut command = Command::new(program);
                    command.arg(case.name);
                    command
                }
                _ => return Ok(None),
            },
        };
        if peer.name == "value" && !crate::peers::knows_value(case) {
            return Ok(None);
        }
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().to_string_lossy()))?;
        let questions = process.stdin.take().context("standard input is piped")?;
        let answers = BufReader::new(process.stdout.take().context("standard output is piped")?);
        Ok(Some(Self {
            peer,
            process,
            questions,
            answers,
        }))
    }

    fn ask(&mut self, question: &str) -> Result<String> {
        writeln!(self.questions, "{question}")
            .and_then(|()| self.questions.flush())
            .with_context(|| format!("{} does not listen", self.peer.name))?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        if answer.is_empty() {
            bail!("{} ended over `{question}`", self.peer.name);
        }
        Ok(answer.trim_end().to_owned())
    }

    fn load(&mut self, file: &Path) -> Result<()> {
        self.ask(&format!("load {}", file.display())).map(drop)
    }

    fn answer(&mut self, file: &Path) -> Result<Vec<u8>> {
        self.ask(&format!("answer {}", file.display()))?;
        fs::read(file).with_context(|| format!("cannot read {}", file.display()))
    }

    fn run(&mut self, invocations: u32) -> Result<f64> {
        Ok(self.ask(&format!("run {invocations}"))?.parse()?)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Err(error) = self.process.kill().and_then(|()| self.process.wait()) {
            eprintln!("cannot end {}: {error}", self.peer.name);
        }
    }
}
