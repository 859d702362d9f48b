//! `service.action`: which kind it is and every remote address that it names.

use std::net::IpAddr;

use super::node::Node;
use super::{Action, Error, Flow, MAX_REMOTES, Remote, RemoteOrigin};

/// The kinds of action: the word of `actionType`, and the object that holds it.
const KINDS: &[(&str, &str, Kind)] = &[
    ("NETWORK_CONNECTION", "networkConnectionAction", Kind::Network),
    ("PORT_PROBE", "portProbeAction", Kind::Probe),
    ("AWS_API_CALL", "awsApiCallAction", Kind::Api),
    ("KUBERNETES_API_CALL", "kubernetesApiCallAction", Kind::Kubernetes),
    ("RDS_LOGIN_ATTEMPT", "rdsLoginAttemptAction", Kind::Rds),
    ("DNS_REQUEST", "dnsRequestAction", Kind::Dns),
];

#[derive(Clone, Copy)]
enum Kind {
    Network,
    Probe,
    Api,
    Kubernetes,
    Rds,
    Dns,
}

/// Reads the action of a `service` object. The word decides; without one, the object that is filled.
pub(super) fn read(service: &Node) -> Result<Action, Error> {
    let action = service.get("action")?;
    let word = action.get("actionType")?.text().unwrap_or_default();
    let mut kind = KINDS.iter().find(|(name, _, _)| name.eq_ignore_ascii_case(word));
    if word.is_empty() {
        for row in KINDS {
            if !action.get(row.1)?.is_empty() {
                kind = Some(row);
                break;
            }
        }
    }
    let Some((_, object, kind)) = kind else {
        return other(service, !word.is_empty());
    };
    let body = action.get(object)?;
    Ok(match kind {
        Kind::Network => Action::NetworkConnection {
            flow: flow(body.get("connectionDirection")?),
            protocol: body.get("protocol")?.text().unwrap_or_default().to_ascii_uppercase(),
            remotes: remotes(&[body])?,
        },
        Kind::Probe => {
            let details: Vec<&Node> = body.get("portProbeDetails")?.items().iter().collect();
            let blocked = body.get("blocked")?.is_true();
            let mut remotes = remotes(&details)?;
            for remote in &mut remotes {
                remote.blocked |= blocked;
            }
            Action::PortProbe(remotes)
        }
        Kind::Api => Action::AwsApiCall(remotes(&[body])?),
        Kind::Kubernetes => {
            let mut found = remotes(&[body])?;
            if found.is_empty() {
                let sources = body.get("sourceIps")?.items();
                found = sources.iter().take(MAX_REMOTES).map(bare).collect();
            }
            Action::KubernetesApiCall(found)
        }
        Kind::Rds => Action::RdsLogin(remotes(&[body])?),
        Kind::Dns => Action::DnsRequest,
    })
}

/// Attack sequences name their endpoints beside the action.
fn other(service: &Node, named: bool) -> Result<Action, Error> {
    let mut sequence = service.get("sequence")?;
    if sequence.is_empty() {
        sequence = service.at(["detection", "sequence"])?;
    }
    let mut found = Vec::new();
    for endpoint in sequence.get("endpoints")?.items().iter().take(MAX_REMOTES) {
        found.push(bare(endpoint.get("ip")?));
    }
    if found.is_empty() && !named && service.get("runtimeDetails")?.is_empty() {
        return Ok(Action::None);
    }
    Ok(Action::Other(found))
}

fn flow(node: &Node) -> Flow {
    match node.text().map(str::to_ascii_uppercase).as_deref() {
        Some("INBOUND") => Flow::Inbound,
        Some("OUTBOUND") => Flow::Outbound,
        _ => Flow::Unknown,
    }
}

/// The remote parties of objects that hold `remoteIpDetails`: both of its address fields count.
fn remotes(bodies: &[&Node]) -> Result<Vec<Remote>, Error> {
    let mut found: Vec<Remote> = Vec::new();
    for body in bodies {
        let details = body.get("remoteIpDetails")?;
        if details.is_empty() {
            continue;
        }
        let origin = origin(details)?;
        let blocked = body.get("blocked")?.is_true();
        let texts = [details.get("ipAddressV4")?.text(), details.get("ipAddressV6")?.text()];
        let mut addresses: Vec<Option<IpAddr>> = texts.into_iter().flatten().map(address).collect();
        if addresses.is_empty() {
            addresses.push(None);
        }
        for address in addresses {
            let known = found.iter_mut().find(|remote| remote.address == address);
            if let Some(remote) = known {
                // One open port is enough for the probe to matter.
                remote.blocked &= blocked;
            } else if found.len() < MAX_REMOTES {
                found.push(Remote {
                    address,
                    origin: origin.clone(),
                    blocked,
                });
            }
        }
    }
    Ok(found)
}

fn bare(node: &Node) -> Remote {
    Remote {
        address: node.text().and_then(address),
        ..Remote::default()
    }
}

fn address(text: &str) -> Option<IpAddr> {
    text.parse().ok().map(|ip: IpAddr| ip.to_canonical())
}

fn origin(details: &Node) -> Result<RemoteOrigin, Error> {
    let organization = details.get("organization")?;
    let mut name = organization.get("asnOrg")?.string();
    for key in ["org", "isp"] {
        if name.is_none() {
            name = organization.get(key)?.string();
        }
    }
    Ok(RemoteOrigin {
        country: details.at(["country", "countryName"])?.string(),
        city: details.at(["city", "cityName"])?.string(),
        organisation: name,
        asn: organization.get("asn")?.text().and_then(|asn| asn.parse().ok()),
    })
}
