//! The Lambda function that writes log events into OpenSearch.

use std::process::ExitCode;

fn main() -> ExitCode {
    portcullis::lambda::index::main()
}
