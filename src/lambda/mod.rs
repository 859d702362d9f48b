//! What the program's own Lambda functions share: the runtime, the log, metrics, settings.
//!
//! | binary | module | what an invocation brings |
//! |---|---|---|
//! | `portcullis-respond` | `respond` | findings, or a schedule |
//! | `portcullis-index` | [`index`] | log events of a CloudWatch Logs subscription |
//!
//! Settings come from `PORTCULLIS__` variables as for the program, or from the file that `PORTCULLIS_CONFIG` names in the
//! function's package. `PORTCULLIS_LOG` is the log's level; the log is one JSON object a line on standard error. Metrics are lines of
//! standard output in CloudWatch's embedded metric format, in the namespace `Portcullis`.
//!
//! Page followed:
//! [the metric format](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).

mod emf;
pub mod index;
#[cfg(feature = "aws")]
pub mod respond;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, value::RawValue};
use tracing::Instrument as _;
use tracing_subscriber::{EnvFilter, fmt};

use self::emf::Metrics;
use crate::config::{self, Effective};

/// Time that is kept back for the answer: what is not durable by then has to come again.
const RESERVE: Duration = Duration::from_secs(2);

/// A function, warm.
trait Function: Sized {
    /// What it is instead of, for people who start it by hand.
    const INSTEAD: &'static str;

    /// The function that the variables describe.
    async fn open() -> Result<Self, Error>;

    /// Answers one event before `deadline`; fails when Lambda should repeat the invocation.
    async fn invoked(&self, event: &[u8], deadline: SystemTime, metrics: &mut Metrics) -> Result<Value, Error>;
}

/// Answers invocations until Lambda ends the process.
fn main<F: Function>() -> ExitCode {
    let level = std::env::var("PORTCULLIS_LOG").unwrap_or_else(|_| "warn,portcullis=info".to_owned());
    fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_writer(std::io::stderr)
        .with_env_filter(EnvFilter::builder().parse_lossy(level))
        .init();
    match run::<F>() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error, "the function cannot start");
            ExitCode::FAILURE
        }
    }
}

fn run<F: Function>() -> Result<(), Error> {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        return Err(format!(
            "this program runs inside AWS Lambda; on the command line use {}",
            F::INSTEAD
        )
        .into());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let function = Arc::new(F::open().await?);
        let name: Arc<str> = std::env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default().into();
        lambda_runtime::run(service_fn(move |event: LambdaEvent<Box<RawValue>>| {
            let (function, name) = (Arc::clone(&function), Arc::clone(&name));
            let span = tracing::info_span!("invocation", request_id = event.context.request_id);
            async move {
                let mut metrics = Metrics::default();
                let deadline = event.context.deadline();
                let answer = function
                    .invoked(event.payload.get().as_bytes(), deadline, &mut metrics)
                    .await;
                // One write: lines of other threads must not come between.
                let lines = metrics.lines(&name, chrono::Utc::now());
                std::io::stdout().lock().write_all(lines.as_bytes())?;
                if let Err(error) = &answer {
                    tracing::error!(%error, "the invocation failed");
                }
                answer
            }
            .instrument(span)
        }))
        .await
    })
}

/// What the function's variables, and its file, say.
fn settings() -> Result<Effective, config::Error> {
    let file = std::env::var_os("PORTCULLIS_CONFIG");
    config::load(file.as_deref().map(Path::new), config::environment())
}

/// How long work may go on so that the answer is in time.
fn left(deadline: SystemTime) -> Duration {
    let left = deadline.duration_since(SystemTime::now()).unwrap_or_default();
    left.saturating_sub(RESERVE)
}
