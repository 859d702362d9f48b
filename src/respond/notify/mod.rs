//! Telling people: the message, and the channels that carry it.

pub mod message;
pub mod retry;
pub mod slack;

pub use message::{Alert, AlertKind, MOST_ALERTS, Place, message};
pub use slack::{SendError, Sender, Sending, Slack, WebhookError};
