//! From a finding to a closed gate: decide, plan, act, confirm, notify.

pub mod accept;
pub mod act;
pub mod audit;
pub mod confirm;
pub mod decide;
pub mod decision;
pub mod document;
pub mod error;
pub mod guard;
pub mod notify;
pub mod outbox;
pub mod people;
pub mod plan;
pub mod policy;
pub mod reason;
pub mod report;
pub mod responder;
pub mod sweep;
pub mod verify;
pub mod views;

pub use decision::{Decision, Verdict};
pub use document::Documents;
pub use error::Error;
pub use reason::Reason;
pub use responder::{ActReport, Block, Responder, Sweep, Unblock};
#[cfg(feature = "embedded")]
pub use responder::{Embedded, open_embedded};
pub use verify::verify;
