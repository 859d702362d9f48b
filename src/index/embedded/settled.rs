//! A range whose documents are settled before anything else looks at them.
//!
//! The engine's own range scorer is lazy and counts the distance between seeks, which underflows when another
//! scorer seeks it to where it has been; random queries against the slow evaluator found that. A bit for each
//! document costs little beside the scan of the column, and can be sought freely.

use tantivy::{
    BitSet, DocId, DocSet, Score, SegmentReader, TERMINATED, TantivyError,
    query::{BitSetDocSet, ConstScorer, EnableScoring, Explanation, Query, RangeQuery, Scorer, Weight},
};

/// The range.
#[derive(Clone, Debug)]
pub(crate) struct Settled(pub(crate) RangeQuery);

impl Query for Settled {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(SettledWeight(self.0.weight(scoring)?)))
    }
}

struct SettledWeight(Box<dyn Weight>);

impl Weight for SettledWeight {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let mut found = self.0.scorer(reader, boost)?;
        let mut documents = BitSet::with_max_value(reader.max_doc());
        let mut document = found.doc();
        while document != TERMINATED {
            documents.insert(document);
            document = found.advance();
        }
        Ok(Box::new(ConstScorer::new(BitSetDocSet::from(documents), boost)))
    }

    fn explain(&self, reader: &SegmentReader, document: DocId) -> tantivy::Result<Explanation> {
        if self.scorer(reader, 1.0)?.seek(document) == document {
            Ok(Explanation::new("in range", 1.0))
        } else {
            Err(TantivyError::InvalidArgument(format!(
                "document {document} is not in range"
            )))
        }
    }
}
