//! What a page's URL asks for: the time range, the filters, the search text. Every link on a page is built from here,
//! so that a page can be sent to a colleague as its address.
//!
//! `?range=6h`, or `?from=2026-05-04T10:00Z&to=2026-05-04T12:00Z`; `&filter=source.ip:45.83.64.11` any number of times,
//! with `-` before the field to filter out; `&q=` search text; `&source=` and `&page=` on the Search page; `&refresh=10`.

use std::{fmt, net::IpAddr};

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
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
const LONGEST_SPAN_DAYS: i64 = 400;
/// What may stand in `source`, beside nothing for all.
pub(super) const SOURCES: &[(&str, &str)] = &[
    ("guardduty", "GuardDuty"),
    ("securityhub", "Security Hub"),
    ("waf", "WAF"),
    ("vpcflow", "VPC flow logs"),
    ("response", "Response"),
];
const KNOWN: &[&str] = &["range", "from", "to", "filter", "q", "source", "page", "refresh"];

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
                "range" => preset = Some(read_preset(&value)?),
                "from" => from = Some(read_instant("from", &value)?),
                "to" => to = Some(read_instant("to", &value)?),
                "filter" if query.filters.len() == MOST_FILTERS => {
                    return Err(Invalid::new(
                        "filter",
                        &value,
                        format!("a page takes at most {MOST_FILTERS} filters"),
                    ));
                }
                "filter" => query = query.with(read_filter(&value)?),
                "q" => query.text = Some(value.into_owned()),
                "source" => query.source = Some(read_source(&value)?),
                "page" => query.page = read_number("page", &value, 1..=MOST_PAGES)?,
                _ => query.refresh = Some(read_number("refresh", &value, REFRESH_ALLOWED)?),
            }
        }
        query.range = match (preset, from, to) {
            (None, Some(from), Some(to)) => between(from, to)?,
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
        pairs
    }
}

fn iso(at: DateTime<Utc>) -> String {
    text::rfc3339(at)
}

fn read_preset(value: &str) -> Result<&'static Preset, Invalid> {
    PRESETS.iter().find(|p| p.word == value).ok_or_else(|| {
        let words: Vec<_> = PRESETS.iter().map(|p| p.word).collect();
        Invalid::new(
            "range",
            value,
            format!("write one of {}, or from and to", words.join(", ")),
        )
    })
}

/// RFC 3339, or what a browser's date and time field sends, read as UTC.
fn read_instant(name: &'static str, value: &str) -> Result<DateTime<Utc>, Invalid> {
    let plain = value.trim_end_matches('Z');
    DateTime::parse_from_rfc3339(value)
        .map(|at| at.to_utc())
        .or_else(|_| {
            ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"]
                .iter()
                .find_map(|form| NaiveDateTime::parse_from_str(plain, form).ok())
                .map(|at| at.and_utc())
                .ok_or(())
        })
        .ok()
        .filter(|at| (1970..=9999).contains(&chrono::Datelike::year(at)))
        .and_then(|at| DateTime::from_timestamp_millis(at.timestamp_millis()))
        .ok_or_else(|| Invalid::new(name, value, "write a time in UTC, such as 2026-05-04T10:00Z"))
}

fn between(from: DateTime<Utc>, to: DateTime<Utc>) -> Result<Range, Invalid> {
    if from >= to {
        return Err(Invalid::new(
            "to",
            &iso(to),
            format!("it must be later than from={}", iso(from)),
        ));
    }
    if to - from > TimeDelta::days(LONGEST_SPAN_DAYS) {
        return Err(Invalid::new(
            "from",
            &iso(from),
            format!("a page shows at most {LONGEST_SPAN_DAYS} days"),
        ));
    }
    Ok(Range::Between(from, to))
}

fn read_filter(value: &str) -> Result<Filter, Invalid> {
    let refuse = || {
        Invalid::new(
            "filter",
            value,
            "write field:value, such as source.ip:45.83.64.11, with - in front to filter out",
        )
    };
    let (negated, rest) = value.strip_prefix('-').map_or((false, value), |rest| (true, rest));
    let (field, value) = rest.split_once(':').ok_or_else(refuse)?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '@' | '-');
    if field.is_empty() || field.starts_with('-') || field.len() > 128 || !field.chars().all(is_name) {
        return Err(refuse());
    }
    Ok(Filter {
        field: field.to_owned(),
        value: value.to_owned(),
        negated,
    })
}

fn read_source(value: &str) -> Result<&'static str, Invalid> {
    SOURCES
        .iter()
        .map(|(name, _)| *name)
        .find(|name| *name == value)
        .ok_or_else(|| {
            let names: Vec<_> = SOURCES.iter().map(|(name, _)| *name).collect();
            Invalid::new(
                "source",
                value,
                format!("write one of {}, or leave it out for all", names.join(", ")),
            )
        })
}

fn read_number<T>(name: &'static str, value: &str, allowed: std::ops::RangeInclusive<T>) -> Result<T, Invalid>
where
    T: std::str::FromStr + PartialOrd + fmt::Display,
{
    value.parse().ok().filter(|n| allowed.contains(n)).ok_or_else(|| {
        Invalid::new(
            name,
            value,
            format!("write a whole number from {} to {}", allowed.start(), allowed.end()),
        )
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_bad_parameter_is_refused_by_name_with_a_remedy() {
        for (raw, parameter, remedy) in [
            ("range=3h", "range", "one of 15m, 1h"),
            (
                "range=1h&from=2026-01-01T00:00&to=2026-01-02T00:00",
                "range",
                "not both",
            ),
            ("from=yesterday&to=2026-01-02T00:00", "from", "2026-05-04T10:00Z"),
            ("from=2026-01-02T00:00", "to", "needs its to"),
            ("to=2026-01-02T00:00", "from", "needs its from"),
            ("from=2026-01-02T00:00&to=2026-01-01T00:00", "to", "later than from"),
            ("from=1999-01-02T00:00&to=2026-01-01T00:00", "from", "at most 400 days"),
            ("filter=nocolon", "filter", "field:value"),
            ("filter=--a:b", "filter", "field:value"),
            ("filter=a%20b:c", "filter", "field:value"),
            ("source=dns", "source", "guardduty"),
            ("page=0", "page", "from 1 to 200"),
            ("refresh=1", "refresh", "from 2 to 3600"),
            ("filer=a:b", "filer", "no such parameter"),
        ] {
            let refused = Query::parse(raw).expect_err(raw);
            assert_eq!(refused.parameter, parameter, "{raw}");
            assert!(refused.remedy.contains(remedy), "{raw}: {}", refused.remedy);
        }
        let many = (0..40).map(|i| format!("filter=a:{i}&")).collect::<String>();
        assert!(Query::parse(&many).is_err());
        assert!(Query::parse(&format!("q={}", "x".repeat(2_000))).is_err());
    }

    #[test]
    fn what_a_form_sends_empty_counts_as_absent() {
        assert_eq!(Query::parse("q=&from=&to=&filter="), Ok(Query::default()));
    }

    #[test]
    fn a_browser_field_without_seconds_or_zone_is_read_as_utc() {
        let query = Query::parse("from=2026-05-04T10%3A00&to=2026-05-04T12%3A30%3A15").expect("valid");
        assert_eq!(query.pairs()[0].1, "2026-05-04T10:00:00.000Z");
        assert_eq!(query.pairs()[1].1, "2026-05-04T12:30:15.000Z");
    }

    #[test]
    fn filtering_out_replaces_filtering_for_the_same_value() {
        let query = Query::default().with(include("a", "b")).with(exclude("a", "b"));
        assert_eq!(query.filters, [exclude("a", "b")]);
        assert!(query.without(&exclude("a", "b")).filters.is_empty());
    }

    fn any_query() -> impl Strategy<Value = Query> {
        let filter = ("[a-z@_][a-z0-9_.@-]{0,20}", ".{1,40}", any::<bool>())
            .prop_map(|(field, value, negated)| Filter { field, value, negated });
        let range = prop_oneof![
            (0..PRESETS.len()).prop_map(|i| Range::Last(&PRESETS[i])),
            (0_i64..4_000_000_000_000, 1_i64..30_000_000_000).prop_map(|(from, length)| {
                let at = |ms| DateTime::from_timestamp_millis(ms).expect("in range");
                Range::Between(at(from), at(from + length))
            }),
        ];
        (
            range,
            prop::collection::vec(filter, 0..6),
            prop::option::of(".{1,60}"),
            prop::option::of(0..SOURCES.len()),
            1_u32..=MOST_PAGES,
            prop::option::of(REFRESH_ALLOWED),
        )
            .prop_map(|(range, filters, text, source, page, refresh)| {
                let bare = Query {
                    range,
                    text,
                    source: source.map(|i| SOURCES[i].0),
                    refresh,
                    ..Query::default()
                };
                let query = filters.into_iter().fold(bare, |query, filter| query.with(filter));
                Query { page, ..query }
            })
    }

    proptest! {
        #[test]
        fn every_query_survives_its_own_url(query in any_query()) {
            let href = query.href("/waf");
            prop_assert!(href.is_ascii());
            let raw = href.split_once('?').map_or("", |(_, raw)| raw);
            prop_assert_eq!(Query::parse(raw), Ok(query));
        }

        #[test]
        fn no_query_string_makes_the_parser_panic(raw in ".{0,200}") {
            prop_assert!(Query::parse(&raw).is_ok_and(|query| query.page > 0) || Query::parse(&raw).is_err());
        }
    }
}
