//! What stands in a panel file: one shape for every page, strictly read.
//!
//! ```toml
//! id = "waf"
//! title = "WAF"
//! question = "What reaches the web applications, and what is stopped?"
//! index = "waf"
//!
//! [[panel]]
//! id = "blocked"
//! kind = "tile"
//! title = "Blocked requests"
//! question = "How many requests were stopped?"
//! width = 3
//! query = "event.action:block"
//! ```

use std::fmt;

use portcullis_transforms::Source;
use toml::{Table, Value};

use super::data::Unit;
use crate::index::latest;

/// One page: a row of a menu and its panels.
#[derive(Clone, Debug, PartialEq)]
pub struct Dashboard {
    /// Name in URLs and of its file: `guardduty`.
    pub id: String,
    /// Title of the page and of its menu entry.
    pub title: String,
    /// The question that the page answers.
    pub question: String,
    /// Index that its panels read unless they name another: a source, `response`, or `*`.
    pub index: String,
    /// Fields whose values narrow the page by a menu in OpenSearch Dashboards; the pages of `serve` have links for it.
    pub controls: Vec<String>,
    /// Panels in reading order.
    pub panels: Vec<Panel>,
}

/// One panel: a picture and the question that it answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// Unique on its page.
    pub id: String,
    /// Title.
    pub title: String,
    /// The question it answers, in a few words.
    pub question: String,
    /// Width in columns of twelve.
    pub width: u8,
    /// Index that it reads.
    pub index: String,
    /// Condition on its documents, in query-string syntax; empty for none.
    pub query: String,
    /// The picture, with the fields that it is drawn from.
    pub kind: Kind,
    /// The number that it shows.
    pub metric: Metric,
    /// What the number counts, in a word, as its column is headed.
    pub counts: String,
    /// How the number is written.
    pub unit: Unit,
    /// Most rows, series or documents.
    pub size: usize,
}

impl Panel {
    /// Whether it shows what is now, whatever the time range: it looks at the newest version of each finding.
    #[must_use]
    pub fn is_of_now(&self) -> bool {
        latest::source(&self.index).is_some()
    }
}

/// The pictures.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A number, its sparkline, and the period before.
    Tile,
    /// The values of a field with bars.
    List {
        /// The field.
        field: String,
    },
    /// Stacked bars over time, one series for each value of the field.
    Timeline {
        /// The field, when there is more than one series.
        field: Option<String>,
    },
    /// Two fields against each other.
    Heatmap {
        /// Field of the rows.
        row: String,
        /// Field of the columns.
        column: String,
        /// Whether each number is what part of its row it is, in percent.
        share: bool,
    },
    /// Combinations of the values of several fields.
    Table {
        /// The fields, in the order of the columns.
        fields: Vec<String>,
    },
    /// The newest documents.
    Events {
        /// Fields shown, in the order of the columns.
        columns: Vec<String>,
    },
}

/// The number that a panel shows.
#[derive(Clone, Debug, PartialEq)]
pub enum Metric {
    /// Documents.
    Count,
    /// Different values of a field.
    Distinct(String),
    /// The sum of a field.
    Sum(String),
    /// The mean of a field.
    Average(String),
    /// The greatest value of a field.
    Maximum(String),
    /// A percentile of a field.
    Percentile(u8, String),
}

impl Metric {
    /// The field it reads, if any.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        match self {
            Metric::Count => None,
            Metric::Distinct(field)
            | Metric::Sum(field)
            | Metric::Average(field)
            | Metric::Maximum(field)
            | Metric::Percentile(_, field) => Some(field),
        }
    }

    /// Whether parts add up to the whole.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        matches!(self, Metric::Count | Metric::Sum(_))
    }

    /// Whether it is nought, and not unknown, when there are no documents.
    #[must_use]
    pub fn is_zero_when_empty(&self) -> bool {
        matches!(self, Metric::Count | Metric::Sum(_) | Metric::Distinct(_))
    }

    fn parse(text: &str) -> Option<Self> {
        if text == "count" {
            return Some(Metric::Count);
        }
        let (function, field) = text.split_once(':').filter(|(_, field)| !field.is_empty())?;
        let field = field.to_owned();
        Some(match function {
            "distinct" => Metric::Distinct(field),
            "sum" => Metric::Sum(field),
            "average" => Metric::Average(field),
            "maximum" => Metric::Maximum(field),
            _ => {
                let percent = function
                    .strip_prefix('p')?
                    .parse()
                    .ok()
                    .filter(|p| (1..=99).contains(p))?;
                Metric::Percentile(percent, field)
            }
        })
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Metric::Count => f.write_str("events"),
            Metric::Distinct(field) => write!(f, "distinct {field}"),
            Metric::Sum(field) => f.write_str(field),
            Metric::Average(field) => write!(f, "mean {field}"),
            Metric::Maximum(field) => write!(f, "greatest {field}"),
            Metric::Percentile(percent, field) => write!(f, "p{percent} {field}"),
        }
    }
}

/// A panel file is wrong: which one, where, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}{}: {message}", within(" panel", panel), within(" key", key))]
pub struct DefinitionError {
    /// Name of the file.
    pub file: String,
    /// Id of the panel, or its number; empty outside panels.
    pub panel: String,
    /// The key; empty when none is at fault.
    pub key: String,
    /// What is wrong, and what to write instead.
    pub message: String,
}

fn within(what: &str, name: &str) -> String {
    if name.is_empty() {
        String::new()
    } else {
        format!(",{what} `{name}`")
    }
}

const PAGE_KEYS: &[&str] = &["id", "title", "question", "index", "controls", "panel"];
const PANEL_KEYS: &[&str] = &[
    "id", "kind", "title", "question", "width", "index", "query", "metric", "counts", "unit",
];

/// What a page or a panel may look at: everything, one source, or the responses.
fn indices() -> Vec<String> {
    let sources = Source::ALL.iter().map(|source| source.name().to_owned());
    let newest = latest::VERSIONED.iter().map(|source| latest::name(*source));
    ["*".to_owned()]
        .into_iter()
        .chain(sources)
        .chain(["response".to_owned()])
        .chain(newest)
        .collect()
}

/// The kinds of panel, and the keys that each takes besides those of all panels.
const KINDS: &[(&str, &[&str])] = &[
    ("tile", &[]),
    ("list", &["field", "size"]),
    ("timeline", &["field", "size"]),
    ("heatmap", &["fields", "size", "share"]),
    ("table", &["fields", "size"]),
    ("events", &["columns", "size"]),
];

/// Reads one panel file.
///
/// # Errors
/// Names the file, the panel and the key, and the nearest valid word.
pub fn parse(file: &str, text: &str) -> Result<Dashboard, DefinitionError> {
    let page: Table = text.parse().map_err(|e: toml::de::Error| DefinitionError {
        file: file.to_owned(),
        panel: String::new(),
        key: String::new(),
        message: e.to_string().trim_end().to_owned(),
    })?;
    let reader = Reader {
        file,
        panel: String::new(),
        table: &page,
    };
    reader.only(PAGE_KEYS.iter().copied())?;
    let index = reader.one_of("index", &indices())?;
    let panels = match page.get("panel") {
        Some(Value::Array(panels)) if !panels.is_empty() => panels,
        _ => return Err(reader.error("panel", "a page has at least one [[panel]]")),
    };
    let mut read: Vec<Panel> = Vec::with_capacity(panels.len());
    for (number, panel) in panels.iter().enumerate() {
        let Value::Table(table) = panel else {
            return Err(reader.error("panel", "takes tables: [[panel]]"));
        };
        let named = table
            .get("id")
            .and_then(Value::as_str)
            .map_or_else(|| format!("number {}", number + 1), str::to_owned);
        let panel = Reader {
            file,
            panel: named,
            table,
        }
        .panel(&index)?;
        if read.iter().any(|other| other.id == panel.id) {
            let reader = Reader {
                file,
                panel: panel.id,
                table,
            };
            return Err(reader.error("id", "stands twice on this page; choose another"));
        }
        read.push(panel);
    }
    Ok(Dashboard {
        id: reader.name("id")?,
        title: reader.text("title")?,
        question: reader.text("question")?,
        index,
        controls: if page.contains_key("controls") {
            reader.texts("controls", 1)?
        } else {
            Vec::new()
        },
        panels: read,
    })
}

struct Reader<'f> {
    file: &'f str,
    panel: String,
    table: &'f Table,
}

impl Reader<'_> {
    fn error(&self, key: &str, message: impl Into<String>) -> DefinitionError {
        DefinitionError {
            file: self.file.to_owned(),
            panel: self.panel.clone(),
            key: key.to_owned(),
            message: message.into(),
        }
    }

    fn only<'k>(&self, known: impl Iterator<Item = &'k str> + Clone) -> Result<(), DefinitionError> {
        match self.table.keys().find(|key| !known.clone().any(|k| k == key.as_str())) {
            None => Ok(()),
            Some(key) => Err(self.error(key, format!("is not a key here; {}", nearest(key, known)))),
        }
    }

    fn text(&self, key: &str) -> Result<String, DefinitionError> {
        match self.table.get(key) {
            Some(Value::String(text)) if !text.trim().is_empty() => Ok(text.clone()),
            Some(_) => Err(self.error(key, "takes a text")),
            None => Err(self.error(key, "is missing")),
        }
    }

    fn name(&self, key: &str) -> Result<String, DefinitionError> {
        let name = self.text(key)?;
        if name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        {
            Ok(name)
        } else {
            Err(self.error(key, "takes small letters, digits and `-`, because it stands in URLs"))
        }
    }

    fn one_of<K: AsRef<str>>(&self, key: &str, known: &[K]) -> Result<String, DefinitionError> {
        let word = self.text(key)?;
        if known.iter().any(|one| one.as_ref() == word) {
            Ok(word)
        } else {
            Err(self.error(
                key,
                format!(
                    "`{word}` is none of its values; {}",
                    nearest(&word, known.iter().map(AsRef::as_ref))
                ),
            ))
        }
    }

    fn number(
        &self,
        key: &str,
        default: usize,
        range: std::ops::RangeInclusive<usize>,
    ) -> Result<usize, DefinitionError> {
        match self.table.get(key) {
            None => Ok(default),
            Some(value) => value
                .as_integer()
                .and_then(|n| usize::try_from(n).ok())
                .filter(|n| range.contains(n))
                .ok_or_else(|| self.error(key, format!("takes a number from {} to {}", range.start(), range.end()))),
        }
    }

    fn texts(&self, key: &str, least: usize) -> Result<Vec<String>, DefinitionError> {
        let texts: Option<Vec<String>> = match self.table.get(key) {
            Some(Value::Array(values)) => values.iter().map(|v| v.as_str().map(str::to_owned)).collect(),
            _ => None,
        };
        texts
            .filter(|texts| texts.len() >= least)
            .ok_or_else(|| self.error(key, format!("takes a list of at least {least} field names")))
    }

    fn share(&self, metric: &Metric) -> Result<bool, DefinitionError> {
        let share = match self.table.get("share") {
            None => false,
            Some(value) => value
                .as_bool()
                .ok_or_else(|| self.error("share", "takes true or false"))?,
        };
        if share && !metric.adds_up() {
            return Err(self.error("share", "needs a number whose parts add up: count or sum:FIELD"));
        }
        Ok(share)
    }

    fn panel(&self, page_index: &str) -> Result<Panel, DefinitionError> {
        let names: Vec<&str> = KINDS.iter().map(|(name, _)| *name).collect();
        let kind = self.one_of("kind", &names)?;
        let own = KINDS
            .iter()
            .find(|(name, _)| *name == kind)
            .map_or(&[][..], |(_, keys)| *keys);
        self.only(PANEL_KEYS.iter().chain(own).copied())?;
        let metric = match self.table.get("metric") {
            None => Metric::Count,
            Some(value) => value.as_str().and_then(Metric::parse).ok_or_else(|| {
                self.error(
                    "metric",
                    "takes count, distinct:FIELD, sum:FIELD, average:FIELD, maximum:FIELD, or p95:FIELD",
                )
            })?,
        };
        if matches!(metric, Metric::Percentile(..)) && kind != "tile" && kind != "timeline" {
            return Err(self.error("metric", "percentiles cannot order rows; use a tile or a timeline"));
        }
        let counts = if self.table.contains_key("counts") {
            self.text("counts")?
        } else {
            metric.to_string()
        };
        let unit = match self.table.get("unit") {
            None => Unit::Count,
            Some(value) => value
                .clone()
                .try_into()
                .map_err(|_| self.error("unit", "takes count, bytes, seconds or percent"))?,
        };
        let index = if self.table.contains_key("index") {
            self.one_of("index", &indices())?
        } else {
            page_index.to_owned()
        };
        if kind == "timeline" && latest::source(&index).is_some() {
            return Err(self.error(
                "index",
                "has the newest versions only, which are no course of time; use the source itself",
            ));
        }
        let (kind, size) = match kind.as_str() {
            "list" => (
                Kind::List {
                    field: self.text("field")?,
                },
                10,
            ),
            "timeline" => {
                let field = self
                    .table
                    .contains_key("field")
                    .then(|| self.text("field"))
                    .transpose()?;
                (Kind::Timeline { field }, 6)
            }
            "heatmap" => match <[String; 2]>::try_from(self.texts("fields", 2)?) {
                Ok([row, column]) => {
                    let share = self.share(&metric)?;
                    (Kind::Heatmap { row, column, share }, 12)
                }
                Err(_) => return Err(self.error("fields", "takes two: rows, columns")),
            },
            "table" => {
                let fields = self.texts("fields", 1)?;
                if fields.len() > 5 {
                    return Err(self.error("fields", "takes at most five"));
                }
                (Kind::Table { fields }, 15)
            }
            "events" => (
                Kind::Events {
                    columns: self.texts("columns", 1)?,
                },
                25,
            ),
            _ => (Kind::Tile, 1),
        };
        let unit = match kind {
            Kind::Heatmap { share: true, .. } => Unit::Percent,
            _ => unit,
        };
        Ok(Panel {
            id: self.name("id")?,
            title: self.text("title")?,
            question: self.text("question")?,
            width: u8::try_from(self.number("width", 6, 1..=12)?).unwrap_or(12),
            index,
            query: if self.table.contains_key("query") {
                self.text("query")?
            } else {
                String::new()
            },
            kind,
            metric,
            counts,
            unit,
            size: self.number("size", size, 1..=100)?,
        })
    }
}

/// The remedy for a wrong word: the nearest right one, and all of them.
fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str> + Clone) -> String {
    let best = known
        .clone()
        .min_by_key(|k| strsim::damerau_levenshtein(k, word))
        .unwrap_or_default();
    format!("did you mean `{best}`? Known: {}", known.collect::<Vec<_>>().join(", "))
}
