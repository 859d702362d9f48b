//! From a finding to a closed gate: decide, plan, act, confirm, notify.

pub mod decide;
pub mod decision;
pub mod guard;
pub mod notify;
pub mod policy;
pub mod reason;
pub mod report;

pub use decision::{Decision, Verdict};
pub use reason::Reason;
