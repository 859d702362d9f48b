//! A panel's request as statements, and their rows in the shape that panels are drawn from.

use std::collections::BTreeMap;

use portcullis::index::Error;
use rusqlite::{Connection, types::ValueRef};
use serde_json::{Map, Value, json};

use super::{
    Known, condition,
    condition::{path, value},
    failed,
};

/// One request.
pub(super) struct Request<'r> {
    pub(super) connection: &'r Connection,
    pub(super) fields: &'r Known<'r>,
    /// Table and first condition.
    pub(super) from: String,
}

/// Rows of values.
type Rows = Vec<Vec<Value>>;

impl Request<'_> {
    pub(super) fn answer(&self, body: &Value) -> Result<Value, Error> {
        let filter = condition::of(&body["query"], self.fields)?;
        let mut answers = Map::new();
        let mut total = None;
        let aggs = body["aggs"].as_object();
        if let Some(aggs) = aggs {
            if let Some(tile) = self.periods(&filter, body)? {
                return Ok(tile);
            }
            for (name, agg) in aggs {
                answers.insert(name.clone(), self.aggregation(&filter, agg)?);
            }
            // The panel has to know whether there is anything; how much is in its numbers.
            let buckets = |answer: &Value| answer["buckets"].as_array().map(Vec::len);
            total = answers.values().map(|answer| buckets(answer).unwrap_or(1)).max();
        }
        let size = body["size"].as_u64().unwrap_or(10);
        let mut hits = Vec::new();
        if size > 0 {
            let newest = format!(
                "SELECT source, json(doc) FROM {}{filter} ORDER BY at DESC LIMIT {size}",
                self.from
            );
            for row in self.rows(&newest)? {
                let text = row.get(1).and_then(Value::as_str).unwrap_or_default();
                let source: Value = serde_json::from_str(text).map_err(failed)?;
                hits.push(json!({ "_index": row.first(), "_id": source["event"]["id"], "_source": source }));
            }
        }
        let total = match total {
            Some(total) => total as u64,
            None => self
                .number(&format!("SELECT count(*) FROM {}{filter}", self.from))?
                .as_u64()
                .unwrap_or_default(),
        };
        Ok(json!({ "hits": { "total": { "value": total }, "hits": hits }, "aggregations": answers }))
    }

    /// A count's tile in one statement: its sparkline has the sum of the period before as well.
    fn periods(&self, filter: &str, body: &Value) -> Result<Option<Value>, Error> {
        let (periods, spark) = (&body["aggs"]["periods"], &body["aggs"]["spark"]);
        let (Some(long), Some(short)) = (Histogram::read(periods), Histogram::read(spark)) else {
            return Ok(None);
        };
        let counts = spark["aggs"].as_object().is_none_or(Map::is_empty);
        if !counts || long.length % short.length != 0 || (long.offset - short.offset) % short.length != 0 {
            return Ok(None);
        }
        let fine = self.aggregation(filter, spark)?;
        let mut coarse: BTreeMap<i64, u64> = BTreeMap::new();
        for bucket in fine["buckets"].as_array().into_iter().flatten() {
            let at = bucket["key"].as_i64().unwrap_or_default();
            *coarse.entry(long.start(at)).or_default() += bucket["doc_count"].as_u64().unwrap_or_default();
        }
        let total: u64 = coarse.values().sum();
        let coarse: Vec<Value> = coarse
            .into_iter()
            .map(|(key, count)| json!({ "key": key, "doc_count": count }))
            .collect();
        Ok(Some(json!({
            "hits": { "total": { "value": total }, "hits": [] },
            "aggregations": { "periods": { "buckets": coarse }, "spark": fine },
        })))
    }

    fn aggregation(&self, filter: &str, agg: &Value) -> Result<Value, Error> {
        let below = &agg["aggs"];
        if let Some(histogram) = Histogram::read(agg) {
            return self.grouped(filter, &[Key::Time(histogram)], below, &json!({ "key": "asc" }), None);
        }
        if let Some(terms) = agg.get("terms") {
            let field = terms["field"].as_str().unwrap_or_default();
            return self.grouped(
                filter,
                &[Key::Field(field)],
                below,
                &terms["order"],
                terms["size"].as_u64(),
            );
        }
        if let Some(several) = agg.get("multi_terms") {
            let fields = several["terms"].as_array().into_iter().flatten();
            let keys: Vec<Key<'_>> = fields
                .map(|one| Key::Field(one["field"].as_str().unwrap_or_default()))
                .collect();
            return self.grouped(filter, &keys, below, &several["order"], several["size"].as_u64());
        }
        if let Some((percent, field)) = percentile(agg) {
            let statement = format!(
                "SELECT {0} FROM {1}{filter} AND {0} IS NOT NULL ORDER BY 1",
                value(field),
                self.from
            );
            let values: Vec<f64> = self
                .rows(&statement)?
                .iter()
                .filter_map(|row| row.first()?.as_f64())
                .collect();
            return Ok(at_percent(percent, &values));
        }
        let (metric, join) = self.metric(agg)?;
        Ok(json!({ "value": self.number(&format!("SELECT {metric} FROM {}", self.joined(&join, filter)))? }))
    }

    /// Table, joins, and conditions.
    fn joined(&self, join: &str, filter: &str) -> String {
        match self.from.split_once(" WHERE ") {
            Some((table, first)) => format!("{table}{join} WHERE {first}{filter}"),
            None => format!("{}{filter}", self.from),
        }
    }

    /// Counts and a number for each combination of keys; the largest when a size is given.
    fn grouped(
        &self,
        filter: &str,
        keys: &[Key<'_>],
        below: &Value,
        order: &Value,
        size: Option<u64>,
    ) -> Result<Value, Error> {
        let (mut columns, mut join, mut there) = (Vec::new(), String::new(), String::new());
        for (number, key) in keys.iter().enumerate() {
            columns.push(match key {
                Key::Time(histogram) => histogram.column(),
                Key::Field(field) if self.fields.is_list(field) => {
                    join += &format!(", json_each(t.doc, {}) AS k{number}", path(field));
                    there += &format!(" AND k{number}.atom IS NOT NULL");
                    format!("k{number}.atom")
                }
                Key::Field(field) => {
                    there += &format!(" AND {} IS NOT NULL", value(field));
                    value(field)
                }
            });
        }
        let nested = below
            .as_object()
            .and_then(|below| below.iter().find(|(name, _)| *name != "n"));
        let measured = below.get("n");
        if let Some((percent, field)) = measured.and_then(percentile) {
            return self.percentiles(filter, keys, &columns, percent, field);
        }
        let mut number = "NULL".to_owned();
        if let Some(measured) = measured {
            let (metric, more) = self.metric(measured)?;
            number = metric;
            join += &more;
        }
        let group: Vec<String> = (1..=columns.len()).map(|n| n.to_string()).collect();
        let limited = if size.is_some() {
            let by = if order.get("n").is_some() { "n" } else { "c" };
            format!(" ORDER BY {by} DESC, 1 LIMIT {}", size.unwrap_or(10))
        } else {
            " ORDER BY 1".to_owned()
        };
        let statement = format!(
            "SELECT {}, count(*) AS c, {number} AS n FROM {} GROUP BY {}{limited}",
            columns.join(", "),
            self.joined(&join, &format!("{filter}{there}")),
            group.join(", ")
        );
        let mut buckets = Vec::new();
        for row in self.rows(&statement)? {
            let (key, rest) = row.split_at(keys.len());
            let mut bucket = self.bucket(keys, key);
            bucket["doc_count"] = rest.first().cloned().unwrap_or_default();
            if measured.is_some() {
                bucket["n"] = json!({ "value": rest.get(1) });
            }
            buckets.push(bucket);
        }
        let mut answer = json!({ "buckets": buckets });
        if let (Some((name, inner)), [Key::Field(field)]) = (nested, keys) {
            self.nest(filter, field, name, inner, &mut answer)?;
        }
        if let ([_], [column], true, Some(_)) = (keys, columns.as_slice(), measured.is_none(), size) {
            // How many the rows leave out.
            let whole = format!("SELECT count({column}) FROM {}", self.joined(&join, filter));
            let shown: u64 = buckets_of(&answer)
                .filter_map(|bucket| bucket["doc_count"].as_u64())
                .sum();
            let whole = self.number(&whole)?.as_u64().unwrap_or_default();
            answer["sum_other_doc_count"] = whole.saturating_sub(shown).into();
        }
        Ok(answer)
    }

    /// What stands below the buckets of one field, in one statement for all of them.
    fn nest(&self, filter: &str, field: &str, name: &str, inner: &Value, answer: &mut Value) -> Result<(), Error> {
        let second = match (Histogram::read(inner), inner["terms"]["field"].as_str()) {
            (Some(histogram), _) => Key::Time(histogram),
            (None, Some(field)) => Key::Field(field),
            _ => return Err(failed(format!("no statement for {inner}"))),
        };
        let keys = [Key::Field(field), second];
        let shown: Vec<String> = buckets_of(answer)
            .map(|bucket| match &bucket["key"] {
                Value::String(text) => condition::quoted(text),
                other => other.to_string(),
            })
            .collect();
        let only = match self.fields.is_list(field) {
            true => String::new(),
            false => format!(" AND {} IN ({})", value(field), shown.join(", ")),
        };
        let cells = self.grouped(&format!("{filter}{only}"), &keys, &inner["aggs"], &Value::Null, None)?;
        let mut by_row: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for mut cell in cells["buckets"].as_array().cloned().unwrap_or_default() {
            let row = cell["key"][0].to_string();
            cell["key"] = cell["key"][1].take();
            if let Some(truth) = cell["key"].as_bool() {
                cell["key_as_string"] = truth.to_string().into();
            }
            by_row.entry(row).or_default().push(cell);
        }
        for bucket in answer["buckets"].as_array_mut().into_iter().flatten() {
            let key = bucket["key"].to_string();
            bucket[name] = json!({ "buckets": by_row.remove(&key).unwrap_or_default() });
        }
        Ok(())
    }

    /// A percentile in each bucket of time: the values in order, and the one at its place.
    fn percentiles(
        &self,
        filter: &str,
        keys: &[Key<'_>],
        columns: &[String],
        percent: f64,
        field: &str,
    ) -> Result<Value, Error> {
        let statement = format!(
            "SELECT {}, {1} FROM {2}{filter} AND {1} IS NOT NULL ORDER BY 1, 2",
            columns.first().map_or("NULL", String::as_str),
            value(field),
            self.from
        );
        let mut values: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
        for row in self.rows(&statement)? {
            if let (Some(key), Some(value)) = (row.first().and_then(Value::as_i64), row.get(1).and_then(Value::as_f64))
            {
                values.entry(key).or_default().push(value);
            }
        }
        let buckets: Vec<Value> = values
            .into_iter()
            .map(|(key, values)| {
                let mut bucket = self.bucket(keys, &[key.into()]);
                bucket["doc_count"] = values.len().into();
                bucket["n"] = at_percent(percent, &values);
                bucket
            })
            .collect();
        Ok(json!({ "buckets": buckets }))
    }

    fn bucket(&self, keys: &[Key<'_>], key: &[Value]) -> Value {
        let [one] = keys else {
            let named = keys.iter().zip(key).map(|(key, value)| match (key, value.as_i64()) {
                (Key::Field(field), Some(number)) if self.fields.is_truth(field) => (number != 0).into(),
                _ => value.clone(),
            });
            return json!({ "key": named.collect::<Vec<Value>>() });
        };
        let mut bucket = json!({ "key": key.first() });
        if let Key::Field(field) = one
            && self.fields.is_truth(field)
        {
            named(&mut bucket);
        }
        bucket
    }

    /// A number over the documents of a group, and what has to be joined for it.
    fn metric(&self, agg: &Value) -> Result<(String, String), Error> {
        let (kind, body) = agg
            .as_object()
            .and_then(|agg| agg.iter().next())
            .ok_or_else(|| failed("an aggregation without a kind"))?;
        let field = body["field"].as_str().unwrap_or_default();
        let function = match kind.as_str() {
            "cardinality" => "count(DISTINCT ",
            "sum" => "total(",
            "avg" => "avg(",
            "max" => "max(",
            "min" => "min(",
            other => return Err(failed(format!("no statement for {other}"))),
        };
        if self.fields.is_list(field) {
            let join = format!(" LEFT JOIN json_each(t.doc, {}) AS m", path(field));
            return Ok((format!("{function}m.atom)"), join));
        }
        Ok((format!("{function}{})", value(field)), String::new()))
    }

    fn number(&self, statement: &str) -> Result<Value, Error> {
        let rows = self.rows(statement)?;
        Ok(rows.first().and_then(|row| row.first()).cloned().unwrap_or_default())
    }

    fn rows(&self, statement: &str) -> Result<Rows, Error> {
        let told = |error: rusqlite::Error| failed(format!("{error}: {statement}"));
        let mut prepared = self.connection.prepare_cached(statement).map_err(told)?;
        let columns = prepared.column_count();
        let mut found = prepared.query(()).map_err(told)?;
        let mut rows = Vec::new();
        while let Some(row) = found.next().map_err(told)? {
            let read = |column: usize| {
                Ok(match row.get_ref(column).map_err(told)? {
                    ValueRef::Null => Value::Null,
                    ValueRef::Integer(number) => number.into(),
                    ValueRef::Real(number) => number.into(),
                    ValueRef::Text(text) | ValueRef::Blob(text) => String::from_utf8_lossy(text).into(),
                })
            };
            rows.push((0..columns).map(read).collect::<Result<Vec<_>, Error>>()?);
        }
        Ok(rows)
    }
}

/// What rows are grouped by.
enum Key<'k> {
    Time(Histogram),
    Field(&'k str),
}

/// Buckets of equal length.
struct Histogram {
    length: i64,
    offset: i64,
}

impl Histogram {
    fn read(agg: &Value) -> Option<Self> {
        let body = agg.get("date_histogram")?;
        let number = |key: &str| body[key].as_str()?.strip_suffix("ms")?.parse().ok();
        Some(Self {
            length: number("fixed_interval")?,
            offset: number("offset")?,
        })
    }

    fn start(&self, at: i64) -> i64 {
        (at - self.offset).div_euclid(self.length) * self.length + self.offset
    }

    /// Times are after 1970, so that a division rounds down.
    fn column(&self) -> String {
        let Self { length, offset } = self;
        format!("(t.at - {offset}) / {length} * {length} + {offset}")
    }
}

fn percentile(agg: &Value) -> Option<(f64, &str)> {
    let body = agg.get("percentiles")?;
    Some((body["percents"][0].as_f64()?, body["field"].as_str()?))
}

/// The value at its place in the order.
fn at_percent(percent: f64, values: &[f64]) -> Value {
    let place = (percent / 100.0 * values.len() as f64).ceil() as usize;
    let found = values.get(place.saturating_sub(1).min(values.len().saturating_sub(1)));
    json!({ "values": { format!("{percent:?}"): found } })
}

fn buckets_of(answer: &Value) -> impl Iterator<Item = &Value> {
    answer["buckets"].as_array().into_iter().flatten()
}

/// Truth values are numbers with a name.
fn named(bucket: &mut Value) {
    if let Some(number) = bucket["key"].as_i64() {
        bucket["key_as_string"] = if number == 0 { "false" } else { "true" }.into();
    }
}
