//! Findings of which nothing may be blocked, and those that an attacker or a mistake wrote: each as a change of an SSH brute force.

use serde_json::{Value, json};

/// One of them.
pub(super) struct Odd {
    pub(super) change: fn(&mut Value),
    /// Whether its address is blocked all the same.
    pub(super) blocks: bool,
}

const fn refused(change: fn(&mut Value)) -> Odd {
    Odd { change, blocks: false }
}

const fn blocked(change: fn(&mut Value)) -> Odd {
    Odd { change, blocks: true }
}

fn action(record: &mut Value) -> &mut Value {
    &mut record["service"]["action"]
}

fn connection(record: &mut Value) -> &mut Value {
    &mut action(record)["networkConnectionAction"]
}

fn address(record: &mut Value, address: &str) {
    connection(record)["remoteIpDetails"]["ipAddressV4"] = address.into();
}

/// What GuardDuty says honestly, and what is no reason to block.
pub(super) const REFUSED: &[Odd] = &[
    // An API call does not cross the subnet.
    refused(|record| {
        let remote = connection(record)["remoteIpDetails"].take();
        *action(record) = json!({"actionType": "AWS_API_CALL",
            "awsApiCallAction": {"api": "DescribeInstances", "remoteIpDetails": remote}});
    }),
    // The attacker picks what a name leads to.
    refused(|record| {
        *action(record) = json!({"actionType": "DNS_REQUEST", "dnsRequestAction": {"domain": "evil.example"}});
    }),
    refused(|record| record["service"]["additionalInfo"] = json!({"sample": true})),
    refused(|record| record["service"]["archived"] = true.into()),
    refused(|record| record["service"]["eventLastSeen"] = "2020-01-01T00:00:00Z".into()),
    // Its source can be spoofed.
    refused(|record| connection(record)["protocol"] = "UDP".into()),
    refused(|record| connection(record)["blocked"] = true.into()),
    // A direction and a role that do not go together.
    refused(|record| record["service"]["resourceRole"] = "ACTOR".into()),
    refused(|record| record["type"] = "Recon:EC2/Portscan".into()),
    refused(|record| address(record, "10.20.30.40")),
    refused(|record| {
        record["resource"]["instanceDetails"]["networkInterfaces"] = json!([{"subnetId": "subnet-0123456789abcdef0"}]);
    }),
];

/// What nobody may be fooled by.
pub(super) const HOSTILE: &[Odd] = &[
    refused(|record| address(record, "0.0.0.0")),
    refused(|record| address(record, "0.0.0.0/0")),
    refused(|record| address(record, "evil.example")),
    refused(|record| address(record, "127.0.0.1")),
    refused(|record| address(record, "169.254.169.254")),
    refused(|record| address(record, "203.0.113.7")),
    refused(|record| connection(record)["remoteIpDetails"] = json!({"ipAddressV6": "::ffff:10.0.0.1"})),
    refused(|record| connection(record)["remoteIpDetails"] = json!({"ipAddressV6": "64:ff9b::a00:1"})),
    refused(|record| connection(record)["remoteIpDetails"] = json!([])),
    refused(|record| record["resource"]["instanceDetails"]["networkInterfaces"] = Value::Null),
    blocked(|record| record["title"] = "<!channel> *bold* <https://evil.example|here> \u{202e}\u{1b}[2J".into()),
    blocked(|record| record["description"] = "&<>`_~".repeat(4_000).into()),
    blocked(|record| record["resource"]["instanceDetails"]["instanceId"] = "\"}]}\n<script>".into()),
    blocked(|record| connection(record)["remoteIpDetails"]["country"]["countryName"] = "```\u{0}".repeat(900).into()),
];
