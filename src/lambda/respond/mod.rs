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
//! `PORTCULLIS__POLICY__MODE` is `policy.mode`, and so on. The ledger is the DynamoDB table and the network ACLs are EC2's unless
//! they say otherwise.
//!
//! Pages followed: [Lambda and Kinesis](https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html),
//! [EventBridge events](https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html).

mod event;
mod function;
mod open;

use std::process::ExitCode;
use std::time::SystemTime;

use lambda_runtime::Error;
use serde_json::Value;

use super::Metrics;
use crate::ledger::AnyLedger;
use crate::network_acl::AnyNetworkAcls;
use crate::respond::carry::Firehose;
use crate::respond::notify::Channels;

type Function = function::Function<AnyLedger, AnyNetworkAcls, Channels, Firehose>;

/// Answers invocations until Lambda ends the process.
#[must_use]
pub fn main() -> ExitCode {
    super::main::<Function>()
}

impl super::Function for Function {
    const INSTEAD: &'static str = "`portcullis respond` or `portcullis consume`";

    async fn open() -> Result<Self, Error> {
        let config = open::settings()?;
        let (channels, firehose) = (open::channels(&config).await?, open::firehose(&config).await?);
        Ok(Function::new(open::responder(config).await?, channels, firehose))
    }

    async fn invoked(&self, event: &[u8], deadline: SystemTime, metrics: &mut Metrics) -> Result<Value, Error> {
        Ok(self.answer(event, deadline, metrics).await?)
    }
}
