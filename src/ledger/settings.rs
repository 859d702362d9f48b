//! Which ledger the operator chose.

use serde::{Deserialize, Serialize};

/// The DynamoDB table's name, unless another one is said.
pub const TABLE: &str = "portcullis-ledger";

/// `[ledger]`: where the ledger is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// What keeps it.
    pub store: Store,
    /// Name of the DynamoDB table; of no account in the embedded store.
    pub table: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            store: Store::default(),
            table: TABLE.to_owned(),
        }
    }
}

/// What keeps the ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Store {
    /// SQLite in the data directory: one machine.
    #[default]
    Embedded,
    /// A DynamoDB table: any number of responders.
    DynamoDb,
}
