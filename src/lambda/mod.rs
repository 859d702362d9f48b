//! `portcullis-respond`: the responder as a Lambda function. What an invocation is, its event's shape tells.
//!
//! | event | what is done | when it fails |
//! |---|---|---|
//! | Kinesis event source mapping | every finding in the records; then what is pending, if there is something new | `batchItemFailures` with the first record that has to come again; only for what may pass |
//! | an EventBridge rule for findings | the finding, then what is pending | the invocation fails, and Lambda repeats it |
//! | `Scheduled Event`, once a minute | ledger and network ACLs compared, what is pending, messages that wait, metrics of the ledger | the invocation fails; the next one goes on |
//!
//! A record that can never be read is kept in the ledger and acknowledged. Give the mapping `ReportBatchItemFailures`, a
//! `MaximumRetryAttempts` and a `MaximumRecordAgeInSeconds`, and a destination for what it gives up.
//!
//! Settings come from `PORTCULLIS__` variables as for the program (`PORTCULLIS__POLICY__MODE` is `policy.mode`), or from the file that
//! `PORTCULLIS_CONFIG` names in the function's package. The ledger is the DynamoDB table and the network ACLs are EC2's unless they say otherwise. `PORTCULLIS_LOG`
//! is the log's level. Metrics are lines in CloudWatch's embedded metric format, in the namespace `Portcullis`.
//!
//! Pages followed: [Lambda and Kinesis](https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html),
//! [EventBridge events](https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html),
//! [the metric format](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).

mod emf;
mod event;
mod function;
mod open;

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::value::RawValue;
use tracing::Instrument as _;
use tracing_subscriber::{EnvFilter, fmt};

use self::emf::Metrics;
use self::function::Function;

/// Answers invocations until Lambda ends the process.
#[must_use]
pub fn main() -> ExitCode {
    let level = std::env::var("PORTCULLIS_LOG").unwrap_or_else(|_| "warn,portcullis=info".to_owned());
    fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_writer(std::io::stderr)
        .with_env_filter(EnvFilter::builder().parse_lossy(level))
        .init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error, "the function cannot start");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Error> {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        return Err(
            "this program runs inside AWS Lambda; on the command line use `portcullis respond` or `portcullis consume`"
                .into(),
        );
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let config = open::settings()?;
        let (channels, firehose) = (open::channels(&config).await?, open::firehose(&config).await?);
        let function = Arc::new(Function::new(open::responder(config).await?, channels, firehose));
        let name: Arc<str> = std::env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default().into();
        lambda_runtime::run(service_fn(move |event: LambdaEvent<Box<RawValue>>| {
            let (function, name) = (Arc::clone(&function), Arc::clone(&name));
            let span = tracing::info_span!("invocation", request_id = event.context.request_id);
            async move {
                let mut metrics = Metrics::default();
                let deadline = event.context.deadline();
                let answer = function
                    .answer(event.payload.get().as_bytes(), deadline, &mut metrics)
                    .await;
                // One write: lines of other threads must not come between.
                let lines = metrics.lines(&name, chrono::Utc::now());
                std::io::stdout().lock().write_all(lines.as_bytes())?;
                if let Err(error) = &answer {
                    tracing::error!(%error, "the invocation failed");
                }
                Ok::<_, Error>(answer?)
            }
            .instrument(span)
        }))
        .await
    })
}
