//! What a panel shows: the one shape between the search and the pages.

use serde::{Deserialize, Serialize};

/// How a number is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// A count of things, with thin separators.
    #[default]
    Count,
    /// Bytes, shown with binary units.
    Bytes,
    /// Seconds.
    Seconds,
    /// Percent, 0 to 100.
    Percent,
}

/// A panel with its data, ready to draw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PanelView {
    /// Unique on its page; used in URLs and element ids.
    pub id: String,
    /// Title.
    pub title: String,
    /// The question it answers, in a few words.
    pub question: String,
    /// Width in columns of twelve.
    pub width: u8,
    /// What it shows.
    pub data: PanelData,
}

/// The kinds of picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum PanelData {
    /// One number, its sparkline, and the same number of the period before.
    Tile {
        /// The number.
        value: f64,
        /// The same over the previous period of the same length.
        previous: Option<f64>,
        /// Values over time, oldest first.
        spark: Vec<f64>,
        /// How to write it.
        unit: Unit,
        /// The filter that shows the documents behind it (query-string syntax).
        query: String,
    },
    /// Values of one field with their numbers, as a list with bars.
    List {
        /// Field that the values are of, for filter links.
        field: String,
        /// Name of the number's column.
        metric: String,
        /// How to write the number.
        unit: Unit,
        /// Largest first.
        rows: Vec<ListRow>,
        /// What the rows leave out.
        others: f64,
    },
    /// Stacked bars over time.
    Timeline {
        /// Start of each bucket, epoch milliseconds.
        buckets: Vec<i64>,
        /// Length of a bucket in milliseconds.
        interval: i64,
        /// Field that splits the series, when one does.
        field: Option<String>,
        /// How to write the numbers.
        unit: Unit,
        /// One per value, in drawing order; each has as many values as there are buckets.
        series: Vec<Series>,
    },
    /// Two fields against each other.
    Heatmap {
        /// Field of the rows.
        row_field: String,
        /// Field of the columns.
        column_field: String,
        /// Row values.
        rows: Vec<String>,
        /// Column values.
        columns: Vec<String>,
        /// `cells[row][column]`.
        cells: Vec<Vec<f64>>,
        /// How to write the numbers.
        unit: Unit,
    },
    /// Rows of values: an aggregation over several fields, or documents.
    Table {
        /// Columns.
        columns: Vec<Column>,
        /// Each row has as many cells as there are columns; a cell may have several values.
        rows: Vec<Vec<Vec<String>>>,
        /// Documents that match, when rows are documents.
        total: Option<u64>,
    },
    /// Nothing to show, and why.
    Empty {
        /// Why: no events in range, source not connected, filtered away.
        why: String,
        /// What to do.
        remedy: String,
    },
    /// The request failed; the panel says so, the page goes on.
    Failed {
        /// What went wrong, for a person.
        message: String,
    },
}

/// One row of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListRow {
    /// The value, as the field holds it.
    pub value: String,
    /// Its number.
    pub number: f64,
}

/// One series of a timeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// The value that splits it off, or the metric's name.
    pub name: String,
    /// One number per bucket.
    pub values: Vec<f64>,
}

/// One column of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Title.
    pub title: String,
    /// Field, for filter links; `None` for a metric.
    pub field: Option<String>,
    /// How to write a metric.
    pub unit: Option<Unit>,
}
