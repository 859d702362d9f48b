//! Query logs of a public hosted zone: a line of ten columns.
//!
//! ```text
//! 1.0 2026-11-21T10:51:00.130Z Z0123456789ABCDEFGHIJ www.example.com A NOERROR UDP FRA6 192.0.2.53 198.51.100.0/24
//! ```
//!
//! The columns in order: <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/query-logs.html>. AWS names them in
//! words only; here they have the names of the same members in Resolver's logs, or ones in the same style.

use crate::{
    Refusal, RefusalKind,
    document::{push_escaped, push_json_string},
    normalize::excerpt,
};

/// AWS's columns.
const COLUMNS: [&str; 10] = [
    "version",
    "query_timestamp",
    "hosted_zone_id",
    "query_name",
    "query_type",
    "rcode",
    "transport",
    "edge_location",
    "resolver_ip",
    "edns_client_subnet",
];

/// The longest line that is read. A name has at most 255 bytes, of which each may be escaped.
const LIMIT: usize = 16 * 1024;

/// Writes the line as an object with a member for each column; `-` is `null`. Columns that a later version of the format
/// adds are kept under `more`. The answer is whether it is such a line at all.
pub(super) fn to_json(text: &str, json: &mut Vec<u8>) -> Result<bool, Refusal> {
    if !is_line(text.as_bytes()) {
        return Ok(false);
    }
    if text.len() > LIMIT {
        let message = format!(
            "the line has {} bytes, and one of a query log has at most {LIMIT}",
            text.len()
        );
        return Err(Refusal::new(RefusalKind::Size, "", message));
    }
    if let Some(end) = text.find(['\n', '\r']) {
        let rest = text.get(end..).unwrap_or_default().trim_ascii();
        let message = format!(
            "a second line follows, and one record becomes one document: {}",
            excerpt(rest.as_bytes())
        );
        return Err(Refusal::new(RefusalKind::Form, "", message));
    }
    let mut columns = text.split_ascii_whitespace();
    json.push(b'{');
    for (number, (name, value)) in COLUMNS.iter().zip(&mut columns).enumerate() {
        if number > 0 {
            json.push(b',');
        }
        push_json_string(json, name);
        json.push(b':');
        match value {
            "-" => json.extend_from_slice(b"null"),
            value => push_json_string(json, value),
        }
    }
    let mut opening: &[u8] = b",\"more\":[\"";
    for value in columns {
        json.extend_from_slice(opening);
        push_escaped(json, value);
        opening = b"\",\"";
    }
    if opening.first() == Some(&b'"') {
        json.extend_from_slice(b"\"]");
    }
    json.push(b'}');
    Ok(true)
}

/// Whether a record begins as a line of a public hosted zone's query log does: a version such as `1.0`, a time, the id of
/// a hosted zone, a name.
///
/// ```
/// use portcullis_transforms::sources::dns::is_line;
///
/// assert!(is_line(b"1.0 2026-11-21T10:51:00.130Z Z123 example.com A NOERROR UDP FRA6 192.0.2.53 -"));
/// assert!(!is_line(b"2 123456789012 eni-1 - - - - - - - 1795258200 1795258260 - NODATA"));
/// ```
#[must_use]
pub fn is_line(record: &[u8]) -> bool {
    let mut columns = record
        .split(u8::is_ascii_whitespace)
        .filter(|column| !column.is_empty());
    let (version, time, zone) = (columns.next(), columns.next(), columns.next());
    version.is_some_and(is_version)
        && time.is_some_and(|text| text.get(10) == Some(&b'T'))
        && zone.is_some_and(|text| text.starts_with(b"Z"))
        && columns.next().is_some()
}

fn is_version(text: &[u8]) -> bool {
    let mut parts = text.split(|byte| *byte == b'.');
    let mut number = || {
        parts
            .next()
            .is_some_and(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit))
    };
    number() && number() && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Result<Option<String>, RefusalKind> {
        let mut json = Vec::new();
        let is_line = to_json(text, &mut json).map_err(|refusal| refusal.kind)?;
        Ok(is_line.then(|| String::from_utf8(json).expect("UTF-8")))
    }

    #[test]
    fn a_line_becomes_an_object_of_its_columns() {
        let start = r#"{"version":"1.0","query_timestamp":"2026-11-21T10:51:00.130Z","hosted_zone_id":"Z1","#;
        let cases = [
            (
                "1.0 2026-11-21T10:51:00.130Z Z1 example.com",
                r#""query_name":"example.com"}"#,
            ),
            (
                r"1.0 2026-11-21T10:51:00.130Z Z1 a\052b.example.com TXT - UDP FRA6 2001:db8::53 -",
                r#""query_name":"a\\052b.example.com","query_type":"TXT","rcode":null,"transport":"UDP","edge_location":"FRA6","resolver_ip":"2001:db8::53","edns_client_subnet":null}"#,
            ),
            (
                "1.0 2026-11-21T10:51:00.130Z Z1 a A NOERROR UDP FRA6 192.0.2.1 - new \"columns\"",
                r#""query_name":"a","query_type":"A","rcode":"NOERROR","transport":"UDP","edge_location":"FRA6","resolver_ip":"192.0.2.1","edns_client_subnet":null,"more":["new","\"columns\""]}"#,
            ),
        ];
        for (text, end) in cases {
            assert_eq!(json(text), Ok(Some(format!("{start}{end}"))), "{text}");
        }
    }

    #[test]
    fn other_text_is_no_line() {
        for text in [
            "",
            "1.0",
            "1.0 2026-11-21T10:51:00.130Z Z1",
            "1.0 2026-11-21T10:51:00.130Z X1 example.com A",
            "1.0 1795258260 Z1 example.com A",
            "2 123456789012 eni-1 192.0.2.1 192.0.2.2 1 2 6 1 1 1 2 ACCEPT OK",
            "v1.0 2026-11-21T10:51:00.130Z Z1 example.com A",
            "[1.0,2]",
        ] {
            assert_eq!(json(text), Ok(None), "{text}");
        }
    }

    #[test]
    fn two_lines_and_an_endless_one_are_refused() {
        let line = "1.0 2026-11-21T10:51:00.130Z Z1 example.com A NOERROR UDP FRA6 192.0.2.1 -";
        assert_eq!(json(&format!("{line}\n{line}")), Err(RefusalKind::Form));
        assert_eq!(json(&format!("{line} {}", "a".repeat(LIMIT))), Err(RefusalKind::Size));
    }
}
