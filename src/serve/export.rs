//! One panel's numbers as CSV or JSON, for a report or another program: the same range, filters and search as the page.
//!
//! A spreadsheet runs a cell that begins like a formula, and what a log says is written by attackers: such a cell gets an
//! apostrophe in front, which spreadsheets read as "this is text".

use std::net::IpAddr;

use axum::{
    extract::{Path, State as Shared},
    http::{
        Uri,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use chrono::DateTime;
use serde_json::json;

use super::{State, aside, error::PageError, params::Query, text};
use crate::dashboards::{PanelData, PanelView, Scope, data::Column};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Csv,
    Json,
}

/// `GET /data/{page}/{panel}.csv`
pub(super) async fn of_page(
    Shared(state): Shared<State>,
    Path((page, file)): Path<(String, String)>,
    uri: Uri,
) -> Result<Response, PageError> {
    answer(state, page, &file, None, &uri).await
}

/// `GET /address/{ip}/data/{panel}.csv`
pub(super) async fn of_address(
    Shared(state): Shared<State>,
    Path((address, file)): Path<(String, String)>,
    uri: Uri,
) -> Result<Response, PageError> {
    let address = super::address_of(&address)?;
    answer(state, "address".to_owned(), &file, Some(address), &uri).await
}

async fn answer(
    state: State,
    page: String,
    file: &str,
    address: Option<IpAddr>,
    uri: &Uri,
) -> Result<Response, PageError> {
    let missing = || PageError::NotFound("such panel".to_owned());
    let (panel, form) = match file.rsplit_once('.') {
        Some((panel, "csv")) => (panel.to_owned(), Form::Csv),
        Some((panel, "json")) => (panel.to_owned(), Form::Json),
        _ => return Err(missing()),
    };
    let query = Query::parse(uri.query().unwrap_or_default())?;
    let name = format!("portcullis-{page}-{file}");
    let (scope, view) = aside(state, move |state| {
        let scope = query.scope((state.clock)(), address);
        let view = state.views.panel(&page, &panel, &scope);
        Ok((scope, view))
    })
    .await?;
    let view = view.ok_or_else(missing)?;
    if let PanelData::Failed { message } = view.data {
        return Err(PageError::Unavailable(message));
    }
    let (content_type, body) = match form {
        Form::Csv => ("text/csv; charset=utf-8; header=present", csv(&view)),
        Form::Json => ("application/json", json(&view, &scope)),
    };
    // The names are of pages and panels that exist: letters, digits and `-`.
    let disposition = format!("attachment; filename=\"{name}\"");
    Ok((
        [
            (CONTENT_TYPE, content_type.to_owned()),
            (CONTENT_DISPOSITION, disposition),
        ],
        body,
    )
        .into_response())
}

fn json(view: &PanelView, scope: &Scope) -> String {
    let whole = json!({
        "from": text::rfc3339(scope.from),
        "to": text::rfc3339(scope.to),
        "filters": scope.filters,
        "query": scope.query,
        "address": scope.address,
        "panel": view,
    });
    format!("{whole}\n")
}

/// One line of titles, then one line for each row; numbers without unit or separators.
fn csv(view: &PanelView) -> String {
    let mut sheet = Sheet::default();
    match &view.data {
        PanelData::Tile { value, previous, .. } => {
            sheet.line(["value", "previous period"]);
            sheet.line([value.to_string(), previous.map(|n| n.to_string()).unwrap_or_default()]);
        }
        PanelData::List {
            field,
            metric,
            rows,
            others,
            ..
        } => {
            sheet.line([text_cell(field), text_cell(metric)]);
            for row in rows {
                sheet.line([text_cell(&row.value), row.number.to_string()]);
            }
            if *others > 0.0 {
                sheet.line(["(others)".to_owned(), others.to_string()]);
            }
        }
        PanelData::Timeline { buckets, series, .. } => {
            let names = series.iter().map(|one| text_cell(&one.name));
            sheet.line(["time".to_owned()].into_iter().chain(names));
            for (place, start) in buckets.iter().enumerate() {
                let at = DateTime::from_timestamp_millis(*start)
                    .map(text::rfc3339)
                    .unwrap_or_default();
                let value = |one: &crate::dashboards::data::Series| one.values.get(place).copied().unwrap_or_default();
                let numbers = series.iter().map(|one| value(one).to_string());
                sheet.line([at].into_iter().chain(numbers));
            }
        }
        PanelData::Heatmap {
            row_field,
            column_field,
            rows,
            columns,
            cells,
            ..
        } => {
            sheet.line([text_cell(row_field), text_cell(column_field), "number".to_owned()]);
            for (row, numbers) in rows.iter().zip(cells) {
                for (column, number) in columns.iter().zip(numbers).filter(|(_, n)| **n != 0.0) {
                    sheet.line([text_cell(row), text_cell(column), number.to_string()]);
                }
            }
        }
        PanelData::Table { columns, rows, .. } => {
            sheet.line(columns.iter().map(|column| text_cell(&column.title)));
            for row in rows {
                sheet.line(columns.iter().zip(row).map(|(column, cell)| table_cell(column, cell)));
            }
        }
        PanelData::Empty { why, .. } => {
            sheet.line(["nothing to show"]);
            sheet.line([text_cell(why)]);
        }
        PanelData::Failed { .. } => {}
    }
    sheet.0
}

fn table_cell(column: &Column, values: &[String]) -> String {
    let joined = values.join("; ");
    if column.unit.is_some() {
        joined
    } else {
        text_cell(&joined)
    }
}

/// Text that no spreadsheet takes for a formula.
fn text_cell(text: &str) -> String {
    let first = text
        .trim_start_matches(|c: char| c.is_whitespace() || c.is_control())
        .chars()
        .next();
    let is_led_by_control = text.starts_with(|c: char| c.is_control());
    if is_led_by_control
        || first.is_some_and(|c| {
            matches!(
                c,
                '=' | '+' | '-' | '@' | '\u{ff1d}' | '\u{ff0b}' | '\u{ff0d}' | '\u{ff20}'
            )
        })
    {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[derive(Default)]
struct Sheet(String);

impl Sheet {
    /// RFC 4180: cells in quotes where they need them, quotes doubled, lines end with CR and LF.
    fn line<C: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = C>) {
        for (place, cell) in cells.into_iter().enumerate() {
            if place > 0 {
                self.0.push(',');
            }
            let cell = cell.as_ref();
            if cell.contains([',', ';', '"', '\r', '\n', '\t']) || cell.starts_with(['\'', ' ']) {
                self.0.push('"');
                self.0.push_str(&cell.replace('"', "\"\""));
                self.0.push('"');
            } else {
                self.0.push_str(cell);
            }
        }
        self.0.push_str("\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboards::data::{ListRow, Series, Unit};

    fn sheet(data: PanelData) -> String {
        csv(&PanelView {
            id: "p".into(),
            title: "T".into(),
            question: "Q?".into(),
            width: 4,
            data,
        })
    }

    #[test]
    fn no_cell_of_a_log_is_run_as_a_formula() {
        for (text, safe) in [
            ("=HYPERLINK(\"http://evil.example\")", false),
            ("+1+cmd|' /C calc'!A0", false),
            ("-2+3", false),
            ("@SUM(1)", false),
            (" =1+1", false),
            ("\t=1+1", false),
            ("\r=1+1", false),
            ("＝1+1", false),
            ("45.83.64.11", true),
            ("/index.html?a=b", true),
            ("", true),
        ] {
            assert_eq!(text_cell(text) == text, safe, "{text:?}");
        }
        let rows = vec![ListRow {
            value: "=cmd|'/C calc'!A0, \"x\"".into(),
            number: 3.0,
        }];
        let out = sheet(PanelData::List {
            field: "user_agent.original".into(),
            metric: "events".into(),
            unit: Unit::Count,
            rows,
            others: 0.0,
        });
        assert_eq!(
            out,
            "user_agent.original,events\r\n\"'=cmd|'/C calc'!A0, \"\"x\"\"\",3\r\n"
        );
    }

    #[test]
    fn every_kind_of_panel_is_a_table() {
        let out = sheet(PanelData::Timeline {
            buckets: vec![0, 60_000],
            interval: 60_000,
            field: Some("event.action".into()),
            unit: Unit::Count,
            series: vec![Series {
                name: "-block".into(),
                values: vec![1.5],
            }],
        });
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!(
            lines,
            [
                "time,\"'-block\"",
                "1970-01-01T00:00:00.000Z,1.5",
                "1970-01-01T00:01:00.000Z,0"
            ]
        );
        let out = sheet(PanelData::Heatmap {
            row_field: "a".into(),
            column_field: "b".into(),
            rows: vec!["r".into()],
            columns: vec!["c".into(), "d".into()],
            cells: vec![vec![0.0, 2.0]],
            unit: Unit::Count,
        });
        assert_eq!(out, "a,b,number\r\nr,d,2\r\n");
        let column = |title: &str, unit| Column {
            title: title.into(),
            field: None,
            unit,
        };
        let out = sheet(PanelData::Table {
            columns: vec![column("x", None), column("n", Some(Unit::Count))],
            rows: vec![vec![vec!["a".into(), "b".into()], vec!["-3".into()]]],
            total: None,
        });
        assert_eq!(out, "x,n\r\n\"a; b\",-3\r\n");
    }
}
