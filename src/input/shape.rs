//! Which source a record is of, told by its shape.
//!
//! Only the names at the top level decide, and of the values only the two that EventBridge itself writes: what an attacker
//! can put into a header or a title is never looked at.

use portcullis_transforms::{Source, sources::dns};

/// What a name at the top level of a JSON record says.
const NAMES: &[(&str, Source)] = &[
    ("webaclId", Source::Waf),
    ("httpRequest", Source::Waf),
    ("httpSourceId", Source::Waf),
    ("terminatingRuleId", Source::Waf),
    ("ProductArn", Source::SecurityHub),
    ("GeneratorId", Source::SecurityHub),
    ("AwsAccountId", Source::SecurityHub),
    ("finding_info", Source::SecurityHub),
    ("class_uid", Source::SecurityHub),
    ("schemaVersion", Source::GuardDuty),
    ("service", Source::GuardDuty),
    ("Service", Source::GuardDuty),
    ("Partition", Source::GuardDuty),
    ("query_name", Source::Dns),
    ("query_timestamp", Source::Dns),
    ("firewall_rule_group_id", Source::Dns),
    ("srcids", Source::Dns),
    ("eventVersion", Source::CloudTrail),
    ("eventSource", Source::CloudTrail),
    ("userIdentity", Source::CloudTrail),
    ("insightDetails", Source::CloudTrail),
    ("digestStartTime", Source::CloudTrail),
    ("digestS3Bucket", Source::CloudTrail),
    ("message", Source::VpcFlow),
    ("srcaddr", Source::VpcFlow),
    ("dstaddr", Source::VpcFlow),
    ("interface_id", Source::VpcFlow),
    ("interface-id", Source::VpcFlow),
    ("interfaceId", Source::VpcFlow),
];

/// What the `source` of an EventBridge envelope says, when its `detail-type` says nothing: calls to a service's own API
/// carry its name as well.
const PRODUCERS: &[(&str, Source)] = &[
    ("aws.guardduty", Source::GuardDuty),
    ("aws.securityhub", Source::SecurityHub),
];

/// What the `detail-type` of an EventBridge envelope says.
const ENVELOPES: &[(&str, Source)] = &[
    ("GuardDuty Finding", Source::GuardDuty),
    ("Security Hub Findings - Imported", Source::SecurityHub),
    ("Security Hub Findings - Custom Action", Source::SecurityHub),
    ("Security Hub Insight Results", Source::SecurityHub),
    ("Findings Imported V2", Source::SecurityHub),
    ("DNS Firewall Alert", Source::Dns),
    ("DNS Firewall Block", Source::Dns),
];

/// How every `detail-type` of CloudTrail's ends: API calls, sign-ins, service events, Insights.
const VIA_CLOUDTRAIL: &[u8] = b" via CloudTrail";

/// Lists whose first element says what all are.
const LISTS: &[&[u8]] = &[b"findings", b"Findings", b"Records"];

/// Names that records of other sources have too: they decide when nothing else does.
const WEAK: &[&[u8]] = &[b"message", b"srcaddr"];

/// The source that a record's shape belongs to: JSON by its names, a line of a public hosted zone by its first columns, any
/// other text as flow logs. `None` when no name decides.
///
/// ```
/// use portcullis::input::detect;
/// use portcullis_transforms::Source;
///
/// assert_eq!(detect(br#"{"timestamp":1,"webaclId":"arn"}"#), Some(Source::Waf));
/// assert_eq!(detect(b"2 123456789012 eni-1 - - - - - - - 1 2 - NODATA"), Some(Source::VpcFlow));
/// assert_eq!(detect(br#"{"hello":"world"}"#), None);
/// ```
#[must_use]
pub fn detect(record: &[u8]) -> Option<Source> {
    let record = record.trim_ascii_start();
    if record.first() != Some(&b'{') {
        let is_query = dns::is_line(record);
        return Some(if is_query { Source::Dns } else { Source::VpcFlow });
    }
    let (mut envelope, mut producer, mut list, mut flow) = (None, None, None, None);
    for (name, value) in (Members { rest: &record[1..] }) {
        if name == b"detail-type" {
            let via = value.ends_with(VIA_CLOUDTRAIL).then_some(Source::CloudTrail);
            envelope = envelope.or(via).or_else(|| look_up(ENVELOPES, value));
        } else if name == b"source" {
            producer = producer.or_else(|| look_up(PRODUCERS, value));
        } else if let Some(source) = look_up(NAMES, name) {
            // `message` may also hold a whole record of another source.
            if !WEAK.contains(&name) {
                return Some(source);
            }
            flow = flow.or((!value.is_empty() && !matches!(value.first(), Some(b'{' | b'['))).then_some(source));
        } else if LISTS.contains(&name) {
            list = list.or(of_first(value));
        }
    }
    envelope.or(producer).or(list).or(flow)
}

/// The source of a list's first element, which is no list itself.
fn of_first(list: &[u8]) -> Option<Source> {
    let first = list.strip_prefix(b"[")?.trim_ascii_start();
    let is_finding = |(name, _): &(&[u8], &[u8])| !LISTS.contains(name);
    first.strip_prefix(b"{").and_then(|rest| {
        Members { rest }
            .filter(is_finding)
            .find_map(|(name, _)| look_up(NAMES, name))
    })
}

fn look_up(table: &[(&str, Source)], text: &[u8]) -> Option<Source> {
    table
        .iter()
        .find(|(name, _)| name.as_bytes() == text)
        .map(|(_, source)| *source)
}

/// The members of a JSON object: raw name, and raw text of the value, without quotes. Stops where it is no JSON.
struct Members<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        self.skip_blanks();
        let name = self.string()?;
        self.skip_blanks();
        self.rest = self.rest.strip_prefix(b":")?;
        self.skip_blanks();
        let value = if self.rest.first() == Some(&b'"') {
            self.string()?
        } else {
            let start = self.rest;
            self.skip_value();
            &start[..start.len() - self.rest.len()]
        };
        self.skip_blanks();
        self.rest = self.rest.strip_prefix(b",").unwrap_or(&[]);
        Some((name, value))
    }
}

impl<'a> Members<'a> {
    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    fn string(&mut self) -> Option<&'a [u8]> {
        let text = self.rest.strip_prefix(b"\"")?;
        let mut at = 0;
        loop {
            at += memchr::memchr2(b'"', b'\\', &text[at..])?;
            if text[at] == b'"' {
                self.rest = &text[at + 1..];
                return Some(&text[..at]);
            }
            at = (at + 2).min(text.len());
        }
    }

    /// Past a number, word, object or array, however deep.
    fn skip_value(&mut self) {
        let mut depth = 0_u32;
        while let Some(&byte) = self.rest.first() {
            match byte {
                b'"' => {
                    if self.string().is_none() {
                        self.rest = &[];
                    }
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth == 0 => return,
                b'}' | b']' => depth -= 1,
                b',' if depth == 0 => return,
                _ => {}
            }
            self.rest = &self.rest[1..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_tells_the_source() {
        use Source::{CloudTrail, Dns, GuardDuty, SecurityHub, VpcFlow, Waf};
        for (record, source) in [
            (
                r#"{"timestamp":1576280412771,"formatVersion":1,"webaclId":"arn"}"#,
                Some(Waf),
            ),
            (r#"{"schemaVersion":"2.0","accountId":"1","id":"x"}"#, Some(GuardDuty)),
            (
                r#"{"AccountId":"1","Arn":"a","Partition":"aws","Service":{}}"#,
                Some(GuardDuty),
            ),
            (
                r#"{"SchemaVersion":"2018-10-08","Id":"x","ProductArn":"p"}"#,
                Some(SecurityHub),
            ),
            (
                r#"{ "source" : "aws.guardduty", "detail" : {"a":[{}]} }"#,
                Some(GuardDuty),
            ),
            (
                r#"{"version":"0","detail-type":"Security Hub Findings - Imported","detail":{"findings":[{}]}}"#,
                Some(SecurityHub),
            ),
            (
                r#"{"eventVersion":"1.11","userIdentity":{"type":"Root"}}"#,
                Some(CloudTrail),
            ),
            (
                r#"{"userIdentity":{},"eventTime":"t","eventName":"n"}"#,
                Some(CloudTrail),
            ),
            (
                r#"{"detail-type":"AWS API Call via CloudTrail","source":"aws.guardduty","detail":{}}"#,
                Some(CloudTrail),
            ),
            (
                r#"{"source":"aws.guardduty","detail":{},"detail-type":"AWS API Call via CloudTrail"}"#,
                Some(CloudTrail),
            ),
            (
                r#"{"detail-type":"AWS Console Sign In via CloudTrail","source":"aws.signin","detail":{}}"#,
                Some(CloudTrail),
            ),
            (
                r#"{"source":"aws.guardduty","detail-type":"GuardDuty Malware Protection Object Scan Result"}"#,
                Some(GuardDuty),
            ),
            (
                r#"{"source":"aws.securityhub","detail-type":"GuardDuty Finding","detail":{}}"#,
                Some(GuardDuty),
            ),
            (r#"{"message":"2 1 eni-1 - - - - - - - 1 2 - NODATA"}"#, Some(VpcFlow)),
            (r#"{"message":"x","webaclId":"arn"}"#, Some(Waf)),
            (r#"{"version":2,"srcaddr":"192.0.2.1"}"#, Some(VpcFlow)),
            (
                r#"{"srcaddr":"10.0.0.5","vpc_id":"vpc-1","answers":[],"query_name":"example.com."}"#,
                Some(Dns),
            ),
            (
                r#"{"version":"1.100000","query_timestamp":"2026-11-21T10:51:00Z"}"#,
                Some(Dns),
            ),
            (
                r#"{"detail-type":"DNS Firewall Block","source":"aws.route53resolver","detail":{}}"#,
                Some(Dns),
            ),
            (
                "1.0 2026-11-21T10:51:00.130Z Z1 example.com A NOERROR UDP FRA6 192.0.2.53 -",
                Some(Dns),
            ),
            ("version account-id interface-id", Some(VpcFlow)),
            ("2 1 eni-1 192.0.2.1", Some(VpcFlow)),
            (r#"{"Records":[{"eventVersion":"1.11"}]}"#, Some(CloudTrail)),
            // No event, but its source knows what it is and says so.
            (
                r#"{"awsAccountId":"1","digestStartTime":"2026-11-21T10:00:00Z","digestS3Bucket":"b"}"#,
                Some(CloudTrail),
            ),
            (r#"{"findings":[{"schemaVersion":"2.0"},{}]}"#, Some(GuardDuty)),
            (
                r#"{"Findings": [ {"ProductArn":"p"} ], "NextToken":null}"#,
                Some(SecurityHub),
            ),
            (
                r#"{"detail-type":"AWS API Call via CloudTrail","source":"aws.s3"}"#,
                Some(CloudTrail),
            ),
            (r#"{"query_name":"example.com."}"#, Some(Dns)),
            (r#"{"message":"{\"query_name\":\"example.com.\"}"}"#, None),
            (r#"{"findings":[{"findings":[{"ProductArn":"p"}]}]}"#, None),
            (r#"{"a":1}"#, None),
            (r#"{"findings":[]}"#, None),
            ("{", None),
            (r#"{"a""#, None),
            (r#"{"a":"\"#, None),
            (r#"{"a":["#, None),
        ] {
            assert_eq!(detect(record.as_bytes()), source, "{record}");
        }
    }

    #[test]
    fn text_that_an_attacker_can_write_does_not_decide() {
        for record in [
            r#"{"x":"\",\"webaclId\":\"","y":{"ProductArn":"p"}}"#,
            r#"{"x":["webaclId",{"schemaVersion":1}],"webaclIdx":1}"#,
            r#"{"x":"aws.guardduty"}"#,
        ] {
            assert_eq!(detect(record.as_bytes()), None, "{record}");
        }
        let waf = br#"{"labels":[{"source":"aws.guardduty"}],"httpRequest":{"ProductArn":"p"}}"#;
        assert_eq!(detect(waf), Some(Source::Waf));
    }
}
