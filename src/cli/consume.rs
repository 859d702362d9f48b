//! `portcullis consume`: findings from a Kinesis data stream, read by this host alone or as a child of the KCL's daemon.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::BufReader;

use super::places::Places;
use super::stop::{self, Stop};
use super::{Context, DataDir, Failure, Outcome, operator, stream, upkeep};
use crate::consume::multilang;

/// Arguments of `consume`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  portcullis consume --stream findings
  portcullis consume --stream findings --from TRIM_HORIZON
  portcullis consume --stream findings --metrics 127.0.0.1:9600

Every shard is read, parents before children. How far each was read is in the
ledger: after a restart it goes on there, and two at once do no harm. A record
is one GuardDuty finding or several: bare, in an EventBridge event, in gzip, in
a CloudWatch Logs subscription, or put together by the Kinesis Producer Library.
One that cannot be read is kept and stops nothing. Region, credentials and
endpoint come from the standard AWS variables and files; docs/consume.md has the
rights that it needs. Ctrl-C ends it within five seconds.")]
pub(crate) struct Args {
    /// The stream's name, or its ARN where it is another account's
    #[arg(long, value_name = "NAME", value_parser = stream::name, required_unless_present = "multilang")]
    stream: Option<String>,

    /// Be the child of the KCL's MultiLangDaemon, which divides the shards among hosts; docs/kcl.md has its properties file
    #[arg(long, conflicts_with_all = ["stream", "from", "metrics", "json"])]
    multilang: bool,

    /// Where a shard begins that was never read: LATEST, TRIM_HORIZON (the oldest), or a time such as 2026-11-21T18:00:00Z
    #[arg(long, value_name = "LATEST|TRIM_HORIZON|TIME", default_value = "LATEST", value_parser = stream::from)]
    from: stream::Beginning,

    /// Address and port for Prometheus (/metrics) and load balancers (/healthz)
    #[arg(long, value_name = "ADDRESS:PORT")]
    metrics: Option<SocketAddr>,

    /// One JSON object per finding and address, as `respond --json` writes them
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    data: DataDir,
}

/// Reads until asked to stop.
pub(crate) async fn run(args: Args, context: &Context) -> Result<Outcome, Failure> {
    match args.stream.clone() {
        Some(stream) => whole_stream(args, &stream, context).await,
        None => child(&args, context).await,
    }
}

/// One shard, given by the daemon. Its pipe says when it is over, not Ctrl-C, which the daemon gets too.
async fn child(args: &Args, context: &Context) -> Result<Outcome, Failure> {
    let settings = context.config()?;
    let channels = operator::channels(&settings).await?;
    let responder = Arc::new(operator::open(context, &args.data, true).await?);
    let places = Places::open(&settings, args.data.or(&settings)).await?;
    operator::prepare(&responder).await;
    let (closed, stop) = Stop::by_hand();
    let upkeep = {
        let responder = Arc::clone(&responder);
        tokio::spawn(async move { upkeep::keep(&*responder, channels.as_ref(), Some(&places), stop).await })
    };
    let asked = stop::requested()?;
    let input = BufReader::new(tokio::io::stdin());
    let talked = multilang::run(&*responder, input, tokio::io::stdout()).await;
    drop(asked);
    closed.send_replace(true);
    upkeep.await?;
    talked?;
    Ok(Outcome::Done)
}

/// Says how to get a program that can.
#[cfg(not(feature = "aws"))]
async fn whole_stream(_: Args, stream: &str, _: &Context) -> Result<Outcome, Failure> {
    Err(Failure::without_aws(format_args!("read stream {stream}")))
}

#[cfg(feature = "aws")]
async fn whole_stream(args: Args, stream: &str, context: &Context) -> Result<Outcome, Failure> {
    use super::output;
    use crate::consume::kinesis::{Client, Consumer};
    use crate::{aws, serve};

    let settings = context.config()?;
    let channels = operator::channels(&settings).await?;
    let config = aws::configuration().await.map_err(Failure::usage)?;
    let responder = Arc::new(operator::open(context, &args.data, true).await?);
    let places = Places::open(&settings, args.data.or(&settings)).await?;
    operator::prepare(&responder).await;
    let consumer = Consumer::new(Client::new(&config, stream), Arc::clone(&responder), args.from);
    let consumer = if args.json { consumer.telling(print) } else { consumer };
    let meter = consumer.meter();
    let stop = stop::requested()?;
    let mut metrics = None;
    if let Some(address) = args.metrics {
        let listener = operator::listen(address, "--metrics").await?;
        output::tell(format_args!(
            "portcullis: metrics on http://{}/metrics",
            listener.local_addr()?
        ));
        let gate = Arc::new(serve::Watched::new(Arc::clone(&responder)));
        let (stream, mut closing) = (serve::Stream::new(stream, Arc::clone(&meter)), stop.clone());
        metrics = Some(tokio::spawn(async move {
            serve::run_metrics(listener, gate, stream, async move { closing.wait().await }).await
        }));
    }
    output::tell(format_args!(
        "portcullis: reading {stream} from {}; Ctrl-C ends it",
        args.from
    ));
    let upkeep = {
        let (responder, stop) = (Arc::clone(&responder), stop.clone());
        tokio::spawn(async move { upkeep::keep(&*responder, channels.as_ref(), Some(&places), stop).await })
    };
    consumer.run(stop.watch()).await?;
    upkeep.await?;
    if let Some(metrics) = metrics {
        metrics.await??;
    }
    let reading = meter.reading();
    let unreadable = reading
        .decided
        .get(&("ignore", "unreadable"))
        .copied()
        .unwrap_or_default();
    output::tell(format_args!(
        "records {}, findings {}, unreadable {}; portcullis list shows what was done",
        output::count(reading.records),
        output::count(reading.received),
        output::count(unreadable)
    ));
    Ok(if unreadable == 0 {
        Outcome::Done
    } else {
        Outcome::InputRefused
    })
}

/// A line of `respond --json`, as soon as the decision is durable.
#[cfg(feature = "aws")]
fn print(decision: &crate::respond::Decision) {
    use std::io::Write as _;

    let mut out = std::io::stdout().lock();
    let written = super::respond::json(&mut out, decision).and_then(|()| out.flush());
    if let Err(error) = written {
        tracing::debug!(%error, "a decision was not printed");
    }
}
