//! What may be blocked, where, and within which limits. Read from `[policy]` of `portcullis.toml`; unknown keys are refused.

use chrono::{DateTime, TimeDelta, Utc};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::reason::Reason;
use super::report::Mode;
use crate::finding::Role;

mod types;
mod validate;

pub use types::TypeRule;
pub use validate::PolicyError;

/// The whole policy. Every field has a default that is safe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// `shadow` (default) decides and tells; `enforce` acts.
    pub mode: Mode,
    /// Accounts that `enforce` may touch; empty means every account that the network ACL store knows.
    pub accounts: Vec<String>,
    /// Findings whose last activity is older are not acted on, in hours.
    pub max_age_hours: u32,
    /// Finding types that may be blocked, each with a severity floor. Giving one replaces the whole default table.
    pub types: Vec<TypeRule>,
    /// Who goes when a newer entry needs a place.
    pub evict: Evict,
    /// Whether IPv6 addresses are blocked.
    pub ipv6: bool,
    /// Whether addresses are blocked that log in to databases of RDS. Their subnets are looked up.
    pub rds_logins: bool,
    /// Whether an entry that somebody else removed is put back. When not, the removal counts as an unblock.
    pub put_back: bool,
    /// How long entries stand.
    pub expiry: Expiry,
    /// Limits on slots and evictions.
    pub limits: Limits,
    /// Addresses that are never blocked.
    pub lists: Lists,
}

/// How many entries, where, and how fast they may turn over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Managed entries per network ACL and direction, 1 to 40.
    pub entries_per_direction: usize,
    /// First rule number that may be used.
    pub first_rule: u16,
    /// Last rule number that may be used.
    pub last_rule: u16,
    /// New slots that one finding may take, over all its versions.
    pub slots_per_finding: usize,
    /// Evictions per network ACL (both directions) within an hour.
    pub evictions_per_hour: u32,
    /// Hours for which a person's unblock holds.
    pub hold_off_hours: u32,
    /// Subnets that may share a network ACL that is written to.
    pub shared_subnets: usize,
    /// Whether a VPC's default network ACL may be written to.
    pub default_acl: bool,
    /// Shortest IPv4 prefix that a person may deny, 8 to 32; findings name single addresses.
    pub widest_prefix: u8,
    /// Shortest IPv6 prefix that a person may deny, 32 to 128.
    pub widest_prefix_v6: u8,
    /// New addresses for one network ACL within [`Limits::flood_minutes`] beyond which people are told of a flood, once.
    pub flood_addresses: usize,
    /// The time over which a flood is counted, and for which one is told of once.
    pub flood_minutes: u32,
}

/// Who goes when a newer entry needs a place. Pinned entries never do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Evict {
    /// The one that was planned first.
    #[default]
    Oldest,
    /// The oldest of the lowest severity; never one of a higher severity than the newer entry's. A person's counts as the
    /// highest.
    Severity,
}

/// How long an entry stands that a finding asked for, in hours by the finding's severity; 0 is until it is evicted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Expiry {
    /// Low: below 4.
    pub low_hours: u32,
    /// Medium: below 7.
    pub medium_hours: u32,
    /// High: below 9.
    pub high_hours: u32,
    /// Critical.
    pub critical_hours: u32,
    /// Whether each further finding begins the time anew.
    pub renew: bool,
}

impl Expiry {
    /// When an entry of this severity goes that was asked for at `at`.
    #[must_use]
    pub fn of(&self, severity: f64, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let hours = match severity {
            s if s >= 9.0 => self.critical_hours,
            s if s >= 7.0 => self.high_hours,
            s if s >= 4.0 => self.medium_hours,
            _ => self.low_hours,
        };
        (hours > 0).then(|| at + TimeDelta::hours(hours.into()))
    }
}

impl Default for Expiry {
    fn default() -> Self {
        Self {
            low_hours: 0,
            medium_hours: 0,
            high_hours: 0,
            critical_hours: 0,
            renew: true,
        }
    }
}

/// Addresses that the guards spare, whatever a finding says. Overlap counts, not containment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lists {
    /// Our own public addresses, beside those that the inventory knows.
    pub own_addresses: Vec<IpNet>,
    /// Our own and peered networks.
    pub own_networks: Vec<IpNet>,
    /// Addresses of AWS services other than EC2, beside those that the inventory knows.
    pub aws_services: Vec<IpNet>,
    /// CDN, VPN, resolver and partner addresses.
    pub operator: Vec<IpNet>,
    /// Allow-listed for good; `portcullis allow` adds more, with an end.
    pub allow: Vec<IpNet>,
}

/// Whether the policy's table of types lets a finding block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeVerdict {
    /// A rule names the type and role, and the severity reaches its floor.
    Named,
    /// Rules name the type and role, but the severity is below the floor of each.
    SeverityBelow,
    /// No rule names the type in this role.
    NotNamed,
}

impl Policy {
    /// Looks a finding type up. Any rule that is met is enough; their order does not matter.
    #[must_use]
    pub fn judge_type(&self, finding_type: &str, role: Role, severity: f64) -> TypeVerdict {
        let mut verdict = TypeVerdict::NotNamed;
        for rule in self.types.iter().filter(|rule| rule.names(finding_type, role)) {
            if severity >= rule.severity {
                return TypeVerdict::Named;
            }
            verdict = TypeVerdict::SeverityBelow;
        }
        verdict
    }

    /// Why nothing may be made in an account, or `None` when something may.
    #[must_use]
    pub fn holds_back(&self, account: &str) -> Option<Reason> {
        if !self.accounts.is_empty() && !self.accounts.iter().any(|named| named == account) {
            return Some(Reason::AccountNotEnforced);
        }
        (self.mode == Mode::Shadow).then_some(Reason::Shadow)
    }

    /// Says everything that is wrong with the values, each with its key and a remedy.
    ///
    /// # Errors
    ///
    /// Every value that cannot work, in the order of the file.
    pub fn validate(&self) -> Result<(), Vec<PolicyError>> {
        validate::policy(self)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            mode: Mode::Shadow,
            accounts: Vec::new(),
            max_age_hours: 24,
            types: types::defaults(),
            evict: Evict::Oldest,
            ipv6: true,
            rds_logins: false,
            put_back: false,
            expiry: Expiry::default(),
            limits: Limits::default(),
            lists: Lists::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries_per_direction: 10,
            first_rule: 71,
            last_rule: 99,
            slots_per_finding: 5,
            evictions_per_hour: 20,
            hold_off_hours: 24,
            shared_subnets: 20,
            default_acl: false,
            widest_prefix: 24,
            widest_prefix_v6: 64,
            flood_addresses: 50,
            flood_minutes: 10,
        }
    }
}
