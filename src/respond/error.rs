//! Why the responder could not do its work now. All of it is worth another attempt, but for [`Error::Refused`].

use crate::{ledger, network_acl};

/// The responder could not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The ledger could not be read or written.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// A call on network ACLs failed.
    #[error(transparent)]
    NetworkAcls(#[from] network_acl::Error),
    /// What a person asked for cannot be done; says why and what to do.
    #[error("{0}")]
    Refused(String),
}
