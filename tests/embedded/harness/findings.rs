//! Findings with what the harness varies: id, version, addresses, subnets, which way.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

/// Account of every finding.
pub(crate) const ACCOUNT: &str = "111122223333";

/// Region of every finding.
pub(crate) const REGION: &str = "eu-west-1";

/// What a finding says happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// SSH brute force: ingress.
    Inbound,
    /// A call home: ingress and egress.
    Outbound,
    /// Port probes: ingress for each address.
    Probe,
}

/// A finding of now: one address, one subnet, inbound.
pub(crate) fn inbound(id: &str, address: String) -> Vec<u8> {
    let (now, subnet) = (Utc::now(), "subnet-a".to_owned());
    finding(id, Kind::Inbound, &[address], &[subnet], now, now)
}

/// One version of one finding.
pub(crate) fn finding(
    id: &str,
    kind: Kind,
    addresses: &[String],
    subnets: &[String],
    updated: DateTime<Utc>,
    seen: DateTime<Utc>,
) -> Vec<u8> {
    let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let remote = |address: &String| {
        json!({"ipAddressV4": address, "organization": {"asn": "64500", "asnOrg": "Example Org"},
               "country": {"countryName": "Netherlands"}, "city": {"cityName": "Utrecht"}})
    };
    let connection = |direction: &str| {
        json!({"actionType": "NETWORK_CONNECTION", "networkConnectionAction": {
            "connectionDirection": direction, "protocol": "TCP", "blocked": false, "remoteIpDetails": remote(&addresses[0])}})
    };
    let (name, role, severity, action) = match kind {
        Kind::Inbound => (
            "UnauthorizedAccess:EC2/SSHBruteForce",
            "TARGET",
            2.0,
            connection("INBOUND"),
        ),
        Kind::Outbound => ("CryptoCurrency:EC2/BitcoinTool.B", "ACTOR", 8.0, connection("OUTBOUND")),
        Kind::Probe => {
            let details: Vec<Value> = addresses
                .iter()
                .map(|address| json!({"localPortDetails": {"port": 22}, "remoteIpDetails": remote(address)}))
                .collect();
            let action =
                json!({"actionType": "PORT_PROBE", "portProbeAction": {"blocked": false, "portProbeDetails": details}});
            ("Recon:EC2/PortProbeUnprotectedPort", "TARGET", 2.0, action)
        }
    };
    let interfaces: Vec<Value> = subnets.iter().map(|subnet| json!({"subnetId": subnet})).collect();
    json!({
        "schemaVersion": "2.0", "accountId": ACCOUNT, "region": REGION, "partition": "aws", "id": id,
        "arn": format!("arn:aws:guardduty:{REGION}:{ACCOUNT}:detector/d1/finding/{id}"),
        "type": name, "severity": severity, "title": "title", "description": "description",
        "createdAt": time(updated - TimeDelta::hours(1)), "updatedAt": time(updated),
        "resource": {"resourceType": "Instance",
            "instanceDetails": {"instanceId": "i-1", "networkInterfaces": interfaces}},
        "service": {
            "serviceName": "guardduty", "resourceRole": role, "archived": false, "count": 3,
            "eventFirstSeen": time(updated - TimeDelta::hours(1)), "eventLastSeen": time(seen), "action": action}
    })
    .to_string()
    .into_bytes()
}
