//! The program on one machine: everything embedded, nothing but a data directory.

mod harness;
mod invariants;
mod people;
mod program;
mod respond;
