//! What Security Hub, AWS Config and Inspector check again and again: controls and rules that fail until somebody puts them
//! right, and vulnerable packages until they are updated.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    asff::{Frame, instance_details},
    control::{CONTROLS, Control, VULNERABILITIES, Vulnerability},
    environment::{Environment, Vpc},
    flow::Local,
    json::Object,
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
    /// Whether it is a rule that the organisation runs itself in AWS Config.
    own_rule: bool,
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
                        own_rule: random.chance(25),
                        created: since - TimeDelta::seconds(random.between(86_400, 3_200_000)),
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
            let row = &CONTROLS[check.row];
            if check.own_rule {
                config_rule(environment, check, row, updated, random, out);
            } else {
                control(environment, check, row, updated, random, out);
            }
        } else {
            let check = random.pick(&self.vulnerabilities);
            vulnerability(environment, check, &VULNERABILITIES[check.row], updated, random, out);
        }
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
                for requirement in control.requirements {
                    a.text(requirement);
                }
            });
            o.array("AssociatedStandards", |a| {
                a.object(|o| {
                    o.text(
                        "StandardsId",
                        "standards/aws-foundational-security-best-practices/v/1.0.0",
                    );
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
        checked_resource(o, environment, check.local, control.resource);
    });
}

/// The evaluation of a rule that the organisation runs itself, as AWS Config sends it to Security Hub.
fn config_rule(
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
    let rule = format!(
        "arn:aws:config:{region}:{account}:config-rule/config-rule-{}",
        &check.id[..6]
    );
    let frame = Frame {
        vpc,
        id: &format!("{rule}/finding/{}", check.id.replace('-', "")),
        product: "config",
        product_name: "Config",
        company: "AWS",
        generator: &rule,
        kind: "Software and Configuration Checks",
        title: control.rule,
        description: control.description,
        severity: if passed { ("INFORMATIONAL", 0) } else { ("MEDIUM", 40) },
        times: [check.created, updated, check.created, updated],
        resolved: passed,
        archived: false,
    };
    frame.write(&random.uuid(), out, |o| {
        o.object("Compliance", |o| {
            o.text("Status", if passed { "PASSED" } else { "FAILED" });
        });
        frame.product_fields(o, |o| {
            o.text("aws/config/ConfigRuleArn", &rule);
            o.text("aws/config/ConfigRuleName", control.rule);
            o.text(
                "aws/config/ConfigComplianceType",
                if passed { "COMPLIANT" } else { "NON_COMPLIANT" },
            );
        });
        checked_resource(o, environment, check.local, control.resource);
    });
}

fn checked_resource(o: &mut Object<'_>, environment: &Environment, local: Local, resource: &str) {
    o.array("Resources", |a| {
        a.object(|o| {
            o.text("Type", resource);
            o.text("Id", &resource_id(environment, local, resource));
            o.text("Partition", "aws");
            o.text("Region", local.vpc(environment).region);
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
                );
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
