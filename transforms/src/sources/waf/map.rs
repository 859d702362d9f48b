//! What the table cannot say: outcome, web ACL and account from one ARN, the URL from its parts, the client behind
//! trusted proxies.

use std::net::IpAddr;

use super::FIELDS;
use crate::{
    engine::{Derived, Input, Map, RowId, row},
    schema::Field,
    source::Source,
    sources::common::cut,
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
const PORT: RowId = row(FIELDS, "url.port");
const PATH: RowId = row(FIELDS, "url.path");
const QUERY: RowId = row(FIELDS, "url.query");
const FULL: RowId = row(FIELDS, "url.full");
const CLIENT: RowId = row(FIELDS, "source.ip");
const COUNTRY: RowId = row(FIELDS, "source.geo.country_iso_code");
const ASN: RowId = row(FIELDS, "source.as.number");
const RULE_ID: RowId = row(FIELDS, "rule.id");
const RULE_NAME: RowId = row(FIELDS, "rule.name");
const RULESET: RowId = row(FIELDS, "rule.ruleset");
const RULE_TYPE: RowId = row(FIELDS, "aws.waf.rule_type");
const ACL_ARN: RowId = row(FIELDS, "aws.waf.acl_arn");
const RELATED_IP: RowId = row(FIELDS, "related.ip");
const RELATED_HOSTS: RowId = row(FIELDS, "related.hosts");
const ACL_ID: RowId = row(FIELDS, "aws.waf.acl_id");
const ACL_NAME: RowId = row(FIELDS, "aws.waf.acl_name");
const GENERATION: RowId = row(FIELDS, "aws.waf.generation");
const SOURCE_ID: RowId = row(FIELDS, "aws.waf.source_id");
const PEER: RowId = row(FIELDS, "aws.waf.peer_ip");
const PEER_COUNTRY: RowId = row(FIELDS, "aws.waf.peer_country");
const PEER_ASN: RowId = row(FIELDS, "aws.waf.peer_asn");
const FORWARDED_FOR: RowId = row(FIELDS, "aws.waf.forwarded_for");
const CAPTCHA_SOLVED: RowId = row(FIELDS, "aws.waf.captcha_solved");
const CHALLENGE_SOLVED: RowId = row(FIELDS, "aws.waf.challenge_solved");

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

    fn claimed(&self) -> &'static [&'static str] {
        &["httpRequest.headers"]
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
        let ruleset = acl.as_deref().and_then(|id| web_acl(id, input, derived));
        rule(input, ruleset, derived);
        client(input, derived);
        host(input, derived);
        if let Some(version) = input.text(VERSION) {
            derived.set(VERSION, version.strip_prefix("HTTP/").unwrap_or(&version));
        }
        if input.text(REQUEST_ID).as_deref() == Some("null") {
            derived.set(REQUEST_ID, "");
        }
        for row in [CAPTCHA_SOLVED, CHALLENGE_SOLVED] {
            never_is_no_time(row, input, derived);
        }
        if let (Some(scheme), Some(domain)) = (input.text(SCHEME), input.text(DOMAIN)) {
            let path = input.text(PATH).unwrap_or_default();
            let query = input.text(QUERY);
            let mark = if query.is_some() { "?" } else { "" };
            let query = query.unwrap_or_default();
            derived.set_parts(FULL, &[&scheme, "://", &domain, &path, mark, &query]);
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
        other => return derived.set_lowercase(ACTION, other),
    };
    derived.set(ACTION, word);
    derived.set(OUTCOME, outcome);
    derived.set(EVENT_TYPE, kind);
}

/// Reads `arn:aws:wafv2:REGION:ACCOUNT:SCOPE/webacl/NAME/ID`, or the bare id of a classic web ACL; the answer is what
/// people know the web ACL by.
fn web_acl<'a>(acl: &'a str, input: &Input<'_>, derived: &mut Derived) -> Option<&'a str> {
    if !acl.starts_with("arn:") {
        return is_uuid(acl).then(|| {
            classic(acl, input, derived);
            acl
        });
    }
    let rest = (0..3).try_fold(acl, |rest, _| Some(cut(rest, b':')?.1))?;
    let (region, rest) = cut(rest, b':')?;
    let (account, resource) = cut(rest, b':')?;
    derived.set(REGION, region);
    derived.set(ACCOUNT, account);
    derived.set(GENERATION, "v2");
    let rest = (0..2).try_fold(resource, |rest, _| Some(cut(rest, b'/')?.1))?;
    let (name, rest) = cut(rest, b'/').map_or((rest, None), |(name, rest)| (name, Some(rest)));
    derived.set(ACL_NAME, name);
    if let Some(rest) = rest {
        derived.set(ACL_ID, cut(rest, b'/').map_or(rest, |(id, _)| id));
    }
    Some(name)
}

/// A classic log names neither Region nor account, except that load balancers and APIs begin with the account.
fn classic(acl: &str, input: &Input<'_>, derived: &mut Derived) {
    derived.set(GENERATION, "classic");
    derived.set(ACL_ARN, "");
    derived.set(ACL_ID, acl);
    let resource = input.text(SOURCE_ID).unwrap_or_default();
    if let Some((account, rest)) = resource.split_at_checked(12)
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && rest.starts_with(['-', ':'])
    {
        derived.set(ACCOUNT, account);
    }
}

/// Eight, four, four, four and twelve hexadecimal digits.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// AWS writes 0 for a puzzle that was never solved.
fn never_is_no_time(row: RowId, input: &Input<'_>, derived: &mut Derived) {
    if input.has(row) && input.texts(row).any(|time| time == "0") {
        derived.set(row, "");
        for time in input.texts(row).filter(|time| *time != "0") {
            derived.set(row, &time);
        }
    }
}

/// Puts who stands behind trusted proxies in place of the proxy that AWS saw. Country and autonomous system are the
/// proxy's, so they go with it.
fn client(input: &Input<'_>, derived: &mut Derived) {
    let country = input.text(COUNTRY).filter(|country| country != "-");
    let behind = input.trusted_proxies().and_then(|proxies| {
        let peer: IpAddr = input.text(CLIENT)?.parse().ok()?;
        let headers: Vec<_> = input.texts(FORWARDED_FOR).collect();
        Some((peer, proxies.client(peer, headers.iter().map(AsRef::as_ref))?))
    });
    let Some((peer, client)) = behind else {
        if country.is_none() && input.has(COUNTRY) {
            derived.set(COUNTRY, "");
        }
        return;
    };
    derived.set(CLIENT, &client.to_string());
    derived.set(PEER, &peer.to_string());
    derived.set(RELATED_IP, &peer.to_string());
    for (from, to, value) in [(COUNTRY, PEER_COUNTRY, country), (ASN, PEER_ASN, input.text(ASN))] {
        derived.set(from, "");
        if let Some(value) = value {
            derived.set(to, &value);
        }
    }
}

/// A host is what people look for; the port it was asked for with is a field of its own.
fn host(input: &Input<'_>, derived: &mut Derived) {
    let Some(host) = input.text(DOMAIN) else {
        return;
    };
    let Some((name, port)) = name_and_port(&host) else {
        return;
    };
    // AWS tells the host twice. Which of several hosts was meant nobody can tell.
    if input.texts(DOMAIN).all(|again| again == host) {
        derived.set(DOMAIN, name);
        derived.set(RELATED_HOSTS, name);
        derived.set(PORT, port);
    }
}

/// `shop.example.com:8443`, `192.0.2.7:80`, `[2001:db8::7]:443`. An IPv6 address keeps its brackets, as ECS has it.
fn name_and_port(host: &str) -> Option<(&str, &str)> {
    let at = memchr::memrchr(b':', host.as_bytes())?;
    let (name, port) = (host.get(..at)?, host.get(at + 1..)?);
    let is_name = match name.strip_prefix('[') {
        Some(address) => address.ends_with(']'),
        None => !name.is_empty() && !name.contains(':'),
    };
    let is_port = port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
    (is_name && is_port).then_some((name, port))
}

/// A rule group is a rule of the web ACL, and the rule that matched is inside it.
fn rule(input: &Input<'_>, acl: Option<&str>, derived: &mut Derived) {
    let Some(id) = input.text(RULE_ID) else {
        return;
    };
    if input.text(RULE_NAME).is_none() {
        derived.set(RULE_NAME, &id);
    }
    match input.text(RULE_TYPE).as_deref() {
        Some("GROUP" | "MANAGED_RULE_GROUP") => derived.set(RULESET, &id),
        _ => {
            if let Some(acl) = acl {
                derived.set(RULESET, acl);
            }
        }
    }
}
