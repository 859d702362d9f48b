//! The Lambda function that responds to findings.

use std::process::ExitCode;

fn main() -> ExitCode {
    portcullis::lambda::respond::main()
}
