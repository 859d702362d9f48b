//! What happens to a written document before it leaves.

use super::filter::Filters;
use crate::{
    normalize::{Options, Refusal},
    source::Source,
};

/// The filters of a deployment for one source.
#[derive(Debug)]
pub(crate) struct Stage {
    filters: Option<Filters>,
}

impl Stage {
    /// Nothing when the options ask for nothing.
    pub(crate) fn new(source: Source, options: &Options) -> Result<Option<Self>, Refusal> {
        let filters = Filters::new(source, &options.drop)?;
        Ok(filters.is_some().then_some(Self { filters }))
    }

    /// Whether documents may be dropped.
    pub(crate) fn has_filters(&self) -> bool {
        self.filters.is_some()
    }

    /// Takes the document that begins at `start` of `out`; the answer is whether it is kept.
    pub(crate) fn keeps(&mut self, out: &mut Vec<u8>, start: usize) -> bool {
        let document = out.get(start..).unwrap_or_default();
        !self.filters.as_mut().is_some_and(|filters| filters.drops(document))
    }
}
