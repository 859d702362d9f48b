//! moto, and the few calls that tests make of it.

use serde_json::Value;

use crate::kinesis::REGION;

/// The server.
pub(crate) struct Moto {
    server: portcullis_servers::Server,
    client: reqwest::Client,
}

impl Moto {
    pub(crate) fn start() -> Self {
        Self {
            server: portcullis_servers::moto(),
            client: reqwest::Client::builder().no_proxy().build().expect("a client"),
        }
    }

    /// What a program needs to reach it; its keys open nothing else.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL", self.server.url()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ]
    }

    async fn post(&self, service: &str, kind: &str, target: &str, body: String) -> String {
        let asked = self
            .client
            .post(self.server.url())
            .header("Content-Type", kind)
            .header("X-Amz-Target", target)
            .header("Authorization", authorization(service, REGION))
            .body(body);
        let answer = asked.send().await.expect("an answer");
        let status = answer.status();
        let text = answer.text().await.expect("text");
        assert!(status.is_success(), "{target}: {status}: {text}");
        text
    }

    /// A call of S3, such as `GET`, `/bucket/key`; the answer's text. A bucket of another region than S3's first has to say so.
    pub(crate) async fn s3(&self, method: &str, path: &str) -> String {
        let method = method.parse().expect("a method");
        let asked = self.client.request(method, format!("{}{path}", self.server.url()));
        let asked = asked.header("Authorization", authorization("s3", "us-east-1"));
        let answer = asked.send().await.expect("an answer");
        let status = answer.status();
        let text = answer.text().await.expect("text");
        assert!(status.is_success(), "{path}: {status}: {text}");
        text
    }

    /// A call of a service that speaks JSON, such as `ssm`, `AmazonSSM.PutParameter`.
    pub(crate) async fn call(&self, service: &str, target: &str, input: &Value) -> Value {
        let answer = self
            .post(service, "application/x-amz-json-1.1", target, input.to_string())
            .await;
        serde_json::from_str(&answer).unwrap_or(Value::Null)
    }

    /// A call of a service that speaks forms and XML, such as `sns`; the text of the element that is named.
    pub(crate) async fn query(&self, service: &str, form: &[(&str, &str)], element: &str) -> String {
        let body: String = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let answer = self.post(service, "application/x-www-form-urlencoded", "", body).await;
        let after = answer.split(&format!("<{element}>")).nth(1).unwrap_or_default();
        after.split('<').next().unwrap_or_default().to_owned()
    }
}

/// By which moto tells what service is meant.
fn authorization(service: &str, region: &str) -> String {
    let credential = format!("Credential=test/20260101/{region}/{service}/aws4_request");
    format!("AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0")
}
