//! The program on AWS's own stores, as AWS ships them for tests, and on the public emulator's EC2 with EC2's manners in front.
#![cfg(all(feature = "aws", feature = "embedded"))]

mod account;
mod commands;
mod ledger;
#[path = "../program/mod.rs"]
mod program;
