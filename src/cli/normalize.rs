//! `portcullis normalize`: records in, closed-schema documents out.
//!
//! One record at a time, so that memory does not grow with the input; a record that is refused is told on standard error
//! and costs nothing else.

use std::{
    fs::File,
    io::{self, IsTerminal, Read, Write},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::builder::BoolishValueParser;
use indicatif::ProgressBar;
use portcullis_transforms::{
    Normalizer, Options, Refusal, RefusalKind, Schema, Taken, TrustedProxies,
    firehose::{self, Back, Returned},
};
use serde_json::json;

use super::{Context, Failure, Outcome, output, policy::Policy, refusals::Refusals};
use crate::{
    config::SourceChoice,
    input::{self, Content, LINE_LIMIT, Normalizers, RECORD_LIMIT, Records},
};

/// Arguments of `normalize`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  portcullis normalize --source guardduty findings/*.gz > documents.ndjson
  portcullis normalize --source auto /var/log/aws/
  portcullis generate --source waf --count 9 | portcullis normalize | head -1
  portcullis normalize --source vpcflow --flow-format '${srcaddr} ${start}' FILE
  portcullis normalize --source waf --firehose --put-back back.ndjson < event

Input is one record per line, or pretty-printed JSON documents; gzip, arrays,
lists (findings, Records) and CloudWatch Logs subscriptions are told by their
content, and each record in them becomes a document. Good records are written
even where others are refused; then the exit code is 3. What documents hold is
as [normalize] of the configuration says, where no option or variable says
otherwise. PORTCULLIS_ID_KEY (64 hexadecimal digits, the same for all Lambdas
and replays) keys event.id of logs that have no id of their own.")]
pub(crate) struct Args {
    /// What the records are: auto (told by each record's shape), guardduty, securityhub, waf, vpcflow, dns, cloudtrail
    #[arg(long, value_name = "SOURCE", default_value = "auto", value_parser = source)]
    source: SourceChoice,

    /// Shape of the documents: ecs, or native for the records as they came with their timestamps normalised
    #[arg(long, value_name = "SCHEMA", default_value = "ecs", value_parser = schema)]
    schema: Schema,

    /// Flow-log format string, such as '${version} ${srcaddr} ...', for flow logs without a header line
    #[arg(long, value_name = "FORMAT")]
    flow_format: Option<String>,

    /// WAF: the proxies in front of the web ACL, as networks (10.0.0.0/8,2001:db8::/32) or how many there are;
    /// source.ip is then who stands behind them
    #[arg(long, value_name = "PROXIES", env = "PORTCULLIS_TRUSTED_PROXIES", hide_env = true)]
    trusted_proxies: Option<TrustedProxies>,

    /// Flow logs: add network.community_id
    #[arg(long, env = "PORTCULLIS_COMMUNITY_ID", hide_env = true, value_parser = BoolishValueParser::new())]
    community_id: bool,

    /// Keep each record's text in event.original
    #[arg(long)]
    keep_original: bool,

    /// Read one Firehose transformation event on standard input and write the Lambda's response
    #[arg(long, conflicts_with = "files")]
    firehose: bool,

    /// With --firehose: where to write, as NDJSON, what the Lambda would put back on the stream
    #[arg(long, value_name = "FILE", requires = "firehose")]
    put_back: Option<PathBuf>,

    /// Tell refusals and the summary on standard error as one JSON object per line
    #[arg(long)]
    json: bool,

    /// Files, directories or patterns; `-` or nothing is standard input
    #[arg(value_name = "FILE")]
    files: Vec<String>,

    // Last, because its heading would stand above what follows.
    #[command(flatten)]
    policy: Policy,
}

fn source(text: &str) -> Result<SourceChoice, String> {
    SourceChoice::try_from(text.to_owned())
}

fn schema(text: &str) -> Result<Schema, String> {
    match text {
        "ecs" => Ok(Schema::Ecs),
        "native" => Ok(Schema::Native),
        _ => Err("choose ecs or native".to_owned()),
    }
}

/// Reads, normalises and writes.
pub(crate) fn run(args: Args, context: &Context) -> Result<Outcome, Failure> {
    let options = Options {
        schema: args.schema,
        flow_format: args.flow_format,
        keep_original: args.keep_original,
        id_key: context.id_key()?,
        trusted_proxies: args.trusted_proxies,
        community_id: args.community_id,
        ..args.policy.options(context.config()?.normalize)?
    };
    if args.firehose {
        return one_event(args.source, options, args.put_back.as_deref());
    }
    let mut files = Vec::new();
    for file in &args.files {
        files.extend(input::expand(file).map_err(Failure::usage)?);
    }
    if args.files.is_empty() {
        files.push(PathBuf::from("-"));
    }
    let mut run = Run::new(args.source, options, args.json)?;
    let bar = if files.len() > 1 && !io::stdout().is_terminal() {
        output::progress(files.len() as u64, "normalising files")
    } else {
        ProgressBar::hidden()
    };
    let mut out = output::stdout();
    for file in &files {
        run.file(file, &mut out, &bar)?;
        bar.inc(1);
    }
    out.flush()?;
    bar.finish_and_clear();
    run.summary(files.len());
    Ok(if run.refusals.total() == 0 {
        Outcome::Done
    } else {
        Outcome::InputRefused
    })
}

/// The state of one call: what was read, and the normalisers, which keep their buffers.
struct Run {
    normalizers: Normalizers,
    document: Vec<u8>,
    refusals: Refusals,
    json: bool,
    documents: u64,
    dropped: u64,
}

impl Run {
    fn new(choice: SourceChoice, options: Options, json: bool) -> Result<Self, Failure> {
        Ok(Self {
            normalizers: Normalizers::new(choice, options).map_err(|refusal| unusable(&refusal))?,
            document: Vec::with_capacity(16 * 1024),
            refusals: Refusals::new(json),
            json,
            documents: 0,
            dropped: 0,
        })
    }

    /// Normalises one file. Only a failure to write ends the run; one to read is a refusal.
    fn file(&mut self, path: &Path, out: &mut impl Write, bar: &ProgressBar) -> io::Result<()> {
        let name = match path.to_string_lossy() {
            name if name == "-" => "stdin".to_owned(),
            name => name.into_owned(),
        };
        self.normalizers.next_file();
        let before = (self.documents, self.refusals.total());
        let mut line = 0;
        match input::open(path) {
            Err(error) => bar.suspend(|| self.refusals.unreadable(&name, line, &error)),
            Ok(opened) => {
                let mut records = Records::new(opened, LINE_LIMIT);
                loop {
                    match records.next_record() {
                        Ok(None) => break,
                        Ok(Some(record)) => {
                            line = record.line;
                            self.record(&name, line, &record.content, out, bar)?;
                        }
                        Err(error) => {
                            bar.suspend(|| self.refusals.unreadable(&name, line, &error));
                            break;
                        }
                    }
                }
            }
        }
        let refused = self.refusals.total() - before.1;
        if self.documents == before.0 && refused > 1 && !self.json {
            let what = match self.normalizers.choice() {
                SourceChoice::Named(source) => format!("a {} record", source.title()),
                SourceChoice::Auto => "a record of a known source".to_owned(),
            };
            bar.suspend(|| {
                output::tell(format_args!(
                    "{}: none of {} records is {what}; is it another kind of file, or packed in a way that is not gzip?",
                    output::printable(&name),
                    output::count(refused)
                ));
            });
        }
        Ok(())
    }

    fn record(
        &mut self,
        file: &str,
        line: u64,
        content: &Content<'_>,
        out: &mut impl Write,
        bar: &ProgressBar,
    ) -> io::Result<()> {
        let bytes = match *content {
            Content::Bytes(bytes) => bytes,
            Content::TooLong { bytes } => {
                bar.suspend(|| self.refusals.too_long(file, line, bytes, LINE_LIMIT));
                return Ok(());
            }
        };
        self.document.clear();
        match self.normalizers.take(bytes, &mut self.document) {
            Ok(Taken::One(outcome)) => self.write(outcome, out)?,
            Ok(Taken::Several(entries)) => {
                for (entry, number) in entries.iter().zip(1..) {
                    match self.normalize(&entry.bytes()) {
                        Ok(outcome) => self.write(outcome, out)?,
                        Err(refusal) => bar.suspend(|| self.refusals.entry(file, line, Some(number), &refusal)),
                    }
                }
            }
            Err(refusal) if refusal.kind == RefusalKind::Size && bytes.len() > RECORD_LIMIT => {
                bar.suspend(|| self.refusals.too_long(file, line, bytes.len() as u64, RECORD_LIMIT));
            }
            Err(refusal) => {
                let refusal = not_text(bytes, &refusal).unwrap_or(refusal);
                bar.suspend(|| self.refusals.record(file, line, &refusal));
            }
        }
        // One record that was large must not hold its memory for the rest of the run.
        if self.document.capacity() > RECORD_LIMIT {
            self.document = Vec::with_capacity(16 * 1024);
        }
        Ok(())
    }

    fn normalize(&mut self, record: &[u8]) -> Result<portcullis_transforms::Outcome, Refusal> {
        let source = self.normalizers.source_of(record)?;
        self.document.clear();
        self.normalizers.record(source, record, &mut self.document)
    }

    fn write(&mut self, outcome: portcullis_transforms::Outcome, out: &mut impl Write) -> io::Result<()> {
        match outcome {
            portcullis_transforms::Outcome::Document => {
                self.documents += 1;
                out.write_all(&self.document)
            }
            portcullis_transforms::Outcome::Dropped => {
                self.dropped += 1;
                Ok(())
            }
        }
    }

    fn summary(&self, files: usize) {
        let filtered = self.normalizers.filtered();
        if self.json {
            output::tell(json!({
                "files": files,
                "documents": self.documents,
                "dropped": self.dropped,
                "filtered": filtered,
                "refused": self.refusals.total(),
                "reasons": self.refusals.by_reason(),
            }));
        } else if self.refusals.total() > 0 || filtered > 0 {
            if self.refusals.untold() > 0 {
                output::tell(format_args!(
                    "{} more refused, of the same reasons (--json tells every one)",
                    output::count(self.refusals.untold())
                ));
            }
            output::tell(format_args!(
                "documents: {}; dropped by design: {}, of these by a filter: {}; refused: {}",
                output::count(self.documents),
                output::count(self.dropped),
                output::count(filtered),
                self.refusals
            ));
        }
    }
}

/// An option that holds for no record at all, told as one: the remedies of refusals are about records.
fn unusable(refusal: &Refusal) -> Failure {
    let (option, remedy) = match refusal.field.as_str() {
        "drop" => ("--drop", "docs/normalize.md describes the language"),
        _ => (
            "--flow-format",
            "give AWS's format string, such as '${version} ${srcaddr} ${dstaddr} ${start}'",
        ),
    };
    Failure::usage(anyhow::anyhow!("{option}: {}; {remedy}", refusal.message))
}

/// Where a record is no text at all, that is what a person needs to hear, whatever the normaliser stumbled on.
fn not_text(record: &[u8], refusal: &Refusal) -> Option<Refusal> {
    if matches!(refusal.kind, RefusalKind::Gzip | RefusalKind::Size) {
        return None;
    }
    let at = std::str::from_utf8(record).err()?.valid_up_to();
    Some(Refusal::new(
        RefusalKind::Encoding,
        "",
        format!(
            "not text: byte 0x{:02x} at offset {at} of the record is not UTF-8",
            record[at]
        ),
    ))
}

/// One transformation event on standard input, the Lambda's response on standard output.
fn one_event(choice: SourceChoice, options: Options, put_back: Option<&Path>) -> Result<Outcome, Failure> {
    let SourceChoice::Named(source) = choice else {
        return Err(Failure::usage(anyhow::anyhow!(
            "--firehose needs --source: a delivery stream carries one source"
        )));
    };
    let mut normalizer = Normalizer::new(source, options).map_err(|refusal| unusable(&refusal))?;
    let mut event = Vec::new();
    io::stdin()
        .lock()
        .take(EVENT_LIMIT + 1)
        .read_to_end(&mut event)
        .context("cannot read standard input")?;
    if event.len() as u64 > EVENT_LIMIT {
        return Err(Failure::new(
            "standard input holds more than 60 MiB, which is no event of Lambda; send one event",
        ));
    }
    let prepared = firehose::prepare(&mut normalizer, &event)?;
    let returned = match put_back {
        Some(path) => {
            write_back(path, prepared.back()).with_context(|| format!("cannot write {}", path.display()))?;
            Returned::everything(prepared.back())
        }
        None => Returned::nothing(
            "--put-back FILE takes what a transform function that is built with the feature `put-back` would put back \
             on the stream",
        ),
    };
    let (response, report) = prepared.finish(&returned);
    let mut out = output::stdout();
    out.write_all(&response)?;
    out.flush()?;
    for line in report.log_lines(&[("source", source.name())]) {
        output::tell(line);
    }
    Ok(if report.failed == 0 {
        Outcome::Done
    } else {
        Outcome::InputRefused
    })
}

/// What goes back to the stream, one JSON object per line: the record that it was in, the key of its shard, the data.
fn write_back(path: &Path, back: &[Back]) -> io::Result<()> {
    let mut file = io::BufWriter::new(File::create(path)?);
    for back in back.iter().filter(|back| !back.is_withdrawn()) {
        let line = json!({
            "record_id": back.record_id(),
            "partition_key": back.partition_key(),
            "data": base64_turbo::STANDARD.encode(back.data()),
        });
        writeln!(file, "{line}")?;
    }
    file.flush()
}

/// Lambda takes 6 MB; ten times that leaves room for hand-made events and bounds memory.
const EVENT_LIMIT: u64 = 60 * 1024 * 1024;
