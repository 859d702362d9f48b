//! EC2's error codes for network ACL entries, and which of them may pass by themselves.
//!
//! See [Error codes for the Amazon EC2 API](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html).

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal, $transient:literal;)+) => {
        /// What EC2 answered, by its code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Code] = &[$(Code::$name,)+];

            /// EC2's word for it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Code::$name => $code,)+ }
            }

            /// Whether trying again later can help.
            #[must_use]
            pub fn is_transient(self) -> bool {
                match self { $(Code::$name => $transient,)+ }
            }
        }
    };
}

codes! {
    /// The rule number is taken in that direction.
    EntryAlreadyExists = "NetworkAclEntryAlreadyExists", false;
    /// The quota of entries for that direction is used up.
    EntryLimitExceeded = "NetworkAclEntryLimitExceeded", false;
    /// There is no entry with that number in that direction.
    EntryNotFound = "InvalidNetworkAclEntry.NotFound", false;
    /// There is no such network ACL.
    AclNotFound = "InvalidNetworkAclID.NotFound", false;
    /// A value is out of range or malformed.
    InvalidParameter = "InvalidParameterValue", false;
    /// The caller may not do this.
    Unauthorized = "UnauthorizedOperation", false;
    /// The call would have succeeded, had it not been a dry run.
    DryRun = "DryRunOperation", false;
    /// Too many calls.
    RequestLimitExceeded = "RequestLimitExceeded", true;
    /// EC2 (or the store behind the model) failed, or its answer was lost: the effect may or may not have happened.
    Unavailable = "Unavailable", true;
}

impl Code {
    /// Whether the call may have had its effect all the same.
    #[must_use]
    pub fn is_unknown(self) -> bool {
        self == Code::Unavailable
    }
}

/// A call on network ACLs failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", code.name())]
#[non_exhaustive]
pub struct Error {
    /// EC2's code.
    pub code: Code,
    /// What it said, naming the network ACL and the rule number.
    pub message: String,
}

impl Error {
    /// An error with EC2's code and a message for people.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }
}
