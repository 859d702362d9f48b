//! `portcullis status`: mode, slots used, what is pending, what was not blocked and why.

use std::io::Write;

use chrono::TimeDelta;

use super::operator::{self, shown};
use super::{Context, DataDir, Failure, Outcome, clock, output};
use crate::respond::report::{AclReport, Mode, StatusReport};

/// Arguments of `status`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// One JSON document
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    data: DataDir,
}

/// Prints how things stand.
pub(crate) async fn run(args: Args, context: &Context) -> Result<Outcome, Failure> {
    let now = clock::now();
    let responder = operator::open(context, &args.data, false).await?;
    let status = responder.status(now).await?;
    let mut out = output::stdout();
    if args.json {
        output::json_line(&mut out, &status)?;
    } else {
        for_people(&mut out, &status)?;
    }
    out.flush()?;
    Ok(Outcome::Done)
}

fn for_people(out: &mut impl Write, status: &StatusReport) -> std::io::Result<()> {
    let mode = match status.mode {
        Mode::Shadow => "shadow: decides and tells, touches nothing",
        Mode::Enforce => "enforce",
    };
    output::line(out, &format!("mode      {mode}"))?;
    if let Some(paused) = &status.paused {
        output::line(out, &format!("paused    {paused}"))?;
    }
    let n = output::count;
    output::line(
        out,
        &format!(
            "denied    {} now; {} blocked, {} evicted, {} expired so far",
            n(status.applied),
            n(status.blocked),
            n(status.evicted),
            n(status.expired)
        ),
    )?;
    let pending = if status.pending == 0 {
        "nothing".to_owned()
    } else {
        let seconds = i64::try_from(status.pending_age_seconds).unwrap_or(i64::MAX / 1000);
        let now = clock::now();
        format!(
            "{}, the oldest for {}",
            n(status.pending),
            operator::age(now - TimeDelta::seconds(seconds), now)
        )
    };
    output::line(out, &format!("pending   {pending}"))?;
    output::line(
        out,
        &format!(
            "findings  {} read, {} that could not be read",
            n(status.findings),
            n(status.unreadable)
        ),
    )?;
    output::line(
        out,
        &format!(
            "messages  {} delivered, {} waiting, for {} alerts",
            n(status.messages),
            n(status.messages_waiting),
            n(status.alerts)
        ),
    )?;
    let busy: Vec<&AclReport> = status.acls.iter().filter(|acl| !acl.managed.is_empty()).collect();
    if !busy.is_empty() {
        let mut table = output::Table::new(["NETWORK ACL", "WAY", "SLOTS", "RULES", "OTHERS", "NEXT OUT"]);
        for acl in busy {
            let next = acl.managed.first().map_or("-".to_owned(), |entry| shown(entry.cidr));
            table.row([
                acl.key.acl.clone(),
                acl.direction.to_string(),
                format!("{}/{}", acl.held(), acl.limit),
                format!("{}-{}", acl.range.0, acl.range.1),
                acl.foreign.len().to_string(),
                next,
            ]);
        }
        output::line(out, "")?;
        write!(out, "{table}")?;
    }
    if !status.not_blocked.is_empty() {
        output::line(out, "")?;
        let mut table = output::Table::new(["NOT BLOCKED BECAUSE", "TIMES"]);
        for (reason, times) in &status.not_blocked {
            table.row([reason.clone(), n(*times)]);
        }
        write!(out, "{table}")?;
    }
    Ok(())
}
