//! Firehose, Kinesis and S3 as moto plays them, and the few calls that the tests make themselves.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use portcullis_servers::Server;
use serde_json::Value;

use crate::runtime_api::PATIENCE;

pub(crate) const REGION: &str = "eu-central-1";

/// A server of its own for one test; ends with it.
pub(crate) struct Moto(Server);

impl Moto {
    pub(crate) fn start() -> Self {
        Self(portcullis_servers::moto())
    }

    /// For `AWS_ENDPOINT_URL`.
    pub(crate) fn url(&self) -> String {
        self.0.url()
    }

    /// A call of a JSON service, such as `firehose`, `Firehose_20150804.CreateDeliveryStream`.
    pub(crate) fn call(&self, service: &str, target: &str, input: &Value) -> Value {
        let headers = format!("Content-Type: application/x-amz-json-1.1\r\nX-Amz-Target: {target}\r\n");
        let answer = self.request("POST /", service, &headers, input.to_string().as_bytes());
        serde_json::from_slice(&answer).unwrap_or(Value::Null)
    }

    pub(crate) fn make_bucket(&self, bucket: &str) {
        let place = format!(
            "<CreateBucketConfiguration><LocationConstraint>{REGION}</LocationConstraint></CreateBucketConfiguration>"
        );
        self.request(&format!("PUT /{bucket}"), "s3", "", place.as_bytes());
    }

    /// The contents of all objects in a bucket.
    pub(crate) fn objects(&self, bucket: &str) -> Vec<Vec<u8>> {
        let list = self.request(&format!("GET /{bucket}?list-type=2"), "s3", "", b"");
        let list = String::from_utf8(list).expect("XML");
        let keys = list
            .split("<Key>")
            .skip(1)
            .filter_map(|rest| rest.split("</Key>").next());
        keys.map(|key| self.request(&format!("GET /{bucket}/{key}"), "s3", "", b""))
            .collect()
    }

    fn request(&self, line: &str, service: &str, headers: &str, body: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.0.address()).expect("moto listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let head = format!(
            "{line} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\
             Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/{REGION}/{service}/aws4_request, \
             SignedHeaders=host, Signature=0\r\n\r\n",
            self.0.address(),
            body.len()
        );
        stream.write_all(head.as_bytes()).expect("head");
        stream.write_all(body).expect("body");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        let end = answer.windows(4).position(|part| part == b"\r\n\r\n").expect("a head");
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        let body = answer.split_off(end + 4);
        assert!(
            head.starts_with("HTTP/1.1 200"),
            "{line}: {head}: {}",
            String::from_utf8_lossy(&body)
        );
        body
    }
}
