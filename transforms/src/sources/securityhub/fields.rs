//! The table: what an `ecs` document of a Security Hub finding may carry.
//!
//! Paths with capitals are of the AWS Security Finding Format
//! (<https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFinding.html>), those in lower case of the
//! findings in the Open Cybersecurity Schema Framework (<https://schema.ocsf.io/>). A record is of one form or the other.

use crate::schema::{
    Field,
    Type::{Boolean, Date, FlatObject, Float, GeoPoint, Ip, Keyword, Long, Text},
    field,
};

/// A member of the remote side, of whichever action the finding has.
macro_rules! remote {
    ($leaf:literal) => {
        concat!(
            "Action.{NetworkConnectionAction,AwsApiCallAction,PortProbeAction.PortProbeDetails[]}.RemoteIpDetails.",
            $leaf
        )
    };
}

/// The same of an action; else of the sender that an OCSF finding's evidence names.
macro_rules! sender {
    ($leaf:literal, $ocsf:literal) => {
        concat!(
            "Action.{NetworkConnectionAction,AwsApiCallAction,PortProbeAction.PortProbeDetails[]}.RemoteIpDetails.",
            $leaf,
            " | evidences[].src_endpoint.",
            $ocsf
        )
    };
}

/// A member of the details of a resource.
macro_rules! details {
    ($leaf:literal) => {
        concat!("Resources[].Details.", $leaf)
    };
}

/// A member of an attack sequence.
macro_rules! sequence {
    ($leaf:literal) => {
        concat!("Detection.Sequence.", $leaf)
    };
}

/// Addresses that stand in no row of type `ip` among those of ECS, which are written before. Those in `ProductFields` are found by the map.
const MORE_ADDRESSES: &str = "{Detection.Sequence.Endpoints[].Ip,\
Network.SourceIpV4,Network.SourceIpV6,Network.DestinationIpV4,Network.DestinationIpV6,\
NetworkPath[].Egress.Source.Address[],NetworkPath[].Egress.Destination.Address[],\
NetworkPath[].Ingress.Source.Address[],NetworkPath[].Ingress.Destination.Address[],\
ThreatIntelIndicators[].Value,Detection.Sequence.SequenceIndicators[].Values[],\
Detection.Sequence.Signals[].SignalIndicators[].Values[],\
Action.AwsApiCallAction.RemoteIpDetails.IpAddressV4,Action.NetworkConnectionAction.RemoteIpDetails.IpAddressV4,\
Action.PortProbeAction.PortProbeDetails[].RemoteIpDetails.IpAddressV4,\
Action.PortProbeAction.PortProbeDetails[].LocalIpDetails.IpAddressV4,\
Action.NetworkConnectionAction.LocalIpDetails.IpAddressV4,\
Resources[].Details.AwsEc2Instance.IpV4Addresses[],Resources[].Details.AwsEc2Instance.IpV6Addresses[],\
Resources[].Details.AwsEc2NetworkInterface.PublicIp,\
Resources[].Details.AwsEc2NetworkInterface.IpV6Addresses[].IpV6Address,\
Resources[].Details.AwsEc2NetworkInterface.PrivateIpAddresses[].PrivateIpAddress,\
Resources[].Details.AwsEc2Eip.PublicIp,Resources[].Details.AwsEc2Eip.PrivateIpAddress,\
Resources[].Details.AwsRedshiftCluster.ClusterNodes[].PrivateIpAddress,\
Resources[].Details.AwsRedshiftCluster.ClusterNodes[].PublicIpAddress,\
Resources[].Details.AwsRedshiftCluster.ElasticIpStatus.ElasticIp,\
Resources[].Details.AwsEc2VpnConnection.VgwTelemetry[].OutsideIpAddress,\
Resources[].Details.AwsEc2VpnConnection.Options.TunnelOptions[].OutsideIpAddress,\
evidences[].src_endpoint.ip,evidences[].dst_endpoint.ip,evidences[].src_endpoint.intermediate_ips[],\
evidences[].device.ip,resources[].ip,resources[].device.ip,resources[].device.network_interfaces[].ip,device.ip,\
observables[].value,finding_info.traits[].values[]}";

/// Every place where the name of a host stands.
const HOSTS: &str = "{Network.SourceDomain,Network.DestinationDomain,Action.DnsRequestAction.Domain,\
Action.AwsApiCallAction.DomainDetails.Domain,Detection.Sequence.Endpoints[].Domain,\
Resources[].Details.AwsRdsDbInstance.Endpoint.Address,\
evidences[].src_endpoint.hostname,evidences[].dst_endpoint.hostname,evidences[].src_endpoint.domain,\
evidences[].dst_endpoint.domain,evidences[].query.hostname,resources[].hostname,device.hostname}";

/// Every place where the name of a user stands.
const USERS: &str = "{Resources[].Details.AwsIamAccessKey.PrincipalName,Resources[].Details.AwsIamAccessKey.UserName,\
Resources[].Details.AwsIamUser.UserName,Detection.Sequence.Actors[].User.Name,evidences[].actor.user.name,\
evidences[].user.name}";

/// Every place where the hash of a file stands.
const HASHES: &str = "{Threats[].FilePaths[].Hash,evidences[].file.hashes[].value,\
evidences[].process.file.hashes[].value,malware[].files[].hashes[].value}";

/// The rows of Security Hub findings.
#[rustfmt::skip]
pub const FIELDS: &[Field] = &[
    field("@timestamp", Date, "UpdatedAt | CreatedAt | LastObservedAt | time | time_dt | finding_info.modified_time | finding_info.modified_time_dt | finding_info.last_seen_time | finding_info.last_seen_time_dt | finding_info.created_time | finding_info.created_time_dt", "when the finding was last updated"),
    field("message", Text, "Description | finding_info.desc | message", "description of the finding"),
    field("event.kind", Keyword, "", "alert; event for the results of an insight"),
    field("event.action", Keyword, "Action.ActionType | evidences[].api.operation", "kind of activity in lower case"),
    field("event.category", Keyword, "", "configuration, vulnerability or intrusion_detection, by the finding's types or class"),
    field("event.severity", Float, "Severity.Normalized | FindingProviderFields.Severity.Normalized", "severity, 0 to 100"),
    field("event.created", Date, "{CreatedAt,finding_info.created_time,finding_info.created_time_dt}", "when the finding was first made"),
    field("event.start", Date, "{FirstObservedAt,finding_info.first_seen_time,finding_info.first_seen_time_dt}", "first seen"),
    field("event.end", Date, "{LastObservedAt,finding_info.last_seen_time,finding_info.last_seen_time_dt}", "last seen"),
    field("event.outcome", Keyword, "", "failure for FAILED, success for PASSED, otherwise unknown"),
    field("cloud.account.id", Keyword, "AwsAccountId | cloud.account.uid | account", "AWS account"),
    field("cloud.account.name", Keyword, "AwsAccountName | cloud.account.name", "its name"),
    field("cloud.region", Keyword, "Region | Resources[].Region | cloud.region | resources[].region | region", "AWS Region"),
    field("rule.id", Keyword, "Compliance.SecurityControlId | GeneratorId | compliance.control | metadata.event_code | finding_info.analytic.uid | finding_info.analytic.name", "control, else what made the finding"),
    field("rule.name", Keyword, "Title | finding_info.title", "title of the finding"),
    field("rule.description", Keyword, "GeneratorDetails.Description | finding_info.analytic.desc", "what the rule looks for"),
    field("rule.ruleset", Keyword, "Compliance.AssociatedStandards[].StandardsId | compliance.standards[]", "standards that the control belongs to"),
    field("source.address", Keyword, "Network.SourceDomain | Action.{NetworkConnectionAction,AwsApiCallAction,PortProbeAction.PortProbeDetails[]}.RemoteIpDetails.{IpAddressV4,IpAddressV6} | evidences[].src_endpoint.{ip,hostname,domain}", "remote side, when it is no address"),
    field("source.ip", Ip, "Network.SourceIpV4 | Network.SourceIpV6 | Action.{NetworkConnectionAction,AwsApiCallAction,PortProbeAction.PortProbeDetails[]}.RemoteIpDetails.{IpAddressV4,IpAddressV6} | evidences[].src_endpoint.ip", "sender; the own side when OUTBOUND"),
    field("source.port", Long, "Network.SourcePort | Action.NetworkConnectionAction.RemotePortDetails.Port | evidences[].src_endpoint.port", "port of the sender"),
    field("source.mac", Keyword, "Network.SourceMac | evidences[].src_endpoint.mac", "hardware address of the sender"),
    field("source.geo.country_iso_code", Keyword, sender!("Country.CountryCode", "location.country"), "country code of the remote side"),
    field("source.geo.country_name", Keyword, remote!("Country.CountryName"), "country of the remote side"),
    field("source.geo.city_name", Keyword, sender!("City.CityName", "location.city"), "city of the remote side"),
    field("source.geo.location", GeoPoint, remote!("{GeoLocation,Geolocation}"), "place of the remote side"),
    field("source.as.number", Long, sender!("Organization.Asn", "autonomous_system.number"), "autonomous system of the remote side"),
    field("source.as.organization.name", Keyword, sender!("Organization.AsnOrg", "autonomous_system.name"), "who runs the remote network"),
    field("destination.address", Keyword, "Network.DestinationDomain | Action.{NetworkConnectionAction,PortProbeAction.PortProbeDetails[]}.LocalIpDetails.IpAddressV4 | evidences[].dst_endpoint.{ip,hostname,domain}", "receiver, when it is no address"),
    field("destination.ip", Ip, "Network.DestinationIpV4 | Network.DestinationIpV6 | Action.{NetworkConnectionAction,PortProbeAction.PortProbeDetails[]}.LocalIpDetails.IpAddressV4 | evidences[].dst_endpoint.ip", "receiver; the remote side when OUTBOUND"),
    field("destination.port", Long, "Network.DestinationPort | Action.{NetworkConnectionAction,PortProbeAction.PortProbeDetails[]}.LocalPortDetails.Port | evidences[].dst_endpoint.port", "port of the receiver"),
    field("destination.geo.country_iso_code", Keyword, "evidences[].dst_endpoint.location.country", "country code of the receiver; of the remote side when OUTBOUND"),
    field("destination.geo.country_name", Keyword, "", "country of the remote side when OUTBOUND"),
    field("destination.geo.city_name", Keyword, "evidences[].dst_endpoint.location.city", "city of the receiver; of the remote side when OUTBOUND"),
    field("destination.geo.location", GeoPoint, "", "place of the remote side when OUTBOUND"),
    field("destination.as.number", Long, "evidences[].dst_endpoint.autonomous_system.number", "autonomous system of the receiver; of the remote side when OUTBOUND"),
    field("destination.as.organization.name", Keyword, "evidences[].dst_endpoint.autonomous_system.name", "who runs the receiver's network; the remote one when OUTBOUND"),
    field("network.direction", Keyword, "Network.Direction | Action.NetworkConnectionAction.ConnectionDirection | evidences[].connection_info.direction", "inbound or outbound"),
    field("network.transport", Keyword, "Network.Protocol | Action.{NetworkConnectionAction,DnsRequestAction}.Protocol | evidences[].connection_info.protocol_name", "tcp, udp and so on"),
    field("dns.question.name", Keyword, "Action.DnsRequestAction.Domain | evidences[].query.hostname", "name that was asked for"),
    field("user.name", Keyword, "Resources[].Details.AwsIamAccessKey.{PrincipalName,UserName} | evidences[].actor.user.name", "who acted"),
    field("user.id", Keyword, "Resources[].Details.AwsIamAccessKey.PrincipalId | evidences[].actor.user.uid", "id of who acted"),
    field("user_agent.original", Keyword, "evidences[].http_request.user_agent", "program that called the API"),
    field("error.code", Keyword, "evidences[].api.response.error", "error that the API answered"),
    field("error.message", Keyword, "evidences[].api.response.error_message", "the same in words"),
    field("http.response.status_code", Long, "evidences[].api.response.code", "status that the API answered"),
    field("process.name", Keyword, "Process.Name | evidences[].process.name", "process that acted"),
    field("process.executable", Keyword, "Process.Path | evidences[].process.file.path", "its file"),
    field("process.pid", Long, "Process.Pid | evidences[].process.pid", "its number on the host"),
    field("process.parent.pid", Long, "Process.ParentPid | evidences[].process.parent_process.pid", "number of its parent"),
    field("process.start", Date, "Process.LaunchedAt", "when it started"),
    field("process.end", Date, "Process.TerminatedAt", "when it ended"),
    field("process.command_line", Keyword, "evidences[].process.cmd_line", "its command line"),
    field("container.name", Keyword, details!("Container.Name"), "containers"),
    field("container.image.name", Keyword, details!("Container.ImageName"), "their images"),
    field("file.path", Keyword, "{Malware[].Path,Threats[].FilePaths[].FilePath,evidences[].file.path,databucket.file.path}", "files that hold malware or sensitive data"),
    field("package.name", Keyword, "Vulnerabilities[].VulnerablePackages[].Name | vulnerabilities[].affected_packages[].name", "vulnerable packages"),
    field("package.version", Keyword, "Vulnerabilities[].VulnerablePackages[].Version | vulnerabilities[].affected_packages[].version", "their versions"),
    field("package.architecture", Keyword, "Vulnerabilities[].VulnerablePackages[].Architecture | vulnerabilities[].affected_packages[].architecture", "their architectures"),
    field("package.path", Keyword, "Vulnerabilities[].VulnerablePackages[].FilePath | vulnerabilities[].affected_packages[].path", "their files"),
    field("package.type", Keyword, "Vulnerabilities[].VulnerablePackages[].PackageManager | vulnerabilities[].affected_packages[].package_manager", "what installs them, such as OS or NPM"),
    field("related.ip", Ip, MORE_ADDRESSES, "every address in the finding"),
    field("related.hosts", Keyword, HOSTS, "every host in the finding"),
    field("related.user", Keyword, USERS, "every user in the finding"),
    field("related.hash", Keyword, HASHES, "every file's hash in the finding"),
    field("vulnerability.id", Keyword, "{Vulnerabilities[].Id,vulnerabilities[].cve.uid}", "CVE or the like"),
    field("vulnerability.description", Keyword, "vulnerabilities[].{desc,cve.desc}", "what is vulnerable"),
    field("vulnerability.severity", Keyword, "Vulnerabilities[].Vendor.VendorSeverity | vulnerabilities[].severity", "severity by the vendor"),
    field("vulnerability.reference", Keyword, "{Vulnerabilities[].ReferenceUrls[],Vulnerabilities[].Vendor.Url,vulnerabilities[].references[],vulnerabilities[].cve.references[]}", "where to read of it"),
    field("vulnerability.score.base", Float, "{Vulnerabilities[].Cvss[].BaseScore,vulnerabilities[].cve.cvss[].base_score}", "CVSS base scores"),
    field("vulnerability.score.version", Keyword, "{Vulnerabilities[].Cvss[].Version,vulnerabilities[].cve.cvss[].version}", "versions of CVSS"),
    field("aws.securityhub.finding_id", Keyword, "Id | finding_info.uid", "id of the finding, the same in all its versions"),
    field("aws.securityhub.product_arn", Keyword, "ProductArn | metadata.product.uid", "product that sent it"),
    field("aws.securityhub.product", Keyword, "ProductName | ProductFields.aws/securityhub/ProductName | metadata.product.name", "name of the product"),
    field("aws.securityhub.company", Keyword, "CompanyName | ProductFields.aws/securityhub/CompanyName | metadata.product.vendor_name", "company of the product"),
    field("aws.securityhub.product_feature", Keyword, "metadata.product.feature.name", "part of the product"),
    field("aws.securityhub.generator_id", Keyword, "GeneratorId | finding_info.analytic.uid | finding_info.analytic.name", "what made the finding"),
    field("aws.securityhub.generator_name", Keyword, "GeneratorDetails.Name | finding_info.analytic.name", "its name"),
    field("aws.securityhub.generator_type", Keyword, "finding_info.analytic.type", "its kind, such as Rule"),
    field("aws.securityhub.generator_category", Keyword, "finding_info.analytic.category", "what kind of rule it is"),
    field("aws.securityhub.generator_label", Keyword, "GeneratorDetails.Labels[]", "its labels"),
    field("aws.securityhub.control_id", Keyword, "Compliance.SecurityControlId | ProductFields.ControlId | compliance.control", "security control"),
    field("aws.securityhub.control_arn", Keyword, "ProductFields.StandardsControlArn", "control of one standard, before controls were consolidated"),
    field("aws.securityhub.control_parameter", Keyword, "Compliance.SecurityControlParameters[].Name", "parameters of the control"),
    field("aws.securityhub.control_parameter_value", Keyword, "Compliance.SecurityControlParameters[].Value[]", "their values"),
    field("aws.securityhub.standard", Keyword, "Compliance.AssociatedStandards[].StandardsId | ProductFields.{StandardsArn,StandardsGuideArn} | compliance.standards[]", "security standards"),
    field("aws.securityhub.requirement", Keyword, "Compliance.RelatedRequirements[] | compliance.requirements[]", "requirements that the control checks"),
    field("aws.securityhub.severity_label", Keyword, "Severity.Label | FindingProviderFields.Severity.Label | severity", "INFORMATIONAL, LOW, MEDIUM, HIGH or CRITICAL"),
    field("aws.securityhub.severity_name", Keyword, "severity", "severity of an OCSF finding in its own word"),
    field("aws.securityhub.severity_id", Long, "severity_id", "severity of an OCSF finding, 0 unknown to 6 fatal"),
    field("aws.securityhub.severity_original", Keyword, "Severity.Original | FindingProviderFields.Severity.Original | vendor_attributes.severity", "severity by the product"),
    field("aws.securityhub.severity_product", Float, "Severity.Product | FindingProviderFields.Severity.Product", "severity on the product's own scale"),
    field("aws.securityhub.severity_normalized", Long, "Severity.Normalized | FindingProviderFields.Severity.Normalized", "severity, 0 to 100"),
    field("aws.securityhub.provider_severity_label", Keyword, "FindingProviderFields.Severity.Label", "severity label by the product, whoever changed it later"),
    field("aws.securityhub.provider_severity_id", Long, "vendor_attributes.severity_id", "severity number by the product, whoever changed it later"),
    field("aws.securityhub.provider_types", Keyword, "FindingProviderFields.Types[]", "types by the product, whoever changed them later"),
    field("aws.securityhub.provider_confidence", Long, "FindingProviderFields.Confidence", "confidence by the product"),
    field("aws.securityhub.provider_criticality", Long, "FindingProviderFields.Criticality", "criticality by the product"),
    field("aws.securityhub.compliance_status", Keyword, "Compliance.Status | compliance.status | status_code", "PASSED, WARNING, FAILED or NOT_AVAILABLE"),
    field("aws.securityhub.compliance_result", Keyword, "{compliance.status,status_code}", "result of an OCSF finding in its own word"),
    field("aws.securityhub.compliance_status_id", Long, "compliance.status_id", "result of an OCSF finding, 1 pass, 2 warning, 3 fail"),
    field("aws.securityhub.status_reason", Keyword, "Compliance.StatusReasons[].ReasonCode | compliance.status_code", "why the control has this status"),
    field("aws.securityhub.status_reason_text", Keyword, "Compliance.StatusReasons[].Description | {compliance.status_detail,compliance.status_details[],status_detail}", "the same in words"),
    field("aws.securityhub.assessment", Keyword, "compliance.assessments[].name", "checks of a control"),
    field("aws.securityhub.assessment_met", Boolean, "compliance.assessments[].meets_criteria", "whether those are passed"),
    field("aws.securityhub.workflow_status", Keyword, "Workflow.Status | status", "NEW, NOTIFIED, RESOLVED or SUPPRESSED"),
    field("aws.securityhub.workflow_state", Keyword, "WorkflowState", "what came before the workflow status"),
    field("aws.securityhub.status", Keyword, "status", "status of an OCSF finding in its own word"),
    field("aws.securityhub.status_id", Long, "status_id", "its number"),
    field("aws.securityhub.record_state", Keyword, "RecordState | unmapped.RecordState", "ACTIVE or ARCHIVED"),
    field("aws.securityhub.verification_state", Keyword, "VerificationState", "what an analyst said of it"),
    field("aws.securityhub.types", Keyword, "Types[] | FindingProviderFields.Types[] | finding_info.types[]", "namespace/category/classifier"),
    field("aws.securityhub.class_uid", Long, "class_uid", "class of an OCSF finding, such as 2003"),
    field("aws.securityhub.class_name", Keyword, "class_name", "its name, such as Compliance Finding"),
    field("aws.securityhub.category_uid", Long, "category_uid", "category of an OCSF finding"),
    field("aws.securityhub.category_name", Keyword, "category_name", "its name"),
    field("aws.securityhub.type_uid", Long, "type_uid", "class and activity in one number"),
    field("aws.securityhub.type_name", Keyword, "type_name", "class and activity in words"),
    field("aws.securityhub.activity_id", Long, "activity_id", "what became of an OCSF finding, such as 2 for an update"),
    field("aws.securityhub.activity_name", Keyword, "activity_name", "the same in a word"),
    field("aws.securityhub.metadata_uid", Keyword, "metadata.uid", "id of the OCSF event"),
    field("aws.securityhub.profile", Keyword, "metadata.profiles[]", "profiles of OCSF that it follows"),
    field("aws.securityhub.resource_id", Keyword, "{Resources[].Id,resources[].uid}", "affected resources"),
    field("aws.securityhub.resource_alt_id", Keyword, "resources[].uid_alt", "other ids of them"),
    field("aws.securityhub.resource_name", Keyword, "resources[].name", "their names"),
    field("aws.securityhub.resource_type", Keyword, "{Resources[].Type,resources[].type}", "their types"),
    field("aws.securityhub.resource_region", Keyword, "{Resources[].Region,resources[].region}", "their regions"),
    field("aws.securityhub.resource_partition", Keyword, "{Resources[].Partition,resources[].cloud_partition}", "their AWS partitions"),
    field("aws.securityhub.resource_account_id", Keyword, "resources[].owner.account.uid", "their accounts"),
    field("aws.securityhub.resource_account_name", Keyword, "resources[].owner.account.name", "names of their accounts"),
    field("aws.securityhub.resource_criticality", Keyword, "resources[].criticality", "how important they are"),
    field("aws.securityhub.resource_role", Keyword, "{Resources[].ResourceRole,resources[].role}", "what they did, such as Target"),
    field("aws.securityhub.resource_group", Keyword, "resources[].group.name", "groups of resources, such as a service"),
    field("aws.securityhub.application", Keyword, "Resources[].ApplicationName", "applications that they are part of"),
    field("aws.securityhub.application_arn", Keyword, "Resources[].ApplicationArn", "their ARNs"),
    field("aws.securityhub.vpc_id", Keyword, "{Resources[].Details.AwsEc2Instance.VpcId,resources[].vpc_uid}", "VPC"),
    field("aws.securityhub.subnet_id", Keyword, "{Resources[].Details.AwsEc2Instance.SubnetId,resources[].subnet_info.uid}", "subnets"),
    field("aws.securityhub.image_id", Keyword, "{Resources[].Details.AwsEc2Instance.ImageId,resources[].image.uid}", "machine or container images"),
    field("aws.securityhub.image_repository", Keyword, "resources[].image.repository_name", "repositories of container images"),
    field("aws.securityhub.image_registry", Keyword, "resources[].image.registry_uid", "their registries"),
    field("aws.securityhub.image_in_use", Long, "resources[].image.in_use_count", "how many containers run them"),
    field("aws.securityhub.function_runtime", Keyword, "{Resources[].Details.AwsLambdaFunction.Runtime,resources[].cloud_function.runtime}", "language that Lambda functions are run with"),
    field("aws.securityhub.instance_type", Keyword, details!("AwsEc2Instance.Type"), "size of the instance"),
    field("aws.securityhub.instance_launched", Date, details!("AwsEc2Instance.LaunchedAt"), "when the instance was launched"),
    field("aws.securityhub.principal_type", Keyword, "{Resources[].Details.AwsIamAccessKey.PrincipalType,evidences[].actor.user.type}", "kind of user"),
    field("aws.securityhub.access_key_id", Keyword, "{Resources[].Details.AwsIamAccessKey.AccessKeyId,evidences[].actor.user.credential_uid}", "access key"),
    field("aws.securityhub.actor_account_id", Keyword, "{evidences[].actor.user.account.uid,Detection.Sequence.Actors[].User.Account.Uid}", "account of who acted"),
    field("aws.securityhub.remediation", Keyword, "Remediation.Recommendation.Text | remediation.desc", "what to do about it"),
    field("aws.securityhub.remediation_url", Keyword, "{Remediation.Recommendation.Url,ProductFields.RecommendationUrl,remediation.references[]}", "where to read what to do"),
    field("aws.securityhub.source_url", Keyword, "SourceUrl | finding_info.src_url", "page of the finding at the product"),
    field("aws.securityhub.schema_version", Keyword, "SchemaVersion | metadata.version", "version of ASFF or OCSF"),
    field("aws.securityhub.confidence", Long, "Confidence | confidence_score", "0 to 100"),
    field("aws.securityhub.criticality", Long, "Criticality", "importance of the resource, 0 to 100"),
    field("aws.securityhub.impact", Keyword, "impact", "how bad it would be"),
    field("aws.securityhub.likelihood", Keyword, "likelihood", "how likely it is"),
    field("aws.securityhub.sample", Boolean, "Sample", "whether it is a generated sample finding"),
    field("aws.securityhub.note", Keyword, "Note.Text | comment", "what people wrote about it"),
    field("aws.securityhub.note_by", Keyword, "Note.UpdatedBy", "who wrote it"),
    field("aws.securityhub.note_at", Date, "Note.UpdatedAt", "when"),
    field("aws.securityhub.related_finding", Keyword, "{RelatedFindings[].Id,FindingProviderFields.RelatedFindings[].Id,finding_info.related_events[].uid}", "findings that belong to it"),
    field("aws.securityhub.related_product", Keyword, "{RelatedFindings[].ProductArn,FindingProviderFields.RelatedFindings[].ProductArn,finding_info.related_events[].product.uid}", "their products"),
    field("aws.securityhub.related_title", Keyword, "finding_info.related_events[].title", "their titles"),
    field("aws.securityhub.related_count", Long, "finding_info.related_events_count", "how many there are"),
    field("aws.securityhub.related_trait", Keyword, "finding_info.related_events[].traits[].category", "what they contribute to an exposure"),
    field("aws.securityhub.cve", Keyword, "{Vulnerabilities[].Id,vulnerabilities[].cve.uid}", "CVE or the like"),
    field("aws.securityhub.related_cve", Keyword, "{Vulnerabilities[].RelatedVulnerabilities[],vulnerabilities[].related_vulnerabilities[]}", "vulnerabilities that belong to it"),
    field("aws.securityhub.cwe", Keyword, "{Vulnerabilities[].CodeVulnerabilities[].Cwes[],vulnerabilities[].cwe.uid,vulnerabilities[].cve.cwe.uid}", "weaknesses"),
    field("aws.securityhub.cvss_vector", Keyword, "{Vulnerabilities[].Cvss[].BaseVector,vulnerabilities[].cve.cvss[].vector_string}", "CVSS vectors"),
    field("aws.securityhub.cvss_source", Keyword, "{Vulnerabilities[].Cvss[].Source,vulnerabilities[].cve.cvss[].vendor_name}", "who scored it"),
    field("aws.securityhub.epss", Float, "{Vulnerabilities[].EpssScore,vulnerabilities[].cve.epss.score}", "how likely it is exploited, 0 to 1"),
    field("aws.securityhub.fixable", Keyword, "Vulnerabilities[].FixAvailable | vulnerabilities[].is_fix_available", "YES, NO or PARTIAL"),
    field("aws.securityhub.fix_available", Boolean, "vulnerabilities[].is_fix_available", "whether an OCSF finding says that there is a fix"),
    field("aws.securityhub.fix_coverage", Keyword, "vulnerabilities[].fix_coverage", "how much of it the fix covers"),
    field("aws.securityhub.fixed_in", Keyword, "Vulnerabilities[].VulnerablePackages[].FixedInVersion | vulnerabilities[].affected_packages[].fixed_in_version", "versions of the packages without it"),
    field("aws.securityhub.package_release", Keyword, "Vulnerabilities[].VulnerablePackages[].Release | vulnerabilities[].affected_packages[].release", "releases of the packages"),
    field("aws.securityhub.package_remediation", Keyword, "Vulnerabilities[].VulnerablePackages[].Remediation | vulnerabilities[].affected_packages[].remediation.desc", "how to update them"),
    field("aws.securityhub.exploitable", Keyword, "Vulnerabilities[].ExploitAvailable | vulnerabilities[].is_exploit_available", "YES or NO"),
    field("aws.securityhub.exploit_available", Boolean, "vulnerabilities[].is_exploit_available", "whether an OCSF finding says that there is an exploit"),
    field("aws.securityhub.exploit_last_known", Date, "Vulnerabilities[].LastKnownExploitAt", "last known exploit"),
    field("aws.securityhub.vendor", Keyword, "{Vulnerabilities[].Vendor.Name,vulnerabilities[].vendor_name}", "who published the vulnerability"),
    field("aws.securityhub.code_file", Keyword, "{Vulnerabilities[].CodeVulnerabilities[].FilePath.FilePath,vulnerabilities[].affected_code[].file.path}", "code that is vulnerable"),
    field("aws.securityhub.malware", Keyword, "{Malware[].Name,Threats[].Name,malware[].name}", "malware"),
    field("aws.securityhub.malware_scan_id", Keyword, "malware_scan_info.uid", "scan that found it"),
    field("aws.securityhub.malware_type", Keyword, "Malware[].Type", "its kind"),
    field("aws.securityhub.malware_state", Keyword, "Malware[].State", "whether it was removed"),
    field("aws.securityhub.malware_severity", Keyword, "{Threats[].Severity,malware[].severity}", "how bad it is"),
    field("aws.securityhub.threat_items", Long, "Threats[].ItemCount", "how many files hold it"),
    field("aws.securityhub.indicator", Keyword, "{ThreatIntelIndicators[].Value,Detection.Sequence.SequenceIndicators[].Values[],Detection.Sequence.Signals[].SignalIndicators[].Values[],finding_info.traits[].values[],observables[].value}", "indicators"),
    field("aws.securityhub.indicator_type", Keyword, "{ThreatIntelIndicators[].Type,Detection.Sequence.SequenceIndicators[].Key,Detection.Sequence.Signals[].SignalIndicators[].Key,finding_info.traits[].name,observables[].name}", "their kinds, such as IPV4_ADDRESS"),
    field("aws.securityhub.indicator_category", Keyword, "{ThreatIntelIndicators[].Category,finding_info.traits[].category}", "what they are known for"),
    field("aws.securityhub.indicator_source", Keyword, "ThreatIntelIndicators[].Source", "who knows them"),
    field("aws.securityhub.indicator_url", Keyword, "ThreatIntelIndicators[].SourceUrl", "where to read of them"),
    field("aws.securityhub.tactic", Keyword, "finding_info.attacks[].tactic.name | finding_info.attacks[].tactics[].name", "tactics of MITRE ATT&CK"),
    field("aws.securityhub.technique", Keyword, "{finding_info.attacks[].technique.uid,finding_info.attacks[].technique.name,finding_info.attacks[].sub_technique.uid,finding_info.attacks[].sub_technique.name}", "techniques of MITRE ATT&CK"),
    field("aws.securityhub.sequence_id", Keyword, sequence!("Uid"), "attack sequence"),
    field("aws.securityhub.signal", Keyword, sequence!("Signals[].{Name,Title}"), "signals of an attack sequence"),
    field("aws.securityhub.signal_id", Keyword, sequence!("Signals[].Id"), "their ids"),
    field("aws.securityhub.signal_type", Keyword, sequence!("Signals[].Type"), "where they come from"),
    field("aws.securityhub.endpoint_ip", Ip, sequence!("Endpoints[].Ip"), "endpoints of an attack sequence"),
    field("aws.securityhub.action_type", Keyword, "Action.ActionType", "kind of activity"),
    field("aws.securityhub.api", Keyword, "Action.AwsApiCallAction.Api | evidences[].api.operation", "API operation"),
    field("aws.securityhub.service_name", Keyword, "Action.AwsApiCallAction.ServiceName | evidences[].api.service.name", "AWS service that was called"),
    field("aws.securityhub.caller_type", Keyword, "Action.AwsApiCallAction.CallerType", "what kind of caller"),
    field("aws.securityhub.direction", Keyword, "{Network.Direction,Action.NetworkConnectionAction.ConnectionDirection,evidences[].connection_info.direction}", "IN, OUT, INBOUND or OUTBOUND, as it came"),
    field("aws.securityhub.port_name", Keyword, "Action.{NetworkConnectionAction,PortProbeAction.PortProbeDetails[]}.LocalPortDetails.PortName", "name of the own port"),
    field("aws.securityhub.isp", Keyword, remote!("Organization.Isp"), "internet provider of the remote side"),
    field("aws.securityhub.org", Keyword, remote!("Organization.Org"), "organisation of the remote side"),
    field("aws.securityhub.blocked", Boolean, "Action.{NetworkConnectionAction,DnsRequestAction,PortProbeAction}.Blocked", "whether the traffic was blocked already"),
    field("aws.securityhub.open_port_begin", Long, "Network.OpenPortRange.Begin", "first open port"),
    field("aws.securityhub.open_port_end", Long, "Network.OpenPortRange.End", "last open port"),
    field("aws.securityhub.path_component", Keyword, "NetworkPath[].ComponentId", "components of the network path"),
    field("aws.securityhub.path_component_type", Keyword, "NetworkPath[].ComponentType", "their types"),
    field("aws.securityhub.path_address", Keyword, "NetworkPath[].{Egress,Ingress}.{Source,Destination}.Address[]", "addresses and networks on the path"),
    field("aws.securityhub.patch_baseline", Keyword, "PatchSummary.Id", "patch baseline"),
    field("aws.securityhub.patches_missing", Long, "PatchSummary.MissingCount", "patches that are missing"),
    field("aws.securityhub.patches_failed", Long, "PatchSummary.FailedCount", "patches that could not be installed"),
    field("aws.securityhub.patches_installed", Long, "PatchSummary.InstalledCount", "patches that are installed"),
    field("aws.securityhub.patch_operation", Keyword, "PatchSummary.Operation", "Scan or Install"),
    field("aws.securityhub.sensitive_data", Keyword, "{Resources[].DataClassification.Result.SensitiveData[].Category,databucket.file.data_classifications[].category}", "categories of sensitive data"),
    field("aws.securityhub.sensitive_data_type", Keyword, "{Resources[].DataClassification.Result.SensitiveData[].Detections[].Type,databucket.file.data_classifications[].discovery_details[].type}", "kinds of sensitive data"),
    field("aws.securityhub.sensitive_data_count", Long, "{Resources[].DataClassification.Result.SensitiveData[].Detections[].Count,databucket.file.data_classifications[].discovery_details[].count}", "how often each was found"),
    field("aws.securityhub.bucket", Keyword, "databucket.name", "bucket that holds it"),
    field("aws.securityhub.bucket_public", Boolean, "databucket.is_public", "whether the bucket is public"),
    field("aws.securityhub.bucket_encrypted", Boolean, "databucket.is_encrypted", "whether the bucket is encrypted"),
    field("aws.securityhub.config_rule", Keyword, "{ProductFields.aws/config/ConfigRuleName,ProductFields.RelatedAWSResources:0/name}", "rule of AWS Config"),
    field("aws.securityhub.config_rule_arn", Keyword, "ProductFields.aws/config/ConfigRuleArn", "its ARN"),
    field("aws.securityhub.config_compliance", Keyword, "ProductFields.aws/config/ConfigComplianceType", "its result"),
    field("aws.securityhub.inspector_score", Float, "ProductFields.aws/inspector/inspectorScore", "Amazon Inspector's score"),
    field("aws.securityhub.inspector_status", Keyword, "ProductFields.aws/inspector/FindingStatus", "Amazon Inspector's status"),
    field("aws.securityhub.count", Long, "count", "how often an OCSF finding was seen"),
    field("aws.securityhub.provider", Keyword, "cloud.provider", "cloud of an OCSF finding in its own word"),
    field("aws.securityhub.custom_action", Keyword, "^detail.actionName", "custom action by which people sent it"),
    field("aws.securityhub.custom_action_description", Keyword, "^detail.actionDescription", "what the custom action is for"),
    field("aws.securityhub.insight_arn", Keyword, "^detail.insightArn", "insight whose results people sent"),
    field("aws.securityhub.insight_name", Keyword, "^detail.insightName", "its name"),
    field("aws.securityhub.insight_type", Keyword, "^detail.resultType", "what its results are counted by"),
    field("aws.securityhub.first_observed", Date, "{FirstObservedAt,finding_info.first_seen_time,finding_info.first_seen_time_dt}", "first seen"),
    field("aws.securityhub.last_observed", Date, "{LastObservedAt,finding_info.last_seen_time,finding_info.last_seen_time_dt}", "last seen"),
    field("aws.securityhub.created", Date, "{CreatedAt,finding_info.created_time,finding_info.created_time_dt}", "when the finding was first made"),
    field("aws.securityhub.updated", Date, "{UpdatedAt,finding_info.modified_time,finding_info.modified_time_dt}", "when the finding was last updated"),
    field("aws.securityhub.processed", Date, "{ProcessedAt,metadata.processed_time,metadata.processed_time_dt}", "when Security Hub took it in"),
    field("aws.securityhub.event_time", Date, "{time,time_dt}", "time of the OCSF event"),
    field("aws.securityhub.rest", FlatObject, "", "what no field took"),
];
