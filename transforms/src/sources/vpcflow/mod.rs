//! VPC flow logs.

use crate::{Options, Outcome, Refusal, schema::Field};

/// The table of flow-log fields.
pub const FIELDS: &[Field] = &[];

/// Maps flow-log lines.
#[derive(Debug)]
pub struct Mapper;

impl Mapper {
    /// A mapper for the configured format.
    ///
    /// # Errors
    /// When the format names an unknown field.
    pub fn new(_options: &Options) -> Result<Self, Refusal> {
        Ok(Self)
    }

    /// Maps one line.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub fn record(&mut self, _record: &[u8], _out: &mut Vec<u8>) -> Result<Outcome, Refusal> {
        Ok(Outcome::Dropped)
    }
}
