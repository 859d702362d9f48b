//! Amazon SNS: the same message as plain text, for e-mail and whatever else subscribes.
//!
//! [Publish](https://docs.aws.amazon.com/sns/latest/api/API_Publish.html): a subject of at most 100 characters of ASCII on one
//! line, a message of at most 256 KB.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_sns::Client;
use aws_sdk_sns::error::{ProvideErrorMetadata, SdkError};
use serde_json::Value;

use super::{SendError, Sender, Sending};
use crate::aws::{self, Counted};

const SUBJECT: usize = 100;
const MESSAGE: usize = 200_000;

/// Codes that the same call will give again.
const LASTING: &[&str] = &[
    "AuthorizationError",
    "EndpointDisabled",
    "InvalidClientTokenId",
    "InvalidParameter",
    "InvalidSecurity",
    "KMSAccessDenied",
    "KMSDisabled",
    "KMSNotFound",
    "NotFound",
    "ParameterValueInvalid",
];

/// A topic.
#[derive(Clone, Debug)]
pub struct Sns {
    client: Client,
    topic: String,
}

impl Sns {
    /// The topic with this ARN, in the region that it names. Nothing is called yet.
    ///
    /// # Errors
    /// When it is no ARN of a topic.
    pub async fn open(topic: &str) -> Result<Self, String> {
        let parts: Vec<&str> = topic.split(':').collect();
        let ["arn", _, "sns", region, _, _] = parts[..] else {
            return Err(format!("{topic:?} is no topic; write arn:aws:sns:REGION:ACCOUNT:NAME"));
        };
        let config = aws::configuration().await.map_err(|error| error.to_string())?;
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(3))
            .operation_attempt_timeout(Duration::from_secs(10))
            .build();
        let config = aws_sdk_sns::config::Builder::from(&config)
            .interceptor(Counted("sns"))
            .region(aws_config::Region::new(region.to_owned()))
            // The outbox repeats.
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            .build();
        Ok(Self {
            client: Client::from_conf(config),
            topic: topic.to_owned(),
        })
    }

    async fn publish(&self, payload: &Value) -> Result<(), SendError> {
        let (subject, message) = plain(payload);
        let asked = self
            .client
            .publish()
            .topic_arn(&self.topic)
            .subject(subject)
            .message(message);
        asked.send().await.map(drop).map_err(|error| refusal(&error))
    }
}

impl Sender for Sns {
    fn send<'a>(&'a self, payload: &'a Value) -> Sending<'a> {
        Box::pin(self.publish(payload))
    }
}

fn refusal<E: ProvideErrorMetadata + std::error::Error + 'static>(error: &SdkError<E>) -> SendError {
    match error.code() {
        Some(code) if LASTING.contains(&code) => SendError::Permanent {
            why: format!("SNS answered {code}: the role needs sns:Publish on the topic, which has to be there"),
        },
        Some(code) => SendError::Retry {
            after: None,
            why: format!("SNS answered {code}"),
        },
        None => SendError::Retry {
            after: None,
            why: "SNS gave no answer".to_owned(),
        },
    }
}

/// Subject and text of a Block Kit payload.
fn plain(payload: &Value) -> (String, String) {
    let summary = unmarked(payload["text"].as_str().unwrap_or_default());
    let subject: String = summary
        .chars()
        .map(|c| if c.is_ascii_graphic() { c } else { ' ' })
        .take(SUBJECT)
        .collect();
    let mut lines = Vec::new();
    texts(&payload["attachments"], &mut lines);
    if lines.is_empty() {
        lines.push(summary);
    }
    let mut message = lines.join("\n");
    if message.len() > MESSAGE {
        message.truncate(message.floor_char_boundary(MESSAGE));
    }
    // SNS takes no empty ones.
    let or = |text: String| {
        if text.trim().is_empty() {
            "Portcullis".to_owned()
        } else {
            text
        }
    };
    (or(subject.trim().to_owned()), or(message))
}

/// Every text, in order.
fn texts(value: &Value, lines: &mut Vec<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| texts(value, lines)),
        Value::Object(members) => match members.get("text") {
            Some(Value::String(text)) => lines.push(unmarked(text)),
            _ => members.values().for_each(|value| texts(value, lines)),
        },
        _ => {}
    }
}

/// Text of Slack's markup as people read it: links as `label (address)`, escapes undone. What comes from a finding holds no
/// angle bracket: it was escaped.
fn unmarked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        let Some((link, behind)) = after.split_once('>') else {
            rest = after;
            break;
        };
        match link.split_once('|') {
            Some((address, label)) => out.push_str(&format!("{label} ({address})")),
            None => out.push_str(link),
        }
        rest = behind;
    }
    out.push_str(rest);
    out.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::respond::Reason;
    use crate::respond::notify::{Alert, AlertKind, message};

    #[test]
    fn a_message_is_readable_without_markup() {
        let payload = json!({"text": "Blocked *45.83.64.9* &amp; more\n", "attachments": [
        {"color": "#fff", "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": "Blocked 45.83.64.9"}},
            {"type": "section", "fields": [{"type": "mrkdwn", "text": "a &lt;b&gt;"}, {"type": "mrkdwn", "text": "<https://example.org/x|Open> it"}]},
        ]}]});
        let (subject, text) = plain(&payload);
        assert_eq!(subject, "Blocked *45.83.64.9* & more");
        assert_eq!(text, "Blocked 45.83.64.9\na <b>\nOpen (https://example.org/x) it");
    }

    #[test]
    fn a_subject_is_one_line_of_ascii_and_neither_part_is_empty() {
        let (subject, _) = plain(&json!({"text": format!("{}\r\nBcc: x", "Größe ".repeat(40))}));
        assert!(
            subject.len() <= SUBJECT && subject.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
            "{subject}"
        );
        assert_eq!(plain(&json!({})), ("Portcullis".to_owned(), "Portcullis".to_owned()));
        let test = message(&[Alert::new(
            AlertKind::Test,
            Reason::Manual,
            chrono::DateTime::UNIX_EPOCH,
        )]);
        let (subject, text) = plain(&test);
        assert!(
            subject.contains("Test message") && text.contains("Test message"),
            "{subject}\n{text}"
        );
    }
}
