//! `portcullis serve`: the pages, the index and the responder on one's own events.

use std::{
    io,
    net::SocketAddr,
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use portcullis_transforms::Options;
use tokio::{runtime::Handle, sync::mpsc};

use super::{
    Context, DataDir, Failure, Outcome, clock, operator, output, places,
    refusals::Refusals,
    stop::{self, Stop},
    stream, upkeep,
};
use crate::{
    config::{Config, Input},
    consume::{Documents, Files, Pipeline, pipeline, positions::Positions},
    index::{Index, embedded},
    input::{self, Content, LINE_LIMIT, Records},
    ledger::AnyLedger,
    network_acl::AnyNetworkAcls,
    respond, serve,
};

/// How long to wait for new events before looking again.
const PAUSE: Duration = Duration::from_millis(500);
/// What was read is made durable and searchable at least this often.
const SETTLE: Duration = Duration::from_secs(1);
/// Where nothing was read, somebody else may have done something all the same: a person, or what a stream brought.
const LOOK: Duration = Duration::from_secs(5);
/// Records from standard input that wait for the pipeline.
const WAITING: usize = 1_000;

/// Arguments of `serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  portcullis config init && portcullis serve --config portcullis.toml
  aws s3 cp s3://findings/today.jsonl - | portcullis serve
  portcullis serve --listen 127.0.0.1:9000
  portcullis serve --stream findings

Beyond 127.0.0.1 the pages ask for the token in $PORTCULLIS_SERVE_TOKEN, or
trust a proxy's header: see [serve] in the configuration.

Without [[sources]] in the configuration and without --stream, records come from
standard input and each one's shape tells what it is. Network ACLs are a model
of EC2's, and nothing is done to an AWS account, unless [network_acls] says
store = \"ec2\".")]
pub(crate) struct Args {
    #[command(flatten)]
    data: DataDir,

    /// Address and port of the pages; without it `serve.listen` of the configuration
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,

    /// A Kinesis data stream of GuardDuty findings to read as well, by its name or its ARN
    #[arg(long, value_name = "NAME", value_parser = stream::name)]
    stream: Option<String>,

    /// Where a shard begins that was never read: LATEST, TRIM_HORIZON (the oldest), or a time such as 2026-11-21T18:00:00Z
    #[arg(long, value_name = "LATEST|TRIM_HORIZON|TIME", default_value = "LATEST", value_parser = stream::from, requires = "stream")]
    from: stream::Beginning,
}

/// Runs until asked to stop.
pub(crate) async fn run(args: Args, context: &Context) -> Result<Outcome, Failure> {
    let config = context.config()?;
    let data = args.data.or(&config).to_owned();
    let listen = args.listen.unwrap_or(config.serve.listen);
    let channels = operator::channels(&config).await?;
    let responder = Arc::new(operator::responder(&config, &data, config.policy.clone()).await?);
    operator::prepare(&responder).await;
    let (index, own) = index(&config, &data).await?;
    let place = match own {
        Some(_) => places::embedded(&config, &data),
        None => places::on_cluster(&config),
    };
    let pipeline = Pipeline::new(Arc::clone(&index), &place, Arc::clone(&responder));
    let tally = pipeline.tally();
    let deployment = Options {
        id_key: context.id_key()?,
        ..config.normalize.options().map_err(Failure::usage)?
    };
    let reader = Reader::new(&config, &data, &deployment, pipeline, args.stream.is_none())?;
    let listener = operator::listen(listen, "--listen").await?;
    let address = listener.local_addr()?;
    let token = std::env::var(&config.serve.token_env).ok();
    let access = serve::Access::of(&config.serve, token.as_deref(), address).map_err(Failure::usage)?;
    let gate = Arc::new(serve::Watched::new(Arc::clone(&responder)));
    let views = Arc::new(serve::Dashboards(Arc::clone(&index)));
    let mut state = serve::State::new(gate, views)?;
    state.slack = channels.is_some();
    state.hosts = serve::Hosts::of(address);
    state.access = access;
    state.acts = config.serve.acts;
    state.tally = Some(tally);
    let stop = stop::requested()?;
    let streamed = match &args.stream {
        Some(name) => {
            let documents = Documents::new(index, &place, deployment).map_err(Failure::usage)?;
            Some(stream::spawn(name, args.from, documents, &responder, &mut state, &stop).await?)
        }
        None => None,
    };
    let mut closing = stop.clone();
    let pages = tokio::spawn(serve::run(listener, state, async move { closing.wait().await }));
    let kept_up = {
        let (responder, stop) = (Arc::clone(&responder), stop.clone());
        tokio::spawn(async move { upkeep::keep(&*responder, channels.as_ref(), None, stop).await })
    };
    let runtime = Handle::current();
    let reading = {
        let stop = stop.clone();
        tokio::task::spawn_blocking(move || reader.run(&runtime, &stop))
    };
    let kept = TimeDelta::days(i64::from(config.retention.days));
    // A cluster deletes by its own policy.
    let expiry = own.map(|index| tokio::spawn(expire(index, kept, stop)));
    output::tell(format_args!(
        "portcullis: pages on http://{address}, data in {}",
        data.display()
    ));
    let refused = reading.await??;
    let mut all_read = true;
    if let Some(streamed) = streamed {
        all_read = streamed.await?;
    }
    pages.await??;
    kept_up.await?;
    if let Some(expiry) = expiry {
        expiry.await?;
    }
    if !all_read {
        return Err(Failure::new("the stream was not read; the log says why"));
    }
    Ok(if refused == 0 {
        Outcome::Done
    } else {
        Outcome::InputRefused
    })
}

/// Where documents go, and the embedded index when it is that.
async fn index(config: &Config, data: &Path) -> Result<(Arc<dyn Index>, Option<Arc<embedded::Embedded>>), Failure> {
    if config.opensearch.serve {
        return Ok((Arc::new(places::cluster(config, data).await?), None));
    }
    let index = Arc::new(embedded::Embedded::open(
        &data.join("index"),
        embedded::Options {
            fields: respond::document::fields().collect(),
            ..embedded::Options::default()
        },
    )?);
    Ok((Arc::clone(&index) as Arc<dyn Index>, Some(index)))
}

/// Removes documents that are older than they are kept for.
async fn expire(index: Arc<embedded::Embedded>, kept: TimeDelta, mut stop: Stop) {
    loop {
        let index = Arc::clone(&index);
        let removed = tokio::task::spawn_blocking(move || index.delete_before(clock::now() - kept)).await;
        if let Ok(Err(error)) = removed {
            tracing::warn!(%error, "old documents stay");
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(3600)) => {}
            () = stop.wait() => return,
        }
    }
}

/// Reads every input in turn, on a thread of its own.
struct Reader {
    pipeline: Pipeline<AnyLedger, AnyNetworkAcls>,
    positions: Positions,
    files: Vec<Files>,
    stdin: Option<Files>,
    refusals: Refusals,
    settled: Instant,
}

impl Reader {
    fn new(
        config: &Config,
        data: &Path,
        deployment: &Options,
        pipeline: Pipeline<AnyLedger, AnyNetworkAcls>,
        stdin_unless_told: bool,
    ) -> Result<Self, Failure> {
        let from_stdin = Input {
            path: "-".to_owned(),
            source: Default::default(),
            flow_format: None,
            trusted_proxies: None,
            community_id: false,
            follow: false,
        };
        let inputs = if config.sources.is_empty() && stdin_unless_told {
            std::slice::from_ref(&from_stdin)
        } else {
            &config.sources
        };
        let mut files = Vec::new();
        for input in inputs {
            files.push(Files::new(input.clone(), deployment).map_err(Failure::usage)?);
        }
        let (mut stdin, files): (Vec<_>, Vec<_>) = files.into_iter().partition(Files::is_stdin);
        Ok(Self {
            pipeline,
            positions: Positions::open(data)?,
            files,
            stdin: stdin.pop(),
            refusals: Refusals::new(false),
            settled: Instant::now(),
        })
    }

    /// Until asked to stop. Returns how many records were refused.
    fn run(mut self, runtime: &Handle, stop: &Stop) -> Result<u64, Failure> {
        let mut stdin = self.stdin.take().map(|files| (files, from_stdin()));
        let mut unsettled = false;
        while !stop.is_requested() {
            let mut read = false;
            if let Some((files, records)) = &mut stdin {
                for _ in 0..WAITING {
                    let Ok((line, record)) = records.try_recv() else { break };
                    let taken = runtime.block_on(self.pipeline.take(files.normalizers(), &record, clock::now()))?;
                    for refused in taken.refused {
                        self.refusals.entry("stdin", line, refused.entry, &refused.refusal);
                    }
                    read = true;
                }
            }
            for at in 0..self.files.len() {
                read |= self.portion(at, runtime, stop)?;
            }
            unsettled |= read;
            let since = self.settled.elapsed();
            if since > LOOK || unsettled && since > SETTLE {
                self.settle(runtime)?;
                unsettled = false;
            }
            if !read {
                thread::sleep(PAUSE);
            }
        }
        self.settle(runtime)?;
        Ok(self.refusals.total())
    }

    /// Reads one portion of one input to its end, or until asked to stop: then the portion is read again next time.
    fn portion(&mut self, at: usize, runtime: &Handle, stop: &Stop) -> Result<bool, Failure> {
        let portion = match self.files[at].next_portion(&self.positions) {
            Ok(Some(portion)) => portion,
            Ok(None) => return Ok(false),
            Err(error) => {
                tracing::warn!(%error, input = self.files[at].path(), "cannot be read; it will be tried again");
                thread::sleep(Duration::from_secs(1));
                return Ok(false);
            }
        };
        let name = portion.path().to_string_lossy().into_owned();
        let mut records = self.files[at].open(&portion)?;
        let mut last = 0;
        loop {
            let record = match records.next_record() {
                Ok(Some(record)) => record,
                Ok(None) => break,
                Err(error) => {
                    self.refusals.unreadable(&name, last, &error);
                    break;
                }
            };
            last = record.line;
            match record.content {
                Content::TooLong { bytes } => self.refusals.too_long(&name, record.line, bytes, LINE_LIMIT),
                Content::Bytes(bytes) => {
                    let normalizers = self.files[at].normalizers();
                    let taken = runtime.block_on(self.pipeline.take(normalizers, bytes, clock::now()))?;
                    for refused in taken.refused {
                        self.refusals.entry(&name, record.line, refused.entry, &refused.refusal);
                    }
                }
            }
            if stop.is_requested() {
                return Ok(true);
            }
            if self.settled.elapsed() > SETTLE {
                self.settle(runtime)?;
            }
        }
        self.settle(runtime)?;
        portion.settle(&mut self.positions);
        self.positions.save()?;
        Ok(true)
    }

    fn settle(&mut self, runtime: &Handle) -> Result<(), pipeline::Error> {
        self.settled = Instant::now();
        runtime.block_on(self.pipeline.settle(clock::now()))
    }
}

/// Records of standard input with their lines, read by a thread that ends with its input or with the process.
fn from_stdin() -> mpsc::Receiver<(u64, Vec<u8>)> {
    let (records, waiting) = mpsc::channel(WAITING);
    thread::spawn(move || {
        let read = || -> io::Result<()> {
            let mut input = Records::new(input::open(Path::new("-"))?, LINE_LIMIT);
            while let Some(record) = input.next_record()? {
                match record.content {
                    Content::Bytes(bytes) => {
                        if records.blocking_send((record.line, bytes.to_vec())).is_err() {
                            return Ok(());
                        }
                    }
                    Content::TooLong { bytes } => {
                        tracing::warn!(line = record.line, bytes, "stdin: a record over the limit was refused");
                    }
                }
            }
            Ok(())
        };
        if let Err(error) = read() {
            tracing::warn!(%error, "standard input cannot be read on");
        }
    });
    waiting
}
