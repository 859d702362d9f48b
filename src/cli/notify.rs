//! `portcullis notify test`: one message on each channel that is configured.

use std::io::Write as _;

use serde_json::json;

use super::{Context, Failure, Outcome, clock, operator, output};
use crate::respond::Reason;
use crate::respond::notify::{Alert, AlertKind, message};

/// Arguments of `notify`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Send one test message on each configured channel
    #[command(after_help = "\
Examples:
  PORTCULLIS_SLACK_WEBHOOK=https://hooks.slack.com/... portcullis notify test
  portcullis notify test --config portcullis.toml --json

The channels are [slack] and [sns] of the configuration. The message goes out at
once, past the outbox. The exit code is 1 when a channel did not take it.")]
    Test {
        /// One JSON object per channel: {"channel":..,"delivered":..,"why":..}
        #[arg(long)]
        json: bool,
    },
}

/// Sends, and says what each channel answered.
pub(crate) async fn run(args: Args, context: &Context) -> Result<Outcome, Failure> {
    let What::Test { json } = args.what;
    let config = context.config()?;
    let Some(channels) = operator::channels(&config).await? else {
        return Err(Failure::usage(anyhow::anyhow!(
            "no channel is configured; set {} to Slack's incoming webhook, or sns.topic_arn in the configuration",
            config.slack.webhook_env
        )));
    };
    let payload = message(&[Alert::new(AlertKind::Test, Reason::Manual, clock::now())]);
    let mut failed = 0;
    let mut out = output::stdout();
    for (name, channel) in channels.each() {
        let why = channel.send(&payload).await.err().map(|error| error.to_string());
        failed += usize::from(why.is_some());
        if json {
            output::json_line(
                &mut out,
                &json!({"channel": name, "delivered": why.is_none(), "why": why}),
            )?;
        } else {
            let said = why.map_or_else(|| "delivered".to_owned(), |why| format!("not delivered: {why}"));
            output::line(&mut out, &format!("{name}: {said}"))?;
        }
    }
    out.flush()?;
    match failed {
        0 => Ok(Outcome::Done),
        _ => Err(Failure::new(format_args!(
            "{failed} channel(s) did not take the message"
        ))),
    }
}
