//! The command line: one file per command.

use std::process::ExitCode;

/// Parses the command line, runs the command and turns its outcome into an exit code.
#[must_use]
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
