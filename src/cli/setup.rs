//! `portcullis setup ledger`: makes what the ledger on AWS needs. Nothing else ever does.

use super::{Context, Failure, Outcome};

/// Arguments of `setup`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Make the DynamoDB table of the ledger, or what is missing of it
    #[command(after_help = "\
Examples:
  portcullis setup ledger --dry-run          say what would be done
  AWS_REGION=eu-west-1 portcullis setup ledger

To call it again changes nothing. Region, credentials and endpoint come from
the standard AWS variables and files. The table is on demand and protected from
deletion. It needs dynamodb:CreateTable, DescribeTable, UpdateTimeToLive,
DescribeTimeToLive, GetItem and PutItem on it.")]
    Ledger {
        /// The table's name; without it `ledger.table` of the configuration
        #[arg(long, value_name = "NAME")]
        table: Option<String>,

        /// Say what would be done, and do nothing
        #[arg(long)]
        dry_run: bool,

        /// Print one JSON object: {"table":..,"region":..,"steps":[..],"dry_run":..}
        #[arg(long)]
        json: bool,
    },
}

/// Makes what is missing.
#[cfg(feature = "aws")]
pub(crate) async fn run(args: Args, context: &Context) -> Result<Outcome, Failure> {
    use std::io::Write as _;

    use serde_json::json;

    use super::output;
    use crate::ledger::dynamodb::{self, DynamoDbLedger};

    let What::Ledger { table, dry_run, json } = args.what;
    let table = match table {
        Some(table) => table,
        None => context.config()?.ledger.table,
    };
    let config = dynamodb::configuration().await?;
    let done = DynamoDbLedger::setup(&config, &table, dry_run).await?;
    let mut out = output::stdout();
    if json {
        let said = json!({"table": done.table, "region": done.region, "steps": done.steps, "dry_run": dry_run});
        output::json_line(&mut out, &said)?;
    } else {
        let place = format!("table {} in {}", done.table, done.region);
        for step in &done.steps {
            output::line(
                &mut out,
                &format!("{place}: {}{step}", if dry_run { "would " } else { "" }),
            )?;
        }
        if done.steps.is_empty() {
            output::line(&mut out, &format!("{place}: all is there"))?;
        }
    }
    out.flush()?;
    Ok(Outcome::Done)
}

/// Says how to get a program that can.
#[cfg(not(feature = "aws"))]
pub(crate) fn run(args: Args, _: &Context) -> Result<Outcome, Failure> {
    let What::Ledger { .. } = args.what;
    Err(Failure::without_aws("make the table"))
}
