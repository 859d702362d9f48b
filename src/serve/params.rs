//! What a page's URL asks for: the time range, the filters, the search text. Every link on a page is built from here,
//! so that a page can be sent to a colleague as its address.
//!
//! `?range=6h`, or `?from=2026-05-04T10:00Z&to=2026-05-04T12:00Z`; `&filter=source.ip:45.83.64.11` any number of times,
//! with `-` before the field to filter out; `&q=` search text; `&source=` and `&page=` on the Search page; `&refresh=10`;
//! `&done=` after a form was sent.

mod read;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use form_urlencoded::Serializer;

use super::text;
use crate::dashboards::{Filter, Scope};

/// A range that ends now.
#[derive(Debug, PartialEq, Eq)]
pub struct Preset {
    /// What stands in the URL.
    pub word: &'static str,
    /// What stands on the button.
    pub label: &'static str,
    /// How far back.
    pub minutes: i64,
}

/// The ranges that have a button.
pub const PRESETS: &[Preset] = &[
    Preset {
        word: "15m",
        label: "15 min",
        minutes: 15,
    },
    Preset {
        word: "1h",
        label: "1 h",
        minutes: 60,
    },
    Preset {
        word: "6h",
        label: "6 h",
        minutes: 360,
    },
    Preset {
        word: "24h",
        label: "24 h",
        minutes: 1_440,
    },
    Preset {
        word: "7d",
        label: "7 d",
        minutes: 10_080,
    },
];

/// The range of a page that names none.
const DEFAULT: &Preset = &PRESETS[3];

/// Seconds between two automatic refreshes, as offered.
pub(super) const REFRESH: u16 = 10;
const REFRESH_ALLOWED: std::ops::RangeInclusive<u16> = 2..=3_600;
const MOST_FILTERS: usize = 32;
const LONGEST_VALUE: usize = 1_024;
const MOST_PAGES: u32 = 200;
/// What may stand in `source`, beside nothing for all.
pub(super) const SOURCES: &[(&str, &str)] = &[
    ("guardduty", "GuardDuty"),
    ("securityhub", "Security Hub"),
    ("waf", "WAF"),
    ("vpcflow", "VPC flow logs"),
    ("dns", "DNS query logs"),
    ("cloudtrail", "CloudTrail"),
    ("response", "Response"),
];
const KNOWN: &[&str] = &[
    "range", "from", "to", "filter", "q", "source", "page", "refresh", "done",
];
/// What a person may just have done, on the page that follows.
const DONE: &[&str] = &["block", "unblock", "allow", "disallow"];

/// Which stretch of time a page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// One of [`PRESETS`], ending now.
    Last(&'static Preset),
    /// Between two instants; the second is excluded.
    Between(DateTime<Utc>, DateTime<Utc>),
}

/// Keeps documents whose field has the value.
#[must_use]
pub fn include(field: &str, value: &str) -> Filter {
    Filter {
        field: field.to_owned(),
        value: value.to_owned(),
        negated: false,
    }
}

/// Keeps documents whose field has not the value.
#[must_use]
pub fn exclude(field: &str, value: &str) -> Filter {
    Filter {
        negated: true,
        ..include(field, value)
    }
}

/// A filter as it stands in a URL.
fn written(filter: &Filter) -> String {
    format!(
        "{}{}:{}",
        if filter.negated { "-" } else { "" },
        filter.field,
        filter.value
    )
}

/// The whole of a page's query string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Which stretch of time.
    pub range: Range,
    /// All of these must hold.
    pub filters: Vec<Filter>,
    /// Search text in query-string syntax.
    pub text: Option<String>,
    /// One of the sources; `None` is all of them.
    pub source: Option<&'static str>,
    /// Page of results, from 1.
    pub page: u32,
    /// Seconds until the page loads itself again.
    pub refresh: Option<u16>,
    /// What was just done on this page; of the page that follows a form alone, so no link carries it on.
    pub done: Option<&'static str>,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            range: Range::Last(DEFAULT),
            filters: Vec::new(),
            text: None,
            source: None,
            page: 1,
            refresh: None,
            done: None,
        }
    }
}

/// A parameter that cannot be read: which, what stood there, what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{parameter}` cannot be `{found}`: {remedy}")]
pub struct Invalid {
    /// The parameter's name.
    pub parameter: String,
    /// What stood there, cut short.
    pub found: String,
    /// What to write instead.
    pub remedy: String,
}

impl Invalid {
    pub(super) fn new(parameter: &str, found: &str, remedy: impl Into<String>) -> Self {
        let cut = |text: &str| text.chars().take(80).collect();
        Self {
            parameter: cut(parameter),
            found: cut(found),
            remedy: remedy.into(),
        }
    }
}

impl Query {
    /// Reads a query string (without its `?`). An empty parameter counts as absent, because forms send those.
    ///
    /// # Errors
    /// [`Invalid`] names the first parameter that cannot be read.
    pub fn parse(raw: &str) -> Result<Self, Invalid> {
        let mut query = Self::default();
        let (mut preset, mut from, mut to) = (None, None, None);
        for (name, value) in form_urlencoded::parse(raw.as_bytes()) {
            if !KNOWN.contains(&&*name) {
                return Err(Invalid::new(
                    &name,
                    &value,
                    format!("there is no such parameter; there are {}", KNOWN.join(", ")),
                ));
            }
            if value.is_empty() {
                continue;
            }
            if value.chars().count() > LONGEST_VALUE {
                return Err(Invalid::new(
                    &name,
                    &value,
                    format!("write at most {LONGEST_VALUE} characters"),
                ));
            }
            match &*name {
                "range" => preset = Some(read::preset(&value)?),
                "from" => from = Some(read::instant("from", &value)?),
                "to" => to = Some(read::instant("to", &value)?),
                "filter" if query.filters.len() == MOST_FILTERS => {
                    return Err(Invalid::new(
                        "filter",
                        &value,
                        format!("a page takes at most {MOST_FILTERS} filters"),
                    ));
                }
                "filter" => query = query.with(read::filter(&value)?),
                "q" => query.text = Some(value.into_owned()),
                "source" => query.source = Some(read::source(&value)?),
                "page" => query.page = read::number("page", &value, 1..=MOST_PAGES)?,
                "done" => query.done = DONE.iter().copied().find(|word| *word == value),
                _ => query.refresh = Some(read::number("refresh", &value, REFRESH_ALLOWED)?),
            }
        }
        query.range = match (preset, from, to) {
            (None, Some(from), Some(to)) => read::between(from, to)?,
            (preset, None, None) => Range::Last(preset.unwrap_or(DEFAULT)),
            (Some(preset), ..) => {
                return Err(Invalid::new(
                    "range",
                    preset.word,
                    "give either range, or from and to, not both",
                ));
            }
            (None, Some(from), None) => return Err(Invalid::new("to", "", format!("from={} needs its to", iso(from)))),
            (None, None, Some(to)) => return Err(Invalid::new("from", "", format!("to={} needs its from", iso(to)))),
        };
        Ok(query)
    }

    /// The same page with one more filter; a filter that says the opposite gives way.
    #[must_use]
    pub fn with(&self, filter: Filter) -> Self {
        let mut next = Self {
            page: 1,
            ..self.clone()
        };
        next.filters
            .retain(|f| (&f.field, &f.value) != (&filter.field, &filter.value));
        next.filters.push(filter);
        next
    }

    /// The same page without one filter.
    #[must_use]
    pub fn without(&self, filter: &Filter) -> Self {
        let mut next = Self {
            page: 1,
            ..self.clone()
        };
        next.filters.retain(|f| f != filter);
        next
    }

    /// The same page over another stretch of time.
    #[must_use]
    pub fn over(&self, range: Range) -> Self {
        Self {
            range,
            page: 1,
            ..self.clone()
        }
    }

    /// Range and refresh alone: what goes along to a page about something else.
    #[must_use]
    pub fn bare(&self) -> Self {
        Self {
            range: self.range,
            refresh: self.refresh,
            ..Self::default()
        }
    }

    /// First and last instant.
    #[must_use]
    pub fn window(&self, now: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
        match self.range {
            Range::Last(preset) => (now - TimeDelta::minutes(preset.minutes), now),
            Range::Between(from, to) => (from, to),
        }
    }

    /// What the panels and the search are asked for.
    #[must_use]
    pub fn scope(&self, now: DateTime<Utc>, address: Option<IpAddr>) -> Scope {
        let (from, to) = self.window(now);
        let dataset = self.source.map(|source| match source {
            "response" => include("event.dataset", "portcullis.response"),
            source => include("event.dataset", &format!("aws.{source}")),
        });
        let filters = self.filters.iter().cloned().chain(dataset).collect();
        Scope {
            filters,
            query: self.text.clone().unwrap_or_default(),
            address,
            ..Scope::between(from, to)
        }
    }

    /// A link to `path` with this query; defaults are left out.
    #[must_use]
    pub fn href(&self, path: &str) -> String {
        let mut out = Serializer::new(String::new());
        for (name, value) in self.pairs() {
            out.append_pair(name, &value);
        }
        let query = out.finish();
        if query.is_empty() {
            path.to_owned()
        } else {
            format!("{path}?{query}")
        }
    }

    /// Every parameter with its value, as a form's hidden inputs carry them.
    #[must_use]
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        match self.range {
            Range::Last(preset) if preset == DEFAULT => {}
            Range::Last(preset) => pairs.push(("range", preset.word.to_owned())),
            Range::Between(from, to) => pairs.extend([("from", iso(from)), ("to", iso(to))]),
        }
        pairs.extend(self.filters.iter().map(|f| ("filter", written(f))));
        pairs.extend(self.text.iter().map(|q| ("q", q.clone())));
        pairs.extend(self.source.iter().map(|s| ("source", (*s).to_owned())));
        if self.page > 1 {
            pairs.push(("page", self.page.to_string()));
        }
        pairs.extend(self.refresh.iter().map(|s| ("refresh", s.to_string())));
        pairs.extend(self.done.iter().map(|word| ("done", (*word).to_owned())));
        pairs
    }
}

fn iso(at: DateTime<Utc>) -> String {
    text::rfc3339(at)
}
