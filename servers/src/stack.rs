//! Everything that the responder stands on, to try it by hand: a stream, tables, EC2 with one VPC, and a Slack, on this machine.
//!
//! [`Stack::start`] leaves in a folder what a person needs: `env` (variables of the shell), `portcullis.toml`, `probe.json` (a port probe
//! by three addresses of the subnet) and `put` (a script that puts a file on the stream).

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use tokio::task::JoinHandle;

use crate::front::Front;
use crate::network::{REGION, authorization, guarded_subnet};
use crate::{Server, dynamodb_local, kinesis_local, moto};

/// What Slack was sent, and who is told of it.
#[derive(Clone, Debug)]
struct Slack {
    messages: Arc<Mutex<Vec<String>>>,
    told: fn(&str),
}

/// moto's own account.
const ACCOUNT: &str = "123456789012";
const STREAM: &str = "findings";

/// The servers; they end when it is dropped.
#[derive(Debug)]
pub struct Stack {
    _servers: [Server; 3],
    /// Between the program and EC2; it knows what was asked.
    pub front: Front,
    slack: JoinHandle<()>,
    messages: Arc<Mutex<Vec<String>>>,
    /// The subnet that is attacked.
    pub subnet: String,
    /// The network ACL that guards it.
    pub acl: String,
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.slack.abort();
    }
}

impl Stack {
    /// Starts everything, with a stream `findings` of two shards and a subnet that the internet reaches. `updated` is the time of
    /// the probe, as JSON has it; `told` is called with each message that Slack is sent.
    ///
    /// # Panics
    /// When a server does not start, or the folder cannot be written to.
    pub async fn start(dir: &Path, updated: &str, told: fn(&str)) -> Self {
        let (kinesis, tables, ec2) = (kinesis_local(), dynamodb_local(), moto());
        let front = Front::of(&ec2.url()).await;
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        make_stream(&client, &kinesis.url()).await;
        let (acl, subnet) = guarded_subnet(front.url()).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let slack = format!(
            "http://{}/services/T0/B0/try",
            listener.local_addr().expect("an address")
        );
        let messages = Arc::default();
        let app = Router::new().fallback(post(take)).with_state(Slack {
            messages: Arc::clone(&messages),
            told,
        });
        let files = [
            ("env", environment(&kinesis.url(), &tables.url(), front.url(), &slack)),
            ("portcullis.toml", configuration()),
            ("probe.json", probe(&subnet, updated)),
            ("put", put(&kinesis.url())),
        ];
        fs::create_dir_all(dir).expect("a folder");
        for (name, text) in files {
            fs::write(dir.join(name), text).expect("a file");
        }
        Self {
            _servers: [kinesis, tables, ec2],
            front,
            slack: tokio::spawn(async move { drop(axum::serve(listener, app).await) }),
            messages,
            subnet,
            acl,
        }
    }

    /// What Slack was sent so far.
    #[must_use]
    pub fn messages(&self) -> Vec<String> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn take(State(slack): State<Slack>, body: Bytes) -> (StatusCode, &'static str) {
    let text = String::from_utf8_lossy(&body).into_owned();
    (slack.told)(&text);
    slack.messages.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    (StatusCode::OK, "ok")
}

async fn make_stream(client: &reqwest::Client, url: &str) {
    let call = async |action: &str, input: String| {
        let asked = client
            .post(url)
            .header("Content-Type", "application/x-amz-json-1.1")
            .header("X-Amz-Target", format!("Kinesis_20131202.{action}"))
            .header("X-Amz-Date", "20260101T000000Z")
            .header("Authorization", authorization("kinesis"))
            .body(input);
        asked.send().await.expect("an answer").text().await.expect("text")
    };
    call(
        "CreateStream",
        format!("{{\"StreamName\":\"{STREAM}\",\"ShardCount\":2}}"),
    )
    .await;
    for _ in 0..100 {
        let told = call("DescribeStreamSummary", format!("{{\"StreamName\":\"{STREAM}\"}}")).await;
        if told.contains("ACTIVE") {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the stream is not active after five seconds");
}

/// Variables that lead the program, and nothing else, to these servers; the keys open nothing.
fn environment(kinesis: &str, tables: &str, ec2: &str, slack: &str) -> String {
    [
        ("AWS_ENDPOINT_URL_KINESIS", kinesis),
        ("AWS_ENDPOINT_URL_DYNAMODB", tables),
        ("AWS_ENDPOINT_URL_EC2", ec2),
        ("AWS_REGION", REGION),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("PORTCULLIS_SLACK_WEBHOOK", slack),
    ]
    .map(|(name, value)| format!("export {name}={value}\n"))
    .concat()
}

fn configuration() -> String {
    format!(
        "[policy]\nmode = \"enforce\"\naccounts = [\"{ACCOUNT}\"]\n\n[ledger]\nstore = \"dynamodb\"\n\n[network_acls]\nstore = \"ec2\"\n\n\
         [network_acls.ec2]\naccounts = [\"{ACCOUNT}\"]\nregions = [\"{REGION}\"]\n"
    )
}

/// A finding as GuardDuty writes it.
fn probe(subnet: &str, updated: &str) -> String {
    let detail = |last: u8| {
        format!(
            r#"{{"localPortDetails":{{"port":22,"portName":"SSH"}},"remoteIpDetails":{{"ipAddressV4":"185.220.101.{last}",
    "country":{{"countryName":"Netherlands"}},"organization":{{"asn":"64500","asnOrg":"Example Org"}}}}}}"#
        )
    };
    let details = [4, 5, 6].map(detail).join(",\n   ");
    format!(
        r#"{{"schemaVersion":"2.0","accountId":"{ACCOUNT}","region":"{REGION}","partition":"aws","id":"probe-1",
 "arn":"arn:aws:guardduty:{REGION}:{ACCOUNT}:detector/d1/finding/probe-1",
 "type":"Recon:EC2/PortProbeUnprotectedPort","severity":2,"title":"Unprotected port on EC2 instance i-1 is being probed.",
 "description":"EC2 instance has an unprotected port which is being probed by known malicious hosts.",
 "createdAt":"{updated}","updatedAt":"{updated}",
 "resource":{{"resourceType":"Instance","instanceDetails":{{"instanceId":"i-1","networkInterfaces":[{{"subnetId":"{subnet}"}}]}}}},
 "service":{{"serviceName":"guardduty","resourceRole":"TARGET","archived":false,"count":1,
  "eventFirstSeen":"{updated}","eventLastSeen":"{updated}",
  "action":{{"actionType":"PORT_PROBE","portProbeAction":{{"blocked":false,"portProbeDetails":[
   {details}]}}}}}}}}
"#
    )
}

/// `sh put FILE`, where there is no AWS command line.
fn put(kinesis: &str) -> String {
    format!(
        "# Puts a file on the stream {STREAM}, as one record: sh put FILE\n\
         data=$(base64 < \"$1\" | tr -d '\\n')\n\
         curl -sS --noproxy '*' -H 'Content-Type: application/x-amz-json-1.1' -H 'X-Amz-Target: Kinesis_20131202.PutRecord' \\\n  \
         -H 'X-Amz-Date: 20260101T000000Z' -H '{}' \\\n  \
         -d \"{{\\\"StreamName\\\":\\\"{STREAM}\\\",\\\"PartitionKey\\\":\\\"1\\\",\\\"Data\\\":\\\"$data\\\"}}\" {kinesis}\n",
        format_args!("Authorization: {}", authorization("kinesis"))
    )
}
