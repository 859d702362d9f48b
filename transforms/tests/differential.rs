//! WAF documents against a second implementation: slow, obvious, over `serde_json::Value`, and written without a look at
//! the engine. It shares nothing with it but the documented field names.

#[path = "differential/records.rs"]
mod records;
mod support;

use std::collections::BTreeMap;

use portcullis_transforms::{Normalizer, Options, Outcome, Source};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use records::record;
use support::reference;

/// Field name to values, before single values are unwrapped.
type Fields = BTreeMap<String, Vec<Value>>;

/// Members of the record that a field takes, with arrays left out of the path, and the field's type.
const TAKEN: &[(&str, &str, &str)] = &[
    ("httpRequest.httpMethod", "http.request.method", "keyword"),
    ("httpRequest.requestId", "http.request.id", "keyword"),
    ("httpRequest.httpVersion", "http.version", "keyword"),
    ("httpRequest.uri", "url.path", "keyword"),
    ("httpRequest.args", "url.query", "keyword"),
    ("httpRequest.country", "source.geo.country_iso_code", "keyword"),
    ("clientAsn", "source.as.number", "long"),
    ("webaclId", "aws.waf.acl_arn", "keyword"),
    ("formatVersion", "aws.waf.format_version", "keyword"),
    ("terminatingRuleId", "rule.id", "keyword"),
    ("terminatingRuleType", "aws.waf.rule_type", "keyword"),
    ("ruleGroupList.ruleGroupId", "aws.waf.rule_group", "keyword"),
    ("ruleGroupList.terminatingRule.ruleId", "rule.name", "keyword"),
    ("ruleGroupList.terminatingRule.ruleId", "aws.waf.group_rules", "keyword"),
    (
        "ruleGroupList.terminatingRule.action",
        "aws.waf.group_action",
        "keyword",
    ),
    ("nonTerminatingMatchingRules.ruleId", "aws.waf.count_rules", "keyword"),
    ("nonTerminatingMatchingRules.action", "aws.waf.count_actions", "keyword"),
    ("labels.name", "aws.waf.labels", "keyword"),
    ("httpSourceName", "aws.waf.source_name", "keyword"),
    ("httpSourceId", "aws.waf.source_id", "keyword"),
    ("ja3Fingerprint", "aws.waf.ja3", "keyword"),
    ("ja3Fingerprint", "tls.client.ja3", "keyword"),
    ("responseCodeSent", "http.response.status_code", "long"),
    ("responseCodeSent", "aws.waf.response_code_sent", "long"),
    ("captchaResponse.failureReason", "aws.waf.captcha_reason", "keyword"),
    ("captchaResponse.responseCode", "aws.waf.captcha_code", "long"),
];

/// Objects that are looked into; whatever else is found goes to the rest whole.
const KNOWN_OBJECTS: &[&str] = &[
    "",
    "httpRequest",
    "ruleGroupList",
    "ruleGroupList.terminatingRule",
    "nonTerminatingMatchingRules",
    "labels",
    "captchaResponse",
];

#[derive(Default)]
struct Reference {
    fields: Fields,
    rest: BTreeMap<String, Vec<Value>>,
    headers: BTreeMap<String, Vec<Value>>,
}

fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

fn convert(ty: &str, value: &Value) -> Option<Value> {
    let text = scalar_text(value)?;
    match ty {
        "long" => reference::long(&text).map(Value::from),
        _ => Some(text.into()),
    }
}

impl Reference {
    fn walk(&mut self, path: &str, value: &Value) {
        match value {
            Value::Null => {}
            Value::Array(values) if path == "httpRequest.headers" || self.is_known(path) => {
                values.iter().for_each(|value| self.walk(path, value));
            }
            Value::Object(members) if path == "httpRequest.headers" => self.header(members),
            Value::Object(members) if KNOWN_OBJECTS.contains(&path) => {
                for (key, value) in members {
                    let path = if path.is_empty() {
                        key.clone()
                    } else {
                        format!("{path}.{key}")
                    };
                    self.walk(&path, value);
                }
            }
            _ => self.leaf(path, value),
        }
    }

    fn is_known(&self, path: &str) -> bool {
        KNOWN_OBJECTS.contains(&path)
            || TAKEN.iter().any(|(from, ..)| *from == path)
            || ["timestamp", "action", "httpRequest.clientIp"].contains(&path)
    }

    fn leaf(&mut self, path: &str, value: &Value) {
        if self.is_known(path) && value == "" {
            return;
        }
        let mut taken = false;
        for (_, field, ty) in TAKEN.iter().filter(|(from, ..)| *from == path) {
            if let Some(value) = convert(ty, value) {
                self.add(field, value);
                taken = true;
            }
        }
        match (path, scalar_text(value)) {
            ("timestamp", Some(text)) => {
                let millis = text.parse::<i64>().expect("the generator writes milliseconds");
                let time = chrono::DateTime::from_timestamp_millis(millis).expect("in range");
                self.add("@timestamp", time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string().into());
                taken = true;
            }
            ("action", Some(action)) => {
                let outcome = match action.as_str() {
                    "ALLOW" | "COUNT" => Some(("success", "allowed")),
                    "BLOCK" | "CAPTCHA" | "CHALLENGE" => Some(("failure", "denied")),
                    _ => None,
                };
                self.add("event.action", action.to_ascii_lowercase().into());
                if let Some((outcome, kind)) = outcome {
                    self.add("event.outcome", outcome.into());
                    self.add("event.type", kind.into());
                }
                taken = true;
            }
            ("httpRequest.clientIp", Some(text)) => {
                match text.parse::<std::net::IpAddr>() {
                    Ok(address) => {
                        self.add("source.ip", address.to_string().into());
                    }
                    Err(_) => self.add("source.address", text.into()),
                }
                taken = true;
            }
            _ => {}
        }
        if !taken {
            self.rest.entry(path.to_owned()).or_default().push(value.clone());
        }
    }

    fn header(&mut self, members: &Map<String, Value>) {
        let (name, value) = (&members["name"], &members["value"]);
        let text = name.as_str().expect("the generator names every header");
        self.add("aws.waf.header_names", text.into());
        if value.is_null() {
            return;
        }
        let field = match text.to_lowercase().as_str() {
            "host" => "url.domain",
            "user-agent" => "user_agent.original",
            "referer" => "http.request.referrer",
            "x-forwarded-for" => "aws.waf.forwarded_for",
            other => return self.headers.entry(other.to_owned()).or_default().push(value.clone()),
        };
        if value != "" {
            self.add(field, value.clone());
            if field == "url.domain" {
                self.add("related.hosts", value.clone());
            }
        }
    }

    fn add(&mut self, field: &str, value: Value) {
        let values = self.fields.entry(field.to_owned()).or_default();
        if !values.contains(&value) {
            values.push(value);
        }
    }

    fn first(&self, field: &str) -> Option<String> {
        Some(self.fields.get(field)?.first()?.as_str()?.to_owned())
    }

    fn replace(&mut self, field: &str, value: &str) {
        self.fields.insert(field.to_owned(), vec![value.into()]);
    }

    /// What follows from several members together.
    fn finish(mut self) -> Value {
        if let Some(version) = self.first("http.version") {
            self.replace("http.version", version.trim_start_matches("HTTP/"));
        }
        if self.first("source.geo.country_iso_code").as_deref() == Some("-") {
            self.fields.remove("source.geo.country_iso_code");
        }
        if let Some(arn) = self.first("aws.waf.acl_arn") {
            let parts: Vec<&str> = arn.split(':').collect();
            if let [_, _, _, region, account, resource] = parts.as_slice() {
                self.replace("cloud.region", region);
                self.replace("cloud.account.id", account);
                let name = resource.split('/').nth(2).expect("the generator writes whole ARNs");
                self.replace("aws.waf.acl_name", name);
                let id = resource.split('/').nth(3).expect("the generator writes whole ARNs");
                self.replace("aws.waf.acl_id", id);
                self.replace("aws.waf.generation", "v2");
            }
        }
        if let Some(id) = self.first("rule.id") {
            let group = matches!(
                self.first("aws.waf.rule_type").as_deref(),
                Some("GROUP" | "MANAGED_RULE_GROUP")
            );
            if !self.fields.contains_key("rule.name") {
                self.replace("rule.name", &id);
            }
            match self.first("aws.waf.acl_name") {
                _ if group => self.replace("rule.ruleset", &id),
                Some(name) => self.replace("rule.ruleset", &name),
                None => {}
            }
        }
        for (field, value) in [
            ("ecs.version", "8.11.0"),
            ("cloud.provider", "aws"),
            ("event.kind", "event"),
            ("event.category", "web"),
            ("event.dataset", "aws.waf"),
            ("event.module", "aws"),
        ] {
            self.replace(field, value);
        }
        if !self.rest.is_empty() {
            let leaves = self.rest.values().flatten().map(leaves).sum::<u64>();
            self.fields.insert("aws.waf.rest".to_owned(), vec![object(self.rest)]);
            if leaves > 0 {
                self.fields
                    .insert("portcullis.unplaced".to_owned(), vec![leaves.into()]);
            }
        }
        if !self.headers.is_empty() {
            self.fields
                .insert("aws.waf.headers".to_owned(), vec![object(self.headers)]);
        }
        let mut document = json!({});
        for (field, mut values) in self.fields {
            let list = ["event.category", "event.type", "related.ip", "related.hosts"].contains(&field.as_str());
            let value = if values.len() == 1 && !list {
                values.remove(0)
            } else {
                Value::Array(values)
            };
            let mut at = &mut document;
            for part in field.split('.') {
                at = &mut at[part];
            }
            *at = value;
        }
        document
    }
}

/// Every address in the record, but for headers, which say what a client claims, and versions, which only look like one.
fn addresses(key: &str, value: &Value, found: &mut Vec<std::net::IpAddr>) {
    match value {
        Value::String(text) if !key.ends_with("ersion") => found.extend(text.parse::<std::net::IpAddr>()),
        Value::Array(values) => values.iter().for_each(|value| addresses(key, value, found)),
        Value::Object(_) if key == "headers" => {}
        Value::Object(members) => {
            members.iter().for_each(|(key, value)| addresses(key, value, found));
        }
        _ => {}
    }
}

fn object(members: BTreeMap<String, Vec<Value>>) -> Value {
    let unwrap = |mut values: Vec<Value>| {
        if values.len() == 1 {
            values.remove(0)
        } else {
            Value::Array(values)
        }
    };
    Value::Object(members.into_iter().map(|(key, values)| (key, unwrap(values))).collect())
}

fn leaves(value: &Value) -> u64 {
    match value {
        Value::Null => 0,
        Value::Array(values) => values.iter().map(leaves).sum(),
        Value::Object(members) => members.values().map(leaves).sum(),
        _ => 1,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn the_fast_path_and_the_obvious_one_write_the_same_document(record in record(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_vec_pretty(&record) } else { serde_json::to_vec(&record) }.expect("JSON");
        let mut out = Vec::new();
        // The reference knows no policy.
        let options = Options { redact: Vec::new(), ..Options::default() };
        let outcome = Normalizer::new(Source::Waf, options).expect("a normaliser").record(&text, &mut out);
        prop_assert_eq!(outcome, Ok(Outcome::Document));
        let mut actual: Value = serde_json::from_slice(&out).expect("JSON");
        // The hash and the version are not of this test.
        actual["event"].as_object_mut().expect("an object").remove("id");
        actual["portcullis"].as_object_mut().expect("an object").remove("normalizer");
        let mut reference = Reference::default();
        reference.walk("", &record);
        let mut related = Vec::new();
        addresses("", &record, &mut related);
        related.sort_unstable();
        for address in related {
            reference.add("related.ip", address.to_string().into());
        }
        let mut expected = reference.finish();
        if expected.get("portcullis").is_none() {
            expected["portcullis"] = json!({});
        }
        prop_assert_eq!(actual, expected);
    }
}
