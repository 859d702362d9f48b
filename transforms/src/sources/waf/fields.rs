//! The table: what an `ecs` document of a WAF log may carry.

use crate::schema::{
    Field,
    Type::{Date, FlatObject, Ip, Keyword, Long},
    field,
};

/// A member of a rule that matched without ending the request, in the web ACL or in one of its rule groups.
macro_rules! counted {
    ($leaf:literal) => {
        concat!(
            "{nonTerminatingMatchingRules[],ruleGroupList[].nonTerminatingMatchingRules[]}.",
            $leaf
        )
    };
}

/// A member of what a SQL injection or cross-site scripting rule matched, wherever the rule stands.
macro_rules! matched {
    ($leaf:literal) => {
        concat!(
            "{terminatingRuleMatchDetails[],nonTerminatingMatchingRules[].ruleMatchDetails[],",
            "ruleGroupList[].terminatingRule.ruleMatchDetails[],",
            "ruleGroupList[].nonTerminatingMatchingRules[].ruleMatchDetails[]}.",
            $leaf
        )
    };
}

/// A member of how a CAPTCHA or a challenge went: for the request, and for each rule that asked without ending it.
macro_rules! asked {
    ($what:literal, $leaf:literal) => {
        concat!(
            "{",
            $what,
            ",nonTerminatingMatchingRules[].",
            $what,
            ",ruleGroupList[].nonTerminatingMatchingRules[].",
            $what,
            "}.",
            $leaf
        )
    };
}

/// The rows of WAF logs.
#[rustfmt::skip]
pub const FIELDS: &[Field] = &[
    field("@timestamp", Date, "timestamp", "when the request arrived"),
    field("event.action", Keyword, "action", "allow, block, count, captcha or challenge"),
    field("event.outcome", Keyword, "", "success when the request was let through, otherwise failure"),
    field("event.type", Keyword, "", "allowed or denied"),
    field("cloud.account.id", Keyword, "", "account of the web ACL"),
    field("cloud.region", Keyword, "", "Region of the web ACL; us-east-1 for CloudFront"),
    field("http.request.method", Keyword, "httpRequest.httpMethod", "method"),
    field("http.request.id", Keyword, "httpRequest.requestId", "request id of the protected service"),
    field("http.request.referrer", Keyword, "httpRequest.headers[name=referer].value", "header Referer"),
    field("http.request.body.bytes", Long, "requestBodySize", "bytes of the request's body"),
    field("http.version", Keyword, "httpRequest.httpVersion", "1.0, 1.1, 2.0"),
    field("tls.client.ja3", Keyword, "ja3Fingerprint", "JA3 fingerprint of the TLS handshake"),
    field("http.response.status_code", Long, "responseCodeSent", "status of a custom response"),
    field("url.domain", Keyword, "httpRequest.headers[name=host].value | httpRequest.host", "host that was asked for"),
    field("url.port", Long, "", "port, when the host was asked for with one"),
    field("url.path", Keyword, "httpRequest.uri", "path"),
    field("url.query", Keyword, "httpRequest.args", "query string"),
    field("url.fragment", Keyword, "httpRequest.fragment", "part after #"),
    field("url.scheme", Keyword, "httpRequest.scheme", "http or https"),
    field("url.full", Keyword, "", "the whole address, when scheme and host are known"),
    field("user_agent.original", Keyword, "httpRequest.headers[name=user-agent].value", "header User-Agent"),
    field("source.address", Keyword, "httpRequest.clientIp", "client, when it is no address"),
    field("source.ip", Ip, "httpRequest.clientIp", "address of the client; behind trusted proxies the last hop that is none of them"),
    field("source.geo.country_iso_code", Keyword, "httpRequest.country", "country of the client"),
    field("source.as.number", Long, "clientAsn | httpRequest.clientAsn", "autonomous system of the client"),
    field("rule.id", Keyword, "terminatingRuleId", "rule that ended the request, or Default_Action"),
    field("rule.name", Keyword, "ruleGroupList[].terminatingRule.ruleId", "rule inside the group that ended the request, else as rule.id"),
    field("rule.ruleset", Keyword, "", "rule group that ended the request, else the web ACL"),
    field("related.ip", Ip, "", "the client, the proxy that AWS saw where it is another, and every other address but those that the request's headers claim"),
    field("related.hosts", Keyword, "httpRequest.headers[name=host].value | httpRequest.host", "host that was asked for"),
    field("aws.waf.generation", Keyword, "", "v2, or classic for logs of the AWS WAF that ended in 2025"),
    field("aws.waf.acl_arn", Keyword, "webaclId", "ARN of the web ACL; classic logs have none"),
    field("aws.waf.acl_id", Keyword, "", "id of the web ACL"),
    field("aws.waf.acl_name", Keyword, "", "name of the web ACL"),
    field("aws.waf.peer_ip", Ip, "", "the proxy that AWS saw as the client, when source.ip is who stands behind it"),
    field("aws.waf.peer_country", Keyword, "", "country of that proxy"),
    field("aws.waf.peer_asn", Long, "", "autonomous system of that proxy"),
    field("aws.waf.forwarded_for", Keyword, "httpRequest.headers[name=x-forwarded-for].value", "header X-Forwarded-For as sent: the client's word"),
    field("aws.waf.forwarded_asn", Long, "forwardedAsn | httpRequest.forwardedAsn", "autonomous system of the address that a rule took from a header"),
    field("aws.waf.format_version", Keyword, "formatVersion", "version of the log format"),
    field("aws.waf.rule_type", Keyword, "terminatingRuleType", "REGULAR, RATE_BASED, GROUP or MANAGED_RULE_GROUP"),
    field("aws.waf.rule_group", Keyword, "ruleGroupList[].ruleGroupId", "rule groups that acted"),
    field("aws.waf.group_rules", Keyword, "ruleGroupList[].{terminatingRule,nonTerminatingMatchingRules[]}.ruleId", "rules that matched inside groups"),
    field("aws.waf.count_rules", Keyword, "{nonTerminatingMatchingRules[],ruleGroupList[].nonTerminatingMatchingRules[],ruleGroupList[].excludedRules[]}.ruleId", "rules that matched without ending the request"),
    field("aws.waf.count_actions", Keyword, counted!("action"), "what those rules did"),
    field("aws.waf.overridden_action", Keyword, counted!("overriddenAction"), "action that an override turned into COUNT"),
    field("aws.waf.exclusion_type", Keyword, "ruleGroupList[].excludedRules[].exclusionType", "why an excluded rule did not act"),
    field("aws.waf.group_action", Keyword, "ruleGroupList[].terminatingRule.action", "what the ending rule of a group did"),
    field("aws.waf.matched_condition", Keyword, matched!("conditionType"), "SQL_INJECTION or XSS"),
    field("aws.waf.matched_location", Keyword, matched!("location"), "part of the request that matched"),
    field("aws.waf.matched_field", Keyword, matched!("matchedFieldName"), "header, cookie or argument that matched"),
    field("aws.waf.matched_data", Keyword, matched!("matchedData[]"), "the text that matched"),
    field("aws.waf.sensitivity", Keyword, matched!("sensitivityLevel"), "sensitivity of the rule"),
    field("aws.waf.rate_rule", Keyword, "rateBasedRuleList[].rateBasedRuleName", "rate-based rules that acted"),
    field("aws.waf.rate_rule_id", Keyword, "rateBasedRuleList[].rateBasedRuleId", "their ids"),
    field("aws.waf.rate_key", Keyword, "rateBasedRuleList[].limitKey", "what they count by"),
    field("aws.waf.rate_limit", Long, "rateBasedRuleList[].maxRateAllowed", "their limits"),
    field("aws.waf.rate_window", Long, "rateBasedRuleList[].evaluationWindowSec", "seconds over which they count"),
    field("aws.waf.rate_value", Keyword, "rateBasedRuleList[].limitValue", "the value that was over the limit"),
    field("aws.waf.rate_custom_key", Keyword, "rateBasedRuleList[].customValues[].key", "parts of custom keys that they count by"),
    field("aws.waf.rate_custom_name", Keyword, "rateBasedRuleList[].customValues[].name", "names of those parts"),
    field("aws.waf.rate_custom_value", Keyword, "rateBasedRuleList[].customValues[].value", "values of those parts"),
    field("aws.waf.labels", Keyword, "labels[].name", "labels that rules put on the request"),
    field("aws.waf.source_name", Keyword, "httpSourceName", "kind of protected service, such as ALB or CF"),
    field("aws.waf.source_id", Keyword, "httpSourceId", "the protected resource"),
    field("aws.waf.ja3", Keyword, "ja3Fingerprint", "JA3 fingerprint of the TLS handshake"),
    field("aws.waf.ja4", Keyword, "ja4Fingerprint", "JA4 fingerprint of the TLS handshake"),
    field("aws.waf.response_code_sent", Long, "responseCodeSent", "status of a custom response"),
    field("aws.waf.tenant_id", Keyword, "cfDistributionTenantId", "CloudFront distribution tenant"),
    field("aws.waf.captcha_reason", Keyword, asked!("captchaResponse", "failureReason"), "why a CAPTCHA was not passed"),
    field("aws.waf.captcha_code", Long, asked!("captchaResponse", "responseCode"), "status that the CAPTCHA answered"),
    field("aws.waf.captcha_solved", Date, asked!("captchaResponse", "solveTimestamp"), "when the CAPTCHA was last solved"),
    field("aws.waf.challenge_reason", Keyword, asked!("challengeResponse", "failureReason"), "why a challenge was not passed"),
    field("aws.waf.challenge_code", Long, asked!("challengeResponse", "responseCode"), "status that the challenge answered"),
    field("aws.waf.challenge_solved", Date, asked!("challengeResponse", "solveTimestamp"), "when the challenge was last passed"),
    field("aws.waf.oversize_fields", Keyword, "oversizeFields[]", "parts of the request that were too long to inspect"),
    field("aws.waf.body_size", Long, "requestBodySize", "bytes of the request's body"),
    field("aws.waf.body_size_inspected", Long, "requestBodySizeInspectedByWAF", "bytes of it that were inspected"),
    field("aws.waf.inserted_headers", Keyword, "requestHeadersInserted[].name", "headers that a rule added"),
    field("aws.waf.inserted", FlatObject, "requestHeadersInserted[name=*].value", "those headers with their values, names in lower case"),
    field("aws.waf.header_names", Keyword, "httpRequest.headers[].name", "names of the request's headers, as sent"),
    field("aws.waf.headers", FlatObject, "httpRequest.headers[name=*].value", "headers that have no field of their own, names in lower case"),
    field("aws.waf.rest", FlatObject, "", "what no field took"),
];
