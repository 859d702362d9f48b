//! One `_search` body into one answer.

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use tantivy::{
    DocAddress, Order, Searcher, SegmentOrdinal, SegmentReader, TantivyDocument,
    aggregation::{AggContextParams, AggregationCollector, AggregationLimitsGuard, agg_req::Aggregations},
    collector::{Collector, Count, TopDocs, sort_key::SortByErasedType},
    query::Query,
    schema::Value as _,
};

use super::{
    aggregations,
    clause::{Clause, Scalar},
    compile::Compiler,
    dsl::{self, object, options_of, unsupported},
    engine,
    layout::Layout,
    steps,
};
use crate::index::{
    Error,
    fields::{Fields, Kind},
    limits,
};

/// A request as it was read.
struct Request {
    clause: Clause,
    aggs: Option<Value>,
    from: usize,
    size: usize,
    sort: (String, Order),
    with_source: bool,
}

/// Reads the body, runs it, and shapes the answer.
pub(crate) fn run(
    layout: &Layout,
    fields: &Fields,
    searcher: &Searcher,
    index: &str,
    body: &Value,
) -> Result<Value, Error> {
    let start = Instant::now();
    let request = read(index, body, fields)?;
    let compiler = Compiler {
        layout,
        fields,
        searcher,
    };
    let query = compiler.query(&request.clause)?;
    let deadline = Deadline {
        at: start + limits::TIME,
    };

    let (total, hits) = if request.size == 0 {
        (None, Vec::new())
    } else {
        let top = TopDocs::with_limit(request.size).and_offset(request.from);
        let (column, order) = &request.sort;
        let top = top.order_by((SortByErasedType::for_field(Layout::column(fields, column)), *order));
        let (total, top) = collect(searcher, &*query, deadline, (Count, top))?;
        let hits = top
            .into_iter()
            .map(|(_, address)| hit(layout, searcher, address, request.with_source));
        (Some(total), hits.collect::<Result<Vec<_>, _>>()?)
    };
    let mut aggregated = None;
    let mut counted = total;
    if let Some(mut aggs) = request.aggs {
        let aggregate = |query: &dyn Query, aggs: Value| -> Result<(usize, Value), Error> {
            let aggs: Aggregations = serde_json::from_value(aggs).map_err(|e| Error::Query(format!("aggs: {e}")))?;
            let guard = AggregationLimitsGuard::new(Some(limits::AGGREGATION_BYTES), None);
            let context = AggContextParams::new(guard, searcher.index().tokenizers().clone());
            let collector = AggregationCollector::from_aggs(aggs, context);
            let (count, result) = collect(searcher, query, deadline, (Count, collector))?;
            let result = serde_json::to_value(result).map_err(|e| Error::Engine(e.to_string()))?;
            Ok((count, result))
        };
        let later = steps::apart(&mut aggs, fields, searcher)?;
        let (count, mut result) = aggregate(&*query, aggs)?;
        for one in later {
            let Some((only, aggs)) = one.request(&result[&one.name]) else {
                continue;
            };
            let narrowed = compiler.query(&Clause::every(vec![request.clause.clone(), only]))?;
            let (_, mut below) = aggregate(&*narrowed, aggs)?;
            result[&one.name]["buckets"] = below[&one.name]["buckets"].take();
        }
        aggregations::answer(&mut result);
        if let Some(asked) = aggs_of(body) {
            aggregations::typed(&mut result, asked, fields);
        }
        aggregated = Some(result);
        counted = Some(count);
    }
    let total = match counted {
        Some(total) => total,
        None => collect(searcher, &*query, deadline, Count)?,
    };
    let mut answer = json!({
        "took": u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
        "timed_out": false,
        "hits": { "total": { "value": total, "relation": "eq" }, "max_score": null, "hits": hits },
    });
    if let Some(result) = aggregated {
        answer["aggregations"] = result;
    }
    Ok(answer)
}

fn aggs_of(body: &Value) -> Option<&Value> {
    body.get("aggs").or_else(|| body.get("aggregations"))
}

fn read(index: &str, whole: &Value, fields: &Fields) -> Result<Request, Error> {
    const KEYS: &[&str] = &[
        "query",
        "aggs",
        "aggregations",
        "size",
        "from",
        "sort",
        "track_total_hits",
        "_source",
    ];
    let body = options_of(object(whole, "the search body")?, "the search body", KEYS)?;
    let asked = match body.get("query") {
        Some(query) => dsl::parse(query)?,
        None => Clause::All,
    };
    let number = |key: &str, default: usize, most: usize| match body.get(key) {
        None => Ok(default),
        Some(value) => value
            .as_u64()
            .and_then(|n| usize::try_from(n).ok())
            .filter(|n| *n <= most)
            .ok_or_else(|| {
                Error::Query(format!(
                    "`{key}` is 0 to {most}; narrow the search instead of paging further"
                ))
            }),
    };
    let (from, size) = (number("from", 0, limits::WINDOW)?, number("size", 10, limits::HITS)?);
    if from + size > limits::WINDOW {
        return Err(Error::Query(format!(
            "`from` plus `size` is at most {}; narrow the search or its time range",
            limits::WINDOW
        )));
    }
    let with_source = match body.get("_source") {
        None => true,
        Some(Value::Bool(wanted)) => *wanted,
        Some(_) => return Err(unsupported("`_source` with a filter", "write true or false")),
    };
    Ok(Request {
        clause: Clause::every(only(index).into_iter().chain([asked]).collect()),
        aggs: aggs_of(whole)
            .map(|aggs| aggregations::rewrite(aggs, fields))
            .transpose()?,
        from,
        size,
        sort: sort(body.get("sort"), fields)?,
        with_source,
    })
}

/// The condition that keeps to an index, a comma-separated list of them, or none for `*`.
fn only(index: &str) -> Option<Clause> {
    let names: Vec<_> = index
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect();
    if names.is_empty() || names.contains(&"*") {
        return None;
    }
    let values = names.into_iter().map(|name| Scalar::Text(name.to_owned())).collect();
    Some(Clause::Terms {
        field: "_index".to_owned(),
        values,
    })
}

/// One field and its order; newest first when nothing is asked.
fn sort(sort: Option<&Value>, fields: &Fields) -> Result<(String, Order), Error> {
    let one = match sort {
        None => return Ok(("@timestamp".to_owned(), Order::Desc)),
        Some(Value::Array(keys)) if keys.len() == 1 => &keys[0],
        Some(Value::Array(_)) => return Err(unsupported("sorting by several fields", "sort by one")),
        Some(one) => one,
    };
    let (field, order) = match one {
        Value::String(field) => (field.as_str(), "asc"),
        Value::Object(_) => {
            let (field, order) = dsl::only(object(one, "sort")?, "sort")?;
            let order = match order {
                Value::Object(options) => options_of(options, "sort", &["order"])?
                    .get("order")
                    .and_then(Value::as_str),
                plain => plain.as_str(),
            };
            (field, order.unwrap_or("asc"))
        }
        _ => return Err(Error::Query("sort: takes `[{\"@timestamp\": \"desc\"}]`".to_owned())),
    };
    let order = match order {
        "asc" => Order::Asc,
        "desc" => Order::Desc,
        other => return Err(Error::Query(format!("sort: order `{other}`; write asc or desc"))),
    };
    match fields.kind(field) {
        Kind::Known(ty) if ty.is_aggregatable() => Ok((field.to_owned(), order)),
        Kind::Unknown => Ok((field.to_owned(), order)),
        _ => Err(Error::Query(format!("sort: `{field}` is text and cannot be sorted by"))),
    }
}

fn hit(layout: &Layout, searcher: &Searcher, address: DocAddress, with_source: bool) -> Result<Value, Error> {
    let document: TantivyDocument = searcher.doc(address).map_err(engine)?;
    let mut hit = Map::new();
    let segment = searcher.segment_reader(address.segment_ord);
    let mut index = String::new();
    if let Some(column) = segment.fast_fields().str(super::layout::INDEX).map_err(engine)?
        && let Some(ordinal) = column.term_ords(address.doc_id).next()
    {
        column.ord_to_str(ordinal, &mut index).map_err(engine)?;
    }
    hit.insert("_index".to_owned(), index.into());
    hit.insert(
        "_id".to_owned(),
        document.get_first(layout.id).and_then(|v| v.as_str()).into(),
    );
    hit.insert("_score".to_owned(), Value::Null);
    if with_source {
        let bytes = document
            .get_first(layout.source)
            .and_then(|v| v.as_bytes())
            .unwrap_or_default();
        let source =
            serde_json::from_slice(bytes).map_err(|e| Error::Engine(format!("a stored document is damaged: {e}")))?;
        hit.insert("_source".to_owned(), source);
    }
    Ok(Value::Object(hit))
}

fn collect<C: Collector>(
    searcher: &Searcher,
    query: &dyn Query,
    deadline: Deadline,
    collector: C,
) -> Result<C::Fruit, Error> {
    searcher.search(query, &Limited { deadline, collector }).map_err(engine)
}

/// When a search must stop.
#[derive(Clone, Copy)]
struct Deadline {
    at: Instant,
}

/// A collector that starts no further segment after the deadline.
struct Limited<C> {
    deadline: Deadline,
    collector: C,
}

impl<C: Collector> Collector for Limited<C> {
    type Fruit = C::Fruit;
    type Child = C::Child;

    fn for_segment(&self, ordinal: SegmentOrdinal, reader: &SegmentReader) -> tantivy::Result<Self::Child> {
        if self.deadline.at.saturating_duration_since(Instant::now()) == Duration::ZERO {
            return Err(tantivy::TantivyError::InvalidArgument(format!(
                "the search took longer than {} s; choose a shorter time range",
                limits::TIME.as_secs()
            )));
        }
        self.collector.for_segment(ordinal, reader)
    }

    fn requires_scoring(&self) -> bool {
        self.collector.requires_scoring()
    }

    fn merge_fruits(
        &self,
        fruits: Vec<<Self::Child as tantivy::collector::SegmentCollector>::Fruit>,
    ) -> tantivy::Result<Self::Fruit> {
        self.collector.merge_fruits(fruits)
    }
}
