//! What AWS answers, as errors that name the table, the region and the remedy. No request is repeated here: requests hold
//! what findings say.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use crate::ledger::Error;

/// Where a ledger is, for people.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) table: String,
    pub(super) region: String,
}

impl Place {
    /// An error in words of ours.
    pub(super) fn says(&self, what: &str) -> Error {
        Error::Store {
            message: format!("table {} in {}: {what}", self.table, self.region),
            source: None,
        }
    }

    /// An error of one call, which a person may know by the name of its action.
    pub(super) fn failed<E, R>(&self, action: &str, error: SdkError<E, R>) -> Error
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        let (code, said) = (error.code().map(str::to_owned), error.message().map(str::to_owned));
        // An answer says all that there is; only its absence has causes of its own.
        let answered = code.is_some();
        let what = match (code, said) {
            (Some(code), said) => format!(
                "dynamodb:{action} answers {code}{}{}; {}",
                if said.is_some() { ": " } else { "" },
                said.unwrap_or_default(),
                remedy(&code)
            ),
            (None, _) => format!("dynamodb:{action} gets no answer; {}", unanswered(&error)),
        };
        Error::Store {
            message: format!("table {} in {}: {what}", self.table, self.region),
            source: (!answered).then(|| Box::new(error) as _),
        }
    }
}

fn remedy(code: &str) -> &'static str {
    match code {
        "ResourceNotFoundException" => "`portcullis setup ledger` creates the table, or name another table or region",
        "AccessDeniedException" | "AccessDenied" => {
            "allow the role that action on the table and on its indexes (arn:...:table/NAME and arn:...:table/NAME/index/*)"
        }
        "ExpiredTokenException" | "UnrecognizedClientException" | "InvalidSignatureException" => {
            "renew the credentials, and check that the clock is right"
        }
        "ThrottlingException" | "ProvisionedThroughputExceededException" | "RequestLimitExceeded" => {
            "it is tried again; if it lasts, give the table on-demand capacity"
        }
        "ItemCollectionSizeLimitExceededException" => "delete old items of that partition",
        _ => "see the message",
    }
}

fn unanswered<E, R>(error: &SdkError<E, R>) -> &'static str {
    match error {
        SdkError::ConstructionFailure(_) => "the request could not be made; check region and credentials",
        SdkError::TimeoutError(_) => "it timed out; check the network and the endpoint",
        SdkError::DispatchFailure(_) => {
            "check credentials (AWS_PROFILE or a role), the network and the endpoint (AWS_ENDPOINT_URL_DYNAMODB)"
        }
        _ => "the answer could not be read; check the endpoint",
    }
}
