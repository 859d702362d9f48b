//! What every client of AWS shares: region, credentials and endpoint, and the count of calls.

pub mod sign;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::config::interceptors::{
    BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;

/// No region is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no AWS region is known; set AWS_REGION, or `region` in the profile that AWS_PROFILE names")]
pub struct NoRegion;

/// Region, credentials and endpoint from the standard AWS variables and files.
///
/// # Errors
/// When no region is known.
pub async fn configuration() -> Result<SdkConfig, NoRegion> {
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    if config.region().is_none() {
        return Err(NoRegion);
    }
    Ok(config)
}

static CALLS: AtomicU64 = AtomicU64::new(0);
static ATTEMPTS: AtomicU64 = AtomicU64::new(0);

/// Calls of AWS that this process made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// Calls, however often each was tried.
    pub calls: u64,
    /// Attempts beyond the first.
    pub retries: u64,
}

impl Calls {
    /// Those that were made since `before`.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self {
            calls: self.calls.saturating_sub(before.calls),
            retries: self.retries.saturating_sub(before.retries),
        }
    }
}

/// Calls of all clients that count with [`Counted`].
#[must_use]
pub fn calls() -> Calls {
    let calls = CALLS.load(Relaxed);
    Calls {
        calls,
        retries: ATTEMPTS.load(Relaxed).saturating_sub(calls),
    }
}

/// Counts the calls of the client whose interceptor it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counted;

impl Intercept for Counted {
    fn name(&self) -> &'static str {
        "Counted"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        CALLS.fetch_add(1, Relaxed);
        Ok(())
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        ATTEMPTS.fetch_add(1, Relaxed);
        Ok(())
    }
}
