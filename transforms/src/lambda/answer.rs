//! The answer to an invocation, posted as the transform wrote it.
//!
//! The runtime would check the response, copy it and serialise it again, which takes longer than a transform of the same
//! bytes. So a layer around the runtime's handler answers by itself. What cannot be answered is left to the handler, because
//! the runtime knows how Lambda wants errors to be reported.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::{
    mem,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::FutureExt;
use lambda_runtime::{Error, LambdaInvocation, Service};
use lambda_runtime_api_client::{Client, body::Body, build_request};

use super::Function;

/// Tells a managed instance's invocations apart; it goes back as it came.
const INVOCATION_ID: &str = "lambda-runtime-invocation-id";

/// Why the invocation at hand has no answer.
#[derive(Clone, Default)]
pub(super) struct Unanswered(Arc<Mutex<Option<Error>>>);

impl Unanswered {
    fn put(&self, error: Error) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    /// What the runtime is to report.
    pub(super) fn take(&self) -> Error {
        let error = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        error.unwrap_or_else(|| "the invocation came to the handler without a reason".into())
    }
}

/// Answers invocations; those that it cannot answer it hands on, with the reason in [`Unanswered`].
pub(super) struct Answering<S> {
    handler: S,
    /// One invocation at a time: a function instance never gets a second one before it has answered.
    function: Arc<tokio::sync::Mutex<Function>>,
    client: Arc<Client>,
    unanswered: Unanswered,
}

impl<S> Answering<S> {
    pub(super) fn new(
        handler: S,
        function: &Arc<tokio::sync::Mutex<Function>>,
        client: &Arc<Client>,
        unanswered: &Unanswered,
    ) -> Self {
        Self {
            handler,
            function: Arc::clone(function),
            client: Arc::clone(client),
            unanswered: unanswered.clone(),
        }
    }
}

impl<S> Service<LambdaInvocation> for Answering<S>
where
    S: Service<LambdaInvocation, Response = (), Error = Error> + Clone + 'static,
{
    type Response = ();
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<(), Error>>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.handler.poll_ready(cx)
    }

    fn call(&mut self, mut invocation: LambdaInvocation) -> Self::Future {
        let event = mem::replace(&mut invocation.body, Bytes::from_static(b"null"));
        // The clone need not be ready yet; the one that is goes with this invocation.
        let clone = self.handler.clone();
        let mut handler = mem::replace(&mut self.handler, clone);
        let (function, client) = (Arc::clone(&self.function), Arc::clone(&self.client));
        let unanswered = self.unanswered.clone();
        Box::pin(async move {
            let mut function = function.lock().await;
            let answer = AssertUnwindSafe(function.answer(&event, &invocation.context)).catch_unwind();
            let response = match answer.await {
                Ok(Ok(response)) => Bytes::from(response),
                Ok(Err(error)) => {
                    unanswered.put(error);
                    return handler.call(invocation).await;
                }
                Err(_) => {
                    unanswered.put("the transform panicked on this event; please report it with the event".into());
                    return handler.call(invocation).await;
                }
            };
            drop(event);
            post(&client, &invocation, response.clone()).await?;
            function.reuse(response);
            Ok(())
        })
    }
}

/// Posts a response. As the runtime does, it goes on to the next invocation when this one is over already, by a timeout for
/// instance, and ends when Lambda cannot be reached.
async fn post(client: &Client, invocation: &LambdaInvocation, response: Bytes) -> Result<(), Error> {
    let request_id = &invocation.context.request_id;
    let mut request = build_request()
        .method("POST")
        .uri(format!("/2018-06-01/runtime/invocation/{request_id}/response"));
    if let Some(id) = invocation.parts.headers.get(INVOCATION_ID) {
        request = request.header(INVOCATION_ID, id);
    }
    let status = client.call(request.body(Body::from(response))?).await?.status();
    if !status.is_success() {
        let message = format!("Lambda did not take the response: {status}");
        let line = serde_json::json!({ "level": "ERROR", "request_id": request_id, "message": message });
        eprintln!("{line}");
    }
    Ok(())
}
