//! Why something was or was not blocked: a closed set of words, documented in `docs/reasons.md`.

use serde::{Deserialize, Serialize};

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal,)+) => {
        /// Why a decision fell as it did. The words are stable: scripts and dashboards rely on them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum Reason {
            $($(#[doc = $doc])+ #[serde(rename = $word)] $name,)+
        }

        impl Reason {
            /// Every reason, with its word and what it means.
            pub const ALL: &'static [(Reason, &'static str, &'static str)] =
                &[$((Reason::$name, $word, concat!($($doc),+)),)+];

            /// The stable word.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Reason::$name => $word,)+ }
            }

            /// What it means, in one sentence.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Reason::$name => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}

reasons! {
    /// The policy's table names this action, role and type: the address is denied.
    Matched = "matched",
    /// A person asked for it with `portcullis block`.
    Manual = "manual",
    /// The address is already denied; only its hits were counted.
    AlreadyBlocked = "already_blocked",
    /// An older or equal version of a finding that was already processed.
    Duplicate = "duplicate",
    /// A sample or generated finding.
    Sample = "sample",
    /// The finding is archived.
    Archived = "archived",
    /// The finding's last activity is older than the policy's maximum age.
    Stale = "stale",
    /// The address is unspecified (0.0.0.0/8 or ::).
    Unspecified = "unspecified",
    /// The address is loopback.
    Loopback = "loopback",
    /// The address is link-local.
    LinkLocal = "link_local",
    /// The address is private (RFC 1918, unique local).
    Private = "private",
    /// The address is carrier-grade NAT space (100.64.0.0/10).
    CarrierNat = "carrier_nat",
    /// The address is multicast or broadcast.
    Multicast = "multicast",
    /// The address is in a range set aside for documentation.
    Documentation = "documentation",
    /// The address is in another range that is never a remote party on the internet.
    Reserved = "reserved",
    /// The address is one of our own public addresses.
    OwnAddress = "own_address",
    /// The address is inside one of our own or peered networks.
    OwnNetwork = "own_network",
    /// The address belongs to an AWS service other than EC2.
    AwsService = "aws_service",
    /// The address is on the allow-list.
    AllowListed = "allow_listed",
    /// The address is on the operator's list of CDN, VPN or resolver addresses.
    OperatorListed = "operator_listed",
    /// The prefix is wider than the policy's limit.
    TooWide = "too_wide",
    /// An IPv6 address, which the policy does not block.
    Ipv6 = "ipv6",
    /// An API call: its traffic does not cross the subnet.
    ApiCall = "api_call",
    /// A Kubernetes API call: its traffic does not cross the subnet.
    KubernetesCall = "kubernetes_call",
    /// A DNS request names no address, and the attacker picks what the name resolves to.
    DnsRequest = "dns_request",
    /// A database login attempt; blocking is behind a switch (`policy.rds_logins`).
    RdsLogin = "rds_login",
    /// The subnet in which the database stands cannot be told: RDS does not know it, or may not be asked, or it could be one of several.
    DatabaseUnknown = "database_unknown",
    /// The database is not publicly accessible: whoever logs in does not come through its subnet's gateway.
    DatabaseNotPublic = "database_not_public",
    /// The finding describes no network action.
    NoNetworkAction = "no_network_action",
    /// The network action names no remote address, or text that is no address.
    NoRemoteAddress = "no_remote_address",
    /// The function is not in a VPC.
    NotInVpc = "not_in_vpc",
    /// The finding names no subnet.
    NoSubnet = "no_subnet",
    /// The subnet is not known, so neither is its network ACL.
    UnknownSubnet = "unknown_subnet",
    /// The direction and role are a pair that the table does not name.
    DirectionRole = "direction_role",
    /// Inbound traffic that is not TCP: its source can be spoofed.
    NotTcp = "not_tcp",
    /// GuardDuty says that the traffic was already blocked: no new slot.
    TrafficBlocked = "traffic_blocked",
    /// The policy does not name this finding type.
    TypeNotInPolicy = "type_not_in_policy",
    /// The severity is below the policy's floor for this type.
    SeverityBelow = "severity_below",
    /// The account is not one that the policy may touch.
    AccountNotEnforced = "account_not_enforced",
    /// A default network ACL, which the policy does not allow to be touched.
    DefaultAcl = "default_acl",
    /// More subnets share the network ACL than the policy allows.
    SharedAcl = "shared_acl",
    /// The finding has used its slots.
    FindingSlots = "finding_slots",
    /// Too many evictions from this network ACL within the hour.
    EvictionRate = "eviction_rate",
    /// Evicted before, and no activity since.
    EvictedBefore = "evicted_before",
    /// A person unblocked the address and the hold-off has not passed.
    HeldOff = "held_off",
    /// No slot is free and none may be evicted.
    AclFull = "acl_full",
    /// Every entry is of a higher severity, and the policy evicts by severity.
    Outranked = "outranked",
    /// Another tool manages the network ACL, or somebody keeps removing entries: nothing is made there.
    ManagedElsewhere = "managed_elsewhere",
    /// The subnet's route to the address leads to no gateway of the internet.
    NotInternet = "not_internet",
    /// Somebody else's allow with a lower number matches before the deny.
    AllowedFirst = "allowed_first",
    /// Somebody else removed or changed the entry.
    ChangedByOthers = "changed_by_others",
    /// More new addresses than usual: told once, and what finds no place is only recorded.
    Flood = "flood",
    /// No channel took a message.
    Undelivered = "undelivered",
    /// Shadow mode: decided and told, nothing touched.
    Shadow = "shadow",
    /// Blocking is paused.
    Paused = "paused",
    /// A list or an inventory that the guards need cannot be read.
    ListUnavailable = "list_unavailable",
    /// The record is no finding that can be read.
    Unreadable = "unreadable",
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

/// `docs/reasons.md`: every reason with what it means and what follows from it.
#[must_use]
pub fn reference() -> String {
    use std::fmt::Write as _;

    let mut text = String::from(INTRODUCTION);
    for (reason, word, _) in Reason::ALL {
        let decision = match super::decide::verdict(*reason) {
            super::Verdict::Block => "block",
            super::Verdict::Alert => "alert",
            super::Verdict::Ignore => "ignore",
        };
        let line = writeln!(text, "| `{word}` | {decision} | {} |", reason.meaning());
        debug_assert!(line.is_ok(), "writing to a string does not fail");
    }
    text
}

const INTRODUCTION: &str = "\
<!-- Generated from src/respond/reason.rs; PORTCULLIS_UPDATE=1 cargo test -p portcullis reasons -->

# Reasons

Every decision carries exactly one of these words: in `portcullis respond --json`, in the audit, in the `response` documents
(`portcullis.response.reason`) and in `not_blocked` of `portcullis status --json`. The set is closed and the words are stable.

The first that applies wins, in this order: the finding (`sample`, `archived`, `stale`), its action, the address, the policy,
then what stands on the network ACL. *Decision* is what follows: `block` denies the address, `alert` tells people and touches
nothing, `ignore` only records it.

| reason | decision | meaning |
|---|---|---|
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_reasons_is_in_step() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reasons.md");
        if std::env::var_os("PORTCULLIS_UPDATE").is_some() {
            std::fs::write(path, reference()).expect("docs/ can be written");
        }
        let page = std::fs::read_to_string(path).expect("docs/reasons.md is there");
        assert_eq!(
            page,
            reference(),
            "run: PORTCULLIS_UPDATE=1 cargo test -p portcullis reasons"
        );
    }

    #[test]
    fn words_are_unique_and_serialise_as_themselves() {
        let mut words: Vec<&str> = Reason::ALL.iter().map(|(_, word, _)| *word).collect();
        for (reason, word, _) in Reason::ALL {
            assert_eq!(serde_json::to_value(reason).expect("a word"), *word);
            assert_eq!(reason.to_string(), *word);
        }
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), Reason::ALL.len());
    }
}
