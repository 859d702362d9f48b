//! The values of the parameters: each reader gives the value, or says what to write instead.

use std::fmt;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

use super::{Invalid, PRESETS, Preset, Range, SOURCES, iso};
use crate::dashboards::Filter;

const LONGEST_SPAN_DAYS: i64 = 400;

pub(super) fn preset(value: &str) -> Result<&'static Preset, Invalid> {
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
pub(super) fn instant(name: &'static str, value: &str) -> Result<DateTime<Utc>, Invalid> {
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

pub(super) fn between(from: DateTime<Utc>, to: DateTime<Utc>) -> Result<Range, Invalid> {
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

pub(super) fn filter(value: &str) -> Result<Filter, Invalid> {
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

pub(super) fn source(value: &str) -> Result<&'static str, Invalid> {
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

pub(super) fn number<T>(name: &'static str, value: &str, allowed: std::ops::RangeInclusive<T>) -> Result<T, Invalid>
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
