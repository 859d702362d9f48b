//! The webhook from where AWS keeps secrets. What is read is neither logged nor part of an error.

use aws_config::SdkConfig;
use aws_sdk_kms::error::{DisplayErrorContext, ProvideErrorMetadata};
use aws_sdk_kms::primitives::Blob;
use serde::Deserialize;

use super::SlackSettings;
use crate::aws::{self, Counted};

/// The key of the encryption context that Lambda's console encrypts variables with.
const CONTEXT: &str = "LambdaFunctionName";

/// Reads the webhook from the one place that the settings name.
///
/// # Errors
/// Why it cannot be read, with the permission that it takes.
pub(super) async fn read(settings: &SlackSettings) -> Result<String, String> {
    let config = aws::configuration().await.map_err(|error| error.to_string())?;
    if let Some(name) = &settings.webhook_parameter {
        return parameter(&config, name).await;
    }
    if let Some(id) = &settings.webhook_secret {
        return secret(&config, id).await;
    }
    match &settings.webhook_encrypted_env {
        Some(variable) => decrypted(&config, variable).await,
        None => Err("no place is named".to_owned()),
    }
}

/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html>
async fn parameter(config: &SdkConfig, name: &str) -> Result<String, String> {
    let config = aws_sdk_ssm::config::Builder::from(config)
        .interceptor(Counted("ssm"))
        .build();
    let asked = aws_sdk_ssm::Client::from_conf(config)
        .get_parameter()
        .name(name)
        .with_decryption(true);
    let answer = asked
        .send()
        .await
        .map_err(|error| failed("ssm:GetParameter (and kms:Decrypt on its key)", &error))?;
    answer
        .parameter
        .and_then(|parameter| parameter.value)
        .ok_or_else(|| format!("parameter {name} has no value"))
}

/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html>
async fn secret(config: &SdkConfig, id: &str) -> Result<String, String> {
    #[derive(Deserialize)]
    struct Keyed {
        webhook: String,
    }
    let config = aws_sdk_secretsmanager::config::Builder::from(config)
        .interceptor(Counted("secretsmanager"))
        .build();
    let asked = aws_sdk_secretsmanager::Client::from_conf(config)
        .get_secret_value()
        .secret_id(id);
    let answer = asked
        .send()
        .await
        .map_err(|error| failed("secretsmanager:GetSecretValue (and kms:Decrypt on its key)", &error))?;
    let text = answer
        .secret_string
        .ok_or_else(|| format!("secret {id} is binary; store the URL as text"))?;
    if !text.trim_start().starts_with('{') {
        return Ok(text);
    }
    let keyed: Result<Keyed, _> = serde_json::from_str(&text);
    // The error would repeat what it read.
    keyed
        .map(|keyed| keyed.webhook)
        .map_err(|_| format!("secret {id} is a JSON object without the key `webhook`"))
}

/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html>
async fn decrypted(config: &SdkConfig, variable: &str) -> Result<String, String> {
    let text = std::env::var(variable).unwrap_or_default();
    let encrypted = base64_turbo::STANDARD
        .decode(text.trim())
        .ok()
        .filter(|bytes| !bytes.is_empty())
        .ok_or_else(|| {
            format!("variable {variable} holds no base64; put in it what `aws kms encrypt` answers as CiphertextBlob")
        })?;
    let function = std::env::var("AWS_LAMBDA_FUNCTION_NAME")
        .ok()
        .filter(|name| !name.is_empty());
    let config = aws_sdk_kms::config::Builder::from(config)
        .interceptor(Counted("kms"))
        .build();
    let mut asked = aws_sdk_kms::Client::from_conf(config)
        .decrypt()
        .ciphertext_blob(Blob::new(encrypted));
    if let Some(function) = function {
        asked = asked.encryption_context(CONTEXT, function);
    }
    let answer = asked.send().await.map_err(|error| {
        failed(
            "kms:Decrypt, and in a function a text that was encrypted for this function's name",
            &error,
        )
    })?;
    let plain = answer.plaintext.map(Blob::into_inner).unwrap_or_default();
    String::from_utf8(plain).map_err(|_| format!("variable {variable} holds no text once it is decrypted"))
}

fn failed<E: ProvideErrorMetadata + std::error::Error + 'static>(
    needs: &str,
    error: &aws_sdk_kms::error::SdkError<E>,
) -> String {
    let why = match error.code() {
        Some(code) => format!("{code}: {}", error.message().unwrap_or_default()),
        None => DisplayErrorContext(error).to_string(),
    };
    format!("{why}; it needs {needs}")
}
