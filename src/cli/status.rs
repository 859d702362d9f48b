//! `portcullis status`.

use super::{Context, Failure, Outcome};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) async fn run(_args: Args, _context: &Context) -> Result<Outcome, Failure> {
    Err(Failure::new("`status` is not in this build yet"))
}
