//! The program on one machine: everything embedded, nothing but a data directory.

mod corners;
mod drift;
mod harness;
mod invariants;
mod killed;
mod people;
#[path = "../program/mod.rs"]
mod program;
mod respond;
mod serve;
