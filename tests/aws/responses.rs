//! Response documents on their way to the index: through a delivery stream from the function.

use std::net::TcpListener;

use serde_json::{Value, json};

use crate::findings::inbound;
use crate::lambda::schedule;
use crate::moto::Moto;
use crate::runtime_api::{serve, start};

#[tokio::test(flavor = "multi_thread")]
async fn the_function_puts_each_response_document_on_its_delivery_stream_once() {
    let moto = Moto::start();
    moto.s3("PUT", "/responses").await;
    moto.call(
        "firehose",
        "Firehose_20150804.CreateDeliveryStream",
        &json!({"DeliveryStreamName": "response", "DeliveryStreamType": "DirectPut", "ExtendedS3DestinationConfiguration": {
            "RoleARN": "arn:aws:iam::111122223333:role/firehose", "BucketARN": "arn:aws:s3:::responses"}}),
    )
    .await;
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("data").to_string_lossy().into_owned();
    let known = moto.environment();
    let mut settings: Vec<(&str, &str)> = known.iter().map(|(name, value)| (*name, value.as_str())).collect();
    settings.extend([
        ("PORTCULLIS__LEDGER__STORE", "embedded"),
        ("PORTCULLIS__NETWORK_ACLS__STORE", "model"),
        ("PORTCULLIS__POLICY__MODE", "enforce"),
        ("PORTCULLIS__RESPONSES__FIREHOSE", "response"),
        ("PORTCULLIS__DATA", &data),
    ]);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let _function = start(env!("CARGO_BIN_EXE_portcullis-respond"), &address, &settings);
    let finding = inbound("f1", "185.220.101.4".to_owned());
    let events = [finding, schedule(), schedule()];
    let answers = tokio::task::spawn_blocking(move || serve(&listener, &events))
        .await
        .expect("answers");
    assert!(answers.iter().all(|(_, body)| body == b"null"), "{answers:?}");

    let listed = moto.s3("GET", "/responses?list-type=2").await;
    let keys: Vec<&str> = listed
        .split("<Key>")
        .skip(1)
        .filter_map(|rest| rest.split("</Key>").next())
        .collect();
    assert_eq!(keys.len(), 1, "the second schedule brings nothing: {listed}");
    let lines = moto.s3("GET", &format!("/responses/{}", keys[0])).await;
    let documents: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("a document a line"))
        .collect();
    let actions: Vec<&str> = documents
        .iter()
        .filter_map(|document| document["event"]["action"].as_str())
        .collect();
    assert_eq!(actions, ["decided", "planned", "applied"], "{lines}");
    assert!(
        documents
            .iter()
            .all(|document| document["source"]["ip"] == "185.220.101.4")
    );
}
