//! `portcullis pause` and `portcullis resume`: findings make nothing new, and make it again.

use std::io::Write as _;

use serde_json::json;

use super::operator::{self, Asker, Until};
use super::{Context, DataDir, Failure, Outcome, clock, output};
use crate::respond::WallClock;

/// Arguments of `pause`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  portcullis pause --until 2h --reason 'a customer cannot reach us'
  portcullis resume --reason 'it was not us'

Findings are decided on and told as before, and deny nothing new. What stands
stays; `portcullis block` and every removal go on.")]
pub(crate) struct Args {
    /// Until then: a time with its offset, or 30m, 24h, 7d from now; without it until `portcullis resume`
    #[arg(long, value_name = "TIME", value_parser = operator::until)]
    until: Option<Until>,

    #[command(flatten)]
    asker: Asker,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    data: DataDir,
}

/// Arguments of `resume`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  portcullis resume --reason 'it was not us'
  portcullis resume --nacl acl-0a1b2c3d --reason 'the other tool is off'

With --nacl, entries are made again on a network ACL where somebody else kept
removing them.")]
pub(crate) struct ResumeArgs {
    /// Only this network ACL, where others kept removing entries
    #[arg(long, value_name = "ACL")]
    nacl: Option<String>,

    #[command(flatten)]
    asker: Asker,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    data: DataDir,
}

/// Pauses, and drops what is planned and not made yet.
pub(crate) async fn run(args: Args, context: &Context) -> Result<Outcome, Failure> {
    let now = clock::now();
    let until = args.until.map(|until| until.after(now)).transpose()?;
    let channels = operator::channels(&context.config()?).await?;
    let responder = operator::open(context, &args.data, true).await?;
    let who = args.asker.who();
    responder.pause(until, &who, &args.asker.reason, now).await?;
    operator::finish(&responder, channels.as_ref(), &WallClock).await?;
    let mut out = output::stdout();
    if args.json {
        output::json_line(&mut out, &json!({"paused": true, "until": until, "who": who}))?;
    } else {
        let end = until.map_or("`portcullis resume`".to_owned(), operator::time);
        output::line(&mut out, &format!("paused until {end}: findings deny nothing new"))?;
    }
    out.flush()?;
    Ok(Outcome::Done)
}

/// Ends the pause, or lets entries be made again on one network ACL.
pub(crate) async fn resume(args: ResumeArgs, context: &Context) -> Result<Outcome, Failure> {
    let now = clock::now();
    let responder = operator::open(context, &args.data, false).await?;
    let nacl = args.nacl.as_deref();
    let stood = responder
        .resume(nacl, &args.asker.who(), &args.asker.reason, now)
        .await?;
    let mut out = output::stdout();
    if args.json {
        output::json_line(&mut out, &json!({"resumed": stood, "nacl": nacl}))?;
    } else if stood {
        output::line(&mut out, "resumed")?;
    } else {
        output::tell("nothing was paused");
    }
    out.flush()?;
    Ok(Outcome::Done)
}
