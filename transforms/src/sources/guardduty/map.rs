//! What the table cannot say: the parts of the type, the severity's label, the direction, the tactics among the
//! indicators of an attack sequence.

use super::FIELDS;
use crate::{
    engine::{Derived, Input, Map, RowId, row},
    schema::Field,
    source::Source,
};

const KIND: RowId = row(FIELDS, "event.kind");
const ACTION: RowId = row(FIELDS, "event.action");
const SEVERITY: RowId = row(FIELDS, "event.severity");
const CATEGORY: RowId = row(FIELDS, "rule.category");
const TITLE: RowId = row(FIELDS, "rule.name");
const NETWORK_DIRECTION: RowId = row(FIELDS, "network.direction");
const TRANSPORT: RowId = row(FIELDS, "network.transport");
const ID: RowId = row(FIELDS, "aws.guardduty.finding_id");
const ARN: RowId = row(FIELDS, "aws.guardduty.arn");
const TYPE: RowId = row(FIELDS, "aws.guardduty.type");
const PURPOSE: RowId = row(FIELDS, "aws.guardduty.threat_purpose");
const AFFECTED: RowId = row(FIELDS, "aws.guardduty.resource_affected");
const FAMILY: RowId = row(FIELDS, "aws.guardduty.family");
const MECHANISM: RowId = row(FIELDS, "aws.guardduty.mechanism");
const ARTIFACT: RowId = row(FIELDS, "aws.guardduty.artifact");
const LABEL: RowId = row(FIELDS, "aws.guardduty.severity_label");
const DIRECTION: RowId = row(FIELDS, "aws.guardduty.direction");
const SAMPLE: RowId = row(FIELDS, "aws.guardduty.sample");
const ADDITIONAL_INFO: RowId = row(FIELDS, "aws.guardduty.additional_info");
const DETECTOR: RowId = row(FIELDS, "aws.guardduty.detector_id");
const SCHEMA_VERSION: RowId = row(FIELDS, "aws.guardduty.schema_version");
const SCAN_STATUS: RowId = row(FIELDS, "aws.guardduty.scan_status");
const PROTECTION_STATUS: RowId = row(FIELDS, "aws.guardduty.protection_status");
const POST_SCAN_ACTION: RowId = row(FIELDS, "aws.guardduty.post_scan_action");
const INDICATOR_VALUE: RowId = row(FIELDS, "aws.guardduty.indicator_value");
const TACTIC: RowId = row(FIELDS, "aws.guardduty.tactic");
const TECHNIQUE: RowId = row(FIELDS, "aws.guardduty.technique");

/// The tactics of MITRE ATT&CK, by whose names GuardDuty's indicators call them.
const TACTICS: [&str; 14] = [
    "Reconnaissance",
    "Resource Development",
    "Initial Access",
    "Execution",
    "Persistence",
    "Privilege Escalation",
    "Defense Evasion",
    "Credential Access",
    "Discovery",
    "Lateral Movement",
    "Collection",
    "Command and Control",
    "Exfiltration",
    "Impact",
];

/// The source.
#[derive(Debug)]
pub(crate) struct GuardDuty;

impl Map for GuardDuty {
    fn source(&self) -> Source {
        Source::GuardDuty
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn constants(&self) -> &'static [(&'static str, &'static str)] {
        &[("event.category", "intrusion_detection"), ("event.type", "info")]
    }

    fn wrappers(&self) -> &'static [&'static str] {
        &["detail", "findings"]
    }

    fn folds_first_letter(&self) -> bool {
        true
    }

    fn native_times(&self) -> &'static [&'static str] {
        &[
            "createdAt",
            "updatedAt",
            "service.eventFirstSeen",
            "service.eventLastSeen",
        ]
    }

    fn required(&self) -> &'static [&'static [RowId]] {
        // A finding, or one of the events of Malware Protection for S3, which have neither type nor id.
        &[
            &[TYPE, SCAN_STATUS, PROTECTION_STATUS, POST_SCAN_ACTION],
            &[ID, ARN, DETECTOR, SCHEMA_VERSION],
        ]
    }

    fn native_id(&self) -> Option<RowId> {
        Some(ID)
    }

    fn derive(&self, input: &Input<'_>, derived: &mut Derived) {
        match input.text(TYPE) {
            Some(finding_type) => {
                derived.set(KIND, "alert");
                split_type(&finding_type, derived);
            }
            None => derived.set(KIND, "event"),
        }
        if let Some(label) = input.text(SEVERITY).and_then(|severity| label(&severity)) {
            derived.set(LABEL, label);
        }
        for row in [ACTION, TRANSPORT] {
            for text in input.texts(row) {
                derived.set_lowercase(row, &text);
            }
        }
        if let Some(direction) = input.text(DIRECTION) {
            if direction.eq_ignore_ascii_case("OUTBOUND") {
                derived.swap_ends();
            }
            derived.set_lowercase(NETWORK_DIRECTION, &direction);
        }
        match input.text(SAMPLE) {
            Some(text) if text != "true" && text != "false" => {}
            _ => derived.set(SAMPLE, if is_sample(input) { "true" } else { "false" }),
        }
        for value in input.texts(INDICATOR_VALUE) {
            if TACTICS.contains(&&*value) {
                derived.set(TACTIC, &value);
            } else if is_technique(&value) {
                derived.set(TECHNIQUE, &value);
            }
        }
    }
}

/// `T1078` or `T1078.004 - Valid Accounts: Cloud Accounts`.
fn is_technique(value: &str) -> bool {
    matches!(value.as_bytes(), [b'T', a, b, c, d, rest @ ..]
        if [a, b, c, d].iter().all(|digit| digit.is_ascii_digit()) && matches!(rest, [] | [b'.' | b' ', ..]))
}

/// `ThreatPurpose:ResourceTypeAffected/ThreatFamilyName.DetectionMechanism!Artifact`; the last two are optional.
fn split_type(finding_type: &str, derived: &mut Derived) {
    let (purpose, rest) = finding_type.split_once(':').unwrap_or((finding_type, ""));
    let (affected, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let (rest, artifact) = rest.split_once('!').unwrap_or((rest, ""));
    let (family, mechanism) = rest.split_once('.').unwrap_or((rest, ""));
    derived.set(CATEGORY, purpose);
    let parts = [
        (PURPOSE, purpose),
        (AFFECTED, affected),
        (FAMILY, family),
        (MECHANISM, mechanism),
        (ARTIFACT, artifact),
    ];
    for (row, part) in parts {
        derived.set(row, part);
    }
}

/// GuardDuty's own bounds: <https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-severity.html>.
fn label(severity: &str) -> Option<&'static str> {
    match severity.parse::<f64>().ok()? {
        severity if severity >= 9.0 => Some("Critical"),
        severity if severity >= 7.0 => Some("High"),
        severity if severity >= 4.0 => Some("Medium"),
        severity if severity > 0.0 => Some("Low"),
        _ => None,
    }
}

/// Generated samples say so in `additionalInfo`, as a member or inside the JSON text of `value`, and in the title.
fn is_sample(input: &Input<'_>) -> bool {
    let said = input.text(SAMPLE).is_some_and(|sample| sample == "true");
    let inside = input
        .text(ADDITIONAL_INFO)
        .is_some_and(|value| value.contains("\"sample\":true") || value.contains("\"sample\": true"));
    let titled = input.text(TITLE).is_some_and(|title| title.starts_with("[SAMPLE]"));
    let named = input.text(ARN).is_some_and(|arn| arn.ends_with("/sample"));
    said || inside || titled || named
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_technique_is_told_by_its_number() {
        for technique in [
            "T1078",
            "T1078.004 - Valid Accounts",
            "T1580 - Cloud Infrastructure Discovery",
        ] {
            assert!(is_technique(technique), "{technique}");
        }
        for other in ["", "T", "T107", "T10784", "Tactic", "t1078", "TOR"] {
            assert!(!is_technique(other), "{other}");
        }
    }

    #[test]
    fn the_label_follows_the_documented_bounds() {
        let cases = [
            ("0", None),
            ("1", Some("Low")),
            ("3.9", Some("Low")),
            ("4.0", Some("Medium")),
            ("6.9", Some("Medium")),
            ("7", Some("High")),
            ("8.9", Some("High")),
            ("9.0", Some("Critical")),
            ("10", Some("Critical")),
            ("high", None),
        ];
        for (severity, expected) in cases {
            assert_eq!(label(severity), expected, "{severity}");
        }
    }
}
