//! How far an index reaches: why a panel is empty, what to do about it, and what a number may be compared with.

use std::{collections::HashMap, sync::Mutex};

use serde_json::{Value, json};

use super::{Scope, data::PanelData, definition::Panel, scope::time, source};
use crate::index::{Error, Index, latest};

/// Answers asked once for each page: how many documents an index has, when the newest was, and when the oldest.
#[derive(Default)]
pub(crate) struct Known {
    indices: Mutex<HashMap<String, (u64, Option<String>)>>,
    oldest: Mutex<HashMap<String, Option<i64>>>,
}

/// Of a period, this part may be without documents at its start before it counts as not covered: events are not
/// evenly spread.
const UNEVEN: i32 = 24;

impl Known {
    /// Documents in the index at any time, and the time of the newest.
    pub(crate) fn of(&self, index: &dyn Index, name: &str) -> Result<(u64, Option<String>), Error> {
        let mut indices = self.indices.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(known) = indices.get(name) {
            return Ok(known.clone());
        }
        let answer = index.search(
            name,
            &json!({ "size": 1, "sort": [{ "@timestamp": "desc" }], "track_total_hits": true }),
        )?;
        let newest = answer["hits"]["hits"]
            .get(0)
            .and_then(|hit| source::values(hit, "@timestamp").pop());
        let known = (total(&answer), newest);
        indices.insert(name.to_owned(), known.clone());
        Ok(known)
    }

    /// Whether the documents of the index reach back over the period of the scope's length before the scope. When they
    /// do not, a change against that period says nothing.
    pub(crate) fn covers_the_period_before(&self, scope: &Scope, index: &dyn Index, name: &str) -> Result<bool, Error> {
        let needed = scope.from - scope.length() + scope.length() / UNEVEN;
        Ok(self
            .oldest(index, name)?
            .is_some_and(|oldest| oldest <= needed.timestamp_millis()))
    }

    /// Time of the oldest document of the index, epoch milliseconds.
    fn oldest(&self, index: &dyn Index, name: &str) -> Result<Option<i64>, Error> {
        let mut indices = self.oldest.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(known) = indices.get(name) {
            return Ok(*known);
        }
        let first = json!({ "min": { "field": "@timestamp" } });
        let answer = index.search(name, &json!({ "size": 0, "aggs": { "first": first } }))?;
        let oldest = answer["aggregations"]["first"]["value"]
            .as_f64()
            .map(|millis| millis as i64);
        indices.insert(name.to_owned(), oldest);
        Ok(oldest)
    }
}

/// The reason, from the most to the least general: source never seen, nothing in range, filtered away, none of this kind.
pub(crate) fn why(panel: &Panel, scope: &Scope, index: &dyn Index, known: &Known) -> Result<PanelData, Error> {
    let (count, newest) = known.of(index, &panel.index)?;
    let name = title(&panel.index);
    let empty = |why: String, remedy: String| Ok(PanelData::Empty { why, remedy });
    if count == 0 {
        return match panel.index.as_str() {
            "response" => empty(
                "No decision has been recorded yet.".to_owned(),
                "Decisions appear here when findings arrive.".to_owned(),
            ),
            _ => empty(
                format!("{name} is not connected: no event of it has ever arrived."),
                "Name its files or streams in the configuration of `portcullis serve`.".to_owned(),
            ),
        };
    }
    if panel.is_of_now() {
        let total = total(&index.search(
            &panel.index,
            &json!({ "size": 0, "track_total_hits": true, "query": Scope::between(scope.from, scope.to).query_of_now(&panel.query) }),
        )?);
        return if total > 0 {
            empty(
                format!("The filters leave none of {total} findings."),
                "Remove a filter, or clear the search.".to_owned(),
            )
        } else {
            empty(
                format!("None of {count} {name} findings is so now."),
                "Nothing has to be done. Earlier versions stand among the events.".to_owned(),
            )
        };
    }
    let in_range = |scope: &Scope, condition: &str| -> Result<u64, Error> {
        let body = json!({ "size": 0, "track_total_hits": true, "query": scope.query_from(scope.from, condition) });
        Ok(total(&index.search(&panel.index, &body)?))
    };
    let plain = Scope::between(scope.from, scope.to);
    let events = in_range(&plain, "")?;
    if events == 0 {
        let newest = newest.map_or_else(String::new, |at| format!(" The newest is of {at}."));
        return empty(
            format!(
                "No {name} events between {} and {}.{newest}",
                time(scope.from),
                time(scope.to)
            ),
            "Choose a time range that reaches further.".to_owned(),
        );
    }
    if scope.is_narrowed() {
        let without = in_range(&plain, &panel.query)?;
        if without > 0 {
            return empty(
                format!("The filters leave none of {without} events in this time range."),
                "Remove a filter, or clear the search.".to_owned(),
            );
        }
    }
    empty(
        format!("None of the {events} {name} events in this time range has what this panel shows."),
        "Choose a longer time range.".to_owned(),
    )
}

fn total(answer: &Value) -> u64 {
    answer["hits"]["total"]["value"].as_u64().unwrap_or_default()
}

fn title(index: &str) -> &str {
    let index = latest::base(index);
    match index.parse::<portcullis_transforms::Source>() {
        Ok(source) => source.title(),
        Err(_) if index == "response" => "response",
        Err(_) => "recorded",
    }
}
