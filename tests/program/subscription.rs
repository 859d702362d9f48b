//! Invocations as a subscription filter of CloudWatch Logs makes them.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

/// An invocation with these messages as log events `log-0`, `log-1`, and so on.
pub(crate) fn delivery(group: &str, messages: &[String]) -> Vec<u8> {
    let event = |(number, message): (usize, &String)| json!({ "id": format!("log-{number}"), "timestamp": 1_795_258_257_000_i64, "message": message });
    let events: Vec<Value> = messages.iter().enumerate().map(event).collect();
    packed(&message("DATA_MESSAGE", group, &events))
}

/// What CloudWatch Logs sends to see whether the function is there.
pub(crate) fn control() -> Vec<u8> {
    let event = json!({ "id": "", "timestamp": 1, "message": "CWL CONTROL MESSAGE: Checking health of destination" });
    packed(&message("CONTROL_MESSAGE", "", &[event]))
}

fn message(kind: &str, group: &str, events: &[Value]) -> Value {
    json!({ "messageType": kind, "owner": "111122223333", "logGroup": group, "logStream": "stream-1",
        "subscriptionFilters": ["portcullis"], "logEvents": events })
}

fn packed(message: &Value) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    write!(gzip, "{message}").expect("memory");
    let data = base64_turbo::STANDARD.encode(gzip.finish().expect("memory"));
    json!({ "awslogs": { "data": data } }).to_string().into_bytes()
}

/// An event of CloudTrail with this id, on this day.
pub(crate) fn trail(id: &str, day: &str) -> String {
    json!({ "eventVersion": "1.11", "userIdentity": { "type": "IAMUser", "userName": "deploy", "accountId": "111122223333" },
        "eventTime": format!("{day}T10:50:57Z"), "eventSource": "iam.amazonaws.com", "eventName": "CreateUser",
        "awsRegion": "us-east-1", "sourceIPAddress": "198.51.100.7", "eventID": id, "eventType": "AwsApiCall",
        "recipientAccountId": "111122223333" })
    .to_string()
}
