//! All channels as one: a message is delivered once every channel has it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::{SendError, Sender, Sending, Slack, SlackSettings, SnsSettings, WebhookError};

/// Messages of which it is remembered which channels have them, so that a channel that works does not get one again because
/// another one fails. A process that was restarted has forgotten: delivery is at least once.
const REMEMBERED: usize = 100;

/// A channel cannot be opened. Never holds a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// What was read is no webhook.
    #[error("{place}: {source}")]
    Webhook {
        /// Where it was read.
        place: String,
        /// What is wrong.
        source: WebhookError,
    },
    /// The secret or the topic cannot be reached.
    #[error("{place}: {why}")]
    Unreadable {
        /// The key of the configuration.
        place: String,
        /// Why, and the remedy.
        why: String,
    },
}

/// The channels that are configured.
pub struct Channels {
    channels: Vec<(&'static str, Box<dyn Sender>)>,
    had: Mutex<VecDeque<([u8; 32], &'static str)>>,
}

impl Channels {
    /// Opens what the settings name; `None` when that is nothing.
    ///
    /// # Errors
    /// When a secret cannot be read, is no webhook, or when this program was built without AWS and needs it.
    pub async fn open(slack: &SlackSettings, sns: &SnsSettings) -> Result<Option<Self>, OpenError> {
        let mut channels: Vec<(&'static str, Box<dyn Sender>)> = Vec::new();
        if let Some((place, webhook)) = webhook(slack).await? {
            let slack = Slack::new(&webhook).map_err(|source| OpenError::Webhook { place, source })?;
            channels.push(("slack", Box::new(slack)));
        }
        if let Some(topic) = &sns.topic_arn {
            channels.push(("sns", topic_of(topic).await?));
        }
        Ok((!channels.is_empty()).then(|| Self::new(channels)))
    }

    /// These channels.
    #[must_use]
    pub fn new(channels: Vec<(&'static str, Box<dyn Sender>)>) -> Self {
        Self {
            channels,
            had: Mutex::default(),
        }
    }

    /// Each with its name.
    pub fn each(&self) -> impl Iterator<Item = (&'static str, &dyn Sender)> {
        self.channels.iter().map(|(name, channel)| (*name, &**channel))
    }

    fn had(&self) -> MutexGuard<'_, VecDeque<([u8; 32], &'static str)>> {
        self.had.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn to_all(&self, payload: &Value) -> Result<(), SendError> {
        let message = *blake3::hash(payload.to_string().as_bytes()).as_bytes();
        let mut worst = Ok(());
        for (name, channel) in self.each() {
            if self.had().contains(&(message, name)) {
                continue;
            }
            match channel.send(payload).await {
                Ok(()) => {
                    let mut had = self.had();
                    had.push_back((message, name));
                    if had.len() > REMEMBERED {
                        had.pop_front();
                    }
                }
                Err(error) => worst = Err(worse(worst, error)),
            }
        }
        if !matches!(worst, Err(SendError::Retry { .. })) {
            self.had().retain(|(known, _)| *known != message);
        }
        worst
    }
}

/// A message that one channel may still take is tried again, with the longest wait that was asked for.
fn worse(known: Result<(), SendError>, new: SendError) -> SendError {
    match (known, new) {
        (Ok(()), new) => new,
        (Err(SendError::Retry { after: a, why }), SendError::Retry { after: b, .. }) => {
            SendError::Retry { after: a.max(b), why }
        }
        (Err(known @ SendError::Retry { .. }), SendError::Permanent { .. }) => known,
        (Err(SendError::Permanent { .. }), new) => new,
    }
}

impl Sender for Channels {
    fn send<'a>(&'a self, payload: &'a Value) -> Sending<'a> {
        Box::pin(self.to_all(payload))
    }
}

/// The webhook and the place that it was read from.
async fn webhook(settings: &SlackSettings) -> Result<Option<(String, String)>, OpenError> {
    if let Some(place) = settings.places().first() {
        return elsewhere(place, settings)
            .await
            .map(|url| Some(((*place).to_owned(), url)));
    }
    let name = &settings.webhook_env;
    let plain = std::env::var(name).ok().filter(|webhook| !webhook.trim().is_empty());
    Ok(plain.map(|webhook| (name.clone(), webhook)))
}

#[cfg(feature = "aws")]
async fn elsewhere(place: &str, settings: &SlackSettings) -> Result<String, OpenError> {
    super::secret::read(settings)
        .await
        .map_err(|why| OpenError::Unreadable {
            place: place.to_owned(),
            why,
        })
}

#[cfg(feature = "aws")]
async fn topic_of(topic: &str) -> Result<Box<dyn Sender>, OpenError> {
    match super::sns::Sns::open(topic).await {
        Ok(sns) => Ok(Box::new(sns)),
        Err(why) => Err(OpenError::Unreadable {
            place: "sns.topic_arn".to_owned(),
            why,
        }),
    }
}

#[cfg(not(feature = "aws"))]
fn without_aws(place: &str) -> OpenError {
    OpenError::Unreadable {
        place: place.to_owned(),
        why: "this program was built without AWS; `cargo build --release --features aws` builds one that has it"
            .to_owned(),
    }
}

#[cfg(not(feature = "aws"))]
#[expect(clippy::unused_async, reason = "waits for AWS where there is one")]
async fn elsewhere(place: &str, _: &SlackSettings) -> Result<String, OpenError> {
    Err(without_aws(place))
}

#[cfg(not(feature = "aws"))]
#[expect(clippy::unused_async, reason = "waits for AWS where there is one")]
async fn topic_of(_: &str) -> Result<Box<dyn Sender>, OpenError> {
    Err(without_aws("sns.topic_arn"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    /// Answers what it was told to, in order, then takes everything; counts.
    #[derive(Clone, Default)]
    struct Told(Arc<Mutex<(VecDeque<SendError>, usize)>>);

    impl Sender for Told {
        fn send<'a>(&'a self, _: &'a Value) -> Sending<'a> {
            let mut state = self.0.lock().expect("no panic");
            state.1 += 1;
            let answer = state.0.pop_front().map_or(Ok(()), Err);
            Box::pin(async move { answer })
        }
    }

    fn retry(seconds: u64) -> SendError {
        SendError::Retry {
            after: Some(Duration::from_secs(seconds)),
            why: "slow down".to_owned(),
        }
    }

    fn permanent() -> SendError {
        SendError::Permanent { why: "gone".to_owned() }
    }

    #[tokio::test]
    async fn a_channel_that_has_a_message_does_not_get_it_again_because_another_one_fails() {
        let (slack, sns) = (Told::default(), Told::default());
        slack.0.lock().expect("no panic").0.extend([retry(3), retry(4)]);
        let channels = Channels::new(vec![("slack", Box::new(slack.clone())), ("sns", Box::new(sns.clone()))]);
        let message = json!({"text": "one"});
        assert_eq!(channels.send(&message).await, Err(retry(3)));
        assert_eq!(channels.send(&message).await, Err(retry(4)));
        assert_eq!(channels.send(&message).await, Ok(()));
        let counted = |told: &Told| told.0.lock().expect("no panic").1;
        assert_eq!((counted(&slack), counted(&sns)), (3, 1));
        // The same words another time are another message.
        assert_eq!(channels.send(&message).await, Ok(()));
        assert_eq!((counted(&slack), counted(&sns)), (4, 2));
    }

    #[test]
    fn what_may_pass_outweighs_what_will_not_and_the_longest_wait_holds() {
        for (known, new, expected) in [
            (Ok(()), permanent(), permanent()),
            (Err(permanent()), retry(1), retry(1)),
            (Err(retry(1)), permanent(), retry(1)),
            (Err(retry(1)), retry(5), retry(5)),
            (Err(retry(5)), retry(1), retry(5)),
        ] {
            assert_eq!(worse(known, new), expected);
        }
    }
}
