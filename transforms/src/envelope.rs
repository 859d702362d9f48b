//! Names what a refused record looks like, so that the refusal can say more than "no".
//!
//! EventBridge and `findings` envelopes themselves are part of each source's paths: the engine looks into them.

use std::collections::BTreeMap;

use memchr::memmem;
use serde::de::IgnoredAny;

/// A source's title, or the name of another kind of AWS event, by the keys at the record's top.
pub(crate) fn recognise(record: &[u8]) -> Option<&'static str> {
    let keys: BTreeMap<String, IgnoredAny> = serde_json::from_slice(record).ok()?;
    let has = |key: &str| keys.contains_key(key);
    if has("detail-type") || has("detail") {
        let producers: [(&[u8], &str); 5] = [
            // First: calls to the other services' APIs carry their names as well.
            (b" via CloudTrail\"", "CloudTrail"),
            (b"\"aws.guardduty\"", "GuardDuty"),
            (b"\"aws.securityhub\"", "Security Hub"),
            (b"\"aws.inspector2\"", "Amazon Inspector"),
            (b"\"aws.route53resolver\"", "Route 53 Resolver query logs"),
        ];
        let producer = producers.iter().find(|(name, _)| memmem::find(record, name).is_some());
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
