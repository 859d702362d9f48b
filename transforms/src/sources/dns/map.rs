//! What the table cannot say: the parts of a name, the address of a reverse look-up, outcome and verdict.

use std::{borrow::Cow, net::IpAddr};

use super::{FIELDS, line, name};
use crate::{
    Refusal, address,
    engine::{Derived, Input, Map, RowId, row},
    schema::Field,
    source::Source,
};

const ACTION: RowId = row(FIELDS, "event.action");
const OUTCOME: RowId = row(FIELDS, "event.outcome");
const EVENT_TYPE: RowId = row(FIELDS, "event.type");
const DNS_TYPE: RowId = row(FIELDS, "dns.type");
const NAME: RowId = row(FIELDS, "dns.question.name");
const SPELLED: RowId = row(FIELDS, "aws.dns.query_name");
const REGISTERED: RowId = row(FIELDS, "dns.question.registered_domain");
const SUBDOMAIN: RowId = row(FIELDS, "dns.question.subdomain");
const SUFFIX: RowId = row(FIELDS, "dns.question.top_level_domain");
const QUESTION_IP: RowId = row(FIELDS, "aws.dns.question_ip");
const ANSWER_DATA: RowId = row(FIELDS, "dns.answers.data");
const ANSWER_TYPE: RowId = row(FIELDS, "dns.answers.type");
const RESPONSE_CODE: RowId = row(FIELDS, "dns.response_code");
const TRANSPORT: RowId = row(FIELDS, "network.transport");
const NETWORK_TYPE: RowId = row(FIELDS, "network.type");
const SOURCE_IP: RowId = row(FIELDS, "source.ip");
const RELATED_IP: RowId = row(FIELDS, "related.ip");
const HOSTS: RowId = row(FIELDS, "related.hosts");
const FIREWALL_ACTION: RowId = row(FIELDS, "aws.dns.firewall_rule_action");
const CLIENT_SUBNET: RowId = row(FIELDS, "aws.dns.edns_client_subnet");

/// The source.
#[derive(Debug)]
pub(crate) struct Dns;

impl Map for Dns {
    fn source(&self) -> Source {
        Source::Dns
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn constants(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("event.kind", "event"),
            ("event.category", "network"),
            ("network.protocol", "dns"),
        ]
    }

    fn wrappers(&self) -> &'static [&'static str] {
        &["detail"]
    }

    fn line(&self, line: &str, json: &mut Vec<u8>) -> Result<bool, Refusal> {
        line::to_json(line, json)
    }

    fn native_times(&self) -> &'static [&'static str] {
        &["query_timestamp", "last-observed-at"]
    }

    fn required(&self) -> &'static [&'static [RowId]] {
        &[&[NAME]]
    }

    fn native_id(&self) -> Option<RowId> {
        None
    }

    fn derive(&self, input: &Input<'_>, derived: &mut Derived) {
        if let Some(name) = input.text(NAME) {
            question(name, derived);
        }
        verdict(input, derived);
        answers(input, derived);
        match input.text(TRANSPORT).as_deref() {
            Some("UDP") => derived.set(TRANSPORT, "udp"),
            Some("TCP") => derived.set(TRANSPORT, "tcp"),
            Some(other) => derived.set(TRANSPORT, &other.to_ascii_lowercase()),
            None => {}
        }
        match input.text(SOURCE_IP).map(|text| address::parse(&text)) {
            Some(Some(IpAddr::V4(_))) => derived.set(NETWORK_TYPE, "ipv4"),
            Some(Some(IpAddr::V6(_))) => derived.set(NETWORK_TYPE, "ipv6"),
            _ => {}
        }
        if let Some(subnet) = input.text(CLIENT_SUBNET) {
            let (network, _) = subnet.split_once('/').unwrap_or((&subnet, ""));
            derived.set(RELATED_IP, network);
        }
    }
}

fn question(spelled: Cow<'_, str>, derived: &mut Derived) {
    if name::has_capitals(&spelled) {
        derived.set(SPELLED, &spelled);
    }
    let name = name::canonical(spelled);
    derived.set(NAME, &name);
    if let Some(address) = name::address(&name) {
        derived.set_display(QUESTION_IP, address);
        return derived.set_display(RELATED_IP, address);
    }
    if &*name != "." {
        derived.set(HOSTS, &name);
    }
    if let Some(parts) = name::parts(&name) {
        derived.set(SUFFIX, parts.suffix);
        if let Some(registered) = parts.registered {
            derived.set(REGISTERED, registered);
        }
        if let Some(subdomain) = parts.subdomain {
            derived.set(SUBDOMAIN, subdomain);
        }
    }
}

/// What Resolver answered and whether DNS Firewall let it through. Firewall members stand in a record only where a rule
/// matched: <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/firewall-resolver-query-logs-configuring.html>.
fn verdict(input: &Input<'_>, derived: &mut Derived) {
    let (action, access) = match input.text(FIREWALL_ACTION) {
        Some(action) if action.eq_ignore_ascii_case("BLOCK") => (Cow::Borrowed("block"), "denied"),
        Some(action) => (Cow::Owned(action.to_ascii_lowercase()), "allowed"),
        None => (Cow::Borrowed("query"), ""),
    };
    derived.set(ACTION, &action);
    derived.set(EVENT_TYPE, "protocol");
    derived.set(EVENT_TYPE, access);
    let code = input.text(RESPONSE_CODE);
    let outcome = match code.as_deref() {
        _ if access == "denied" => "failure",
        Some(code) if code.eq_ignore_ascii_case("NOERROR") => "success",
        Some(_) => "failure",
        None => "unknown",
    };
    derived.set(OUTCOME, outcome);
    let is_answer = code.is_some() || input.has(ANSWER_DATA);
    derived.set(DNS_TYPE, if is_answer { "answer" } else { "query" });
    if let Some(code) = code.filter(|code| code.bytes().any(|byte| byte.is_ascii_lowercase())) {
        derived.set(RESPONSE_CODE, &code.to_ascii_uppercase());
    }
}

/// Spells the names among the answers as the question's, and lists them among the hosts.
fn answers(input: &Input<'_>, derived: &mut Derived) {
    let mut respelled = false;
    for (data, kind) in with_types(input) {
        let Some((_, name)) = name_in(&data, kind.as_deref()) else {
            continue;
        };
        let canonical = name::canonical(Cow::Borrowed(name));
        respelled |= *canonical != *name;
        if let Some(address) = name::address(&canonical) {
            derived.set_display(RELATED_IP, address);
            continue;
        }
        derived.set(HOSTS, &canonical);
    }
    if !respelled {
        return;
    }
    for (data, kind) in with_types(input) {
        match name_in(&data, kind.as_deref()) {
            Some((before, name)) => {
                let canonical = name::canonical(Cow::Borrowed(name));
                derived.set_display(ANSWER_DATA, format_args!("{before}{canonical}"));
            }
            None => derived.set(ANSWER_DATA, &data),
        }
    }
}

/// The data of each answer with its type, when it has one.
fn with_types<'a>(input: &Input<'a>) -> impl Iterator<Item = (Cow<'a, str>, Option<Cow<'a, str>>)> {
    let mut kinds = input.texts(ANSWER_TYPE);
    input.texts(ANSWER_DATA).map(move |data| (data, kinds.next()))
}

/// The name that an answer consists of or ends with, and what stands before it: by its type, or else by its look.
fn name_in<'a>(data: &'a str, kind: Option<&str>) -> Option<(&'a str, &'a str)> {
    let name_from = match kind {
        Some("CNAME" | "NS" | "PTR" | "DNAME") => 0,
        Some("MX" | "SRV") => data.rfind(' ')? + 1,
        Some("TXT" | "SPF") => return None,
        _ if data.ends_with('.') && !data.contains([' ', '"', '@']) => 0,
        _ => return None,
    };
    let (before, name) = data.split_at_checked(name_from)?;
    (!name.is_empty() && name != ".").then_some((before, name))
}
