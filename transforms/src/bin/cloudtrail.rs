//! The Lambda function that transforms AWS CloudTrail events for Amazon Data Firehose.

use std::process::ExitCode;

use portcullis_transforms::{Source, lambda};

fn main() -> ExitCode {
    lambda::main(Source::CloudTrail)
}
