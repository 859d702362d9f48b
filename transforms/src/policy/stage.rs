//! What happens to a written document before it leaves.

use super::filter::Filters;
use crate::{
    normalize::{Options, Refusal},
    source::Source,
};
#[cfg(feature = "enrich")]
use crate::{policy::enrich::Enricher, schema::Schema};

/// Filters and enrichment of one source.
#[derive(Debug)]
pub(crate) struct Stage {
    filters: Option<Filters>,
    #[cfg(feature = "enrich")]
    enricher: Option<Enricher>,
}

impl Stage {
    /// Nothing when the options ask for nothing. Only `ecs` documents are enriched.
    pub(crate) fn new(source: Source, options: &Options) -> Result<Option<Self>, Refusal> {
        let stage = Self {
            filters: Filters::new(source, &options.drop)?,
            #[cfg(feature = "enrich")]
            enricher: options
                .enrichment
                .clone()
                .filter(|_| options.schema == Schema::Ecs)
                .map(Enricher::new),
        };
        Ok(stage.does_anything().then_some(stage))
    }

    #[cfg(feature = "enrich")]
    fn does_anything(&self) -> bool {
        self.filters.is_some() || self.enricher.is_some()
    }

    #[cfg(not(feature = "enrich"))]
    fn does_anything(&self) -> bool {
        self.filters.is_some()
    }

    /// Takes the document that begins at `start` of `out`; the answer is whether it is kept.
    #[cfg_attr(
        not(feature = "enrich"),
        expect(clippy::ptr_arg, reason = "enrichment makes the document longer")
    )]
    pub(crate) fn keeps(&mut self, out: &mut Vec<u8>, start: usize) -> bool {
        // What no filter looks for need not be added to a document that is dropped.
        if self.drops(out, start, false) {
            return false;
        }
        #[cfg(feature = "enrich")]
        if let Some(enricher) = &mut self.enricher {
            enricher.enrich(out, start);
        }
        !self.drops(out, start, true)
    }

    fn drops(&mut self, out: &[u8], start: usize, after_enrichment: bool) -> bool {
        let document = out.get(start..).unwrap_or_default();
        self.filters
            .as_mut()
            .is_some_and(|filters| filters.after_enrichment == after_enrichment && filters.drops(document))
    }
}
