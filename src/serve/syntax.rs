//! What may be typed into the search box, explained where it is typed. Each example is one that the engines read: a test
//! asks the embedded one.

use maud::{Markup, html};

use super::{params::Query, text::visible};

/// What to write, and what it finds.
const EXAMPLES: &[(&str, &str)] = &[
    ("45.83.64.11", "an address, in every field of addresses"),
    ("10.0.0.0/8", "a network, the same way"),
    ("brute force", "both words, anywhere in text"),
    ("\"brute force\"", "these words side by side"),
    ("event.action:block", "a field with this value"),
    ("rule.name:*SQL*", "a pattern: * for any text, ? for one character"),
    ("event.action:(block OR reject)", "one of several values"),
    ("source.ip:\"10.0.0.0/8\"", "addresses of a network"),
    ("event.severity:>=7", "at least; also >, <, <="),
    ("destination.port:[1 TO 1023]", "a range with both its ends"),
    ("_exists_:user.name", "documents that have the field"),
    (
        "event.outcome:failure AND NOT source.ip:\"10.0.0.0/8\"",
        "AND, OR, NOT, and (brackets)",
    ),
    ("url.path:\\/admin\\:x", "a backslash takes the next character as it is"),
];

/// The explanation with an example to click on each line; closed, unless nothing was typed yet.
pub(super) fn panel(open: bool) -> Markup {
    html! {
        details.panel.syntax #syntax open[open] {
            summary { "How to write a search" }
            (table())
        }
    }
}

fn table() -> Markup {
    let query = Query::default();
    let link = |text: &str| {
        Query {
            text: Some(text.to_owned()),
            ..query.clone()
        }
        .href("/search")
    };
    html! {
        dl.examples {
            @for (text, meaning) in EXAMPLES {
                div { dt { a href=(link(text)) { code { (text) } } } dd { (meaning) } }
            }
        }
        p.dim { "Words side by side have to be found all. Fields and their values stand on every document; a click on a value writes a filter for you. "
            "Large and small letters matter in fields, and not in words without one." }
    }
}

/// A box with what was typed, to be corrected, and the explanation.
pub(super) fn correct(text: &str) -> Markup {
    html! {
        form.act action="/search" method="get" {
            label { "Search" input type="search" name="q" value=(visible(text)) maxlength="1024" autofocus autocomplete="off" spellcheck="false"; }
            button type="submit" { "Search" }
        }
        (panel(true))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::index::{Index, embedded};

    #[test]
    fn every_example_is_read_by_the_engine() {
        let dir = tempfile::tempdir().expect("a folder");
        let index = embedded::Embedded::open(dir.path(), embedded::Options::default()).expect("an index");
        for (text, _) in EXAMPLES {
            let query = json!({ "query_string": { "query": text, "default_operator": "AND" } });
            let answer = index.search("*", &json!({ "query": query, "size": 0 }));
            assert!(answer.is_ok(), "{text}: {answer:?}");
        }
    }
}
