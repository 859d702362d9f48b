//! `portcullis list`: the ledger, entry by entry, or its audit.

use std::collections::BTreeMap;
use std::io::Write;

use chrono::{DateTime, Utc};

use super::operator::{self, shown};
use super::{Context, DataDir, Failure, Outcome, clock, output};
use crate::ledger::Filter;
use crate::network_acl::Direction;
use crate::respond::report::{AuditReport, EntryReport};

/// Audit rows that are read at a time.
const PAGE: usize = 1000;

/// Arguments of `list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  portcullis list                what is denied now, the next to go first
  portcullis list --all --json   every entry that ever was, one object per line
  portcullis list --audit        every transition, refusal and manual act")]
pub(crate) struct Args {
    /// Removed, rejected and foreign entries as well
    #[arg(long)]
    all: bool,

    /// Every transition, refusal and manual act instead of the entries
    #[arg(long, conflicts_with = "all")]
    audit: bool,

    /// One JSON object per line
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    data: DataDir,
}

/// Prints entries or the audit.
pub(crate) async fn run(args: Args, context: &Context) -> Result<Outcome, Failure> {
    let responder = operator::open(context, &args.data, false).await?;
    let mut out = output::stdout();
    if args.audit {
        let mut after = 0;
        loop {
            let rows = responder.audit(after, PAGE).await?;
            let Some(last) = rows.last() else {
                break;
            };
            after = last.number;
            for row in &rows {
                if args.json {
                    output::json_line(&mut out, row)?;
                } else {
                    output::line(&mut out, &audit_line(row))?;
                }
            }
        }
        out.flush()?;
        return Ok(Outcome::Done);
    }
    let filter = if args.all { Filter::All } else { Filter::Active };
    let entries = responder.entries(filter).await?;
    if args.json {
        for entry in &entries {
            output::json_line(&mut out, entry)?;
        }
    } else if entries.is_empty() {
        output::tell("nothing is denied");
    } else {
        tables(&mut out, &entries, clock::now())?;
    }
    out.flush()?;
    Ok(Outcome::Done)
}

/// One table per network ACL and direction, so that an entry fits 80 columns.
fn tables(out: &mut impl Write, entries: &[EntryReport], now: DateTime<Utc>) -> std::io::Result<()> {
    let mut places: BTreeMap<(&str, &str, &str, Direction), Vec<&EntryReport>> = BTreeMap::new();
    for entry in entries {
        let place = (
            entry.account.as_str(),
            entry.region.as_str(),
            entry.nacl.as_str(),
            entry.direction,
        );
        places.entry(place).or_default().push(entry);
    }
    for (number, ((account, region, nacl, direction), mut entries)) in places.into_iter().enumerate() {
        if number > 0 {
            output::line(out, "")?;
        }
        output::line(out, &format!("{nacl} {direction}, {account} {region}"))?;
        entries.sort_by_key(|entry| (entry.eviction_order.unwrap_or(u32::MAX), entry.since));
        let mut table = output::Table::new(["RULE", "ADDRESS", "STATE", "SINCE", "HITS", "FINDING"]);
        for entry in entries {
            let rule = entry.rule.map_or("-".to_owned(), |rule| rule.to_string());
            let state = match &entry.removed_because {
                Some(why) => output::clipped(why, 16).into_owned(),
                None => entry.state.clone(),
            };
            let what = if entry.finding_type.is_empty() {
                "by hand"
            } else {
                &entry.finding_type
            };
            table.row([
                rule,
                shown(entry.cidr),
                state,
                format!("{} ago", operator::age(entry.since, now)),
                entry.hits.to_string(),
                output::clipped(operator::short_type(what), 30).into_owned(),
            ]);
        }
        write!(out, "{table}")?;
    }
    Ok(())
}

/// `2026-11-21 18:00:00 UTC applied acl-0a1b ingress 71 45.83.64.9: matched (responder)`
fn audit_line(row: &AuditReport) -> String {
    let mut parts = vec![operator::time(row.at), row.event.clone()];
    parts.extend(row.acl.as_ref().map(|key| key.acl.clone()));
    parts.extend(row.direction.map(|direction| direction.to_string()));
    parts.extend(row.rule.map(|rule| rule.to_string()));
    parts.extend(row.cidr.map(shown));
    format!("{}: {} ({})", parts.join(" "), row.reason, row.who)
}
