//! Invocations, one after another: an event is asked for, answered, and the next one asked for.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{
    Error, Function,
    runtime_api::{Body, Head, Request, RuntimeApi},
};

/// Tells a managed instance's invocations apart; it goes back as it came.
const INVOCATION_ID: &str = "lambda-runtime-invocation-id";

/// One invocation, beside its event.
pub(super) struct Invocation {
    pub(super) request_id: String,
    /// When it has to be answered, in milliseconds since 1970.
    pub(super) deadline: u64,
    invocation_id: Option<String>,
}

/// Answers invocations until Lambda ends the process or cannot be reached.
pub(super) fn answer_all(function: &mut Function, address: String) -> Result<(), Error> {
    let mut api = RuntimeApi::new(address);
    let mut event = Body::default();
    loop {
        let invocation = next(&mut api, &mut event)?;
        let answer = catch_unwind(AssertUnwindSafe(|| function.answer(event.bytes(), &invocation)));
        let problem = match answer {
            Ok(Ok(response)) => {
                invocation.post(&mut api, "response", &response)?;
                function.reuse(response);
                continue;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the transform panicked on this event; please report it with the event".to_owned(),
        };
        log(&invocation.request_id, &problem);
        let body = serde_json::json!({ "errorType": "TransformError", "errorMessage": problem });
        invocation.post(&mut api, "error", body.to_string().as_bytes())?;
    }
}

/// Waits for the next invocation, whose event takes the place of the last one.
fn next(api: &mut RuntimeApi, event: &mut Body) -> Result<Invocation, Error> {
    let request = Request {
        method: "GET",
        path: "/2018-06-01/runtime/invocation/next",
        headers: &[],
        body: b"",
    };
    let head = api.call(&request, event)?;
    if !is_success(&head) {
        return Err(format!("Lambda gave no event: {}", head.status).into());
    }
    let header = |name: &str| head.header(name).map(str::to_owned);
    let missing = |name: &str| format!("Lambda sent an invocation without the header `{name}`");
    let (id, deadline) = ("lambda-runtime-aws-request-id", "lambda-runtime-deadline-ms");
    Ok(Invocation {
        // It becomes part of a path.
        request_id: header(id)
            .filter(|id| id.bytes().all(|byte| byte.is_ascii_graphic()))
            .ok_or_else(|| missing(id))?,
        deadline: header(deadline)
            .and_then(|millis| millis.parse().ok())
            .ok_or_else(|| missing(deadline))?,
        invocation_id: header(INVOCATION_ID),
    })
}

impl Invocation {
    /// Posts an answer. When the invocation is over already, by a timeout for instance, the next one is waited for all the same.
    fn post(&self, api: &mut RuntimeApi, what: &str, body: &[u8]) -> Result<(), Error> {
        let mut headers = Vec::new();
        if what == "error" {
            headers.push(("lambda-runtime-function-error-type", "TransformError"));
        }
        if let Some(id) = &self.invocation_id {
            headers.push((INVOCATION_ID, id));
        }
        let request = Request {
            method: "POST",
            path: &format!("/2018-06-01/runtime/invocation/{}/{what}", self.request_id),
            headers: &headers,
            body,
        };
        let head = api.call(&request, &mut Body::default())?;
        if !is_success(&head) {
            log(
                &self.request_id,
                &format!("Lambda did not take the {what}: {}", head.status),
            );
        }
        Ok(())
    }
}

fn is_success(head: &Head) -> bool {
    (200..300).contains(&head.status)
}

fn log(request_id: &str, message: &str) {
    let line = serde_json::json!({ "level": "ERROR", "request_id": request_id, "message": message });
    eprintln!("{line}");
}
