//! The program on one machine: everything embedded, nothing but a data directory.

mod people;
mod program;
mod respond;
