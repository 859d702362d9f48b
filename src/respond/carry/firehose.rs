//! A delivery stream of Amazon Data Firehose, whose destination is the cluster.
//!
//! [PutRecordBatch](https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html): at most 500 records and
//! 4 MiB a call; the answer tells of each record whether it was taken.

use std::ops::Range;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_firehose::Client;
use aws_sdk_firehose::error::DisplayErrorContext;
use aws_sdk_firehose::primitives::Blob;
use aws_sdk_firehose::types::Record;
use tokio::time::sleep;

use super::{Place, Unplaced};
use crate::aws::{self, Counted, NoRegion};

/// Records of one call.
const RECORDS: usize = 500;
/// Bytes of one call.
const BYTES: usize = 4 << 20;
/// How often records are put that the stream had no room for.
const ATTEMPTS: u32 = 5;
/// The first wait between two attempts; each further one is twice as long.
const FIRST: Duration = Duration::from_millis(200);

/// A delivery stream that takes response documents as its producers' records (Direct PUT).
#[derive(Clone, Debug)]
pub struct Firehose {
    client: Client,
    stream: String,
    name: String,
}

impl Firehose {
    /// The stream of this name, in the region and with the credentials of the standard AWS variables and files. Nothing is
    /// called yet.
    ///
    /// # Errors
    /// When no region is known.
    pub async fn open(stream: &str) -> Result<Self, NoRegion> {
        Ok(Self::new(&aws::configuration().await?, stream))
    }

    fn new(config: &SdkConfig, stream: &str) -> Self {
        let config = aws_sdk_firehose::config::Builder::from(config)
            .interceptor(Counted("firehose"))
            .build();
        Self {
            client: Client::from_conf(config),
            stream: stream.to_owned(),
            name: format!("firehose/{stream}"),
        }
    }

    /// One call. Returns the records that the stream had no room for, and why.
    async fn put(&self, records: Vec<Record>) -> Result<Option<(Vec<Record>, String)>, Unplaced> {
        let asked = self.client.put_record_batch().delivery_stream_name(&self.stream);
        let answer = asked.set_records(Some(records.clone())).send().await.map_err(|error| {
            Unplaced(format!(
                "Firehose did not take them: {}; the role needs firehose:PutRecordBatch on the delivery stream {:?}",
                DisplayErrorContext(&error),
                self.stream
            ))
        })?;
        let told = answer.request_responses();
        let why = told.iter().find_map(|one| one.error_code());
        let Some(why) = why else { return Ok(None) };
        let left = records
            .into_iter()
            .zip(told)
            .filter(|(_, told)| told.error_code().is_some())
            .map(|(record, _)| record)
            .collect();
        Ok(Some((left, why.to_owned())))
    }
}

impl Place for Firehose {
    fn name(&self) -> &str {
        &self.name
    }

    async fn take(&self, documents: Vec<Vec<u8>>) -> Result<(), Unplaced> {
        let sizes: Vec<usize> = documents.iter().map(|document| document.len() + 1).collect();
        for batch in batches(&sizes) {
            let mut records = Vec::with_capacity(batch.len());
            for document in &documents[batch] {
                // Firehose writes records one behind the other, and its destinations read lines.
                let line = [document.as_slice(), b"\n"].concat();
                let record = Record::builder().data(Blob::new(line)).build();
                records.push(record.map_err(|error| Unplaced(error.to_string()))?);
            }
            let mut wait = FIRST;
            let mut attempt = 1;
            while let Some((left, why)) = self.put(records).await? {
                if attempt == ATTEMPTS {
                    return Err(Unplaced(format!("{} of {}: {why}", left.len(), self.stream)));
                }
                attempt += 1;
                sleep(wait).await;
                wait *= 2;
                records = left;
            }
        }
        Ok(())
    }
}

/// Records, by their sizes, in calls that Firehose takes.
fn batches(sizes: &[usize]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (at, size) in sizes.iter().enumerate() {
        if at > start && (at - start == RECORDS || bytes + size > BYTES) {
            found.push(start..at);
            (start, bytes) = (at, 0);
        }
        bytes += size;
    }
    if start < sizes.len() {
        found.push(start..sizes.len());
    }
    found
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use aws_sdk_firehose::config::{Credentials, Region, SharedCredentialsProvider};
    use serde_json::{Value, json};

    use super::*;

    /// A delivery stream that takes every second record of a call; what it was asked for, call by call.
    async fn crowded() -> (SdkConfig, Arc<Mutex<Vec<Vec<String>>>>) {
        let calls: Arc<Mutex<Vec<Vec<String>>>> = Arc::default();
        let told = Arc::clone(&calls);
        let answer = move |body: String| async move {
            let asked: Value = serde_json::from_str(&body).expect("JSON");
            let records: Vec<String> = asked["Records"]
                .as_array()
                .expect("records")
                .iter()
                .map(|record| {
                    let data = record["Data"].as_str().expect("base64");
                    let data = base64_turbo::STANDARD.decode(data).expect("base64");
                    String::from_utf8(data).expect("text")
                })
                .collect();
            let answers: Vec<Value> = (0..records.len())
                .map(|at| match at % 2 {
                    0 => json!({"RecordId": "r"}),
                    _ => json!({"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "Slow down."}),
                })
                .collect();
            told.lock().expect("calls").push(records);
            json!({"FailedPutCount": answers.len() / 2, "RequestResponses": answers}).to_string()
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let service = axum::Router::new().fallback(answer).into_make_service();
        tokio::spawn(async move { axum::serve(listener, service).await });
        let config = SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::for_tests()))
            .endpoint_url(url)
            .build();
        (config, calls)
    }

    #[tokio::test]
    async fn what_the_stream_had_no_room_for_is_put_again_and_only_that() {
        let (config, calls) = crowded().await;
        let documents = ["a", "b", "c", "d"].map(|text| text.as_bytes().to_vec()).to_vec();
        Firehose::new(&config, "response").take(documents).await.expect("taken");
        let calls = calls.lock().expect("calls").clone();
        assert_eq!(
            calls,
            [vec!["a\n", "b\n", "c\n", "d\n"], vec!["b\n", "d\n"], vec!["d\n"]]
        );
    }

    #[tokio::test]
    async fn a_stream_that_goes_on_refusing_is_named() {
        let (config, calls) = crowded().await;
        let documents = vec![b"a".to_vec(); 100];
        let told = Firehose::new(&config, "response")
            .take(documents)
            .await
            .expect_err("refused");
        assert_eq!(told.0, "3 of response: ServiceUnavailableException");
        assert_eq!(calls.lock().expect("calls").len(), 5);
    }

    #[test]
    fn a_call_holds_no_more_than_firehose_takes_and_nothing_is_left_out() {
        let cases: [(Vec<usize>, &[Range<usize>]); 4] = [
            (vec![], &[]),
            (vec![1; 501], &[0..500, 500..501]),
            (vec![BYTES / 2, BYTES / 2, 1], &[0..2, 2..3]),
            (vec![BYTES + 1, 1], &[0..1, 1..2]),
        ];
        for (sizes, expected) in cases {
            assert_eq!(batches(&sizes), expected, "{} records", sizes.len());
        }
    }
}
