//! `portcullis reconcile`: compare the ledger with what stands, and make them agree.

use std::io::Write as _;

use super::operator::{self, shown};
use super::{Context, DataDir, Failure, Outcome, output};
use crate::respond::WallClock;

/// Arguments of `reconcile`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  portcullis reconcile --dry-run
  portcullis reconcile --json

What seems wrong for the first time is only put in doubt; it is acted on when
it is still so later. `portcullis serve` does this by itself.")]
pub(crate) struct Args {
    /// Say what is found and touch nothing
    #[arg(long)]
    dry_run: bool,

    /// One JSON object per disagreement
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    data: DataDir,
}

/// Compares, repairs and says what was found.
pub(crate) async fn run(args: Args, context: &Context) -> Result<Outcome, Failure> {
    let channels = operator::channels(&context.config()?).await?;
    let responder = operator::open(context, &args.data, false).await?;
    let found = responder.reconcile(WallClock, args.dry_run).await?;
    if !args.dry_run {
        operator::finish(&responder, channels.as_ref(), &WallClock).await?;
    }
    let mut out = output::stdout();
    for drift in &found {
        if args.json {
            output::json_line(&mut out, drift)?;
        } else {
            let (acl, cidr) = (&drift.acl.acl, shown(drift.cidr));
            let line = format!(
                "{:<18} {acl} {} rule {} {cidr}",
                drift.drift, drift.direction, drift.rule
            );
            output::line(&mut out, &line)?;
        }
    }
    out.flush()?;
    if found.is_empty() && !args.json {
        output::tell("the ledger and the network ACLs agree");
    }
    Ok(Outcome::Done)
}
