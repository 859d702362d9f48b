//! A server in front of moto, for every service, with what moto lacks of EC2's network ACLs: the quota of entries, the refusals of
//! what is missing or out of range, dry runs; and with failures on demand, of RDS too. It passes on the rest and keeps what was called.

mod judge;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use tokio::task::JoinHandle;

use self::judge::{Form, Refusal};

/// What happens to a call, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There were too many calls: nothing is done.
    Throttled,
    /// EC2 fails: nothing is done, but nobody can know.
    Failed,
    /// It is done, and the answer is an internal error.
    Lost,
    /// The caller may not do it.
    Unauthorized,
}

#[derive(Debug)]
struct Shared {
    to: String,
    quota: Mutex<usize>,
    faults: Mutex<VecDeque<(&'static str, Fault)>>,
    calls: Mutex<Vec<String>>,
    /// Looking and passing on is one step, as in EC2.
    one_at_a_time: tokio::sync::Mutex<()>,
    client: reqwest::Client,
}

/// A server in front of moto.
#[derive(Debug)]
pub struct Front {
    url: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Front {
    /// Listens on a free port of this machine, in front of the server at `to`. Network ACLs have 20 entries a direction.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn of(to: &str) -> Self {
        let shared = Arc::new(Shared {
            to: to.trim_end_matches('/').to_owned(),
            quota: Mutex::new(20),
            faults: Mutex::default(),
            calls: Mutex::default(),
            one_at_a_time: tokio::sync::Mutex::default(),
            client: reqwest::Client::builder().no_proxy().build().expect("a client"),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let app = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let task = tokio::spawn(async move {
            drop(axum::serve(listener, app).await);
        });
        Self { url, shared, task }
    }

    /// Where it listens: what `AWS_ENDPOINT_URL` is set to.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Entries that a network ACL may have per direction from now on.
    pub fn set_quota(&self, quota: usize) {
        *held(&self.shared.quota) = quota;
    }

    /// Lets the next `times` calls of an action of EC2 or RDS fail; faults of one action are used up in the order in which they came.
    pub fn fail(&self, action: &'static str, fault: Fault, times: usize) {
        held(&self.shared.faults).extend(std::iter::repeat_n((action, fault), times));
    }

    /// Actions of EC2 and RDS that were called since this was last asked, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<String> {
        std::mem::take(&mut held(&self.shared.calls))
    }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let form: Form = form_urlencoded::parse(&body).into_owned().collect();
    let signed = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let is_rds = signed.contains("/rds/aws4_request");
    let is_judged = is_rds || signed.contains("/ec2/aws4_request");
    let judged = match form.get("Action").filter(|_| is_judged) {
        Some(action) => called(&shared, action, &form, &uri, &headers, &body).await,
        None => pass(&shared, method, &uri, &headers, body.clone()).await,
    };
    judged.unwrap_or_else(|refusal| {
        let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = if is_rds { refusal.body_of_rds() } else { refusal.body() };
        (status, [(header::CONTENT_TYPE, "text/xml")], body).into_response()
    })
}

async fn called(
    shared: &Shared,
    action: &str,
    form: &Form,
    uri: &Uri,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Response, Refusal> {
    held(&shared.calls).push(action.to_owned());
    let fault = {
        let mut faults = held(&shared.faults);
        let at = faults.iter().position(|(of, _)| *of == action);
        at.and_then(|at| faults.remove(at)).map(|(_, fault)| fault)
    };
    let internal = || Refusal::new(500, "InternalError", "An internal error has occurred");
    match fault {
        Some(Fault::Throttled) => {
            return Err(Refusal::new(503, "RequestLimitExceeded", "Request limit exceeded."));
        }
        Some(Fault::Failed) => return Err(internal()),
        Some(Fault::Unauthorized) => {
            let what =
                "You are not authorized to perform this operation. Encoded authorization failure message: c2VjcmV0";
            return Err(Refusal::new(403, "UnauthorizedOperation", what));
        }
        Some(Fault::Lost) | None => {}
    }
    let mut one = None;
    if judge::is_judged(action) {
        one = Some(shared.one_at_a_time.lock().await);
        judge::values(action, form)?;
        let id = form.get("NetworkAclId").cloned().unwrap_or_default();
        let ask = form_urlencoded::Serializer::new(String::new())
            .append_pair("Action", "DescribeNetworkAcls")
            .append_pair("Version", "2016-11-15")
            .append_pair("NetworkAclId.1", &id)
            .finish();
        let (status, _, description) = send(shared, Method::POST, uri, headers, ask.into()).await?;
        if !status.is_success() {
            return Err(no_acl(&id));
        }
        let standing = judge::standing(&String::from_utf8_lossy(&description));
        let quota = *held(&shared.quota);
        judge::against(action, form, &standing, quota)?;
    }
    let answer = pass(shared, Method::POST, uri, headers, body.clone()).await?;
    if action == "DescribeNetworkAcls" && answer.status() == StatusCode::BAD_REQUEST {
        // moto says that there is no such route table.
        let id = form.get("NetworkAclId.1").cloned().unwrap_or_default();
        return Err(no_acl(&id));
    }
    drop(one);
    if fault == Some(Fault::Lost) {
        Err(internal())
    } else {
        Ok(answer)
    }
}

fn no_acl(id: &str) -> Refusal {
    let what = format!("The networkAcl ID '{id}' does not exist");
    Refusal::new(400, "InvalidNetworkAclID.NotFound", what)
}

async fn pass(
    shared: &Shared,
    method: Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let (status, headers, body) = send(shared, method, uri, headers, body).await?;
    let mut answer = Response::new(Body::from(body));
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    Ok(answer)
}

/// The same request to moto. Headers of the connection are not the other's.
async fn send(
    shared: &Shared,
    method: Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, HeaderMap, Bytes), Refusal> {
    let ours = [
        header::HOST,
        header::CONTENT_LENGTH,
        header::CONNECTION,
        header::TRANSFER_ENCODING,
    ];
    let kept = |headers: &HeaderMap| {
        let mut headers = headers.clone();
        ours.iter().for_each(|name| drop(headers.remove(name)));
        headers
    };
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let call = shared.client.request(method, format!("{}{path}", shared.to));
    let gone = |error: reqwest::Error| Refusal::new(503, "Unavailable", error.without_url().to_string());
    let answer = call.headers(kept(headers)).body(body).send().await.map_err(gone)?;
    let (status, headers) = (answer.status(), kept(answer.headers()));
    Ok((status, headers, answer.bytes().await.map_err(gone)?))
}
