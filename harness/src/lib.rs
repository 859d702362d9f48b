//! The responder's harness: the real code on one thread, a virtual clock and stores in memory, with a fault at any step.
//!
//! A [`schedule`] says what happens and when: findings, people, pauses, kills. The [`executor`] runs two to four responders
//! through it; every call of theirs passes a [`gate`], which draws its latency and its fault. [`check`] holds the twelve
//! invariants against every effect, and against the whole once faults stop. What breaks one is made smaller by [`shrink`]
//! until it can be read.
//!
//! [`contract`] has what every store behind the responder's traits must do, as tests that any of them can run.

pub mod acts;
pub mod beside;
pub mod check;
pub mod contract;
pub mod ec2;
pub mod executor;
pub mod findings;
pub mod gate;
pub mod ledger;
pub mod process;
pub mod prove;
pub mod random;
pub mod run;
pub mod schedule;
pub mod shrink;
pub mod slack;
pub mod stage;
pub mod stores;
pub mod turns;
pub mod world;
