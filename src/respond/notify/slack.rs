//! Slack's incoming webhook.

use std::pin::Pin;
use std::time::Duration;

use serde_json::Value;

/// Why a message was not delivered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// Worth another attempt: throttled, a server error, no answer.
    #[error("{why}; it will be tried again")]
    Retry {
        /// What the other side asked to wait.
        after: Option<Duration>,
        /// What happened, without the webhook's address.
        why: String,
    },
    /// The same message will never be taken.
    #[error("{why}")]
    Permanent {
        /// What happened and what to do, without the webhook's address.
        why: String,
    },
}

/// A future that a [`Sender`] returns.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<(), SendError>> + Send + 'a>>;

/// A channel that takes a Block Kit payload.
pub trait Sender: Send + Sync {
    /// Delivers one payload.
    fn send<'a>(&'a self, payload: &'a Value) -> Sending<'a>;
}

/// An incoming webhook. Its address is a secret and is never shown.
pub struct Slack;
