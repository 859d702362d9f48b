//! One client per account and region, with the role of its account; and how a call is made: within its time, at the pace that
//! EC2 bears, again when that can help and do no harm.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{Region, SdkConfig};
use aws_sdk_ec2::Client;
use aws_sdk_ec2::config::{IdentityCache, SharedCredentialsProvider};
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};

use super::bucket::{Bucket, READS, WRITES};
use super::error::Call;
use super::rds::Rds;
use crate::aws;
use crate::network_acl::{Code, Ec2Settings, Error};

/// Accounts and regions that are asked at once.
const AT_ONCE: usize = 8;

/// Every call ends by then, retries included: below [`CALL`](crate::network_acl::CALL), which leases count on.
pub(super) const PATIENCE: Duration = Duration::from_millis(9_000);

/// The longest that one attempt of a call that only reads may take.
const ATTEMPT: Duration = Duration::from_secs(4);

/// Attempts of one call, and the wait before the second; it doubles.
const ATTEMPTS: u32 = 5;
const WAIT: Duration = Duration::from_millis(150);

/// Pages of one description: far more than an account may have.
const MOST_PAGES: usize = 500;

/// EC2 in one region of one account.
#[derive(Debug)]
pub(super) struct Regional {
    pub(super) account: String,
    pub(super) region: String,
    /// Who calls, for people: the role's ARN.
    pub(super) caller: String,
    pub(super) client: Client,
    pub(super) rds: Rds,
    reads: Bucket,
    writes: Bucket,
    /// Of the calls of RDS, which count its own.
    looks: Bucket,
}

/// What is remembered per account and region.
#[derive(Debug)]
pub(super) struct Clients {
    base: SdkConfig,
    settings: Arc<Ec2Settings>,
    identities: aws_sdk_ec2::config::SharedIdentityCache,
    known: Mutex<HashMap<(String, String), Arc<Regional>>>,
    roles: tokio::sync::Mutex<HashMap<String, SharedCredentialsProvider>>,
}

impl Clients {
    pub(super) fn new(base: SdkConfig, settings: Arc<Ec2Settings>) -> Self {
        Self {
            base,
            settings,
            identities: IdentityCache::lazy().build(),
            known: Mutex::default(),
            roles: tokio::sync::Mutex::default(),
        }
    }

    /// Whether anything may be looked at there at all.
    pub(super) fn reaches(&self, account: &str, region: &str) -> bool {
        let among = |list: &[String], text: &str| list.iter().any(|known| known == text);
        among(&self.settings.accounts, account) && among(&self.settings.regions, region)
    }

    /// Every account and region.
    pub(super) async fn all(&self) -> Vec<Arc<Regional>> {
        let mut all = Vec::with_capacity(self.settings.accounts.len() * self.settings.regions.len());
        for account in &self.settings.accounts {
            for region in &self.settings.regions {
                all.push(self.made(account, region).await);
            }
        }
        all
    }

    /// Asks every account and region, several at once, and hands over what each says as it comes; ends at what `take` refuses.
    pub(super) async fn each<T, F>(
        &self,
        ask: impl Fn(Arc<Regional>) -> F + Send,
        mut take: impl FnMut(T) -> Result<(), Error> + Send,
    ) -> Result<(), Error>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let mut waiting = self.all().await.into_iter();
        let mut running = JoinSet::new();
        loop {
            while running.len() < AT_ONCE
                && let Some(at) = waiting.next()
            {
                running.spawn(ask(at));
            }
            let Some(done) = running.join_next().await else {
                return Ok(());
            };
            take(done.map_err(|error| Error::new(Code::Unavailable, error.to_string()))?)?;
        }
    }

    /// The client of an account and region.
    ///
    /// # Errors
    /// [`Code::Unauthorized`] for one that the configuration does not name.
    pub(super) async fn at(&self, account: &str, region: &str) -> Result<Arc<Regional>, Error> {
        if self.reaches(account, region) {
            return Ok(self.made(account, region).await);
        }
        let message = format!(
            "{account} {region} is not reached; add it to network_acls.ec2.accounts and network_acls.ec2.regions"
        );
        Err(Error::new(Code::Unauthorized, message))
    }

    async fn made(&self, account: &str, region: &str) -> Arc<Regional> {
        let name = (account.to_owned(), region.to_owned());
        if let Some(known) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&name) {
            return Arc::clone(known);
        }
        let mut config = aws_sdk_ec2::config::Builder::from(&self.base)
            .region(Region::new(region.to_owned()))
            .identity_cache(self.identities.clone())
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::builder().operation_timeout(PATIENCE).build());
        let role = self.settings.role_in(account);
        let mut credentials = None;
        if let Some(role) = &role {
            let assumed = self.role(account, role).await;
            config = config.credentials_provider(assumed.clone());
            credentials = Some(assumed);
        }
        let made = Arc::new(Regional {
            account: account.to_owned(),
            region: region.to_owned(),
            caller: role.unwrap_or_else(|| "this program's role".to_owned()),
            client: Client::from_conf(config.build()),
            rds: Rds::new(&self.base, region, credentials),
            reads: Bucket::new(READS),
            writes: Bucket::new(WRITES),
            looks: Bucket::new(READS),
        });
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(name).or_insert(made))
    }

    /// The credentials of an account's role, shared by its regions.
    async fn role(&self, account: &str, role: &str) -> SharedCredentialsProvider {
        let mut roles = self.roles.lock().await;
        if let Some(known) = roles.get(account) {
            return known.clone();
        }
        let mut assumed = AssumeRoleProvider::builder(role)
            .session_name("portcullis")
            .configure(&self.base);
        if let Some(id) = &self.settings.external_id {
            assumed = assumed.external_id(id);
        }
        let provider = SharedCredentialsProvider::new(assumed.build().await);
        roles.insert(account.to_owned(), provider.clone());
        provider
    }
}

impl Regional {
    /// A call of this action of EC2, about a resource or, when that is empty, about everything.
    pub(super) fn call<'a>(&'a self, action: &'static str, about: &'a str) -> Call<'a> {
        self.call_of("ec2", action, about)
    }

    /// The same of another service.
    pub(super) fn call_of<'a>(&'a self, service: &'static str, action: &'static str, about: &'a str) -> Call<'a> {
        Call {
            at: self,
            service,
            action,
            about,
        }
    }

    /// A call of RDS, which only reads.
    pub(super) async fn ask_rds<T, F>(&self, call: Call<'_>, make: impl Fn() -> F + Send) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>> + Send,
    {
        self.attempts(call, &self.looks, ATTEMPT, Code::is_transient, make)
            .await
    }

    /// A call that only reads: repeated when EC2 failed or refused it for their number.
    pub(super) async fn read<T, E, F>(
        &self,
        action: &'static str,
        about: &str,
        make: impl Fn() -> F + Send + Sync,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, SdkError<E>>> + Send,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let call = self.call(action, about);
        self.attempts(call, &self.reads, ATTEMPT, Code::is_transient, || asked(call, make()))
            .await
    }

    /// A call that writes: repeated only when EC2 says that it did nothing. Whether one did anything whose answer was lost is
    /// for the responder to find out.
    pub(super) async fn write<T, E, F>(
        &self,
        action: &'static str,
        about: &str,
        make: impl Fn() -> F + Send + Sync,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, SdkError<E>>> + Send,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let call = self.call(action, about);
        let did_nothing = |code: Code| code == Code::RequestLimitExceeded;
        self.attempts(call, &self.writes, PATIENCE, did_nothing, || asked(call, make()))
            .await
    }

    /// Every page of a description, in order. `take` says where the next begins.
    pub(super) async fn pages<T, E, F>(
        &self,
        action: &'static str,
        page: impl Fn(Option<String>) -> F + Send + Sync,
        mut take: impl FnMut(T) -> Result<Option<String>, Error> + Send,
    ) -> Result<(), Error>
    where
        T: Send,
        F: Future<Output = Result<T, SdkError<E>>> + Send,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let mut token = None;
        for _ in 0..MOST_PAGES {
            token = take(self.read(action, "", || page(token.clone())).await?)?;
            if token.is_none() {
                return Ok(());
            }
        }
        Err(self.call(action, "").says(Code::Unavailable, "its pages do not end"))
    }

    async fn attempts<T, F>(
        &self,
        call: Call<'_>,
        bucket: &Bucket,
        longest: Duration,
        again: impl Fn(Code) -> bool + Send,
        make: impl Fn() -> F + Send,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>> + Send,
    {
        let deadline = Instant::now() + PATIENCE;
        let mut attempt = 0;
        loop {
            let Some(wait) = bucket.take(Instant::now(), deadline - Instant::now()) else {
                let what = "calls were refused for their number, so this one is not made yet";
                return Err(call.says(Code::RequestLimitExceeded, what));
            };
            sleep(wait).await;
            if attempt == 0 {
                aws::count_call(call.service);
            }
            aws::count_attempt(call.service);
            let ends = deadline.min(Instant::now() + longest);
            // The SDK's calls are large, and so would be every future around one that held it in place.
            let error = match timeout_at(ends, Box::pin(make())).await {
                Ok(Ok(answer)) => {
                    bucket.passed(Instant::now());
                    return Ok(answer);
                }
                Ok(Err(error)) => error,
                Err(_) => call.says(Code::Unavailable, "it timed out; check the network and the endpoint"),
            };
            if error.code == Code::RequestLimitExceeded {
                bucket.refused(Instant::now());
            }
            attempt += 1;
            let pause = WAIT * 2_u32.pow(attempt);
            if attempt >= ATTEMPTS || !again(error.code) || Instant::now() + pause >= deadline {
                return Err(error);
            }
            sleep(pause).await;
        }
    }
}

/// A call of the SDK, with its failure in our words.
async fn asked<T, E>(call: Call<'_>, sent: impl Future<Output = Result<T, SdkError<E>>> + Send) -> Result<T, Error>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    sent.await.map_err(|error| call.failed(&error))
}
