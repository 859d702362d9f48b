//! The `portcullis` program: parses the command line and hands over to [`portcullis::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    portcullis::cli::main()
}
