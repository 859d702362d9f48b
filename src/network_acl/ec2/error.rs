//! What EC2 answers, as the codes that the responder acts on, in words that name the action, the resource and the remedy.

use aws_sdk_ec2::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

use super::clients::Regional;
use crate::network_acl::{Code, Error};

/// The longest text of EC2's that is repeated: a refusal carries a long encoded message.
const MOST_SAID: usize = 300;

/// EC2's words beside those that [`Code`] knows by name, and what they come to. A refusal that stands in neither is final: EC2 did not
/// do what it names a reason against.
const WORDS: &[(&str, Code)] = &[
    ("InvalidNetworkAclId.NotFound", Code::AclNotFound),
    ("InvalidNetworkAclID.Malformed", Code::AclNotFound),
    ("Client.RequestLimitExceeded", Code::RequestLimitExceeded),
    ("Throttling", Code::RequestLimitExceeded),
    ("ThrottlingException", Code::RequestLimitExceeded),
    ("EC2ThrottledException", Code::RequestLimitExceeded),
    ("AccessDenied", Code::Unauthorized),
    ("AccessDeniedException", Code::Unauthorized),
    ("OptInRequired", Code::Unauthorized),
    ("InternalError", Code::Unavailable),
    ("InternalFailure", Code::Unavailable),
    ("ServiceUnavailable", Code::Unavailable),
    // Credentials end and are renewed; what is planned waits for it.
    ("AuthFailure", Code::Unavailable),
    ("ExpiredToken", Code::Unavailable),
    ("ExpiredTokenException", Code::Unavailable),
    ("InvalidClientTokenId", Code::Unavailable),
    ("MissingAuthenticationToken", Code::Unavailable),
    ("RequestExpired", Code::Unavailable),
    ("SignatureDoesNotMatch", Code::Unavailable),
];

/// Which call it was.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    pub(super) at: &'a Regional,
    /// `ec2`, or `rds`.
    pub(super) service: &'static str,
    /// The service's action.
    pub(super) action: &'static str,
    /// What it is about, as people know it: `acl-1`, or nothing for everything.
    pub(super) about: &'a str,
}

impl Call<'_> {
    /// An error in words of ours.
    pub(super) fn says(&self, code: Code, what: &str) -> Error {
        let about = if self.about.is_empty() { "" } else { " on " };
        let place = format!("{} {}", self.at.account, self.at.region);
        Error::new(
            code,
            format!(
                "{}:{}{about}{} in {place}: {what}",
                self.service, self.action, self.about
            ),
        )
    }

    /// The ARN to allow the action on; describing knows no resources.
    fn resource(&self) -> String {
        let Regional { account, region, .. } = self.at;
        let partition = crate::network_acl::settings::partition(region);
        if self.service == "rds" {
            format!("arn:{partition}:rds:{region}:{account}:db:*")
        } else if self.action.contains("NetworkAclEntry") {
            format!("arn:{partition}:ec2:{region}:{account}:network-acl/*")
        } else {
            "*".to_owned()
        }
    }

    /// A refusal by the service's own word.
    pub(super) fn refused(&self, word: &str, its_own_fault: bool, said: &str) -> Error {
        let code = code_of(word, its_own_fault);
        let remedy = match code {
            Code::Unauthorized => format!(
                "; allow {} {}:{} on {}",
                self.at.caller,
                self.service,
                self.action,
                self.resource()
            ),
            Code::Unavailable => "; it is tried again".to_owned(),
            _ => String::new(),
        };
        self.says(code, &format!("{word}: {}{remedy}", clipped(said)))
    }

    /// That the account's role refuses this program, if that is what an error says.
    pub(super) fn not_assumed(&self, detail: &str) -> Option<Error> {
        (detail.contains("AccessDenied") && detail.contains("AssumeRole")).then(|| {
            let what = format!(
                "{} cannot be assumed; let its trust policy name this program's role (and its external id), and allow this \
                 program's role sts:AssumeRole on it",
                self.at.caller
            );
            self.says(Code::Unauthorized, &what)
        })
    }

    /// What the SDK reports.
    pub(super) fn failed<E>(&self, error: &SdkError<E>) -> Error
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let said = error.message().unwrap_or_default();
        if let Some(word) = error.code() {
            let its_own_fault = error
                .raw_response()
                .is_some_and(|answer| answer.status().is_server_error());
            return self.refused(word, its_own_fault, said);
        }
        let detail = DisplayErrorContext(error).to_string();
        if let Some(error) = self.not_assumed(&detail) {
            return error;
        }
        let remedy = match error {
            SdkError::ConstructionFailure(_) => "the request could not be made; check the credentials",
            SdkError::TimeoutError(_) => "it timed out; check the network and the endpoint",
            SdkError::DispatchFailure(_) => {
                "no connection or no credentials; check AWS_PROFILE or the role, the network and AWS_ENDPOINT_URL_EC2"
            }
            _ => "the answer cannot be read; check the endpoint",
        };
        self.says(Code::Unavailable, &format!("{remedy} ({})", clipped(&detail)))
    }
}

fn code_of(word: &str, its_own_fault: bool) -> Code {
    let named = Code::ALL.iter().find(|code| code.name() == word).copied();
    let other = || WORDS.iter().find(|(known, _)| *known == word).map(|(_, code)| *code);
    match named.or_else(other) {
        Some(code) => code,
        None if its_own_fault => Code::Unavailable,
        None => Code::InvalidParameter,
    }
}

fn clipped(text: &str) -> String {
    let text = text
        .split("Encoded authorization failure message")
        .next()
        .unwrap_or_default()
        .trim_end();
    match text.char_indices().nth(MOST_SAID) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_ec2_comes_to_one_code() {
        let table = [
            ("NetworkAclEntryAlreadyExists", Code::EntryAlreadyExists),
            ("NetworkAclEntryLimitExceeded", Code::EntryLimitExceeded),
            ("InvalidNetworkAclEntry.NotFound", Code::EntryNotFound),
            ("InvalidNetworkAclID.NotFound", Code::AclNotFound),
            ("InvalidParameterValue", Code::InvalidParameter),
            ("UnauthorizedOperation", Code::Unauthorized),
            ("DryRunOperation", Code::DryRun),
            ("RequestLimitExceeded", Code::RequestLimitExceeded),
            ("Throttling", Code::RequestLimitExceeded),
            ("InternalError", Code::Unavailable),
            ("ExpiredToken", Code::Unavailable),
            ("SomethingNew", Code::InvalidParameter),
        ];
        for (word, code) in table {
            assert_eq!(code_of(word, false), code, "{word}");
        }
        assert_eq!(code_of("SomethingNew", true), Code::Unavailable);
    }

    #[test]
    fn a_refusal_is_repeated_without_its_encoded_message() {
        let said = "You are not authorized to perform this operation. Encoded authorization failure message: aGVsbG8";
        assert_eq!(clipped(said), "You are not authorized to perform this operation.");
        assert_eq!(clipped(&"x".repeat(1000)).len(), MOST_SAID + 3);
    }
}
