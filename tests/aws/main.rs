//! The program on AWS's own stores, as AWS ships them for tests.
#![cfg(all(feature = "aws", feature = "embedded"))]

mod ledger;
#[path = "../program/mod.rs"]
mod program;
