//! Slack's incoming webhook: a URL that takes one JSON payload. Whoever knows the URL can post, so it is never shown.
//!
//! Answers follow "Sending messages using incoming webhooks" and "Rate limits" in Slack's documentation: 200 `ok`; 429
//! with `Retry-After` in seconds; 4xx with a word such as `invalid_payload` or `no_service`; 5xx now and then.

use std::fmt;
use std::net::IpAddr;
use std::pin::Pin;
use std::time::Duration;

use reqwest::{StatusCode, Url, header};
use serde_json::Value;

/// A message that takes longer is tried again later; the responder never waits for Slack.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The longest wait that is honoured; a longer one would keep people in the dark.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// Bytes of an answer's text that are kept.
const MOST_ANSWER: usize = 200;

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
    /// Delivers one payload, at most once per call.
    fn send<'a>(&'a self, payload: &'a Value) -> Sending<'a>;
}

/// Why a webhook cannot be used. Never holds its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// The text is no URL.
    #[error(
        "the Slack webhook is no URL; copy it from the app's page, Incoming Webhooks (https://hooks.slack.com/services/...)"
    )]
    NotAUrl,
    /// Unencrypted, and not to this machine.
    #[error("the Slack webhook must begin with https://; http:// is only for a loopback address")]
    NotHttps,
    /// The HTTP client cannot start.
    #[error("the HTTPS client cannot start; check the system's certificates")]
    NoClient,
}

/// An incoming webhook.
pub struct Slack {
    webhook: Url,
    client: reqwest::Client,
}

impl fmt::Debug for Slack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slack")
            .field("webhook", &"(secret)")
            .finish_non_exhaustive()
    }
}

impl Slack {
    /// A channel to this webhook.
    ///
    /// # Errors
    ///
    /// No URL, or not https and not loopback.
    pub fn new(webhook: &str) -> Result<Self, WebhookError> {
        Self::with_timeout(webhook, TIMEOUT)
    }

    fn with_timeout(webhook: &str, timeout: Duration) -> Result<Self, WebhookError> {
        let webhook = Url::parse(webhook.trim()).map_err(|_| WebhookError::NotAUrl)?;
        let local = is_loopback(&webhook);
        if webhook.scheme() != "https" && !(webhook.scheme() == "http" && local) {
            return Err(WebhookError::NotHttps);
        }
        let mut client = reqwest::Client::builder()
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("portcullis/", env!("CARGO_PKG_VERSION")));
        if local {
            client = client.no_proxy();
        }
        let client = client.build().map_err(|_| WebhookError::NoClient)?;
        Ok(Self { webhook, client })
    }

    async fn post(&self, payload: &Value) -> Result<(), SendError> {
        let request = self.client.post(self.webhook.clone()).json(payload);
        let answer = request.send().await.map_err(|error| SendError::Retry {
            after: None,
            why: no_answer(&error).to_owned(),
        })?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let after = answer
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|value| wait(value.to_str().ok()?));
        let text = beginning(answer).await;
        Err(refusal(status, after, &text))
    }
}

impl Sender for Slack {
    fn send<'a>(&'a self, payload: &'a Value) -> Sending<'a> {
        Box::pin(self.post(payload))
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// The client's own words may hold the address, so they are not used.
fn no_answer(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "Slack did not answer in time"
    } else if error.is_connect() {
        "Slack cannot be reached; check the network, the proxy and the system's certificates"
    } else {
        "the connection to Slack broke"
    }
}

/// `Retry-After` in seconds; a date is not what Slack sends and is passed over.
fn wait(seconds: &str) -> Option<Duration> {
    let seconds = seconds.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_WAIT))
}

async fn beginning(mut answer: reqwest::Response) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < MOST_ANSWER {
        match answer.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) | Err(_) => break,
        }
    }
    bytes.truncate(MOST_ANSWER);
    let is_word = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ' ');
    String::from_utf8_lossy(&bytes)
        .chars()
        .filter(is_word)
        .take(80)
        .collect()
}

fn refusal(status: StatusCode, after: Option<Duration>, text: &str) -> SendError {
    let code = status.as_u16();
    if status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::REQUEST_TIMEOUT || status.is_server_error() {
        let why = format!("Slack answered {code}");
        return SendError::Retry { after, why };
    }
    let remedy = match code {
        300..=399 => "it redirects; use the webhook's final address",
        403 | 404 | 410 => "the webhook was revoked or its channel is gone; make a new one and set it again",
        _ => "the message was not taken",
    };
    SendError::Permanent {
        why: format!("Slack answered {code} ({text}): {remedy}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// Answers one request with these bytes, or never when there are none; gives back what was asked.
    async fn one_answer(answer: &'static str) -> (String, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/services/T0/B0/hush", listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = Vec::new();
            let mut buffer = [0; 4096];
            while !asked.ends_with(b"}") {
                let read = stream.read(&mut buffer).await.unwrap();
                asked.extend_from_slice(&buffer[..read]);
            }
            if answer.is_empty() {
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8(asked).unwrap()
        });
        (url, server)
    }

    async fn sent(answer: &'static str) -> Result<(), SendError> {
        let (url, server) = one_answer(answer).await;
        let result = Slack::new(&url).unwrap().send(&json!({"text": "hello"})).await;
        let asked = server.await.unwrap();
        assert!(asked.starts_with("POST /services/T0/B0/hush HTTP/1.1\r\n"), "{asked}");
        assert!(asked.ends_with("\r\n\r\n{\"text\":\"hello\"}"), "{asked}");
        result
    }

    #[tokio::test]
    async fn an_ok_is_a_delivery() {
        assert_eq!(sent("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await, Ok(()));
    }

    #[tokio::test]
    async fn throttling_and_server_errors_are_tried_again() {
        let throttled = sent("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n").await;
        let after = Some(Duration::from_secs(30));
        let why = "Slack answered 429".to_owned();
        assert_eq!(throttled, Err(SendError::Retry { after, why }));
        let failed = sent("HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\n\r\n").await;
        let why = "Slack answered 503".to_owned();
        assert_eq!(failed, Err(SendError::Retry { after: None, why }));
    }

    #[tokio::test]
    async fn a_refused_message_is_not_tried_again() {
        for answer in [
            "HTTP/1.1 400 Bad Request\r\nContent-Length: 15\r\n\r\ninvalid_payload",
            "HTTP/1.1 404 Not Found\r\nContent-Length: 10\r\n\r\nno_service",
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        ] {
            assert!(
                matches!(sent(answer).await, Err(SendError::Permanent { .. })),
                "{answer}"
            );
        }
    }

    #[tokio::test]
    async fn a_slow_or_closed_webhook_is_tried_again_and_never_named() {
        let (url, server) = one_answer("").await;
        let slow = Slack::with_timeout(&url, Duration::from_millis(100)).unwrap();
        let error = slow.send(&json!({})).await.unwrap_err();
        assert!(matches!(error, SendError::Retry { .. }), "{error}");
        server.abort();
        let closed = Slack::new("http://127.0.0.1:1/services/hush").unwrap();
        let refused = closed.send(&json!({})).await.unwrap_err();
        for shown in [
            format!("{error} {error:?}"),
            format!("{refused} {refused:?}"),
            format!("{closed:?}"),
        ] {
            assert!(!shown.contains("hush") && !shown.contains("127.0.0.1"), "{shown}");
        }
    }

    #[test]
    fn a_webhook_is_https_unless_it_stays_on_this_machine() {
        let cases = [
            ("https://hooks.slack.com/services/T/B/x", None),
            ("http://127.0.0.1:9/x", None),
            ("http://[::1]:9/x", None),
            ("http://localhost:9/x", None),
            ("http://hooks.slack.com/services/T/B/x", Some(WebhookError::NotHttps)),
            ("http://127.0.0.1.example.org/x", Some(WebhookError::NotHttps)),
            ("ftp://127.0.0.1/x", Some(WebhookError::NotHttps)),
            ("hooks.slack.com/services", Some(WebhookError::NotAUrl)),
            ("", Some(WebhookError::NotAUrl)),
        ];
        for (url, expected) in cases {
            assert_eq!(Slack::new(url).err(), expected, "{url}");
        }
    }
}
