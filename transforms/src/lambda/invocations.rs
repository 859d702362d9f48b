//! Invocations, one after another: an event is asked for, answered, and the next one asked for.
//!
//! With AWS's client for the Runtime API, but without its runtime: that one gathers each event in memory of its own and gives it
//! back, and to be given as much again for the next event takes as long as transforming it. Here the event keeps its memory,
//! as the response does, and the response is posted as the transform wrote it.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::panic::AssertUnwindSafe;

use bytes::Bytes;
use futures_util::FutureExt;
use http_body_util::BodyExt;
use lambda_runtime_api_client::{BoxError as Error, Client, body::Body, build_request};

use super::Function;

/// Tells a managed instance's invocations apart; it goes back as it came.
const INVOCATION_ID: &str = "lambda-runtime-invocation-id";

/// Lambda sends no larger event.
const LARGEST_EVENT: usize = 6 * 1024 * 1024;

/// One invocation, beside its event.
pub(super) struct Invocation {
    pub(super) request_id: String,
    /// When it has to be answered, in milliseconds since 1970.
    pub(super) deadline: u64,
    invocation_id: Option<String>,
}

/// Answers invocations until Lambda ends the process or cannot be reached.
pub(super) async fn answer_all(function: &mut Function) -> Result<(), Error> {
    let client = Client::builder().build()?;
    let mut event = Vec::new();
    loop {
        let invocation = next(&client, &mut event).await?;
        let answer = AssertUnwindSafe(function.answer(&event, &invocation)).catch_unwind();
        let problem = match answer.await {
            Ok(Ok(response)) => {
                let response = Bytes::from(response);
                invocation.post(&client, "response", response.clone()).await?;
                function.reuse(response);
                continue;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the transform panicked on this event; please report it with the event".to_owned(),
        };
        log(&invocation.request_id, &problem);
        let body = serde_json::json!({ "errorType": "TransformError", "errorMessage": problem });
        invocation.post(&client, "error", body.to_string().into()).await?;
    }
}

/// Waits for the next invocation, whose event takes the place of the last one.
async fn next(client: &Client, event: &mut Vec<u8>) -> Result<Invocation, Error> {
    event.clear();
    let request = build_request()
        .method("GET")
        .uri("/2018-06-01/runtime/invocation/next")
        .body(Body::empty())?;
    let (head, mut body) = client.call(request).await?.into_parts();
    if !head.status.is_success() {
        return Err(format!("Lambda gave no event: {}", head.status).into());
    }
    let header = |name: &str| Some(head.headers.get(name)?.to_str().ok()?.to_owned());
    let missing = |name: &str| format!("Lambda sent an invocation without the header `{name}`");
    let (id, deadline) = ("lambda-runtime-aws-request-id", "lambda-runtime-deadline-ms");
    let invocation = Invocation {
        request_id: header(id).ok_or_else(|| missing(id))?,
        deadline: header(deadline)
            .and_then(|millis| millis.parse().ok())
            .ok_or_else(|| missing(deadline))?,
        invocation_id: header(INVOCATION_ID),
    };
    let length = header("content-length").and_then(|length| length.parse().ok());
    event.reserve_exact(length.unwrap_or(0).min(LARGEST_EVENT));
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            event.extend_from_slice(&data);
        }
    }
    Ok(invocation)
}

impl Invocation {
    /// Posts an answer. When the invocation is over already, by a timeout for instance, the next one is waited for all the same.
    async fn post(&self, client: &Client, what: &str, body: Bytes) -> Result<(), Error> {
        let mut request = build_request()
            .method("POST")
            .uri(format!("/2018-06-01/runtime/invocation/{}/{what}", self.request_id));
        if what == "error" {
            request = request.header("lambda-runtime-function-error-type", "TransformError");
        }
        if let Some(id) = &self.invocation_id {
            request = request.header(INVOCATION_ID, id);
        }
        let answer = client.call(request.body(Body::from(body))?).await?;
        let status = answer.status();
        // Only a connection that was read to its end is used again.
        answer.into_body().collect().await?;
        if !status.is_success() {
            log(&self.request_id, &format!("Lambda did not take the {what}: {status}"));
        }
        Ok(())
    }
}

fn log(request_id: &str, message: &str) {
    let line = serde_json::json!({ "level": "ERROR", "request_id": request_id, "message": message });
    eprintln!("{line}");
}
