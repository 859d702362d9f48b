//! Response documents: one per audit row, for the index `response`.
//!
//! `TABLE` is the only place that names their fields: a row is the field and where its value comes from. `event.id`
//! depends on the audit row alone, so indexing a row twice is harmless.

use ipnet::IpNet;
use portcullis_transforms::schema::{Field, Type, field};
use serde_json::{Map, Value, json};

use super::audit::{self, Detail};
use crate::ledger::AuditRow;

/// An audit row and what it carries.
struct Source<'a> {
    row: &'a AuditRow,
    detail: Detail,
}

/// Reads one field's value; `Null` leaves it out.
type Read = fn(&Source<'_>) -> Value;

/// The fields of a response document, in the order in which they are written.
const TABLE: &[(Field, Read)] = &[
    (field("@timestamp", Type::Date, "at", "when it happened"), |s| {
        json!(time(s))
    }),
    (
        field("ecs.version", Type::Keyword, "", "version of the Elastic Common Schema"),
        |_| json!(portcullis_transforms::document::ECS_VERSION),
    ),
    (field("event.kind", Type::Keyword, "", "always `event`"), |_| {
        json!("event")
    }),
    (field("event.category", Type::Keyword, "", "always `network`"), |_| {
        json!(["network"])
    }),
    (
        field("event.type", Type::Keyword, "event", "`denied`, `change` or `info`"),
        |s| json!([kind(s)]),
    ),
    (
        field(
            "event.outcome",
            Type::Keyword,
            "event",
            "`failure` for what was refused or rejected",
        ),
        |s| json!(outcome(s)),
    ),
    (field("event.action", Type::Keyword, "event", "what happened"), |s| {
        json!(s.row.event.word())
    }),
    (
        field("event.id", Type::Keyword, "number", "the same for the same audit row"),
        |s| json!(id(s.row)),
    ),
    (
        field(
            "event.sequence",
            Type::Long,
            "number",
            "place in the order of the audit",
        ),
        |s| json!(s.row.number),
    ),
    (
        field("event.dataset", Type::Keyword, "", "always `portcullis.response`"),
        |_| json!("portcullis.response"),
    ),
    (field("event.module", Type::Keyword, "", "always `portcullis`"), |_| {
        json!("portcullis")
    }),
    (field("event.created", Type::Date, "at", "when it was written"), |s| {
        json!(time(s))
    }),
    (
        field(
            "event.severity",
            Type::Float,
            "finding",
            "severity of the finding, 1 to 10",
        ),
        |s| json!(s.detail.severity),
    ),
    (
        field(
            "portcullis.response.decision",
            Type::Keyword,
            "decision",
            "`block`, `alert` or `ignore`",
        ),
        |s| json!(s.detail.decision),
    ),
    (
        field(
            "portcullis.response.reason",
            Type::Keyword,
            "reason",
            "a word of the reasons, or a person's words",
        ),
        |s| json!(s.row.reason),
    ),
    (
        field(
            "portcullis.response.mode",
            Type::Keyword,
            "mode",
            "`shadow` or `enforce`",
        ),
        |s| json!(s.detail.mode),
    ),
    (
        field(
            "portcullis.response.direction",
            Type::Keyword,
            "direction",
            "`ingress` or `egress`",
        ),
        |s| json!(s.row.direction),
    ),
    (
        field("portcullis.response.nacl", Type::Keyword, "acl", "network ACL"),
        |s| json!(s.row.acl.as_ref().map(|a| &a.acl)),
    ),
    (
        field("portcullis.response.cidr", Type::Keyword, "cidr", "what is denied"),
        |s| json!(s.row.cidr),
    ),
    (
        field(
            "portcullis.response.evicted",
            Type::Keyword,
            "cidr",
            "whose entry had to go",
        ),
        |s| json!(s.detail.evicted),
    ),
    (
        field("portcullis.response.rule", Type::Long, "rule", "rule number"),
        |s| json!(s.row.rule),
    ),
    (
        field("portcullis.response.finding_id", Type::Keyword, "finding", "finding id"),
        |s| json!(s.row.finding),
    ),
    (
        field(
            "portcullis.response.finding_type",
            Type::Keyword,
            "finding",
            "finding type",
        ),
        |s| json!(s.detail.finding_type),
    ),
    (
        field(
            "portcullis.response.who",
            Type::Keyword,
            "who",
            "`responder` or a person",
        ),
        |s| json!(s.row.who),
    ),
    (
        field(
            "portcullis.response.seconds_to_block",
            Type::Float,
            "",
            "from the finding to the confirmation",
        ),
        |s| json!(s.detail.seconds_to_block),
    ),
    (
        field("source.address", Type::Keyword, "cidr", "the remote address"),
        |s| json!(host(s)),
    ),
    (field("source.ip", Type::Ip, "cidr", "the remote address"), |s| {
        json!(host(s))
    }),
    (
        field("source.geo.country_name", Type::Keyword, "finding", "its country"),
        |s| json!(s.detail.country),
    ),
    (
        field(
            "source.as.organization.name",
            Type::Keyword,
            "finding",
            "its organisation",
        ),
        |s| json!(s.detail.organisation),
    ),
    (field("related.ip", Type::Ip, "cidr", "the remote address"), |s| {
        host(s).map_or(Value::Null, |ip| json!([ip]))
    }),
    (field("cloud.provider", Type::Keyword, "", "always `aws`"), |_| {
        json!("aws")
    }),
    (field("cloud.account.id", Type::Keyword, "acl", "account"), |s| {
        json!(s.row.acl.as_ref().map(|a| &a.account).or(s.detail.account.as_ref()))
    }),
    (field("cloud.region", Type::Keyword, "acl", "region"), |s| {
        json!(s.row.acl.as_ref().map(|a| &a.region).or(s.detail.region.as_ref()))
    }),
    (field("rule.name", Type::Keyword, "finding", "finding type"), |s| {
        json!(s.detail.finding_type)
    }),
    (field("message", Type::Text, "", "one sentence for people"), |s| {
        json!(sentence(s))
    }),
];

/// The fields of a response document, for mappings, the field reference and the check of panels.
pub fn fields() -> impl Iterator<Item = &'static Field> {
    TABLE.iter().map(|(field, _)| field)
}

/// The document of one audit row, as one line of JSON without its end.
#[must_use]
pub fn document(row: &AuditRow) -> Vec<u8> {
    let source = Source {
        row,
        detail: audit::read(&row.about),
    };
    let mut root = Map::new();
    for (field, read) in TABLE {
        let value = read(&source);
        if !value.is_null() {
            put(&mut root, field.name, value);
        }
    }
    Value::Object(root).to_string().into_bytes()
}

fn put(object: &mut Map<String, Value>, name: &str, value: Value) {
    match name.split_once('.') {
        None => {
            object.insert(name.to_owned(), value);
        }
        Some((first, rest)) => {
            let inner = object.entry(first).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

fn time(source: &Source<'_>) -> String {
    source.row.at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

fn id(row: &AuditRow) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&row.number.to_be_bytes());
    hasher.update(&row.at.timestamp_millis().to_be_bytes());
    hasher.update(audit::carried(row).to_string().as_bytes());
    hasher.finalize().to_hex()[..32].to_owned()
}

fn host(source: &Source<'_>) -> Option<String> {
    source
        .row
        .cidr
        .filter(|cidr| cidr.prefix_len() == cidr.max_prefix_len())
        .map(|cidr: IpNet| cidr.addr().to_string())
}

fn kind(source: &Source<'_>) -> &'static str {
    use crate::ledger::Event;
    match source.row.event {
        Event::Applied => "denied",
        Event::Decided | Event::Refused | Event::Alerted => "info",
        _ => "change",
    }
}

fn outcome(source: &Source<'_>) -> &'static str {
    use crate::ledger::Event;
    match source.row.event {
        Event::Refused | Event::Rejected | Event::Foreign => "failure",
        _ => "success",
    }
}

fn sentence(source: &Source<'_>) -> String {
    let row = source.row;
    let mut text = row.event.word().to_owned();
    if let Some(cidr) = row.cidr {
        text += &format!(" {cidr}");
    }
    if let (Some(acl), Some(direction)) = (&row.acl, row.direction) {
        text += &format!(" on {} {direction}", acl.acl);
    }
    if let Some(rule) = row.rule {
        text += &format!(" rule {rule}");
    }
    text + &format!(": {}", row.reason)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::ledger::Event;
    use crate::network_acl::{AclKey, Direction};

    fn row() -> AuditRow {
        AuditRow {
            number: 7,
            at: "2026-11-20T10:00:00Z".parse().unwrap(),
            event: Event::Applied,
            acl: Some(AclKey {
                account: "111122223333".into(),
                region: "eu-west-1".into(),
                acl: "acl-1".into(),
            }),
            direction: Some(Direction::Ingress),
            rule: Some(71),
            cidr: Some("185.220.101.4/32".parse().unwrap()),
            reason: "matched".into(),
            finding: Some("f-1".into()),
            who: "responder".into(),
            about: audit::carried(&Detail {
                severity: Some(5.0),
                seconds_to_block: Some(1.5),
                ..Detail::default()
            }),
        }
    }

    #[test]
    fn a_document_is_nested_and_leaves_out_what_is_not_known() {
        let document: Value = serde_json::from_slice(&document(&row())).unwrap();
        assert_eq!(document["@timestamp"], "2026-11-20T10:00:00.000Z");
        assert_eq!(document["portcullis"]["response"]["rule"], 71);
        assert_eq!(document["source"]["ip"], "185.220.101.4");
        assert_eq!(document["cloud"]["account"]["id"], "111122223333");
        assert!(document["source"].get("geo").is_none());
    }

    #[test]
    fn the_same_audit_row_gives_the_same_id_and_another_row_another() {
        let mut other = row();
        other.number = 8;
        assert_eq!(id(&row()), id(&row()));
        assert_ne!(id(&row()), id(&other));
    }

    #[test]
    fn no_field_stands_twice_and_none_is_both_leaf_and_object() {
        let names: Vec<&str> = fields().map(|field| field.name).collect();
        for (at, name) in names.iter().enumerate() {
            for other in &names[at + 1..] {
                assert_ne!(name, other);
                assert!(!other.starts_with(&format!("{name}.")), "{other} under {name}");
            }
        }
    }
}
