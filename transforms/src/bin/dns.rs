//! The Lambda function that transforms Amazon Route 53 Resolver query logs for Amazon Data Firehose.

use std::process::ExitCode;

use portcullis_transforms::{Source, lambda};

fn main() -> ExitCode {
    lambda::main(Source::Dns)
}
