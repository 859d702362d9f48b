//! Kinesis through the SDK.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_kinesis::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_kinesis::primitives::DateTime;
use aws_sdk_kinesis::types::ShardIteratorType;

use crate::aws::Counted;

use super::api::{Batch, Fault, Kinesis, Record, Shard, Start};

/// The longest that one call may take.
const CALL: Duration = Duration::from_secs(10);

/// Shards that one `ListShards` brings.
const SHARDS: i32 = 1_000;

/// Codes that a later call will give again, and what to do about each.
const LASTING: &[(&str, &str)] = &[
    (
        "AccessDenied",
        "the role needs kinesis:DescribeStreamSummary, ListShards, GetShardIterator and GetRecords on it",
    ),
    (
        "AccessDeniedException",
        "the role needs kinesis:DescribeStreamSummary, ListShards, GetShardIterator and GetRecords on it",
    ),
    (
        "InvalidArgumentException",
        "check the stream's name and the time to begin at",
    ),
    (
        "InvalidSignatureException",
        "check the credentials and this machine's clock",
    ),
    (
        "KMSAccessDeniedException",
        "the role needs kms:Decrypt on the stream's key",
    ),
    ("KMSDisabledException", "the stream's key is disabled"),
    (
        "KMSInvalidStateException",
        "the stream's key is in a state in which it cannot decrypt",
    ),
    ("KMSNotFoundException", "the stream's key is gone"),
    ("KMSOptInRequired", "the account has no access to KMS"),
    ("UnrecognizedClientException", "check the credentials"),
    ("ValidationException", "check the stream's name"),
];

const THROTTLED: &[&str] = &[
    "KMSThrottlingException",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "ThrottlingException",
];

/// One stream.
#[derive(Clone, Debug)]
pub struct Client {
    client: aws_sdk_kinesis::Client,
    /// Its name, or its ARN where it is another account's.
    stream: String,
}

impl Client {
    /// The stream of this name, or with this ARN.
    #[must_use]
    pub fn new(config: &SdkConfig, stream: &str) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(3))
            .operation_attempt_timeout(CALL)
            .build();
        let config = aws_sdk_kinesis::config::Builder::from(config)
            .interceptor(Counted("kinesis"))
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            .build();
        Self {
            client: aws_sdk_kinesis::Client::from_conf(config),
            stream: stream.to_owned(),
        }
    }

    /// Name and ARN, of which a call takes one.
    fn named(&self) -> (Option<String>, Option<String>) {
        let stream = Some(self.stream.clone());
        if self.stream.starts_with("arn:") {
            (None, stream)
        } else {
            (stream, None)
        }
    }

    fn fault<E: ProvideErrorMetadata + std::error::Error + 'static>(&self, error: &SdkError<E>) -> Fault {
        let Some(code) = error.code() else {
            return Fault::Unavailable(format!("stream {}: {}", self.stream, DisplayErrorContext(error)));
        };
        let said = format!(
            "stream {}: {code}: {}",
            self.stream,
            error.message().unwrap_or_default()
        );
        match code {
            "ExpiredIteratorException" => Fault::Expired,
            "ResourceNotFoundException" => Fault::Gone(said),
            code if THROTTLED.contains(&code) => Fault::Throttled(said),
            code => match LASTING.iter().find(|(lasting, _)| *lasting == code) {
                Some((_, remedy)) => Fault::Refused(format!("{said}; {remedy}")),
                None => Fault::Unavailable(said),
            },
        }
    }
}

impl Kinesis for Client {
    async fn identity(&self) -> Result<String, Fault> {
        let (name, arn) = self.named();
        let asked = self
            .client
            .describe_stream_summary()
            .set_stream_name(name)
            .set_stream_arn(arn);
        let answer = asked.send().await.map_err(|error| self.fault(&error))?;
        let summary = answer
            .stream_description_summary
            .ok_or_else(|| Fault::Unavailable(format!("stream {}: an answer without a description", self.stream)))?;
        Ok(format!(
            "{}@{}",
            summary.stream_arn,
            summary.stream_creation_timestamp.secs()
        ))
    }

    async fn shards(&self) -> Result<Vec<Shard>, Fault> {
        let mut shards = Vec::new();
        let mut more = None;
        loop {
            // The name goes with the first call only: the token stands for it.
            let (name, arn) = if more.is_none() { self.named() } else { (None, None) };
            let asked = self.client.list_shards().max_results(SHARDS);
            let asked = asked.set_stream_name(name).set_stream_arn(arn).set_next_token(more);
            let answer = asked.send().await.map_err(|error| self.fault(&error))?;
            for shard in answer.shards.unwrap_or_default() {
                let parents = [shard.parent_shard_id, shard.adjacent_parent_shard_id];
                shards.push(Shard {
                    id: shard.shard_id,
                    parents: parents.into_iter().flatten().collect(),
                });
            }
            more = answer.next_token;
            if more.is_none() {
                return Ok(shards);
            }
        }
    }

    async fn iterator(&self, shard: &str, start: &Start) -> Result<String, Fault> {
        let (name, arn) = self.named();
        let asked = self.client.get_shard_iterator().shard_id(shard);
        let asked = asked.set_stream_name(name).set_stream_arn(arn);
        let asked = match start {
            Start::Latest => asked.shard_iterator_type(ShardIteratorType::Latest),
            Start::TrimHorizon => asked.shard_iterator_type(ShardIteratorType::TrimHorizon),
            Start::At(at) => asked
                .shard_iterator_type(ShardIteratorType::AtTimestamp)
                .timestamp(DateTime::from_millis(at.timestamp_millis())),
            Start::After(number) => asked
                .shard_iterator_type(ShardIteratorType::AfterSequenceNumber)
                .starting_sequence_number(number.to_string()),
        };
        let answer = asked.send().await.map_err(|error| self.fault(&error))?;
        answer
            .shard_iterator
            .ok_or_else(|| Fault::Unavailable(format!("stream {}: an answer without an iterator", self.stream)))
    }

    async fn records(&self, iterator: &str, most: u16) -> Result<Batch, Fault> {
        let asked = self.client.get_records().shard_iterator(iterator).limit(most.into());
        let asked = asked.set_stream_arn(self.named().1);
        let answer = asked.send().await.map_err(|error| self.fault(&error))?;
        let mut records = Vec::with_capacity(answer.records.len());
        for record in answer.records {
            records.push(Record {
                number: record
                    .sequence_number
                    .parse()
                    .map_err(|error| Fault::Refused(format!("stream {}: {error}", self.stream)))?,
                data: record.data.into_inner(),
            });
        }
        Ok(Batch {
            records,
            next: answer.next_shard_iterator,
            behind: answer.millis_behind_latest.and_then(|behind| behind.try_into().ok()),
        })
    }
}
