//! `portcullis respond`: decide on findings, and with `--apply` act on them.
//!
//! A record is a finding in any form that [`crate::finding`] reads. One that cannot be read is refused alone.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::refusals::Refusals;
use super::{Context, DataDir, Failure, Outcome, clock, operator, output};
use crate::finding::{self, Finding};
use crate::input::{self, Content, Records};
use crate::network_acl::Direction;
use crate::respond::guard::Knowledge;
use crate::respond::policy::Policy;
use crate::respond::{Decision, Reason, Verdict, decide};

/// Records after which pending work is done, so that a long file does not wait for its end.
const SWEEP_EVERY: u64 = 100;

/// Arguments of `respond`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  portcullis respond findings.jsonl         what would be done, why or why not
  portcullis respond --apply --data ./data < finding.json
  portcullis generate --source guardduty --count 50 | portcullis respond --json

A record is one GuardDuty finding: bare, in an EventBridge event, as the API
returns it, or Security Hub's copy. A line is printed once its decision is
durable. A record that cannot be read blocks nothing, is told on standard error,
and makes the exit code 3. docs/reasons.md explains the words for reasons.")]
pub(crate) struct Args {
    /// Do it, on the ledger and the network ACLs that the configuration names
    #[arg(long)]
    apply: bool,

    #[command(flatten)]
    data: DataDir,

    /// Decide as of this time instead of now, such as 2026-11-21T18:00:00Z: for findings of earlier days
    #[arg(long, value_name = "TIME", value_parser = operator::moment)]
    now: Option<DateTime<Utc>>,

    /// One JSON object per finding and address
    #[arg(long)]
    json: bool,

    /// Files, directories or patterns; `-` or nothing is standard input
    #[arg(value_name = "FILE")]
    files: Vec<String>,
}

/// One line of `respond --json`.
#[derive(Serialize)]
struct Line<'a> {
    finding: &'a str,
    r#type: &'a str,
    address: Option<std::net::IpAddr>,
    decision: Verdict,
    reason: Reason,
    direction: &'a [Direction],
    subnets: &'a [String],
}

/// Reads, decides and prints.
pub(crate) async fn run(args: Args, context: &Context) -> Result<Outcome, Failure> {
    let mut files = Vec::new();
    for file in &args.files {
        files.extend(input::expand(file).map_err(Failure::usage)?);
    }
    if files.is_empty() {
        files.push(PathBuf::from("-"));
    }
    let channels = if args.apply {
        operator::channels(&context.config()?).await?
    } else {
        None
    };
    let mut run = Run {
        decider: Decider::new(&args, context).await?,
        refusals: Refusals::new(args.json),
        json: args.json,
        fixed_now: args.now,
        findings: 0,
        counts: [0; 3],
    };
    for file in &files {
        run.file(file).await?;
    }
    if let Decider::Apply(responder) = &run.decider {
        operator::finish(responder, channels.as_ref(), &run.now()).await?;
    }
    run.summary();
    Ok(if run.refusals.total() == 0 {
        Outcome::Done
    } else {
        Outcome::InputRefused
    })
}

/// Who decides.
enum Decider {
    /// The policy alone: no ledger was made yet.
    Pure(Box<(Policy, Knowledge)>),
    /// The responder with what its ledger knows, touching nothing.
    Preview(Box<operator::Configured>),
    /// The responder, which plans and acts.
    Apply(Box<operator::Configured>),
}

impl Decider {
    async fn new(args: &Args, context: &Context) -> Result<Self, Failure> {
        if args.apply {
            let responder = operator::open(context, &args.data, true).await?;
            operator::prepare(&responder).await;
            return Ok(Self::Apply(Box::new(responder)));
        }
        let config = context.config()?;
        if operator::has_ledger(&config, args.data.or(&config)) || args.data.given().is_some() {
            return Ok(Self::Preview(Box::new(
                operator::open(context, &args.data, false).await?,
            )));
        }
        let policy = operator::valid(config.policy)?;
        let knowledge = Knowledge::of(&policy);
        Ok(Self::Pure(Box::new((policy, knowledge))))
    }

    /// Durable when it returns, if anything is to be.
    async fn decide(&self, record: &[u8], finding: &Finding, now: DateTime<Utc>) -> Result<Vec<Decision>, Failure> {
        Ok(match self {
            Self::Pure(known) => decide::decide(finding, &known.0, &known.1, now),
            Self::Preview(responder) => responder.preview(record, now).await?,
            Self::Apply(responder) => responder.accept(record, now).await?,
        })
    }
}

struct Run {
    decider: Decider,
    refusals: Refusals,
    json: bool,
    fixed_now: Option<DateTime<Utc>>,
    findings: u64,
    /// Blocks, alerts, ignored.
    counts: [u64; 3],
}

impl Run {
    fn now(&self) -> DateTime<Utc> {
        self.fixed_now.unwrap_or_else(clock::now)
    }

    async fn file(&mut self, path: &Path) -> Result<(), Failure> {
        let name = match path.to_string_lossy() {
            name if name == "-" => "stdin".to_owned(),
            name => name.into_owned(),
        };
        let mut line = 0;
        let mut records = match input::open(path) {
            Ok(opened) => Records::new(opened, finding::MAX_BYTES),
            Err(error) => {
                self.refusals.unreadable(&name, line, &error);
                return Ok(());
            }
        };
        loop {
            match records.next_record() {
                Ok(None) => return Ok(()),
                Ok(Some(record)) => {
                    line = record.line;
                    self.record(&name, line, &record.content).await?;
                }
                Err(error) => {
                    self.refusals.unreadable(&name, line, &error);
                    return Ok(());
                }
            }
        }
    }

    async fn record(&mut self, file: &str, line: u64, content: &Content<'_>) -> Result<(), Failure> {
        let bytes = match *content {
            Content::Bytes(bytes) => bytes,
            Content::TooLong { bytes } => {
                self.refusals.too_long(file, line, bytes, finding::MAX_BYTES);
                return Ok(());
            }
        };
        let now = self.now();
        let finding = match Finding::parse(bytes) {
            Ok(finding) => finding,
            Err(error) => {
                // The responder keeps it, so that it is listed.
                if let Decider::Apply(responder) = &self.decider {
                    responder.accept(bytes, now).await?;
                }
                self.refusals.finding(file, line, &error);
                return Ok(());
            }
        };
        self.findings += 1;
        let decisions = self.decider.decide(bytes, &finding, now).await?;
        self.print(&decisions)?;
        if let Decider::Apply(responder) = &self.decider
            && self.findings.is_multiple_of(SWEEP_EVERY)
        {
            responder.sweep(now).await?;
        }
        Ok(())
    }

    fn print(&mut self, decisions: &[Decision]) -> io::Result<()> {
        let mut out = io::stdout().lock();
        for decision in decisions {
            self.counts[match decision.verdict {
                Verdict::Block => 0,
                Verdict::Alert => 1,
                Verdict::Ignore => 2,
            }] += 1;
            if self.json {
                json(&mut out, decision)?;
            } else {
                writeln!(out, "{}", for_people(decision))?;
            }
        }
        out.flush()
    }

    fn summary(&self) {
        if self.json {
            return;
        }
        let [blocks, alerts, ignored] = self.counts.map(output::count);
        let findings = output::count(self.findings);
        output::tell(format_args!(
            "findings {findings}; addresses: {blocks} block, {alerts} alert, {ignored} ignore"
        ));
        if self.refusals.total() > 0 {
            output::tell(format_args!("refused: {}", self.refusals));
        }
        match (&self.decider, self.counts[0]) {
            (_, 0) => {}
            (Decider::Pure(_) | Decider::Preview(_), _) => output::tell("Nothing was touched; --apply does it."),
            (Decider::Apply(_), _) => {
                output::tell("See: portcullis list    Undo: portcullis unblock ADDRESS --reason \"...\"");
            }
        }
    }
}

/// One line of `respond --json`.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn json(out: &mut impl Write, decision: &Decision) -> io::Result<()> {
    let line = Line {
        finding: &decision.finding.id,
        r#type: &decision.finding.finding_type,
        address: decision.address,
        decision: decision.verdict,
        reason: decision.reason,
        direction: &decision.directions,
        subnets: &decision.subnets,
    };
    output::json_line(out, &line)
}

/// One line of at most 80 columns: `block  185.220.101.4    ingress  matched            EC2/SSHBruteForce`.
fn for_people(decision: &Decision) -> String {
    let verdict = match decision.verdict {
        Verdict::Block => "block",
        Verdict::Alert => "alert",
        Verdict::Ignore => "ignore",
    };
    let address = decision.address.map_or("-".to_owned(), |address| address.to_string());
    let directions = match decision.directions.as_slice() {
        [] => "-",
        [one] => one.name(),
        _ => "both",
    };
    let reason = decision.reason.word();
    let start = format!("{verdict:<6} {address:<15} {directions:<7} {reason:<18} ");
    let left = 79_usize.saturating_sub(start.chars().count()).max(10);
    format!(
        "{start}{}",
        output::clipped(operator::short_type(&decision.finding.finding_type), left)
    )
}
