//! To follow.
use crate::{Options, Outcome, Refusal};

pub(crate) trait Map: std::fmt::Debug + Sync {}

#[derive(Debug)]
pub(crate) struct Mapper;

impl Mapper {
    pub(crate) fn new(_: &'static dyn Map, _: &Options) -> Self {
        Self
    }
    pub(crate) fn record(&mut self, _: &[u8], _: &mut Vec<u8>) -> Result<Outcome, Refusal> {
        Ok(Outcome::Dropped)
    }
}
