//! The way back over the wire: the real function, the AWS SDK, and moto behind it.

use std::net::TcpListener;

use aws_lambda_events::firehose::KinesisFirehoseResponse;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::{
    aws::{Moto, REGION},
    runtime_api::{serve, start},
};

const DELIVERY: &str = "arn:aws:firehose:eu-central-1:123456789012:deliverystream/flow";
const KINESIS: &str = "arn:aws:kinesis:eu-central-1:123456789012:stream/flow";

fn line(number: u32) -> String {
    format!("2 111122223333 eni-1 198.51.100.24 10.0.1.15 51514 22 6 12 {number} 1795258200 1795258257 ACCEPT OK")
}

fn lines(numbers: std::ops::Range<u32>) -> String {
    numbers.map(line).collect::<Vec<_>>().join("\n")
}

fn event(source: Option<&str>, data: &[String]) -> Vec<u8> {
    let records: Vec<_> = data
        .iter()
        .zip(0..)
        .map(|(data, id): (_, u32)| {
            json!({
                "recordId": id.to_string(),
                "data": BASE64_STANDARD.encode(data),
                "kinesisRecordMetadata": { "partitionKey": format!("key-{id}"), "shardId": "shardId-0" },
            })
        })
        .collect();
    let mut event = json!({ "invocationId": "i", "deliveryStreamArn": DELIVERY, "region": REGION, "records": records });
    if let Some(arn) = source {
        event["sourceKinesisStreamArn"] = arn.into();
    }
    event.to_string().into_bytes()
}

/// The results of the invocations, and the function's log.
fn invoke(moto: &Moto, events: &[Vec<u8>]) -> (Vec<Vec<String>>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut function = start(
        env!("CARGO_BIN_EXE_portcullis-transform-vpcflow"),
        &listener.local_addr().expect("an address").to_string(),
        &[
            ("AWS_ENDPOINT_URL", &moto.url()),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
        ],
    );
    let answers = serve(&listener, events);
    function.0.kill().expect("still running");
    let log = function.log();
    let results = answers.iter().map(|(_, body)| {
        let response: KinesisFirehoseResponse = serde_json::from_slice(body).expect("the contract's response");
        response
            .records
            .into_iter()
            .filter_map(|record| record.result)
            .collect()
    });
    (results.collect(), log)
}

#[test]
fn entries_go_back_to_a_delivery_stream() {
    let moto = Moto::start();
    moto.make_bucket("delivered");
    moto.call(
        "firehose",
        "Firehose_20150804.CreateDeliveryStream",
        &json!({
            "DeliveryStreamName": "flow",
            "DeliveryStreamType": "DirectPut",
            "ExtendedS3DestinationConfiguration": {
                "RoleARN": "arn:aws:iam::123456789012:role/firehose", "BucketARN": "arn:aws:s3:::delivered"
            },
        }),
    );
    // More than one call takes.
    let batch = [line(1), lines(100..720), lines(50..52)];
    let (results, log) = invoke(&moto, &[event(None, &batch)]);
    assert_eq!(results, [["Ok", "Dropped", "Dropped"]], "{log}");
    let delivered = moto.objects("delivered").concat();
    let expected: String = (100..720).chain(50..52).map(line).collect();
    let mut all: Vec<_> = String::from_utf8(delivered)
        .expect("text")
        .split_inclusive(" OK")
        .map(str::to_owned)
        .collect();
    let mut wanted: Vec<_> = expected.split_inclusive(" OK").map(str::to_owned).collect();
    all.sort();
    wanted.sort();
    assert_eq!(all, wanted);
    assert!(
        log.contains(r#""message":"put back on the stream","count":622"#),
        "{log}"
    );
}

#[test]
fn entries_go_back_to_the_kinesis_stream_with_their_partition_key() {
    let moto = Moto::start();
    moto.call(
        "kinesis",
        "Kinesis_20131202.CreateStream",
        &json!({ "StreamName": "flow", "ShardCount": 1 }),
    );
    let (results, log) = invoke(&moto, &[event(Some(KINESIS), &[line(1), lines(2..5)])]);
    assert_eq!(results, [["Ok", "Dropped"]], "{log}");
    let iterator = moto.call(
        "kinesis",
        "Kinesis_20131202.GetShardIterator",
        &json!({ "StreamName": "flow", "ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON" }),
    );
    let got = moto.call(
        "kinesis",
        "Kinesis_20131202.GetRecords",
        &json!({ "ShardIterator": iterator["ShardIterator"] }),
    );
    let records: Vec<(String, Vec<u8>)> = got["Records"]
        .as_array()
        .expect("records")
        .iter()
        .map(|record: &Value| {
            let data = BASE64_STANDARD
                .decode(record["Data"].as_str().expect("text"))
                .expect("base64");
            (record["PartitionKey"].as_str().expect("a key").to_owned(), data)
        })
        .collect();
    let expected: Vec<_> = (2..5).map(|n| ("key-1".to_owned(), line(n).into_bytes())).collect();
    assert_eq!(records, expected);
}

#[test]
fn a_stream_that_is_not_there_fails_the_record_and_says_so_at_once() {
    let moto = Moto::start();
    for source in [None, Some(KINESIS)] {
        let (results, log) = invoke(&moto, &[event(source, &[lines(1..3), line(9)])]);
        assert_eq!(results, [["ProcessingFailed", "Ok"]], "{log}");
        assert!(
            log.contains("ResourceNotFoundException") && log.contains(r#""reason":"form""#),
            "{log}"
        );
    }
}
