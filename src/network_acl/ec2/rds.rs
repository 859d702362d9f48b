//! RDS in one region of one account: where it listens, and who asks.

use std::time::SystemTime;

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::future::ProvideCredentials as Provided;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_types::service_config::ServiceConfigKey;

use crate::network_acl::settings::partition;
use crate::sigv4::Signer;

/// Credentials are renewed when they end within this time.
const AHEAD: std::time::Duration = std::time::Duration::from_secs(300);

/// Domain of each partition's endpoints.
const DOMAINS: &[(&str, &str)] = &[
    ("aws-cn", "amazonaws.com.cn"),
    ("aws-iso", "c2s.ic.gov"),
    ("aws-iso-b", "sc2s.sgov.gov"),
    ("aws-iso-e", "cloud.adc-e.uk"),
    ("aws-iso-f", "csp.hci.ic.gov"),
    ("aws-eusc", "amazonaws.eu"),
];

/// RDS there.
#[derive(Debug)]
pub(super) struct Rds {
    endpoint: String,
    signer: Signer,
}

impl Rds {
    /// With the credentials of an account's role, or the program's own.
    pub(super) fn new(base: &SdkConfig, region: &str, role: Option<SharedCredentialsProvider>) -> Self {
        let credentials = role.or_else(|| base.credentials_provider());
        let kept = SharedCredentialsProvider::new(Kept {
            provider: credentials,
            last: tokio::sync::Mutex::default(),
        });
        Self {
            endpoint: configured(base).unwrap_or_else(|| endpoint(region)),
            signer: Signer::new(kept, region, "rds"),
        }
    }

    pub(super) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub(super) fn signer(&self) -> &Signer {
        &self.signer
    }
}

fn endpoint(region: &str) -> String {
    let partition = partition(region);
    let known = DOMAINS.iter().find(|(name, _)| *name == partition);
    let domain = known.map_or("amazonaws.com", |(_, domain)| domain);
    format!("https://rds.{region}.{domain}/")
}

/// `AWS_ENDPOINT_URL_RDS`, the profile's, or the one of all services.
fn configured(base: &SdkConfig) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id("RDS")
        .profile("endpoint_url")
        .env("AWS_ENDPOINT_URL")
        .build()
        .ok()?;
    let own = base.service_config().and_then(|config| config.load_config(key));
    own.or_else(|| base.endpoint_url().map(str::to_owned))
}

/// Credentials until they end: to assume a role is a call.
#[derive(Debug)]
struct Kept {
    provider: Option<SharedCredentialsProvider>,
    last: tokio::sync::Mutex<Option<Credentials>>,
}

impl Kept {
    async fn get(&self) -> Result<Credentials, CredentialsError> {
        let mut last = self.last.lock().await;
        let soon = SystemTime::now() + AHEAD;
        let good = |known: &&Credentials| known.expiry().is_some_and(|ends| ends > soon);
        if let Some(known) = last.as_ref().filter(good) {
            return Ok(known.clone());
        }
        let Some(provider) = &self.provider else {
            return Err(CredentialsError::not_loaded("set AWS_PROFILE, or run as an IAM role"));
        };
        let new = provider.provide_credentials().await?;
        *last = Some(new.clone());
        Ok(new)
    }
}

impl ProvideCredentials for Kept {
    fn provide_credentials<'a>(&'a self) -> Provided<'a>
    where
        Self: 'a,
    {
        Provided::new(self.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_partition_has_a_domain_of_its_own() {
        for (region, expected) in [
            ("eu-central-1", "https://rds.eu-central-1.amazonaws.com/"),
            ("us-gov-west-1", "https://rds.us-gov-west-1.amazonaws.com/"),
            ("cn-north-1", "https://rds.cn-north-1.amazonaws.com.cn/"),
        ] {
            assert_eq!(endpoint(region), expected);
        }
    }
}
