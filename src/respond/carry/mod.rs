//! Response documents to where they can be searched: one place after another, each at its own pace.
//!
//! The ledger keeps how far each place has them, so nothing is lost when one cannot be reached, and a second place takes
//! nothing from the first. A document may come to a place twice, with the same `event.id`.

#[cfg(feature = "aws")]
pub mod firehose;

use super::document::document;
use super::error::Error;
use super::responder::Responder;
use crate::ledger::{self, Ledger};
use crate::network_acl::NetworkAcls;

#[cfg(feature = "aws")]
pub use firehose::Firehose;

/// Documents that are taken at once.
const AT_ONCE: usize = 1_000;

/// Reader of the ledger whose positions these are.
const READER: &str = "documents";

/// A place that takes response documents.
pub trait Place: Sync {
    /// Its name among all places, none for the index beside the ledger; the ledger keeps how far it has them under it.
    fn name(&self) -> &str;

    /// Takes these, one JSON object each. They are durable when it returns.
    ///
    /// # Errors
    /// When it may have taken some of them only: all of them come again.
    fn take(&self, documents: Vec<Vec<u8>>) -> impl Future<Output = Result<(), Unplaced>> + Send;
}

/// A place did not take response documents; they wait in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unplaced(pub String);

/// Response documents were not carried to their end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CarryError {
    /// The ledger.
    #[error(transparent)]
    Respond(#[from] Error),
    /// The place.
    #[error("response documents wait: {0}")]
    Place(#[from] Unplaced),
}

impl From<ledger::Error> for CarryError {
    fn from(error: ledger::Error) -> Self {
        CarryError::Respond(error.into())
    }
}

impl<L: Ledger, N: NetworkAcls> Responder<L, N> {
    /// Brings `place` every response document that it does not have yet, in order; returns how many.
    ///
    /// # Errors
    /// When the ledger or the place fails; the next call goes on where this one ended.
    pub async fn carry(&self, place: &impl Place) -> Result<u64, CarryError> {
        let reader = match place.name() {
            "" => READER.to_owned(),
            name => format!("{READER}/{name}"),
        };
        let mut carried = 0;
        let mut after = self.ledger.position(&reader).await?.number();
        loop {
            let rows = self.ledger.audit(after, AT_ONCE).await?;
            let Some(last) = rows.last() else { return Ok(carried) };
            after = last.number;
            carried += rows.len() as u64;
            place.take(rows.iter().map(document).collect()).await?;
            self.ledger.set_position(&reader, &after.into()).await?;
        }
    }
}
