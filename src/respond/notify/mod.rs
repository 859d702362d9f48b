//! Telling people: the message, and the channels that carry it.

mod channels;
pub mod message;
pub mod retry;
#[cfg(feature = "aws")]
mod secret;
mod settings;
pub mod slack;
#[cfg(feature = "aws")]
pub mod sns;

pub use channels::{Channels, OpenError};
pub use message::{Alert, AlertKind, MOST_ALERTS, Place, message};
pub use settings::{SlackSettings, SnsSettings};
pub use slack::{SendError, Sender, Sending, Slack, WebhookError};
