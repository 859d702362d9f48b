//! A world in which everything goes wrong: stores that fail at any call, crashes, people, two processes at once.

pub(crate) mod faults;
pub(crate) mod findings;
pub(crate) mod world;

pub(crate) use faults::{Bug, Fault};
pub(crate) use world::{Op, World};
