//! `portcullis allow`: the list of addresses that are never denied.

use std::io::Write as _;

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use serde_json::json;

use super::operator::{self, Asker, Until, shown};
use super::{Context, DataDir, Failure, Outcome, clock, output};
use crate::ledger::Filter;
use crate::network_acl::Direction;
use crate::respond::WallClock;

/// Arguments of `allow`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  portcullis allow add 45.83.64.9 --until 7d --reason 'penetration test'
  portcullis allow list
  portcullis allow remove 45.83.64.9 --reason 'the test is over'

What is spared for good belongs into [policy.lists] of portcullis.toml.")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Never deny an address; denies that stand are taken away
    Add(Add),
    /// Let an address be denied again
    Remove(Remove),
    /// Show the list, with the configuration's part
    List(List),
}

#[derive(Debug, clap::Args)]
struct Add {
    /// Address or CIDR
    #[arg(value_name = "IP", value_parser = operator::network)]
    network: IpNet,

    /// Until then: a time with its offset, or 30m, 24h, 7d from now; without it for good
    #[arg(long, value_name = "TIME", value_parser = operator::until)]
    until: Option<Until>,

    #[command(flatten)]
    asker: Asker,

    /// Say what would be done and touch nothing
    #[arg(long)]
    dry_run: bool,

    /// Print JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    data: DataDir,
}

#[derive(Debug, clap::Args)]
struct Remove {
    /// Address or CIDR, as it stands on the list
    #[arg(value_name = "IP", value_parser = operator::network)]
    network: IpNet,

    #[command(flatten)]
    asker: Asker,

    /// Say what would be done and touch nothing
    #[arg(long)]
    dry_run: bool,

    /// Print JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    data: DataDir,
}

#[derive(Debug, clap::Args)]
struct List {
    /// One JSON object per network
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    data: DataDir,
}

/// Runs one of the three.
pub(crate) async fn run(args: Args, context: &Context) -> Result<Outcome, Failure> {
    match args.action {
        Action::Add(args) => add(args, context).await,
        Action::Remove(args) => remove(args, context).await,
        Action::List(args) => list(args, context).await,
    }
}

/// An entry that goes because its address is allowed.
#[derive(serde::Serialize)]
struct Freed {
    cidr: String,
    nacl: String,
    direction: Direction,
    rule: Option<u16>,
}

async fn add(args: Add, context: &Context) -> Result<Outcome, Failure> {
    let now = clock::now();
    let net = args.network;
    if net.prefix_len() == 0 {
        return Err(Failure::usage(anyhow::anyhow!(
            "{net} spares the whole internet; set policy.mode = \"shadow\" to block nothing"
        )));
    }
    let until = args.until.map(|until| until.after(now)).transpose()?;
    let channels = operator::channels(&context.config()?).await?;
    let responder = operator::open(context, &args.data, true).await?;
    let freed: Vec<Freed> = if args.dry_run {
        let entries = responder.entries(Filter::Active).await?;
        let standing = entries
            .iter()
            .filter(|entry| entry.cidr.contains(&net) || net.contains(&entry.cidr));
        let standing = standing.map(|entry| Freed {
            cidr: shown(entry.cidr),
            nacl: entry.nacl.clone(),
            direction: entry.direction,
            rule: entry.rule,
        });
        standing.collect()
    } else {
        let who = args.asker.who();
        let reports = responder.allow_add(net, until, &who, &args.asker.reason, now).await?;
        operator::finish(&responder, channels.as_ref(), &WallClock).await?;
        let taken = reports.into_iter().filter_map(|report| {
            Some(Freed {
                cidr: shown(report.cidr),
                nacl: report.acl?.acl,
                direction: report.direction?,
                rule: report.rule,
            })
        });
        taken.collect()
    };
    let end = until.map_or("for good".to_owned(), |until| {
        format!("until {}", operator::time_and_age(until, now))
    });
    let mut out = output::stdout();
    if args.json {
        let line = json!({"cidr": net, "until": until, "dry_run": args.dry_run, "unblocked": freed});
        output::json_line(&mut out, &line)?;
    } else {
        let (verb, took) = if args.dry_run {
            ("would allow", "would unblock")
        } else {
            ("allowed", "unblocked")
        };
        output::line(&mut out, &format!("{verb} {} {end}", shown(net)))?;
        for entry in &freed {
            let rule = entry.rule.map(|rule| format!(", rule {rule}")).unwrap_or_default();
            let place = format!("{} {}{rule}", entry.nacl, entry.direction);
            output::line(&mut out, &format!("{took} {} on {place}", entry.cidr))?;
        }
    }
    out.flush()?;
    if !args.json && !args.dry_run {
        output::tell(format_args!(
            "Undo: portcullis allow remove {} --reason \"...\"",
            shown(net)
        ));
    }
    Ok(Outcome::Done)
}

async fn remove(args: Remove, context: &Context) -> Result<Outcome, Failure> {
    let now = clock::now();
    let responder = operator::open(context, &args.data, false).await?;
    let net = args.network;
    let was_there = if args.dry_run {
        responder.allow_list().await?.iter().any(|entry| entry.cidr == net)
    } else {
        let who = args.asker.who();
        responder.allow_remove(net, &who, &args.asker.reason, now).await?
    };
    if !was_there {
        return Err(Failure::new(format_args!(
            "{} is not on the list; `portcullis allow list` shows what is",
            shown(net)
        )));
    }
    let mut out = output::stdout();
    if args.json {
        output::json_line(
            &mut out,
            &json!({"cidr": net, "removed": !args.dry_run, "dry_run": args.dry_run}),
        )?;
    } else {
        let verb = if args.dry_run { "would remove" } else { "removed" };
        output::line(&mut out, &format!("{verb} {} from the allow-list", shown(net)))?;
    }
    out.flush()?;
    if !args.json && !args.dry_run {
        output::tell(format_args!(
            "Undo: portcullis allow add {} --reason \"...\"",
            shown(net)
        ));
    }
    Ok(Outcome::Done)
}

async fn list(args: List, context: &Context) -> Result<Outcome, Failure> {
    let now = clock::now();
    let config = context.config()?;
    let kept = if operator::has_ledger(&config, args.data.or(&config)) {
        operator::open(context, &args.data, false).await?.allow_list().await?
    } else {
        Vec::new()
    };
    let mut out = output::stdout();
    if args.json {
        for net in &config.policy.lists.allow {
            let line =
                json!({"cidr": net, "until": null, "active": true, "who": "configuration", "reason": null, "at": null});
            output::json_line(&mut out, &line)?;
        }
        for entry in &kept {
            let active = is_active(entry.until, now);
            let line = json!({"cidr": entry.cidr, "until": entry.until, "active": active, "who": entry.who,
                "reason": entry.reason, "at": entry.at});
            output::json_line(&mut out, &line)?;
        }
        out.flush()?;
        return Ok(Outcome::Done);
    }
    let mut table = output::Table::new(["ADDRESS", "UNTIL", "BY", "REASON"]);
    for net in &config.policy.lists.allow {
        table.row([shown(*net).as_str(), "for good", "configuration", "policy.lists.allow"]);
    }
    for entry in &kept {
        let until = match entry.until {
            None => "for good".to_owned(),
            Some(until) if !is_active(Some(until), now) => format!("ended {} ago", operator::age(until, now)),
            Some(until) => operator::time_and_age(until, now),
        };
        table.row([shown(entry.cidr), until, entry.who.clone(), entry.reason.clone()]);
    }
    if kept.is_empty() && config.policy.lists.allow.is_empty() {
        output::tell("the allow-list is empty");
    } else {
        write!(out, "{table}")?;
    }
    out.flush()?;
    Ok(Outcome::Done)
}

fn is_active(until: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    until.is_none_or(|until| now < until)
}
