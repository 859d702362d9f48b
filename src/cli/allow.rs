//! `portcullis allow`.

use super::{Context, Failure, Outcome};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) async fn run(_args: Args, _context: &Context) -> Result<Outcome, Failure> {
    Err(Failure::new("`allow` is not in this build yet"))
}
