//! `portcullis pin` and `unpin`: entries that neither make way for newer ones nor expire.

use std::io::Write as _;

use ipnet::IpNet;
use serde_json::json;

use super::operator::{self, Asker, shown};
use super::{Context, DataDir, Failure, Outcome, clock, output};

/// Arguments of `pin` and `unpin`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  portcullis pin 45.83.64.9 --reason 'stays until ticket 4711 is closed'
  portcullis unpin 45.83.64.9 --reason 'ticket 4711 is closed'

A pinned entry is neither evicted nor does it expire, on every network ACL where
it stands; the guards and `unblock` bind it like any other. It goes on taking up
one of the few places.")]
pub(crate) struct Args {
    /// Address or CIDR, as `portcullis list` shows it
    #[arg(value_name = "IP", value_parser = operator::network)]
    network: IpNet,

    #[command(flatten)]
    asker: Asker,

    /// One JSON object: {"cidr":..,"pinned":..,"entries":..}
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    data: DataDir,
}

/// Pins, or takes the pins away, and says how many entries changed.
pub(crate) async fn run(args: Args, pin: bool, context: &Context) -> Result<Outcome, Failure> {
    let responder = operator::open(context, &args.data, false).await?;
    let (who, reason) = (args.asker.who(), &args.asker.reason);
    let entries = responder.pin(args.network, pin, &who, reason, clock::now()).await?;
    let mut out = output::stdout();
    if args.json {
        output::json_line(
            &mut out,
            &json!({"cidr": args.network, "pinned": pin, "entries": entries}),
        )?;
    } else {
        let address = shown(args.network);
        let told = match (entries, pin) {
            (0, true) => format!("no entry denies exactly {address} without a pin"),
            (0, false) => format!("no entry that denies exactly {address} is pinned"),
            (entries, true) => format!("pinned {address} on {entries} entries"),
            (entries, false) => format!("took the pin from {address} on {entries} entries"),
        };
        output::line(&mut out, &told)?;
    }
    out.flush()?;
    Ok(Outcome::Done)
}
