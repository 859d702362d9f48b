//! The field reference, a page per source: `docs/fields/<source>.md`, written by `cargo xtask fields`.

use crate::{
    schema::{Field, Type},
    source::Source,
    sources::common,
};

/// The page of one source as Markdown: first what the source itself says, then what it shares with the others.
///
/// ```
/// use portcullis_transforms::{Source, reference};
///
/// let page = reference::page(Source::Waf);
/// assert!(page.contains("| `source.ip` | ip | `httpRequest.clientIp` |"));
/// ```
#[must_use]
pub fn page(source: Source) -> String {
    let fields = source.fields();
    let is_shared = |name: &str| common::FIELDS.iter().any(|field| field.name == name);
    let mut page = format!(
        "<!-- Written by `cargo xtask fields` from the table of the source; change the table, not this page. -->\n\n\
         # {}: fields\n\n\
         An `ecs` document of `{source}` carries these {} fields and no others. A field without a value is left out. \
         *From* is the place in the record, or empty for what is derived; `|` means the first that has a value, \
         `[]` every element, `{{a,b}}` both, `[name=x]` the element of that name.\n",
        source.title(),
        fields.len(),
    );
    let own = fields
        .iter()
        .filter(|field| !field.from.is_empty() || !is_shared(field.name));
    table(&mut page, "From the record", own.copied());
    let shared = fields
        .iter()
        .filter(|field| field.from.is_empty() && is_shared(field.name));
    table(&mut page, "Derived, or shared with the other sources", shared.copied());
    page.push_str("\nTypes:");
    for (number, ty) in Type::ALL.iter().enumerate() {
        let separator = if number == 0 { "" } else { ";" };
        page.push_str(&format!("{separator} `{}` {}", ty.name(), ty.meaning()));
    }
    page.push_str(".\n");
    page
}

fn table<'a>(page: &mut String, title: &str, fields: impl Iterator<Item = &'a Field>) {
    let mut rows: Vec<_> = fields.collect();
    rows.sort_unstable_by_key(|field| field.name);
    if rows.is_empty() {
        return;
    }
    page.push_str(&format!(
        "\n## {title}\n\n| field | type | from | meaning |\n|---|---|---|---|\n"
    ));
    for field in rows {
        let from = if field.from.is_empty() {
            String::new()
        } else {
            format!("`{}`", cell(field.from))
        };
        let (name, ty, meaning) = (field.name, field.ty.name(), cell(field.meaning));
        page.push_str(&format!("| `{name}` | {ty} | {from} | {meaning} |\n"));
    }
}

/// A text that may stand in a cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}

/// The page that lists the others.
#[must_use]
pub fn index() -> String {
    let mut page = "<!-- Written by `cargo xtask fields`. -->\n\n# Field reference\n\n\
                    Every field that a document may carry, by source. The index mappings come from the same tables, and \
                    they are closed: what has no field goes to `aws.<source>.rest`, counted in `portcullis.unplaced`.\n\n"
        .to_owned();
    for &source in Source::ALL {
        page.push_str(&format!("- [{}]({source}.md)\n", source.title()));
    }
    page
}
