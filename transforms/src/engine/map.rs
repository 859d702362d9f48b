//! What a source is to the engine: a table, and what cannot be said in a table.

use std::fmt;

use super::{Derived, Input};
use crate::{normalize::Refusal, schema::Field, source::Source};

/// Number of a row in its source's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RowId(pub(super) usize);

/// The row called `name`; a name that the table does not have fails the build.
pub(crate) const fn row(fields: &[Field], name: &str) -> RowId {
    let mut number = 0;
    while number < fields.len() {
        if same(fields[number].name, name) {
            return RowId(number);
        }
        number += 1;
    }
    panic!("the table has no row of this name");
}

/// Whether two names are the same, for tables that are looked up at compile time.
pub(crate) const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// What a source is: its table, and what a table cannot say.
pub(crate) trait Map: fmt::Debug + Sync {
    /// Which source.
    fn source(&self) -> Source;

    /// Its own rows.
    fn fields(&self) -> &'static [Field];

    /// Members that are the same in every document.
    fn constants(&self) -> &'static [(&'static str, &'static str)];

    /// Envelopes in which the record may come, as paths.
    fn wrappers(&self) -> &'static [&'static str] {
        &[]
    }

    /// Paths of lists of elements chosen by name that the sender of a request wrote: an address in them is a claim, and not
    /// the record's.
    fn claimed(&self) -> &'static [&'static str] {
        &[]
    }

    /// Whether `Id` and `id` are the same key.
    fn folds_first_letter(&self) -> bool {
        false
    }

    /// Writes a record that is no JSON object but a line of text as the object that the table's paths are for. The
    /// answer is whether it is a line of this source.
    fn line(&self, _line: &str, _json: &mut Vec<u8>) -> Result<bool, Refusal> {
        Ok(false)
    }

    /// Paths of the timestamps that the `native` schema normalises.
    fn native_times(&self) -> &'static [&'static str];

    /// Of each list, the record must have a value for at least one row; else it is of another source, or incomplete.
    fn required(&self) -> &'static [&'static [RowId]];

    /// The row of the id that the source itself gives. Without one, the whole record is hashed.
    fn native_id(&self) -> Option<RowId>;

    /// Adds what depends on more than one value.
    fn derive(&self, input: &Input<'_>, derived: &mut Derived);
}
