//! What the table cannot say: severity from its label and the other way round, ASFF's words for OCSF's, outcome,
//! direction.

use super::FIELDS;
use crate::{
    engine::{Derived, Input, Map, RowId, row},
    schema::Field,
    source::Source,
};

const KIND: RowId = row(FIELDS, "event.kind");
const ACTION: RowId = row(FIELDS, "event.action");
const CATEGORY: RowId = row(FIELDS, "event.category");
const SEVERITY: RowId = row(FIELDS, "event.severity");
const OUTCOME: RowId = row(FIELDS, "event.outcome");
const REGION: RowId = row(FIELDS, "cloud.region");
const SOURCE_IP: RowId = row(FIELDS, "source.ip");
const DESTINATION_IP: RowId = row(FIELDS, "destination.ip");
const DIRECTION: RowId = row(FIELDS, "network.direction");
const TRANSPORT: RowId = row(FIELDS, "network.transport");
const ID: RowId = row(FIELDS, "aws.securityhub.finding_id");
const PRODUCT_ARN: RowId = row(FIELDS, "aws.securityhub.product_arn");
const GENERATOR: RowId = row(FIELDS, "aws.securityhub.generator_id");
const INSIGHT: RowId = row(FIELDS, "aws.securityhub.insight_arn");
const CLASS: RowId = row(FIELDS, "aws.securityhub.class_uid");
const LABEL: RowId = row(FIELDS, "aws.securityhub.severity_label");
const SEVERITY_NAME: RowId = row(FIELDS, "aws.securityhub.severity_name");
const SEVERITY_ID: RowId = row(FIELDS, "aws.securityhub.severity_id");
const NORMALIZED: RowId = row(FIELDS, "aws.securityhub.severity_normalized");
const TYPES: RowId = row(FIELDS, "aws.securityhub.types");
const COMPLIANCE: RowId = row(FIELDS, "aws.securityhub.compliance_status");
const COMPLIANCE_RESULT: RowId = row(FIELDS, "aws.securityhub.compliance_result");
const WORKFLOW: RowId = row(FIELDS, "aws.securityhub.workflow_status");
const OCSF_STATUS: RowId = row(FIELDS, "aws.securityhub.status");
const FIXABLE: RowId = row(FIELDS, "aws.securityhub.fixable");
const FIX_AVAILABLE: RowId = row(FIELDS, "aws.securityhub.fix_available");
const EXPLOITABLE: RowId = row(FIELDS, "aws.securityhub.exploitable");
const EXPLOIT_AVAILABLE: RowId = row(FIELDS, "aws.securityhub.exploit_available");

/// The source.
#[derive(Debug)]
pub(crate) struct SecurityHub;

impl Map for SecurityHub {
    fn source(&self) -> Source {
        Source::SecurityHub
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn constants(&self) -> &'static [(&'static str, &'static str)] {
        &[("event.type", "info")]
    }

    fn wrappers(&self) -> &'static [&'static str] {
        &["detail.findings", "findings", "Findings"]
    }

    fn native_times(&self) -> &'static [&'static str] {
        &[
            "CreatedAt",
            "UpdatedAt",
            "FirstObservedAt",
            "LastObservedAt",
            "ProcessedAt",
            "time",
            "time_dt",
            "finding_info.{created_time,modified_time,first_seen_time,last_seen_time}",
            "finding_info.{created_time_dt,modified_time_dt,first_seen_time_dt,last_seen_time_dt}",
        ]
    }

    fn required(&self) -> &'static [&'static [RowId]] {
        &[&[PRODUCT_ARN, GENERATOR, CLASS, INSIGHT], &[ID, INSIGHT]]
    }

    fn native_id(&self) -> Option<RowId> {
        Some(ID)
    }

    fn derive(&self, input: &Input<'_>, derived: &mut Derived) {
        derived.set(KIND, if input.has(ID) { "alert" } else { "event" });
        severity(input, derived);
        ocsf_words(input, derived);
        derived.set(CATEGORY, category(input));
        for row in [ACTION, TRANSPORT] {
            for text in input.texts(row) {
                derived.set(row, &text.to_ascii_lowercase());
            }
        }
        direction(input, derived);
        let outcome = input.text(COMPLIANCE).map(|status| match compliance(&status) {
            Some("PASSED") => "success",
            Some("FAILED") => "failure",
            _ => "unknown",
        });
        if let Some(outcome) = outcome {
            derived.set(OUTCOME, outcome);
        }
        if !input.has(REGION) {
            let arn = input.text(PRODUCT_ARN).unwrap_or_default();
            derived.set(REGION, arn.split(':').nth(3).unwrap_or_default());
        }
    }
}

fn direction(input: &Input<'_>, derived: &mut Derived) {
    let Some(direction) = input.text(DIRECTION) else {
        return;
    };
    let word = match &*direction.to_ascii_lowercase() {
        "in" | "inbound" => "inbound",
        "out" | "outbound" => "outbound",
        _ => "unknown",
    };
    derived.set(DIRECTION, word);
    // `Network` and evidence name both ends themselves; an action only names the remote one.
    if direction.eq_ignore_ascii_case("OUTBOUND") && input.has(SOURCE_IP) && !input.has(DESTINATION_IP) {
        derived.swap_ends();
    }
}

/// Panels and searches ask for the words of ASFF, so an OCSF finding gets them too, beside its own.
fn ocsf_words(input: &Input<'_>, derived: &mut Derived) {
    if input.has(OCSF_STATUS)
        && let Some(status) = input.text(WORKFLOW)
    {
        derived.set(WORKFLOW, &status.to_ascii_uppercase().replace(' ', "_"));
    }
    if input.has(COMPLIANCE_RESULT)
        && let Some(status) = input.text(COMPLIANCE)
    {
        derived.set(COMPLIANCE, compliance(&status).unwrap_or(&status));
    }
    for (own, words) in [(FIX_AVAILABLE, FIXABLE), (EXPLOIT_AVAILABLE, EXPLOITABLE)] {
        if !input.has(own) {
            continue;
        }
        for text in input.texts(words) {
            let word = match &*text {
                "true" => "YES",
                "false" => "NO",
                other => other,
            };
            derived.set(words, word);
        }
    }
}

/// ASFF's word for the result of a control, from either form's.
fn compliance(status: &str) -> Option<&'static str> {
    Some(match &*status.to_ascii_lowercase() {
        "pass" | "passed" => "PASSED",
        "fail" | "failed" => "FAILED",
        "warning" => "WARNING",
        "unknown" | "not_available" => "NOT_AVAILABLE",
        _ => return None,
    })
}

/// The namespace of the first type tells what kind of finding it is:
/// <https://docs.aws.amazon.com/securityhub/latest/userguide/asff-required-attributes.html#Types>.
/// An OCSF finding has a class for it: <https://schema.ocsf.io/categories/findings>.
fn category(input: &Input<'_>) -> &'static str {
    match input.text(CLASS).as_deref() {
        Some("2002") => return "vulnerability",
        Some("2003" | "2006" | "2007") => return "configuration",
        Some("2004" | "2005") => return "intrusion_detection",
        _ => {}
    }
    let first = input.text(TYPES).unwrap_or_default();
    match first.split_once('/') {
        Some(("Software and Configuration Checks", rest)) if rest.starts_with("Vulnerabilities") => "vulnerability",
        Some(("TTPs" | "Effects" | "Unusual Behaviors", _)) => "intrusion_detection",
        _ => "configuration",
    }
}

/// Either of label and number follows from the other:
/// <https://docs.aws.amazon.com/securityhub/latest/userguide/asff-required-attributes.html#Severity>.
fn severity(input: &Input<'_>, derived: &mut Derived) {
    if let Some(number) = input.text(NORMALIZED) {
        if !input.has(LABEL)
            && let Ok(number) = number.parse::<f64>()
        {
            derived.set(LABEL, label(number));
        }
        return;
    }
    let known = match input.text(LABEL) {
        Some(label) => word(&label).map(|(word, number)| {
            // Only where the record's own word stays visible: in another case, or in its row for OCSF's words.
            let shown = word.eq_ignore_ascii_case(&label) || input.text(SEVERITY_NAME).as_ref() == Some(&label);
            if word != label && shown {
                derived.set(LABEL, word);
            }
            number
        }),
        None => input.text(SEVERITY_ID).and_then(|id| by_id(&id)).map(|(word, number)| {
            derived.set(LABEL, word);
            number
        }),
    };
    if let Some(number) = known {
        derived.set(SEVERITY, number);
        derived.set(NORMALIZED, number);
    }
}

/// ASFF's label and the least number that has it, from a word in any case; OCSF knows one word more.
fn word(label: &str) -> Option<(&'static str, &'static str)> {
    Some(match &*label.to_ascii_uppercase() {
        "INFORMATIONAL" => ("INFORMATIONAL", "0"),
        "LOW" => ("LOW", "1"),
        "MEDIUM" => ("MEDIUM", "40"),
        "HIGH" => ("HIGH", "70"),
        "CRITICAL" => ("CRITICAL", "90"),
        "FATAL" => ("CRITICAL", "100"),
        _ => return None,
    })
}

/// The same from OCSF's number.
fn by_id(id: &str) -> Option<(&'static str, &'static str)> {
    word(match id {
        "1" => "INFORMATIONAL",
        "2" => "LOW",
        "3" => "MEDIUM",
        "4" => "HIGH",
        "5" => "CRITICAL",
        "6" => "FATAL",
        _ => return None,
    })
}

fn label(normalized: f64) -> &'static str {
    match normalized {
        number if number >= 90.0 => "CRITICAL",
        number if number >= 70.0 => "HIGH",
        number if number >= 40.0 => "MEDIUM",
        number if number >= 1.0 => "LOW",
        _ => "INFORMATIONAL",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_come_to_the_same_words() {
        for (status, expected) in [
            ("Pass", Some("PASSED")),
            ("FAIL", Some("FAILED")),
            ("FAILED", Some("FAILED")),
            ("Unknown", Some("NOT_AVAILABLE")),
            ("Other", None),
        ] {
            assert_eq!(compliance(status), expected, "{status}");
        }
        assert_eq!(word("High"), by_id("4"));
        assert_eq!(word("Fatal"), Some(("CRITICAL", "100")));
        assert_eq!((word("Unknown"), by_id("0"), by_id("99")), (None, None, None));
    }

    #[test]
    fn the_label_follows_the_documented_bounds() {
        let cases = [
            (0.0, "INFORMATIONAL"),
            (1.0, "LOW"),
            (39.0, "LOW"),
            (40.0, "MEDIUM"),
            (70.0, "HIGH"),
            (90.0, "CRITICAL"),
        ];
        for (number, expected) in cases {
            assert_eq!(label(number), expected);
        }
    }
}
