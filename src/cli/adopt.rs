//! `portcullis adopt`: takes over entries that another program made.

use std::io::Write as _;

use super::operator::{self, Asker, Until, shown};
use super::{Context, DataDir, Failure, Outcome, clock, output};
use crate::ledger::Listed;
use crate::respond::{ActReport, Adopt};

/// Arguments of `adopt`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  portcullis adopt --table GuardDutytoACL-1AB --reason 'migration' --dry-run
  portcullis adopt --nacl acl-0a1b --until 30d --reason 'migration'

For moving from the widely copied Python Lambda, whose table has NetACLId,
CreatedAt, HostIp, RuleNo and Region: stop the Lambda first. Only the ledger
changes. An entry is taken over when it is a plain deny at one of our rule
numbers ([policy.limits]), there is room, and no guard speaks for the address;
the oldest is the first to make way. What is refused stays where it stands.")]
pub(crate) struct Args {
    /// Only what this DynamoDB table of the Lambda lists; without it every entry at our rule numbers
    #[arg(long, value_name = "TABLE")]
    table: Option<String>,

    /// Only on this network ACL; without it on every one that is known
    #[arg(long, value_name = "ACL")]
    nacl: Option<String>,

    /// They stand until then: a time with its offset, or 30m, 24h, 7d from now; without it until evicted or unblocked
    #[arg(long, value_name = "TIME", value_parser = operator::until)]
    until: Option<Until>,

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

/// Takes over, and says what became of each entry.
pub(crate) async fn run(args: Args, context: &Context) -> Result<Outcome, Failure> {
    let now = clock::now();
    let (listed, refused) = match &args.table {
        Some(table) => {
            let (listed, unreadable) = listed(table).await?;
            for why in &unreadable {
                output::tell(format_args!("{table}: a row is left out: {why}"));
            }
            (Some(listed), !unreadable.is_empty())
        }
        None => (None, false),
    };
    let adopt = Adopt {
        acl: args.nacl,
        listed,
        until: args.until.map(|until| until.after(now)).transpose()?,
        who: args.asker.who(),
        reason: args.asker.reason,
        dry_run: args.dry_run,
    };
    let responder = operator::open(context, &args.data, true).await?;
    operator::prepare(&responder).await;
    let reports = responder.adopt(&adopt, now).await?;
    let mut out = output::stdout();
    for report in &reports {
        if args.json {
            output::json_line(&mut out, report)?;
        } else {
            output::line(&mut out, &told(report, args.dry_run))?;
        }
    }
    out.flush()?;
    if reports.is_empty() && !args.json {
        output::tell("nothing to take over");
    }
    Ok(if refused { Outcome::InputRefused } else { Outcome::Done })
}

#[cfg(feature = "aws")]
async fn listed(table: &str) -> Result<(Vec<Listed>, Vec<String>), Failure> {
    use crate::ledger::dynamodb;

    let config = dynamodb::configuration().await?;
    Ok(dynamodb::listed(&config, table).await?)
}

#[cfg(not(feature = "aws"))]
async fn listed(table: &str) -> Result<(Vec<Listed>, Vec<String>), Failure> {
    Err(Failure::without_aws(format_args!("read table {table}")))
}

/// `took over 45.83.64.9 on acl-0a1b ingress, rule 71`
fn told(report: &ActReport, dry_run: bool) -> String {
    let (place, rule) = operator::placed(report);
    let address = shown(report.cidr);
    match (report.outcome.as_str(), dry_run) {
        ("missing", _) => format!("not there: {address}{place}{rule}"),
        ("out_of_range", _) => format!("left: {address}{place}{rule}: not one of our rule numbers"),
        ("unknown_acl", _) => format!("not there: {address}{rule}: its network ACL is gone, or not reached"),
        ("refused", _) => format!("left: {address}{place}{rule}: {}", report.reason),
        (_, true) => format!("would take over {address}{place}{rule}"),
        (_, false) => format!("took over {address}{place}{rule}"),
    }
}
