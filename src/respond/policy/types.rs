//! Which finding types may be blocked: patterns, each with a severity floor and roles.

use serde::{Deserialize, Serialize};

use crate::finding::Role;

/// One `[[policy.types]]` table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypeRule {
    /// Finding type; `*` stands for any text, also none: `UnauthorizedAccess:EC2/*BruteForce`.
    pub pattern: String,
    /// Lowest severity that blocks, 0 to 10.
    #[serde(default)]
    pub severity: f64,
    /// Roles of the resource, `TARGET` and `ACTOR`; empty means both.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Role>,
}

impl TypeRule {
    /// Whether the rule speaks of this type in this role.
    #[must_use]
    pub fn names(&self, finding_type: &str, role: Role) -> bool {
        (self.roles.is_empty() || self.roles.contains(&role)) && matches(&self.pattern, finding_type)
    }
}

/// What is blocked unless the configuration says otherwise. Port probes and brute force are Low (2.0) for a target, so a
/// common severity floor would block nothing. Left out are types whose remote side is a victim or a bystander, such as
/// port scans, spam and denial of service that one of our instances does, and anomalies that may be our own people. Logins to databases
/// count only with `policy.rds_logins`.
const DEFAULTS: &[(&str, f64)] = &[
    ("Recon:EC2/PortProbe*", 1.0),
    ("UnauthorizedAccess:EC2/SSHBruteForce", 1.0),
    ("UnauthorizedAccess:EC2/RDPBruteForce", 1.0),
    ("Impact:EC2/WinRMBruteForce", 1.0),
    ("UnauthorizedAccess:*/MaliciousIPCaller*", 4.0),
    ("UnauthorizedAccess:*/Tor*", 4.0),
    ("Recon:EC2/MaliciousIPCaller*", 4.0),
    ("Backdoor:*/C&CActivity*", 4.0),
    ("CryptoCurrency:*", 4.0),
    ("Trojan:*", 4.0),
    ("Execution:*/ReverseShell", 4.0),
    ("CredentialAccess:RDS/MaliciousIPCaller*", 4.0),
    ("CredentialAccess:RDS/TorIPCaller*", 4.0),
    ("CredentialAccess:RDS/AnomalousBehavior.SuccessfulBruteForce", 4.0),
    ("Discovery:RDS/*IPCaller", 4.0),
];

pub(super) fn defaults() -> Vec<TypeRule> {
    DEFAULTS
        .iter()
        .map(|(pattern, severity)| TypeRule {
            pattern: (*pattern).to_owned(),
            severity: *severity,
            roles: Vec::new(),
        })
        .collect()
}

/// Matches text against a pattern whose `*` stands for any text. Backs up to the last `*` only, so the time is at most
/// the product of the two lengths.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut last_star: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            last_star = Some((p, t));
            p += 1;
        } else if pattern.get(p) == text.get(t) {
            p += 1;
            t += 1;
        } else if let Some((star, taken)) = last_star {
            last_star = Some((star, taken + 1));
            p = star + 1;
            t = taken + 1;
        } else {
            return false;
        }
    }
    pattern.iter().skip(p).all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text_and_nothing_else_is_special() {
        let cases = [
            ("Trojan:*", "Trojan:EC2/DropPoint", true),
            ("Trojan:*", "Trojan:", true),
            ("Trojan:*", "trojan:EC2", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("*/C&CActivity*", "Backdoor:EC2/C&CActivity.B!DNS", true),
            ("a*b*c", "aXbXbXc", true),
            ("a*b*c", "aXbXbX", false),
            ("a**", "a", true),
            ("a.c", "abc", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(matches(pattern, text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn every_default_rule_names_a_type_that_exists() {
        let types = [
            "Recon:EC2/PortProbeUnprotectedPort",
            "UnauthorizedAccess:EC2/SSHBruteForce",
            "UnauthorizedAccess:EC2/RDPBruteForce",
            "Impact:EC2/WinRMBruteForce",
            "UnauthorizedAccess:EC2/MaliciousIPCaller.Custom",
            "UnauthorizedAccess:Lambda/TorClient",
            "Recon:EC2/MaliciousIPCaller",
            "Backdoor:Runtime/C&CActivity.B",
            "CryptoCurrency:EC2/BitcoinTool.B",
            "Trojan:EC2/BlackholeTraffic",
            "Execution:Runtime/ReverseShell",
            "CredentialAccess:RDS/MaliciousIPCaller.FailedLogin",
            "CredentialAccess:RDS/TorIPCaller.SuccessfulLogin",
            "CredentialAccess:RDS/AnomalousBehavior.SuccessfulBruteForce",
            "Discovery:RDS/TorIPCaller",
        ];
        for rule in defaults() {
            let named = types.iter().any(|name| rule.names(name, Role::Actor));
            assert!(named, "{} names no known type", rule.pattern);
        }
    }
}
