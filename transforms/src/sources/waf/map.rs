//! What the table cannot say: outcome, web ACL and account from one ARN, the URL from its parts.

use super::FIELDS;
use crate::{
    engine::{Derived, Input, Map, RowId, row},
    schema::Field,
    source::Source,
};

const ACTION: RowId = row(FIELDS, "event.action");
const OUTCOME: RowId = row(FIELDS, "event.outcome");
const EVENT_TYPE: RowId = row(FIELDS, "event.type");
const ACCOUNT: RowId = row(FIELDS, "cloud.account.id");
const REGION: RowId = row(FIELDS, "cloud.region");
const METHOD: RowId = row(FIELDS, "http.request.method");
const REQUEST_ID: RowId = row(FIELDS, "http.request.id");
const VERSION: RowId = row(FIELDS, "http.version");
const SCHEME: RowId = row(FIELDS, "url.scheme");
const DOMAIN: RowId = row(FIELDS, "url.domain");
const PATH: RowId = row(FIELDS, "url.path");
const QUERY: RowId = row(FIELDS, "url.query");
const FULL: RowId = row(FIELDS, "url.full");
const CLIENT: RowId = row(FIELDS, "source.ip");
const COUNTRY: RowId = row(FIELDS, "source.geo.country_iso_code");
const RULE_ID: RowId = row(FIELDS, "rule.id");
const RULE_NAME: RowId = row(FIELDS, "rule.name");
const RULESET: RowId = row(FIELDS, "rule.ruleset");
const RULE_TYPE: RowId = row(FIELDS, "aws.waf.rule_type");
const ACL_ARN: RowId = row(FIELDS, "aws.waf.acl_arn");
const ACL_NAME: RowId = row(FIELDS, "aws.waf.acl_name");

/// The source.
#[derive(Debug)]
pub(crate) struct Waf;

impl Map for Waf {
    fn source(&self) -> Source {
        Source::Waf
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn constants(&self) -> &'static [(&'static str, &'static str)] {
        &[("event.kind", "event"), ("event.category", "web")]
    }

    fn native_times(&self) -> &'static [&'static str] {
        &["timestamp"]
    }

    fn required(&self) -> &'static [&'static [RowId]] {
        &[&[ACL_ARN, CLIENT, PATH, METHOD]]
    }

    fn native_id(&self) -> Option<RowId> {
        None
    }

    fn derive(&self, input: &Input<'_>, derived: &mut Derived) {
        action(input, derived);
        let acl = input.text(ACL_ARN);
        let acl_name = acl.as_deref().and_then(|arn| web_acl(arn, derived));
        rule(input, acl_name, derived);
        if let Some(version) = input.text(VERSION) {
            derived.set(VERSION, version.strip_prefix("HTTP/").unwrap_or(&version));
        }
        for (row, placeholder) in [(REQUEST_ID, "null"), (COUNTRY, "-")] {
            if input.text(row).as_deref() == Some(placeholder) {
                derived.set(row, "");
            }
        }
        if let (Some(scheme), Some(domain)) = (input.text(SCHEME), input.text(DOMAIN)) {
            let path = input.text(PATH).unwrap_or_default();
            let query = input.text(QUERY).map(|query| format!("?{query}")).unwrap_or_default();
            derived.set(FULL, &format!("{scheme}://{domain}{path}{query}"));
        }
    }
}

fn action(input: &Input<'_>, derived: &mut Derived) {
    let Some(action) = input.text(ACTION) else {
        return;
    };
    let (word, outcome, kind) = match &*action {
        "ALLOW" => ("allow", "success", "allowed"),
        "BLOCK" => ("block", "failure", "denied"),
        "COUNT" => ("count", "success", "allowed"),
        "CAPTCHA" => ("captcha", "failure", "denied"),
        "CHALLENGE" => ("challenge", "failure", "denied"),
        other => return derived.set(ACTION, &other.to_ascii_lowercase()),
    };
    derived.set(ACTION, word);
    derived.set(OUTCOME, outcome);
    derived.set(EVENT_TYPE, kind);
}

/// Reads `arn:aws:wafv2:REGION:ACCOUNT:SCOPE/webacl/NAME/ID`; the answer is the name.
fn web_acl<'a>(arn: &'a str, derived: &mut Derived) -> Option<&'a str> {
    let mut parts = arn.splitn(6, ':').skip(3);
    let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
    derived.set(REGION, region);
    derived.set(ACCOUNT, account);
    let name = resource.split('/').nth(2)?;
    derived.set(ACL_NAME, name);
    Some(name)
}

/// A rule group is a rule of the web ACL, and the rule that matched is inside it.
fn rule(input: &Input<'_>, acl_name: Option<&str>, derived: &mut Derived) {
    let Some(id) = input.text(RULE_ID) else {
        return;
    };
    if input.text(RULE_NAME).is_none() {
        derived.set(RULE_NAME, &id);
    }
    match input.text(RULE_TYPE).as_deref() {
        Some("GROUP" | "MANAGED_RULE_GROUP") => derived.set(RULESET, &id),
        _ => {
            if let Some(name) = acl_name {
                derived.set(RULESET, name);
            }
        }
    }
}
