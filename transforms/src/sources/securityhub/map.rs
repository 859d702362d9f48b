//! What the table cannot say: severity from its label and the other way round, outcome, direction.

use super::FIELDS;
use crate::{
    engine::{Derived, Input, Map, RowId, row},
    schema::Field,
    source::Source,
};

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
const LABEL: RowId = row(FIELDS, "aws.securityhub.severity_label");
const NORMALIZED: RowId = row(FIELDS, "aws.securityhub.severity_normalized");
const TYPES: RowId = row(FIELDS, "aws.securityhub.types");
const COMPLIANCE: RowId = row(FIELDS, "aws.securityhub.compliance_status");

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
        &[("event.kind", "alert"), ("event.type", "info")]
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
        ]
    }

    fn required(&self) -> &'static [&'static [RowId]] {
        &[&[PRODUCT_ARN, GENERATOR], &[ID]]
    }

    fn native_id(&self) -> Option<RowId> {
        Some(ID)
    }

    fn derive(&self, input: &Input<'_>, derived: &mut Derived) {
        severity(input, derived);
        derived.set(CATEGORY, category(input));
        for row in [ACTION, TRANSPORT] {
            if let Some(text) = input.text(row) {
                derived.set(row, &text.to_ascii_lowercase());
            }
        }
        if let Some(direction) = input.text(DIRECTION) {
            let word = match &*direction.to_ascii_lowercase() {
                "in" | "inbound" => "inbound",
                "out" | "outbound" => "outbound",
                _ => "unknown",
            };
            derived.set(DIRECTION, word);
        }
        // `Network` names both ends itself; an action only names the remote one.
        let outbound = input
            .text(DIRECTION)
            .is_some_and(|direction| direction.eq_ignore_ascii_case("OUTBOUND"));
        if outbound && input.has(SOURCE_IP) && !input.has(DESTINATION_IP) {
            derived.swap_ends();
        }
        let outcome = input.text(COMPLIANCE).map(|status| match &*status {
            "PASSED" => "success",
            "FAILED" => "failure",
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

/// The namespace of the first type tells what kind of finding it is:
/// <https://docs.aws.amazon.com/securityhub/latest/userguide/asff-required-attributes.html#Types>.
fn category(input: &Input<'_>) -> &'static str {
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
    match (input.text(LABEL), input.text(NORMALIZED)) {
        (Some(label), None) => {
            let number = match &*label.to_ascii_uppercase() {
                "INFORMATIONAL" => "0",
                "LOW" => "1",
                "MEDIUM" => "40",
                "HIGH" => "70",
                "CRITICAL" => "90",
                _ => return,
            };
            derived.set(SEVERITY, number);
            derived.set(NORMALIZED, number);
        }
        (None, Some(number)) => {
            if let Ok(number) = number.parse::<f64>() {
                derived.set(LABEL, label(number));
            }
        }
        _ => {}
    }
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
