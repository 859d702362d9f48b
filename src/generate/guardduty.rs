//! GuardDuty findings as EventBridge delivers them, and bare.
//!
//! <https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings_eventbridge.html>

use std::net::Ipv4Addr;

use super::{
    environment::Environment,
    finding::{Action, Finding, Remote, Version},
    json::{self, Object},
};

/// Appends one version of a finding, bare or in an envelope as [`Finding::bare`] says.
pub(crate) fn write(environment: &Environment, finding: &Finding, version: &Version, out: &mut Vec<u8>) {
    if finding.bare {
        return json::object(out, |o| detail(o, environment, finding, version));
    }
    let vpc = finding.local.vpc(environment);
    json::object(out, |o| {
        o.text("version", "0");
        o.text("id", &event_id(finding, version));
        o.text("detail-type", "GuardDuty Finding");
        o.text("source", "aws.guardduty");
        o.text("account", &vpc.account);
        o.seconds("time", version.updated);
        o.text("region", vpc.region);
        o.array("resources", |_| {});
        o.object("detail", |o| detail(o, environment, finding, version));
    });
}

/// An envelope's id is of one delivery: made from the finding and its version, so that it repeats with the seed.
pub(crate) fn event_id(finding: &Finding, version: &Version) -> String {
    let id = &finding.id;
    let tail = version.updated.timestamp_millis().unsigned_abs() & 0xffff_ffff_ffff;
    format!(
        "{}-{}-5{}-8{}-{tail:012x}",
        &id[..8],
        &id[8..12],
        &id[12..15],
        &id[15..18]
    )
}

fn detail(o: &mut Object<'_>, environment: &Environment, finding: &Finding, version: &Version) {
    let vpc = finding.local.vpc(environment);
    o.text("schemaVersion", "2.0");
    o.text("accountId", &vpc.account);
    o.text("region", vpc.region);
    o.text("partition", "aws");
    o.text("id", &finding.id);
    o.text("arn", &finding.arn(environment));
    o.text("type", finding.kind.name);
    o.object("resource", |o| resource(o, environment, finding));
    o.object("service", |o| service(o, environment, finding, version));
    o.raw("severity", finding.kind.severity.as_bytes());
    o.time("createdAt", finding.created);
    o.time("updatedAt", version.updated);
    o.text("title", &finding.title(environment));
    o.text("description", &finding.fill(environment, finding.kind.description));
}

fn resource(o: &mut Object<'_>, environment: &Environment, finding: &Finding) {
    match finding.kind.action {
        Action::ApiCall(..) => {
            o.text("resourceType", "AccessKey");
            o.object("accessKeyDetails", |o| {
                o.text("accessKeyId", &format!("ASIA{}", finding.id[..16].to_uppercase()));
                o.text("principalId", &format!("AIDA{}", finding.id[12..28].to_uppercase()));
                o.text("userType", "IAMUser");
                o.text("userName", "deploy");
            });
        }
        Action::Kubernetes(..) => {
            let vpc = finding.local.vpc(environment);
            o.text("resourceType", "EKSCluster");
            o.object("eksClusterDetails", |o| {
                o.text("name", "orders");
                let (region, account) = (vpc.region, &vpc.account);
                o.text("arn", &format!("arn:aws:eks:{region}:{account}:cluster/orders"));
                o.text("status", "ACTIVE");
                o.text("vpcId", &vpc.id);
                o.array("tags", |_| {});
            });
            o.object("kubernetesDetails", |o| {
                o.object("kubernetesUserDetails", |o| {
                    o.text("username", "system:anonymous");
                    o.array("groups", |a| a.text("system:unauthenticated"));
                });
            });
        }
        Action::RdsLogin => {
            let vpc = finding.local.vpc(environment);
            o.text("resourceType", "RDSDBInstance");
            o.object("rdsDbInstanceDetails", |o| {
                o.text("dbInstanceIdentifier", "orders-1");
                o.text("engine", "Aurora PostgreSQL");
                o.text("engineVersion", "16.4");
                o.text("dbClusterIdentifier", "orders");
                let (region, account) = (vpc.region, &vpc.account);
                o.text("dbInstanceArn", &format!("arn:aws:rds:{region}:{account}:db:orders-1"));
                o.array("tags", |_| {});
            });
            o.object("rdsDbUserDetails", |o| {
                o.text("user", "postgres");
                o.text("application", "psql");
                o.text("database", "postgres");
                o.text("ssl", "tlsv1.3");
                o.text("authMethod", "password");
            });
        }
        _ => {
            o.text("resourceType", "Instance");
            o.object("instanceDetails", |o| instance(o, environment, finding));
        }
    }
}

fn instance(o: &mut Object<'_>, environment: &Environment, finding: &Finding) {
    let vpc = finding.local.vpc(environment);
    let instance = finding.local.instance(environment);
    let subnet = vpc.subnet_of(instance);
    o.text("instanceId", &instance.id);
    o.text("instanceType", instance.instance_type);
    o.null("outpostArn");
    o.text("launchTime", "2026-08-03T07:12:44.000Z");
    o.null("platform");
    o.array("productCodes", |_| {});
    o.object("iamInstanceProfile", |o| {
        let (account, name) = (&vpc.account, instance.name);
        o.text("arn", &format!("arn:aws:iam::{account}:instance-profile/{name}"));
        o.text("id", &format!("AIPA{}", instance.id[3..19].to_uppercase()));
    });
    o.array("networkInterfaces", |a| {
        a.object(|o| {
            o.array("ipv6Addresses", |_| {});
            o.text("networkInterfaceId", &instance.interface);
            let dashed = instance.private_address.to_string().replace('.', "-");
            let private_name = format!("ip-{dashed}.{}.compute.internal", vpc.region);
            o.text("privateDnsName", &private_name);
            o.address("privateIpAddress", instance.private_address);
            o.array("privateIpAddresses", |a| {
                a.object(|o| {
                    o.text("privateDnsName", &private_name);
                    o.address("privateIpAddress", instance.private_address);
                });
            });
            o.text("subnetId", &subnet.id);
            o.text("vpcId", &vpc.id);
            o.array("securityGroups", |a| {
                a.object(|o| {
                    o.text("groupName", instance.name);
                    o.text("groupId", &instance.security_group);
                });
            });
            match instance.elastic_address {
                Some(elastic) => {
                    let dashed = elastic.to_string().replace('.', "-");
                    let name = format!("ec2-{dashed}.{}.compute.amazonaws.com", vpc.region);
                    o.text("publicDnsName", &name);
                    o.address("publicIp", elastic);
                }
                None => o.text("publicDnsName", ""),
            }
        });
    });
    o.array("tags", |a| {
        a.object(|o| {
            o.text("key", "Name");
            o.text("value", instance.name);
        });
    });
    o.text("instanceState", "running");
    o.text("availabilityZone", &subnet.zone);
    o.text("imageId", &instance.image);
    o.text("imageDescription", "Amazon Linux 2023");
}

fn service(o: &mut Object<'_>, environment: &Environment, finding: &Finding, version: &Version) {
    o.text("serviceName", "guardduty");
    o.text("detectorId", &finding.local.vpc(environment).detector);
    o.object("action", |o| action(o, environment, finding));
    o.text("resourceRole", finding.kind.role);
    o.object("additionalInfo", |o| additional_info(o, finding));
    match finding.kind.list {
        Some((list, threat)) => o.object("evidence", |o| {
            o.array("threatIntelligenceDetails", |a| {
                a.object(|o| {
                    o.text("threatListName", list);
                    o.array("threatNames", |a| a.text(threat));
                });
            });
        }),
        None => o.null("evidence"),
    }
    o.time("eventFirstSeen", finding.first_seen);
    o.time("eventLastSeen", version.last_seen);
    o.bool("archived", finding.archived);
    o.number("count", version.count);
    if finding.kind.action == Action::Malware {
        o.text("featureName", "EbsVolumeScan");
        o.object("ebsVolumeScanDetails", |o| {
            o.text("scanId", &finding.id);
            o.object("scanDetections", |o| {
                o.object("scannedItemCount", |o| {
                    o.number("totalGb", 8);
                    o.number("files", 98_214);
                    o.number("volumes", 1);
                });
                o.object("threatsDetectedItemCount", |o| o.number("files", 2));
            });
        });
    }
}

/// Threat list and mark of a sample. GuardDuty repeats them as JSON in a string under `value`.
fn additional_info(o: &mut Object<'_>, finding: &Finding) {
    let members = |o: &mut Object<'_>| {
        if finding.sample {
            o.bool("sample", true);
        }
        if let Some((list, threat)) = finding.kind.list {
            o.text("threatListName", list);
            o.text("threatName", threat);
        }
    };
    members(o);
    let mut value = Vec::new();
    json::object(&mut value, members);
    o.text("value", &String::from_utf8_lossy(&value));
    o.text("type", "default");
}

fn action(o: &mut Object<'_>, environment: &Environment, finding: &Finding) {
    match finding.kind.action {
        Action::Inbound(protocol) => connection(o, environment, finding, "INBOUND", protocol),
        Action::Outbound(protocol) => connection(o, environment, finding, "OUTBOUND", protocol),
        Action::Unknown(protocol) => connection(o, environment, finding, "UNKNOWN", protocol),
        Action::PortProbe => {
            o.text("actionType", "PORT_PROBE");
            o.object("portProbeAction", |o| {
                o.bool("blocked", finding.blocked);
                o.array("portProbeDetails", |a| {
                    for remote in &finding.remotes {
                        a.object(|o| {
                            local_port(o, finding.local_port(environment));
                            local_address(o, environment, finding);
                            remote_details(o, remote);
                        });
                    }
                });
            });
        }
        Action::ApiCall(api, name) => {
            o.text("actionType", "AWS_API_CALL");
            o.object("awsApiCallAction", |o| {
                o.text("api", api);
                o.text("serviceName", name);
                o.text("callerType", "Remote IP");
                if let Some(remote) = finding.remotes.first() {
                    remote_details(o, remote);
                }
                o.object("affectedResources", |_| {});
            });
        }
        Action::Dns(name) => {
            o.text("actionType", "DNS_REQUEST");
            o.object("dnsRequestAction", |o| {
                o.text("domain", name);
                o.text("protocol", "UDP");
                o.bool("blocked", finding.blocked);
            });
        }
        Action::Kubernetes(verb, path) => {
            o.text("actionType", "KUBERNETES_API_CALL");
            o.object("kubernetesApiCallAction", |o| {
                o.text("requestUri", path);
                o.text("verb", verb);
                o.array("sourceIps", |a| {
                    for remote in &finding.remotes {
                        a.text(&remote.address.to_string());
                    }
                });
                o.text("userAgent", "kubectl/v1.31.2 (linux/amd64) kubernetes/5864a46");
                if let Some(remote) = finding.remotes.first() {
                    remote_details(o, remote);
                }
                o.number("statusCode", 403);
            });
        }
        Action::RdsLogin => {
            o.text("actionType", "RDS_LOGIN_ATTEMPT");
            o.object("rdsLoginAttemptAction", |o| {
                if let Some(remote) = finding.remotes.first() {
                    remote_details(o, remote);
                }
                o.array("LoginAttributes", |a| {
                    a.object(|o| {
                        o.text("user", "postgres");
                        o.text("application", "psql");
                        o.number("failedLoginAttempts", 12);
                        o.number("successfulLoginAttempts", 0);
                    });
                });
            });
        }
        Action::Malware => {}
    }
}

fn connection(o: &mut Object<'_>, environment: &Environment, finding: &Finding, direction: &str, protocol: &str) {
    o.text("actionType", "NETWORK_CONNECTION");
    o.object("networkConnectionAction", |o| {
        o.text("connectionDirection", direction);
        local_address(o, environment, finding);
        if let Some(remote) = finding.remotes.first() {
            remote_details(o, remote);
        }
        o.object("remotePortDetails", |o| port(o, finding.remote_port()));
        local_port(o, finding.local_port(environment));
        o.text("protocol", protocol);
        o.bool("blocked", finding.blocked);
    });
}

fn local_port(o: &mut Object<'_>, number: u16) {
    o.object("localPortDetails", |o| port(o, number));
}

fn port(o: &mut Object<'_>, number: u16) {
    o.number("port", i64::from(number));
    o.text("portName", port_name(number));
}

fn local_address(o: &mut Object<'_>, environment: &Environment, finding: &Finding) {
    let address = finding.local.instance(environment).private_address;
    o.object("localIpDetails", |o| o.address("ipAddressV4", address));
}

fn remote_details(o: &mut Object<'_>, remote: &Remote) {
    let provider = remote.provider;
    o.object("remoteIpDetails", |o| {
        o.address("ipAddressV4", remote.address);
        // What is nobody's on the internet has no origin.
        if remote.address == Ipv4Addr::UNSPECIFIED || remote.address.is_private() {
            return;
        }
        o.object("organization", |o| {
            o.built("asn", |out| json::push_number(out, i64::from(provider.asn)));
            o.text("asnOrg", provider.system);
            o.text("isp", provider.organisation);
            o.text("org", provider.organisation);
        });
        o.object("country", |o| o.text("countryName", provider.country));
        o.object("city", |o| o.text("cityName", provider.city));
        o.object("geoLocation", |o| {
            o.raw("lat", provider.latitude.as_bytes());
            o.raw("lon", provider.longitude.as_bytes());
        });
    });
}

/// GuardDuty's names of ports.
pub(crate) fn port_name(port: u16) -> &'static str {
    match port {
        21 => "FTP",
        22 => "SSH",
        53 => "DNS",
        80 => "HTTP",
        443 => "HTTPS",
        3389 => "RDP",
        5432 => "PostgreSQL",
        _ => "Unknown",
    }
}
