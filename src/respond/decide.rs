//! From a finding to decisions: a pure function of finding, policy, knowledge and time.
//!
//! One decision per remote address, or one for the whole finding when it names none. The first reason that applies wins:
//!
//! 1. the finding itself: sample, archived, stale;
//! 2. the action: no network action, no address, an API call, a direction and role that `TABLE` does not name,
//!    inbound traffic that is not TCP, traffic that was already refused, no VPC, no subnet;
//! 3. the address: everything in [`guard`];
//! 4. the policy: type, severity, account.
//!
//! Shadow mode, slots, evictions and hold-off are the planner's: here a finding that would block says `block`.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use ipnet::IpNet;

use super::decision::{Decision, Verdict};
use super::guard::{self, Knowledge};
use super::policy::{Policy, TypeVerdict};
use super::reason::Reason;
use crate::finding::{Action, Finding, Flow, Remote, ResourceKind, Role};
use crate::network_acl::Direction::{self, Egress, Ingress};

/// One row: what a network action between these two may deny.
struct Row {
    kind: ResourceKind,
    /// `None` in the flow or the role: any.
    flow: Option<Flow>,
    role: Option<Role>,
    deny: &'static [Direction],
}

/// The network actions that may block. An ingress deny stops inbound TCP and the replies to our own; one-way traffic
/// out of the subnet needs the egress deny. A function is never connected to, so its egress is all there is to deny.
const TABLE: &[Row] = &[
    Row {
        kind: ResourceKind::Instance,
        flow: Some(Flow::Inbound),
        role: Some(Role::Target),
        deny: &[Ingress],
    },
    Row {
        kind: ResourceKind::Instance,
        flow: Some(Flow::Outbound),
        role: Some(Role::Actor),
        deny: &[Ingress, Egress],
    },
    Row {
        kind: ResourceKind::Function,
        flow: None,
        role: None,
        deny: &[Egress],
    },
];

/// Decides on every address of a finding, or on the finding as a whole when it names none.
///
/// The result is never empty, and the same inputs give the same decisions in the same order.
#[must_use]
pub fn decide(finding: &Finding, policy: &Policy, knowledge: &Knowledge, now: DateTime<Utc>) -> Vec<Decision> {
    let whole = about_finding(finding, policy, now);
    let (remotes, action) = about_action(finding, policy);
    let decision = |remote: &Remote, outcome: Result<&[Direction], Reason>| Decision {
        finding: finding.summary(),
        address: remote.address,
        origin: remote.origin.clone(),
        verdict: outcome.map_or_else(verdict, |_| Verdict::Block),
        reason: outcome.err().unwrap_or(Reason::Matched),
        directions: outcome.unwrap_or_default().to_vec(),
        subnets: finding.resource.subnets.clone(),
    };
    if remotes.is_empty() {
        let reason = whole.or(action.err()).unwrap_or(Reason::NoRemoteAddress);
        return vec![decision(&Remote::default(), Err(reason))];
    }
    remotes
        .iter()
        .map(|remote| {
            let outcome = match (whole, action) {
                (Some(reason), _) | (None, Err(reason)) => Err(reason),
                (None, Ok(deny)) => about_address(finding, remote, policy, knowledge, now).map(|()| deny),
            };
            decision(remote, outcome)
        })
        .collect()
}

/// Whether people are told of a decision that blocks nothing. Told is what they may want to act on; passed over is what
/// they chose themselves (allow-list, archive, floor) or what cannot be a remote party at all.
#[must_use]
pub fn verdict(reason: Reason) -> Verdict {
    use Reason as R;
    match reason {
        R::Matched | R::Manual => Verdict::Block,
        R::Sample
        | R::Archived
        | R::Stale
        | R::Duplicate
        | R::AlreadyBlocked
        | R::TrafficBlocked
        | R::AllowListed
        | R::SeverityBelow
        | R::Unspecified
        | R::Loopback
        | R::LinkLocal
        | R::Multicast
        | R::Documentation
        | R::Reserved => Verdict::Ignore,
        _ => Verdict::Alert,
    }
}

fn about_finding(finding: &Finding, policy: &Policy, now: DateTime<Utc>) -> Option<Reason> {
    let oldest = now - TimeDelta::hours(policy.max_age_hours.into());
    if finding.sample {
        Some(Reason::Sample)
    } else if finding.archived {
        Some(Reason::Archived)
    } else if finding.last_seen < oldest {
        Some(Reason::Stale)
    } else {
        None
    }
}

/// The addresses that the action names, and which directions may be denied to them.
fn about_action<'a>(finding: &'a Finding, policy: &Policy) -> (&'a [Remote], Result<&'static [Direction], Reason>) {
    match &finding.action {
        Action::NetworkConnection {
            flow,
            protocol,
            remotes,
        } => (remotes, connection(finding, *flow, protocol)),
        Action::PortProbe(remotes) => (remotes, directions(finding, Flow::Inbound)),
        Action::AwsApiCall(remotes) => (remotes, Err(Reason::ApiCall)),
        Action::KubernetesApiCall(remotes) => (remotes, Err(Reason::KubernetesCall)),
        Action::RdsLogin(remotes) => (remotes, login(finding, policy)),
        Action::Other(remotes) => (remotes, Err(Reason::NoNetworkAction)),
        Action::DnsRequest => (&[], Err(Reason::DnsRequest)),
        Action::None => (&[], Err(Reason::NoNetworkAction)),
    }
}

/// A login is a connection that the remote party opened, over TCP. Where the database stands is looked up afterwards.
fn login(finding: &Finding, policy: &Policy) -> Result<&'static [Direction], Reason> {
    if !policy.rds_logins {
        return Err(Reason::RdsLogin);
    }
    if finding.resource.database.is_none() {
        return Err(Reason::DatabaseUnknown);
    }
    directions(finding, Flow::Inbound)
}

fn connection(finding: &Finding, flow: Flow, protocol: &str) -> Result<&'static [Direction], Reason> {
    let deny = directions(finding, flow)?;
    if flow == Flow::Inbound && !matches!(protocol, "TCP" | "6") {
        return Err(Reason::NotTcp);
    }
    Ok(deny)
}

fn directions(finding: &Finding, flow: Flow) -> Result<&'static [Direction], Reason> {
    let resource = &finding.resource;
    let row = TABLE.iter().find(|row| {
        row.kind == resource.kind
            && row.flow.is_none_or(|named| named == flow)
            && row.role.is_none_or(|named| named == resource.role)
    });
    row.map(|row| row.deny).ok_or(Reason::DirectionRole)
}

fn about_address(
    finding: &Finding,
    remote: &Remote,
    policy: &Policy,
    knowledge: &Knowledge,
    now: DateTime<Utc>,
) -> Result<(), Reason> {
    let address: IpAddr = remote.address.ok_or(Reason::NoRemoteAddress)?;
    if remote.blocked {
        return Err(Reason::TrafficBlocked);
    }
    let looked_up = matches!(finding.action, Action::RdsLogin(_));
    if finding.resource.subnets.is_empty() && !looked_up {
        return Err(match finding.resource.kind {
            ResourceKind::Function => Reason::NotInVpc,
            ResourceKind::Instance => Reason::NoSubnet,
        });
    }
    if let Some(reason) = guard::check(IpNet::from(address), knowledge, now) {
        return Err(reason);
    }
    match policy.judge_type(&finding.finding_type, finding.resource.role, finding.severity) {
        TypeVerdict::Named => {}
        TypeVerdict::SeverityBelow => return Err(Reason::SeverityBelow),
        TypeVerdict::NotNamed => return Err(Reason::TypeNotInPolicy),
    }
    if !policy.accounts.is_empty() && !policy.accounts.contains(&finding.account) {
        return Err(Reason::AccountNotEnforced);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
