//! Security Hub findings (ASFF), one to an EventBridge envelope.
//!
//! <https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-syntax.html>

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    control::{CONTROLS, Control, VULNERABILITIES, Vulnerability},
    environment::{Environment, Vpc},
    finding::{Action, Finding, Version},
    flow::Local,
    guardduty,
    json::{self, Object},
    random::Random,
};

/// Checks of controls and scans for vulnerabilities: what they found, and when it was put right.
#[derive(Clone, Debug)]
pub(crate) struct Checks {
    controls: Vec<Check>,
    vulnerabilities: Vec<Check>,
}

/// One thing that is checked again and again.
#[derive(Clone, Debug)]
struct Check {
    /// Index into the table of controls or of vulnerabilities.
    row: usize,
    local: Local,
    id: String,
    created: DateTime<Utc>,
    /// From then on it passes.
    fixed: Option<DateTime<Utc>>,
}

impl Checks {
    /// What is checked between the two times; about two in five failures are put right within them.
    pub(crate) fn new(
        environment: &Environment,
        since: DateTime<Utc>,
        until: DateTime<Utc>,
        random: &mut Random,
    ) -> Self {
        let span = (until - since).num_seconds().max(1);
        let mut some = |count: usize, rows: usize| {
            (0..count)
                .map(|_| {
                    let vpc = random.below(environment.vpcs.len());
                    let instance = random.below(environment.vpcs[vpc].instances.len());
                    Check {
                        row: random.below(rows),
                        local: Local { vpc, instance },
                        id: random.uuid(),
                        created: since - TimeDelta::hours(random.between(24, 900)),
                        fixed: random
                            .chance(40)
                            .then(|| since + TimeDelta::seconds(random.between(0, span))),
                    }
                })
                .collect()
        };
        Self {
            controls: some(60, CONTROLS.len()),
            vulnerabilities: some(30, VULNERABILITIES.len()),
        }
    }

    /// Appends the result of one check or scan.
    pub(crate) fn write(&self, environment: &Environment, at: DateTime<Utc>, random: &mut Random, out: &mut Vec<u8>) {
        let updated = at - TimeDelta::seconds(random.between(2, 40));
        if random.chance(65) {
            let check = random.pick(&self.controls);
            control(environment, check, &CONTROLS[check.row], updated, random, out);
        } else {
            let check = random.pick(&self.vulnerabilities);
            vulnerability(environment, check, &VULNERABILITIES[check.row], updated, random, out);
        }
    }
}

/// What every finding has, whoever made it.
struct Frame<'f> {
    vpc: &'f Vpc,
    id: &'f str,
    product: &'static str,
    product_name: &'static str,
    company: &'static str,
    generator: &'f str,
    kind: &'f str,
    title: &'f str,
    description: &'f str,
    severity: (&'static str, i64),
    /// First and last observed, created, updated.
    times: [DateTime<Utc>; 4],
    /// Whether there is nothing left to do.
    resolved: bool,
    archived: bool,
}

impl Frame<'_> {
    fn product_arn(&self) -> String {
        format!("arn:aws:securityhub:{}::product/aws/{}", self.vpc.region, self.product)
    }

    /// Appends the envelope and, in it, the finding with the members that `rest` adds.
    fn write(&self, event: &str, out: &mut Vec<u8>, rest: impl FnOnce(&mut Object<'_>)) {
        let Vpc { account, region, .. } = self.vpc;
        json::object(out, |o| {
            o.text("version", "0");
            o.text("id", event);
            o.text("detail-type", "Security Hub Findings - Imported");
            o.text("source", "aws.securityhub");
            o.text("account", account);
            o.seconds("time", self.times[3]);
            o.text("region", region);
            o.array("resources", |a| a.text(&format!("{}/{}", self.product_arn(), self.id)));
            o.object("detail", |o| {
                o.array("findings", |a| {
                    a.object(|o| {
                        self.members(o);
                        rest(o);
                    });
                });
            });
        });
    }

    fn members(&self, o: &mut Object<'_>) {
        o.text("SchemaVersion", "2018-10-08");
        o.text("Id", self.id);
        o.text("ProductArn", &self.product_arn());
        o.text("ProductName", self.product_name);
        o.text("CompanyName", self.company);
        o.text("Region", self.vpc.region);
        o.text("GeneratorId", self.generator);
        o.text("AwsAccountId", &self.vpc.account);
        o.array("Types", |a| a.text(self.kind));
        for (name, time) in ["FirstObservedAt", "LastObservedAt", "CreatedAt", "UpdatedAt"]
            .iter()
            .zip(self.times)
        {
            o.time(name, time);
        }
        let (label, normalized) = self.severity;
        o.object("Severity", |o| {
            o.text("Label", label);
            o.number("Normalized", normalized);
            o.text("Original", label);
        });
        o.text("Title", self.title);
        o.text("Description", self.description);
        o.object("Workflow", |o| {
            o.text("Status", if self.resolved { "RESOLVED" } else { "NEW" })
        });
        o.text("WorkflowState", "NEW");
        o.text("RecordState", if self.archived { "ARCHIVED" } else { "ACTIVE" });
        o.object("FindingProviderFields", |o| {
            o.object("Severity", |o| {
                o.text("Label", label);
                o.text("Original", label);
            });
            o.array("Types", |a| a.text(self.kind));
        });
    }

    fn product_fields(&self, o: &mut Object<'_>, more: impl FnOnce(&mut Object<'_>)) {
        o.object("ProductFields", |o| {
            more(o);
            o.text(
                "aws/securityhub/FindingId",
                &format!("{}/{}", self.product_arn(), self.id),
            );
            o.text("aws/securityhub/ProductName", self.product_name);
            o.text("aws/securityhub/CompanyName", self.company);
        });
    }
}

/// A control of the security standards: FAILED until it is fixed, PASSED from then on.
fn control(
    environment: &Environment,
    check: &Check,
    control: &Control,
    updated: DateTime<Utc>,
    random: &mut Random,
    out: &mut Vec<u8>,
) {
    let vpc = check.local.vpc(environment);
    let Vpc { account, region, .. } = vpc;
    let passed = check.fixed.is_some_and(|fixed| updated >= fixed);
    let id = format!(
        "arn:aws:securityhub:{region}:{account}:security-control/{}/finding/{}",
        control.id, check.id
    );
    let frame = Frame {
        vpc,
        id: &id,
        product: "securityhub",
        product_name: "Security Hub",
        company: "AWS",
        generator: &format!("security-control/{}", control.id),
        kind: "Software and Configuration Checks/Industry and Regulatory Standards",
        title: control.title,
        description: control.description,
        severity: if passed { ("INFORMATIONAL", 0) } else { control.severity },
        times: [check.created, updated, check.created, updated],
        resolved: passed,
        archived: false,
    };
    frame.write(&random.uuid(), out, |o| {
        o.object("Compliance", |o| {
            o.text("Status", if passed { "PASSED" } else { "FAILED" });
            o.text("SecurityControlId", control.id);
            o.array("RelatedRequirements", |a| {
                control.requirements.iter().for_each(|r| a.text(r))
            });
            o.array("AssociatedStandards", |a| {
                a.object(|o| {
                    o.text(
                        "StandardsId",
                        "standards/aws-foundational-security-best-practices/v/1.0.0",
                    )
                });
                if !control.requirements.is_empty() {
                    a.object(|o| o.text("StandardsId", "standards/cis-aws-foundations-benchmark/v/3.0.0"));
                }
            });
        });
        o.object("Remediation", |o| {
            o.object("Recommendation", |o| {
                o.text("Text", "The documentation of the control says how to put this right.");
                let id = control.id;
                o.text(
                    "Url",
                    &format!("https://docs.aws.amazon.com/console/securityhub/{id}/remediation"),
                );
            });
        });
        frame.product_fields(o, |o| {
            o.text(
                "RelatedAWSResources:0/name",
                &format!("securityhub-{}-{}", control.rule, &check.id[..8]),
            );
            o.text("RelatedAWSResources:0/type", "AWS::Config::ConfigRule");
        });
        o.array("Resources", |a| {
            a.object(|o| {
                o.text("Type", control.resource);
                o.text("Id", &resource_id(environment, check.local, control.resource));
                o.text("Partition", "aws");
                o.text("Region", region);
            });
        });
    });
}

/// ARN of the resource of that type that stands nearest to a machine.
fn resource_id(environment: &Environment, local: Local, resource: &str) -> String {
    let vpc = local.vpc(environment);
    let instance = local.instance(environment);
    let Vpc { account, region, .. } = vpc;
    match resource {
        "AwsEc2SecurityGroup" => format!(
            "arn:aws:ec2:{region}:{account}:security-group/{}",
            instance.security_group
        ),
        "AwsEc2Instance" => format!("arn:aws:ec2:{region}:{account}:instance/{}", instance.id),
        "AwsEc2Vpc" => format!("arn:aws:ec2:{region}:{account}:vpc/{}", vpc.id),
        "AwsS3Bucket" => format!("arn:aws:s3:::meridian-{}-{}", vpc.name, instance.name),
        "AwsIamUser" => format!("arn:aws:iam::{account}:user/{}", instance.name),
        "AwsRdsDbInstance" => format!("arn:aws:rds:{region}:{account}:db:{}", instance.name),
        _ => format!("AWS::::Account:{account}"),
    }
}

/// A vulnerable package that Inspector found.
fn vulnerability(
    environment: &Environment,
    check: &Check,
    row: &Vulnerability,
    updated: DateTime<Utc>,
    random: &mut Random,
    out: &mut Vec<u8>,
) {
    let vpc = check.local.vpc(environment);
    let instance = check.local.instance(environment);
    let Vpc { account, region, .. } = vpc;
    let fixed = check.fixed.is_some_and(|fixed| updated >= fixed);
    let id = format!(
        "arn:aws:inspector2:{region}:{account}:finding/{}",
        check.id.replace('-', "")
    );
    let frame = Frame {
        vpc,
        id: &id,
        product: "inspector",
        product_name: "Inspector",
        company: "Amazon",
        generator: "AWSInspector",
        kind: "Software and Configuration Checks/Vulnerabilities/CVE",
        title: &format!("{} - {}", row.cve, row.package),
        description: row.description,
        severity: row.severity,
        times: [check.created, updated, check.created, updated],
        resolved: fixed,
        archived: fixed,
    };
    frame.write(&random.uuid(), out, |o| {
        o.object("Remediation", |o| {
            o.object("Recommendation", |o| {
                o.text(
                    "Text",
                    "Remediation is available. See the references of the vulnerability.",
                )
            });
        });
        frame.product_fields(o, |o| {
            o.text("aws/inspector/ProductVersion", "2");
            o.text("aws/inspector/FindingStatus", if fixed { "CLOSED" } else { "ACTIVE" });
            o.text("aws/inspector/inspectorScore", row.score);
            o.text("aws/inspector/instanceId", &instance.id);
        });
        o.array("Resources", |a| {
            a.object(|o| {
                o.text("Type", "AwsEc2Instance");
                o.text(
                    "Id",
                    &format!("arn:aws:ec2:{region}:{account}:instance/{}", instance.id),
                );
                o.text("Partition", "aws");
                o.text("Region", region);
                o.object("Tags", |o| o.text("Name", instance.name));
                o.object("Details", |o| instance_details(o, vpc, check.local, environment));
            });
        });
        o.array("Vulnerabilities", |a| {
            a.object(|o| {
                o.text("Id", row.cve);
                o.array("VulnerablePackages", |a| {
                    a.object(|o| {
                        o.text("Name", row.package);
                        o.text("Version", row.installed);
                        o.text("Epoch", "0");
                        o.text("Architecture", "X86_64");
                        o.text("PackageManager", "OS");
                        o.text("FixedInVersion", row.fixed_in);
                    });
                });
                o.array("Cvss", |a| {
                    a.object(|o| {
                        o.raw("BaseScore", row.score.as_bytes());
                        o.text("BaseVector", row.vector);
                        o.text("Version", "3.1");
                        o.text("Source", "NVD");
                    });
                });
                o.object("Vendor", |o| {
                    o.text("Name", "NVD");
                    o.text("Url", &format!("https://nvd.nist.gov/vuln/detail/{}", row.cve));
                    o.text("VendorSeverity", row.severity.0);
                });
                o.text("FixAvailable", "YES");
                o.text("ExploitAvailable", if row.exploited { "YES" } else { "NO" });
            });
        });
    });
}

fn instance_details(o: &mut Object<'_>, vpc: &Vpc, local: Local, environment: &Environment) {
    let instance = local.instance(environment);
    o.object("AwsEc2Instance", |o| {
        o.text("Type", instance.instance_type);
        o.text("ImageId", &instance.image);
        o.array("IpV4Addresses", |a| {
            a.text(&instance.private_address.to_string());
            if let Some(elastic) = instance.elastic_address {
                a.text(&elastic.to_string());
            }
        });
        o.text("VpcId", &vpc.id);
        o.text("SubnetId", &vpc.subnet_of(instance).id);
        o.text("LaunchedAt", "2026-08-03T07:12:44.000Z");
    });
}

/// Appends the copy of a GuardDuty finding that Security Hub imports.
pub(crate) fn write_copy(environment: &Environment, finding: &Finding, version: &Version, out: &mut Vec<u8>) {
    let vpc = finding.local.vpc(environment);
    let severity = match finding.kind.severity {
        "2" => ("LOW", 30),
        "3" => ("LOW", 30),
        "5" => ("MEDIUM", 50),
        _ => ("HIGH", 70),
    };
    let arn = finding.arn(environment);
    let (purpose, rest) = finding.kind.name.split_once(':').unwrap_or((finding.kind.name, ""));
    let rest = rest.replace('/', "-");
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
        kind: &format!("TTPs/{purpose}/{purpose}:{rest}"),
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
