//! `portcullis block`: deny an address by hand. The guards bind a person, too.

use std::io::Write as _;

use ipnet::IpNet;

use super::operator::{self, Asker, Until, shown};
use super::{Context, DataDir, Failure, Outcome, clock, output};
use crate::network_acl::Direction;
use crate::respond::{ActReport, Block, Reason, WallClock};

/// Arguments of `block`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  portcullis block 45.83.64.9 --reason 'brute force on the bastion, ticket 4711'
  portcullis block 45.83.64.0/24 --direction both --until 24h --reason scan
  portcullis block 45.83.64.9 --reason test --dry-run

Our own addresses, private ranges, AWS services and the allow-list are never
denied: `portcullis allow` and [policy.lists] say what is spared. Undo with
`portcullis unblock`.")]
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
    let now = clock::now();
    let block = Block {
        cidr: args.network,
        acl: args.nacl,
        directions: args.direction.directions(),
        until: args.until.map(|until| until.after(now)).transpose()?,
        who: args.asker.who(),
        reason: args.asker.reason,
        dry_run: args.dry_run,
    };
    let channels = operator::channels(&context.config()?).await?;
    let responder = operator::open(context, &args.data, false).await?;
    operator::prepare(&responder).await;
    let reports = responder.block(&block, now).await?;
    let tense = match args.dry_run {
        true => Tense::Would,
        false if operator::finish(&responder, channels.as_ref(), &WallClock).await? => Tense::Done,
        false => Tense::Planned,
    };
    let stands = |report: &ActReport| report.outcome != "refused" || report.reason == Reason::AlreadyBlocked;
    let done = reports.iter().any(stands);
    let mut out = output::stdout();
    for report in &reports {
        if args.json {
            output::json_line(&mut out, report)?;
        } else if done {
            output::line(&mut out, &told(report, tense))?;
        }
    }
    out.flush()?;
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

#[derive(Clone, Copy)]
enum Tense {
    Would,
    Planned,
    Done,
}

/// `denied 45.83.64.9 on acl-0a1b ingress, rule 71, in place of 45.83.64.8`
fn told(report: &ActReport, tense: Tense) -> String {
    let address = shown(report.cidr);
    let (place, rule) = operator::placed(report);
    if report.outcome == "refused" {
        return format!("not denied {address}{place}: {}", why(report));
    }
    let evicts = report.evicts.map(|net| format!(", in place of {}", shown(net)));
    let verb = match tense {
        Tense::Would => "would deny",
        Tense::Planned => "will deny",
        Tense::Done => "denied",
    };
    format!("{verb} {address}{place}{rule}{}", evicts.unwrap_or_default())
}

/// `private: the address is private (RFC 1918, unique local)`
fn why(report: &ActReport) -> String {
    let meaning = report.reason.meaning().trim_end_matches('.');
    let (first, rest) = meaning.split_at(1);
    format!("{}: {}{rest}", report.reason, first.to_lowercase())
}

fn refused(reports: &[ActReport], net: IpNet) -> String {
    let why = reports.first().map_or_else(
        || "no network ACL is known yet; the first finding or `portcullis demo` makes them known".to_owned(),
        |report| format!("{}; docs/reasons.md has the words", why(report)),
    );
    format!("{} was not denied: {why}", shown(net))
}
