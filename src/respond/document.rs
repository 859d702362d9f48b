//! Response documents.

use super::error::Error;
use super::responder::Responder;
use crate::ledger::Ledger;
use crate::network_acl::NetworkAcls;

/// Some response documents, and where the next ones start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Documents {
    /// JSON objects for the index `response`.
    pub lines: Vec<Vec<u8>>,
    /// Give this to [`Responder::documents_taken`] once they are indexed.
    pub position: u64,
}

impl<L: Ledger, N: NetworkAcls> Responder<L, N> {
    /// The next response documents, at most `limit`. The same again until [`Responder::documents_taken`] is called.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn take_documents(&self, _limit: usize) -> Result<Documents, Error> {
        Ok(Documents::default())
    }

    /// Says that the documents up to a position are indexed.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn documents_taken(&self, _position: u64) -> Result<(), Error> {
        Ok(())
    }
}
