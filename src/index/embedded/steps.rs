//! What stands below the values of a field that has many: first which values an answer shows, then what stands below those.
//!
//! In one step the engine works out what stands below every value, and then throws nearly all of it away.

use portcullis_transforms::Type;
use serde_json::{Map, Value, json};
use tantivy::Searcher;

use super::{
    clause::{Clause, Scalar},
    engine,
    layout::VALUES,
};
use crate::index::{
    Error,
    fields::{Fields, Kind},
};

/// From so many values of one segment on, two steps are faster than one.
const MANY: usize = 1_000;

/// An aggregation of which only the values were asked for.
pub(crate) struct Later {
    /// Its name in the request.
    pub(crate) name: String,
    field: String,
    whole: Value,
}

/// Takes out of the engine's request what stands below fields of many values, to be asked for with [`Later::request`].
pub(crate) fn apart(aggs: &mut Value, fields: &Fields, searcher: &Searcher) -> Result<Vec<Later>, Error> {
    let mut later = Vec::new();
    for (name, definition) in aggs.as_object_mut().into_iter().flatten() {
        let column = definition["terms"]["field"].as_str();
        let Some(field) = column.and_then(|column| column.strip_prefix(VALUES)?.strip_prefix('.')) else {
            continue;
        };
        let of_texts = matches!(fields.kind(field), Kind::Known(Type::Keyword | Type::Ip));
        let holds_more = definition["aggs"]
            .as_object()
            .is_some_and(|below| below.values().any(has_buckets));
        if !of_texts || !holds_more || most_values(searcher, field)? < MANY {
            continue;
        }
        later.push(Later {
            name: name.clone(),
            field: field.to_owned(),
            whole: definition.clone(),
        });
        if let Some(below) = definition["aggs"].as_object_mut() {
            below.retain(|_, agg| !has_buckets(agg));
        }
    }
    Ok(later)
}

/// Whether an aggregation has buckets, which may be many.
fn has_buckets(agg: &Value) -> bool {
    let kinds = ["terms", "multi_terms", "date_histogram", "histogram", "range"];
    kinds.iter().any(|kind| agg.get(kind).is_some())
}

/// Values of the segment that has most.
fn most_values(searcher: &Searcher, field: &str) -> Result<usize, Error> {
    let mut most = 0;
    for segment in searcher.segment_readers() {
        let column = segment
            .fast_fields()
            .str(&format!("{VALUES}.{field}"))
            .map_err(engine)?;
        most = most.max(column.map_or(0, |column| column.num_terms()));
    }
    Ok(most)
}

impl Later {
    /// The documents and the request of the second step, given the answer of the first; nothing when there is nothing to show.
    pub(crate) fn request(&self, answer: &Value) -> Option<(Clause, Value)> {
        let shown: Vec<&str> = answer["buckets"]
            .as_array()?
            .iter()
            .map(|bucket| bucket["key"].as_str())
            .collect::<Option<_>>()?;
        if shown.is_empty() {
            return None;
        }
        let mut whole = self.whole.clone();
        whole["terms"]["size"] = shown.len().into();
        whole["terms"]["include"] = json!(shown);
        let only = Clause::Terms {
            field: self.field.clone(),
            values: shown.iter().map(|value| Scalar::Text((*value).to_owned())).collect(),
        };
        let mut aggs = Map::new();
        aggs.insert(self.name.clone(), whole);
        Some((only, Value::Object(aggs)))
    }
}
