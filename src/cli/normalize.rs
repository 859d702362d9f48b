//! `portcullis normalize`.

use super::{Context, Failure, Outcome};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: Args, _context: &Context) -> Result<Outcome, Failure> {
    Err(Failure::new("`normalize` is not in this build yet"))
}
