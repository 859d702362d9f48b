//! `portcullis config init|check`.

use super::{Context, Failure, Outcome};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Write a commented portcullis.toml
    Init,
    /// Say what is effective and where each value comes from
    Check,
}

pub(crate) fn run(args: Args, _context: &Context) -> Result<Outcome, Failure> {
    Err(Failure::new(format_args!(
        "`config {:?}` is not in this build yet",
        args.action
    )))
}
