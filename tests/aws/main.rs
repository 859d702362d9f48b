//! The program on AWS, as far as it can be had here: EC2, DynamoDB and STS of the public emulator, with EC2's manners in front.
#![cfg(all(feature = "aws", feature = "embedded"))]

mod account;
mod commands;
#[path = "../../harness/src/moto/mod.rs"]
#[allow(dead_code, unreachable_pub)]
mod moto;
#[path = "../embedded/program.rs"]
#[allow(dead_code)]
mod program;
