//! `portcullis-index`: log events of CloudWatch Logs, as documents in a cluster of OpenSearch.
//!
//! A subscription filter of a log group (CloudTrail's, or of flow logs, resolver queries, web ACLs) invokes the function. Each log
//! event is normalised by its source's table and written with `event.id` as its id, so that an invocation that Lambda repeats
//! changes nothing.
//!
//! | what | then |
//! |---|---|
//! | a control message | nothing is written |
//! | the cluster is busy, away or broken | sent again for as long as the invocation has time; then the invocation fails |
//! | the cluster knows us not, or forbids it, or is read-only | the invocation fails at once and says what is missing |
//! | a record that is refused, by its table or by the cluster | a line of the log says why and where it stands in its log group; the others are written |
//! | every record is refused | the invocation fails: this is no sick record |
//!
//! Subscriptions invoke asynchronously, so Lambda repeats a failed invocation twice and then hands its event to the function's
//! on-failure destination: give it one.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `PORTCULLIS__OPENSEARCH__ENDPOINT` | `https://` and the domain's host | |
//! | `PORTCULLIS_SOURCE` | what the records are; `auto` tells by shape | `auto` |
//! | `PORTCULLIS__OPENSEARCH__*` | as `[opensearch]` of the program; `auth` is `sigv4` here | |
//!
//! What documents hold is decided by the variables of [the other functions that normalise](portcullis_transforms::lambda).
//!
//! Pages followed: [subscriptions](https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html),
//! [asynchronous invocation](https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html).

mod event;
mod function;
mod open;

use std::process::ExitCode;
use std::time::SystemTime;

use lambda_runtime::Error;
use serde_json::Value;

use self::function::Function;
use super::Metrics;

/// Answers invocations until Lambda ends the process.
#[must_use]
pub fn main() -> ExitCode {
    super::main::<Function>()
}

impl super::Function for Function {
    const INSTEAD: &'static str = "`portcullis serve`";

    async fn open() -> Result<Self, Error> {
        open::function()
    }

    async fn invoked(&self, event: &[u8], deadline: SystemTime, metrics: &mut Metrics) -> Result<Value, Error> {
        self.answer(event, deadline, metrics).await?;
        Ok(Value::Null)
    }
}
