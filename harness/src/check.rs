//! The invariants: [`instant`] at every call and its effect, [`commit`] at every transaction, [`quiet`] once faults stopped and
//! everything had its time.

pub mod commit;
pub mod instant;
pub mod quiet;
