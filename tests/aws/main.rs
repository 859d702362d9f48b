//! The program on AWS's own stores, as AWS ships them for tests, and on the public emulator's EC2 with EC2's manners in front.
#![cfg(all(feature = "aws", feature = "embedded"))]

mod account;
mod commands;
mod consume;
mod e2e;
#[path = "../embedded/harness/findings.rs"]
mod findings;
mod index;
mod kcl;
mod kinesis;
mod lambda;
mod ledger;
mod moto;
mod notify;
#[path = "../program/mod.rs"]
mod program;
mod rds;
mod responses;
#[path = "../../transforms/tests/firehose_lambda/runtime_api.rs"]
#[expect(dead_code, reason = "shared with the transforms' functions")]
mod runtime_api;
mod slack;
mod stranger;
#[path = "../program/subscription.rs"]
mod subscription;
