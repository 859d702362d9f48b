//! Requests signed as an IAM role or user, where no SDK makes them: for Amazon OpenSearch Service (`es`) and Serverless (`aoss`),
//! and for the one call of RDS.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html>

use std::{fmt, time::SystemTime};

use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials as _, SharedCredentialsProvider},
};
use aws_sigv4::{
    http_request::{PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};

/// A request cannot be signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unsigned {
    /// A setting is missing.
    #[error("sigv4 needs {what}; {remedy}")]
    Missing {
        /// What is.
        what: &'static str,
        /// What to set.
        remedy: &'static str,
    },
    /// No credentials can be had, or the request is none that can be signed.
    #[error("a request cannot be signed: {reason}; check the AWS credentials")]
    Failed {
        /// Why, without any secret.
        reason: String,
    },
}

/// Credentials, region and service that requests are signed for.
#[derive(Clone)]
pub struct Signer {
    credentials: SharedCredentialsProvider,
    region: String,
    service: &'static str,
}

impl fmt::Debug for Signer {
    /// Without credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("region", &self.region)
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

impl Signer {
    /// Credentials and region from the standard AWS variables and files.
    ///
    /// # Errors
    /// When there is no region or nothing that gives credentials.
    #[cfg(feature = "aws")]
    pub async fn from_environment(service: &'static str) -> Result<Self, Unsigned> {
        let config = aws_config::defaults(aws_config::BehaviorVersion::latest()).load().await;
        let region = config.region().map(ToString::to_string);
        Ok(Self {
            credentials: config
                .credentials_provider()
                .ok_or_else(|| missing("AWS credentials", "set AWS_PROFILE, or run as an IAM role"))?,
            region: region.ok_or_else(|| missing("a region", "set AWS_REGION"))?,
            service,
        })
    }

    /// Credentials and region from the variables that Lambda sets for its function's role. They hold as long as the process does.
    ///
    /// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime>
    ///
    /// # Errors
    /// When one of the variables is missing.
    pub fn from_variables(service: &'static str, variable: impl Fn(&str) -> Option<String>) -> Result<Self, Unsigned> {
        let value = |name| {
            let value = variable(name).filter(|value| !value.is_empty());
            value.ok_or_else(|| missing(name, "Lambda sets it for the function's role"))
        };
        let credentials = Credentials::new(
            value("AWS_ACCESS_KEY_ID")?,
            value("AWS_SECRET_ACCESS_KEY")?,
            variable("AWS_SESSION_TOKEN").filter(|token| !token.is_empty()),
            None,
            "environment",
        );
        let region = value("AWS_REGION")?;
        Ok(Self::new(SharedCredentialsProvider::new(credentials), region, service))
    }

    /// A signer of given parts.
    #[must_use]
    pub fn new(credentials: SharedCredentialsProvider, region: impl Into<String>, service: &'static str) -> Self {
        Self {
            credentials,
            region: region.into(),
            service,
        }
    }

    /// Adds the signature's headers.
    ///
    /// # Errors
    /// When no credentials can be had.
    pub async fn sign(&self, request: &mut reqwest::Request) -> Result<(), Unsigned> {
        self.sign_at(request, SystemTime::now()).await
    }

    async fn sign_at(&self, request: &mut reqwest::Request, at: SystemTime) -> Result<(), Unsigned> {
        let failed = |reason: String| Unsigned::Failed { reason };
        let credentials = self.credentials.provide_credentials().await;
        let whole = |error| format!("{:#}", anyhow::Error::from(error));
        let identity = credentials.map_err(|error| failed(whole(error)))?.into();
        let mut settings = SigningSettings::default();
        // Serverless refuses a request without it; the other service takes it.
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(self.service)
            .time(at)
            .settings(settings)
            .build()
            .map_err(|error| failed(error.to_string()))?
            .into();
        let headers = request
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
        let signable = SignableRequest::new(
            request.method().as_str(),
            request.url().as_str(),
            headers,
            SignableBody::Bytes(body),
        )
        .map_err(|error| failed(error.to_string()))?;
        let (instructions, _) = sign(signable, &parameters)
            .map_err(|error| failed(error.to_string()))?
            .into_parts();
        let (headers, _) = instructions.into_parts();
        for header in headers {
            let value = header
                .value()
                .parse()
                .map_err(|_| failed("a header is not text".to_owned()))?;
            request.headers_mut().insert(header.name(), value);
        }
        Ok(())
    }
}

fn missing(what: &'static str, remedy: &'static str) -> Unsigned {
    Unsigned::Missing { what, remedy }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn a_variable_that_lambda_did_not_set_is_named() {
        let all = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"];
        let without = |missing: &str| {
            let value = |name: &str| (name != missing && all.contains(&name)).then(|| "value".to_owned());
            Signer::from_variables("es", value)
        };
        assert!(without("").is_ok(), "a user's keys have no session token");
        for name in all {
            let error = without(name).expect_err(name).to_string();
            assert!(error.contains(name), "{error}");
        }
    }

    #[tokio::test]
    async fn a_request_carries_the_signature_of_its_service_and_its_body() {
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", Some("token".to_owned()), None, "test");
        let signer = |service| {
            Signer::new(
                SharedCredentialsProvider::new(credentials.clone()),
                "eu-west-1",
                service,
            )
        };
        let mut signatures = Vec::new();
        for (service, body) in [("es", "{}"), ("aoss", "{}"), ("es", "{\"a\":1}")] {
            let url = "https://search.example.com/siem-waf/_search?q=a%20b"
                .parse()
                .expect("an address");
            let mut request = reqwest::Request::new(reqwest::Method::POST, url);
            *request.body_mut() = Some(body.into());
            let at = UNIX_EPOCH + Duration::from_secs(1_795_255_200);
            signer(service).sign_at(&mut request, at).await.expect("signed");
            let header = |name: &str| request.headers()[name].to_str().expect("text").to_owned();
            let authorization = header("authorization");
            assert!(
                authorization.contains(&format!("/eu-west-1/{service}/aws4_request")),
                "{authorization}"
            );
            assert!(authorization.contains("host;") && authorization.contains("x-amz-content-sha256"));
            assert_eq!(header("x-amz-security-token"), "token");
            signatures.push(authorization);
        }
        signatures.dedup();
        assert_eq!(signatures.len(), 3, "service and body are signed");
    }
}
