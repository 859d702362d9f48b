//! Firehose and Kinesis through the AWS SDK.
//!
//! <https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html>,
//! <https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html>

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_firehose::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

use crate::{
    document::push_hex,
    firehose::{Back, Patience, Prepared, PutError, PutRecords, Returned, Stream, put_all},
};

/// Time that is left for the response after the last call.
const RESERVE: Duration = Duration::from_secs(3);

/// Errors of the services that a later call will give again.
const LASTING: &[&str] = &[
    "AccessDenied",
    "AccessDeniedException",
    "InvalidArgumentException",
    "InvalidKMSResourceException",
    "InvalidSignatureException",
    "InvalidSourceException",
    "KMSAccessDeniedException",
    "KMSDisabledException",
    "KMSInvalidStateException",
    "KMSNotFoundException",
    "KMSOptInRequired",
    "ResourceNotFoundException",
    "UnrecognizedClientException",
    "ValidationException",
];

/// The clients, each made when it is first needed: most functions never put anything back.
#[derive(Debug, Default)]
pub(super) struct Streams {
    config: Option<SdkConfig>,
    firehose: Option<aws_sdk_firehose::Client>,
    kinesis: Option<aws_sdk_kinesis::Client>,
}

impl Streams {
    /// Puts back what an event leaves over, before the function has to answer.
    pub(super) async fn put_all(&mut self, prepared: &Prepared<'_>, deadline: u64) -> Returned {
        let back = prepared.back();
        if back.is_empty() {
            return Returned::nothing("");
        }
        let Some(stream) = prepared.stream() else {
            return Returned::nothing("the event does not name a stream to which they could go back");
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let left = Duration::from_millis(deadline)
            .saturating_sub(now)
            .saturating_sub(RESERVE);
        let patience = Patience::default();
        let total = patience.total.min(left);
        put_all(self, stream, back, Patience { total, ..patience }).await
    }

    async fn config(&mut self, stream: &Stream) -> &SdkConfig {
        let region = Region::new(stream.region().to_owned());
        if self
            .config
            .as_ref()
            .is_none_or(|config| config.region() != Some(&region))
        {
            let timeouts = TimeoutConfig::builder()
                .connect_timeout(Duration::from_secs(3))
                .operation_attempt_timeout(Duration::from_secs(10));
            let config = aws_config::defaults(BehaviorVersion::latest())
                .region(region)
                // Attempts are counted in one place, which knows what part of a batch is worth another one.
                .retry_config(RetryConfig::disabled())
                .timeout_config(timeouts.build())
                .load()
                .await;
            (self.firehose, self.kinesis) = (None, None);
            self.config = Some(config);
        }
        self.config.get_or_insert_with(|| SdkConfig::builder().build())
    }
}

impl PutRecords for Streams {
    async fn put(&mut self, stream: &Stream, batch: &[&Back]) -> Result<Vec<Result<(), String>>, PutError> {
        let config = self.config(stream).await.clone();
        match stream {
            Stream::DirectPut { name, .. } => {
                let client = self
                    .firehose
                    .get_or_insert_with(|| aws_sdk_firehose::Client::new(&config));
                to_firehose(client, name, batch).await
            }
            Stream::Kinesis { arn, .. } => {
                let client = self
                    .kinesis
                    .get_or_insert_with(|| aws_sdk_kinesis::Client::new(&config));
                to_kinesis(client, arn, batch).await
            }
        }
    }
}

async fn to_firehose(
    client: &aws_sdk_firehose::Client,
    name: &str,
    batch: &[&Back],
) -> Result<Vec<Result<(), String>>, PutError> {
    use aws_sdk_firehose::{primitives::Blob, types::Record};
    let records: Result<Vec<Record>, _> = batch
        .iter()
        .map(|back| Record::builder().data(Blob::new(back.data())).build())
        .collect();
    let request = client
        .put_record_batch()
        .delivery_stream_name(name)
        .set_records(Some(records.map_err(unbuilt)?));
    let answer = request.send().await.map_err(failed)?;
    Ok(answer
        .request_responses()
        .iter()
        .map(|entry| told(entry.error_code(), entry.error_message()))
        .collect())
}

async fn to_kinesis(
    client: &aws_sdk_kinesis::Client,
    arn: &str,
    batch: &[&Back],
) -> Result<Vec<Result<(), String>>, PutError> {
    use aws_sdk_kinesis::{primitives::Blob, types::PutRecordsRequestEntry};
    let records: Result<Vec<PutRecordsRequestEntry>, _> = batch
        .iter()
        .map(|back| {
            PutRecordsRequestEntry::builder()
                .data(Blob::new(back.data()))
                .partition_key(back.partition_key().map_or_else(|| key_of(back.data()), str::to_owned))
                .build()
        })
        .collect();
    let request = client
        .put_records()
        .stream_arn(arn)
        .set_records(Some(records.map_err(unbuilt)?));
    let answer = request.send().await.map_err(failed)?;
    Ok(answer
        .records()
        .iter()
        .map(|entry| told(entry.error_code(), entry.error_message()))
        .collect())
}

/// A partition key for a record that came without one: spreads over the shards, the same for the same bytes.
fn key_of(data: &[u8]) -> String {
    let mut hex = Vec::with_capacity(16);
    push_hex(&mut hex, &blake3::hash(data).as_bytes()[..8]);
    String::from_utf8(hex).unwrap_or_default()
}

fn told(code: Option<&str>, message: Option<&str>) -> Result<(), String> {
    code.map_or(Ok(()), |code| Err(format!("{code}: {}", message.unwrap_or_default())))
}

fn unbuilt(error: impl fmt::Display) -> PutError {
    PutError {
        is_transient: false,
        message: error.to_string(),
    }
}

fn failed<E: ProvideErrorMetadata + std::error::Error + 'static>(error: SdkError<E>) -> PutError {
    let lasting = match &error {
        SdkError::ConstructionFailure(_) => true,
        _ => error.code().is_some_and(|code| LASTING.contains(&code)),
    };
    PutError {
        is_transient: !lasting,
        message: match (error.code(), error.message()) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            _ => DisplayErrorContext(&error).to_string(),
        },
    }
}
