//! Names what a refused record looks like, so that the refusal can say more than "no".
//!
//! EventBridge and `findings` envelopes themselves are part of each source's paths: the engine looks into them.

use std::{borrow::Cow, collections::BTreeMap};

use serde::{Deserialize, de::IgnoredAny};

/// What EventBridge itself says of an event.
#[derive(Deserialize)]
struct Said<'a> {
    #[serde(borrow, default, rename = "detail-type")]
    detail_type: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    source: Option<Cow<'a, str>>,
}

/// Which source's events have such a `detail-type`, or such a part of it.
const DETAIL_TYPES: &[(&str, &str)] = &[
    (" via CloudTrail", "CloudTrail"),
    ("GuardDuty Finding", "GuardDuty"),
    ("Security Hub ", "Security Hub"),
    ("Findings Imported V2", "Security Hub"),
    ("DNS Firewall ", "Route 53 Resolver query logs"),
    ("Inspector2 ", "Amazon Inspector"),
];

/// Which source's events have this `source`, when the `detail-type` does not say: calls to a service's own API carry its
/// name too.
const PRODUCERS: &[(&str, &str)] = &[
    ("aws.guardduty", "GuardDuty"),
    ("aws.securityhub", "Security Hub"),
    ("aws.inspector2", "Amazon Inspector"),
    ("aws.route53resolver", "Route 53 Resolver query logs"),
];

/// A source's title, or the name of another kind of AWS event, by the keys at the record's top.
pub(crate) fn recognise(record: &[u8]) -> Option<&'static str> {
    let keys: BTreeMap<String, IgnoredAny> = serde_json::from_slice(record).ok()?;
    let has = |key: &str| keys.contains_key(key);
    if has("detail-type") || has("detail") {
        let said = serde_json::from_slice(record).unwrap_or(Said {
            detail_type: None,
            source: None,
        });
        let (detail_type, source) = (said.detail_type.unwrap_or_default(), said.source.unwrap_or_default());
        let by_type = DETAIL_TYPES.iter().find(|(part, _)| detail_type.contains(part));
        let producer = by_type.or_else(|| PRODUCERS.iter().find(|(name, _)| source == *name));
        return Some(producer.map_or("an EventBridge event of another service", |(_, title)| *title));
    }
    let kinds: &[(&[&str], &str)] = &[
        (&["webaclId"], "WAF"),
        (&["httpRequest", "terminatingRuleId"], "WAF"),
        (&["ProductArn", "GeneratorId"], "Security Hub"),
        (&["class_uid", "finding_info"], "Security Hub"),
        (&["schemaVersion", "service", "type"], "GuardDuty"),
        (&["SchemaVersion", "Service", "Type"], "GuardDuty"),
        (&["eventVersion", "eventSource", "eventName"], "CloudTrail"),
        (&["eventVersion", "eventID", "insightDetails"], "CloudTrail"),
        (
            &["digestS3Object", "digestStartTime"],
            "a CloudTrail digest file, which holds no events",
        ),
        (&["query_timestamp", "query_name"], "Route 53 Resolver query logs"),
        (&["query_name", "query_type", "rcode"], "Route 53 Resolver query logs"),
        (
            &["messageType", "logGroup", "logEvents"],
            "a CloudWatch Logs subscription",
        ),
        (&["interface-id", "srcaddr"], "VPC flow logs"),
        (&["interface_id", "srcaddr"], "VPC flow logs"),
    ];
    kinds
        .iter()
        .find(|(keys, _)| keys.iter().all(|key| has(key)))
        .map(|(_, title)| *title)
}

/// Whether this is a line of a flow log in its default format, or the header of one.
pub(crate) fn is_flow_log(record: &[u8]) -> bool {
    let line = record.get(..record.len().min(512)).unwrap_or_default();
    let mut words = line.split(|byte| *byte == b' ');
    let version = words.next().unwrap_or_default();
    (version == b"version" || (version.len() <= 2 && version.iter().all(u8::is_ascii_digit) && !version.is_empty()))
        && words.count() >= 12
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_told_apart_by_their_keys() {
        let cases = [
            (r#"{"timestamp":1,"webaclId":"x"}"#, Some("WAF")),
            (r#"{"source":"aws.guardduty","detail":{}}"#, Some("GuardDuty")),
            (
                r#"{"source":"aws.ec2","detail":{}}"#,
                Some("an EventBridge event of another service"),
            ),
            (r#"{"ProductArn":"a","GeneratorId":"b"}"#, Some("Security Hub")),
            (
                r#"{"eventVersion":"1","eventSource":"s","eventName":"n"}"#,
                Some("CloudTrail"),
            ),
            (
                r#"{"awsAccountId":"111122223333","digestStartTime":"t","digestS3Object":"o","logFiles":[]}"#,
                Some("a CloudTrail digest file, which holds no events"),
            ),
            (
                r#"{"detail-type":"AWS API Call via CloudTrail","source":"aws.s3","detail":{}}"#,
                Some("CloudTrail"),
            ),
            (
                r#"{"srcaddr":"192.0.2.1","query_name":"example.com.","query_timestamp":"2026-11-21T10:51:00Z"}"#,
                Some("Route 53 Resolver query logs"),
            ),
            (
                r#"{"source":"aws.guardduty","detail-type":"AWS API Call via CloudTrail","detail":{}}"#,
                Some("CloudTrail"),
            ),
            (
                r#"{"source":"aws.ec2","detail-type":"EC2 Instance","detail":{"a":"aws.guardduty","b":"x via CloudTrail"}}"#,
                Some("an EventBridge event of another service"),
            ),
            (
                r#"{"detail-type":"Security Hub Findings - Imported","detail":{"a":"aws.guardduty"}}"#,
                Some("Security Hub"),
            ),
            (
                r#"{"detail-type":"DNS Firewall Block","source":"aws.route53resolver","detail":{}}"#,
                Some("Route 53 Resolver query logs"),
            ),
            (r#"{"a":1}"#, None),
            ("[]", None),
        ];
        for (record, expected) in cases {
            assert_eq!(recognise(record.as_bytes()), expected, "{record}");
        }
    }

    #[test]
    fn a_flow_log_line_is_told_by_its_columns() {
        assert!(is_flow_log(
            b"2 123456789010 eni-1 10.0.0.1 10.0.0.2 1 2 6 1 1 1418530010 1418530070 ACCEPT OK"
        ));
        assert!(!is_flow_log(b"2 is a number"));
        assert!(!is_flow_log(b""));
    }
}
