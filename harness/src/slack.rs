//! A channel that fails on purpose.

use portcullis::respond::notify::SendError;
use serde_json::Value;
use std::time::Duration;

/// How the channel answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mood {
    /// It takes every message.
    #[default]
    Fine,
    /// It does not answer.
    Down,
    /// It answers after the client has given up, and took the message.
    Slow,
    /// 429, with the seconds to wait.
    TooMany(u64),
    /// 5xx.
    Broken,
    /// 4xx: it will never take this message.
    Refuses,
}

/// The channel and what it took.
#[derive(Clone, Debug, Default)]
pub struct Slack {
    /// How it answers now.
    pub mood: Mood,
    /// What it took.
    pub taken: Vec<Value>,
}

impl Slack {
    /// Takes a message, or not.
    ///
    /// # Errors
    /// As the mood says.
    pub fn post(&mut self, payload: &Value) -> Result<(), SendError> {
        let retry = |after: Option<u64>, why: &str| {
            Err(SendError::Retry {
                after: after.map(Duration::from_secs),
                why: why.to_owned(),
            })
        };
        if matches!(self.mood, Mood::Fine | Mood::Slow) {
            self.taken.push(payload.clone());
        }
        match self.mood {
            Mood::Fine => Ok(()),
            Mood::Down => retry(None, "Slack cannot be reached"),
            Mood::Slow => retry(None, "Slack did not answer in time"),
            Mood::TooMany(seconds) => retry(Some(seconds), "Slack answered 429"),
            Mood::Broken => retry(None, "Slack answered 503"),
            Mood::Refuses => Err(SendError::Permanent {
                why: "Slack answered 404 (no_service)".to_owned(),
            }),
        }
    }
}
