//! The pages: their files, built in, and the check that the fields they name exist.

use std::sync::LazyLock;

use portcullis_transforms::{Field, Source};

use super::definition::{self, Dashboard, Kind, Panel};
use crate::index::latest;

/// The files, in the order of the menu.
pub(crate) const FILES: &[(&str, &str)] = &[
    ("overview.toml", include_str!("../../dashboards/panels/overview.toml")),
    ("guardduty.toml", include_str!("../../dashboards/panels/guardduty.toml")),
    (
        "securityhub.toml",
        include_str!("../../dashboards/panels/securityhub.toml"),
    ),
    ("waf.toml", include_str!("../../dashboards/panels/waf.toml")),
    ("vpcflow.toml", include_str!("../../dashboards/panels/vpcflow.toml")),
    ("dns.toml", include_str!("../../dashboards/panels/dns.toml")),
    (
        "cloudtrail.toml",
        include_str!("../../dashboards/panels/cloudtrail.toml"),
    ),
    ("response.toml", include_str!("../../dashboards/panels/response.toml")),
    ("pipeline.toml", include_str!("../../dashboards/panels/pipeline.toml")),
    ("address.toml", include_str!("../../dashboards/panels/address.toml")),
];

static PAGES: LazyLock<Vec<Dashboard>> = LazyLock::new(|| {
    let read = |(file, text): &(&str, &str)| definition::parse(file, text).ok();
    FILES.iter().filter_map(read).collect()
});

/// Every page, in the order of the menu. The files are built in, and a test reads each of them strictly.
#[must_use]
pub fn pages() -> &'static [Dashboard] {
    &PAGES
}

/// A panel names a field that its source does not have, or that cannot be aggregated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("page `{page}`, panel `{panel}`: field `{field}` {what}")]
pub struct FieldProblem {
    /// Id of the page.
    pub page: String,
    /// Id of the panel.
    pub panel: String,
    /// The field.
    pub field: String,
    /// What is wrong with it.
    pub what: String,
}

/// Fields of a page's panels that their index does not have or cannot aggregate; none when all is well.
///
/// `response` is the table of the response documents. A panel over a source whose table is empty is passed over, and so is one over `*` unless
/// no table at all has the field.
#[must_use]
pub fn check_fields(page: &Dashboard, response: &[Field]) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    for panel in &page.panels {
        let tables = tables(&panel.index, response);
        if tables.iter().any(Vec::is_empty) {
            continue;
        }
        for (field, aggregated) in used(panel) {
            let found = tables.iter().flatten().find(|known| known.name == field);
            let what = match found {
                None if field.starts_with('_') => continue,
                None => format!("is in no table of `{}`", panel.index),
                Some(known) if aggregated && !known.ty.is_aggregatable() => {
                    format!("is of type {}, which cannot be aggregated", known.ty.name())
                }
                Some(_) => continue,
            };
            problems.push(FieldProblem {
                page: page.id.clone(),
                panel: panel.id.clone(),
                field: field.to_owned(),
                what,
            });
        }
    }
    problems
}

fn tables(index: &str, response: &[Field]) -> Vec<Vec<Field>> {
    let copied = |source: Source| source.fields().into_iter().copied().collect();
    match latest::base(index) {
        "response" => vec![response.to_vec()],
        "*" => Source::ALL
            .iter()
            .map(|s| copied(*s))
            .chain([response.to_vec()])
            .collect(),
        name => name.parse().map(|source| vec![copied(source)]).unwrap_or_default(),
    }
}

/// The fields that a panel names, and whether it aggregates them.
fn used(panel: &Panel) -> Vec<(&str, bool)> {
    let mut fields: Vec<(&str, bool)> = panel.metric.field().map(|field| (field, true)).into_iter().collect();
    match &panel.kind {
        Kind::Tile | Kind::Timeline { field: None } => {}
        Kind::List { field } | Kind::Timeline { field: Some(field) } => fields.push((field, true)),
        Kind::Heatmap { row, column, .. } => fields.extend([(row.as_str(), true), (column.as_str(), true)]),
        Kind::Table { fields: several } => fields.extend(several.iter().map(|field| (field.as_str(), true))),
        Kind::Events { columns } => fields.extend(columns.iter().map(|field| (field.as_str(), false))),
    }
    fields.extend(queried(&panel.query).into_iter().map(|field| (field, false)));
    fields
}

/// The fields that a query string names: what stands before a colon outside of quotes.
fn queried(query: &str) -> Vec<&str> {
    let mut fields = Vec::new();
    for outside in query.split('"').step_by(2) {
        for word in outside.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '-' | '!')) {
            match word.split_once(':') {
                Some(("_exists_", field)) => fields.push(field),
                Some((field, _)) if !field.is_empty() => fields.push(field),
                _ => {}
            }
        }
    }
    fields
}
