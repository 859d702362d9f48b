//! The copy of a GuardDuty finding that Security Hub imports: the same facts, flattened into `ProductFields`.
//!
//! <https://docs.aws.amazon.com/guardduty/latest/ug/securityhub-integration.html>

use super::{
    asff::{Frame, instance_details},
    environment::{Environment, Vpc},
    finding::{Action, Finding, Version},
    guardduty,
    json::Object,
};

/// Appends the copy of a GuardDuty finding that Security Hub imports.
pub(crate) fn write(environment: &Environment, finding: &Finding, version: &Version, out: &mut Vec<u8>) {
    let vpc = finding.local.vpc(environment);
    let severity = match finding.kind.severity {
        "2" => ("LOW", 30),
        "3" => ("LOW", 30),
        "5" => ("MEDIUM", 50),
        _ => ("HIGH", 70),
    };
    let arn = finding.arn(environment);
    let frame = Frame {
        vpc,
        id: &arn,
        product: "guardduty",
        product_name: "GuardDuty",
        company: "Amazon",
        generator: &format!(
            "arn:aws:guardduty:{}:{}:detector/{}",
            vpc.region, vpc.account, vpc.detector
        ),
        kind: &taxonomy(finding.kind.name),
        title: &finding.title(environment),
        description: &finding.fill(environment, finding.kind.description),
        severity,
        times: [finding.first_seen, version.last_seen, finding.created, version.updated],
        resolved: false,
        archived: finding.archived,
    };
    frame.write(&guardduty::event_id(finding, version), out, |o| {
        frame.product_fields(o, |o| {
            o.text("aws/guardduty/service/serviceName", "guardduty");
            o.text("aws/guardduty/service/detectorId", &vpc.detector);
            o.text("aws/guardduty/service/resourceRole", finding.kind.role);
            o.text(
                "aws/guardduty/service/archived",
                if finding.archived { "true" } else { "false" },
            );
            o.text("aws/guardduty/service/count", &version.count.to_string());
            o.time("aws/guardduty/service/eventFirstSeen", finding.first_seen);
            o.time("aws/guardduty/service/eventLastSeen", version.last_seen);
            copied_action(o, finding, environment);
        });
        o.bool("Sample", finding.sample);
        o.array("Resources", |a| {
            a.object(|o| {
                let is_key = matches!(finding.kind.action, Action::ApiCall(..));
                let Vpc { account, region, .. } = vpc;
                if is_key {
                    o.text("Type", "AwsIamAccessKey");
                    o.text(
                        "Id",
                        &format!("AWS::IAM::AccessKey:ASIA{}", finding.id[..16].to_uppercase()),
                    );
                } else {
                    let instance = finding.local.instance(environment);
                    o.text("Type", "AwsEc2Instance");
                    o.text(
                        "Id",
                        &format!("arn:aws:ec2:{region}:{account}:instance/{}", instance.id),
                    );
                }
                o.text("Partition", "aws");
                o.text("Region", region);
                if !is_key {
                    o.object("Details", |o| instance_details(o, vpc, finding.local, environment));
                }
            });
        });
    });
}

/// The action, flattened into keys with slashes and, for lists, `.0_`.
fn copied_action(o: &mut Object<'_>, finding: &Finding, environment: &Environment) {
    const ACTION: &str = "aws/guardduty/service/action";
    let (kind, path, direction) = match finding.kind.action {
        Action::Inbound(_) => ("NETWORK_CONNECTION", "networkConnectionAction", Some("INBOUND")),
        Action::Outbound(_) => ("NETWORK_CONNECTION", "networkConnectionAction", Some("OUTBOUND")),
        Action::Unknown(_) => ("NETWORK_CONNECTION", "networkConnectionAction", Some("UNKNOWN")),
        Action::PortProbe => ("PORT_PROBE", "portProbeAction/portProbeDetails.0_", None),
        Action::ApiCall(..) => ("AWS_API_CALL", "awsApiCallAction", None),
        Action::Dns(_) => ("DNS_REQUEST", "dnsRequestAction", None),
        Action::Kubernetes(..) => ("KUBERNETES_API_CALL", "kubernetesApiCallAction", None),
        Action::RdsLogin => ("RDS_LOGIN_ATTEMPT", "rdsLoginAttemptAction", None),
        Action::Malware => return,
    };
    o.text(&format!("{ACTION}/actionType"), kind);
    if let Some(direction) = direction {
        o.text(&format!("{ACTION}/{path}/connectionDirection"), direction);
        o.text(&format!("{ACTION}/{path}/protocol"), "TCP");
        o.text(
            &format!("{ACTION}/{path}/localPortDetails/port"),
            &finding.local_port(environment).to_string(),
        );
        o.text(&format!("{ACTION}/{path}/blocked"), "false");
    }
    if let Some(remote) = finding.remotes.first() {
        let details = format!("{ACTION}/{path}/remoteIpDetails");
        o.text(&format!("{details}/ipAddressV4"), &remote.address.to_string());
        o.text(&format!("{details}/country/countryName"), remote.provider.country);
        o.text(&format!("{details}/city/cityName"), remote.provider.city);
        o.text(&format!("{details}/organization/asn"), &remote.provider.asn.to_string());
        o.text(&format!("{details}/organization/asnOrg"), remote.provider.system);
    }
}

/// ASFF's namespace and category of a GuardDuty type, and the type with a dash for its slash.
fn taxonomy(kind: &str) -> String {
    let purpose = kind.split_once(':').map_or(kind, |(purpose, _)| purpose);
    let category = match purpose {
        "Backdoor" => "TTPs/Command and Control",
        "Behavior" => "Unusual Behaviors/VM",
        "CredentialAccess" => "TTPs/Credential Access",
        "CryptoCurrency" => "Effects/Resource Consumption",
        "Discovery" | "Recon" => "TTPs/Discovery",
        "Execution" => "TTPs/Execution",
        "Trojan" => "Effects/Data Exfiltration",
        _ => "TTPs/Initial Access",
    };
    format!("{category}/{}", kind.replace('/', "-"))
}
