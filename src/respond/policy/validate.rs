//! Values of the policy that cannot work: each error names the key, the value and the remedy.

use std::fmt;

use ipnet::IpNet;

use super::{Expiry, Limits, Lists, Policy, TypeRule};

/// One value that cannot work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    /// Dotted key in `portcullis.toml`, such as `policy.limits.last_rule`.
    pub key: String,
    /// Its value, as text.
    pub value: String,
    /// What to write instead, and why.
    pub remedy: String,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}: {}", self.key, self.value, self.remedy)
    }
}

impl std::error::Error for PolicyError {}

struct Check(Vec<PolicyError>);

impl Check {
    fn error(&mut self, key: impl Into<String>, value: impl fmt::Display, remedy: impl Into<String>) {
        self.0.push(PolicyError {
            key: key.into(),
            value: value.to_string(),
            remedy: remedy.into(),
        });
    }

    fn within(&mut self, key: &str, value: u64, low: u64, high: u64, why: &str) {
        if value < low || value > high {
            self.error(key, value, format!("write {low} to {high}; {why}"));
        }
    }
}

pub(super) fn policy(policy: &Policy) -> Result<(), Vec<PolicyError>> {
    let mut check = Check(Vec::new());
    accounts(&mut check, &policy.accounts);
    let age = u64::from(policy.max_age_hours);
    check.within(
        "policy.max_age_hours",
        age,
        1,
        2160,
        "GuardDuty keeps findings for 90 days",
    );
    types(&mut check, &policy.types);
    expiry(&mut check, &policy.expiry);
    limits(&mut check, &policy.limits);
    lists(&mut check, &policy.lists);
    if check.0.is_empty() { Ok(()) } else { Err(check.0) }
}

fn accounts(check: &mut Check, accounts: &[String]) {
    for (at, account) in accounts.iter().enumerate() {
        if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
            let key = format!("policy.accounts[{at}]");
            check.error(
                key,
                format_args!("{account:?}"),
                "write the twelve digits of an account id, in quotes",
            );
        }
    }
}

fn types(check: &mut Check, types: &[TypeRule]) {
    for (at, rule) in types.iter().enumerate() {
        if rule.pattern.is_empty() || rule.pattern.len() > 200 || rule.pattern.chars().any(char::is_whitespace) {
            let key = format!("policy.types[{at}].pattern");
            let remedy = "write a finding type such as UnauthorizedAccess:EC2/SSHBruteForce; * stands for any text";
            check.error(key, format_args!("{:?}", rule.pattern), remedy);
        }
        if !(0.0..=10.0).contains(&rule.severity) {
            let key = format!("policy.types[{at}].severity");
            check.error(key, rule.severity, "write 0 to 10, GuardDuty's scale");
        }
    }
}

fn expiry(check: &mut Check, expiry: &Expiry) {
    let named = [
        ("low_hours", expiry.low_hours),
        ("medium_hours", expiry.medium_hours),
        ("high_hours", expiry.high_hours),
        ("critical_hours", expiry.critical_hours),
    ];
    for (name, hours) in named {
        let key = format!("policy.expiry.{name}");
        check.within(&key, hours.into(), 0, 8760, "a year is the longest, 0 is until evicted");
    }
}

fn limits(check: &mut Check, limits: &Limits) {
    let entries = limits.entries_per_direction as u64;
    let (first, last) = (u64::from(limits.first_rule), u64::from(limits.last_rule));
    let rule_numbers = "EC2 knows no other rule numbers";
    check.within(
        "policy.limits.entries_per_direction",
        entries,
        1,
        40,
        "EC2 allows 20 entries a direction, 40 on request",
    );
    check.within("policy.limits.first_rule", first, 1, 32766, rule_numbers);
    check.within("policy.limits.last_rule", last, 1, 32766, rule_numbers);
    if last < first {
        let remedy = format!("write {first} (policy.limits.first_rule) or more");
        check.error("policy.limits.last_rule", last, remedy);
    } else if (1..=40).contains(&entries) && last - first + 1 < entries {
        let room = last - first + 1;
        let remedy = format!(
            "{first} to {last} holds {room} rules and entries_per_direction is {entries}; write {} or more",
            first + entries - 1
        );
        check.error("policy.limits.last_rule", last, remedy);
    }
    let slots = limits.slots_per_finding as u64;
    check.within(
        "policy.limits.slots_per_finding",
        slots,
        1,
        40,
        "a finding that may take none blocks nothing",
    );
    let evictions = u64::from(limits.evictions_per_hour);
    check.within("policy.limits.evictions_per_hour", evictions, 0, 3600, "0 never evicts");
    let hold_off = u64::from(limits.hold_off_hours);
    check.within(
        "policy.limits.hold_off_hours",
        hold_off,
        0,
        8760,
        "a year is the longest",
    );
    let shared = limits.shared_subnets as u64;
    check.within(
        "policy.limits.shared_subnets",
        shared,
        1,
        200,
        "a VPC has at most 200 subnets",
    );
    let widest = u64::from(limits.widest_prefix);
    check.within(
        "policy.limits.widest_prefix",
        widest,
        8,
        32,
        "it is the length of an IPv4 prefix",
    );
    let widest = u64::from(limits.widest_prefix_v6);
    check.within(
        "policy.limits.widest_prefix_v6",
        widest,
        32,
        128,
        "it is the length of an IPv6 prefix",
    );
    let flood = limits.flood_addresses as u64;
    check.within(
        "policy.limits.flood_addresses",
        flood,
        1,
        1000,
        "each is remembered until the time is over",
    );
    let minutes = u64::from(limits.flood_minutes);
    check.within("policy.limits.flood_minutes", minutes, 1, 1440, "a day is the longest");
}

fn lists(check: &mut Check, lists: &Lists) {
    let named: [(&str, &[IpNet]); 5] = [
        ("own_addresses", &lists.own_addresses),
        ("own_networks", &lists.own_networks),
        ("aws_services", &lists.aws_services),
        ("operator", &lists.operator),
        ("allow", &lists.allow),
    ];
    for (name, nets) in named {
        for (at, net) in nets.iter().enumerate().filter(|(_, net)| net.prefix_len() == 0) {
            let key = format!("policy.lists.{name}[{at}]");
            check.error(
                key,
                net,
                "spares the whole internet; use mode = \"shadow\" to block nothing",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Change = fn(&mut Policy);

    #[test]
    fn the_default_policy_is_valid() {
        assert_eq!(Policy::default().validate(), Ok(()));
    }

    #[test]
    fn every_value_that_cannot_work_is_told_with_its_key() {
        let cases: &[(&str, Change)] = &[
            ("policy.accounts[0]", |p| p.accounts = vec!["12".into()]),
            ("policy.accounts[0]", |p| p.accounts = vec!["11112222333x".into()]),
            ("policy.max_age_hours", |p| p.max_age_hours = 0),
            ("policy.types[0].pattern", |p| p.types[0].pattern = String::new()),
            ("policy.types[1].severity", |p| p.types[1].severity = f64::NAN),
            ("policy.types[1].severity", |p| p.types[1].severity = 10.5),
            ("policy.limits.entries_per_direction", |p| {
                p.limits.entries_per_direction = 0;
            }),
            ("policy.limits.entries_per_direction", |p| {
                p.limits.entries_per_direction = 41;
            }),
            ("policy.limits.first_rule", |p| p.limits.first_rule = 0),
            ("policy.limits.last_rule", |p| p.limits.last_rule = 70),
            ("policy.limits.last_rule", |p| p.limits.last_rule = 79),
            ("policy.limits.last_rule", |p| p.limits.last_rule = 32767),
            ("policy.limits.slots_per_finding", |p| p.limits.slots_per_finding = 0),
            ("policy.limits.hold_off_hours", |p| p.limits.hold_off_hours = 9000),
            ("policy.limits.shared_subnets", |p| p.limits.shared_subnets = 0),
            ("policy.limits.widest_prefix", |p| p.limits.widest_prefix = 33),
            ("policy.lists.allow[0]", |p| p.lists.allow = vec![IpNet::default()]),
        ];
        for (key, change) in cases {
            let mut policy = Policy::default();
            change(&mut policy);
            let errors = policy.validate().expect_err(key);
            let keys: Vec<&str> = errors.iter().map(|error| error.key.as_str()).collect();
            assert_eq!(keys, [*key]);
            assert!(errors.iter().all(|error| !error.remedy.is_empty()));
        }
    }

    #[test]
    fn a_range_with_just_enough_room_is_valid() {
        let mut policy = Policy::default();
        policy.limits.last_rule = 80;
        assert_eq!(policy.validate(), Ok(()));
    }
}
