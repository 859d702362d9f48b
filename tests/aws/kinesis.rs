//! A stream of kinesis-local, and the few calls that tests make of it.

use std::time::Duration;

use serde_json::{Value, json};

pub(crate) const REGION: &str = "eu-central-1";

/// The server with one stream, `findings`.
pub(crate) struct Stream {
    server: portcullis_servers::Server,
    client: reqwest::Client,
}

impl Stream {
    /// A stream with this many shards.
    pub(crate) async fn start(shards: u32) -> Self {
        let stream = Self {
            server: portcullis_servers::kinesis_local(),
            client: reqwest::Client::builder().no_proxy().build().expect("a client"),
        };
        stream
            .call("CreateStream", json!({"StreamName": "findings", "ShardCount": shards}))
            .await;
        stream.active().await;
        stream
    }

    /// What a program needs to reach it; its keys open nothing else.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL_KINESIS", self.server.url()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ]
    }

    async fn call(&self, action: &str, input: Value) -> Value {
        let asked = self
            .client
            .post(self.server.url())
            .header("Content-Type", "application/x-amz-json-1.1")
            .header("X-Amz-Target", format!("Kinesis_20131202.{action}"))
            .header("X-Amz-Date", "20260101T000000Z")
            .header(
                "Authorization",
                format!("AWS4-HMAC-SHA256 Credential=test/20260101/{REGION}/kinesis/aws4_request, SignedHeaders=host, Signature=0"),
            )
            .body(input.to_string());
        let answer = asked.send().await.expect("an answer");
        let status = answer.status();
        let text = answer.text().await.expect("text");
        assert!(status.is_success(), "{action}: {status}: {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    async fn active(&self) {
        for _ in 0..100 {
            let answer = self
                .call("DescribeStreamSummary", json!({"StreamName": "findings"}))
                .await;
            if answer["StreamDescriptionSummary"]["StreamStatus"] == "ACTIVE" {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the stream is not active after five seconds");
    }

    /// Puts one record; the key decides on the shard.
    pub(crate) async fn put(&self, key: &str, data: &[u8]) {
        let data = base64_turbo::STANDARD.encode(data);
        let input = json!({"StreamName": "findings", "PartitionKey": key, "Data": data});
        self.call("PutRecord", input).await;
    }

    /// Puts many at once, on any shard.
    pub(crate) async fn put_all(&self, records: &[Vec<u8>]) {
        let keyed: Vec<(String, Vec<u8>)> = records
            .iter()
            .enumerate()
            .map(|(key, data)| (key.to_string(), data.clone()))
            .collect();
        self.put_keyed(&keyed).await;
    }

    /// Puts many at once; those of one key stay in order.
    pub(crate) async fn put_keyed(&self, records: &[(String, Vec<u8>)]) {
        for records in records.chunks(200) {
            let records: Vec<Value> = records
                .iter()
                .map(|(key, data)| json!({"PartitionKey": key, "Data": base64_turbo::STANDARD.encode(data)}))
                .collect();
            let answer = self
                .call("PutRecords", json!({"StreamName": "findings", "Records": records}))
                .await;
            assert_eq!(answer["FailedRecordCount"], 0, "{answer}");
        }
    }

    /// Splits the first shard that is open in the middle of its keys.
    pub(crate) async fn split(&self) {
        let listed = self.call("ListShards", json!({"StreamName": "findings"})).await;
        let shards = listed["Shards"].as_array().expect("shards");
        let open = shards
            .iter()
            .find(|shard| shard["SequenceNumberRange"]["EndingSequenceNumber"].is_null());
        let shard = open.expect("an open shard");
        let key = |end: &str| {
            shard["HashKeyRange"][end]
                .as_str()
                .and_then(|key| key.parse::<u128>().ok())
                .expect("a key")
        };
        let middle = key("StartingHashKey") / 2 + key("EndingHashKey") / 2;
        let input = json!({"StreamName": "findings", "ShardToSplit": shard["ShardId"], "NewStartingHashKey": middle.to_string()});
        self.call("SplitShard", input).await;
        self.active().await;
    }

    /// Merges the first two open shards that are neighbours.
    pub(crate) async fn merge(&self) {
        let listed = self.call("ListShards", json!({"StreamName": "findings"})).await;
        let shards = listed["Shards"].as_array().expect("shards");
        let open = |shard: &&Value| shard["SequenceNumberRange"]["EndingSequenceNumber"].is_null();
        let key = |shard: &Value, end: &str| {
            shard["HashKeyRange"][end]
                .as_str()
                .and_then(|key| key.parse::<u128>().ok())
                .expect("a key")
        };
        let mut open: Vec<&Value> = shards.iter().filter(open).collect();
        open.sort_by_key(|shard| key(shard, "StartingHashKey"));
        let two = open.windows(2).next().expect("two open shards");
        let input = json!({"StreamName": "findings", "ShardToMerge": two[0]["ShardId"], "AdjacentShardToMerge": two[1]["ShardId"]});
        self.call("MergeShards", input).await;
        self.active().await;
    }
}
