//! `portcullis demo`: the whole of it on generated events, on the model of EC2 and never on AWS.

use std::{
    io::Write,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use tokio::net::TcpListener;

use super::{Context, Failure, Outcome, clock, output, stop};
use crate::{
    demo::{Demo, Folder, Summary},
    generate::{DEFAULT_UNTIL, Live, Story},
    index::Index,
    respond::report::AuditReport,
    serve,
};

const PORT: u16 = 8600;

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  portcullis demo                   pages on http://127.0.0.1:8600, until Ctrl-C
  portcullis demo --once --json     a day, the responses, the summary, exit
  portcullis demo --once --seed 2 --data two && portcullis list --data two

Events are generated, network ACLs are a model: no credentials are read, AWS is
never called, and no message leaves this machine. With --once the day is a fixed
one, so the same seed gives the same numbers; otherwise it ends now.")]
pub(crate) struct Args {
    /// Port of the pages on this machine; without it 8600, or any free one when that is taken
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,

    /// Folder for ledger, network ACL model and index, made anew; without it one in your cache folder
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// What the events are made from
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,

    /// Load the day, respond, print the summary and exit; not 0 when anything that should have happened did not
    #[arg(long)]
    once: bool,

    /// Print the summary as JSON; without --once at the end
    #[arg(long)]
    json: bool,
}

/// Loads the history, then exits or goes on live.
pub(crate) async fn run(args: Args, _context: &Context) -> Result<Outcome, Failure> {
    let folder = Folder::prepare(args.data.as_deref()).map_err(Failure::usage)?;
    let listener = if args.once { None } else { Some(bind(args.port).await?) };
    let until = if args.once {
        DEFAULT_UNTIL
    } else {
        clock::now().trunc_subsecs(0)
    };
    let mut story = Story::new(args.seed, until, TimeDelta::hours(24));
    let mut demo = Demo::new(folder.path(), story.environment())?;
    let mut stop = stop::requested()?;
    tokio::select! {
        loaded = load(&mut demo, &mut story, until) => loaded?,
        () = stop.wait() => return Err(Failure::new("stopped while loading; nothing was left undone outside the demo's folder")),
    }
    if let Some(listener) = listener {
        live(&args, &mut demo, story, listener, stop).await?;
    }
    let now = if args.once { until } else { clock::now() };
    let summary = demo.summary(&folder.path().to_string_lossy(), args.seed, now).await?;
    let shortfalls = demo.shortfalls(&summary).await?;
    let mut out = output::stdout();
    if args.json {
        output::json_line(&mut out, &summary)?;
    } else {
        print(&mut out, &summary)?;
    }
    out.flush()?;
    if shortfalls.is_empty() {
        return Ok(Outcome::Done);
    }
    Err(Failure::new(format_args!(
        "the demo fell short:\n  {}",
        shortfalls.join("\n  ")
    )))
}

async fn bind(asked: Option<u16>) -> Result<TcpListener, Failure> {
    let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    match (TcpListener::bind(at(asked.unwrap_or(PORT))).await, asked) {
        (Ok(listener), _) => Ok(listener),
        (Err(_), None) => Ok(TcpListener::bind(at(0)).await?),
        (Err(error), Some(port)) => Err(Failure::new(format_args!(
            "cannot listen on 127.0.0.1:{port}: {error}; choose another with --port, or leave it out for a free one"
        ))),
    }
}

/// Loads the history; the clock is the arrival of each event.
async fn load(demo: &mut Demo, story: &mut Story, until: DateTime<Utc>) -> Result<(), Failure> {
    demo.flush_commits(false)?;
    let bar = output::progress(story.left(), "loading 24 hours of events");
    while let Some(event) = story.next() {
        demo.take(&event, story).await?;
        bar.inc(1);
    }
    demo.settle(until).await?;
    demo.flush_commits(true)?;
    bar.finish_and_clear();
    Ok(())
}

/// Serves the pages and goes on with new events until asked to stop.
async fn live(
    args: &Args,
    demo: &mut Demo,
    story: Story,
    listener: TcpListener,
    mut stop: stop::Stop,
) -> Result<(), Failure> {
    let address = listener.local_addr()?;
    let gate = Arc::new(serve::Watched::new(Arc::clone(demo.responder())));
    let views = Arc::new(serve::Dashboards(Arc::clone(demo.index()) as Arc<dyn Index>));
    let mut state = serve::State::new(gate, views)?;
    state.demo = true;
    // What a person does here, a model takes.
    state.acts = true;
    state.tally = Some(demo.tally());
    let mut closing = stop.clone();
    let pages = tokio::spawn(serve::run(listener, state, async move { closing.wait().await }));
    output::tell(format_args!(
        "\n  Portcullis demo: http://{address}\n\n  Generated events, a model of network ACLs, no AWS. Ctrl-C ends it.\n"
    ));
    let mut live = Live::new(story, args.seed, clock::now());
    loop {
        let pause = (live.due() - clock::now()).to_std().unwrap_or_default();
        tokio::select! {
            () = tokio::time::sleep(pause.max(Duration::from_millis(500))) => {}
            () = stop.wait() => break,
        }
        // A batch ends with a finding, so that what the responder does is known before the next one is made up.
        loop {
            let events = live.next(clock::now());
            if events.is_empty() {
                break;
            }
            for event in events {
                for row in demo.take(&event, &mut live).await? {
                    tell(&row);
                }
            }
        }
        demo.settle(clock::now()).await?;
    }
    pages.await??;
    Ok(())
}

/// One line for what happened on a network ACL.
fn tell(row: &AuditReport) {
    let (Some(cidr), Some(key), Some(direction)) = (row.cidr, &row.acl, row.direction) else {
        return;
    };
    let what = match row.event.as_str() {
        "applied" => "denied ",
        "evicted" => "evicted",
        _ => return,
    };
    let (at, rule) = (
        row.at.format("%H:%M:%S"),
        row.rule.map(|rule| format!(" rule {rule}")).unwrap_or_default(),
    );
    output::tell(format_args!(
        "{at} UTC  {what}  {:<15}  {} {direction}{rule}",
        cidr.addr(),
        key.acl
    ));
}

/// The summary for a person.
fn print(out: &mut impl Write, summary: &Summary) -> std::io::Result<()> {
    let count = |number: u64| output::count(number);
    writeln!(out, "Indexed")?;
    for (source, documents) in &summary.indexed {
        writeln!(out, "  {source:<14} {:>10}", count(*documents))?;
    }
    writeln!(out, "Findings         {:>10}", count(summary.findings))?;
    writeln!(out, "  blocked        {:>10}", count(summary.blocked))?;
    writeln!(out, "  evicted        {:>10}", count(summary.evicted))?;
    writeln!(out, "Not blocked, and why")?;
    for (reason, decisions) in &summary.not_blocked {
        writeln!(out, "  {reason:<20} {:>4}", count(*decisions))?;
    }
    writeln!(
        out,
        "Alerts           {:>10}   in {} messages",
        count(summary.alerts),
        count(summary.messages)
    )?;
    writeln!(out, "Network ACLs")?;
    for acl in summary.nacls.iter().filter(|acl| !acl.managed.is_empty()) {
        writeln!(
            out,
            "  {} {:<8} {:>2} denied",
            acl.id,
            acl.direction.name(),
            acl.managed.len()
        )?;
    }
    writeln!(out, "\nLook closer: portcullis list --data {}", summary.data)
}
