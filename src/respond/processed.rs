//! Which versions of findings were processed, as far as this process remembers: the same record comes again and again, and to find out
//! that it does should cost no read.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

/// Findings remembered; then it begins anew. What is not remembered is read.
const MOST: usize = 20_000;

/// The newest version of each finding that is durable in the ledger. It never goes back, so neither does what is said of it.
#[derive(Debug, Default)]
pub(super) struct Processed(Mutex<HashMap<String, DateTime<Utc>>>);

impl Processed {
    /// Whether this version, or a newer one, is durable.
    pub(super) fn knows(&self, id: &str, version: DateTime<Utc>) -> bool {
        self.held().get(id).is_some_and(|known| *known >= version)
    }

    /// This version is durable.
    pub(super) fn learn(&self, id: String, version: DateTime<Utc>) {
        let mut all = self.held();
        if all.len() >= MOST {
            all.clear();
        }
        let known = all.entry(id).or_insert(version);
        *known = version.max(*known);
    }

    fn held(&self) -> MutexGuard<'_, HashMap<String, DateTime<Utc>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
