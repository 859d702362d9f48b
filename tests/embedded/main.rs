//! The program on one machine: everything embedded, nothing but a data directory.

mod corners;
mod drift;
mod harness;
mod invariants;
mod killed;
#[cfg(feature = "aws")]
mod kinesis;
mod multilang;
mod people;
#[path = "../program/mod.rs"]
mod program;
mod respond;
mod serve;
