//! Turns what the TOML reader and serde say into a sentence with the key and the remedy.

use std::ops::Range;

use toml::{
    Spanned, Value,
    de::{DeTable, DeValue},
};

use super::Config;

/// What [`walk`] calls: the dotted key, its value, and where the key is written.
type Visit<'a> = dyn FnMut(&str, &Spanned<DeValue<'_>>, Range<usize>) + 'a;

/// Visits every key: `serve`, `serve.listen`, `sources[0].path`.
pub(super) fn walk(table: &DeTable<'_>, visit: &mut Visit<'_>) {
    inner(table, "", visit);
}

fn inner(table: &DeTable<'_>, prefix: &str, visit: &mut Visit<'_>) {
    for (name, value) in table {
        let key = if prefix.is_empty() {
            name.get_ref().to_string()
        } else {
            format!("{prefix}.{}", name.get_ref())
        };
        visit(&key, value, name.span());
        match value.get_ref() {
            DeValue::Table(section) => inner(section, &key, visit),
            DeValue::Array(items) => {
                for (place, item) in items.iter().enumerate() {
                    let key = format!("{key}[{place}]");
                    visit(&key, item, item.span());
                    if let DeValue::Table(section) = item.get_ref() {
                        inner(section, &key, visit);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Whether a value is set as a whole, rather than key by key.
pub(super) fn is_leaf(value: &DeValue<'_>) -> bool {
    match value {
        DeValue::Table(_) => false,
        DeValue::Array(items) => !items.iter().any(|item| item.get_ref().is_table()),
        _ => true,
    }
}

/// The key that an error at `span` is about: the smallest key or value around it.
pub(super) fn key_at(table: &DeTable<'_>, span: &Range<usize>) -> String {
    let mut best = (usize::MAX, String::new());
    walk(table, &mut |key, value, name| {
        for place in [name, value.span()] {
            if place.start <= span.start && span.end <= place.end && place.len() <= best.0 {
                best = (place.len(), key.to_owned());
            }
        }
    });
    best.1
}

/// A syntax error, with the mistakes that people make most.
pub(super) fn syntax(message: &str) -> String {
    let message = message.lines().collect::<Vec<_>>().join(", ");
    format!("not TOML: {message}; text needs quotes, a section is [name], a list entry [[name]]")
}

/// An error about a value or an unknown key.
pub(super) fn value(key: &str, message: &str) -> String {
    match unknown_field(message) {
        Some((field, expected)) => unknown(key, field, &expected),
        None => {
            let message = message.lines().collect::<Vec<_>>().join(", ");
            let subject = if key.is_empty() { "configuration" } else { key };
            match remedy(&message) {
                Some(remedy) => format!("{subject}: {message}; write {remedy}"),
                None => format!("{subject}: {message}"),
            }
        }
    }
}

fn unknown(key: &str, field: &str, expected: &[&str]) -> String {
    let section = match key.strip_suffix(field) {
        Some(section) => section.trim_end_matches('.'),
        None => key,
    };
    let full = if section.is_empty() {
        field.to_owned()
    } else {
        format!("{section}.{field}")
    };
    let nearest = nearest(field, expected);
    let elsewhere = nearest.is_none().then(|| elsewhere(field)).flatten();
    match (nearest, elsewhere) {
        (Some(name), _) => format!("unknown key `{full}`; did you mean `{name}`?"),
        (None, Some(key)) => format!("unknown key `{full}`; did you mean `{key}`?"),
        (None, None) => format!("unknown key `{full}`; the keys here are {}", expected.join(", ")),
    }
}

/// Reads serde's sentence: ``unknown field `a`, expected one of `b`, `c` ``.
fn unknown_field(message: &str) -> Option<(&str, Vec<&str>)> {
    let rest = message.strip_prefix("unknown field `")?;
    let (field, rest) = rest.split_once('`')?;
    Some((field, rest.split('`').skip(1).step_by(2).collect()))
}

fn nearest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    candidates
        .iter()
        .map(|candidate| (strsim::jaro_winkler(word, candidate), *candidate))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// The full key of a name that is right but stands in the wrong section.
fn elsewhere(field: &str) -> Option<String> {
    fn find(value: &Value, field: &str, prefix: &str) -> Option<String> {
        value.as_table()?.iter().find_map(|(name, inner)| {
            let key = if prefix.is_empty() {
                name.clone()
            } else {
                format!("{prefix}.{name}")
            };
            if name == field {
                Some(key)
            } else {
                find(inner, field, &key)
            }
        })
    }
    find(&Value::try_from(Config::default()).ok()?, field, "")
}

/// What to write instead, by what serde says it expected.
const REMEDIES: &[(&str, &str)] = &[
    ("expected u8", "a whole number from 0 to 255 without quotes"),
    ("expected u16", "a whole number from 0 to 65535 without quotes"),
    ("expected u32", "a whole number, 0 or more, without quotes"),
    ("expected u64", "a whole number, 0 or more, without quotes"),
    ("expected usize", "a whole number, 0 or more, without quotes"),
    ("expected f64", "a number without quotes"),
    ("expected a boolean", "true or false without quotes"),
    ("expected a string", "text in quotes"),
    ("expected path string", "a path in quotes"),
    (
        "expected a sequence",
        "a list in square brackets, such as [\"a\", \"b\"]",
    ),
    ("expected struct Input", "a list of sections, each under [[sources]]"),
    ("expected struct", "a section of its own, such as [name]"),
    (
        "socket address",
        "an address and a port in quotes, such as \"127.0.0.1:8600\"",
    ),
    (
        "IP address",
        "an address with its prefix length in quotes, such as \"198.51.100.0/24\" or \"198.51.100.7/32\"",
    ),
    (
        "missing field `path`",
        "path = \"FILE\", a pattern, or \"-\" for standard input",
    ),
];

fn remedy(message: &str) -> Option<&'static str> {
    REMEDIES
        .iter()
        .find(|(said, _)| message.contains(said))
        .map(|(_, remedy)| *remedy)
}
