//! Values as links: an address leads to its page, any other value filters; both can be filtered out.

use std::net::IpAddr;

use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::dashboards::Filter;

use super::{
    params::{Query, exclude, include},
    text::{shown, visible},
};

/// Where a page's links lead: the page itself with another query.
#[derive(Clone, Copy, Debug)]
pub(super) struct Links<'a> {
    /// Path of the page.
    pub path: &'a str,
    /// What it shows now.
    pub query: &'a Query,
}

impl Links<'_> {
    /// A value of a field, linked.
    pub(super) fn value(self, field: &str, value: &str) -> Markup {
        let name = visible(value);
        let only = self.filter(include(field, value));
        let without = self.filter(exclude(field, value));
        let address = as_address(value);
        html! {
            span.value {
                @if let Some(address) = address {
                    a.main.mono href=(self.address(address)) title=(format!("All about {address}")) { (shown(value)) }
                } @else if field == "event.id" {
                    a.main.mono href=(self.document(value)) title="The whole document" { (shown(value)) }
                } @else {
                    a.main href=(only) title=(format!("Filter for {field}: {name}")) {
                        @if let Some(class) = severity_class(field, value) { span.sw.(class) {} }
                        @if value.is_empty() { em { "empty" } } @else { (shown(value)) }
                    }
                }
                span.acts {
                    @if address.is_some() {
                        a href=(only) title=(format!("Filter for {name}")) aria-label=(format!("Filter for {field} {name}")) { "+" }
                    }
                    a href=(without) title=(format!("Filter out {name}")) aria-label=(format!("Filter out {field} {name}")) { "−" }
                }
            }
        }
    }

    /// This page with one more filter.
    pub(super) fn filter(self, filter: Filter) -> String {
        self.query.with(filter).href(self.path)
    }

    /// The Address page.
    pub(super) fn address(self, address: IpAddr) -> String {
        self.query
            .bare()
            .href(&format!("/address/{}", segment(&address.to_string())))
    }

    /// The page of one document.
    pub(super) fn document(self, id: &str) -> String {
        self.query.bare().href(&format!("/document/{}", segment(id)))
    }

    /// The Search page with a text, over the same range and filters.
    pub(super) fn search(self, text: &str, source: Option<&'static str>) -> String {
        let text = (!text.is_empty()).then(|| text.to_owned());
        Query {
            text,
            source,
            page: 1,
            ..self.query.clone()
        }
        .href("/search")
    }
}

/// One path segment, encoded so that nothing in it can end the segment.
fn segment(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC)
        .to_string()
        .replace("%2E", ".")
        .replace("%2D", "-")
        .replace("%3A", ":")
}

/// The value as an address, when it is one; a plain integer is not.
pub(super) fn as_address(value: &str) -> Option<IpAddr> {
    value.parse().ok()
}

/// GuardDuty's and Security Hub's labels, least first, with the class that colours each.
pub(super) const SEVERITIES: &[(&str, &str)] = &[
    ("informational", "sev-info"),
    ("low", "sev-low"),
    ("medium", "sev-medium"),
    ("high", "sev-high"),
    ("critical", "sev-critical"),
];

/// The colour class of a severity label; only of fields that hold one, because "high" may be any word elsewhere.
pub(super) fn severity_class(field: &str, value: &str) -> Option<&'static str> {
    let is_label =
        field.ends_with("severity_label") || field.ends_with("severity_original") || field == "vulnerability.severity";
    SEVERITIES
        .iter()
        .find(|(label, _)| is_label && label.eq_ignore_ascii_case(value))
        .map(|(_, class)| *class)
}

/// Where a value stands on the scale of severities; `None`, which sorts first, for every other field and value.
pub(super) fn severity_rank(field: &str, value: &str) -> Option<usize> {
    let class = severity_class(field, value)?;
    SEVERITIES.iter().position(|(_, c)| *c == class)
}

/// The word and class of a numeric GuardDuty severity (Low 1-3.9, Medium 4-6.9, High 7-8.9, Critical 9-10).
pub(super) fn severity_of(number: f64) -> (&'static str, &'static str) {
    match number {
        n if n >= 9.0 => ("Critical", "sev-critical"),
        n if n >= 7.0 => ("High", "sev-high"),
        n if n >= 4.0 => ("Medium", "sev-medium"),
        n if n >= 1.0 => ("Low", "sev-low"),
        _ => ("None", "sev-info"),
    }
}

/// A severity as colour and word.
pub(super) fn severity(number: f64) -> Markup {
    let (word, class) = severity_of(number);
    html! { span.sev { span.sw.(class) {} (word) " " span.dim { (format!("{number:.1}")) } } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_a_log_cannot_leave_its_link() {
        let query = Query::default();
        let links = Links {
            path: "/waf",
            query: &query,
        };
        let out = links
            .value("user_agent.original", "\"><script>alert(1)</script>")
            .into_string();
        assert!(!out.contains("<script") && !out.contains("\">\"><"), "{out}");
        assert!(links.document("../a?b#c").starts_with("/document/..%2Fa%3Fb%23c"));
    }

    #[test]
    fn an_address_leads_to_its_page_and_can_be_filtered() {
        let query = Query::default();
        let out = Links {
            path: "/waf",
            query: &query,
        }
        .value("source.ip", "45.83.64.11")
        .into_string();
        assert!(out.contains("href=\"/address/45.83.64.11\""), "{out}");
        assert!(
            out.contains("filter=source.ip%3A45.83.64.11") && out.contains("filter=-source.ip%3A45.83.64.11"),
            "{out}"
        );
    }

    #[test]
    fn severities_have_the_bounds_that_guardduty_documents() {
        for (number, word) in [
            (0.0, "None"),
            (1.0, "Low"),
            (3.9, "Low"),
            (4.0, "Medium"),
            (7.0, "High"),
            (8.9, "High"),
            (9.0, "Critical"),
        ] {
            assert_eq!(severity_of(number).0, word, "{number}");
        }
    }
}
