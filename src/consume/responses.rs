//! An index as a place for response documents.

use std::sync::Arc;

use tokio::task::spawn_blocking;

use crate::index::Index;
use crate::respond::{Place, Unplaced};

/// The index `response` of an index.
#[derive(Clone)]
pub struct Responses {
    index: Arc<dyn Index>,
    name: String,
}

impl Responses {
    /// That of `index`; `name` tells it from other places that the same ledger's documents go to.
    pub fn new(index: Arc<dyn Index>, name: impl Into<String>) -> Self {
        Self {
            index,
            name: name.into(),
        }
    }
}

impl Place for Responses {
    fn name(&self) -> &str {
        &self.name
    }

    async fn take(&self, documents: Vec<Vec<u8>>) -> Result<(), Unplaced> {
        let index = Arc::clone(&self.index);
        let written = spawn_blocking(move || {
            index.write("response", &mut documents.iter().map(Vec::as_slice))?;
            index.refresh()
        });
        match written.await {
            Ok(written) => written.map_err(|error| Unplaced(error.to_string())),
            Err(error) => Err(Unplaced(error.to_string())),
        }
    }
}
