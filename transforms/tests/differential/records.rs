//! WAF records to compare two readings on.

use proptest::prelude::*;
use serde_json::{Value, json};

fn text() -> impl Strategy<Value = Value> {
    prop_oneof![
        "[a-zA-Z0-9/._ -]{0,12}",
        ".{0,8}",
        Just("a \"quoted\" \\ text\n".to_owned()),
        Just("198.51.100.7".to_owned()),
        Just("2001:DB8::7".to_owned()),
        Just("429".to_owned()),
    ]
    .prop_map(Value::from)
}

/// Mostly what belongs there, now and then anything.
fn member(usual: BoxedStrategy<Value>) -> impl Strategy<Value = Option<Value>> {
    prop_oneof![
        1 => Just(None),
        10 => usual.prop_map(Some),
        1 => Just(Some(Value::Null)),
        1 => any::<i32>().prop_map(|number| Some(number.into())),
        1 => any::<bool>().prop_map(|value| Some(value.into())),
        1 => text().prop_map(Some),
    ]
}

fn words(words: &'static [&'static str]) -> BoxedStrategy<Value> {
    prop::sample::select(words).prop_map(Value::from).boxed()
}

fn build(members: Vec<(&'static str, Option<Value>)>) -> Value {
    Value::Object(
        members
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value?)))
            .collect(),
    )
}

fn headers() -> BoxedStrategy<Value> {
    let name = prop::sample::select(vec![
        "Host",
        "host",
        "User-Agent",
        "Referer",
        "Accept",
        "accept",
        "X-A",
        "Cookie",
        "X-Forwarded-For",
    ]);
    prop::collection::vec((name, text()), 0..6)
        .prop_map(|headers| {
            headers
                .into_iter()
                .map(|(name, value)| json!({"name": name, "value": value}))
                .collect()
        })
        .boxed()
}

fn unknown() -> BoxedStrategy<Value> {
    prop_oneof![
        text(),
        Just(json!({"a": [1, {"b": null}], "c": "x"})),
        Just(json!([true, []])),
        Just(json!({}))
    ]
    .boxed()
}

fn rules(keys: [&'static str; 2]) -> BoxedStrategy<Value> {
    let rule = (
        member(text().boxed()),
        member(words(&["COUNT", "BLOCK"])),
        prop::option::of(unknown()),
    )
        .prop_map(move |(id, action, other)| build(vec![(keys[0], id), (keys[1], action), ("somethingNew", other)]));
    prop::collection::vec(rule, 0..3).prop_map(Value::from).boxed()
}

fn groups() -> BoxedStrategy<Value> {
    let group = (text(), prop::option::of(text()), any::<bool>()).prop_map(|(id, rule, odd)| {
        let rule = rule.map(|rule| json!({"ruleId": rule, "action": "BLOCK", "odd": odd}));
        json!({"ruleGroupId": id, "terminatingRule": rule})
    });
    prop::collection::vec(group, 0..3).prop_map(Value::from).boxed()
}

/// A WAF record with most of its members, each of them now and then of another type.
pub(crate) fn record() -> impl Strategy<Value = Value> {
    let request = (
        member(words(&["198.51.100.9", "2001:DB8:0::9", "unknown"])),
        member(words(&["US", "-", "DE"])),
        prop::option::of(headers()),
        member(text().boxed()),
        member(text().boxed()),
        member(words(&["HTTP/1.1", "HTTP/2.0", "weird"])),
        member(words(&["GET", "POST"])),
        prop::option::of(unknown()),
    )
        .prop_map(|(client, country, headers, uri, args, version, method, other)| {
            build(vec![
                ("clientIp", client),
                ("country", country),
                ("headers", headers),
                ("uri", uri),
                ("args", args),
                ("httpVersion", version),
                ("httpMethod", method),
                ("other", other),
            ])
        });
    let arn = "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/api/bb";
    let rule = (
        member(words(&["ALLOW", "BLOCK", "COUNT", "CAPTCHA", "NEWER"])),
        member(words(&["Default_Action", "AWS-Common", "rate"])),
        member(words(&["REGULAR", "MANAGED_RULE_GROUP", "RATE_BASED"])),
        prop::option::of(groups()),
        prop::option::of(rules(["ruleId", "action"])),
        member(Just(json!(403)).boxed()),
        prop::option::of(rules(["name", "x"])),
    );
    let ends = (
        member(Just(json!(405)).boxed()).prop_map(|code| {
            build(vec![
                ("failureReason", Some("TOKEN_MISSING".into())),
                ("responseCode", code),
            ])
        }),
        member(Just(json!(64_496)).boxed()),
        prop::option::of(unknown()),
    );
    (
        946_684_800_000_i64..4_000_000_000_000,
        any::<bool>(),
        request,
        rule,
        ends,
    )
        .prop_map(
            move |(
                timestamp,
                as_text,
                request,
                (action, id, kind, groups, counted, code, labels),
                (captcha, asn, other),
            )| {
                let timestamp = if as_text {
                    Value::from(timestamp.to_string())
                } else {
                    timestamp.into()
                };
                build(vec![
                    ("timestamp", Some(timestamp)),
                    ("formatVersion", Some(1.into())),
                    ("webaclId", Some(arn.into())),
                    ("terminatingRuleId", id),
                    ("terminatingRuleType", kind),
                    ("action", action),
                    ("ruleGroupList", groups),
                    ("nonTerminatingMatchingRules", counted),
                    ("responseCodeSent", code),
                    ("httpRequest", Some(request)),
                    ("labels", labels),
                    ("captchaResponse", Some(captcha)),
                    ("clientAsn", asn),
                    ("undocumented", other),
                ])
            },
        )
}
