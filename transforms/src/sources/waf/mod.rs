//! To follow.
use crate::{engine::Map, schema::Field};

/// The table.
pub const FIELDS: &[Field] = &[];

#[derive(Debug)]
pub(crate) struct Waf;

impl Map for Waf {}
