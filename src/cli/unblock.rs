//! `portcullis unblock`: take denies away, and hold off from denying the address again.

use std::io::Write as _;

use ipnet::IpNet;

use super::operator::{self, Asker, shown};
use super::{Context, DataDir, Failure, Outcome, clock, output};
use crate::respond::{ActReport, Unblock, WallClock};

/// Arguments of `unblock`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  portcullis unblock 45.83.64.9 --reason 'our own scanner'
  portcullis unblock 45.83.64.9 --nacl acl-0a1b2c3d --reason 'only there'
  portcullis unblock --all --reason 'something is wrong' --dry-run

The address is not denied again before the hold-off has passed
(policy.limits.hold_off_hours). To spare it for good: `portcullis allow add`.")]
#[command(group = clap::ArgGroup::new("target").required(true))]
pub(crate) struct Args {
    /// Address or CIDR; entries that overlap it go
    #[arg(value_name = "IP", value_parser = operator::network, group = "target")]
    network: Option<IpNet>,

    /// Every entry on every network ACL
    #[arg(long, group = "target")]
    all: bool,

    /// Only on this network ACL
    #[arg(long, value_name = "ACL")]
    nacl: Option<String>,

    #[command(flatten)]
    asker: Asker,

    /// Say what would be done and touch nothing
    #[arg(long)]
    dry_run: bool,

    /// One JSON object per entry
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    data: DataDir,
}

/// Plans the removals, acts and says how to block again.
pub(crate) async fn run(args: Args, context: &Context) -> Result<Outcome, Failure> {
    let now = clock::now();
    let target = args.network.map_or(Unblock::All, Unblock::Address);
    let (who, reason) = (args.asker.who(), &args.asker.reason);
    let channels = operator::channels(&context.config()?).await?;
    let responder = operator::open(context, &args.data, false).await?;
    let nacl = args.nacl.as_deref();
    let reports = responder.unblock(target, nacl, &who, reason, args.dry_run, now).await?;
    if !args.dry_run {
        operator::finish(&responder, channels.as_ref(), &WallClock).await?;
    }
    let mut out = output::stdout();
    for report in &reports {
        if args.json {
            output::json_line(&mut out, report)?;
        } else {
            output::line(&mut out, &told(report, args.dry_run))?;
        }
    }
    out.flush()?;
    if !args.json {
        match (args.network, reports.iter().any(|report| report.outcome != "held_off")) {
            (_, true) if args.dry_run => {}
            (Some(net), true) => {
                output::tell(format_args!(
                    "Block again: portcullis block {} --reason \"...\"",
                    shown(net)
                ));
            }
            (Some(net), false) => output::tell(format_args!("no entry denied {}", shown(net))),
            (None, true) => {}
            (None, false) => output::tell("no entry stood"),
        }
    }
    Ok(Outcome::Done)
}

fn told(report: &ActReport, dry_run: bool) -> String {
    let (place, rule) = operator::placed(report);
    let address = shown(report.cidr);
    match (report.outcome.as_str(), dry_run) {
        ("held_off", true) => format!("would hold off from denying {address}"),
        ("held_off", false) => format!("holding off from denying {address}"),
        (_, true) => format!("would unblock {address}{place}{rule}"),
        (_, false) => format!("unblocked {address}{place}{rule}"),
    }
}
