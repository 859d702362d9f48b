//! One panel: its frame, and the picture for each kind of data.

use maud::{Markup, html};

use super::{
    chart::{self, Timeline},
    params::{SOURCES, include},
    text::{moment, number, sentence, shown, visible},
    values::{Links, as_address, severity_class, severity_rank},
};
use crate::dashboards::data::{Column, ListRow, PanelData, PanelView, Series, Unit};
use chrono::{DateTime, Utc};

/// What drawing needs beside the data.
#[derive(Clone, Copy)]
pub(super) struct Easel<'a> {
    /// Where links lead.
    pub links: Links<'a>,
    /// For relative times.
    pub now: DateTime<Utc>,
    /// The page's name; a tile on a source's page searches that source.
    pub page: &'a str,
}

/// All panels of a page in the grid. When none has anything to show, for one reason, that reason stands there once.
pub(super) fn grid(easel: Easel<'_>, panels: &[PanelView]) -> Markup {
    if let Some(message) = common_failure(panels) {
        return html! {
            section.panel.failed aria-labelledby="nothing" {
                header { h2 #nothing { "No panel could be drawn" } }
                div.note role="status" { p { strong { (shown(message)) } } p.dim { "Change the search or the filters, or take them away." } }
            }
        };
    }
    if let Some((why, remedy)) = common_reason(panels) {
        return html! {
            section.panel.empty aria-labelledby="nothing" {
                header { h2 #nothing { "Nothing to show" } }
                div.note { p { strong { (shown(why)) } } p.dim { (sentence(remedy)) } }
                p.more { "Panels that fill then: " @for (place, panel) in panels.iter().enumerate() { @if place > 0 { " · " } (panel.title) } }
            }
        };
    }
    html! { @if !panels.is_empty() { div.grid { @for panel in panels { (draw(easel, panel)) } } } }
}

/// What went wrong with all panels, when it is the same: a search that cannot be read, most often.
fn common_failure(panels: &[PanelView]) -> Option<&str> {
    let failure = |panel| match panel {
        &PanelView {
            data: PanelData::Failed { ref message },
            ..
        } => Some(message.as_str()),
        _ => None,
    };
    let first = failure(panels.first()?)?;
    (panels.len() > 1 && panels.iter().all(|panel| failure(panel) == Some(first))).then_some(first)
}

/// Why all panels are empty, when they are and there are several.
fn common_reason(panels: &[PanelView]) -> Option<(&str, &str)> {
    let reason = |panel| match panel {
        &PanelView {
            data: PanelData::Empty { ref why, ref remedy },
            ..
        } => Some((why.as_str(), remedy.as_str())),
        _ => None,
    };
    let first = reason(panels.first()?)?;
    (panels.len() > 3 && panels.iter().all(|panel| reason(panel) == Some(first))).then_some(first)
}

/// One panel in its frame.
pub(super) fn draw(easel: Easel<'_>, panel: &PanelView) -> Markup {
    let kind = match panel.data {
        PanelData::Tile { .. } => "tile",
        PanelData::List { .. } => "list",
        PanelData::Timeline { .. } => "time",
        PanelData::Heatmap { .. } => "heat",
        PanelData::Table { .. } => "rows",
        PanelData::Empty { .. } => "empty",
        PanelData::Failed { .. } => "failed",
    };
    let heading = format!("panel-{}", panel.id);
    html! {
        section.panel.(kind).{ "w" (panel.width.clamp(1, 12)) } aria-labelledby=(heading) {
            header {
                h2 id=(heading) { (panel.title) }
                @if !panel.question.is_empty() { p.question { (panel.question) } }
                (downloads(easel, panel))
            }
            (picture(easel, panel))
        }
    }
}

/// Links to the panel's numbers, where it has some.
fn downloads(easel: Easel<'_>, panel: &PanelView) -> Markup {
    if matches!(panel.data, PanelData::Empty { .. } | PanelData::Failed { .. }) {
        return html! {};
    }
    let folder = match easel.page {
        "address" => format!("{}/data", easel.links.path),
        page => format!("/data/{page}"),
    };
    let href = |form: &str| easel.links.query.href(&format!("{folder}/{}.{form}", panel.id));
    html! {
        span.data {
            a href=(href("csv")) aria-label=(format!("{} as CSV", panel.title)) title="Its numbers, for a spreadsheet" { "CSV" }
            " "
            a href=(href("json")) aria-label=(format!("{} as JSON", panel.title)) title="Its numbers, for a program" { "JSON" }
        }
    }
}

fn picture(easel: Easel<'_>, panel: &PanelView) -> Markup {
    match &panel.data {
        PanelData::Tile {
            value,
            previous,
            spark,
            unit,
            query,
        } => tile(easel, *value, *previous, spark, *unit, query),
        PanelData::List {
            field,
            metric,
            unit,
            rows,
            others,
        } => list(easel, field, metric, *unit, rows, *others),
        PanelData::Timeline {
            buckets,
            interval,
            field,
            unit,
            series,
        } => Timeline {
            buckets,
            interval: *interval,
            field: field.as_deref(),
            unit: *unit,
            series: &worst_first(field.as_deref(), series),
        }
        .draw(&panel.title, easel.links),
        PanelData::Heatmap {
            row_field,
            column_field,
            rows,
            columns,
            cells,
            unit,
        } => heatmap(
            easel,
            &panel.title,
            (row_field, rows),
            (column_field, columns),
            cells,
            *unit,
        ),
        PanelData::Table { columns, rows, total } => table(easel, &panel.title, columns, rows, *total),
        PanelData::Empty { why, remedy } => {
            html! { div.note { p { strong { (shown(why)) } } p.dim { (sentence(remedy)) } } }
        }
        PanelData::Failed { message } => {
            html! { div.note role="status" { p { strong { "This panel could not be drawn." } } p { (shown(message)) } } }
        }
    }
}

/// Series in the order in which they are stacked: of severities the worst stands on the base line, where it is read best.
fn worst_first(field: Option<&str>, series: &[Series]) -> Vec<Series> {
    let mut sorted = series.to_vec();
    if let Some(field) = field {
        sorted.sort_by_key(|one| std::cmp::Reverse(severity_rank(field, &one.name)));
    }
    sorted
}

fn tile(easel: Easel<'_>, value: f64, previous: Option<f64>, spark: &[f64], unit: Unit, query: &str) -> Markup {
    let source = SOURCES.iter().map(|(name, _)| *name).find(|name| *name == easel.page);
    // What is now has neither a period before nor a course, and its documents are in no range of time.
    if spark.is_empty() && previous.is_none() {
        return html! { div.figure { span.number { (number(value, unit)) } span.change { "now, whatever the range" } } };
    }
    html! {
        div.figure {
            a.number href=(easel.links.search(query, source)) title="Show the documents behind this number" { (number(value, unit)) }
            (change(value, previous, unit))
        }
        (chart::sparkline(spark))
    }
}

/// The change against the period before, in words and sign; not coloured, because more is not always worse.
fn change(value: f64, previous: Option<f64>, unit: Unit) -> Markup {
    let Some(before) = previous.filter(|p| p.is_finite()) else {
        return html! { span.change { "\u{a0}" } };
    };
    let words = if before == 0.0 && value == 0.0 {
        "as before: none".to_owned()
    } else if before == 0.0 {
        "none before".to_owned()
    } else {
        let percent = 100.0 * (value - before) / before;
        match percent {
            p if p.abs() < 0.5 => "as before".to_owned(),
            p if p >= 1_000.0 => format!("{} before", number(before, unit)),
            p if p > 0.0 => format!("▲ {p:.0}\u{202f}%"),
            p => format!("▼ {:.0}\u{202f}%", -p),
        }
    };
    html! { span.change title=(format!("previous period: {}", number(before, unit))) { (words) } }
}

fn list(easel: Easel<'_>, field: &str, metric: &str, unit: Unit, rows: &[ListRow], others: f64) -> Markup {
    let top = rows.iter().map(|r| r.number).fold(0.0, f64::max);
    html! {
        table.bars {
            thead { tr { th scope="col" { (dotted(field)) } th.n scope="col" title=(metric) { (short(metric)) } } }
            tbody {
                @for row in rows {
                    tr {
                        td { (chart::bar(row.number, top)) (easel.links.value(field, &row.value)) }
                        td.n { (number(row.number, unit)) }
                    }
                }
                @if others > 0.0 { tr.others { td { "others" } td.n { (number(others, unit)) } } }
            }
        }
    }
}

/// A field's name that may break after its dots.
fn dotted(name: &str) -> Markup {
    html! { @for part in name.split_inclusive('.') { (part) wbr; } }
}

/// A metric on the width of a number: `distinct` of a field, or the last part of a summed field's name.
fn short(metric: &str) -> &str {
    let first = metric.split(' ').next().unwrap_or(metric);
    if first == metric {
        metric.rsplit('.').next().unwrap_or(metric)
    } else {
        first
    }
}

fn heatmap(
    easel: Easel<'_>,
    title: &str,
    (row_field, rows): (&str, &[String]),
    (column_field, columns): (&str, &[String]),
    cells: &[Vec<f64>],
    unit: Unit,
) -> Markup {
    // A scale of severities reads from least to worst, whatever order the counts are in.
    let mut order: Vec<usize> = (0..columns.len()).collect();
    order.sort_by_key(|&place| severity_rank(column_field, &columns[place]));
    let top = cells
        .iter()
        .flatten()
        .copied()
        .filter(|v| v.is_finite())
        .fold(0.0, f64::max);
    html! {
        div.scroll tabindex="0" role="region" aria-label=(title) {
            table.heat {
                thead {
                    tr {
                        th scope="col" { span.dim { (dotted(row_field)) } }
                        @for column in order.iter().map(|&place| &columns[place]) { th.col scope="col" { (easel.links.value(column_field, column)) } }
                    }
                }
                tbody {
                    @for (row, numbers) in rows.iter().zip(cells) {
                        tr {
                            th scope="row" { (easel.links.value(row_field, row)) }
                            @for (column, value) in order.iter().filter_map(|&place| Some((&columns[place], numbers.get(place)?))) {
                                td.{ "h" (chart::shade(*value, top)) } {
                                    @if *value > 0.0 {
                                        @let both = easel.links.query.with(include(row_field, row)).with(include(column_field, column));
                                        a href=(both.href(easel.links.path))
                                            title=(format!("{} and {}: {}", visible(row), visible(column), number(*value, unit))) {
                                            (super::text::brief(*value, unit))
                                        }
                                    } @else { span.dim { "·" } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn table(easel: Easel<'_>, title: &str, columns: &[Column], rows: &[Vec<Vec<String>>], total: Option<u64>) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(title) {
            table.rows {
                thead { tr { @for c in columns { th.n[c.unit.is_some()] scope="col" title=[c.field.as_deref()] { (dotted(&c.title)) } } } }
                tbody {
                    @for row in rows {
                        tr {
                            @for (column, cell) in columns.iter().zip(row) {
                                td.n[column.unit.is_some()] { (values(easel, column, cell)) }
                            }
                        }
                    }
                }
            }
        }
        @if let Some(total) = total.filter(|t| *t > rows.len() as u64) {
            p.more { "the newest " (rows.len()) " of " (super::text::plural(total, "document", "documents")) }
        }
    }
}

/// The values of one cell: a metric in its unit, a time as a moment, anything else linked.
pub(super) fn values(easel: Easel<'_>, column: &Column, cell: &[String]) -> Markup {
    html! {
        @if cell.is_empty() { span.dim { "–" } }
        @for value in cell {
            @if let (Some(unit), Ok(n)) = (column.unit, value.parse::<f64>()) {
                (number(n, unit))
            } @else if let Some(at) = as_moment(column.field.as_deref(), value) {
                (moment(easel.now, at))
            } @else if let Some(field) = &column.field {
                (easel.links.value(field, value))
            } @else if let Some(address) = as_address(value) {
                a.mono href=(easel.links.address(address)) { (shown(value)) }
            } @else {
                (shown(value))
            }
            " "
        }
    }
}

/// Times are recognised by field and form, because a cell is text.
fn as_moment(field: Option<&str>, value: &str) -> Option<DateTime<Utc>> {
    let is_time = field.is_none_or(|f| !f.contains("url") && severity_class(f, value).is_none());
    if !is_time || value.len() < 20 || value.len() > 35 || !value.as_bytes()[0].is_ascii_digit() {
        return None;
    }
    DateTime::parse_from_rfc3339(value).ok().map(|at| at.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::params::Query;

    fn drawn(data: PanelData) -> String {
        let query = Query::default();
        let easel = Easel {
            links: Links {
                path: "/waf",
                query: &query,
            },
            now: DateTime::UNIX_EPOCH,
            page: "waf",
        };
        let view = PanelView {
            id: "p".into(),
            title: "T".into(),
            question: "Q?".into(),
            width: 4,
            data,
        };
        draw(easel, &view).into_string()
    }

    #[test]
    fn a_tile_links_to_its_documents_and_says_the_change() {
        for (value, previous, words) in [
            (10.0, Some(5.0), "▲ 100"),
            (5.0, Some(10.0), "▼ 50"),
            (5.0, Some(0.0), "none before"),
            (5_000.0, Some(4.0), ">4 before<"),
            (5.0, Some(5.0), "as before"),
            (0.0, Some(0.0), "as before: none"),
        ] {
            let spark = vec![1.0, 2.0];
            let out = drawn(PanelData::Tile {
                value,
                previous,
                spark,
                unit: Unit::Count,
                query: "event.action:block".into(),
            });
            assert!(out.contains(words), "{out}");
            assert!(out.contains("/search?q=event.action%3Ablock&amp;source=waf"), "{out}");
        }
    }

    #[test]
    fn empty_and_failed_panels_say_why_and_what_to_do() {
        let out = drawn(PanelData::Empty {
            why: "No events.".into(),
            remedy: "Widen the range.".into(),
        });
        assert!(out.contains("No events.") && out.contains("Widen the range."));
        let out = drawn(PanelData::Failed {
            message: "<engine>".into(),
        });
        assert!(out.contains("could not be drawn") && out.contains("&lt;engine&gt;"));
    }

    #[test]
    fn severities_stand_in_their_order_whatever_the_counts() {
        let one = |name: &str| Series {
            name: name.into(),
            values: vec![],
        };
        let names = |field| -> Vec<String> {
            let series = ["HIGH", "LOW", "CRITICAL", "MEDIUM"].map(one);
            worst_first(field, &series).into_iter().map(|s| s.name).collect()
        };
        assert_eq!(
            names(Some("aws.securityhub.severity_label")),
            ["CRITICAL", "HIGH", "MEDIUM", "LOW"]
        );
        assert_eq!(names(Some("rule.name")), ["HIGH", "LOW", "CRITICAL", "MEDIUM"]);
        let out = drawn(PanelData::Heatmap {
            row_field: "a".into(),
            column_field: "aws.guardduty.severity_label".into(),
            rows: vec!["r".into()],
            columns: vec!["High".into(), "Low".into()],
            cells: vec![vec![7.0, 3.0]],
            unit: Unit::Count,
        });
        let at = |text: &str| out.find(text).expect("drawn");
        assert!(
            at("Filter for aws.guardduty.severity_label: Low") < at("Filter for aws.guardduty.severity_label: High")
        );
        assert!(at("r and Low: 3") < at("r and High: 7"));
    }

    #[test]
    fn no_picture_uses_inline_style() {
        let rows = vec![ListRow {
            value: "<script>".into(),
            number: 3.0,
        }];
        let out = drawn(PanelData::List {
            field: "url.path".into(),
            metric: "requests".into(),
            unit: Unit::Count,
            rows,
            others: 2.0,
        });
        assert!(
            !out.contains("style=") && !out.contains("<script>") && out.contains("others"),
            "{out}"
        );
        let out = drawn(PanelData::Heatmap {
            row_field: "a".into(),
            column_field: "b".into(),
            rows: vec!["r".into()],
            columns: vec!["c".into()],
            cells: vec![vec![4.0]],
            unit: Unit::Count,
        });
        assert!(
            out.contains("class=\"h9\"") && out.contains("filter=a%3Ar&amp;filter=b%3Ac"),
            "{out}"
        );
    }
}
