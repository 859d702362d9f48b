//! From a finding to a closed gate: decide, plan, act, confirm, notify.

pub mod accept;
pub mod act;
pub mod adopt;
mod agenda;
pub mod audit;
pub mod carry;
pub mod clock;
pub mod confirm;
pub mod decide;
pub mod decision;
pub mod document;
pub mod drift;
pub mod error;
mod flood;
pub mod guard;
mod known;
pub mod lease;
pub mod notify;
pub mod outbox;
pub mod people;
pub mod plan;
pub mod policy;
pub mod reason;
pub mod reconcile;
pub mod report;
pub mod responder;
pub mod sweep;
pub mod verify;
pub mod views;

pub use adopt::Adopt;
pub use carry::{CarryError, Place, Unplaced};
pub use clock::{Clock, WallClock};
pub use decision::{Decision, Verdict};
pub use error::Error;
pub use reason::Reason;
pub use responder::{ActReport, Block, Responder, Sweep, Unblock, owner};
#[cfg(feature = "embedded")]
pub use responder::{Embedded, open_embedded};
pub use verify::verify;
