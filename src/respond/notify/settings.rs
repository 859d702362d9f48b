//! Which channels the operator chose, and where their secrets are. No secret stands here: only its place.

use serde::{Deserialize, Serialize};

/// `[slack]`: the incoming webhook, whose URL is a secret. It is read from one place, at the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SlackSettings {
    /// Environment variable with the URL; messages are sent when it is set and not empty.
    pub webhook_env: String,
    /// Name of a parameter in Systems Manager's Parameter Store, as a rule a `SecureString`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_parameter: Option<String>,
    /// Name or ARN of a secret in Secrets Manager: the URL, or a JSON object with the key `webhook`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_secret: Option<String>,
    /// Environment variable with the URL encrypted by KMS, in base64; in a Lambda function with the encryption context
    /// `LambdaFunctionName`, as Lambda's console writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_encrypted_env: Option<String>,
}

impl Default for SlackSettings {
    fn default() -> Self {
        Self {
            webhook_env: "PORTCULLIS_SLACK_WEBHOOK".to_owned(),
            webhook_parameter: None,
            webhook_secret: None,
            webhook_encrypted_env: None,
        }
    }
}

impl SlackSettings {
    /// The keys that name a place other than the plain variable.
    #[must_use]
    pub fn places(&self) -> Vec<&'static str> {
        [
            ("slack.webhook_parameter", &self.webhook_parameter),
            ("slack.webhook_secret", &self.webhook_secret),
            ("slack.webhook_encrypted_env", &self.webhook_encrypted_env),
        ]
        .into_iter()
        .filter_map(|(key, place)| place.as_ref().map(|_| key))
        .collect()
    }
}

/// `[sns]`: the second channel, for e-mail and whatever else subscribes to a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SnsSettings {
    /// The topic; messages are published when it is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic_arn: Option<String>,
}
