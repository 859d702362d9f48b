//! Findings with what a schedule varies: id, version, addresses, subnets, which way.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

/// Account of every finding.
pub const ACCOUNT: &str = "111122223333";

/// Region of every finding.
pub const REGION: &str = "eu-west-1";

/// What a finding says happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// SSH brute force, Low: ingress.
    Inbound,
    /// A call home, High: ingress and egress.
    Outbound,
    /// Port probes, Low: ingress for each address.
    Probe,
}

/// One version of one finding.
#[must_use]
pub fn finding(id: &str, kind: Kind, addresses: &[String], subnets: &[&str], updated: DateTime<Utc>) -> Vec<u8> {
    let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let remote = |address: &String| {
        let field = if address.contains(':') {
            "ipAddressV6"
        } else {
            "ipAddressV4"
        };
        json!({field: address, "country": {"countryName": "Netherlands"}, "organization": {"asn": "64500", "asnOrg": "Example"}})
    };
    let first = addresses.first().map(remote).unwrap_or_default();
    let connection = |direction: &str| {
        json!({"actionType": "NETWORK_CONNECTION", "networkConnectionAction": {
            "connectionDirection": direction, "protocol": "TCP", "blocked": false, "remoteIpDetails": first}})
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
            let probe = json!({"blocked": false, "portProbeDetails": details});
            let action = json!({"actionType": "PORT_PROBE", "portProbeAction": probe});
            ("Recon:EC2/PortProbeUnprotectedPort", "TARGET", 2.0, action)
        }
    };
    let interfaces: Vec<Value> = subnets.iter().map(|subnet| json!({"subnetId": subnet})).collect();
    json!({
        "schemaVersion": "2.0", "accountId": ACCOUNT, "region": REGION, "partition": "aws", "id": id,
        "type": name, "severity": severity, "title": "title", "description": "description",
        "createdAt": time(updated - TimeDelta::hours(1)), "updatedAt": time(updated),
        "resource": {"resourceType": "Instance",
            "instanceDetails": {"instanceId": "i-1", "networkInterfaces": interfaces}},
        "service": {
            "serviceName": "guardduty", "resourceRole": role, "archived": false, "count": 3,
            "eventFirstSeen": time(updated - TimeDelta::hours(1)), "eventLastSeen": time(updated), "action": action}
    })
    .to_string()
    .into_bytes()
}
