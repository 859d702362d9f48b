//! The decision table as cases: each changes one thing about a finding that would block.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const NOW: &str = "2026-11-20T12:00:00Z";
const ATTACKER: &str = "185.220.101.4";

fn now() -> DateTime<Utc> {
    NOW.parse().unwrap()
}

fn remote(address: &str) -> Value {
    json!({"ipAddressV4": address, "organization": {"asn": "64500", "asnOrg": "Example Org"},
           "country": {"countryName": "Netherlands"}, "city": {"cityName": "Utrecht"}})
}

/// SSH brute force against an instance: Low, and blocked by the default policy.
fn brute_force() -> Value {
    json!({
        "schemaVersion": "2.0", "accountId": "111122223333", "region": "eu-west-1", "partition": "aws", "id": "f1",
        "arn": "arn:aws:guardduty:eu-west-1:111122223333:detector/d1/finding/f1",
        "type": "UnauthorizedAccess:EC2/SSHBruteForce", "severity": 2,
        "createdAt": "2026-11-20T11:00:00Z", "updatedAt": "2026-11-20T11:55:00Z",
        "title": "title", "description": "description",
        "resource": {"resourceType": "Instance", "instanceDetails": {"instanceId": "i-1", "networkInterfaces": [
            {"subnetId": "subnet-a"}, {"subnetId": "subnet-b"}, {"subnetId": "subnet-a"}]}},
        "service": {
            "serviceName": "guardduty", "resourceRole": "TARGET", "archived": false, "count": 3,
            "eventFirstSeen": "2026-11-20T11:00:00Z", "eventLastSeen": "2026-11-20T11:50:00Z",
            "action": {"actionType": "NETWORK_CONNECTION", "networkConnectionAction": {
                "connectionDirection": "INBOUND", "protocol": "TCP", "blocked": false,
                "remoteIpDetails": remote(ATTACKER)}}}
    })
}

fn knowledge() -> Knowledge {
    let nets = |text: &str| std::iter::once(text.parse::<ipnet::IpNet>().unwrap()).collect();
    Knowledge {
        own_addresses: nets("52.16.10.20/32"),
        own_networks: nets("44.128.0.0/16"),
        aws_services: nets("13.32.0.0/15"),
        operator: nets("104.16.0.0/13"),
        allow: vec![
            ("91.198.174.192/32".parse().unwrap(), None),
            (
                "45.83.64.9/32".parse().unwrap(),
                Some("2026-11-20T12:00:01Z".parse().unwrap()),
            ),
            ("45.83.64.10/32".parse().unwrap(), Some(now())),
        ],
        ..Knowledge::default()
    }
}

fn set(value: &mut Value, path: &str, new: Value) {
    *value.pointer_mut(path).unwrap_or_else(|| panic!("no {path}")) = new;
}

const CONNECTION: &str = "/service/action/networkConnectionAction";
const ADDRESS: &str = "/service/action/networkConnectionAction/remoteIpDetails/ipAddressV4";

fn with_address(address: &str) -> Value {
    let mut finding = brute_force();
    set(&mut finding, ADDRESS, json!(address));
    finding
}

fn with(path: &str, new: Value) -> Value {
    let mut finding = brute_force();
    set(&mut finding, path, new);
    finding
}

fn with_connection(direction: &str, role: &str, protocol: &str) -> Value {
    let mut finding = with("/service/resourceRole", json!(role));
    set(
        &mut finding,
        &format!("{CONNECTION}/connectionDirection"),
        json!(direction),
    );
    set(&mut finding, &format!("{CONNECTION}/protocol"), json!(protocol));
    finding
}

fn with_action(action: Value) -> Value {
    with("/service/action", action)
}

fn probe(blocked: bool, addresses: &[&str]) -> Value {
    let details: Vec<Value> = addresses
        .iter()
        .map(|address| json!({"localPortDetails": {"port": 22}, "remoteIpDetails": remote(address)}))
        .collect();
    let mut finding = with_action(json!({"actionType": "PORT_PROBE",
        "portProbeAction": {"blocked": blocked, "portProbeDetails": details}}));
    set(&mut finding, "/type", json!("Recon:EC2/PortProbeUnprotectedPort"));
    finding
}

fn lambda(vpc: &Value) -> Value {
    let mut finding = with_connection("OUTBOUND", "ACTOR", "TCP");
    set(&mut finding, "/type", json!("Backdoor:Lambda/C&CActivity.B"));
    set(&mut finding, "/severity", json!(8));
    let details = json!({"functionName": "orders", "vpcConfig": vpc});
    set(
        &mut finding,
        "/resource",
        json!({"resourceType": "Lambda", "lambdaDetails": details}),
    );
    finding
}

fn call(kind: &str, object: &str, body: Value) -> Value {
    let mut action = json!({"actionType": kind});
    action[object] = body;
    with_action(action)
}

fn login(address: &str, role: &str, database: Option<&str>) -> Value {
    let details = json!({"remoteIpDetails": remote(address)});
    let mut finding = call("RDS_LOGIN_ATTEMPT", "rdsLoginAttemptAction", details);
    set(
        &mut finding,
        "/type",
        json!("CredentialAccess:RDS/TorIPCaller.FailedLogin"),
    );
    set(&mut finding, "/severity", json!(5));
    set(&mut finding, "/service/resourceRole", json!(role));
    let details = json!({"dbInstanceIdentifier": database, "engine": "Aurora PostgreSQL"});
    set(
        &mut finding,
        "/resource",
        json!({"resourceType": "RDSDBInstance", "rdsDbInstanceDetails": details}),
    );
    finding
}

/// `address verdict reason directions` of each decision, as one text.
fn shown(decisions: &[Decision]) -> String {
    let lines: Vec<String> = decisions
        .iter()
        .map(|decision| {
            let address = decision.address.map_or("-".to_owned(), |address| address.to_string());
            let verdict = format!("{:?}", decision.verdict).to_lowercase();
            let directions: Vec<&str> = decision.directions.iter().map(|direction| direction.name()).collect();
            format!("{address} {verdict} {} {}", decision.reason, directions.join("+"))
                .trim()
                .to_owned()
        })
        .collect();
    lines.join("; ")
}

fn decided(finding: &Value, policy: &Policy, knowledge: &Knowledge) -> Vec<Decision> {
    let finding = Finding::parse(finding.to_string().as_bytes()).unwrap();
    decide(&finding, policy, knowledge, now())
}

fn cases() -> Vec<(&'static str, Value, &'static str)> {
    let details = json!({"remoteIpDetails": remote(ATTACKER)});
    let block = "185.220.101.4 block matched ingress";
    vec![
        ("ssh brute force", brute_force(), block),
        (
            "role in another casing",
            with("/service/resourceRole", json!("Target")),
            block,
        ),
        ("numbers as text", with("/severity", json!("2.0")), block),
        // The finding itself.
        (
            "sample",
            with("/service/archived", json!(true)),
            "185.220.101.4 ignore archived",
        ),
        (
            "sample title",
            with("/title", json!("[SAMPLE] 1.2.3.4")),
            "185.220.101.4 ignore sample",
        ),
        (
            "stale by a second",
            with("/service/eventLastSeen", json!("2026-11-19T11:59:59Z")),
            "185.220.101.4 ignore stale",
        ),
        (
            "just not stale",
            with("/service/eventLastSeen", json!("2026-11-19T12:00:00Z")),
            block,
        ),
        // Direction and role.
        (
            "outbound actor",
            with_connection("OUTBOUND", "ACTOR", "TCP"),
            "185.220.101.4 block matched ingress+egress",
        ),
        (
            "outbound actor over UDP",
            with_connection("OUTBOUND", "ACTOR", "UDP"),
            "185.220.101.4 block matched ingress+egress",
        ),
        (
            "inbound UDP",
            with_connection("INBOUND", "TARGET", "UDP"),
            "185.220.101.4 alert not_tcp",
        ),
        (
            "inbound, no protocol",
            with_connection("INBOUND", "TARGET", ""),
            "185.220.101.4 alert not_tcp",
        ),
        (
            "inbound actor",
            with_connection("INBOUND", "ACTOR", "TCP"),
            "185.220.101.4 alert direction_role",
        ),
        (
            "outbound target",
            with_connection("OUTBOUND", "TARGET", "TCP"),
            "185.220.101.4 alert direction_role",
        ),
        (
            "unknown direction",
            with_connection("UNKNOWN", "TARGET", "TCP"),
            "185.220.101.4 alert direction_role",
        ),
        (
            "unknown role",
            with_connection("INBOUND", "", "TCP"),
            "185.220.101.4 alert direction_role",
        ),
        // Port probes.
        ("probe", probe(false, &[ATTACKER]), block),
        (
            "every probe address by itself",
            probe(false, &[ATTACKER, "10.0.0.9", "45.155.205.1", ATTACKER]),
            "185.220.101.4 block matched ingress; 10.0.0.9 alert private; 45.155.205.1 block matched ingress",
        ),
        (
            "blocked probe",
            probe(true, &[ATTACKER]),
            "185.220.101.4 ignore traffic_blocked",
        ),
        ("probe of nobody", probe(false, &[]), "- alert no_remote_address"),
        // Functions.
        (
            "function",
            lambda(&json!({"subnetIds": ["subnet-l"]})),
            "185.220.101.4 block matched egress",
        ),
        (
            "function outside a VPC",
            lambda(&json!({"subnetIds": []})),
            "185.220.101.4 alert not_in_vpc",
        ),
        (
            "function without VPC",
            lambda(&json!(null)),
            "185.220.101.4 alert not_in_vpc",
        ),
        // Actions that never block.
        (
            "AWS call",
            call("AWS_API_CALL", "awsApiCallAction", details.clone()),
            "185.220.101.4 alert api_call",
        ),
        (
            "Kubernetes call",
            call("KUBERNETES_API_CALL", "kubernetesApiCallAction", details.clone()),
            "185.220.101.4 alert kubernetes_call",
        ),
        (
            "Kubernetes call by source addresses",
            call(
                "KUBERNETES_API_CALL",
                "kubernetesApiCallAction",
                json!({"sourceIps": [ATTACKER]}),
            ),
            "185.220.101.4 alert kubernetes_call",
        ),
        (
            "database login",
            login("185.220.101.4", "TARGET", Some("orders-1")),
            "185.220.101.4 alert rds_login",
        ),
        (
            "DNS",
            call("DNS_REQUEST", "dnsRequestAction", json!({"domain": "evil.example"})),
            "- alert dns_request",
        ),
        ("no action", with_action(json!({})), "- alert no_network_action"),
        ("null action", with_action(json!(null)), "- alert no_network_action"),
        (
            "unknown action",
            call("TELEPATHY", "telepathyAction", json!({})),
            "- alert no_network_action",
        ),
        // Subnets and addresses.
        (
            "no subnet",
            with("/resource/instanceDetails", json!({})),
            "185.220.101.4 alert no_subnet",
        ),
        (
            "text for an address",
            with_address("localhost"),
            "- alert no_remote_address",
        ),
        (
            "no remote",
            with(&format!("{CONNECTION}/remoteIpDetails"), json!({})),
            "- alert no_remote_address",
        ),
        (
            "already refused",
            with(&format!("{CONNECTION}/blocked"), json!(true)),
            "185.220.101.4 ignore traffic_blocked",
        ),
        // Guards.
        ("unspecified", with_address("0.0.0.0"), "0.0.0.0 ignore unspecified"),
        ("loopback", with_address("127.8.8.8"), "127.8.8.8 ignore loopback"),
        (
            "link-local",
            with_address("169.254.169.254"),
            "169.254.169.254 ignore link_local",
        ),
        ("private 10", with_address("10.1.2.3"), "10.1.2.3 alert private"),
        (
            "private 172",
            with_address("172.31.255.255"),
            "172.31.255.255 alert private",
        ),
        ("private 192", with_address("192.168.0.1"), "192.168.0.1 alert private"),
        (
            "carrier NAT",
            with_address("100.127.255.255"),
            "100.127.255.255 alert carrier_nat",
        ),
        ("multicast", with_address("224.0.0.251"), "224.0.0.251 ignore multicast"),
        (
            "broadcast",
            with_address("255.255.255.255"),
            "255.255.255.255 ignore multicast",
        ),
        (
            "documentation",
            with_address("203.0.113.9"),
            "203.0.113.9 ignore documentation",
        ),
        ("benchmarks", with_address("198.19.0.1"), "198.19.0.1 ignore reserved"),
        (
            "protocol assignments",
            with_address("192.0.0.8"),
            "192.0.0.8 ignore reserved",
        ),
        ("class E", with_address("240.0.0.1"), "240.0.0.1 ignore reserved"),
        (
            "mapped private",
            with_address("::ffff:10.0.0.1"),
            "10.0.0.1 alert private",
        ),
        ("mapped attacker", with_address("::ffff:185.220.101.4"), block),
        (
            "NAT64 of a private address",
            with_address("64:ff9b::a00:1"),
            "64:ff9b::a00:1 alert private",
        ),
        (
            "IPv6",
            with_address("2a02:c207::1"),
            "2a02:c207::1 block matched ingress",
        ),
        ("unique local", with_address("fd00::1"), "fd00::1 alert private"),
        (
            "own address",
            with_address("52.16.10.20"),
            "52.16.10.20 alert own_address",
        ),
        (
            "own network",
            with_address("44.128.9.9"),
            "44.128.9.9 alert own_network",
        ),
        ("AWS service", with_address("13.33.1.1"), "13.33.1.1 alert aws_service"),
        (
            "operator's list",
            with_address("104.20.0.1"),
            "104.20.0.1 alert operator_listed",
        ),
        (
            "allowed for good",
            with_address("91.198.174.192"),
            "91.198.174.192 ignore allow_listed",
        ),
        (
            "allowed for one more second",
            with_address("45.83.64.9"),
            "45.83.64.9 ignore allow_listed",
        ),
        (
            "no longer allowed",
            with_address("45.83.64.10"),
            "45.83.64.10 block matched ingress",
        ),
        // Policy.
        (
            "type not named",
            with("/type", json!("Behavior:EC2/NetworkPortUnusual")),
            "185.220.101.4 alert type_not_in_policy",
        ),
        (
            "below the floor",
            with("/type", json!("Trojan:EC2/DropPoint")),
            "185.220.101.4 ignore severity_below",
        ),
        // Order: the finding before the action, the action before the address, the address before the policy.
        (
            "API call from a private address",
            call(
                "AWS_API_CALL",
                "awsApiCallAction",
                json!({"remoteIpDetails": remote("10.0.0.1")}),
            ),
            "10.0.0.1 alert api_call",
        ),
    ]
}

#[test]
fn every_row_of_the_table_and_every_guard_decides_as_written() {
    let failed: Vec<String> = cases()
        .into_iter()
        .map(|(name, finding, expected)| {
            (
                name,
                shown(&decided(&finding, &Policy::default(), &knowledge())),
                expected,
            )
        })
        .filter(|(_, got, expected)| got != expected)
        .map(|(name, got, expected)| format!("{name}: got {got}, expected {expected}"))
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn a_block_names_every_subnet_once_and_where_the_address_is() {
    let decisions = decided(&brute_force(), &Policy::default(), &knowledge());
    assert_eq!(decisions[0].subnets, ["subnet-a", "subnet-b"]);
    assert_eq!(decisions[0].origin.country.as_deref(), Some("Netherlands"));
    assert_eq!(decisions[0].origin.asn, Some(64500));
    assert_eq!(decisions[0].finding.resource.as_deref(), Some("i-1"));
}

#[test]
fn the_finding_outranks_the_address_and_the_address_outranks_the_policy() {
    let mut finding = with_address("10.0.0.1");
    set(&mut finding, "/type", json!("Behavior:EC2/NetworkPortUnusual"));
    let decide = |finding: &Value| decided(finding, &Policy::default(), &knowledge())[0].reason;
    assert_eq!(decide(&finding), Reason::Private);
    set(&mut finding, "/service/archived", json!(true));
    assert_eq!(decide(&finding), Reason::Archived);
    finding["service"]["additionalInfo"] = json!({"value": "{\"sample\":true}"});
    assert_eq!(decide(&finding), Reason::Sample);
}

#[test]
fn unreadable_lists_block_nothing_and_alert() {
    let knowledge = Knowledge {
        available: false,
        ..knowledge()
    };
    let decisions = decided(&brute_force(), &Policy::default(), &knowledge);
    assert_eq!(shown(&decisions), "185.220.101.4 alert list_unavailable");
}

#[test]
fn only_the_accounts_that_the_policy_names_are_touched() {
    let mut policy = Policy {
        accounts: vec!["999988887777".into()],
        ..Policy::default()
    };
    let decisions = decided(&brute_force(), &policy, &knowledge());
    assert_eq!(shown(&decisions), "185.220.101.4 alert account_not_enforced");
    policy.accounts.push("111122223333".into());
    assert_eq!(
        shown(&decided(&brute_force(), &policy, &knowledge())),
        "185.220.101.4 block matched ingress"
    );
}

#[test]
fn logins_to_databases_block_public_addresses_where_the_policy_says_so() {
    let policy = Policy {
        rds_logins: true,
        ..Policy::default()
    };
    let mut anomaly = login(ATTACKER, "TARGET", Some("orders-1"));
    set(
        &mut anomaly,
        "/type",
        json!("CredentialAccess:RDS/AnomalousBehavior.FailedLogin"),
    );
    let mut connection = with(
        "/resource",
        json!({"rdsDbInstanceDetails": {"dbInstanceIdentifier": "orders-1"}}),
    );
    set(
        &mut connection,
        "/type",
        json!("CredentialAccess:RDS/TorIPCaller.FailedLogin"),
    );
    let cases = [
        (
            login(ATTACKER, "TARGET", Some("orders-1")),
            "185.220.101.4 block matched ingress",
        ),
        (login("10.1.2.3", "TARGET", Some("orders-1")), "10.1.2.3 alert private"),
        (
            login(ATTACKER, "ACTOR", Some("orders-1")),
            "185.220.101.4 alert direction_role",
        ),
        (login(ATTACKER, "TARGET", None), "185.220.101.4 alert database_unknown"),
        (anomaly, "185.220.101.4 alert type_not_in_policy"),
        // The switch is for logins alone.
        (connection, "185.220.101.4 alert no_subnet"),
    ];
    for (finding, expected) in cases {
        assert_eq!(shown(&decided(&finding, &policy, &knowledge())), expected);
    }
    let decisions = decided(&login(ATTACKER, "TARGET", Some("orders-1")), &policy, &knowledge());
    assert!(decisions[0].subnets.is_empty(), "they are looked up afterwards");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_guarded_address_is_ever_blocked(bits: u32, guarded in 0..20_usize, flow in 0..3_usize) {
        let knowledge = knowledge();
        let nets: [&str; 20] = [
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
            "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",
            "240.0.0.0/4", "52.16.10.20/32", "44.128.0.0/16", "13.32.0.0/15", "104.16.0.0/13", "91.198.174.192/32",
            "45.83.64.9/32",
        ];
        let net: ipnet::Ipv4Net = nets[guarded].parse().unwrap();
        let inside = std::net::Ipv4Addr::from_bits(net.network().to_bits() | (bits & net.hostmask().to_bits()));
        let mapped = inside.to_ipv6_mapped().to_string();
        let nat64 = format!("64:ff9b::{:x}:{:x}", inside.to_bits() >> 16, inside.to_bits() & 0xffff);
        let text = [inside.to_string(), mapped, nat64];
        let mut finding = with_address(&text[flow]);
        if flow == 1 {
            finding = probe(false, &[&text[0], &text[1], &text[2]]);
        }
        for decision in decided(&finding, &Policy::default(), &knowledge) {
            prop_assert_ne!(decision.verdict, Verdict::Block);
        }
    }

    #[test]
    fn any_change_of_a_finding_is_decided_or_refused_without_a_panic(at in 0..4000_usize, byte: u8, cut in 0..4000_usize) {
        let mut bytes = probe(false, &[ATTACKER, "10.0.0.9"]).to_string().into_bytes();
        let length = bytes.len();
        bytes[at % length] = byte;
        if cut % 3 == 0 {
            bytes.truncate(cut % length);
        }
        if let Ok(finding) = Finding::parse(&bytes) {
            let decisions = decide(&finding, &Policy::default(), &knowledge(), now());
            prop_assert!(!decisions.is_empty());
            for decision in decisions {
                prop_assert_eq!(decision.verdict == Verdict::Block, !decision.directions.is_empty());
            }
        }
    }
}
