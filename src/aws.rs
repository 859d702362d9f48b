//! What every client of AWS shares: region, credentials and endpoint, and the count of calls.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

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

/// By service: calls, and attempts of them.
static MADE: Mutex<BTreeMap<&str, (u64, u64)>> = Mutex::new(BTreeMap::new());

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

/// Calls by service, such as `ec2`.
#[must_use]
pub fn calls_by_service() -> BTreeMap<&'static str, Calls> {
    let made = made();
    let calls = |(calls, attempts): (u64, u64)| Calls {
        calls,
        retries: attempts.saturating_sub(calls),
    };
    made.iter()
        .map(|(service, counts)| (*service, calls(*counts)))
        .collect()
}

/// Calls of all services together.
#[must_use]
pub fn calls() -> Calls {
    let services = calls_by_service();
    Calls {
        calls: services.values().map(|of| of.calls).sum(),
        retries: services.values().map(|of| of.retries).sum(),
    }
}

/// Counts a call that begins.
pub(crate) fn count_call(service: &'static str) {
    made().entry(service).or_default().0 += 1;
}

/// Counts an attempt of a call, the first one too.
pub(crate) fn count_attempt(service: &'static str) {
    made().entry(service).or_default().1 += 1;
}

fn made() -> MutexGuard<'static, BTreeMap<&'static str, (u64, u64)>> {
    MADE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts the calls of the client whose interceptor it is, as those of a service.
#[derive(Clone, Copy, Debug)]
pub struct Counted(pub &'static str);

impl Intercept for Counted {
    fn name(&self) -> &'static str {
        "Counted"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        count_call(self.0);
        Ok(())
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        count_attempt(self.0);
        Ok(())
    }
}
