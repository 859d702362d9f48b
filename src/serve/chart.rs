//! Pictures, drawn on the server as SVG. Sizes are SVG attributes and colours are classes, because the pages'
//! Content-Security-Policy allows no inline style. Text never stands inside a stretched SVG: it would be distorted.

use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};

use super::{
    params::Range,
    text::{self, brief, number, shown, visible},
    values::{Links, severity_class},
};
use crate::dashboards::data::{Series, Unit};

/// Colours of series that have no meaning of their own; those that resemble `ok` and `bad` come last.
const PALETTE: &[&str] = &["s0", "s3", "s4", "s5", "s6", "s7", "s1", "s2"];

/// A line over time, without axes.
pub(super) fn sparkline(values: &[f64]) -> Markup {
    let top = values.iter().copied().filter(|v| v.is_finite()).fold(0.0, f64::max);
    if values.len() < 2 || top <= 0.0 {
        return html! { svg.spark viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true" { path.line d="M0 23H100" {} } };
    }
    #[expect(clippy::cast_precision_loss, reason = "a few hundred points")]
    let step = 100.0 / (values.len() - 1) as f64;
    let mut line = String::new();
    let mut x = 0.0;
    for value in values {
        let y = 23.0 - 21.0 * (value.max(0.0) / top);
        line.push_str(&format!("{}{x:.1} {y:.1}", if line.is_empty() { 'M' } else { 'L' }));
        x += step;
    }
    html! {
        svg.spark viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true" {
            path.area d=(format!("{line}V24H0Z")) {}
            path.line d=(line) {}
        }
    }
}

/// The bar behind a row of a list.
pub(super) fn bar(value: f64, top: f64) -> Markup {
    let width = if top > 0.0 {
        (100.0 * value / top).clamp(0.0, 100.0)
    } else {
        0.0
    };
    html! {
        svg.gauge viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true" {
            rect width=(format!("{width:.2}")) height="1" {}
        }
    }
}

/// The class that colours a series: by what it says where that has a meaning, else by its place.
pub(super) fn series_class(field: Option<&str>, name: &str, place: usize) -> String {
    if let Some(class) = field.and_then(|field| severity_class(field, name)) {
        return class.to_owned();
    }
    match name.to_ascii_lowercase().as_str() {
        "accept" | "allow" | "allowed" | "success" | "passed" => "ok".to_owned(),
        "reject" | "block" | "blocked" | "failure" | "failed" | "evicted" => "bad".to_owned(),
        _ => PALETTE[place % PALETTE.len()].to_owned(),
    }
}

/// Stacked bars over time.
pub(super) struct Timeline<'a> {
    /// Start of each bucket, epoch milliseconds.
    pub buckets: &'a [i64],
    /// Length of a bucket in milliseconds.
    pub interval: i64,
    /// Field that splits the series.
    pub field: Option<&'a str>,
    /// How to write the numbers.
    pub unit: Unit,
    /// In drawing order, the first at the bottom.
    pub series: &'a [Series],
}

impl Timeline<'_> {
    fn at(&self, series: usize, bucket: usize) -> f64 {
        let value = self.series[series].values.get(bucket).copied().unwrap_or(0.0);
        if value.is_finite() { value.max(0.0) } else { 0.0 }
    }

    fn total(&self, bucket: usize) -> f64 {
        (0..self.series.len()).map(|s| self.at(s, bucket)).sum()
    }

    /// One line about a bucket, for the tooltip and the readout.
    fn tip(&self, bucket: usize) -> String {
        let mut tip = format!("{} UTC", label(self.buckets[bucket], self.interval));
        for (s, series) in self.series.iter().enumerate() {
            let value = self.at(s, bucket);
            if value > 0.0 {
                tip.push_str(&format!(" · {} {}", visible(&series.name), number(value, self.unit)));
            }
        }
        if self.total(bucket) == 0.0 {
            tip.push_str(" · none");
        }
        tip
    }

    /// Draws it; a click on a bar zooms into its stretch of time.
    #[expect(clippy::cast_precision_loss, reason = "buckets are a few hundred")]
    pub(super) fn draw(&self, title: &str, links: Links<'_>) -> Markup {
        let top = nice_top(
            (0..self.buckets.len()).map(|b| self.total(b)).fold(0.0, f64::max),
            self.unit,
        );
        let step = 1_000.0 / self.buckets.len().max(1) as f64;
        let gap = (step * 0.16).min(4.0);
        let ticks: Vec<usize> = match self.buckets.len() {
            0 => Vec::new(),
            1 => vec![0],
            n => (0..4).map(|i| i * (n - 1) / 3).collect(),
        };
        html! {
            div.timeline {
                div.yaxis aria-hidden="true" {
                    span { (brief(top, self.unit)) } span { (brief(top / 2.0, self.unit)) } span { "0" }
                }
                svg.plot viewBox="0 0 1000 100" preserveAspectRatio="none" role="group" aria-label=(format!("{title}, bars over time")) {
                    path.rule d="M0 .5H1000M0 50H1000" {}
                    @for bucket in 0..self.buckets.len() {
                        a href=(self.zoom(bucket, links)) aria-label=(self.tip(bucket)) data-tip=(self.tip(bucket)) {
                            title { (self.tip(bucket)) }
                            (self.column(bucket, bucket as f64 * step, step, gap, top))
                        }
                    }
                    path.base d="M0 99.5H1000" {}
                }
                div.xaxis aria-hidden="true" {
                    @for tick in ticks { span { (label(self.buckets[tick], self.interval)) } }
                }
            }
            (self.legend(links))
        }
    }

    fn column(&self, bucket: usize, x: f64, step: f64, gap: f64, top: f64) -> Markup {
        let mut y = 100.0;
        html! {
            rect.hit x=(format!("{x:.2}")) y="0" width=(format!("{step:.2}")) height="100" {}
            @for (s, series) in self.series.iter().enumerate() {
                @let height = if top > 0.0 { 100.0 * self.at(s, bucket) / top } else { 0.0 };
                @if height > 0.0 {
                    ({ y -= height; "" })
                    rect.(series_class(self.field, &series.name, s)) x=(format!("{:.2}", x + gap / 2.0)) y=(format!("{y:.2}"))
                        width=(format!("{:.2}", step - gap)) height=(format!("{height:.2}")) {}
                }
            }
        }
    }

    fn zoom(&self, bucket: usize, links: Links<'_>) -> String {
        let from = self.buckets[bucket];
        let instant = |ms: i64| DateTime::<Utc>::from_timestamp_millis(ms);
        match (instant(from), instant(from.saturating_add(self.interval.max(60_000)))) {
            (Some(from), Some(to)) => links.query.over(Range::Between(from, to)).href(links.path),
            _ => links.query.href(links.path),
        }
    }

    fn legend(&self, links: Links<'_>) -> Markup {
        html! {
            div.legend {
                ul {
                    @for (s, series) in self.series.iter().enumerate() {
                        li {
                            @if self.field.and_then(|field| severity_class(field, &series.name)).is_none() {
                                span.sw.(series_class(self.field, &series.name, s)) {}
                            }
                            @match self.field {
                                Some(field) => (links.value(field, &series.name)),
                                None => (shown(&series.name)),
                            }
                            @let total: f64 = (0..self.buckets.len()).map(|b| self.at(s, b)).sum();
                            span.dim { (number(total, self.unit)) }
                        }
                    }
                }
                p.readout aria-hidden="true" {
                    "one bar is " (text::number(TimeDelta::milliseconds(self.interval).as_seconds_f64(), Unit::Seconds))
                }
            }
        }
    }
}

/// The start of a bucket, as short as its length allows.
fn label(ms: i64, interval: i64) -> String {
    let form = match interval {
        ..60_000 => "%H:%M:%S",
        60_000..7_200_000 => "%H:%M",
        7_200_000..86_400_000 => "%-d %b %H:%M",
        _ => "%-d %b",
    };
    DateTime::<Utc>::from_timestamp_millis(ms).map_or_else(String::new, |at| at.format(form).to_string())
}

/// The axis ends at 1, 2, 4, 5 or 8 times a power of ten (of two for bytes), so that its half is round as well.
fn nice_top(top: f64, unit: Unit) -> f64 {
    if top <= 0.0 || !top.is_finite() {
        return 1.0;
    }
    if unit == Unit::Bytes {
        return 2.0_f64.powf(top.log2().ceil());
    }
    let power = 10.0_f64.powf(top.log10().floor());
    let smallest = if unit == Unit::Count { 2.0 } else { 0.0 };
    [1.0, 2.0, 4.0, 5.0, 8.0, 10.0]
        .iter()
        .map(|m| m * power)
        .find(|t| *t >= top)
        .unwrap_or(top)
        .max(smallest)
}

/// Cells of a heat map have eleven shades; the square root keeps small numbers apart from none.
pub(super) fn shade(value: f64, top: f64) -> u8 {
    if value <= 0.0 || top <= 0.0 || !value.is_finite() {
        return 0;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 1 and 10"
    )]
    let level = (9.0 * (value / top).sqrt()).ceil().clamp(1.0, 9.0) as u8;
    level
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::params::Query;

    #[test]
    fn the_axis_ends_on_a_round_number_that_covers_the_highest_bar() {
        for (top, unit, expected) in [
            (0.0, Unit::Count, 1.0),
            (1.0, Unit::Count, 2.0),
            (3.0, Unit::Count, 4.0),
            (17.0, Unit::Count, 20.0),
            (81.0, Unit::Count, 100.0),
            (1_000.0, Unit::Count, 1_000.0),
            (1_025.0, Unit::Bytes, 2_048.0),
            (0.3, Unit::Seconds, 0.4),
        ] {
            assert!(
                (nice_top(top, unit) - expected).abs() < 1e-9,
                "{top} {unit:?}: {}",
                nice_top(top, unit)
            );
        }
    }

    #[test]
    fn stacked_bars_end_exactly_at_their_total() {
        let series = [
            Series {
                name: "accept".into(),
                values: vec![6.0, 0.0],
            },
            Series {
                name: "reject".into(),
                values: vec![4.0, f64::NAN],
            },
        ];
        let chart = Timeline {
            buckets: &[0, 60_000],
            interval: 60_000,
            field: Some("event.action"),
            unit: Unit::Count,
            series: &series,
        };
        let query = Query::default();
        let out = chart
            .draw(
                "Flows",
                Links {
                    path: "/vpcflow",
                    query: &query,
                },
            )
            .into_string();
        assert!(out.contains("y=\"40.00\"") && out.contains("y=\"0.00\""), "{out}");
        assert!(!out.contains("style=") && !out.contains("NaN"));
        assert!(out.contains("from=1970-01-01T00%3A00%3A00.000Z&amp;to=1970-01-01T00%3A01%3A00.000Z"));
    }

    #[test]
    fn only_nothing_is_unshaded() {
        assert_eq!(shade(0.0, 10.0), 0);
        assert_eq!(shade(0.001, 10_000.0), 1);
        assert_eq!(shade(10.0, 10.0), 9);
    }
}
