//! One finding in every form it arrives in, what real records do to it, and what is refused.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

const CAMEL: &str = r#"{"schemaVersion":"2.0","accountId":"111122223333","region":"eu-west-1","partition":"aws",
 "id":"60ba","arn":"arn:aws:guardduty:eu-west-1:111122223333:detector/d/finding/60ba",
 "type":"UnauthorizedAccess:EC2/SSHBruteForce","severity":2,"title":"t","description":"d",
 "createdAt":"2026-11-20T10:00:00.000Z","updatedAt":"2026-11-20T11:00:00.000Z",
 "resource":{"resourceType":"Instance","instanceDetails":{"instanceId":"i-1","launchTime":1795258260000,
   "networkInterfaces":[{"subnetId":"subnet-a"},{"subnetId":"subnet-b"}]}},
 "service":{"resourceRole":"TARGET","archived":false,"count":3,"eventLastSeen":"2026-11-20T10:59:00.000Z",
   "action":{"actionType":"NETWORK_CONNECTION","networkConnectionAction":{"connectionDirection":"INBOUND","protocol":"TCP",
     "blocked":false,"remoteIpDetails":{"ipAddressV4":"185.220.101.4","organization":{"asn":"64500","asnOrg":"Example"},
     "country":{"countryName":"Netherlands"},"city":{"cityName":"Utrecht"}}}}}}"#;

const PASCAL: &str = r#"{"Findings":[{"SchemaVersion":"2.0","AccountId":"111122223333","Region":"eu-west-1","Partition":"aws",
 "Id":"60ba","Arn":"arn:aws:guardduty:eu-west-1:111122223333:detector/d/finding/60ba",
 "Type":"UnauthorizedAccess:EC2/SSHBruteForce","Severity":2.0,"Title":"t","Description":"d",
 "CreatedAt":"2026-11-20T10:00:00.000Z","UpdatedAt":"2026-11-20T11:00:00.000Z",
 "Resource":{"ResourceType":"Instance","InstanceDetails":{"InstanceId":"i-1","NetworkInterfaces":[{"SubnetId":"subnet-a"},{"SubNetId":"subnet-b"}]}},
 "Service":{"ResourceRole":"TARGET","Archived":false,"Count":3,"EventLastSeen":"2026-11-20T10:59:00.000Z",
   "Action":{"ActionType":"NETWORK_CONNECTION","NetworkConnectionAction":{"ConnectionDirection":"INBOUND","Protocol":"TCP",
     "Blocked":false,"RemoteIpDetails":{"IpAddressV4":"185.220.101.4","Organization":{"Asn":64500,"AsnOrg":"Example"},
     "Country":{"CountryName":"Netherlands"},"City":{"CityName":"Utrecht"}}}}}}]}"#;

const ASFF: &str = r#"{"version":"0","detail-type":"Security Hub Findings - Imported","source":"aws.securityhub","account":"111122223333",
 "region":"eu-west-1","detail":{"findings":[{"SchemaVersion":"2018-10-08",
 "Id":"arn:aws:guardduty:eu-west-1:111122223333:detector/d/finding/60ba",
 "ProductArn":"arn:aws:securityhub:eu-west-1::product/aws/guardduty","AwsAccountId":"111122223333","Region":"eu-west-1",
 "Types":["TTPs/Initial Access/UnauthorizedAccess:EC2-SSHBruteForce"],"Severity":{"Product":2,"Normalized":40,"Label":"LOW"},
 "Title":"t","Description":"d","CreatedAt":"2026-11-20T10:00:00.000Z","UpdatedAt":"2026-11-20T11:00:00.000Z","RecordState":"ACTIVE",
 "ProductFields":{"aws/guardduty/service/resourceRole":"TARGET","aws/guardduty/service/archived":"false","aws/guardduty/service/count":"3",
   "aws/guardduty/service/eventLastSeen":"2026-11-20T10:59:00.000Z",
   "aws/guardduty/service/action/actionType":"NETWORK_CONNECTION",
   "aws/guardduty/service/action/networkConnectionAction/connectionDirection":"INBOUND",
   "aws/guardduty/service/action/networkConnectionAction/protocol":"TCP",
   "aws/guardduty/service/action/networkConnectionAction/blocked":"false",
   "aws/guardduty/service/action/networkConnectionAction/remoteIpDetails/ipAddressV4":"185.220.101.4",
   "aws/guardduty/service/action/networkConnectionAction/remoteIpDetails/organization/asn":"64500",
   "aws/guardduty/service/action/networkConnectionAction/remoteIpDetails/organization/asnOrg":"Example",
   "aws/guardduty/service/action/networkConnectionAction/remoteIpDetails/country/countryName":"Netherlands",
   "aws/guardduty/service/action/networkConnectionAction/remoteIpDetails/city/cityName":"Utrecht"},
 "Resources":[{"Type":"AwsEc2Instance","Id":"arn:aws:ec2:eu-west-1:111122223333:instance/i-1",
   "Details":{"AwsEc2Instance":{"SubnetId":"subnet-a"}}}]}]}}"#;

fn parse(text: &str) -> Result<Finding, Error> {
    Finding::parse(text.as_bytes())
}

fn envelope(detail: &str) -> String {
    format!(
        r#"{{"version":"0","source":"aws.guardduty","detail-type":"GuardDuty Finding","account":"111122223333",
        "region":"eu-west-1","time":"2026-11-20T11:00:00Z","detail":{detail}}}"#
    )
}

#[test]
fn every_form_gives_the_same_finding() {
    let camel = parse(CAMEL).unwrap();
    assert_eq!(camel.resource.subnets, ["subnet-a", "subnet-b"]);
    assert_eq!(camel.severity, 2.0);
    let Action::NetworkConnection { remotes, .. } = &camel.action else {
        panic!("{:?}", camel.action);
    };
    assert_eq!(remotes[0].address, Some("185.220.101.4".parse().unwrap()));
    assert_eq!(remotes[0].origin.asn, Some(64500));

    assert_eq!(parse(&envelope(CAMEL)).unwrap(), camel);
    assert_eq!(parse(PASCAL).unwrap(), camel);
    assert_eq!(parse(&envelope(PASCAL)).unwrap(), camel);
    assert_eq!(parse(&format!("\u{feff}{CAMEL}\n")).unwrap(), camel);
    let one_interface = Finding {
        resource: Resource {
            subnets: vec!["subnet-a".into()],
            ..camel.resource.clone()
        },
        ..camel
    };
    assert_eq!(parse(ASFF).unwrap(), one_interface);
}

#[test]
fn security_hub_keeps_port_probes_in_numbered_keys() {
    let asff = ASFF
        .replace("NETWORK_CONNECTION", "PORT_PROBE")
        .replace(
            "networkConnectionAction/remoteIpDetails",
            "portProbeAction/portProbeDetails.1_/remoteIpDetails",
        )
        .replace("networkConnectionAction/blocked", "portProbeAction/blocked");
    let Action::PortProbe(remotes) = parse(&asff).unwrap().action else {
        panic!("no probe");
    };
    let addresses: Vec<_> = remotes.iter().filter_map(|remote| remote.address).collect();
    assert_eq!(addresses, ["185.220.101.4".parse::<IpAddr>().unwrap()]);
}

#[test]
fn what_real_records_do_is_read() {
    type Check = fn(&Finding) -> bool;
    let cases: &[(&str, &str, Check)] = &[
        (r#""severity":2"#, r#""severity":"2.5""#, |f| f.severity == 2.5),
        (r#""count":3"#, r#""count":"7""#, |f| f.count == 7),
        (r#""count":3"#, r#""count":null"#, |f| f.count == 1),
        (r#""asn":"64500""#, r#""asn":64500"#, |f| f.summary().count == 3),
        (r#""accountId":"111122223333""#, r#""accountId":11122223333"#, |f| {
            f.account == "011122223333"
        }),
        (
            r#""updatedAt":"2026-11-20T11:00:00.000Z""#,
            r#""updatedAt":1795172400"#,
            |f| f.updated_at.to_rfc3339() == "2026-11-20T11:00:00+00:00",
        ),
        (
            r#""updatedAt":"2026-11-20T11:00:00.000Z""#,
            r#""updatedAt":"2026-11-20 11:00:00""#,
            |f| f.updated_at.timestamp() == 1_795_172_400,
        ),
        (r#""updatedAt":"2026-11-20T11:00:00.000Z","#, "", |f| {
            f.updated_at.timestamp() == 1_795_168_800
        }),
        (r#""eventLastSeen":"2026-11-20T10:59:00.000Z","#, "", |f| {
            f.last_seen == f.updated_at
        }),
        (r#""partition":"aws","#, "", |f| f.partition == "aws"),
        (
            r#""region":"eu-west-1","partition":"aws","#,
            r#""region":"cn-north-1","arn2":"x","#,
            |f| f.partition == "aws",
        ),
        (r#""archived":false"#, r#""archived":"true""#, |f| f.archived),
        (r#""archived":false"#, r#""additionalInfo":{"sample":true}"#, |f| {
            f.sample
        }),
        (
            r#""archived":false"#,
            r#""additionalInfo":{"value":"{\"sample\":true}","type":"default"}"#,
            |f| f.sample,
        ),
        (
            r#""archived":false"#,
            r#""additionalInfo":{"value":"{\"sample\":","unusual":7}"#,
            |f| !f.sample,
        ),
        (r#""title":"t""#, r#""title":"[SAMPLE] t""#, |f| f.sample),
        (r#""subnetId":"subnet-b""#, r#""subNetId":"subnet-b""#, |f| {
            f.resource.subnets.len() == 2
        }),
        (r#""subnetId":"subnet-b""#, r#""subnetId":null"#, |f| {
            f.resource.subnets.len() == 1
        }),
        (
            r#""185.220.101.4""#,
            r#""not an address""#,
            |f| matches!(&f.action, Action::NetworkConnection { remotes, .. } if remotes[0].address.is_none()),
        ),
        (r#""actionType":"NETWORK_CONNECTION","#, "", |f| {
            matches!(f.action, Action::NetworkConnection { .. })
        }),
        (r#""resourceRole":"TARGET""#, r#""resourceRole":"target""#, |f| {
            f.resource.role == Role::Target
        }),
    ];
    for (from, to, check) in cases {
        let text = CAMEL.replacen(from, to, 1);
        assert_ne!(text, CAMEL, "{from} is not in the sample");
        let finding = parse(&text).unwrap_or_else(|error| panic!("{to}: {error}"));
        assert!(check(&finding), "{to}: {finding:?}");
    }
}

#[test]
fn the_envelope_fills_in_what_the_finding_leaves_out() {
    let detail = r#"{"id":"f","type":"Recon:EC2/Portscan","severity":5,"service":{"action":{}}}"#;
    let finding = parse(&envelope(detail)).unwrap();
    assert_eq!(
        (finding.account.as_str(), finding.region.as_str()),
        ("111122223333", "eu-west-1")
    );
    assert_eq!(finding.action, Action::None);
}

#[test]
fn an_attack_sequence_names_its_endpoints() {
    let detail = CAMEL.replace(
        r#""action":{"actionType":"NETWORK_CONNECTION","#,
        r#""sequence":{"endpoints":[{"id":"e","ip":"185.220.101.4"}]},"rest":{"#,
    );
    let Action::Other(remotes) = parse(&detail).unwrap().action else {
        panic!("no sequence");
    };
    assert_eq!(remotes[0].address, Some("185.220.101.4".parse().unwrap()));
}

#[test]
fn what_cannot_be_read_is_refused_with_field_and_remedy() {
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let many: String = (0..40).map(|number| format!("\"k{number}\":1,")).collect();
    let many = format!("{{{many}\"k3\":1}}");
    let wide = format!(r#"{{"a":"{}"}}"#, "x".repeat(10 << 20));
    let cases: &[(&str, &str)] = &[
        ("", "empty"),
        ("  \n", "empty"),
        ("nonsense", "no JSON"),
        ("{\"a\":", "no JSON"),
        ("{} {}", "no JSON"),
        ("[]", "no JSON object"),
        ("7", "no JSON object"),
        ("{}", "no `type`"),
        (r#"{"detail":7}"#, "`detail` is no JSON object"),
        (r#"{"detail":{"findings":[]}}"#, "holds 0 findings"),
        (r#"{"Findings":[{},{}]}"#, "holds 2 findings"),
        (r#"{"a":"\ud800"}"#, "no JSON"),
        (r#"{"id":"a","id":"b"}"#, "`id` stands twice"),
        (&CAMEL.replacen("\"id\"", "\"Id\":\"x\",\"id\"", 1), "`id` stands twice"),
        (&CAMEL.replacen("\"id\":\"60ba\",", "", 1), "`id` is missing"),
        (
            &CAMEL.replacen("\"severity\":2", "\"severity\":11", 1),
            "`severity` is `11`",
        ),
        (&CAMEL.replacen("\"severity\":2,", "", 1), "`severity` is missing"),
        (
            &CAMEL.replacen("2026-11-20T11", "2026-13-20T11", 1),
            "`updatedAt` is `2026-13-20T11",
        ),
        (
            &CAMEL.replacen("\"id\":\"60ba\"", &format!("\"id\":\"{}\"", "a".repeat(300)), 1),
            "`id` is `aaa",
        ),
        (
            &ASFF.replace("product/aws/guardduty", "product/aws/inspector"),
            "product/aws/inspector",
        ),
        (&deep, "deeper than 64"),
        (&many, "`k3` stands twice"),
        (&wide, "at most 1048576"),
    ];
    for (text, expected) in cases {
        let error = parse(text).expect_err(expected).to_string();
        assert!(error.contains(expected), "{error:?} does not say {expected:?}");
        assert!(error.len() < 400, "{error}");
    }
    let error = Finding::parse(b"{\"a\":\"\xff\"}").expect_err("invalid UTF-8");
    assert!(matches!(error, Error::NotJson { .. }), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
        drop(Finding::parse(&bytes));
    }

    #[test]
    fn a_finding_with_any_part_replaced_never_panics(
        which in 0..3_usize, at in 0..4000_usize, length in 0..60_usize,
        piece in r#"(null|\{\}|\[\]|"x"|-1|1e300|\[\[\[|"\\ud800"|[ -~]{0,12})"#,
    ) {
        let sample = [CAMEL, PASCAL, ASFF][which];
        let start = at % sample.len();
        let end = (start + length).min(sample.len());
        let text = [&sample.as_bytes()[..start], piece.as_bytes(), &sample.as_bytes()[end..]].concat();
        if let Ok(finding) = Finding::parse(&text) {
            prop_assert!((0.0..=10.0).contains(&finding.severity));
            prop_assert!(!finding.id.is_empty());
        }
    }
}
