//! What the tests know of each source beyond its published table.

use std::sync::OnceLock;

use portcullis_transforms::Source;

use super::{json::Json, paths::Tree, reference::Reference};

/// A source whose records are JSON.
pub(crate) struct Spec {
    pub(crate) source: Source,
    /// Whether `Id` and `id` are the same key.
    pub(crate) folds: bool,
    /// Envelopes around the record, as paths of keys.
    pub(crate) wrappers: &'static [&'static [&'static str]],
    /// Rows into which the source may write what it worked out itself.
    pub(crate) derived: &'static [&'static str],
    /// Whether the record's two ends are written the other way round.
    pub(crate) swaps: fn(&Reference) -> bool,
}

impl Spec {
    const fn new(source: Source) -> Self {
        Spec {
            source,
            folds: false,
            wrappers: &[],
            derived: &[],
            swaps: |_| false,
        }
    }

    /// What is known of a source; nothing for flow logs, which are text.
    pub(crate) fn of(source: Source) -> Option<&'static Spec> {
        SPECS.iter().find(|spec| spec.source == source)
    }

    pub(crate) fn tree(&self) -> &'static Tree {
        static TREES: [OnceLock<Tree>; SPECS.len()] = [const { OnceLock::new() }; SPECS.len()];
        let number = SPECS
            .iter()
            .position(|spec| spec.source == self.source)
            .expect("of the list");
        TREES[number].get_or_init(|| Tree::new(self.source, self.folds))
    }

    /// The record inside its envelope; nothing if there is none, several, one in another, or it cannot be told.
    pub(crate) fn body<'j>(&self, record: &'j Json) -> Option<&'j Json> {
        let Json::Object(members) = record else {
            return None;
        };
        let same = |known: &str, key: &str| key == known || (self.folds && key.eq_ignore_ascii_case(known));
        let is_envelope = |key: &str| {
            self.wrappers
                .iter()
                .any(|path| path.first().is_some_and(|first| same(first, key)))
        };
        let mut envelopes = members.iter().filter(|(key, _)| is_envelope(key));
        let Some((key, inside)) = envelopes.next() else {
            return Some(record);
        };
        if envelopes.next().is_some() {
            return None;
        }
        let path = self.wrappers.iter().find(|path| path.first() == Some(&key.as_str()))?;
        let mut at = inside;
        for key in &path[1..] {
            at = at.get(key)?;
        }
        let body = match at {
            Json::Array(values) => match values.as_slice() {
                [body @ Json::Object(_)] => body,
                _ => return None,
            },
            Json::Object(_) => at,
            _ => return None,
        };
        self.body(body).filter(|inner| std::ptr::eq(*inner, body))
    }
}

static SPECS: [Spec; 5] = [
    Spec {
        folds: true,
        wrappers: &[&["detail"], &["findings"]],
        derived: &[
            "event.kind",
            "event.action",
            "network.transport",
            "network.direction",
            "aws.guardduty.sample",
            "aws.guardduty.severity_label",
            "rule.category",
        ],
        swaps: |record| {
            record
                .first("aws.guardduty.direction")
                .is_some_and(|text| text.eq_ignore_ascii_case("OUTBOUND"))
        },
        ..Spec::new(Source::GuardDuty)
    },
    Spec {
        wrappers: &[&["detail", "findings"], &["findings"], &["Findings"]],
        derived: &[
            "event.action",
            "event.category",
            "event.severity",
            "event.outcome",
            "cloud.region",
            "network.direction",
            "network.transport",
            "aws.securityhub.severity_label",
            "aws.securityhub.severity_normalized",
            "aws.securityhub.compliance_status",
            "aws.securityhub.workflow_status",
            "aws.securityhub.fixable",
            "aws.securityhub.exploitable",
        ],
        swaps: |record| {
            let outbound = |text: &str| text.eq_ignore_ascii_case("OUTBOUND");
            record.first("network.direction").is_some_and(outbound)
                && record.has("source.ip")
                && !record.has("destination.ip")
        },
        ..Spec::new(Source::SecurityHub)
    },
    Spec {
        derived: &[
            "event.action",
            "http.request.id",
            "http.version",
            "source.ip",
            "source.address",
            "source.geo.country_iso_code",
            "source.as.number",
            "url.domain",
            "rule.name",
            "aws.waf.acl_arn",
            "aws.waf.captcha_solved",
            "aws.waf.challenge_solved",
            "aws.waf.acl_id",
            "related.ip",
            "related.hosts",
        ],
        ..Spec::new(Source::Waf)
    },
    Spec {
        wrappers: &[&["detail"]],
        derived: &[
            "dns.question.name",
            "dns.response_code",
            "dns.answers.data",
            "network.transport",
            "network.type",
            "related.ip",
            "related.hosts",
            "aws.dns.query_name",
            "event.action",
        ],
        ..Spec::new(Source::Dns)
    },
    Spec {
        wrappers: &[&["detail"], &["Records"]],
        derived: &[
            "event.kind",
            "event.category",
            "event.type",
            "event.outcome",
            "source.ip",
            "user.name",
            "tls.version",
            "related.user",
            "aws.cloudtrail.mfa_used",
            "aws.cloudtrail.user_identity.session_name",
        ],
        ..Spec::new(Source::CloudTrail)
    },
];
