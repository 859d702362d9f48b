//! Who attacks what, and every reason not to block: findings of each sort, made up at random.

use std::net::Ipv4Addr;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    environment::Environment,
    finding::{self, Action, Finding, Kind, Remote, Version},
    flow::{Local, service_address},
    provider::{AMAZON, ATTACKERS, PARTNERS, Provider, TOR},
    random::Random,
};

macro_rules! exemptions {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal,)+) => {
        /// A circumstance under which a finding must not lead to a block. The word is the reason that the responder should give.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Exemption {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Exemption {
            /// Every one.
            pub const ALL: &'static [Exemption] = &[$(Exemption::$name,)+];

            /// The word of the reason.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Exemption::$name => $word,)+ }
            }
        }
    };
}

exemptions! {
    /// A sample finding, as `CreateSampleFindings` makes them.
    Sample = "sample",
    /// The remote address is 0.0.0.0.
    Unspecified = "unspecified",
    /// The remote address is one of the organisation's own.
    OwnAddress = "own_address",
    /// The remote address is allow-listed.
    AllowListed = "allow_listed",
    /// The remote address is of an AWS service.
    AwsService = "aws_service",
    /// The activity was more than a day ago.
    Stale = "stale",
    /// An API call.
    ApiCall = "api_call",
    /// A DNS request.
    DnsRequest = "dns_request",
    /// A call to a cluster's control plane.
    KubernetesCall = "kubernetes_call",
    /// Failed logins at a database.
    RdsLogin = "rds_login",
    /// The remote address is private.
    Private = "private",
    /// The finding is archived.
    Archived = "archived",
    /// Datagrams from outside, whose source can be forged.
    NotTcp = "not_tcp",
    /// A direction that the responder's table does not name.
    DirectionRole = "direction_role",
    /// The probes were rejected already.
    TrafficBlocked = "traffic_blocked",
    /// A type that is no attack.
    TypeNotInPolicy = "type_not_in_policy",
    /// No network action at all.
    NoNetworkAction = "no_network_action",
    /// The subnet is guarded by its VPC's default network ACL.
    DefaultAcl = "default_acl",
}

/// How long a stale finding was under way: more than the day that a responder looks back.
const STALE_BY: TimeDelta = TimeDelta::hours(30);

/// An attacker or a machine that was taken over: what GuardDuty will find, from whom, on which machine.
pub(crate) fn attack(kind: &'static Kind, local: Local, starts: DateTime<Utc>, random: &mut Random) -> Finding {
    let remotes = match kind.action {
        Action::PortProbe => (0..random.between(2, 4))
            .map(|_| Remote::of(random.pick(ATTACKERS), random))
            .collect(),
        _ => vec![Remote::of(origin(kind, random), random)],
    };
    let mut finding = plain(kind, local, remotes, starts, random);
    finding.bare = random.chance(15);
    finding
}

fn origin(kind: &Kind, random: &mut Random) -> &'static Provider {
    if kind.name.contains("/Tor") {
        random.pick(TOR)
    } else {
        random.pick(ATTACKERS)
    }
}

fn plain(
    kind: &'static Kind,
    local: Local,
    remotes: Vec<Remote>,
    first_seen: DateTime<Utc>,
    random: &mut Random,
) -> Finding {
    Finding {
        kind,
        id: random.hex(32),
        local,
        remotes,
        first_seen,
        created: first_seen + TimeDelta::seconds(random.between(60, 240)),
        sample: false,
        archived: false,
        blocked: false,
        late: TimeDelta::zero(),
        bare: false,
    }
}

/// A machine that a kind of attack from outside makes sense on, guarded by that network ACL when one is named.
pub(crate) fn target(environment: &Environment, kind: &Kind, acl: Option<&str>, random: &mut Random) -> Option<Local> {
    let fits = |local: Local| {
        let instance = local.instance(environment);
        match kind.action {
            Action::Inbound("TCP") => instance.elastic_address.is_some() && instance.ports.contains(&kind.port),
            Action::PortProbe => instance.elastic_address.is_some(),
            _ => true,
        }
    };
    let candidates: Vec<Local> = (0..environment.vpcs.len())
        .flat_map(|vpc| (0..environment.vpcs[vpc].instances.len()).map(move |instance| Local { vpc, instance }))
        .filter(|&local| match acl {
            Some(acl) => local.acl(environment) == acl,
            None => !is_default(environment, local),
        })
        .filter(|&local| fits(local))
        .collect();
    // A network ACL first, then a machine: small networks are attacked as well.
    let mut acls: Vec<&str> = candidates.iter().map(|local| local.acl(environment)).collect();
    acls.dedup();
    let acl = *acls.get(random.below(acls.len()))?;
    let behind: Vec<Local> = candidates
        .iter()
        .copied()
        .filter(|local| local.acl(environment) == acl)
        .collect();
    behind.get(random.below(behind.len())).copied()
}

/// Whether the machine's subnet is guarded by the VPC's default network ACL.
fn is_default(environment: &Environment, local: Local) -> bool {
    let acl = local.acl(environment);
    local
        .vpc(environment)
        .network_acls
        .iter()
        .any(|candidate| candidate.id == acl && candidate.is_default)
}

/// A finding that must not lead to a block, for that reason alone.
pub(crate) fn exempt(
    environment: &Environment,
    exemption: Exemption,
    starts: DateTime<Utc>,
    random: &mut Random,
) -> Finding {
    let ssh = &finding::FROM_OUTSIDE[0];
    let kind = match exemption {
        Exemption::AllowListed | Exemption::TrafficBlocked => &finding::FROM_OUTSIDE[2],
        Exemption::AwsService => &finding::FROM_OUTSIDE[3],
        Exemption::ApiCall => finding::API_CALL,
        Exemption::DnsRequest => finding::DNS_REQUEST,
        Exemption::KubernetesCall => finding::KUBERNETES_CALL,
        Exemption::RdsLogin => finding::RDS_LOGIN,
        Exemption::NotTcp => finding::DATAGRAMS,
        Exemption::DirectionRole => finding::UNDIRECTED,
        Exemption::TypeNotInPolicy => finding::UNUSUAL,
        Exemption::NoNetworkAction => finding::MALWARE,
        _ => ssh,
    };
    let local = if exemption == Exemption::DefaultAcl {
        environment
            .vpcs
            .iter()
            .enumerate()
            .flat_map(|(vpc, network)| (0..network.instances.len()).map(move |instance| Local { vpc, instance }))
            .find(|&local| is_default(environment, local))
    } else {
        target(environment, kind, None, random)
    };
    let local = local.unwrap_or(Local { vpc: 0, instance: 0 });
    let at = |address: Ipv4Addr, provider: &'static Provider| {
        vec![Remote {
            address,
            provider,
            port: 40_122,
        }]
    };
    let remotes = match exemption {
        Exemption::Unspecified => at(Ipv4Addr::UNSPECIFIED, PARTNERS),
        Exemption::OwnAddress => {
            let own: Vec<Ipv4Addr> = environment.elastic_addresses().collect();
            at(*random.pick(&own), AMAZON)
        }
        Exemption::AllowListed => at(partner_address(environment, random), PARTNERS),
        Exemption::AwsService => at(service_address(environment, "ROUTE53_HEALTHCHECKS", random), AMAZON),
        Exemption::Private => at(random.address(Ipv4Addr::new(10, 99, 0, 0), 16), PARTNERS),
        Exemption::DnsRequest | Exemption::NoNetworkAction => Vec::new(),
        // GuardDuty's own samples use a documentation range.
        Exemption::Sample => at(Ipv4Addr::new(198, 51, 100, 0), PARTNERS),
        _ => vec![Remote::of(random.pick(ATTACKERS), random)],
    };
    let late = if exemption == Exemption::Stale {
        STALE_BY
    } else {
        TimeDelta::zero()
    };
    let mut finding = plain(kind, local, remotes, starts - late, random);
    finding.late = late;
    finding.sample = exemption == Exemption::Sample;
    finding.archived = exemption == Exemption::Archived;
    finding.blocked = exemption == Exemption::TrafficBlocked;
    finding
}

/// An address of the company that is paid to scan.
pub(crate) fn partner_address(environment: &Environment, random: &mut Random) -> Ipv4Addr {
    match environment.allow_list.first().map(|listed| listed.cidr) {
        Some(ipnet::IpNet::V4(net)) => random.address(net.addr(), net.prefix_len()),
        _ => Ipv4Addr::UNSPECIFIED,
    }
}

/// The version of a finding that arrives at `at`.
pub(crate) fn version(finding: &Finding, at: DateTime<Utc>, count: i64, random: &mut Random) -> Version {
    let updated = (at - finding.late - TimeDelta::seconds(random.between(2, 20))).max(finding.created);
    let seen = updated - TimeDelta::seconds(random.between(45, 200));
    Version {
        last_seen: seen.max(finding.first_seen),
        updated,
        count,
    }
}
