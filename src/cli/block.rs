//! `portcullis block`: deny an address by hand. The guards bind a person, too.

use std::io::Write as _;

use chrono::Utc;
use ipnet::IpNet;

use super::operator::{self, Asker, Until, shown};
use super::{Context, DataDir, Failure, Outcome, output};
use crate::network_acl::Direction;
use crate::respond::{ActReport, Block};

/// Arguments of `block`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  portcullis block 45.83.64.9 --reason 'brute force on the bastion, ticket 4711'
  portcullis block 45.83.64.0/24 --nacl acl-0a1b2c3d --direction both --until 24h --reason 'scanners'
  portcullis block 45.83.64.9 --reason test --dry-run

Our own addresses, private ranges, AWS services and the allow-list are never denied: `portcullis allow`
and [policy.lists] say what is spared. Undo with `portcullis unblock`.")]
pub(crate) struct Args {
    /// Address or CIDR
    #[arg(value_name = "IP", value_parser = operator::network)]
    network: IpNet,

    /// Only on this network ACL; without it on every one that is known
    #[arg(long, value_name = "ACL")]
    nacl: Option<String>,

    /// Which traffic to deny: ingress, egress or both
    #[arg(long, value_name = "WAY", default_value = "ingress")]
    direction: Way,

    /// Until then: a time with its offset, or 30m, 24h, 7d from now; without it until evicted or unblocked
    #[arg(long, value_name = "TIME", value_parser = operator::until)]
    until: Option<Until>,

    #[command(flatten)]
    asker: Asker,

    /// Say what would be done and touch nothing
    #[arg(long)]
    dry_run: bool,

    /// One JSON object per network ACL and direction
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    data: DataDir,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Way {
    Ingress,
    Egress,
    Both,
}

impl Way {
    fn directions(self) -> Vec<Direction> {
        match self {
            Way::Ingress => vec![Direction::Ingress],
            Way::Egress => vec![Direction::Egress],
            Way::Both => vec![Direction::Ingress, Direction::Egress],
        }
    }
}

/// Plans, acts and says how to undo it.
pub(crate) async fn run(args: Args, context: &Context) -> Result<Outcome, Failure> {
    let now = Utc::now();
    let block = Block {
        cidr: args.network,
        acl: args.nacl,
        directions: args.direction.directions(),
        until: args.until.map(|until| until.after(now)).transpose()?,
        who: args.asker.who(),
        reason: args.asker.reason,
        dry_run: args.dry_run,
    };
    let responder = operator::open(context, &args.data, false)?;
    let reports = responder.block(&block, now).await?;
    if !args.dry_run {
        operator::finish(&responder, context, now).await?;
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
    let done = reports.iter().any(|report| report.outcome != "refused");
    if !done {
        return Err(Failure::new(refused(&reports, block.cidr)));
    }
    if !args.json && !args.dry_run {
        output::tell(format_args!(
            "Undo: portcullis unblock {} --reason \"...\"",
            shown(block.cidr)
        ));
    }
    Ok(Outcome::Done)
}

/// `denied 45.83.64.9: acl-0a1b ingress, rule 71, in place of 45.83.64.8`
fn told(report: &ActReport, dry_run: bool) -> String {
    let place = match (&report.acl, report.direction) {
        (Some(key), Some(direction)) => format!(" on {} {direction}", key.acl),
        _ => String::new(),
    };
    let rule = report.rule.map(|rule| format!(", rule {rule}")).unwrap_or_default();
    let evicts = report
        .evicts
        .map(|net| format!(", in place of {}", shown(net)))
        .unwrap_or_default();
    let verb = match (report.outcome.as_str(), dry_run) {
        ("planned", true) => "would deny",
        ("planned", false) => "denied",
        (other, _) => other,
    };
    let why = if report.outcome == "refused" {
        format!(": {} ({})", report.reason.meaning(), report.reason)
    } else {
        String::new()
    };
    format!("{verb} {}{place}{rule}{evicts}{why}", shown(report.cidr))
}

fn refused(reports: &[ActReport], net: IpNet) -> String {
    match reports.first() {
        Some(report) => format!(
            "{} was not denied: {} ({}); docs/reasons.md explains the word",
            shown(net),
            report.reason.meaning(),
            report.reason
        ),
        None => format!(
            "{} was not denied: no network ACL is known yet; the first finding or `portcullis demo` makes them known",
            shown(net)
        ),
    }
}
