//! What the table cannot say.

use super::FIELDS;
use crate::{
    engine::{Derived, Input, Map, RowId, row},
    schema::Field,
    source::Source,
};

const NAME: RowId = row(FIELDS, "dns.question.name");

/// The source.
#[derive(Debug)]
pub(crate) struct Dns;

impl Map for Dns {
    fn source(&self) -> Source {
        Source::Dns
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn constants(&self) -> &'static [(&'static str, &'static str)] {
        &[("event.kind", "event")]
    }

    fn native_times(&self) -> &'static [&'static str] {
        &["query_timestamp"]
    }

    fn required(&self) -> &'static [&'static [RowId]] {
        &[&[NAME]]
    }

    fn native_id(&self) -> Option<RowId> {
        None
    }

    fn derive(&self, _input: &Input<'_>, _derived: &mut Derived) {}
}
